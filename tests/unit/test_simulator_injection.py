"""Faults that somebody asks for while a demonstration plays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from api.demo import PlayersAwayError
from api.demo_simulators import SimulatedDemo
from gateway.model.equipment import Site
from gateway.site.files import load
from simulators import injection, scenario, wishes
from simulators.device_fault import DeviceFaultKind
from simulators.injection import Wish
from simulators.store import WorldStore
from simulators.world import Simulation, World, from_plain, to_plain, wish

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"
FIRE = Wish(id="f1", kind="detector-fire", subject="smoke-101", lasts=16.0, at=7)


@pytest.fixture(scope="module")
def site() -> Site:
    return load(DEMO)


@pytest.fixture(scope="module")
def simulation(site: Site) -> Simulation:
    made = Simulation(site, scenario.load(site))
    assert made.first.elapsed == 0
    return made


def played(simulation: Simulation, world: World, seconds: float) -> tuple[World, list[str]]:
    happened = []
    for _ in range(round(seconds / 0.2)):
        world, events = simulation.step(world)
        happened += [f"{event.kind} {event.equipment}" for event in events]
    return world, happened


def test_every_fault_that_is_offered_can_befall_something(site: Site) -> None:
    offers = injection.offers(site)
    assert list(offers) == list(injection.OFFERED)
    assert "smoke-101" in offers["detector-fire"] and "pump-room" in offers["link-cut"]
    assert "lighting" not in offers["link-cut"]


def test_a_fault_begins_lasts_and_ends_and_the_same_wish_again_changes_nothing(
    simulation: Simulation,
) -> None:
    world = wish(simulation.first, [FIRE], 10)
    world = wish(world, [FIRE], 20)
    assert len(world.injected) == 1 and world.wished == 20
    world, happened = played(simulation, world, 12)
    assert "fault_begin smoke-101" in happened
    assert simulation.values(world)["smoke-101"]["event_type"] > 15
    _, happened = played(simulation, world, 5)
    assert happened.count("fault_end smoke-101") == 1
    assert "fault_begin smoke-101" not in happened


def test_it_is_ended_before_its_time_and_once(simulation: Simulation) -> None:
    world, _ = played(simulation, wish(simulation.first, [FIRE], 0), 0.6)
    world = wish(world, [Wish(id="f1", at=9)], 1)
    world, happened = played(simulation, world, 0.4)
    assert happened.count("fault_end smoke-101") == 1
    ended = world.injected
    assert wish(world, [Wish(id="f1", at=9)], 2).injected == ended


def test_of_a_cut_link_everything_is_mute_and_nothing_else(
    simulation: Simulation, site: Site
) -> None:
    cut = Wish(id="c", kind="link-cut", subject="lift-1", lasts=5.0)
    world, _ = played(simulation, wish(simulation.first, [cut], 0), 0.4)
    faults = simulation.device_faults(world)
    mute = {name for name, own in faults.items() if own[0].kind is DeviceFaultKind.MUTE}
    assert mute == {thing.id for thing in site.equipment.values() if thing.link == "lift-1"}


def test_what_was_injected_lives_on_over_a_kill(simulation: Simulation) -> None:
    world, _ = played(simulation, wish(simulation.first, [FIRE], 33), 0.4)
    again = from_plain(json.loads(json.dumps(to_plain(world))))
    assert (again.injected, again.wished) == (world.injected, 33)
    plain = to_plain(world)
    del plain["injected"], plain["wished"]
    assert from_plain(plain).injected == ()


def test_half_a_line_of_a_kill_loses_no_other_wish(tmp_path: Path) -> None:
    wishes.ask(tmp_path, FIRE)
    file = tmp_path / "wishes.jsonl"
    with file.open("ab") as half:
        half.write(b'{"id": "cut off')
    found, taken = wishes.after(tmp_path, 0)
    assert (found, wishes.after(tmp_path, taken)[0]) == ([FIRE], [])
    with file.open("ab") as rest:
        rest.write(b"\n")
    wishes.ask(tmp_path, Wish(id="f1"))
    assert wishes.after(tmp_path, taken)[0] == [Wish(id="f1")]


def test_the_panel_sees_what_is_waiting_what_is_on_and_what_is_over(
    simulation: Simulation, site: Site, tmp_path: Path
) -> None:
    demo = SimulatedDemo(site, tmp_path)
    with pytest.raises(PlayersAwayError):
        demo.faults()
    store = WorldStore(tmp_path, scenario="s")
    store.save(simulation.first)
    demo.begin("f1", "detector-fire", "smoke-101", 2.0, 7)
    (waiting,) = demo.faults()
    assert (waiting.begun, waiting.left) == (False, 2.0)
    taken, upto = wishes.after(tmp_path, 0)
    world, _ = played(simulation, wish(simulation.first, taken, upto), 1)
    store.save(world)
    (on,) = demo.faults()
    assert on.begun and 0 < on.left < 2 and on.until == 7 + 2_000_000
    world, _ = played(simulation, world, 2)
    store.save(world)
    assert demo.faults()[0].left == 0
    store.close()
