"""Stretches of the numbers that records have. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Numbers = tuple[int, int]
"""From the first to the last, both in it."""


def overlap(ranges: Iterable[Numbers], after: int, through: int) -> int:
    """How many numbers of ``ranges``, which do not overlap, lie in (``after``, ``through``]."""
    return sum(max(0, min(last, through) - max(first, after + 1) + 1) for first, last in ranges)


def stepped_back(ranges: Sequence[Numbers], through: int, count: int) -> int:
    """The number behind which, up to ``through``, there are ``count`` numbers that are not in
    ``ranges`` (ascending); 0 if there are not that many."""
    for first, last in reversed(ranges):
        if last <= through - count:
            break
        if first <= through:
            count -= max(0, through - last)
            through = first - 1
    return max(0, through - count)
