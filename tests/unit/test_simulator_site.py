"""The whole demonstration site: how its equipment reaches each other, and that the gateway reads
of every point what the world says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.clock import ManualClock
from gateway.files.documents import ConfigurationError
from gateway.modbus.poller import LinkPoller
from gateway.model.equipment import Equipment, ModbusLink, Site
from gateway.model.moment import SECOND
from gateway.model.quality import Quality
from gateway.mqtt.mapping import MessageMapping
from gateway.site import files as site_file
from simulators import scenario
from simulators.cast import FAULTS, PLAYERS
from simulators.messages import changed, full_status, presence, rounded
from simulators.model import Fault
from simulators.wire import ModbusWire
from simulators.world import TICK, Simulation, World, from_plain, to_plain

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"
NOW = 1_795_233_600 * SECOND


@pytest.fixture(scope="module")
def site() -> Site:
    return site_file.load(DEMO)


@pytest.fixture(scope="module")
def calm(site: Site) -> Simulation:
    return Simulation(site, replace(scenario.load(site), faults=(), watches=()))


def after(
    simulation: Simulation, world: World, seconds: float
) -> tuple[World, Mapping[str, Mapping[str, float]]]:
    for _ in range(round(seconds / TICK)):
        world, _ = simulation.step(world)
    return world, simulation.values(world)


def with_fault(site: Site, equipment: str, kind: str, rise: float = 0.0) -> Simulation:
    """A world in which something fails at 1 s and for good."""
    fault = Fault(equipment=equipment, kind=kind, begins=1, ends=1e9, rise=rise)
    played = replace(scenario.load(site), faults=(fault,), watches=())
    return Simulation(site, played)


# -- how things reach each other ------------------------------------------------------------------


def test_what_a_dead_meter_supplies_stops_and_comes_back(site: Site) -> None:
    lost = Fault(equipment="meter-1", kind="supply-loss", begins=1, ends=60, rise=0)
    simulation = Simulation(site, replace(scenario.load(site), faults=(lost,), watches=()))
    world, values = after(simulation, simulation.first, 50)
    assert [values[f"pump-{n}"]["running"] for n in (1, 2, 3)] == [0, 0, 0]
    assert values["meter-1"]["voltage_l1"] == values["meter-1"]["power"] == 0
    assert [values[lift]["speed"] for lift in ("lift-1", "lift-2")] == [0, 0]
    assert simulation.silent(world) == {"lamp-1", "lamp-2"}
    # What is not supplied by it goes on.
    assert values["garden-lights"] == {"output": 1, "feedback": 1}
    world, values = after(simulation, world, 40)
    assert sum(values[f"pump-{n}"]["running"] for n in (1, 2, 3)) == 2
    assert values["lamp-1"]["power"] > 15
    assert simulation.silent(world) == frozenset()


def test_a_meter_shows_what_runs_behind_it(site: Site, calm: Simulation) -> None:
    _, values = after(calm, calm.first, 10)
    lamps = 2 * values["lamp-1"]["power"]
    lifts = [values[lift] for lift in ("lift-1", "lift-2")]
    pumps = sum(values[f"pump-{n}"]["power"] for n in (1, 2, 3))
    assert pumps > 1500
    unwatched = values["meter-1"]["power"] - pumps - lamps
    assert 18_000 < unwatched < 22_000 + sum(4500 if lift["speed"] else 250 for lift in lifts)


def test_a_breaker_cuts_off_what_it_supplies_and_its_board_lets_go(site: Site) -> None:
    garden = replace(site.equipment["garden-lights"], supplied_by="breaker-garden")
    wired = replace(site, equipment={**site.equipment, "garden-lights": garden})
    simulation = with_fault(wired, "breaker-garden", "trip")
    _, values = after(simulation, simulation.first, 5)
    assert values["breaker-garden"]["active"] == 1
    assert values["garden-lights"] == {"output": 0, "feedback": 0}
    assert values["garage-lights"] == {"output": 1, "feedback": 1}


def test_supply_reaches_through_what_lies_between(site: Site) -> None:
    things = dict(site.equipment)
    things["breaker-garden"] = replace(things["breaker-garden"], supplied_by="meter-1")
    things["garden-lights"] = replace(things["garden-lights"], supplied_by="breaker-garden")
    wired = replace(site, equipment=things)
    simulation = with_fault(wired, "meter-1", "supply-loss")
    with_garden = simulation.values(simulation.first)["meter-1"]["power"]
    plain = with_fault(site, "meter-1", "supply-loss")
    without = plain.values(plain.first)["meter-1"]["power"]
    assert with_garden - without == pytest.approx(860, abs=1)
    _, values = after(simulation, simulation.first, 5)
    assert values["garden-lights"] == {"output": 0, "feedback": 0}


def test_a_bearing_rests_with_its_pump(site: Site, calm: Simulation) -> None:
    _, running = after(calm, calm.first, 1)
    simulation = with_fault(site, "meter-1", "supply-loss")
    _, resting = after(simulation, simulation.first, 120)
    assert running["bearing-2"]["temperature"] > 38
    assert running["bearing-2"]["vibration"] > 1
    assert resting["bearing-2"]["temperature"] < 26
    assert resting["bearing-2"]["vibration"] < 0.1


def test_a_room_is_warmer_by_what_runs_in_it(calm: Simulation) -> None:
    _, values = after(calm, calm.first, 600)
    assert 25 < values["pump-room-climate"]["temperature"] < 35
    assert 25 < values["power-room-climate"]["temperature"] < 45


def test_a_lamp_that_cannot_be_reached_is_silent_and_otherwise_well(site: Site) -> None:
    simulation = with_fault(site, "lamp-2", "unreachable")
    world, values = after(simulation, simulation.first, 5)
    assert simulation.silent(world) == {"lamp-2"}
    assert values["lamp-2"]["output"] == 1


def test_a_silent_thing_crosses_no_limit(site: Site) -> None:
    fault = Fault(equipment="meter-1", kind="supply-loss", begins=1, ends=1e9, rise=0)
    played = replace(scenario.load(site), faults=(fault,))
    simulation = Simulation(site, played)
    world, said = simulation.first, []
    for _ in range(100):
        world, events = simulation.step(world)
        said += [(e.kind, e.equipment) for e in events]
    assert ("below", "meter-1") in said
    assert ("below", "lamp-1") not in said


def test_a_seal_that_leaks_wets_the_floor_of_its_room_and_of_no_other(site: Site) -> None:
    things = dict(site.equipment)
    things["leak-2"] = replace(things["leak-1"], id="leak-2", area="garage", unit=15)
    simulation = with_fault(replace(site, equipment=things), "pump-3", "seal-leak")
    _, values = after(simulation, simulation.first, 5)
    assert [values[cable]["wet"] for cable in ("leak-1", "leak-2")] == [1, 0]


def test_a_cut_loop_leaves_every_detector_in_trouble(site: Site) -> None:
    simulation = with_fault(site, "fire-panel", "loop-fault")
    _, values = after(simulation, simulation.first, 3)
    assert {values[f"smoke-10{n}"]["trouble"] for n in range(1, 7)} == {1}


# -- the world as a whole -------------------------------------------------------------------------


def test_the_same_scenario_makes_the_same_world_and_a_kept_one_goes_on(site: Site) -> None:
    one, other = (Simulation(site, scenario.load(site)) for _ in range(2))
    halfway, _ = after(one, one.first, 60)
    kept = from_plain(json.loads(json.dumps(to_plain(halfway))))
    assert kept == halfway
    assert other.fits(kept)
    assert after(other, kept, 60)[0] == after(one, one.first, 120)[0]


def test_every_class_of_the_site_and_every_fault_is_played(site: Site) -> None:
    assert {thing.equipment_class for thing in site.equipment.values()} <= PLAYERS.keys()
    machines = scenario.load(replace(site, scenario="machines"))
    for name in ("first-run", "every-fault"):
        played = scenario.load(replace(site, scenario=name))
        assert {fault.kind for fault in (*played.faults, *machines.faults)} == FAULTS.keys() - {
            "drive-trip"  # the demonstration site has no drive
        }
        watched = {watch.equipment for watch in played.watches}
        seen = {f.equipment for f in played.faults if f.kind != "unreachable"}
        assert seen == watched
    assert len(machines.faults) == len({fault.kind for fault in machines.faults})


def test_mistakes_of_what_follows_what_are_named(tmp_path: Path, site: Site) -> None:
    (tmp_path / "mine.yaml").write_text(
        "name: {zh: 我的, en: Mine}\n"
        "ambient: 24\n"
        "motor_time: 20s\n"
        "water: {demand: 1, swing: 0, period: 2m}\n"
        "follows: {bearing-2: pump-7}\n"
        "faults:\n"
        "  - {at: 1s, lasts: 1s, equipment: lift-1, kind: entrapmnt}\n"
        "  - {at: 1s, lasts: 1s, equipment: meter-1, kind: hot-room, rise: 5}\n"
        "  - {at: 1s, lasts: 1s, equipment: bearing-2, kind: worn-bearing}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError) as caught:
        scenario.load(replace(site, scenario="mine.yaml", file=str(tmp_path / "site.yaml")))
    problems = caught.value.problems
    assert [(p.line, p.name) for p in problems] == [
        (5, "follows.bearing-2"),
        (7, "faults.0.kind"),
        (8, "faults.1.kind"),
        (9, "faults.2.rise"),
    ]
    assert "did you mean 'entrapment'?" in str(caught.value)
    assert "name a power_room or a pump_room" in str(caught.value)


def test_bug_a_scenario_of_no_period_was_found_right_and_fell_over(
    tmp_path: Path, site: Site
) -> None:
    """And one of a name alone is one: nothing happens in it."""
    mine = replace(site, scenario="mine.yaml", file=str(tmp_path / "site.yaml"))
    name = "name: {zh: 我的, en: Mine}\n"
    wrong = "motor_time: 0s\nwater: {period: 0s}\n"
    (tmp_path / "mine.yaml").write_text(name + wrong, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        scenario.load(mine)
    assert [(p.line, p.name) for p in caught.value.problems] == [
        (2, "motor_time"),
        (3, "water.period"),
    ]
    (tmp_path / "mine.yaml").write_text(name, encoding="utf-8")
    quiet = Simulation(mine, scenario.load(mine))
    later, events = quiet.step(quiet.first)
    assert (later.elapsed > 0, events) == (True, ())


# -- on the wires ---------------------------------------------------------------------------------


def moving(simulation: Simulation) -> Iterator[World]:
    """Worlds in which many things are as they seldom are."""
    world = simulation.first
    for _ in range(6):
        yield world
        world, _ = after(simulation, world, 20)


def told_apart(thing: Equipment, key: str) -> float:
    """The smallest difference of the point ``key`` that its device can tell, and its display."""
    (point,) = (point for point in thing.points if point.key == key)
    raw = abs(thing.modbus[key].scale) if thing.modbus else 0.0
    float_error = 0.004 if "energy" in key else 0.0
    return max(raw, 10.0**-point.decimals) + float_error


def test_the_gateway_reads_of_every_register_what_the_world_says(
    site: Site, free_port: int
) -> None:
    simulation = Simulation(site, scenario.load(replace(site, scenario="every-fault")))
    worlds = [simulation.values(world) for world in moving(simulation)]
    assert any(values["lift-2"]["speed"] for values in worlds)

    async def read(link: ModbusLink, things: list[Equipment]) -> set[str]:
        wire, seen = ModbusWire(link, things), set()
        await wire.start(worlds[0])
        clock = ManualClock(NOW)
        poller = LinkPoller(link, things)
        try:
            for values in worlds:
                await wire.show(values)
                clock.advance(1)
                async for said in poller.poll(clock.now()):
                    for point, value, quality in zip(
                        said.points, said.columns.value, said.columns.quality, strict=True
                    ):
                        name, key = point.split(".")
                        limit = 0.51 * told_apart(site.equipment[name], key)
                        assert quality == Quality.GOOD, (point, value)
                        assert abs(value - values[name][key]) <= limit, point
                        seen.add(point)
        finally:
            await poller.close()
            await wire.close()
        return seen

    async def scene() -> set[str]:
        seen = set()
        for link in site.links.values():
            things = [thing for thing in site.equipment.values() if thing.link == link.id]
            if isinstance(link, ModbusLink):
                seen |= await read(replace(link, host="127.0.0.1", port=free_port), things)
        return seen

    expected = {f"{thing.id}.{key}" for thing in site.equipment.values() for key in thing.modbus}
    assert asyncio.run(scene()) == expected


def test_the_gateway_maps_of_every_message_what_the_world_says(site: Site) -> None:
    simulation = Simulation(site, scenario.load(replace(site, scenario="every-fault")))
    things = [thing for thing in site.equipment.values() if thing.mqtt]
    assert {thing.profile for thing in things} == {"shelly-plus-1pm", "zigbee2mqtt-light"}
    mapping = MessageMapping(things)
    for world in moving(simulation):
        for thing in things:
            said = rounded(thing, simulation.values(world)[thing.id])
            heard = {}
            for message in full_status(thing, said, NOW):
                frame = mapping.take(message.topic, message.payload, NOW)
                assert frame is not None
                assert set(frame.quality) == {Quality.GOOD}
                heard |= dict(zip(frame.points, frame.value, strict=True))
            assert heard == pytest.approx({f"{thing.id}.{key}": v for key, v in said.items()})


def test_a_zigbee_light_says_all_it_knows_when_anything_changed(site: Site) -> None:
    light = site.equipment["lamp-2"]
    before = {"output": 1.0, "brightness": 215.0, "linkquality": 120.0}
    assert changed(light, before, before, NOW) == []
    (message,) = changed(light, before, before | {"linkquality": 123.0}, NOW)
    assert message.topic == "zigbee2mqtt/tower-1-lobby"
    assert message.payload == b'{"state": "ON", "brightness": 215, "linkquality": 123}'


def test_a_device_says_whether_it_is_there_as_its_profile_has_it(site: Site) -> None:
    shelly, light = site.equipment["lamp-1"], site.equipment["lamp-2"]
    said = presence(light, online=True)
    assert said is not None
    assert (said.topic, said.payload) == (
        "zigbee2mqtt/tower-1-lobby/availability",
        b'{"state": "online"}',
    )
    plain = presence(shelly, online=False)
    assert plain is not None
    assert (plain.topic, plain.payload) == ("shellyplus1pm-lobby/online", b"false")
    mapping = MessageMapping([shelly, light])
    for thing in (shelly, light):
        away = presence(thing, online=False)
        assert away is not None
        frame = mapping.take(away.topic, away.payload, NOW)
        assert frame is not None
        assert set(frame.quality) == {Quality.BAD}
        assert set(frame.points) == {point.id for point in thing.points}
    assert presence(replace(light, availability=None), online=True) is None
