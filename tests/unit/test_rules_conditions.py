"""When an alarm begins and ends."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from duty_room import DARK, FAULT, HOT, NOON, TEMPERATURE, Gateway, equipment, rule, rulebook, site
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.events import Record
from gateway.model.frame import Frame
from gateway.model.moment import MINUTE, SECOND, Instant, stamp
from gateway.model.point import PointKind
from gateway.model.quality import Quality
from rules.alarms.conditions import Change, ConditionRow, Conditions, State, Turn
from rules.rule import Comparison, Condition, Gate, Rule


def conditions(*rules: Rule) -> Conditions:
    return Conditions(rulebook(*rules), site().equipment.values())


def feed(subject: Conditions, records: list[Record]) -> list[Change]:
    changes: list[Change] = []
    for record in records:
        assert isinstance(record.body, Frame)
        changes += subject.step(record.body, record.envelope.at)
    return changes


def restarted(subject: Conditions, *rules: Rule) -> Conditions:
    new = conditions(*rules)
    new.restore(subject.rows())
    return new


def seconds(change: Change) -> float:
    return (change.at.wall - NOON) / SECOND


def test_raised_after_the_delay_with_the_id_of_the_first_breaching_reading() -> None:
    gateway, subject = Gateway(), conditions()
    changes = feed(subject, gateway.poll(5, {TEMPERATURE: 60}))
    changes += feed(subject, gateway.poll(30, {TEMPERATURE: 80.5}))
    (raised,) = changes
    assert raised.turn is Turn.RAISED
    assert seconds(raised) == 16, "breaching from second 6, ten seconds long"
    assert raised.occurrence == f"pump-1.hot.{stamp(NOON + 6 * SECOND)}"
    assert raised.value == 80.5


def test_what_is_pushed_is_seen_however_short_it_is() -> None:
    """Experiment A13: each message is judged; of a polled bit only what a poll meets."""
    pressed = Condition(comparison=Comparison.EQUALS, limit=1.0)
    gateway, subject = Gateway(), conditions(rule("fault", "fault", pressed, delay=0))
    changes = []
    for value in (0, 1, 0):
        gateway.clock.advance(0.005)
        changes += feed(subject, [gateway.say({"pump-1.fault": value})])
    (raised,) = changes
    assert raised.turn is Turn.RAISED


def test_the_limit_itself_does_not_breach() -> None:
    gateway, subject = Gateway(), conditions()
    assert feed(subject, gateway.poll(30, {TEMPERATURE: 75})) == []


def test_a_normal_reading_ends_the_delay_and_the_next_breach_starts_a_new_one() -> None:
    gateway, subject = Gateway(), conditions()
    changes = feed(subject, gateway.poll(9, {TEMPERATURE: 80}))
    # Within the deadband, but no alarm is up: this is normal.
    changes += feed(subject, gateway.poll(1, {TEMPERATURE: 74}))
    changes += feed(subject, gateway.poll(12, {TEMPERATURE: 80}))
    assert [seconds(change) for change in changes] == [21]


def test_clears_only_beyond_the_deadband_and_after_clear_after() -> None:
    gateway, subject = Gateway(), conditions()
    feed(subject, gateway.poll(11, {TEMPERATURE: 80}))
    assert feed(subject, gateway.poll(60, {TEMPERATURE: 72.5})) == [], "within the deadband"
    assert feed(subject, gateway.poll(15, {TEMPERATURE: 72})) == []
    assert feed(subject, gateway.poll(1, {TEMPERATURE: 73})) == [], "back into the deadband"
    (cleared,) = feed(subject, gateway.poll(30, {TEMPERATURE: 60}))
    assert cleared.turn is Turn.CLEARED
    assert seconds(cleared) == 11 + 60 + 15 + 1 + 1 + 20
    assert cleared.occurrence == f"pump-1.hot.{stamp(NOON + 1 * SECOND)}"


def test_a_relapse_is_a_new_occurrence() -> None:
    gateway, subject = Gateway(), conditions()
    changes = feed(subject, gateway.poll(11, {TEMPERATURE: 80}))
    changes += feed(subject, gateway.poll(21, {TEMPERATURE: 60}))
    changes += feed(subject, gateway.poll(11, {TEMPERATURE: 80}))
    assert [change.turn for change in changes] == [Turn.RAISED, Turn.CLEARED, Turn.RAISED]
    assert changes[0].occurrence == changes[1].occurrence != changes[2].occurrence


def test_without_delays_one_reading_is_enough_both_ways() -> None:
    gateway, subject = Gateway(), conditions()
    (raised,) = feed(subject, gateway.poll(1, {"pump-1.fault": 1}))
    (cleared,) = feed(subject, gateway.poll(1, {"pump-1.fault": 0}))
    assert (raised.turn, cleared.turn) == (Turn.RAISED, Turn.CLEARED)


@pytest.mark.parametrize(
    ("comparison", "limit", "breaching", "normal"),
    [
        (Comparison.ABOVE, 10.0, 10.1, 10.0),
        (Comparison.BELOW, -5.0, -5.1, -5.0),
        (Comparison.EQUALS, 3.0, 3.0, 4.0),
        (Comparison.NOT_EQUALS, 1.0, 0.0, 1.0),
    ],
)
def test_each_comparison(
    comparison: Comparison, limit: float, breaching: float, normal: float
) -> None:
    one = rule("one", "speed", Condition(comparison=comparison, limit=limit), delay=0)
    gateway, subject = Gateway(), conditions(one)
    assert feed(subject, gateway.poll(1, {"pump-1.speed": normal})) == []
    (raised,) = feed(subject, gateway.poll(1, {"pump-1.speed": breaching}))
    assert raised.turn is Turn.RAISED
    (cleared,) = feed(subject, gateway.poll(25, {"pump-1.speed": normal}))
    assert cleared.turn is Turn.CLEARED


def test_below_clears_above_the_deadband() -> None:
    gateway, subject = Gateway(), conditions()
    lamp = {"lamp-1.output": 1, "lamp-1.power": 0}
    feed(subject, gateway.poll(11, lamp))
    assert feed(subject, gateway.poll(30, {**lamp, "lamp-1.power": 2.9})) == []
    (cleared,) = feed(subject, gateway.poll(30, {**lamp, "lamp-1.power": 3}))
    assert cleared.turn is Turn.CLEARED


# No data


@pytest.mark.parametrize("said", ["bad", "nothing", "nan"])
def test_no_data_never_clears(said: str) -> None:
    gateway, subject = Gateway(), conditions()
    feed(subject, gateway.poll(11, {TEMPERATURE: 80}))
    feed(subject, gateway.poll(10, {TEMPERATURE: 60}))
    silence = {
        "bad": lambda: gateway.poll(300, bad={TEMPERATURE: "timeout"}),
        "nothing": lambda: gateway.poll(300, {"pump-2.motor_temperature": 60}),
        "nan": lambda: gateway.poll(300, {TEMPERATURE: math.nan}),
    }[said]()
    assert feed(subject, silence) == [], "ten seconds of return, then nothing: it stays"
    assert subject.tick(gateway.clock.advance(3600)) == []
    (cleared,) = feed(subject, gateway.poll(1, {TEMPERATURE: 60}))
    assert cleared.turn is Turn.CLEARED


def test_no_data_never_starts() -> None:
    gateway, subject = Gateway(), conditions()
    assert feed(subject, gateway.poll(60, bad={TEMPERATURE: "timeout"})) == []
    assert [row.state for row in subject.rows()] == [State.IDLE] * 5


def test_a_running_delay_goes_on_without_data() -> None:
    gateway, subject = Gateway(), conditions()
    feed(subject, gateway.poll(1, {TEMPERATURE: 80}))
    (raised,) = feed(subject, gateway.poll(20, bad={TEMPERATURE: "timeout"}))
    assert seconds(raised) == 11
    assert raised.value == 80


def test_a_running_delay_goes_on_with_the_clock_alone() -> None:
    gateway, subject = Gateway(), conditions()
    feed(subject, gateway.poll(1, {TEMPERATURE: 80}))
    assert subject.tick(gateway.clock.advance(9.999)) == []
    (raised,) = subject.tick(gateway.clock.advance(0.001))
    assert raised.turn is Turn.RAISED


def test_a_value_out_of_the_profiles_range_still_counts() -> None:
    subject = conditions(rule("hot", "motor_temperature", HOT.condition, delay=0))
    odd = Frame(
        points=(TEMPERATURE,),
        value=np.array([250.0]),
        quality=np.array([Quality.UNCERTAIN], np.uint8),
        source_time=np.zeros(1, np.int64),
    )
    assert len(subject.step(odd, Gateway().now)) == 1


def said(quality: Quality, **values: float) -> Frame:
    """One frame of readings that are all of one quality, by point key of pump-1 or lamp-1."""
    things = {"motor_temperature": "pump-1", "power": "lamp-1", "output": "lamp-1"}
    return Frame(
        points=tuple(f"{things[key]}.{key}" for key in values),
        value=np.array(list(values.values())),
        quality=np.full(len(values), quality, np.uint8),
        source_time=np.zeros(len(values), np.int64),
    )


def test_an_uncertain_reading_clears_no_alarm_and_ends_no_delay() -> None:
    """A module that resets reports 0 registers, −273 ℃: out of range is not back to normal."""
    gateway, subject = Gateway(), conditions()
    feed(subject, gateway.poll(5, {TEMPERATURE: 80}))
    (raised,) = [
        change
        for _ in range(300)
        for change in subject.step(
            said(Quality.UNCERTAIN, motor_temperature=-273.15), gateway.clock.advance(1)
        )
    ]
    assert (raised.turn, seconds(raised)) == (Turn.RAISED, 11)
    (cleared,) = feed(subject, gateway.poll(21, {TEMPERATURE: 60}))
    assert cleared.turn is Turn.CLEARED


def test_an_uncertain_reading_within_the_deadband_confirms_no_return() -> None:
    gateway, subject = Gateway(), conditions()
    feed(subject, gateway.poll(11, {TEMPERATURE: 80}))
    feed(subject, gateway.poll(10, {TEMPERATURE: 60}))
    for value in (73.0, 60.0) * 20:
        frame = said(Quality.UNCERTAIN, motor_temperature=value)
        assert subject.step(frame, gateway.clock.advance(1)) == []


def test_an_uncertain_gate_does_not_close() -> None:
    """Messages that lay at the broker for hours say that the lamp is off: it may be on since."""
    gateway, subject = Gateway(), conditions()
    feed(subject, gateway.poll(11, {"lamp-1.output": 1, "lamp-1.power": 0}))
    for _ in range(60):
        old = said(Quality.UNCERTAIN, output=0.0, power=60.0)
        assert subject.step(old, gateway.clock.advance(1)) == []
    (cleared,) = feed(subject, gateway.poll(21, {"lamp-1.output": 0}))
    assert cleared.turn is Turn.CLEARED


def test_an_uncertain_gate_may_be_open() -> None:
    gateway, subject = Gateway(), conditions()
    changes = [
        change
        for _ in range(12)
        for change in subject.step(
            said(Quality.UNCERTAIN, output=1.0, power=0.0), gateway.clock.advance(1)
        )
    ]
    assert [change.turn for change in changes] == [Turn.RAISED]


# The gate


def test_a_lamp_that_is_switched_off_has_not_failed() -> None:
    gateway, subject = Gateway(), conditions()
    assert feed(subject, gateway.poll(60, {"lamp-1.output": 0, "lamp-1.power": 0})) == []


def test_gate_and_value_may_come_in_different_messages() -> None:
    gateway, subject = Gateway(), conditions()
    assert feed(subject, gateway.poll(30, {"lamp-1.power": 0})) == [], "the gate is not known"
    (raised,) = feed(subject, gateway.poll(11, {"lamp-1.output": 1}))
    assert raised.turn is Turn.RAISED
    (cleared,) = feed(subject, gateway.poll(21, {"lamp-1.output": 0}))
    assert cleared.turn is Turn.CLEARED


def test_an_unknown_gate_holds_an_alarm() -> None:
    gateway, subject = Gateway(), conditions()
    feed(subject, gateway.poll(11, {"lamp-1.output": 1, "lamp-1.power": 0}))
    assert feed(subject, gateway.poll(60, bad={"lamp-1.output": "device offline"})) == []


def test_a_value_gone_bad_does_not_start_when_the_gate_opens() -> None:
    gateway, subject = Gateway(), conditions()
    feed(subject, gateway.poll(5, {"lamp-1.output": 0, "lamp-1.power": 0}))
    feed(subject, gateway.poll(1, bad={"lamp-1.power": "device offline"}))
    assert feed(subject, gateway.poll(60, {"lamp-1.output": 1})) == []


def test_a_gate_with_a_limit_makes_a_band_of_one_point() -> None:
    """Low, but not gone: below the band it is another rule's matter, and unknown is neither."""
    band = replace(
        rule("sag", "speed", Condition(comparison=Comparison.BELOW, limit=198), clear_after=0),
        gates=(Gate(point="speed", comparison=Comparison.ABOVE, limit=44),),
    )
    gateway, subject = Gateway(), conditions(band)
    for fine in (220, 198, 44, 0):
        assert feed(subject, gateway.poll(30, {"pump-1.speed": fine})) == [], fine
    (raised,) = feed(subject, gateway.poll(30, {"pump-1.speed": 150}))
    assert raised.turn is Turn.RAISED
    assert feed(subject, gateway.poll(30, bad={"pump-1.speed": "device offline"})) == []
    (cleared,) = feed(subject, gateway.poll(1, {"pump-1.speed": 0}))
    assert cleared.turn is Turn.CLEARED


