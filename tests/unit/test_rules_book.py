"""The shipped alarm rules, each driven by readings of equipment that it is about."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from duty_room import NOON, frame
from every_profile import site_of_every_profile

from gateway.model.equipment import Equipment, Site
from gateway.model.moment import HOUR, SECOND, Instant
from gateway.site.files import load
from rules.alarms.conditions import Conditions, Turn
from rules.alarms.links import link_equipment, link_points
from rules.rule import TAGS, Priority, Rulebook
from rules.rulebook import load_rulebook
from simulators import scenario
from simulators.world import Simulation

Readings = Mapping[str, float]

FINE: Mapping[str, Readings] = {
    "booster-1": {"tank_level": 70},
    "pump-2": {"motor_temperature": 55, "fault": 0, "alarm_code": 0, "running": 1},
    "bearing-2": {"temperature": 48, "vibration": 2.1},
    "sump-1": {"active": 0},
    "breaker-garden": {"active": 0},
    "leak-1": {"wet": 0, "break": 0},
    "pump-room-climate": {"temperature": 22, "humidity": 60},
    "power-room-climate": {"temperature": 28, "humidity": 45},
    "meter-1": {"voltage_l1": 221, "voltage_l2": 219, "voltage_l3": 222},
    "lift-1": {
        "entrapment_at_landing": 0,
        "entrapment_between_landings": 0,
        "door_open_outside_zone": 0,
        "overrun_top": 0,
        "overrun_bottom": 0,
        "stop_outside_zone": 0,
        "moving_with_door_open": 0,
        "overspeed": 0,
        "run_timeout": 0,
        "repeated_door_movements": 0,
        "door_open_too_long": 0,
        "sensor_faults": 0,
    },
    "smoke-101": {"prealarm": 0, "trouble": 0, "active": 0, "disabled": 0, "event_type": 0},
    "lamp-1": {"power": 38, "output": 1},
    "lamp-2": {"output": 1, "brightness": 215, "linkquality": 120},
    "garden-lights": {"output": 1, "feedback": 1},
    "grundfos-cim500-pump": {
        "fault": 0,
        "alarm_code": 0,
        "on": 0,
        "running": 0,
        "low_flow_stop": 0,
        "outlet_pressure": 3,
    },
    "eastron-sdm120": {"voltage": 222},
    "link.lan": {"up": 1, "heard": 1},
    "abb-acs550": {"tripped": 0, "alarm": 0, "frequency": 42},
    "delta-vfd-b": {"fault_code": 0, "frequency": 42},
    "schneider-atv312": {"fault_code": 0, "frequency": 42},
    "notifier-module": {"prealarm": 0, "trouble": 0, "active": 0, "disabled": 0, "event_type": 0},
    "gst-device": {"status": 0},
    "fire-panel": {"panel_status": 0},
    "siemens-fc20-panel": {"power_fault": 0, "battery": 0},
    "siemens-fc20-zone": {"fire": 0, "prealarm": 0, "disabled": 0, "test": 0},
    "intesis-dali-lamp": {"lamp_failure": 0, "ballast": 0, "output": 1},
    "intesis-dali-emergency": {"failure": 0, "battery": 95},
    "tasmota-relay": {"output": 1, "power": 38},
}
"""Equipment → readings with which all is well; what no rule asks for is left out.

