"""What would have come up, against what was raised and what led to an order. Pure.

Two alarms of one rule and equipment are the same where they are up at the same time: a rule with a
longer delay raises later, one that clears later makes one alarm of several.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from gateway.model.moment import MINUTE
from rules.replay.run import Replayed

_SAME = MINUTE
"""µs between two times that are told apart: as often is looked where nothing is read."""
_FOR_EVER = 2**62


@dataclass(frozen=True, kw_only=True, slots=True)
class Raised:
    """An alarm of the ledger."""

    id: str
    rule: str
    equipment: str
    raised_at: int
    cleared_at: int | None
    order: str | None
    order_number: int | None = None


@dataclass(kw_only=True, slots=True)
class RuleOutcome:
    rule: str
    before: int = 0
    """Alarms that were raised."""
    after: int = 0
    """Alarms that there would have been."""
    removed: list[Raised] = field(default_factory=list)
    """Raised then, and would not have been."""
    new: list[Replayed] = field(default_factory=list)
    """Would have been, and were not raised."""
    delayed: int = 0
    """Raised both ways, and later by the changed rules."""
    longest_delay: int = 0
    """µs."""

    @property
    def removed_with_order(self) -> list[Raised]:
        return [one for one in self.removed if one.order is not None]


def outcomes(
    rules: Iterable[str],
    raised: Sequence[Raised],
    replayed: Sequence[Replayed],
    start: int,
    end: int,
) -> list[RuleOutcome]:
    """Of each of ``rules``, what began from ``start`` to ``end`` (µs UTC)."""
    found = {rule: RuleOutcome(rule=rule) for rule in rules}
    then: defaultdict[tuple[str, str], list[Raised]] = defaultdict(list)
    now: defaultdict[tuple[str, str], list[Replayed]] = defaultdict(list)
    for was in raised:
        then[was.rule, was.equipment].append(was)
    for would in replayed:
        now[would.rule, would.equipment].append(would)
    for rule, equipment in sorted(then.keys() | now.keys()):
        if rule in found:
            _compare(
                found[rule],
                sorted(then[rule, equipment], key=lambda one: one.raised_at),
                sorted(now[rule, equipment], key=lambda one: one.raised_at),
                start,
                end,
            )
    return list(found.values())


def _compare(
    outcome: RuleOutcome,
    then: Sequence[Raised],
    now: Sequence[Replayed],
    start: int,
    end: int,
) -> None:
    """A rule that flaps has some hundred thousand alarms in three months: each is looked up, never
    compared with all others."""
    raised, replayed = _Spans(then), _Spans(now)
    for was in then:
        if not start <= was.raised_at < end:
            continue
        at = replayed.first_with(was)
        outcome.before += 1
        if at is None:
            outcome.removed.append(was)
        elif (later := now[at].raised_at - was.raised_at) > _SAME:
            outcome.delayed += 1
            outcome.longest_delay = max(outcome.longest_delay, later)
    for would in now:
        if start <= would.raised_at < end:
            outcome.after += 1
            if raised.first_with(would) is None:
                outcome.new.append(would)


class _Spans:
    """Alarms in the order in which they came up."""

    def __init__(self, alarms: Sequence[Raised] | Sequence[Replayed]) -> None:
        self._begin = [one.raised_at for one in alarms]
        # One that is up for ever covers those behind it: the latest end so far never goes back.
        self._end = list(accumulate(map(_end, alarms), max))

    def first_with(self, other: Raised | Replayed) -> int | None:
        """The place of the first that is up at the same time as ``other``."""
        at = bisect_left(self._end, other.raised_at - _SAME)
        found = at < len(self._end) and self._begin[at] <= _end(other) + _SAME
        return at if found else None


def _end(alarm: Raised | Replayed) -> int:
    return _FOR_EVER if alarm.cleared_at is None else alarm.cleared_at