def test_a_gate_with_a_limit_is_kept_over_a_restart() -> None:
    dark = replace(DARK, gates=(Gate(point="output", comparison=Comparison.ABOVE, limit=0.5),))
    gateway, subject = Gateway(), conditions(dark)
    feed(subject, gateway.poll(5, {"lamp-1.output": 1, "lamp-1.power": 0}))
    again = restarted(subject, dark)
    assert len(feed(again, gateway.poll(6, {"lamp-1.power": 0}))) == 1


# Several gates

NEITHER = replace(
    FAULT,
    gates=tuple(
        Gate(point="speed", comparison=Comparison.NOT_EQUALS, limit=code) for code in (16, 20)
    ),
)
BOTH = replace(
    FAULT,
    gates=(
        Gate(point="speed", comparison=Comparison.ABOVE, limit=10),
        Gate(point="motor_temperature", comparison=Comparison.BELOW, limit=50),
    ),
)


@pytest.mark.parametrize(("code", "speaks"), [(16, False), (20, False), (18, True), (0, True)])
def test_all_gates_have_to_be_open(code: float, speaks: bool) -> None:
    gateway, subject = Gateway(), conditions(NEITHER)
    said = feed(subject, gateway.poll(1, {"pump-1.fault": 1, "pump-1.speed": code}))
    assert len(said) == speaks


