"""Rules that compare something else than a reading, against the plain way, and over restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import plain_gauges as plain
import pytest
from duty_room import NOON, equipment, frame, rule
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gateway.model.equipment import Equipment
from gateway.model.moment import HOUR, MINUTE, SECOND, Instant
from gateway.model.point import PointKind
from rules.alarms.conditions import Change, ConditionRow, Conditions, State
from rules.alarms.conditions.hours import OpenHours
from rules.formula import difference, parse
from rules.measures import (
    Absent,
    Calculated,
    Comparison,
    Count,
    Hours,
    NoData,
    Outside,
    Rate,
    Unchanged,
)
from rules.rule import Condition, Gate, Rule, Rulebook

ABOVE, EQUALS = Comparison.ABOVE, Comparison.EQUALS
IS_ONE = {"comparison": EQUALS, "limit": 1.0}


def tank() -> Equipment:
    return equipment(
        "tank-1",
        "tank",
        level=PointKind.NUMBER,
        other=PointKind.NUMBER,
        on=PointKind.FLAG,
        running=PointKind.FLAG,
    )


def judging(measure: Any, point: str = "level", **given: Any) -> Rule:
    condition = {"comparison": ABOVE, "limit": 0.0, **given.pop("condition", {})}
    made = rule(
        "one",
        point,
        Condition(**condition, measure=measure),
        equipment_class="tank",
        delay=given.pop("delay", 0),
        clear_after=given.pop("clear_after", 2 * SECOND),
    )
    return replace(made, **given)


class Watch:
    """One rule on one tank; a second at a time, and restarted whenever a test says so."""

    def __init__(self, one: Rule) -> None:
        self.rule = one
        self.second = 0
        self.kept: dict[str, ConditionRow] = {}
        self.conditions = self._fresh()

    def _fresh(self) -> Conditions:
        return Conditions(Rulebook(rules={self.rule.id: self.rule}, fingerprint="f"), [tank()])

    def restart(self) -> None:
        self.conditions = self._fresh()
        self.conditions.restore(self.kept.values())

    def at(self) -> Instant:
        now = self.second * SECOND
        return Instant(wall=NOON + now, mono=now, boot="one")

    def hear(self, **values: float | None) -> list[str]:
        """One second on, with these readings; None: a bad one."""
        self.second += 1
        readings = {f"tank-1.{key}": one for key, one in values.items() if one is not None}
        bad = {f"tank-1.{key}": "timeout" for key, one in values.items() if one is None}
        if not values:
            return self._told(self.conditions.tick(self.at()))
        return self._told(self.conditions.step(frame(readings, bad), self.at()))

    def wait(self, seconds: int, **values: float | None) -> list[tuple[int, str]]:
        """(second of the wait, turn) of what happens meanwhile."""
        said = []
        for second in range(1, seconds + 1):
            said += [(second, turn) for turn in self.hear(**values)]
        return said

    def _told(self, changes: list[Change]) -> list[str]:
        self.kept.update({row.rule: row for row in self.conditions.take_dirty()})
        return [change.turn.value for change in changes]


# The plain way

READINGS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.0, 1.0, 1.0, 5.0, 9.0, None]), st.integers(1, 6)),
    min_size=1,
    max_size=25,
)
OVER = 24
PATIENCE = OVER // 12 + 3


def lines(runs: list[tuple[float | None, int]]) -> list[float | None]:
    return [value for value, times in runs for _ in range(times)]


def plain_says(
    kind: str, row: plain.Plain, said: list[plain.Said]
) -> tuple[bool | None, int | None]:
    now = said[-1][0]
    if kind == "rate":
        found = plain.rate(said, OVER, PATIENCE, 60)
        return (None if found is None else row.beyond(found)), None
    if kind == "count":
        counted = plain.count(said, OVER, PATIENCE)
        if counted is None:
            return None, None
        number, is_full = counted
        return (True if row.beyond(number) else False if is_full else None), None
    if kind == "share":
        bounds: Any = plain.share(said, 0.5, 6.0, OVER, PATIENCE)
        if bounds is None:
            return None, None
        least, most = bounds
        return (True if row.beyond(least) else None if row.beyond(most) else False), None
    lasts = plain.unchanged_for(said, 0.0, PATIENCE)
    if lasts is None:
        return None, None
    return lasts >= OVER // 12, now - lasts


RULES = {
    "rate": judging(Rate(per=MINUTE, over=OVER * SECOND), condition={"limit": 4, "deadband": 3}),
    "count": judging(
        Count(comparison=EQUALS, value=1.0, over=OVER * SECOND),
        condition={"limit": 1, "deadband": 1},
    ),
    "share": judging(
        Outside(low=0.5, high=6.0, over=OVER * SECOND), condition={"limit": 30, "deadband": 10}
    ),
}


def in_silence(runs: list[tuple[float | None, int]], restarts: set[int]) -> bool:
    """Whether there is a restart within a silence that is hardly bridged, or not at all: when a
    reading came last is kept once a twelfth of the window, so up to that is forgotten then."""
    heard = [second for second, value in enumerate(lines(runs), 1) if value is not None]
    return any(
        now - last > PATIENCE - OVER // 12 and restarts & set(range(last + 1, now + 1))
        for last, now in pairwise(heard)
    )


@pytest.mark.parametrize("kind", RULES)
@settings(max_examples=60, deadline=None)
@given(runs=READINGS, restarts=st.sets(st.integers(0, 60), max_size=4))
def test_windows_say_what_the_plain_way_says_whatever_restarts_come(
    kind: str, runs: list[tuple[float | None, int]], restarts: set[int]
) -> None:
    assume(not in_silence(runs, restarts))
    one = RULES[kind]
    watch, row, said = Watch(one), plain.Plain(one), []
    for second, value in enumerate(lines(runs), 1):
        said.append((second, value))
        if second in restarts:
            watch.restart()
        ours = watch.hear(level=value)
        breaching, _ = plain_says(kind, row, said)
        turn = row.move(second, breaching)
        assert ours == ([] if turn is None else [turn]), (second, said)


@settings(max_examples=60, deadline=None)
@given(runs=READINGS)
def test_a_frozen_reading_is_found_as_the_plain_way_finds_it(
    runs: list[tuple[float | None, int]],
) -> None:
    one = judging(Unchanged(by=0.0), condition=IS_ONE, delay=OVER * SECOND, clear_after=SECOND)
    watch, row, said = Watch(one), plain.Plain(one), []
    for second, value in enumerate(lines(runs), 1):
        said.append((second, value))
        ours = watch.hear(level=value)
        breaching, began = plain_says("still", row, said)
        if breaching is None:
            # Neither a delay nor a return is over while nobody knows.
            assert ours == [], second
            continue
        if row.state == "pending" and began is not None:
            row.since = began
        turn = row.move(second, breaching, began)
        assert ours == ([] if turn is None else [turn]), (second, said)


# One by one


def test_a_rate_is_not_known_before_its_window_is_full() -> None:
    watch = Watch(RULES["rate"])
    assert watch.wait(24, level=0.0) == []
    assert watch.hear(level=2.0) == ["raised"], "2 in 24 s are 5 a minute"


def test_what_was_bad_before_the_first_reading_moves_no_twelfth_of_a_share() -> None:
    """The twelfths were counted from the first bad reading, and a restart forgot that."""
    runs = [(None, 3), (0.0, 5), (1.0, 4), (None, 2), (0.0, 2), (5.0, 3), (None, 2), (1.0, 6)]
    runs += [(0.0, 1), (None, 5), (0.0, 3), (None, 3), (5.0, 4), (1.0, 3)]
    late = Watch(RULES["share"])
    early = Watch(RULES["share"])
    early.second = 3
    late.wait(3, level=None)
    said = [(late.hear(level=value), early.hear(level=value)) for value in lines(runs[1:])]
    assert all(one == other for one, other in said)


def test_a_share_needs_what_it_says_and_no_more() -> None:
    watch = Watch(RULES["share"])
    assert watch.wait(8, level=9.0) == [], "30 % of 24 to 26 s"
    assert watch.wait(2, level=9.0) == [(1, "raised")]
    (ended,) = watch.wait(60, level=3.0)
    assert ended[1] == "cleared"


def test_a_count_over_a_gap_ends_nothing_until_its_window_is_full_again() -> None:
    watch = Watch(RULES["count"])
    for value in (0.0, 1.0, 0.0):
        assert watch.hear(level=value) == []
    assert watch.hear(level=1.0) == ["raised"]
    assert watch.wait(100, level=None) == [], "no data never clears"
    ((second, turn),) = watch.wait(60, level=0.0)
    assert (second, turn) == (24 + 1 + 2, "cleared")


def test_an_uncertain_change_is_not_normal() -> None:
    """A value that the device cannot report may begin an alarm; it ends none."""
    one = judging(Calculated(formula=parse("level > other")), condition=IS_ONE)
    watch = Watch(one)
    assert watch.hear(level=5.0, other=1.0) == ["raised"]
    readings = frame({"tank-1.level": 0.0, "tank-1.other": 1.0})
    doubtful = replace(readings, quality=readings.quality + 1)
    for _ in range(30):
        watch.second += 1
        assert watch.conditions.step(doubtful, watch.at()) == []
    assert watch.wait(5, level=0.0, other=1.0) == [(3, "cleared")]


SILENCE = judging(NoData(), condition=IS_ONE, delay=MINUTE, clear_after=10 * SECOND)


def test_a_silence_is_found_by_the_clock_alone() -> None:
    watch = Watch(SILENCE)
    watch.wait(30, level=5.0)
    assert watch.wait(200) == [(60, "raised")]
    ((second, turn),) = watch.wait(30, level=5.0)
    assert (second, turn) == (11, "cleared")


def test_a_silence_is_found_while_only_bad_readings_come() -> None:
    watch = Watch(SILENCE)
    watch.wait(30, level=5.0)
    assert watch.wait(200, level=None) == [(60, "raised")]


def test_what_was_never_heard_of_is_silent_too() -> None:
    assert Watch(SILENCE).wait(200) == [(61, "raised")], "from the first look"


@pytest.mark.parametrize("restart_at", range(0, 70, 5))
def test_a_silence_is_found_over_a_restart_although_nothing_comes(restart_at: int) -> None:
    """Until a quarter of the time it begins anew; from then on it goes on."""
    watch = Watch(SILENCE)
    watch.wait(30, level=5.0)
    said = watch.wait(restart_at)
    watch.restart()
    said += [(restart_at + second, turn) for second, turn in watch.wait(100)]
    expected = 60 if restart_at >= 15 else restart_at + 61
    assert said == [(expected, "raised")]


def test_a_silence_that_comes_back_while_the_return_is_confirmed_goes_on() -> None:
    watch = Watch(SILENCE)
    watch.wait(30, level=5.0)
    watch.wait(70)
    assert watch.wait(5, level=5.0) == []
    assert watch.wait(20) == []
    assert watch.hear(level=5.0) == [], "nothing has confirmed it meanwhile"
    assert watch.wait(20, level=5.0) == [(10, "cleared")]


@pytest.mark.parametrize("restart_at", range(0, 120, 10))
def test_a_frozen_reading_is_found_over_a_restart(restart_at: int) -> None:
    one = judging(Unchanged(by=0.1), condition=IS_ONE, delay=2 * MINUTE, clear_after=SECOND)
    watch = Watch(one)
    watch.hear(level=3.0)
    said = watch.wait(restart_at, level=5.0)
    watch.restart()
    said += [(restart_at + second, turn) for second, turn in watch.wait(200, level=5.05)]
    ((second, turn),) = said
    # Until a twelfth of the time it begins anew; from then on what it was is kept.
    assert (second, turn) == (121 if restart_at > 10 else restart_at + 121, "raised")


def test_a_reading_that_may_well_stand_still_is_left_out_by_its_gate() -> None:
    gate = Gate(point="running", comparison=EQUALS, limit=1)
    one = judging(Unchanged(by=0.0), condition=IS_ONE, delay=MINUTE, gates=(gate,))
    watch = Watch(one)
    assert watch.wait(300, level=5.0, running=0.0) == []
    assert watch.wait(59, level=5.0, running=1.0) == []
    assert watch.wait(5, level=5.0, running=1.0) == [(2, "raised")]


def test_no_data_is_no_frozen_reading() -> None:
    one = judging(Unchanged(by=0.0), condition=IS_ONE, delay=MINUTE)
    watch = Watch(one)
    watch.wait(30, level=5.0)
    assert watch.wait(600, level=None) == []
    assert watch.wait(600) == []
    ((second, _),) = watch.wait(60, level=5.0)
    assert second == 32, "the time between is not known"


ANSWER = judging(
    Absent(comparison=EQUALS, value=1.0, point="running", expected=EQUALS, expected_value=1.0),
    point="on",
    condition=IS_ONE,
    delay=30 * SECOND,
)


@pytest.mark.parametrize("restart_at", [0, 1, 15, 29])
def test_what_should_have_answered_in_time_is_found_over_a_restart(restart_at: int) -> None:
    watch = Watch(ANSWER)
    watch.wait(10, on=0.0, running=0.0)
    assert watch.hear(on=1.0, running=0.0) == []
    watch.wait(restart_at, on=0.0, running=0.0)
    watch.restart()
    said = watch.wait(60, on=0.0, running=0.0)
    assert said[0] == (30 - restart_at, "raised"), "however short the call was"


def test_an_answer_in_time_ends_the_wait_and_the_same_call_asks_once() -> None:
    watch = Watch(ANSWER)
    watch.wait(10, on=0.0, running=0.0)
    watch.wait(20, on=1.0, running=0.0)
    watch.wait(5, on=1.0, running=1.0)
    watch.restart()
    assert watch.wait(100, on=1.0, running=0.0) == [], "it has answered, and may stop again"
    watch.hear(on=0.0, running=0.0)
    assert watch.wait(60, on=1.0, running=0.0) == [(31, "raised")]


def test_an_answer_that_nobody_can_hear_is_none() -> None:
    watch = Watch(ANSWER)
    watch.wait(10, on=0.0, running=0.0)
    assert watch.wait(60, on=1.0, running=None) == [(31, "raised")]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("level - other > 2", {"level": 5.0, "other": 2.0}, True),
        ("level - other > 2", {"level": 5.0, "other": 3.0}, False),
        ("abs(level - other) > 2", {"level": 1.0, "other": 4.0}, True),
        ("level > 4 and not running", {"level": 5.0, "running": 0.0}, True),
        ("level > 4 and not running", {"level": None, "running": 1.0}, False),
        ("level > 4 and not running", {"level": None, "running": 0.0}, None),
        ("level > 4 or running", {"level": None, "running": 1.0}, True),
        ("level / other > 1", {"level": 5.0, "other": 0.0}, None),
        ("1 < level < 3", {"level": 2.0}, True),
        ("max(level, other) * 2 >= 10", {"level": 1.0, "other": 5.0}, True),
        ("min(level, other, 3) == 3", {"level": 8.0, "other": None}, None),
    ],
)
def test_a_formula_says_yes_no_or_not_known(
    text: str, values: dict[str, float | None], expected: bool | None
) -> None:
    one = judging(Calculated(formula=parse(text)), condition=IS_ONE, delay=0)
    watch = Watch(one)
    watch.hear(**values)
    (row,) = watch.conditions.rows()
    assert row.value == (None if expected is None else float(expected))


def test_flags_of_a_formula_are_kept_over_a_restart_and_numbers_are_not() -> None:
    one = judging(Calculated(formula=parse("level > 4 and running")), condition=IS_ONE)
    watch = Watch(one)
    watch.hear(level=1.0, running=1.0)
    watch.restart()
    assert watch.hear(running=1.0) == [], "the level is another one by now"
    watch.restart()
    assert watch.hear(level=5.0) == ["raised"]


def test_the_difference_to_a_set_point_has_its_deadband() -> None:
    measure = Calculated(formula=difference("level", "other"), is_of_point=True)
    watch = Watch(judging(measure, condition={"limit": 2.0, "deadband": 1.0}))
    assert watch.wait(5, level=5.0, other=3.0) == []
    assert watch.hear(level=5.1, other=3.0) == ["raised"]
    assert watch.wait(10, level=4.5, other=3.0) == [], "within the deadband"
    assert watch.wait(10, level=4.0, other=3.0) == [(3, "cleared")]


# Around a condition


def test_an_alarm_with_an_end_of_its_own_waits_for_it() -> None:
    end = Gate(point="running", comparison=EQUALS, limit=1)
    watch = Watch(judging(None, condition={"limit": 4}, clear=end))
    assert watch.hear(level=5.0, running=0.0) == ["raised"]
    assert watch.wait(60, level=1.0, running=0.0) == []
    assert watch.wait(60, level=1.0, running=None) == []
    assert watch.wait(60, level=5.0, running=1.0) == [], "the condition is still there"
    watch.restart()
    assert watch.wait(60, level=None, running=1.0) == [], "nobody knows"
    assert watch.wait(60, level=1.0, running=1.0) == [(3, "cleared")]
    assert watch.hear(level=5.0, running=1.0) == ["raised"], "it begins whatever ends it"


def test_a_rule_with_hours_holds_in_its_hours_only() -> None:
    """The watch begins at 04:00 UTC."""
    hours = Hours(begin=4 * 60 + 1, end=4 * 60 + 3)
    watch = Watch(judging(None, condition={"limit": 4}, hours=hours))
    assert watch.wait(59, level=5.0) == []
    assert watch.wait(60, level=5.0) == [(1, "raised")]
    assert watch.wait(120, level=5.0) == [(63, "cleared")]


def test_a_rule_begins_with_its_hours_although_nothing_new_is_read() -> None:
    hours = Hours(begin=4 * 60 + 1, end=4 * 60 + 5)
    watch = Watch(judging(None, condition={"limit": 4}, hours=hours, delay=10 * SECOND))
    watch.wait(3, level=5.0)
    assert watch.wait(100) == [(67, "raised")]


def test_a_delay_does_not_run_out_after_the_hours() -> None:
    hours = Hours(begin=4 * 60, end=4 * 60 + 1)
    watch = Watch(judging(None, condition={"limit": 4}, hours=hours, delay=90 * SECOND))
    assert watch.wait(30, level=5.0) == []
    assert watch.wait(300) == []


@pytest.mark.parametrize(
    ("minute", "weekday", "holds"),
    [
        (22 * 60, 4, True),
        (23 * 60, 5, False),
        (5 * 60, 5, True),
        (5 * 60, 4, False),
        (720, 4, False),
    ],
)
def test_hours_over_midnight_belong_to_the_day_on_which_they_begin(
    minute: int, weekday: int, holds: bool
) -> None:
    hours = OpenHours([Hours(begin=22 * 60, end=6 * 60, days=frozenset({4}))], UTC)
    monday = datetime(2026, 11, 16, tzinfo=UTC)
    at = monday + timedelta(days=weekday, minutes=minute)
    hours.turn(round(at.timestamp()) * SECOND)
    assert bool(hours.shut(hours.rows)[0]) is not holds


def test_what_a_gauge_remembers_is_not_used_by_an_edited_rule() -> None:
    watch = Watch(RULES["count"])
    for value in (0.0, 1.0, 0.0):
        watch.hear(level=value)
    other = replace(watch.rule.condition, measure=Count(comparison=EQUALS, value=5.0, over=HOUR))
    watch.rule = replace(watch.rule, condition=other)
    watch.restart()
    assert watch.hear(level=1.0) == []


def test_more_events_than_there_is_room_for_are_the_newest() -> None:
    one = RULES["count"]
    watch = Watch(replace(one, condition=replace(one.condition, limit=9)))
    for _ in range(5):
        watch.hear(level=0.0)
        watch.hear(level=1.0)
    kept = watch.kept["one"]
    watch.rule = one
    watch.kept["one"] = replace(kept, test=one.test)
    watch.restart()
    assert watch.wait(10, level=1.0) == [(1, "raised")]


def test_windows_write_nothing_while_all_is_well() -> None:
    for one in RULES.values():
        long = replace(one.condition.measure, over=HOUR)
        watch = Watch(replace(one, condition=replace(one.condition, measure=long)))
        watch.wait(10, level=3.0)
        watch.kept.clear()
        watch.wait(250, level=3.0)
        assert watch.kept == {}, one.condition.measure


def test_a_row_that_waits_is_kept_once() -> None:
    watch = Watch(SILENCE)
    watch.wait(30, level=5.0)
    watch.wait(20)
    assert watch.kept["one"].state is State.PENDING
    watch.kept.clear()
    watch.wait(20)
    assert watch.kept == {}
