"""What a planned test holds back, as a table; and its two tables of steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.model.moment import HOUR, MINUTE, SECOND, Instant
from rules.lifecycle import IllegalTransitionError
from rules.planned_tests import (
    HELD_AT_MOST,
    HOLDS,
    TRANSITIONS,
    WAITING,
    Coming,
    Hold,
    HoldEvent,
    Other,
    PlannedEvent,
    PlannedState,
    Running,
    decide,
    is_due,
    is_over,
    step,
    step_hold,
)

NOW = Instant(wall=1_000 * HOUR, mono=HOUR, boot="b")
TEST = Running(
    id="t",
    area="b1",
    started_at=NOW.wall - MINUTE,
    ends_at=NOW.wall + HOUR,
    sheet=frozenset({("smoke-1", "fire"), ("smoke-2", "fire"), ("zone-1", "zone")}),
)
SMOKE = Coming(
    alarm="a",
    equipment="smoke-1",
    equipment_class="fire_detector",
    rule="fire",
    area="b1",
    life_safety=True,
    at=NOW,
)
ZONE = replace(SMOKE, equipment="zone-1", equipment_class="fire_zone", rule="zone")


def other(
    equipment: str = "smoke-2", of: str = "fire_detector", hold: Hold | None = Hold.HELD
) -> Other:
    return Other(alarm=f"{equipment}.x", equipment=equipment, equipment_class=of, hold=hold)


@pytest.mark.parametrize(
    ("coming", "others", "held", "calls_too"),
    [
        pytest.param(SMOKE, [], True, (), id="alone"),
        pytest.param(SMOKE, [other("smoke-1")], True, (), id="another rule of the same detector"),
        pytest.param(SMOKE, [other("zone-1", "fire_zone")], True, (), id="behind its zone"),
        pytest.param(ZONE, [other("smoke-1")], True, (), id="the zone behind its detector"),
        pytest.param(
            ZONE,
            [other("zone-2", "fire_zone")],
            False,
            ("zone-2.x",),
            id="a second zone",
        ),
        pytest.param(SMOKE, [other()], False, ("smoke-2.x",), id="a second detector"),
        pytest.param(
            SMOKE, [other(hold=Hold.CALLED)], False, (), id="a second one, the first has called"
        ),
        pytest.param(
            SMOKE, [other("smoke-9", hold=None)], False, (), id="while an unlisted fire is up"
        ),
        pytest.param(
            SMOKE,
            [other("smoke-1", hold=None)],
            False,
            (),
            id="while the same detector has a fire that is no test's",
        ),
        pytest.param(
            replace(SMOKE, equipment="smoke-9"),
            [other("smoke-1")],
            False,
            ("smoke-1.x",),
            id="an unlisted detector",
        ),
        pytest.param(
            replace(SMOKE, rule="smoulder"),
            [other("smoke-1")],
            False,
            ("smoke-1.x",),
            id="an unlisted rule of a listed detector",
        ),
        pytest.param(
            replace(SMOKE, equipment="pump-1", life_safety=False),
            [other("smoke-1")],
            False,
            (),
            id="something unlisted that is no fire",
        ),
        pytest.param(replace(SMOKE, area="b2"), [], False, (), id="another area than the test's"),
    ],
)
def test_what_is_held(
    coming: Coming, others: list[Other], held: bool, calls_too: tuple[str, ...]
) -> None:
    verdict = decide(coming, [TEST], others, NOW)
    assert (verdict.held_until is not None) is held
    assert verdict.calls_too == calls_too


@pytest.mark.parametrize(
    ("ago", "left"), [(0, 60), (20, 40), (59, 1), (60, None), (3600, None), (-30, 60)]
)
def test_a_minute_is_counted_from_the_alarm_and_never_becomes_more(
    ago: int, left: int | None
) -> None:
    test = replace(TEST, started_at=0)
    verdict = decide(replace(SMOKE, at=NOW.plus(-ago * SECOND)), [test], [], NOW)
    expected = None if left is None else NOW.plus(left * SECOND)
    assert (verdict.test, verdict.held_until) == ("t", expected)


@pytest.mark.parametrize(
    "test",
    [
        pytest.param(replace(TEST, started_at=NOW.wall + 1), id="it came before the test"),
        pytest.param(replace(TEST, ends_at=NOW.wall), id="the time of the test is over"),
        pytest.param(replace(TEST, sheet=frozenset()), id="nothing is expected"),
    ],
)
def test_outside_a_test_nothing_is_held(test: Running) -> None:
    assert decide(SMOKE, [test], [], NOW).held_until is None
    assert decide(SMOKE, [], [], NOW).held_until is None


@pytest.mark.parametrize("hold", WAITING)
def test_what_waits_calls_when_its_test_is_over(hold: Hold) -> None:
    assert is_due(hold, NOW.plus(HOUR), NOW, runs=False)


@pytest.mark.parametrize(
    ("until", "due"),
    [
        (NOW.plus(1), False),
        (NOW, True),
        (NOW.plus(HELD_AT_MOST), False),
        (replace(NOW.plus(HELD_AT_MOST + 1), boot="before"), True),
        (replace(NOW.plus(-1), boot="before"), True),
    ],
)
def test_what_is_held_calls_at_its_time_and_where_a_clock_was_wrong(
    until: Instant, due: bool
) -> None:
    assert is_due(Hold.HELD, until, NOW, runs=True) is due
    assert not is_due(Hold.CONFIRMED, until, NOW, runs=True)


def test_one_missing_alarm_fails_the_sheet() -> None:
    assert is_over([1, 2]) is PlannedEvent.PASS
    assert is_over([1, None]) is PlannedEvent.FAIL


def test_every_state_is_reached_and_what_is_over_stays_over() -> None:
    ends = {PlannedState.PASSED, PlannedState.FAILED, PlannedState.CANCELLED}
    assert set(TRANSITIONS.values()) == set(PlannedState)
    assert all(TRANSITIONS[state, event] is state for state, event in TRANSITIONS if state in ends)
    with pytest.raises(IllegalTransitionError):
        step(PlannedState.PASSED, PlannedEvent.CANCEL, test="t")


def test_only_a_call_or_the_return_of_what_was_confirmed_ends_waiting() -> None:
    left = {(hold, event) for (hold, event), to in HOLDS.items() if to not in WAITING}
    assert left == {
        (Hold.HELD, HoldEvent.CALL),
        (Hold.CONFIRMED, HoldEvent.CALL),
        (Hold.CONFIRMED, HoldEvent.RETURN),
    }
    with pytest.raises(IllegalTransitionError):
        step_hold(Hold.CALLED, HoldEvent.CONFIRM, alarm="a")
