"""Blocks of registers → columns of readings, by one gather plan. Pure.

The registers of all blocks are laid end to end in one vector, and behind them the same once more
with the bytes of each exchanged. The plan, made once, says for every point which places of that
vector hold its words, the least significant first, and which of a few readings of the bits turns
them into a number; so a reply of any size is decoded by a fixed number of numpy operations. Work
in Python is done for texts and for rows that are not good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.modbus.bits import Raw, readers
from gateway.modbus.plan import Block
from gateway.model.point import Point, PointKind
from gateway.model.profile import ModbusPlace, RegisterType
from gateway.model.quality import Quality
from gateway.model.reason import Reason

Registers = NDArray[np.uint16] | NDArray[np.bool_]
"""What one block's read returned: registers, or bits."""

_WORD = np.dtype("<u2")
_WIDE: Mapping[int, np.dtype[Any]] = {
    1: np.dtype("<u2"),
    2: np.dtype("<u4"),
    4: np.dtype("<u8"),
}
"""Words a row → what they are together."""
_CODES = (PointKind.FLAG, PointKind.STATE)
_DUST = 1e-6
"""How far a code may be from a whole number."""
_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Columns:
    """One row a point, in the order of the decoder's ``points``."""

    value: NDArray[np.float64]
    """NaN where there is no value, or it is a text."""
    quality: NDArray[np.uint8]
    reason: Mapping[int, str] = field(default_factory=dict)
    """Row → why the quality is not good."""
    text: Mapping[int, str] = field(default_factory=dict)
    """Row → text, for points that are one and are good."""