def test_what_nobody_knows_leaves_nothing_out_but_opens_no_other_gate() -> None:
    for rule_, speaks in ((NEITHER, True), (BOTH, False)):
        gateway, subject = Gateway(), conditions(rule_)
        said = feed(subject, gateway.poll(1, {"pump-1.fault": 1}, bad={"pump-1.speed": "absent"}))
        assert len(said) == speaks


def test_one_shut_gate_ends_an_alarm_although_another_is_unknown() -> None:
    gateway, subject = Gateway(), conditions(BOTH)
    on = {"pump-1.fault": 1, "pump-1.speed": 20, TEMPERATURE: 40}
    assert len(feed(subject, gateway.poll(1, on))) == 1
    assert feed(subject, gateway.poll(1, bad={TEMPERATURE: "offline"})) == []
    (cleared,) = feed(subject, gateway.poll(1, {"pump-1.speed": 5}))
    assert cleared.turn is Turn.CLEARED


def test_all_gates_are_kept_over_a_restart() -> None:
    gateway, subject = Gateway(), conditions(BOTH, DARK)
    feed(subject, gateway.poll(1, {"pump-1.speed": 20, TEMPERATURE: 40}))
    again = restarted(subject, BOTH, DARK)
    assert len(feed(again, gateway.poll(1, {"pump-1.fault": 1}))) == 1


