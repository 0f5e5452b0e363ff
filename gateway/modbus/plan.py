"""The fewest legal reads that cover a set of points. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.profile import Function, ModbusPlace, ReadLimits

PROTOCOL = ReadLimits()
"""What the protocol allows."""


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
            and place.address + place.registers <= self.end
        )


def plan(places: Mapping[str, ModbusPlace], limits: ReadLimits = PROTOCOL) -> tuple[Block, ...]:
    """Blocks such that every value lies whole in one of them.

    A block never bridges more than ``limits.gap`` registers that nobody asked for: some devices
    refuse a read that touches a register they do not have, and a long way over nothing costs
    more than a request. Raises :class:`ValueError` for a value that no request can hold.
    """
    spans: defaultdict[Function, set[tuple[int, int]]] = defaultdict(set)
    for key, place in places.items():
        most = _most(place.function, limits)
        if place.registers > most:
            raise ValueError(f"{key} takes {place.registers} registers, a request holds {most}")
        spans[place.function].add((place.address, place.address + place.registers))
    return tuple(
        block
        for function in sorted(spans)
        for block in _cover(
            function,
            sorted(spans[function]),
            _most(function, limits),
            16 * limits.gap if function.is_bits else limits.gap,
        )
    )


def _most(function: Function, limits: ReadLimits) -> int:
    return limits.bits if function.is_bits else limits.registers


def _cover(function: Function, spans: list[tuple[int, int]], most: int, gap: int) -> list[Block]:
    """Greedy from the lowest address: optimal, because a later start never covers less.

    ``spans`` are (start, end) in ascending order, none longer than ``most``.
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