class Decoder:
    """Decodes the blocks of one unit.

    ``places`` is keyed by point id. Every point's place must lie whole in one of ``blocks``,
    else :class:`ValueError`.
    """

    def __init__(
        self, points: Sequence[Point], places: Mapping[str, ModbusPlace], blocks: Sequence[Block]
    ) -> None:
        own = tuple(places[point.id] for point in points)
        self._lay_out(tuple(points), own, tuple(blocks), [_block(blocks, place) for place in own])

    @classmethod
    def of_many(cls, decoders: Sequence[Decoder]) -> Decoder:
        """One for what several units said, all of it at once (:meth:`decode_all`)."""
        self = cls.__new__(cls)
        points = tuple(chain.from_iterable(one._described for one in decoders))
        places = tuple(chain.from_iterable(one._places for one in decoders))
        blocks = tuple(chain.from_iterable(one.blocks for one in decoders))
        block_of: list[int] = []
        before = 0
        for one in decoders:
            block_of += [before + at for at in one._block_of.tolist()]
            before += len(one.blocks)
        self._lay_out(points, places, blocks, block_of)
        return self

    def _lay_out(
        self,
        points: tuple[Point, ...],
        places: tuple[ModbusPlace, ...],
        blocks: tuple[Block, ...],
        block_of: Sequence[int],
    ) -> None:
        self.points: tuple[str, ...] = tuple(point.id for point in points)
        self.blocks = blocks
        self._described = points
        self._places = places
        self._starts = list(accumulate((block.count for block in blocks), initial=0))
        self._block_of = np.array(block_of, dtype=np.intp)
        self._gather()
        self._readers = tuple(readers(self._places))
        self._gather_absent()
        self._gather_gates()
        self._measure()
        self._measure_codes()

    def _gather(self) -> None:
        """Where each row's words lie; a zero stands behind the last for words it does not have."""
        total = self._starts[-1]
        self._swapped = any(place.order.low_byte_first for place in self._places)
        self._size = total * (2 if self._swapped else 1) + 1
        lengths = [p.registers for p in self._places if p.type is not RegisterType.ASCII]
        most = max(lengths, default=1)
        width = next(width for width in _WIDE if width >= most)
        words = np.full((len(self._places), width), self._size - 1, dtype=np.intp)
        texts: dict[int, NDArray[np.intp]] = {}
        for row, place in enumerate(self._places):
            at = self._block_of[row]
            first = self._starts[at] + place.address - self.blocks[at].address
            if place.order.low_byte_first:
                first += total
            own = np.arange(first, first + place.registers)
            rising = own if place.order.low_word_first else own[::-1]
            if place.type is RegisterType.ASCII:
                texts[row] = rising[::-1]
            else:
                words[row, : place.registers] = rising
        self._words = words
        self._whole = _WIDE[width]
        self._texts = texts
        self._text_rows = np.array(list(texts), dtype=np.intp)

    def _gather_absent(self) -> None:
        """What each row's device says for "not available": by a part, or by the whole word."""
        said = [
            (row, raw, *_says_it(place))
            for row, place in enumerate(self._places)
            for raw in place.absent
        ]
        rows, raws, shifts, masks = zip(*said, strict=True) if said else ((), (), (), ())
        self._absent_row = np.array(rows, dtype=np.intp)
        self._absent_raw = np.array(raws, dtype=np.uint64)
        self._absent_shift = np.array(shifts, dtype=np.uint64)
        self._absent_mask = np.array(masks, dtype=np.uint64)

    def _gather_gates(self) -> None:
        """Which rows say something only while a bit of their register is set."""
        gated = [(row, p.while_bit) for row, p in enumerate(self._places)]
        pairs = [(row, bit) for row, bit in gated if bit is not None]
        self._gated = np.array([row for row, _ in pairs], dtype=np.intp)
        self._gate = np.array([bit for _, bit in pairs], dtype=np.uint64)

    def _measure_codes(self) -> None:
        """Which rows are codes: those that may be no whole one, and what each state knows."""
        codes = [row for row, p in enumerate(self._described) if p.kind in _CODES]
        split = [row for row in codes if not _always_whole(self._places[row])]
        self._split_rows = np.array(split, dtype=np.intp)
        rows = [
            row for row, p in enumerate(self._described) if p.kind is PointKind.STATE and p.states
        ]
        most = max((len(self._described[row].states) for row in rows), default=0)
        known = np.full((len(rows), most), np.nan)
        for at, row in enumerate(rows):
            states = self._described[row].states
            known[at, : len(states)] = list(states)
        self._state_rows, self._known_states = np.array(rows, dtype=np.intp), known

    def _measure(self) -> None:
        """What turns a raw number into the steps it is rounded to, and what may be reported."""
        self._steps = np.array([10.0**point.decimals for point in self._described])
        self._scale = np.array([place.scale for place in self._places]) * self._steps
        self._offset = np.array([place.offset for place in self._places]) * self._steps
        self._lowest = np.array(
            [-_LARGEST if point.low is None else point.low for point in self._described]
        )
        self._highest = np.array(
            [_LARGEST if point.high is None else point.high for point in self._described]
        )

    def decode(self, replies: Mapping[Block, Registers], failures: Mapping[Block, str]) -> Columns:
        """The readings in ``replies``; the rows of a block in neither mapping are ``BAD`` too.

        ``failures`` says by its reason why a block was not read. Raises :class:`ValueError` for a
        reply that has not the length of its block.

        1. Gather the words; read their bits as the type says.
        2. Scale; round to the digits the device resolves.
        3. No value where the block failed, the device has none, the number is none, or is no
           whole code where there are codes.
        4. ``UNCERTAIN``, value kept, where it is outside what the device can report.
        """
        pool, missing = self._laid_out(replies)
        return self._decoded(pool, missing, failures)

    def decode_all(self, replies: Sequence[bytes]) -> Columns:
        """The readings in ``replies``: to each block its whole reply, all of them of registers.

        Raises :class:`ValueError` for replies that have not the length of their blocks.
        """
        total = self._starts[-1]
        pool = np.zeros(self._size, dtype=_WORD)
        pool[:total] = np.frombuffer(b"".join([reply[2:] for reply in replies]), dtype=">u2")
        if self._swapped:
            pool[total : 2 * total] = pool[:total].byteswap()
        return self._decoded(pool, (), {})

    def _decoded(
        self, pool: NDArray[np.uint16], missing: Sequence[int], failures: Mapping[Block, str]
    ) -> Columns:
        raw = pool.take(self._words).view(self._whole).reshape(-1).astype(np.uint64)
        value, split = self._value(raw)
        quality = np.zeros(len(self.points), dtype=np.uint8)
        within = (value >= self._lowest) & (value <= self._highest)  # neither NaN nor infinity is
        if self._texts:
            within[self._text_rows] = True
        if self._state_rows.size:
            states = value[self._state_rows, np.newaxis]
            within[self._state_rows] = (states == self._known_states).any(axis=1)
        none = self._says_none(raw)
        reason: dict[int, str] = {}
        if missing or none.size or not within.all():
            bad = ~np.isfinite(value)
            bad[self._text_rows] = False
            bad[none] = True
            bad[np.isin(self._block_of, missing)] = True
            reason = self._doubt(value, quality, ~(within | bad))
            quality[bad] = Quality.BAD
            value[bad] = np.nan
            for row in np.flatnonzero(bad).tolist():
                reason[row] = self._why(row, int(raw[row]), missing, failures, split)
        text = self._read_texts(pool, quality, reason) if self._texts else {}
        return Columns(value=value, quality=quality, reason=reason, text=text)

    def _says_none(self, raw: Raw) -> NDArray[np.intp]:
        """The rows of which the device says that it has no value."""
        if not self._absent_row.size:
            return self._absent_row
        said = (raw[self._absent_row] >> self._absent_shift) & self._absent_mask
        rows: NDArray[np.intp] = self._absent_row[said == self._absent_raw]
        return rows

    def _laid_out(self, replies: Mapping[Block, Registers]) -> tuple[NDArray[np.uint16], list[int]]:
        """All registers end to end, with exchanged bytes, zero; and which blocks are missing."""
        pool = np.zeros(self._size, dtype=_WORD)
        missing: list[int] = []
        for at, block in enumerate(self.blocks):
            reply = replies.get(block)
            if reply is None:
                missing.append(at)
                continue
            if reply.shape != (block.count,):
                raise ValueError(f"{reply.shape} values for a block of {block.count}")
            pool[self._starts[at] : self._starts[at + 1]] = reply
        if self._swapped:
            total = self._starts[-1]
            pool[total : 2 * total] = pool[:total].byteswap()
        return pool, missing

    def _value(self, raw: Raw) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """The number of each row in the point's unit, not finite where there is none; and the
        rows where it is none because it is no whole code."""
        # A device may send any bit pattern for a float; what comes of it is looked at behind.
        with np.errstate(invalid="ignore", over="ignore"):
            if len(self._readers) == 1:
                value = self._readers[0][1](raw)
            else:
                value = np.full(len(raw), np.nan)
                for rows, read in self._readers:
                    value[rows] = read(raw[rows])
            if self._gated.size:
                shut = (raw[self._gated] >> self._gate) & np.uint64(1) == 0
                value[self._gated[shut]] = 0.0
            value *= self._scale
            value += self._offset
            split = self._split_rows
            if split.size:
                exact = value[split]
                np.rint(value, out=value)
                split = split[np.abs(value[split] - exact) > _DUST]
            else:
                np.rint(value, out=value)
            value /= self._steps
            value += 0.0  # or a small negative number would be -0
        if split.size:
            value[split] = np.nan
        return value, split

    def _doubt(
        self, value: NDArray[np.float64], quality: NDArray[np.uint8], outside: NDArray[np.bool_]
    ) -> dict[int, str]:
        quality[outside] = Quality.UNCERTAIN
        return {
            row: self._described[row].out_of_range(float(value[row])) or Reason.OUT_OF_RANGE.told()
            for row in np.flatnonzero(outside).tolist()
        }

    def _why(
        self,
        row: int,
        raw: int,
        missing: Sequence[int],
        failures: Mapping[Block, str],
        split: NDArray[np.intp],
    ) -> str:
        """Why ``row`` has no value."""
        at = int(self._block_of[row])
        if at in missing:
            return failures.get(self.blocks[at], Reason.NOT_READ.told())
        place = self._places[row]
        shown = f"0x{raw:0{4 * place.registers}x}"
        shift, mask = _says_it(place)
        if (raw >> shift) & mask in place.absent:
            return Reason.NOT_AVAILABLE.told(shown)
        return (Reason.UNEXPECTED if row in split else Reason.NOT_A_NUMBER).told(shown)

    def _read_texts(
        self, pool: NDArray[np.uint16], quality: NDArray[np.uint8], reason: dict[int, str]
    ) -> dict[int, str]:
        """The texts of rows that were read; ``BAD`` if a character is none that prints."""
        texts: dict[int, str] = {}
        for row, words in self._texts.items():
            if quality[row] == Quality.BAD:
                continue
            data = pool[words].astype(">u2").tobytes().rstrip(b"\0 ")
            if all(0x20 <= byte < 0x7F for byte in data):
                texts[row] = data.decode("ascii")
            else:
                quality[row] = Quality.BAD
                reason[row] = Reason.UNEXPECTED.told(f"0x{data.hex()}")
        return texts


def _block(blocks: Sequence[Block], place: ModbusPlace) -> int:
    for at, block in enumerate(blocks):
        if block.holds(place):
            return at
    raise ValueError(f"no block holds {place}")


def _says_it(place: ModbusPlace) -> tuple[int, int]:
    """Shift and mask of the bits by which the device says "not available"."""
    if place.absent_in is not None:
        bit, width = place.absent_in
        return bit, (1 << width) - 1
    if place.width is not None:
        return place.bit or 0, place.mask
    return 0, (1 << (16 * place.registers)) - 1


def _always_whole(place: ModbusPlace) -> bool:
    floats = (RegisterType.FLOAT32, RegisterType.FLOAT64)
    return place.type not in floats and place.scale % 1 == place.offset % 1 == 0