def test_the_last_gate_alone_is_worth_keeping() -> None:
    gateway, subject = Gateway(), conditions(BOTH)
    feed(subject, gateway.poll(1, {"pump-1.speed": 20, TEMPERATURE: 40}))
    subject.take_dirty()
    feed(subject, gateway.poll(1, {TEMPERATURE: 60}))
    (kept,) = subject.take_dirty()
    assert kept.gate_values == (20, 60)


# Restart and clocks


@pytest.mark.parametrize("reboot", [False, True], ids=["same boot", "machine restarted"])
def test_seven_minutes_into_a_ten_minute_delay_a_restart_fires_at_ten(reboot: bool) -> None:
    slow = replace(HOT, delay=10 * MINUTE)
    gateway, subject = Gateway(), conditions(slow)
    assert feed(subject, gateway.poll(7 * 60, {TEMPERATURE: 80})) == []
    if reboot:
        gateway.clock.reboot("boot-2", off_seconds=30)
    changes = feed(restarted(subject, slow), gateway.poll(4 * 60, {TEMPERATURE: 80}))
    assert [seconds(change) for change in changes] == [1 + 10 * 60]


@pytest.mark.parametrize("step", [3600, -3600, 365 * 24 * 3600])
def test_a_step_of_the_wall_clock_fires_nothing_early_or_late(step: float) -> None:
    gateway, subject = Gateway(), conditions()
    feed(subject, gateway.poll(5, {TEMPERATURE: 80}))
    gateway.clock.step_wall(step)
    assert feed(subject, gateway.poll(5, {TEMPERATURE: 80})) == []
    (raised,) = feed(subject, gateway.poll(1, {TEMPERATURE: 80}))
    feed(subject, gateway.poll(5, {TEMPERATURE: 60}))
    gateway.clock.step_wall(-step)
    assert feed(subject, gateway.poll(15, {TEMPERATURE: 60})) == []
    (cleared,) = feed(subject, gateway.poll(1, {TEMPERATURE: 60}))
    assert cleared.occurrence == raised.occurrence


