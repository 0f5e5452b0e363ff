"""The shipped alarm rules, each driven by readings of the demonstration site's equipment."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from duty_room import NOON, frame

from gateway.model.equipment import Site
from gateway.model.moment import HOUR, SECOND, Instant
from gateway.site import load
from rules.alarms.conditions import Conditions, Turn
from rules.rule import Priority, Rulebook
from rules.rulebook import load_rulebook
from simulators import scenario
from simulators.world import Simulation

Readings = Mapping[str, float]

FINE: Mapping[str, Readings] = {
    "booster-1": {"tank_level": 70},
    "pump-2": {"motor_temperature": 55},
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
}
"""Equipment → readings with which all is well; what no rule asks for is left out."""

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
]
"""Equipment, the one rule that speaks, and what differs from :data:`FINE`."""

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
]
"""At a limit, or a value that means nothing by itself."""


@cache
def demo() -> Site:
    return load(Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml")


@cache
def book() -> Rulebook:
    return load_rulebook(demo())


class Room:
    """One equipment of the demonstration site, read once a second."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._conditions = Conditions(book(), [demo().equipment[name]])
        self._second = 0

    def hold(self, seconds: int, changed: Readings) -> list[tuple[int, Turn, str]]:
        """(seconds held, raised or cleared, rule) of what happens meanwhile."""
        readings = {
            f"{self._name}.{key}": value for key, value in {**FINE[self._name], **changed}.items()
        }
        changes = []
        for held in range(seconds):
            now = NOON + self._second * SECOND
            at = Instant(wall=now, mono=now, boot="one")
            changes += [
                (held, change.turn, change.rule.id)
                for change in self._conditions.step(frame(readings), at)
            ]
            self._second += 1
        return changes


@pytest.mark.parametrize("name", FINE)
def test_nothing_is_said_while_all_is_well(name: str) -> None:
    assert Room(name).hold(900, {}) == []


@pytest.mark.parametrize(
    ("name", "expected", "changed"), WRONG, ids=[f"{e}-{','.join(c)}" for _, e, c in WRONG]
)
def test_a_fault_raises_its_alarm_after_its_delay_and_no_other(
    name: str, expected: str, changed: Readings
) -> None:
    rule, room = book().rules[expected], Room(name)
    room.hold(10, {})
    raised = room.hold(900, changed)
    assert raised == [(rule.delay // SECOND, Turn.RAISED, expected)]
    cleared = room.hold(900, {})
    assert cleared == [(rule.clear_after // SECOND, Turn.CLEARED, expected)]


@pytest.mark.parametrize(("name", "changed"), HARMLESS)
def test_what_is_no_fault_raises_nothing(name: str, changed: Readings) -> None:
    assert Room(name).hold(900, changed) == []


def test_every_shipped_rule_is_driven() -> None:
    assert {rule for _, rule, _ in WRONG} == set(book().rules)


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
        }
        now = NOON + round(world.elapsed * SECOND)
        at = Instant(wall=now, mono=now, boot="one")
        for change in conditions.step(frame(readings), at):
            if change.turn is Turn.RAISED:
                heard[change.equipment.id, change.rule.id] += 1
    return heard
