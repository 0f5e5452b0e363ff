"""Whatever a simulator can make go wrong is found by a shipped rule, or told by the quality."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.site.files import load
from rules.measures import NoData, Unchanged
from rules.rulebook import load_rulebook
from simulators.cast import FAULTS, PLAYERS
from simulators.device_fault import DeviceFaultKind

CAUGHT = {
    "overheating": {"motor-temperature-high"},
    "dry-run": {"pump-dry-running"},
    "blocked-impeller": {"pump-blocked"},
    # The water that drips is felt on the floor.
    "seal-leak": {"water-leak"},
    "tank-low": {"tank-level-low"},
    "drive-trip": {"drive-tripped", "drive-fault-code"},
    "worn-bearing": {"bearing-temperature-high"},
    "hot-room": {"power-room-temperature-high", "pump-room-temperature-high"},
    "leak": {"water-leak"},
    "flooding": {"sump-flooding"},
    "trip": {"breaker-tripped"},
    "supply-loss": {"supply-lost"},
    "phase-loss": {"phase-lost-l1", "phase-lost-l2", "phase-lost-l3"},
    "undervoltage": {"undervoltage-l1", "undervoltage-l2", "undervoltage-l3"},
    "contactor-stuck": {"contactor-not-closing", "contactor-not-opening"},
    "burnt-out": {"lamp-failure"},
    "unreachable": {"lamp-no-data"},
    "entrapment": {"lift-entrapment-between-landings", "lift-entrapment-at-landing"},
    "door-stuck": {"lift-door-open-too-long"},
    "detector-fire": {"fire-alarm"},
    "detector-trouble": {"detector-trouble"},
    # The detectors of a cut loop are in trouble.
    "loop-fault": {"detector-trouble"},
}
"""Process fault → the rules that find it."""

NO_GOOD_READING = {
    DeviceFaultKind.MUTE,
    DeviceFaultKind.EXCEPTION,
    DeviceFaultKind.NAN,
    DeviceFaultKind.INFINITY,
    DeviceFaultKind.NOT_AVAILABLE,
    DeviceFaultKind.NONSENSE,
    DeviceFaultKind.CLOCK_1970,
    DeviceFaultKind.CLOCK_2099,
    DeviceFaultKind.CLOCK_BEHIND,
}
"""Readings are bad, uncertain or missing: a rule for no data finds them if they last."""
STANDS_STILL = {DeviceFaultKind.FROZEN}
TOLD_BY_THE_GATEWAY = {
    # Counters that begin again are taken as that, and their totals go on.
    DeviceFaultKind.RESET,
    DeviceFaultKind.ROLLOVER,
    # What these make of a value is out of the point's range, and uncertain, or not to be told.
    DeviceFaultKind.SWAPPED,
    DeviceFaultKind.WRONG_WORDS,
    # The reading is good, though late or said before.
    DeviceFaultKind.SLOW,
    DeviceFaultKind.RETAINED,
    DeviceFaultKind.REPEATED,
}
"""No alarm of its own."""


@pytest.fixture(scope="module")
def rules():
    demo = load(Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml")
    return load_rulebook(demo).rules


def test_every_process_fault_is_found_by_a_shipped_rule(rules) -> None:
    assert set(CAUGHT) == set(FAULTS)
    assert {rule for found in CAUGHT.values() for rule in found} <= set(rules)


def test_the_rules_are_about_what_the_fault_shows_on(rules) -> None:
    for fault, found in CAUGHT.items():
        shown_on = set(FAULTS[fault].befalls) | {"water_leak", "fire_detector"}
        models = {PLAYERS[one] for one in FAULTS[fault].befalls}
        shown_on |= {one for one, model in PLAYERS.items() if model in models}
        assert {rules[rule].equipment_class for rule in found} <= shown_on, fault


def test_every_device_fault_is_found_or_told_by_the_quality(rules) -> None:
    known = NO_GOOD_READING | STANDS_STILL | TOLD_BY_THE_GATEWAY
    assert known == set(DeviceFaultKind)
    measures = {type(rule.condition.measure) for rule in rules.values()}
    assert {NoData, Unchanged} <= measures


def test_every_class_with_rules_has_one_for_no_data(rules) -> None:
    """What is silent is told of: else an alarm of its other rules is missed and nobody knows."""
    watched = {
        rule.equipment_class
        for rule in rules.values()
        if isinstance(rule.condition.measure, NoData)
    }
    assert watched == {rule.equipment_class for rule in rules.values()}
