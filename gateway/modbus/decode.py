"""Blocks of registers → columns of readings, by one gather plan. Pure.

The registers of all blocks are laid end to end in one vector. The plan, made once, says for
every point which two places of that vector hold its high and low word and how the 32 bits are
read; so a reply of any size is decoded by a fixed number of numpy operations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gateway.modbus.plan import Block
from gateway.model.point import Point
from gateway.model.profile import ModbusPlace, RegisterType
from gateway.model.quality import Quality

Registers = NDArray[np.uint16] | NDArray[np.bool_]
"""What one block's read returned: registers, or bits."""

_SIGNED = (RegisterType.INT16, RegisterType.INT32)
_EVERY_BIT = 0xFFFFFFFF


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Columns:
    """One row a point, in the order of the decoder's ``points``."""

    value: NDArray[np.float64]
    """NaN where there is no value."""
    quality: NDArray[np.uint8]
    reason: Mapping[int, str] = field(default_factory=dict)
    """Row → why the quality is not good."""


class Decoder:
    """Decodes the blocks of one unit.

    ``places`` is keyed by point id. Every point's place must lie whole in one of ``blocks``,
    else :class:`ValueError`.
    """

    def __init__(
        self, points: Sequence[Point], places: Mapping[str, ModbusPlace], blocks: Sequence[Block]
    ) -> None:
        self.points: tuple[str, ...] = tuple(point.id for point in points)
        self.blocks: tuple[Block, ...] = tuple(blocks)
        self._described = tuple(points)
        self._starts = np.cumsum([0, *(block.count for block in self.blocks)])
        own = [places[point.id] for point in points]
        self._block_of = np.array([self._block(place) for place in own], dtype=np.intp)
        self._gather(own)
        self._measure(own)

    def _block(self, place: ModbusPlace) -> int:
        for at, block in enumerate(self.blocks):
            if block.holds(place):
                return at
        raise ValueError(f"no block holds {place}")

    def _gather(self, places: Sequence[ModbusPlace]) -> None:
        """Where each row's words lie, and how the bits in them are read."""
        nowhere = int(self._starts[-1])  # a zero stands behind the last register
        high, low, shift, modulus = [], [], [], []
        for at, place in zip(self._block_of, places, strict=True):
            first = int(self._starts[at]) + place.address - self.blocks[at].address
            wide = place.type.registers == 2
            words = (first, first + 1) if wide else (nowhere, first)
            high.append(words[1] if place.low_word_first else words[0])
            low.append(words[0] if place.low_word_first else words[1])
            shift.append(place.bit or 0)
            signed = place.type in _SIGNED and place.bit is None
            modulus.append((1 << (16 * place.type.registers)) if signed else 0)
        self._high = np.array(high, dtype=np.intp)
        self._low = np.array(low, dtype=np.intp)
        self._shift = np.array(shift, dtype=np.int64)
        self._mask = np.array([place.mask for place in places], dtype=np.int64)
        self._modulus = np.array(modulus, dtype=np.int64)
        self._floats = np.array(
            [row for row, p in enumerate(places) if p.type is RegisterType.FLOAT32], dtype=np.intp
        )
        self._says_none(places)

    def _says_none(self, places: Sequence[ModbusPlace]) -> None:
        """What each row's device says for "not available": by a part, or by the whole word."""
        absent = [(row, raw) for row, place in enumerate(places) for raw in place.absent]
        part = np.array([places[row].width is not None for row, _ in absent], dtype=bool)
        self._absent_row = np.array([row for row, _ in absent], dtype=np.intp)
        self._absent_raw = np.array([raw for _, raw in absent], dtype=np.int64)
        self._absent_shift = np.where(part, self._shift[self._absent_row], 0)
        self._absent_mask = np.where(part, self._mask[self._absent_row], _EVERY_BIT)

    def _measure(self, places: Sequence[ModbusPlace]) -> None:
        """What turns a raw number into the point's unit, and what the device can report."""
        self._scale = np.array([place.scale for place in places])
        self._offset = np.array([place.offset for place in places])
        self._steps = np.array([10.0**point.decimals for point in self._described])
        self._lowest = np.array(
            [-np.inf if point.low is None else point.low for point in self._described]
        )
        self._highest = np.array(
            [np.inf if point.high is None else point.high for point in self._described]
        )

    def decode(self, replies: Mapping[Block, Registers], failures: Mapping[Block, str]) -> Columns:
        """The readings in ``replies``; the rows of a block in neither mapping are ``BAD`` too.

        ``failures`` says why a block was not read. Raises :class:`ValueError` for a reply that
        has not the length of its block.

        1. Gather the words; compare them with what the device says for "not available".
        2. Read the bits as the type says; scale; round to the digits the device resolves.
        3. No value where the block failed, the device has none, or the number is none.
        4. ``UNCERTAIN``, value kept, where it is outside what the device can report.
        """
        flat, missing = self._laid_out(replies)
        raw = (flat[self._high] << 16) | flat[self._low]
        none = np.zeros(len(self.points), dtype=bool)
        said = (raw[self._absent_row] >> self._absent_shift) & self._absent_mask
        none[self._absent_row[said == self._absent_raw]] = True
        value = self._scaled(raw)
        unreadable = ~np.isfinite(value)
        failed = missing[self._block_of]
        bad = failed | none | unreadable
        outside = ~bad & ((value < self._lowest) | (value > self._highest))
        quality = np.zeros(len(self.points), dtype=np.uint8)
        quality[outside] = Quality.UNCERTAIN
        quality[bad] = Quality.BAD
        reason = self._out_of_range(value, np.flatnonzero(outside))
        for row in map(int, np.flatnonzero(bad)):
            if failed[row]:
                reason[row] = failures.get(self.blocks[self._block_of[row]], "not read")
            elif none[row]:
                reason[row] = f"the device says not available (raw {int(raw[row]):#x})"
            else:
                reason[row] = "the device sent no number"
        value[bad] = np.nan
        return Columns(value=value, quality=quality, reason=reason)

    def _laid_out(
        self, replies: Mapping[Block, Registers]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """All registers end to end with a zero behind them, and which blocks are missing."""
        flat = np.zeros(int(self._starts[-1]) + 1, dtype=np.int64)
        missing = np.ones(len(self.blocks), dtype=bool)
        for at, block in enumerate(self.blocks):
            reply = replies.get(block)
            if reply is None:
                continue
            if reply.shape != (block.count,):
                raise ValueError(f"{reply.shape} values for a block of {block.count}")
            flat[self._starts[at] : self._starts[at + 1]] = reply
            missing[at] = False
        return flat, missing

    def _scaled(self, raw: NDArray[np.int64]) -> NDArray[np.float64]:
        number = (raw >> self._shift) & self._mask
        number = np.where(number >= self._modulus // 2, number - self._modulus, number)
        value = number.astype(np.float64)
        value[self._floats] = raw[self._floats].astype(np.uint32).view(np.float32)
        # A device may send any bit pattern for a float: NaN and infinity are looked for above.
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = value * self._scale + self._offset
            return np.asarray(np.rint(scaled * self._steps) / self._steps)

    def _out_of_range(self, value: NDArray[np.float64], rows: NDArray[np.intp]) -> dict[int, str]:
        return {
            row: self._described[row].out_of_range(float(value[row])) or "out of range"
            for row in map(int, rows)
        }
