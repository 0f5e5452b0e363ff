"""Units that were read right after one another, and what they said as one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gateway.modbus.decode import Columns, Decoder
from gateway.modbus.unit import PolledUnit
from gateway.model.quality import Quality

_KNOWN = 64
"""Batches of a link whose layout is kept. They are the same again and again unless a unit fails in
the midst of one."""
_MET = 1024
"""Batches of a link that are remembered to have come."""


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What one unit said, or several."""

    units: tuple[tuple[str, ...], ...]
    """The points of each unit."""
    points: tuple[str, ...]
    """All of them, in that order."""
    columns: Columns

    @property
    def works(self) -> bool:
        """Whether there is a value; of several units each has one."""
        # What is not good has a reason, so mostly none of the rows has to be looked at.
        columns = self.columns
        return not columns.reason or bool((columns.quality < Quality.BAD).any())

    def each(self) -> Iterator[Said]:
        """By unit."""
        if len(self.units) == 1:
            yield self
            return
        begin, columns = 0, self.columns
        for points in self.units:
            end = begin + len(points)
            rows = range(begin, end)
            own = Columns(
                value=columns.value[begin:end],
                quality=columns.quality[begin:end],
                reason={r - begin: why for r, why in columns.reason.items() if r in rows},
                text={r - begin: text for r, text in columns.text.items() if r in rows},
            )
            yield one(points, own)
            begin = end


def one(points: tuple[str, ...], columns: Columns) -> Said:
    """What a single unit said."""
    return Said((points,), points, columns)


class Batches:
    """Of one link."""

    def __init__(self) -> None:
        self._decoder = lru_cache(maxsize=_KNOWN)(_together)
        self._met: set[tuple[Decoder, ...]] = set()
        """Batches that came once."""

    def said(self, units: Sequence[PolledUnit], replies: Sequence[bytes]) -> list[Said]:
        """``replies``: whole, to all blocks of each of ``units``, in their order. One, if such a
        batch is known: to lay out a new one costs more than to decode it unit by unit, and where
        time is short each is another."""
        decoders = tuple(unit.decoder for unit in units)
        if decoders in self._met:
            decoder, points = self._decoder(decoders)
            return [Said(points, decoder.points, decoder.decode_all(replies))]
        if len(self._met) >= _MET:
            self._met.clear()
        self._met.add(decoders)
        found, begin = [], 0
        for own in decoders:
            end = begin + len(own.blocks)
            found.append(one(own.points, own.decode_all(replies[begin:end])))
            begin = end
        return found


def _together(decoders: tuple[Decoder, ...]) -> tuple[Decoder, tuple[tuple[str, ...], ...]]:
    return Decoder.of_many(decoders), tuple(own.points for own in decoders)