@pytest.mark.parametrize("step", [3600, -3600])
def test_a_step_then_a_machine_restart_still_fires_in_time(step: float) -> None:
    slow = replace(HOT, delay=10 * MINUTE)
    gateway, subject = Gateway(), conditions(slow)
    feed(subject, gateway.poll(4 * 60, {TEMPERATURE: 80}))
    subject.anchor_again(gateway.clock.step_wall(step))
    feed(subject, gateway.poll(3 * 60, {TEMPERATURE: 80}))
    gateway.clock.reboot("boot-2")
    subject = restarted(subject, slow)
    assert feed(subject, gateway.poll(3 * 60, {TEMPERATURE: 80})) == []
    assert len(feed(subject, gateway.poll(1, {TEMPERATURE: 80}))) == 1


@pytest.mark.parametrize("behind", [-8 * 3600, -365 * 24 * 3600])
def test_a_delay_ends_although_a_restart_set_the_clock_back(behind: float) -> None:
    """A clock chip in local time, or none at all: the wall clock says it has not begun yet."""
    gateway, subject = Gateway(), conditions()
    feed(subject, gateway.poll(5, {TEMPERATURE: 90}))
    gateway.clock.reboot("boot-2")
    gateway.clock.step_wall(behind)
    subject = restarted(subject)
    assert feed(subject, gateway.poll(10, {TEMPERATURE: 90})) == []
    assert State.PENDING in {row.state for row in subject.take_dirty()}, "the new beginning is kept"
    (raised,) = feed(subject, gateway.poll(1, {TEMPERATURE: 90}))
    assert raised.occurrence == f"pump-1.hot.{stamp(NOON + SECOND)}", "the fault is the same"
    gateway.clock.reboot("boot-3")
    gateway.clock.step_wall(behind)
    subject = restarted(subject)
    changes = feed(subject, gateway.poll(22, {TEMPERATURE: 60}))
    assert [change.turn for change in changes] == [Turn.CLEARED]


def test_a_delay_ends_by_the_clock_alone_although_a_restart_set_it_back() -> None:
    gateway, subject = Gateway(), conditions()
    feed(subject, gateway.poll(5, {TEMPERATURE: 90}))
    gateway.clock.reboot("boot-2")
    subject = restarted(subject)
    assert subject.tick(gateway.clock.step_wall(-3600)) == []
    assert subject.tick(gateway.clock.advance(9)) == []
    assert len(subject.tick(gateway.clock.advance(1))) == 1


@pytest.mark.parametrize(
    "edited",
    [
        replace(DARK, condition=replace(DARK.condition, limit=50)),
        replace(DARK, condition=replace(DARK.condition, deadband=60)),
        replace(DARK, gates=()),
    ],
    ids=["limit", "deadband", "gate"],
)
def test_a_kept_value_is_not_judged_by_an_edited_rule(edited: Rule) -> None:
    """What is kept is one value of many on its side of the old limit, not the last one."""
    gateway, subject, kept = Gateway(), conditions(DARK), {}
    for power in (40.0, 100.0):
        feed(subject, gateway.poll(1, {"lamp-1.output": 1, "lamp-1.power": power}))
        kept.update({row.equipment: row for row in subject.take_dirty()})
    assert kept["lamp-1"].value == 40
    same, other = conditions(DARK), conditions(edited)
    same.restore(kept.values())
    other.restore(kept.values())
    assert (same.rows()[0].value, other.rows()[0].value) == (40, None)
    assert feed(other, gateway.poll(60, {"lamp-1.output": 1})) == [], "the power is not known"
    assert len(feed(other, gateway.poll(11, {"lamp-1.output": 1, "lamp-1.power": 0}))) == 1


