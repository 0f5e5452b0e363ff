"""The fewest legal reads that cover a set of points. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.profile import Function, ModbusPlace

MAX_REGISTERS = 125
MAX_BITS = 2000
"""Most that one request may ask for, by the Modbus specification."""

MAX_GAP = 8
"""Unasked registers that are read along rather than asking twice; bits count a sixteenth."""


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Block:
    """One read request: ``count`` registers (or bits) from the PDU address ``address``."""

    function: Function
    address: int
    count: int

    @property
    def end(self) -> int:
        """The first address after the block."""
        return self.address + self.count

    def holds(self, place: ModbusPlace) -> bool:
        """Whether the whole value at ``place`` lies in this block."""
        return (
            place.function is self.function
            and self.address <= place.address
            and place.address + place.type.registers <= self.end
        )


def plan(
    places: Mapping[str, ModbusPlace],
    *,
    max_registers: int = MAX_REGISTERS,
    max_bits: int = MAX_BITS,
    max_gap: int = MAX_GAP,
) -> tuple[Block, ...]:
    """Blocks such that every value lies whole in one of them.

    A block never bridges more than ``max_gap`` registers that nobody asked for: some devices
    refuse a read that touches a register they do not have.
    """
    spans: defaultdict[Function, set[tuple[int, int]]] = defaultdict(set)
    for place in places.values():
        spans[place.function].add((place.address, place.address + place.type.registers))
    return tuple(
        block
        for function in sorted(spans)
        for block in _cover(
            function,
            sorted(spans[function]),
            max_bits if function.is_bits else max_registers,
            16 * max_gap if function.is_bits else max_gap,
        )
    )


def _cover(function: Function, spans: list[tuple[int, int]], most: int, gap: int) -> list[Block]:
    """Greedy from the lowest address: optimal, because a later start never covers less.

    ``spans`` are (start, end) in ascending order.
    """
    blocks: list[Block] = []
    left = spans
    while left:
        first, end = left[0]
        later: list[tuple[int, int]] = []
        for start, stop in left:
            if stop - first <= most and start - end <= gap:
                end = max(end, stop)
            else:
                later.append((start, stop))
        blocks.append(Block(function=function, address=first, count=end - first))
        left = later
    return blocks
