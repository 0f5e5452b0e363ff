"""What telemetry proves, and what it hands to a person; nothing doubtful ever passes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from duty_room import NOON, site
from inspections import CLEAN, NO_FAULT, TEMPERATURE, current, item, regime, text

from gateway.clock import ManualClock
from gateway.latest import Current
from gateway.model.moment import SECOND
from gateway.model.point import Text
from gateway.model.quality import Quality
from rules.inspections.items import RoundItem, lines, places
from rules.inspections.judge import (
    ItemState,
    Value,
    Verdict,
    answer_passes,
    complaint,
    judge,
    judge_completion,
)
from rules.inspections.lifecycle import (
    TRANSITIONS,
    Facts,
    RoundEvent,
    RoundState,
    state_of,
    step,
)
from rules.inspections.regime import Answer, Band, Choice, Item, Proof, Scope
from rules.lifecycle import IllegalTransitionError
from rules.refusals import NotValidError

NOW = ManualClock(NOON).now()
SITE = site()
RUNNING = item(
    "running", equipment_class="pump", proof=Proof.COUNT, point="fault", counted=1, band=Band()
)


def line(one: Item, key: str | None = None) -> RoundItem:
    found = lines(regime("r", one), "b1", SITE)
    return next(each for each in found if key is None or each.key == key)


def say(one: RoundItem, said: Mapping[str, Current], *, is_patient: bool = True) -> Verdict:
    return judge(one, SITE.points, said, now=NOW, is_patient=is_patient)


def test_a_good_reading_within_its_limits_passes_and_says_what_it_was() -> None:
    verdict = say(line(TEMPERATURE), {"pump-1.motor_temperature": current(75.0, NOW)})
    assert verdict.state is ItemState.PASSED
    assert verdict.reading is not None
    reading = verdict.reading
    assert (reading.value, reading.unit, reading.quality) == (75.0, "℃", Quality.GOOD)
    assert (reading.received_at, reading.age) == (NOW.wall - SECOND, SECOND)
    assert reading.source_time == NOW.wall - 3 * SECOND


def test_a_reading_outside_fails_and_says_why() -> None:
    verdict = say(line(TEMPERATURE), {"pump-1.motor_temperature": current(75.1, NOW)})
    assert verdict.state is ItemState.FAILED
    assert verdict.why is not None
    assert verdict.why.zh == "75.1 ℃，高于 75"
    assert verdict.why.en == "75.1 ℃, above 75"
    fault = say(line(NO_FAULT), {"pump-1.fault": current(1.0, NOW)})
    assert fault.state is ItemState.FAILED


@pytest.mark.parametrize(
    ("quality", "told", "is_patient"),
    [
        (Quality.STALE, "stale", False),
        (Quality.BAD, "no valid", True),
        (Quality.UNCERTAIN, "doubtful", True),
    ],
)
def test_what_cannot_be_trusted_is_handed_over_with_the_reason(
    quality: Quality, told: str, is_patient: bool
) -> None:
    """Even where its value would pass."""
    said = {"pump-1.motor_temperature": current(20.0, NOW, quality)}
    verdict = say(line(TEMPERATURE), said, is_patient=is_patient)
    assert verdict.state is ItemState.HANDED_OVER
    assert verdict.reading is None
    assert verdict.why is not None
    assert told in verdict.why.en


def test_what_nobody_has_heard_yet_is_waited_for_and_then_handed_over() -> None:
    assert say(line(TEMPERATURE), {}).state is ItemState.WAITING
    late = say(line(TEMPERATURE), {}, is_patient=False)
    assert late.state is ItemState.HANDED_OVER
    assert late.why is not None
    assert "no reading" in late.why.en


def test_after_a_restart_a_stale_reading_is_waited_for_like_one_that_nobody_has_heard() -> None:
    stale = {"pump-1.motor_temperature": current(20.0, NOW, Quality.STALE)}
    waiting = say(line(TEMPERATURE), stale)
    assert (waiting.state, waiting.reading) == (ItemState.WAITING, None)
    assert waiting.why == Text(zh="读数已过期", en="the reading is stale")
    assert say(line(TEMPERATURE), stale, is_patient=False).state is ItemState.HANDED_OVER


def test_equipment_without_the_point_is_a_persons_matter() -> None:
    speed = replace(TEMPERATURE, key="speed", point="speed")
    assert say(line(speed, "speed.pump-2"), {}).state is ItemState.HANDED_OVER
    only_those = replace(speed, where_present=True)
    assert [one.key for one in lines(regime("r", only_those), "b1", SITE)] == ["speed.pump-1"]


def test_a_count_says_how_many_and_which() -> None:
    said = {"pump-1.fault": current(0, NOW), "pump-2.fault": current(1, NOW)}
    one = line(RUNNING)
    assert (one.key, one.equipment, one.subject) == ("running", None, "b1")
    verdict = say(one, said)
    assert verdict.state is ItemState.PASSED
    assert verdict.reading is not None
    assert verdict.reading.value == 1
    assert verdict.reading.text == SITE.equipment["pump-2"].name
    none = say(line(replace(RUNNING, band=Band(equals=1))), dict.fromkeys(said, current(0, NOW)))
    assert none.state is ItemState.FAILED


def test_a_count_with_one_doubtful_reading_counts_nothing() -> None:
    said = {"pump-1.fault": current(0, NOW), "pump-2.fault": current(0, NOW, Quality.STALE)}
    assert say(line(RUNNING), said).state is ItemState.WAITING
    assert say(line(RUNNING), said, is_patient=False).state is ItemState.HANDED_OVER
    assert say(line(RUNNING), {"pump-1.fault": current(0, NOW)}).state is ItemState.WAITING
    # A bad one is not waited for, though another one may still come.
    bad = {**said, "pump-1.fault": current(0, NOW, Quality.BAD)}
    assert say(line(RUNNING), bad).state is ItemState.HANDED_OVER


def test_completion_is_not_rounded_up() -> None:
    share = line(replace(CLEAN, proof=Proof.COMPLETION, band=Band(low=100), unit="%"))
    nearly = judge_completion(share, done=1999, expected=2000)
    assert nearly.state is ItemState.FAILED
    assert nearly.reading is not None
    assert nearly.reading.value == 99.9
    assert judge_completion(share, done=7, expected=7).state is ItemState.PASSED
    assert judge_completion(share, done=0, expected=0).state is ItemState.PASSED


CHOICES = (
    Choice(key="done", name=text("done"), passes=True),
    Choice(key="open", name=text("open"), passes=False),
)
NUMBER = item("n", answer=Answer.NUMBER, unit="MPa", band=Band(low=0.2, high=0.5))
CHOICE = item("c", answer=Answer.CHOICE, choices=CHOICES)
WORDS = item("w", answer=Answer.TEXT)


@pytest.mark.parametrize(
    ("one", "value", "passed", "expected"),
    [
        (CLEAN, True, None, True),
        (CLEAN, False, None, False),
        (CLEAN, False, True, False),
        (NUMBER, 0.2, None, True),
        (NUMBER, 1, None, False),
        (NUMBER, 1, True, False),
        (NUMBER, 0.3, False, False),
        (CHOICE, "done", None, True),
        (CHOICE, "open", None, False),
        (WORDS, "无", None, True),
        (WORDS, "渗水", False, False),
    ],
)
def test_a_persons_answer_passes_only_where_nothing_speaks_against_it(
    one: Item, value: Value, passed: bool | None, expected: bool
) -> None:
    assert answer_passes(line(one), value, passed) is expected


@pytest.mark.parametrize(
    ("one", "value"),
    [
        (CLEAN, 1.0),
        (CLEAN, "yes"),
        (NUMBER, True),
        (NUMBER, "0.3"),
        (NUMBER, float("nan")),
        (NUMBER, float("inf")),
        (CHOICE, "partly"),
        (CHOICE, True),
        (WORDS, "  "),
        (WORDS, 5.0),
        (WORDS, "x" * 2001),
    ],
)
def test_what_is_no_answer_is_refused(one: Item, value: Value) -> None:
    with pytest.raises(NotValidError) as caught:
        answer_passes(line(one), value, None)
    assert caught.value.field == "value"


def test_a_complaint_says_what_is_wrong_with_the_note() -> None:
    assert complaint(line(NUMBER), 0.6, "阀门").zh == "0.6 MPa，高于 0.5（阀门）"
    assert complaint(line(CHOICE), "open", None).en == "open"
    assert complaint(line(CLEAN), False, None).en == "not in order"


def test_a_regime_is_laid_over_each_area_that_has_its_equipment() -> None:
    only_b1 = Scope(classes=("pump",), areas=(), whole_site=False)
    assert places(only_b1, SITE) == ["b1"]
    assert places(replace(only_b1, whole_site=True), SITE) == [None]
    assert places(replace(only_b1, classes=("lift",)), SITE) == []
    assert places(replace(only_b1, classes=("lift",), whole_site=True), SITE) == []
    assert places(replace(only_b1, areas=("elsewhere",)), SITE) == []
    found = lines(regime(), "b1", SITE)
    assert [one.key for one in found] == [
        "temperature.pump-1",
        "temperature.pump-2",
        "no-fault.pump-1",
        "no-fault.pump-2",
        "clean",
    ]
    assert found[0].cause_key == "motor-overheat", "the alarm's, so that both share an order"
    assert found[2].cause_key == "daily-pumps.no-fault"
    assert found[4].terms is None, "a minor matter raises no order"


def test_the_state_follows_from_facts_and_time() -> None:
    facts = Facts(opens_at=10, due_at=20, late_until=30)
    by_time = {9: "planned", 10: "due", 19: "due", 20: "late", 29: "late", 30: "missed"}
    assert {now: state_of(facts, now).value for now in by_time} == by_time
    begun = replace(facts, started_at=12)
    assert [state_of(begun, now).value for now in (12, 20, 30)] == ["in_progress", "late", "missed"]
    done = replace(begun, done_at=15)
    assert state_of(done, 99) is RoundState.DONE
    assert state_of(replace(done, countersigned_at=16), 99) is RoundState.COUNTERSIGNED
    assert state_of(replace(facts, void_at=1), 5) is RoundState.VOID


@pytest.mark.parametrize("state", [RoundState.MISSED, RoundState.COUNTERSIGNED])
@pytest.mark.parametrize("event", RoundEvent)
def test_nothing_is_done_to_what_is_over(state: RoundState, event: RoundEvent) -> None:
    """But that after a downtime the newest that was missed is opened, where the regime says so."""
    if (state, event) == (RoundState.MISSED, RoundEvent.CATCH_UP):
        assert step(state, event, round_id="r") is RoundState.DUE
        return
    with pytest.raises(IllegalTransitionError):
        step(state, event, round_id="r")


def test_nobody_signs_what_has_not_opened_and_nobody_countersigns_what_is_not_signed() -> None:
    for (state, event), after in TRANSITIONS.items():
        if event is RoundEvent.FINISH:
            assert state in (RoundState.DUE, RoundState.IN_PROGRESS, RoundState.LATE)
        if event is RoundEvent.COUNTERSIGN:
            assert (state, after) == (RoundState.DONE, RoundState.COUNTERSIGNED)
