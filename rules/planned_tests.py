"""Planned tests (计划测试): their life, and for whom nobody is called yet while one runs.

A test holds back nothing but the call: what it expects is raised and shown in the duty room like
any other alarm, while notices and work order wait. They wait for a minute at most, and
only where nothing else points to a fire:

- what no sheet expects calls at once; if it is about life safety, all that waits in its area does,
- a second detector of the area that nobody has confirmed calls at once, and the first with it,
- what was not confirmed within its minute calls, and what is still up when the test ends does too.

Everything here is decided by what is given; whoever is in doubt calls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.model.moment import HOUR, MINUTE, Instant
from rules import lifecycle

LONGEST = 8 * HOUR
"""µs that a test runs at most."""
HELD_AT_MOST = MINUTE
"""µs from the alarm to the call, where nobody confirms."""
_SUMMARIES = ("fire_zone", "fire_panel")
"""Classes of equipment that repeat what one of their detectors says: they are no second one."""


class PlannedState(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    PASSED = "passed"
    """Every alarm that was expected has come."""
    FAILED = "failed"
    CANCELLED = "cancelled"


class PlannedEvent(StrEnum):
    PLAN = "plan"
    START = "start"
    TICK = "tick"
    """An alarm came that was expected."""
    CONFIRM = "confirm"
    CALL = "call"
    """People are called for an alarm that was held, or confirmed."""
    PASS = "pass"  # a word, not a secret
    FAIL = "fail"
    CANCEL = "cancel"


_S, _E = PlannedState, PlannedEvent

TRANSITIONS: Mapping[tuple[PlannedState, PlannedEvent], PlannedState] = {
    (_S.PLANNED, _E.PLAN): _S.PLANNED,
    (_S.PLANNED, _E.START): _S.RUNNING,
    (_S.PLANNED, _E.CANCEL): _S.CANCELLED,
    (_S.RUNNING, _E.TICK): _S.RUNNING,
    (_S.RUNNING, _E.CONFIRM): _S.RUNNING,
    (_S.RUNNING, _E.PASS): _S.PASSED,
    (_S.RUNNING, _E.FAIL): _S.FAILED,
    (_S.RUNNING, _E.CANCEL): _S.CANCELLED,
    # After the end too: what is up then comes up again.
    **{(state, _E.CALL): state for state in _S if state is not _S.PLANNED},
}
NOT_OVER = (_S.PLANNED, _S.RUNNING)


class Hold(StrEnum):
    """What a test has made of an alarm."""

    HELD = "held"
    CONFIRMED = "confirmed"
    """Nobody is called for it, as long as it is there and the test runs."""
    CALLED = "called"
    RETURNED = "returned"
    """It was confirmed, and its condition has returned."""


class HoldEvent(StrEnum):
    HOLD = "hold"
    """It comes, or comes back."""
    CONFIRM = "confirm"
    CALL = "call"
    RETURN = "return"


HOLDS: Mapping[tuple[Hold, HoldEvent], Hold] = {
    (Hold.HELD, HoldEvent.CONFIRM): Hold.CONFIRMED,
    (Hold.HELD, HoldEvent.CALL): Hold.CALLED,
    (Hold.CONFIRMED, HoldEvent.CALL): Hold.CALLED,
    (Hold.CONFIRMED, HoldEvent.RETURN): Hold.RETURNED,
    (Hold.CONFIRMED, HoldEvent.HOLD): Hold.HELD,
    (Hold.RETURNED, HoldEvent.HOLD): Hold.HELD,
    (Hold.CALLED, HoldEvent.HOLD): Hold.HELD,
}
WAITING = (Hold.HELD, Hold.CONFIRMED)
"""Nobody was called, and somebody may still have to be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmTest:
    """What is shown of a test with an alarm."""

    test: str
    """Id."""
    held_until: int | None
    """µs UTC; None: it is not held."""
    confirmed_at: int | None
    confirmed_by: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A test that runs, as far as it decides."""

    id: str
    area: str
    started_at: int
    """µs UTC."""
    ends_at: int
    sheet: frozenset[tuple[str, str]]
    """(equipment, rule) of every alarm that is expected."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Coming:
    """An alarm that comes up."""

    alarm: str
    equipment: str
    equipment_class: str
    rule: str
    area: str
    life_safety: bool
    at: Instant
    """By the clocks of whoever saw it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Other:
    """An alarm of the same area that may mean fire and that nobody has confirmed: it is there, or
    is held."""

    alarm: str
    equipment: str
    equipment_class: str
    hold: Hold | None
    """None: it is no test's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    test: str | None = None
    """The test that expects it."""
    held_until: Instant | None = None
    """None: people are called at once."""
    calls_too: tuple[str, ...] = ()
    """Ids of alarms that are held and call now as well."""
    why: str = ""
    """Why it is not held, though it is expected."""


def decide(
    coming: Coming, tests: Sequence[Running], others: Sequence[Other], now: Instant
) -> Verdict:
    """Whether people are called for ``coming`` now. ``others``: all there are in its area."""
    others = [one for one in others if one.alarm != coming.alarm]
    held = tuple(one.alarm for one in others if one.hold is Hold.HELD)
    test = _expecting(coming, tests, now)
    if test is None:
        return Verdict(calls_too=held if coming.life_safety else ())
    if any(one.hold is None for one in others):
        return Verdict(test=test.id, calls_too=held, why="another alarm of the area is up")
    if any(_is_second(coming, one) for one in others):
        return Verdict(test=test.id, calls_too=held, why="second detector, none is confirmed")
    left = HELD_AT_MOST - max(0, now.since(coming.at))
    if left <= 0:
        return Verdict(test=test.id, why="it came more than a minute ago")
    return Verdict(test=test.id, held_until=now.plus(left))


def is_due(hold: Hold, until: Instant, now: Instant, *, runs: bool) -> bool:
    """Whether people are called now for what has waited; ``runs``: its test does.

    ``until`` lies further ahead than anything is held only by a clock that was wrong before a
    restart: then it is due too.
    """
    if not runs:
        return True
    return hold is Hold.HELD and (now.reached(until) or until.since(now) > HELD_AT_MOST)


def is_over(sheet: Sequence[int | None]) -> PlannedEvent:
    """How a test ends; ``sheet``: when each alarm came that was expected."""
    return _E.FAIL if any(at is None for at in sheet) else _E.PASS


def step(state: PlannedState, event: PlannedEvent, *, test: str) -> PlannedState:
    """The state of ``test`` after ``event``; raises ``IllegalTransitionError``."""
    return lifecycle.step(TRANSITIONS, state, event, subject=test)


def step_hold(hold: Hold, event: HoldEvent, *, alarm: str) -> Hold:
    """The same for what a test makes of ``alarm``."""
    return lifecycle.step(HOLDS, hold, event, subject=alarm)


def _expecting(coming: Coming, tests: Sequence[Running], now: Instant) -> Running | None:
    """The test on whose sheet it stands, if it came in its time."""
    for test in tests:
        expects = (coming.equipment, coming.rule) in test.sheet and test.area == coming.area
        in_time = test.started_at <= coming.at.wall and now.wall < test.ends_at
        if expects and in_time:
            return test
    return None


def _is_second(coming: Coming, other: Other) -> bool:
    """A zone or a panel that says what its detector says is no second one; two of them are."""
    same_kind = (coming.equipment_class in _SUMMARIES) is (other.equipment_class in _SUMMARIES)
    return same_kind and other.equipment != coming.equipment