def test_an_alarm_that_is_up_stays_up_when_its_limit_is_edited() -> None:
    gateway, subject = Gateway(), conditions(HOT)
    feed(subject, gateway.poll(11, {TEMPERATURE: 80}))
    edited = replace(HOT, condition=replace(HOT.condition, limit=90))
    subject = restarted(subject, edited)
    assert subject.tick(gateway.clock.advance(3600)) == []
    (cleared,) = feed(subject, gateway.poll(21, {TEMPERATURE: 80}))
    assert cleared.turn is Turn.CLEARED


def test_a_rule_judges_nothing_that_lacks_the_point_of_its_gate() -> None:
    subject = Conditions(rulebook(DARK), [equipment("lamp-9", "lamp", power=PointKind.NUMBER)])
    assert subject.rows() == []


def test_rows_of_rules_and_equipment_that_are_gone_are_passed_over() -> None:
    subject = conditions(HOT)
    subject.restore(
        ConditionRow(
            rule=rule_id,
            equipment=thing,
            state=State.ACTIVE,
            since=Instant(wall=0, mono=0, boot="b"),
            first=0,
            first_value=80.0,
            value=80.0,
            gate_values=(),
            test=HOT.test,
        )
        for rule_id, thing in [("gone", "pump-1"), ("hot", "pump-9")]
    )
    assert {row.state for row in subject.rows()} == {State.IDLE}


def test_only_what_changed_is_kept_not_every_reading() -> None:
    gateway, subject = Gateway(), conditions(HOT)
    feed(subject, gateway.poll(1, {TEMPERATURE: 60}))
    assert [row.value for row in subject.take_dirty()] == [60]
    feed(subject, gateway.poll(1, {TEMPERATURE: 61}))
    assert subject.take_dirty() == []
    feed(subject, gateway.poll(1, {TEMPERATURE: 80}))
    assert [row.state for row in subject.take_dirty()] == [State.PENDING]
    feed(subject, gateway.poll(5, {TEMPERATURE: 81}))
    assert subject.take_dirty() == []


READING = st.sampled_from([60.0, 72.0, 73.5, 75.0, 75.5, 90.0, math.nan, None])
LAMP = st.sampled_from([0.0, 2.0, 2.5, 3.0, 12.0, math.nan, None])
GATE = st.sampled_from([0.0, 1.0, math.nan, None])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(READING, LAMP, GATE), min_size=1, max_size=40), st.data())
def test_a_restart_from_what_was_kept_changes_nothing(
    said: list[tuple[float | None, ...]], data: st.DataObject
) -> None:
    """The rows kept on change, not on every reading, are enough to go on exactly as before."""
    quick = [replace(one, delay=3 * SECOND, clear_after=2 * SECOND) for one in (HOT, DARK)]
    names = (TEMPERATURE, "lamp-1.power", "lamp-1.output")
    gateway, subject, kept = Gateway(), conditions(*quick), {}
    straight, broken = [], []
    twin = conditions(*quick)
    restart_at = data.draw(st.integers(0, len(said)))
    for at, values in enumerate(said):
        readings = {
            name: value for name, value in zip(names, values, strict=True) if value is not None
        }
        records = gateway.poll(1, readings)
        straight += feed(subject, records)
        if at == restart_at:
            twin = conditions(*quick)
            twin.restore(kept.values())
        broken += feed(twin, records)
        kept.update({(row.rule, row.equipment): row for row in twin.take_dirty()})
    assert broken == straight


def test_ten_thousand_rows_are_evaluated_at_once() -> None:
    things = [
        equipment(f"pump-{number}", "pump", motor_temperature=PointKind.NUMBER)
        for number in range(10_000)
    ]
    subject = Conditions(rulebook(replace(HOT, delay=0)), things)
    big = Frame(
        points=tuple(f"{thing.id}.motor_temperature" for thing in things),
        value=np.where(np.arange(10_000) % 1000 == 7, 80.0, 60.0),
        quality=np.zeros(10_000, np.uint8),
        source_time=np.zeros(10_000, np.int64),
    )
    changes = subject.step(big, Gateway().now)
    assert [change.equipment.id for change in changes] == [
        f"pump-{number}" for number in range(7, 10_000, 1000)
    ]