It is the demonstration site's, or of the site that has every shipped profile.
"""

WRONG = [
    ("booster-1", "tank-level-low", {"tank_level": 19.9}),
    ("booster-1", "tank-level-high", {"tank_level": 97.1}),
    ("pump-2", "motor-temperature-high", {"motor_temperature": 75.1}),
    ("bearing-2", "bearing-temperature-high", {"temperature": 75.1}),
    ("bearing-2", "bearing-vibration-high", {"vibration": 7.2}),
    ("sump-1", "sump-flooding", {"active": 1}),
    ("breaker-garden", "breaker-tripped", {"active": 1}),
    ("leak-1", "water-leak", {"wet": 1}),
    ("leak-1", "leak-cable-break", {"break": 1}),
    ("pump-room-climate", "pump-room-temperature-high", {"temperature": 35.1}),
    ("pump-room-climate", "pump-room-temperature-low", {"temperature": 4.9}),
    ("pump-room-climate", "pump-room-humidity-high", {"humidity": 70.1}),
    ("power-room-climate", "power-room-temperature-high", {"temperature": 45.1}),
    ("power-room-climate", "power-room-temperature-low", {"temperature": 4.9}),
    ("power-room-climate", "power-room-humidity-high", {"humidity": 75.1}),
    ("power-room-climate", "power-room-humidity-low", {"humidity": 19.9}),
    ("meter-1", "supply-lost", {"voltage_l1": 0, "voltage_l2": 0, "voltage_l3": 0}),
    ("meter-1", "supply-lost", {"voltage_l1": 0, "voltage_l2": 0}),
    ("meter-1", "phase-lost-l1", {"voltage_l1": 0}),
    ("meter-1", "supply-lost-l1-l3", {"voltage_l1": 0, "voltage_l3": 0}),
    ("meter-1", "supply-lost-l2-l3", {"voltage_l2": 43.9, "voltage_l3": 0}),
    ("meter-1", "phase-lost-l2", {"voltage_l2": 43.9}),
    ("meter-1", "phase-lost-l3", {"voltage_l3": 0}),
    ("meter-1", "undervoltage-l1", {"voltage_l1": 197.9}),
    ("meter-1", "undervoltage-l2", {"voltage_l2": 60}),
    ("meter-1", "undervoltage-l3", {"voltage_l3": 180}),
    ("meter-1", "overvoltage-l1", {"voltage_l1": 235.5}),
    ("meter-1", "overvoltage-l2", {"voltage_l2": 240}),
    ("meter-1", "overvoltage-l3", {"voltage_l3": 380}),
    (
        "lift-1",
        "lift-entrapment-between-landings",
        {
            "entrapment_between_landings": 1,
            "stop_outside_zone": 1,
            "run_timeout": 1,
            "door_open_outside_zone": 1,
        },
    ),
    ("lift-1", "lift-entrapment-at-landing", {"entrapment_at_landing": 1}),
    ("lift-1", "lift-stop-outside-zone", {"stop_outside_zone": 1}),
    ("lift-1", "lift-run-timeout", {"run_timeout": 1}),
    ("lift-1", "lift-moving-with-door-open", {"moving_with_door_open": 1}),
    ("lift-1", "lift-overspeed", {"overspeed": 1}),
    ("lift-1", "lift-overrun-top", {"overrun_top": 1}),
    ("lift-1", "lift-overrun-bottom", {"overrun_bottom": 1}),
    ("lift-1", "lift-door-open-outside-zone", {"door_open_outside_zone": 1}),
    ("lift-1", "lift-door-open-too-long", {"door_open_too_long": 1}),
    ("lift-1", "lift-repeated-door-movements", {"repeated_door_movements": 1}),
    ("lift-1", "lift-sensor-fault", {"sensor_faults": 0x83}),
    ("smoke-101", "fire-alarm", {"active": 1, "event_type": 0x10}),
    ("smoke-101", "detector-active", {"active": 1}),
    ("smoke-101", "carbon-monoxide", {"active": 1, "event_type": 0x14}),
    ("smoke-101", "supervisory-30h", {"active": 1, "event_type": 0x30}),
    ("smoke-101", "supervisory-40h", {"active": 1, "event_type": 0x40}),
    ("smoke-101", "fire-prealarm", {"prealarm": 1}),
    ("smoke-101", "detector-trouble", {"trouble": 1}),
    ("smoke-101", "detector-disabled", {"disabled": 1}),
    ("lamp-1", "lamp-failure", {"power": 1.9}),
    ("garden-lights", "contactor-not-closing", {"feedback": 0}),
    ("garden-lights", "contactor-not-opening", {"output": 0}),
    ("pump-2", "pump-dry-running", {"fault": 1, "alarm_code": 57}),
    ("pump-2", "pump-blocked", {"fault": 1, "alarm_code": 51}),
    ("pump-2", "pump-fault", {"fault": 1, "alarm_code": 48}),
    ("grundfos-cim500-pump", "pump-dry-running", {"fault": 1, "alarm_code": 57}),
    ("grundfos-cim500-pump", "pump-fault", {"fault": 1, "alarm_code": float("nan")}),
    ("abb-acs550", "drive-tripped", {"tripped": 1}),
    ("abb-acs550", "drive-alarm", {"alarm": 1}),
    ("delta-vfd-b", "drive-fault-code", {"fault_code": 1}),
    ("schneider-atv312", "drive-fault-code", {"fault_code": 16}),
    ("notifier-module", "module-fire", {"active": 1, "event_type": 0x10}),
    ("notifier-module", "module-carbon-monoxide", {"active": 1, "event_type": 0x14}),
    ("notifier-module", "module-active", {"active": 1}),
    ("notifier-module", "module-active", {"active": 1, "event_type": float("nan")}),
    ("notifier-module", "module-supervisory-30h", {"active": 1, "event_type": 0x30}),
    ("notifier-module", "module-supervisory-40h", {"active": 1, "event_type": 0x40}),
    ("notifier-module", "module-prealarm", {"prealarm": 1}),
    ("notifier-module", "module-trouble", {"trouble": 1}),
    ("notifier-module", "module-disabled", {"disabled": 1}),
    ("gst-device", "device-fire", {"status": 1}),
    ("gst-device", "device-fault", {"status": 2}),
    ("gst-device", "device-disabled", {"status": 3}),
    ("siemens-fc20-panel", "panel-power-fault", {"power_fault": 1}),
    ("siemens-fc20-panel", "panel-battery", {"battery": 1}),
    ("siemens-fc20-zone", "zone-fire", {"fire": 1}),
    ("siemens-fc20-zone", "zone-prealarm", {"prealarm": 1}),
    ("siemens-fc20-zone", "zone-disabled", {"disabled": 1}),
    ("siemens-fc20-zone", "zone-test", {"test": 1}),
    ("intesis-dali-lamp", "lamp-failure-reported", {"lamp_failure": 1}),
    ("intesis-dali-lamp", "lamp-ballast-fault", {"ballast": 1}),
    ("intesis-dali-emergency", "emergency-lamp-failure", {"failure": 1}),
    ("intesis-dali-emergency", "emergency-lamp-battery-low", {"battery": 49}),
    ("tasmota-relay", "lamp-failure", {"power": 1.9}),
    ("eastron-sdm120", "single-phase-supply-lost", {"voltage": 20}),
    ("eastron-sdm120", "single-phase-voltage-low", {"voltage": 190}),
    ("eastron-sdm120", "single-phase-voltage-high", {"voltage": 240}),
    ("link.lan", "link-lost", {"up": 0}),
]
"""Equipment, the one rule that speaks, and what differs from :data:`FINE`."""

_NAN = float("nan")
SILENT = [
    ("booster-1", "booster-no-data", {"tank_level": _NAN}),
    ("sump-1", "sump-no-data", {"active": _NAN}),
    ("leak-1", "leak-no-data", {"wet": _NAN}),
    ("meter-1", "meter-no-data", {"voltage_l1": _NAN}),
    ("lift-1", "lift-no-data", {"entrapment_at_landing": _NAN}),
    ("smoke-101", "detector-no-data", {"active": _NAN}),
    ("notifier-module", "module-no-data", {"active": _NAN}),
    ("gst-device", "device-no-data", {"status": _NAN}),
    ("fire-panel", "panel-no-data", {"panel_status": _NAN}),
    ("siemens-fc20-panel", "panel-no-data-supervision", {"power_fault": _NAN}),
    ("siemens-fc20-zone", "zone-no-data", {"fire": _NAN}),
    ("lamp-1", "lamp-no-data", {"output": _NAN}),
    ("link.lan", "link-silent", {"heard": _NAN}),
    ("bearing-2", "bearing-no-data", {"temperature": _NAN}),
    ("pump-room-climate", "pump-room-no-data", {"temperature": _NAN}),
    ("power-room-climate", "power-room-no-data", {"temperature": _NAN}),
    ("garden-lights", "circuit-no-data", {"output": _NAN}),
    ("breaker-garden", "breaker-no-data", {"active": _NAN}),
    ("eastron-sdm120", "single-phase-no-data", {"voltage": _NAN}),
    ("intesis-dali-emergency", "emergency-lamp-no-data", {"failure": _NAN}),
    ("delta-vfd-b", "drive-no-data", {"frequency": _NAN}),
    ("grundfos-cim500-pump", "pump-no-data", {"outlet_pressure": _NAN}),
]
"""The same for rules that wait for a reading."""

STILL = [
    ("meter-1", "meter-frozen", {"voltage_l1": 221.4}),
    ("pump-room-climate", "pump-room-climate-frozen", {"temperature": 22.5}),
    ("power-room-climate", "power-room-climate-frozen", {"temperature": 28.5}),
]
"""Equipment, the rule that finds its reading frozen, and what moves it again."""

IN_TIME = {
    "single-phase-voltage-high-2",
    "pump-starts-often",
    "pump-not-started",
    "motor-hotter-than-twin",
}
"""Driven by tests of their own below."""

HARMLESS = [
    ("booster-1", {"tank_level": 20}),
    ("meter-1", {"voltage_l1": 198, "voltage_l2": 235.4, "voltage_l3": 220}),
    ("bearing-2", {"temperature": 75, "vibration": 7.1}),
    ("power-room-climate", {"temperature": 45, "humidity": 20}),
    ("pump-room-climate", {"temperature": 5, "humidity": 70}),
    ("smoke-101", {"active": 0, "event_type": 0x10}),
    ("lamp-1", {"power": 0, "output": 0}),
    ("lamp-2", {"output": 0, "brightness": 0}),
    ("garden-lights", {"output": 0, "feedback": 0}),
    ("notifier-module", {"active": 1, "event_type": 0x71}),
    ("grundfos-cim500-pump", {"alarm_code": 48}),
]
"""At a limit, or a value that means nothing by itself."""


@cache
def demo() -> Site:
    return load(Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml")


@cache
def things() -> Mapping[str, Equipment]:
    with TemporaryDirectory() as folder:
        every = load(site_of_every_profile(Path(folder)))
    links = {thing.id: thing for thing in link_equipment(demo())}
    lan = replace(
        links["link.lighting"],
        id="link.lan",
        points=tuple(
            replace(point, id=f"link.lan.{point.key}", equipment="link.lan")
            for point in link_points()
        ),
    )
    return {**every.equipment, **demo().equipment, lan.id: lan}


@cache
def book() -> Rulebook:
    return load_rulebook(demo())


class Room:
    """One equipment, read once in so many seconds."""

    def __init__(self, name: str, every: int = 1) -> None:
        self._name = name
        self._every = every
        self._conditions = Conditions(book(), [things()[name]])
        self._second = 0

    def hold(self, seconds: int, changed: Readings) -> list[tuple[int, Turn, str]]:
        """(seconds held, raised or cleared, rule) of what happens meanwhile."""
        readings = {
            f"{self._name}.{key}": value for key, value in {**FINE[self._name], **changed}.items()
        }
        changes = []
        for held in range(0, seconds, self._every):
            now = NOON + self._second * SECOND
            at = Instant(wall=now, mono=now, boot="one")
            changes += [
                (held, change.turn, change.rule.id)
                for change in self._conditions.step(frame(readings), at)
            ]
            self._second += self._every
        return changes


@pytest.mark.parametrize("name", FINE)
def test_nothing_is_said_while_all_is_well(name: str) -> None:
    assert Room(name, every=5).hold(900, {}) == []


@pytest.mark.parametrize(
    ("name", "expected", "changed"), WRONG, ids=[f"{e}-{','.join(c)}" for _, e, c in WRONG]
)
def test_a_fault_raises_its_alarm_after_its_delay_and_no_other(
    name: str, expected: str, changed: Readings
) -> None:
    rule = book().rules[expected]
    in_fives = not (rule.delay % (5 * SECOND) or rule.clear_after % (5 * SECOND))
    room = Room(name, every=5 if in_fives else 1)
    room.hold(10, {})
    raised = room.hold(900, changed)
    assert raised == [(rule.delay // SECOND, Turn.RAISED, expected)]
    cleared = room.hold(900, {})
    assert cleared == [(rule.clear_after // SECOND, Turn.CLEARED, expected)]


@pytest.mark.parametrize(("name", "changed"), HARMLESS)
def test_what_is_no_fault_raises_nothing(name: str, changed: Readings) -> None:
    assert Room(name, every=5).hold(900, changed) == []


@pytest.mark.parametrize(("name", "expected", "silent"), SILENT)
def test_a_silence_raises_its_alarm_and_a_reading_ends_it(
    name: str, expected: str, silent: Readings
) -> None:
    rule, room = book().rules[expected], Room(name)
    delay = rule.delay // SECOND
    room.hold(10, {})
    # Counted from the last reading that came, a second before.
    assert room.hold(delay + 60, silent) == [(delay - 1, Turn.RAISED, expected)]
    clear_after = rule.clear_after // SECOND
    assert room.hold(clear_after + 60, {}) == [(clear_after, Turn.CLEARED, expected)]


@pytest.mark.parametrize(("name", "expected", "moved"), STILL)
def test_a_reading_that_does_not_move_is_found_and_one_that_moves_ends_it(
    name: str, expected: str, moved: Readings
) -> None:
    rule, room = book().rules[expected], Room(name, every=60)
    delay, clear_after = rule.delay // SECOND, rule.clear_after // SECOND
    raised = room.hold(delay + 600, {})
    assert raised == [(delay, Turn.RAISED, expected)]
    cleared = room.hold(clear_after + 60, moved)
    assert cleared == [(clear_after, Turn.CLEARED, expected)]


def test_a_pump_that_starts_too_often_is_found_and_one_that_runs_is_not() -> None:
    room, said = Room("pump-2", every=10), []
    for _ in range(20):
        said += room.hold(60, {"running": 0}) + room.hold(60, {"running": 1})
    assert [(turn, rule) for _, turn, rule in said] == [(Turn.RAISED, "pump-starts-often")]
    later = room.hold(2 * 3600, {"running": 1})
    assert [(turn, rule) for _, turn, rule in later] == [(Turn.CLEARED, "pump-starts-often")]


def test_a_pump_that_is_told_to_run_and_does_not_within_30_s_is_found() -> None:
    room = Room("grundfos-cim500-pump")
    room.hold(10, {})
    assert room.hold(29, {"on": 1}) == []
    assert room.hold(60, {"on": 1, "running": 1}) == [], "29 s are in time"
    room.hold(10, {})
    assert room.hold(60, {"on": 1}) == [(30, Turn.RAISED, "pump-not-started")]
    said = room.hold(60, {"on": 1, "running": 1})
    assert said == [(10, Turn.CLEARED, "pump-not-started")]


def test_a_pump_that_is_hotter_than_its_twin_is_found_long_before_it_is_too_hot() -> None:
    pumps = [things()[name] for name in ("pump-1", "pump-2", "pump-3")]
    conditions, raised = Conditions(book(), pumps), []
    for second in range(700):
        at = Instant(wall=NOON + second * SECOND, mono=second * SECOND, boot="one")
        for thing in pumps:
            hot = thing.id == "pump-2"
            fine = {**FINE["pump-2"], "motor_temperature": 70 if hot else 40}
            readings = frame({f"{thing.id}.{key}": value for key, value in fine.items()})
            raised += [(second, one.equipment.id) for one in conditions.step(readings, at)]
    # Before pump 2 was heard nothing was known, so pump 1 has to speak once more.
    assert raised == [(601, "pump-2")]


def test_a_second_level_outranks_the_first_and_shares_its_order() -> None:
    room = Room("eastron-sdm120")
    room.hold(10, {})
    said = room.hold(60, {"voltage": 300})
    assert said == [
        (3, Turn.RAISED, "single-phase-voltage-high-2"),
        (10, Turn.RAISED, "single-phase-voltage-high"),
    ]
    first, second = (book().rules[rule] for _, _, rule in reversed(said))
    assert first.outranked_by == second.id
    assert (first.cause_key, first.priority) == (second.cause_key, Priority.MINOR)
    assert second.priority is Priority.MAJOR


def test_every_shipped_rule_is_driven() -> None:
    driven = {rule for _, rule, _ in (*WRONG, *SILENT, *STILL)}
    assert driven | IN_TIME == set(book().rules)


def test_nothing_that_endangers_people_is_ever_explained_away() -> None:
    for rule in book().rules.values():
        people = rule.equipment_class.startswith(("fire", "lift")) or rule.cause_key == "flooding"
        if people and rule.priority is Priority.CRITICAL:
            assert not rule.explained_by, rule.id
            assert rule.life_safety or rule.cause_key == "flooding", rule.id
    for blind in ("panel-no-data", "panel-no-data-supervision"):
        assert not book().rules[blind].explained_by, "blind to fire is its own line"


def test_a_lost_supply_or_link_explains_what_hangs_on_it() -> None:
    explains = {tag: set() for tag in TAGS}
    for rule in book().rules.values():
        for tag in rule.explains:
            explains[tag].add(rule.cause_key)
    assert explains == {
        "supply": {"supply-lost", "phase-lost", "breaker-trip"},
        "link": {"link-lost", "no-data"},
    }


@pytest.mark.parametrize("lost", [("l1", "l2"), ("l1", "l3"), ("l2", "l3"), ("l1", "l2", "l3")])
def test_any_two_phases_lost_are_the_supply_lost_and_that_is_critical(lost: tuple[str]) -> None:
    said = Room("meter-1").hold(60, {f"voltage_{phase}": 0 for phase in lost})
    (rule,) = (book().rules[rule] for _, turn, rule in said if turn is Turn.RAISED)
    assert (rule.cause_key, rule.priority) == ("supply-lost", Priority.CRITICAL)


@pytest.mark.parametrize("first", ["l1", "l2", "l3"])
def test_a_second_phase_that_goes_later_makes_the_lost_phase_a_lost_supply(first: str) -> None:
    for second in {"l1", "l2", "l3"} - {first}:
        room = Room("meter-1")
        room.hold(60, {f"voltage_{first}": 0})
        said = room.hold(60, {f"voltage_{first}": 0, f"voltage_{second}": 0})
        rules = [(turn, book().rules[rule].cause_key) for _, turn, rule in said]
        assert rules == [(Turn.RAISED, "supply-lost"), (Turn.CLEARED, "phase-lost")]


@pytest.mark.parametrize(
    "code", [0, 0x11, 0x12, 0x15, 0x20, 0x50, 0x71, 0xFE, float("nan")], ids=str
)
def test_an_active_detector_is_never_silent_whatever_its_event_byte_says(code: float) -> None:
    """A byte that no other rule answers to, or one that cannot be read."""
    ((held, turn, said),) = Room("smoke-101").hold(10, {"active": 1, "event_type": code})
    assert (held, turn, said) == (2, Turn.RAISED, "detector-active")
    assert book().rules[said].cause_key == "fire"


def test_an_active_detector_that_names_its_event_at_last_shares_the_order_of_the_fire() -> None:
    room = Room("smoke-101")
    room.hold(10, {"active": 1})
    said = room.hold(60, {"active": 1, "event_type": 0x10})
    assert said == [(0, Turn.RAISED, "fire-alarm"), (30, Turn.CLEARED, "detector-active")]
    assert len({book().rules[rule].cause_key for _, _, rule in said}) == 1


def test_a_phase_that_comes_back_turns_the_lost_supply_into_a_lost_phase() -> None:
    room = Room("meter-1")
    room.hold(60, {"voltage_l1": 0, "voltage_l2": 0, "voltage_l3": 0})
    said = room.hold(60, {"voltage_l1": 0})
    assert [(turn, rule) for _, turn, rule in said] == [
        (Turn.RAISED, "phase-lost-l1"),
        (Turn.CLEARED, "supply-lost"),
    ]


def test_a_car_that_stops_between_landings_is_an_entrapment_as_soon_as_the_sensor_says_so() -> None:
    """The stop is reported first; the entrapment takes its place before its delay is over."""
    room = Room("lift-1")
    assert room.hold(15, {"stop_outside_zone": 1}) == []
    trapped = {"stop_outside_zone": 1, "entrapment_between_landings": 1}
    said = room.hold(300, trapped)
    assert said == [(0, Turn.RAISED, "lift-entrapment-between-landings")]


def test_a_prealarm_stays_up_while_its_detector_is_active_and_shares_the_order_of_the_fire() -> (
    None
):
    room = Room("smoke-101")
    assert room.hold(70, {"prealarm": 1}) == [(60, Turn.RAISED, "fire-prealarm")]
    said = room.hold(300, {"prealarm": 1, "active": 1, "event_type": 0x10})
    assert said == [(0, Turn.RAISED, "fire-alarm")]
    assert book().rules["fire-prealarm"].cause_key == book().rules["fire-alarm"].cause_key


def test_a_prealarm_that_ends_in_a_fire_is_the_fire_alone() -> None:
    room = Room("smoke-101")
    assert room.hold(40, {"prealarm": 1}) == []
    said = room.hold(300, {"active": 1, "event_type": 0x10})
    assert said == [(0, Turn.RAISED, "fire-alarm")]


def test_what_endangers_people_is_critical() -> None:
    critical = {rule.id for rule in book().rules.values() if rule.priority is Priority.CRITICAL}
    assert critical == {
        "fire-alarm",
        "carbon-monoxide",
        "detector-active",
        "lift-entrapment-at-landing",
        "lift-entrapment-between-landings",
        "device-fire",
        "module-active",
        "module-carbon-monoxide",
        "module-fire",
        "zone-fire",
        "sump-flooding",
        "supply-lost",
        "supply-lost-l1-l3",
        "supply-lost-l2-l3",
    }


def test_passengers_are_freed_by_the_certified_maintainer_only() -> None:
    for kind in ("at-landing", "between-landings"):
        guidance = book().rules[f"lift-entrapment-{kind}"].guidance
        assert any("只能由持证维保人员" in step for step in guidance.zh)
        assert any("Only the certified maintainer frees" in step for step in guidance.en)


def test_rules_that_share_an_order_share_its_terms() -> None:
    """Only what is more urgent changes the time of an order that is there."""
    terms = defaultdict(set)
    for rule in book().rules.values():
        cause = (rule.equipment_class, rule.cause_key, rule.priority)
        terms[cause].add(rule.order)
    assert {cause for cause, found in terms.items() if len(found) > 1} == set()


def test_critical_and_major_orders_are_due_in_a_day() -> None:
    for rule in book().rules.values():
        if rule.priority in (Priority.CRITICAL, Priority.MAJOR):
            assert rule.order is not None
            assert 0 < rule.order.complete_within <= 24 * HOUR, rule.id


def test_every_fault_of_the_scenario_raises_exactly_one_alarm() -> None:
    """The simulated compound under its scenario of all faults, against the shipped rules."""
    site = replace(demo(), scenario="every-fault")
    played = scenario.load(site)
    heard = _heard(site, Simulation(site, played), until=300)
    faulty = {fault.equipment for fault in played.faults if fault.kind != "unreachable"}
    assert {equipment for equipment, _ in heard} == faulty
    assert set(heard.values()) == {1}
    kinds = Counter(fault.equipment for fault in played.faults if fault.kind != "unreachable")
    assert Counter(equipment for equipment, _ in heard) == kinds


def _heard(site: Site, simulation: Simulation, until: float) -> Counter[tuple[str, str]]:
    """(equipment, rule) of every alarm raised within ``until`` s."""
    conditions = Conditions(book(), site.equipment.values())
    world, heard = simulation.first, Counter[tuple[str, str]]()
    while world.elapsed < until:
        world, _ = simulation.step(world)
        if world.ticks % 5:
            continue
        silent = simulation.silent(world)
        readings = {
            point.id: round(float(values[point.key]), point.decimals)
            for name, values in simulation.values(world).items()
            if name not in silent
            for point in site.equipment[name].points
            if point.key in values
        }
        now = NOON + round(world.elapsed * SECOND)
        at = Instant(wall=now, mono=now, boot="one")
        for change in conditions.step(frame(readings), at):
            if change.turn is Turn.RAISED:
                heard[change.equipment.id, change.rule.id] += 1
    return heard
