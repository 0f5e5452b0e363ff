"""The shipped scenarios against the shipped rulebook: every fault, from its beginning in the world
over the registers and messages to its one alarm. Nothing sleeps."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from oracle import FAULT_RULES, alarms_against_truth, episodes

from gateway.clock import ManualClock
from gateway.modbus.decode import Decoder
from gateway.modbus.plan import plan
from gateway.model.equipment import Equipment, Site
from gateway.model.events import Envelope, Record
from gateway.model.frame import Frame
from gateway.model.moment import SECOND, Instant
from gateway.mqtt.mapping import MessageMapping
from gateway.site import files as site_file
from rules.alarms.conditions import Conditions
from rules.ledger.store import open_ledger
from rules.rulebook import load_rulebook
from rules.worker import Worker
from simulators import scenario
from simulators.cast import FAULTS
from simulators.messages import full_status, presence, rounded
from simulators.model import Values
from simulators.registers import lay
from simulators.store import WorldStore
from simulators.world import TICK, Simulation

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"
NOON = 1_795_233_600 * SECOND


class Unit:
    """What a gateway reads of the equipment behind one unit, without a wire between."""

    def __init__(self, things: list[Equipment]) -> None:
        self._things = things
        points = [point for t in things for point in t.points if point.key in t.modbus]
        places = {f"{t.id}.{key}": place for t in things for key, place in t.modbus.items()}
        self._blocks = plan(places)
        self._decoder = Decoder(points, places, self._blocks)

    def read(self, values: Values, at: int) -> Frame:
        words = {
            (run.function, address): word
            for run in lay(self._things, values)
            for address, word in enumerate(run.words, run.start)
        }
        replies = {
            block: np.array(
                [words[block.function, a] for a in range(block.address, block.end)],
                dtype=np.bool_ if block.function.is_bits else np.uint16,
            )
            for block in self._blocks
        }
        columns = self._decoder.decode(replies, {})
        return Frame(
            points=self._decoder.points,
            value=columns.value,
            quality=columns.quality,
            source_time=np.full(len(columns.value), at, dtype=np.int64),
            reason=columns.reason,
        )


class Ears:
    """What a gateway hears of a whole site at one moment."""

    def __init__(self, site: Site) -> None:
        units: dict[tuple[str, int], list[Equipment]] = {}
        for thing in site.equipment.values():
            if thing.unit is not None:
                units.setdefault((thing.link, thing.unit), []).append(thing)
        self._units = [Unit(things) for things in units.values()]
        self._speakers = [thing for thing in site.equipment.values() if thing.mqtt]
        self._mapping = MessageMapping(self._speakers)

    def frames(self, values: Values, silent: frozenset[str], at: int) -> Iterator[Frame]:
        for unit in self._units:
            yield unit.read(values, at)
        for thing in self._speakers:
            said = presence(thing, online=thing.id not in silent)
            assert said is not None
            messages = [said]
            if thing.id not in silent:
                messages += full_status(thing, rounded(thing, values[thing.id]), at)
            for message in messages:
                frame = self._mapping.take(message.topic, message.payload, at)
                if frame is not None:
                    yield frame


def play(site: Site, data: Path, seconds: int, *, every: int = 1) -> None:
    """``seconds`` of the scenario of ``site``, heard by the rules once ``every`` seconds."""
    simulation, ears = Simulation(site, scenario.load(site)), Ears(site)
    store = WorldStore(data / "simulators", scenario="x")
    ledger = open_ledger(data / "ledger.db")
    worker = Worker(site=site, rulebook=load_rulebook(site), ledger=ledger)
    worker.load()
    clock, world, seq = ManualClock(NOON), simulation.first, 0

    def record(frame: Frame, now: Instant) -> Record:
        envelope = Envelope(site=site.id, gateway=site.gateway, epoch="e", seq=seq, at=now)
        return Record(envelope=envelope, body=frame)

    for _ in range(seconds // every):
        for _ in range(round(every / TICK)):
            world, events = simulation.step(world)
            clock.advance(TICK)
            store.append(events, clock.now().wall)
        now = clock.now()
        for frame in ears.frames(simulation.values(world), simulation.silent(world), now.wall):
            seq += 1
            worker.take([record(frame, now)])
        worker.tick(now)
        worker.commit(now)
    store.close()
    ledger.close()


def test_every_fault_raises_exactly_one_alarm(tmp_path: Path) -> None:
    site = replace(site_file.load(DEMO), scenario="every-fault")
    here = {fault.kind for fault in scenario.load(site).faults}
    assert here | {fault for *_, fault, _ in OTHERS} >= FAULTS.keys(), "each is played somewhere"
    play(site, tmp_path, 330)
    with sqlite3.connect(tmp_path / "ledger.db") as ledger:
        ledger.row_factory = sqlite3.Row
        assert list(alarms_against_truth(ledger, tmp_path, FAULT_RULES, slack=2)) == []
        alarms = ledger.execute("SELECT * FROM alarm").fetchall()
        orders = ledger.execute("SELECT * FROM work_order").fetchall()
    assert len(alarms) == len(FAULT_RULES)
    assert [alarm["id"] for alarm in alarms if alarm["cleared_at"] is None] == []
    # It is a Saturday: the order of a minor alarm would have been made on Monday.
    waited = [alarm["priority"] for alarm in alarms if alarm["order_id"] is None]
    assert waited == ["minor", "minor"]
    assert len(orders) == len(FAULT_RULES) - len(waited)
    # Every fault is over by the end of the fourth minute.
    ends = [one.ends for rule in FAULT_RULES for one in episodes(tmp_path, rule.point)]
    assert len(ends) == len(FAULT_RULES)
    assert all(end is not None and end <= NOON + 240 * SECOND for end in ends)


def test_the_oracle_finds_a_fault_without_alarm_and_an_alarm_without_fault(tmp_path: Path) -> None:
    site = replace(site_file.load(DEMO), scenario="every-fault")
    play(site, tmp_path, 60)
    with sqlite3.connect(tmp_path / "ledger.db") as ledger:
        ledger.row_factory = sqlite3.Row
        (leak,) = (rule for rule in FAULT_RULES if rule.point == "leak")
        others = [rule for rule in FAULT_RULES if rule is not leak]
        stranger = list(alarms_against_truth(ledger, tmp_path, others, slack=2))
        ledger.execute("DELETE FROM alarm WHERE rule = ?", (leak.id,))
        missed = list(alarms_against_truth(ledger, tmp_path, FAULT_RULES, slack=2))
        ledger.rollback()
    assert [said.split()[-1] for said in stranger] == ["happened"]
    assert len(missed) == 1
    assert "leak-1" in missed[0]
    assert missed[0].endswith("was missed")


@pytest.mark.slow
def test_the_first_hour_plays_everything_once_and_ends_well(tmp_path: Path) -> None:
    """The whole of ``first-run`` with the rules, polled every five seconds."""
    play(site_file.load(DEMO), tmp_path, 3480, every=5)
    with sqlite3.connect(tmp_path / "ledger.db") as ledger:
        ledger.row_factory = sqlite3.Row
        assert list(alarms_against_truth(ledger, tmp_path, FAULT_RULES, slack=5)) == []
        alarms = ledger.execute("SELECT * FROM alarm ORDER BY raised_at").fetchall()
    assert [alarm["id"] for alarm in alarms if alarm["cleared_at"] is None] == []
    early = [a["equipment"] for a in alarms if a["raised_at"] <= NOON + 7 * 60 * SECOND]
    assert early == ["pump-2", "lamp-1"]
    assert len(alarms) == len(FAULT_RULES)


OTHER_SITE = """\
site: {id: others, name: {zh: 其他, en: Others}, timezone: Asia/Shanghai}
gateway: gw
simulation: {scenario: mine.yaml}
areas: [{id: a, name: {zh: 房, en: Room}}]
links: [{id: bus, protocol: modbus-tcp, host: 127.0.0.1, port: 1502, timeout: 1s}]
equipment:
"""
OTHER_SCENARIO = """\
name: {zh: 我的, en: Mine}
ambient: 24
motor_time: 6s
water: {demand: 1.35, swing: 0.25, period: 2m}
faults:
"""
OTHERS = [
    ("grundfos-ciu-pump", 1, "{pump: 1}", "dry-run", "pump-dry-running"),
    ("grundfos-ciu-pump", 1, "{pump: 2}", "blocked-impeller", "pump-blocked"),
    ("grundfos-ciu-pump", 1, "{pump: 3}", "seal-leak", None),
    # What drips is felt on the floor.
    ("water-leak-detector", 2, "{}", None, "water-leak"),
    ("grundfos-cim500-pump", 3, "{}", "dry-run", "pump-dry-running"),
    ("abb-acs550", 4, "{}", "drive-trip", "drive-tripped"),
    ("delta-vfd-b", 5, "{}", "drive-trip", "drive-fault-code"),
    ("delta-vfd-e", 6, "{}", "drive-trip", "drive-fault-code"),
    ("schneider-atv312", 7, "{}", "drive-trip", "drive-fault-code"),
    ("notifier-module", 8, "{loop: 1, address: 1}", "detector-fire", "module-fire"),
    ("notifier-module", 8, "{loop: 1, address: 2}", "detector-trouble", "module-trouble"),
    ("gst-device", 9, "{device: 1}", "detector-fire", "device-fire"),
    ("gst-device", 9, "{device: 2}", "detector-trouble", "device-fault"),
    ("siemens-fc20-zone", 10, "{zone: 1}", "detector-fire", "zone-fire"),
    ("notifier-panel", 11, "{}", "loop-fault", None),
    # The detectors of a cut loop are in trouble.
    ("notifier-detector", 11, "{loop: 1, address: 3}", None, "detector-trouble"),
]
"""Profile, unit, parameters, what befalls it, and the rule that finds something on it."""


def test_what_the_demonstration_does_not_play_is_found_on_every_make(tmp_path: Path) -> None:
    things, faults = [OTHER_SITE], [OTHER_SCENARIO]
    for at, (profile, unit, parameters, fault, _) in enumerate(OTHERS):
        what = f"poll: 1s, profile: {profile}, unit: {unit}, parameters: {parameters}"
        things.append(f"  - {{id: t{at}, name: {{zh: 物, en: T}}, area: a, link: bus, {what}}}\n")
        if fault is not None:
            faults.append(f"  - {{at: 8s, lasts: 60s, equipment: t{at}, kind: {fault}}}\n")
    (tmp_path / "site.yaml").write_text("".join(things), encoding="utf-8")
    (tmp_path / "mine.yaml").write_text("".join(faults), encoding="utf-8")
    site = site_file.load(tmp_path / "site.yaml")
    simulation, ears = Simulation(site, scenario.load(site)), Ears(site)
    rules = Conditions(load_rulebook(site), list(site.equipment.values()))
    clock, world, found = ManualClock(NOON), simulation.first, set[tuple[str, str]]()
    for _ in range(10):
        for _ in range(round(4 / TICK)):
            world, _events = simulation.step(world)
        now = clock.advance(4)
        for frame in ears.frames(simulation.values(world), simulation.silent(world), now.wall):
            found |= {(one.equipment.id, one.rule.id) for one in rules.step(frame, now)}
    assert found == {(f"t{at}", rule) for at, (*_, rule) in enumerate(OTHERS) if rule is not None}
