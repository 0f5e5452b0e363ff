"""The pure models: pumps, lamp, and a world under a scenario."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.files.documents import ConfigurationError
from gateway.site import files as site_file
from simulators import lamp, pump, scenario
from simulators.model import Around, Fault, Given, Mains
from simulators.world import TICK, Event, Simulation, World, from_plain, tell, to_plain

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    site = site_file.load(DEMO)
    return Simulation(site, scenario.load(site))


def given(demand: float, **fault_rise: float) -> pump.Conditions:
    rises = {int(name.removeprefix("pump_")): rise for name, rise in fault_rise.items()}
    return pump.Conditions(demand=demand, ambient=24.0, motor_time=20.0, fault_rise=rises)


def pumps_after(seconds: float, state: pump.PumpSet, conditions: pump.Conditions) -> pump.PumpSet:
    for _ in range(round(seconds / 0.2)):
        state, _ = pump.step(state, conditions, 0.2)
    return state


NEW_SET = pump.PumpSet(pumps={n: pump.Pump(run_time=n * 3600.0) for n in (1, 2, 3)})


@pytest.mark.parametrize(("demand", "running"), [(0.4, 1), (1.35, 2), (2.6, 3)])
def test_as_many_pumps_run_as_the_demand_takes(demand: float, running: int) -> None:
    state = pumps_after(60, NEW_SET, given(demand))
    assert sum(p.running for p in state.pumps.values()) == running


def test_the_pump_with_the_fewest_hours_starts_first() -> None:
    state, did = pump.step(NEW_SET, given(0.4), 0.2)
    assert did == [(1, "started")]
    assert [n for n, p in state.pumps.items() if p.running] == [1]


def test_pumps_stop_when_less_is_wanted() -> None:
    busy = pumps_after(60, NEW_SET, given(2.6))
    calm = pumps_after(60, busy, given(0.4))
    assert sum(p.running for p in calm.pumps.values()) == 1
    resting = [p for p in calm.pumps.values() if not p.running]
    assert all(p.power == 0 and p.current == 0 and p.speed == 0 for p in resting)


def test_more_flow_takes_more_speed_power_and_heat() -> None:
    little = pumps_after(200, NEW_SET, given(0.3)).pumps[1]
    much = pumps_after(200, NEW_SET, given(0.9)).pumps[1]
    assert little.speed < much.speed <= 1
    assert 0 < little.power < much.power < 2200
    assert 24 < little.temperature < much.temperature < 60


def test_a_fault_heats_a_running_pump_and_only_that() -> None:
    state = pumps_after(120, NEW_SET, given(1.35, pump_2=58.0, pump_3=58.0))
    assert state.pumps[1].temperature < 45
    assert state.pumps[2].temperature > 90
    assert not state.pumps[3].running
    assert state.pumps[3].temperature == pytest.approx(24, abs=0.5)


def test_a_pump_that_overheats_trips_and_another_takes_over() -> None:
    state = pumps_after(25, NEW_SET, given(1.35, pump_1=200.0))
    assert state.pumps[1].tripped
    assert not state.pumps[1].running
    assert state.pumps[2].running
    assert state.pumps[3].running
    assert pump.pump_values(state.pumps[1])["alarm_code"] == 64


def test_a_pump_that_runs_dry_draws_little_and_is_stopped_and_runs_again() -> None:
    busy = pumps_after(60, NEW_SET, given(0.8))
    dry = replace(given(0.8), dry=frozenset({1}))
    labouring = pumps_after(5, busy, dry)
    assert labouring.pumps[1].running
    assert labouring.pumps[1].power < 0.5 * busy.pumps[1].power
    stopped = pumps_after(10, labouring, dry)
    assert pump.pump_values(stopped.pumps[1])["alarm_code"] == 57
    assert [n for n, p in stopped.pumps.items() if p.running] == [2]
    again = pumps_after(60, stopped, given(2.6))
    assert again.pumps[1].running
    assert pump.pump_values(again.pumps[1])["fault"] == 0


def test_a_blocked_pump_stands_draws_much_and_is_stopped() -> None:
    busy = pumps_after(60, NEW_SET, given(0.8))
    blocked = replace(given(0.8), blocked=frozenset({1}))
    held = pumps_after(1, busy, blocked).pumps[1]
    assert held.speed == 0
    assert held.current > 2 * busy.pumps[1].current
    stopped = pumps_after(5, busy, blocked)
    assert pump.pump_values(stopped.pumps[1])["alarm_code"] == 51
    assert stopped.pumps[1].current == 0
    assert stopped.pumps[2].running


def test_the_tank_stays_between_its_levels() -> None:
    state, levels = NEW_SET, []
    for _ in range(20_000):
        state, _ = pump.step(state, given(1.6), 0.2)
        levels.append(state.tank)
    assert min(levels) > pump.TANK_LOW
    assert max(levels) < pump.TANK_HIGH
    assert max(levels) - min(levels) > 0.2


def test_a_lamp_that_burnt_out_is_on_and_draws_nothing() -> None:
    light = lamp.Lamp()
    for _ in range(100):
        light, _ = lamp.step(light, on=True, burnt_out=False, dt=0.2)
    assert lamp.values(light)["power"] == pytest.approx(18, abs=0.6)
    light, did = lamp.step(light, on=True, burnt_out=True, dt=0.2)
    assert did == []
    assert lamp.values(light)["output"] == 1
    assert lamp.values(light)["power"] == 0


def test_pumps_without_supply_rest_and_start_again_with_it() -> None:
    busy = pumps_after(60, NEW_SET, given(1.35))
    dark = pumps_after(10, busy, replace(given(1.35), dead=frozenset({1, 2, 3})))
    assert not any(p.running or p.power for p in dark.pumps.values())
    assert dark.tank >= busy.tank
    assert sum(p.running for p in pumps_after(10, dark, given(1.35)).pumps.values()) == 2


def test_a_pump_without_supply_is_replaced_by_one_that_has_it() -> None:
    state = pumps_after(60, NEW_SET, replace(given(0.4), dead=frozenset({1})))
    assert [n for n, p in state.pumps.items() if p.running] == [2]


def test_a_burst_main_empties_the_tank_and_it_fills_again() -> None:
    empty = pumps_after(60, NEW_SET, replace(given(1.35), emptying=True))
    assert 0 < empty.tank < 0.2
    assert not empty.filling
    assert pumps_after(120, empty, given(1.35)).tank > 0.23


def test_a_lamp_tells_that_it_was_switched() -> None:
    light, did = lamp.step(lamp.Lamp(), on=False, burnt_out=False, dt=0.2)
    assert did == ["switched_off"]
    assert lamp.values(light)["output"] == 0


def play(simulation: Simulation, world: World, seconds: float) -> tuple[World, list[Event]]:
    happened: list[Event] = []
    for _ in range(round(seconds / TICK)):
        world, events = simulation.step(world)
        happened += events
    return world, happened


def test_first_run_shows_a_hot_pump_within_35_seconds(simulation: Simulation) -> None:
    values = simulation.values(simulation.first)
    assert values["pump-2"]["running"] == 1
    assert 30 < values["pump-2"]["motor_temperature"] < 50
    world, _ = play(simulation, simulation.first, 15)
    assert simulation.values(world)["pump-2"]["motor_temperature"] < 50
    world, _ = play(simulation, world, 20)
    assert simulation.values(world)["pump-2"]["motor_temperature"] > 75
    world, _ = play(simulation, world, 200)
    assert 90 < simulation.values(world)["pump-2"]["motor_temperature"] < 100
    assert simulation.values(world)["pump-1"]["motor_temperature"] < 50


def test_first_run_makes_its_events_once_and_in_order(simulation: Simulation) -> None:
    _, events = play(simulation, simulation.first, 479)
    assert [(e.kind, e.equipment) for e in events] == [
        ("fault_begin", "pump-2"),
        ("above", "pump-2"),
        ("fault_end", "pump-2"),
        ("within", "pump-2"),
        ("fault_begin", "lamp-1"),
        ("below", "lamp-1"),
        ("fault_end", "lamp-1"),
        ("within", "lamp-1"),
    ]
    assert [e.number for e in events] == list(range(1, 9))
    times = {(e.kind, e.equipment): e.elapsed for e in events}
    assert times["fault_begin", "pump-2"] == 15
    assert times["fault_end", "pump-2"] == 240
    assert times["fault_begin", "lamp-1"] == 300
    assert times["fault_end", "lamp-1"] == 420


def test_a_world_taken_up_again_goes_on_as_if_nothing_had_been(simulation: Simulation) -> None:
    halfway, early = play(simulation, simulation.first, 33)
    kept = from_plain(json.loads(json.dumps(to_plain(halfway))))
    assert kept == halfway
    assert simulation.fits(kept)
    _, whole = play(simulation, simulation.first, 300)
    _, late = play(simulation, kept, 267)
    assert early + late == whole


def test_a_world_of_other_equipment_does_not_fit(simulation: Simulation) -> None:
    first = simulation.first
    assert not simulation.fits(replace(first, bodies={**first.bodies, "lamp": {}}))
    ((place, state),) = first.bodies["pump_set"].items()
    fewer = pump.PumpSet(pumps={1: state.pumps[1]})
    assert not simulation.fits(replace(first, bodies={**first.bodies, "pump_set": {place: fewer}}))
    assert not simulation.fits(replace(first, crossed=()))


def test_every_mistake_of_a_scenario_is_named(tmp_path: Path) -> None:
    site = replace(site_file.load(DEMO), scenario="mine.yaml", file=str(tmp_path / "site.yaml"))
    (tmp_path / "mine.yaml").write_text(
        "name: {zh: 我的, en: Mine}\n"
        "ambient: 24\n"
        "motor_time: 20s\n"
        "water: {demand: 1, swing: 0, period: 2m}\n"
        "faults:\n"
        "  - {at: 1s, lasts: 1s, equipment: pump-9, kind: overheating, rise: 5}\n"
        "  - {at: 1s, lasts: 1s, equipment: lamp-1, kind: overheating, rise: 5}\n"
        "watch:\n"
        "  - {equipment: pump-1, point: motor_temprature, above: 75}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError) as caught:
        scenario.load(site)
    assert [problem.line for problem in caught.value.problems] == [6, 7, 9]
    text = str(caught.value)
    assert "did you mean 'pump-" in text
    assert "cannot befall lamp-1" in text
    assert "did you mean 'motor_temperature'?" in text


def test_a_scenario_that_does_not_exist_is_named() -> None:
    site = replace(site_file.load(DEMO), scenario="frist-run")
    with pytest.raises(ConfigurationError, match="did you mean 'first-run'") as caught:
        scenario.load(site)
    lines = DEMO.read_text(encoding="utf-8").splitlines()
    assert "scenario: first-run" in lines[caught.value.problems[0].line - 1]


def test_what_no_model_plays_is_quiet_and_within_its_range() -> None:
    site = site_file.load(DEMO)
    boiler = replace(site.equipment["pump-2"], equipment_class="boiler")
    other = replace(site, equipment={**site.equipment, "pump-2": boiler})
    simulation = Simulation(other, scenario.load(site))
    world, _ = simulation.step(simulation.first)
    values = simulation.values(world)["pump-2"]
    assert values.keys() == boiler.modbus.keys()
    assert all(
        point.out_of_range(values[point.key]) is None
        for point in boiler.points
        if point.key in values
    )
    assert values["fault"] == values["alarm_code"] == 0
    assert values["run_hours"] == pytest.approx(1000)


def test_mistakes_of_a_scenario_hide_no_other(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        "name: {zh: 我的, en: Mine}\n"
        "ambient: hot\n"
        "motor_time: 20s\n"
        "water: {demand: 1, swing: 0, period: 2m}\n"
        "faults:\n"
        "  - {at: 1, lasts: 1s, equipment: pump-9, kind: overheating}\n"
        "watch:\n"
        "  - {equipment: pump-9, point: motor_temperature}\n",
        encoding="utf-8",
    )
    path = tmp_path / "site.yaml"
    site = replace(site_file.load(DEMO), scenario="mine.yaml", file=str(path))
    with pytest.raises(ConfigurationError) as caught:
        scenario.load(site)
    assert [(p.line, p.name) for p in caught.value.problems] == [
        (2, "ambient"),
        (6, "faults.0.at"),
        (6, "faults.0.equipment"),
        (6, "faults.0.rise"),
        (8, "watch.0"),
        (8, "watch.0.equipment"),
    ]
    without_site = scenario.scenario_problems("mine.yaml", path)
    assert {p.name for p in without_site} == {"ambient", "faults.0.at", "faults.0.rise", "watch.0"}


# -- what devices are told ------------------------------------------------------------------------


def switched(events: list[Event]) -> list[tuple[str, str]]:
    return [(e.kind, e.equipment) for e in events if e.kind.startswith("switched")]


def test_a_circuit_that_is_told_lets_its_contactor_go_and_pulls_it_again(
    simulation: Simulation,
) -> None:
    told = tell(simulation.first, {"garden-lights": {"output": 0.0}})
    world, events = play(simulation, told, 1)
    assert switched(events) == [("switched_off", "garden-lights")]
    assert simulation.values(world)["garden-lights"] == {"output": 0, "feedback": 0}
    assert simulation.values(world)["garage-lights"] == {"output": 1, "feedback": 1}
    world, events = play(simulation, tell(world, {"garden-lights": {"output": 1.0}}), 1)
    assert switched(events) == [("switched_on", "garden-lights")]
    assert simulation.values(world)["garden-lights"] == {"output": 1, "feedback": 1}


def test_a_lamp_that_is_told_goes_out_and_the_meter_behind_it_shows_it(
    simulation: Simulation,
) -> None:
    world, events = play(simulation, tell(simulation.first, {"lamp-1": {"output": 0.0}}), 1)
    assert switched(events) == [("switched_off", "lamp-1")]
    assert [simulation.values(world)["lamp-1"][key] for key in ("output", "power")] == [0, 0]
    world, _ = play(simulation, tell(world, {"lamp-1": {"output": 1.0}}), 10)
    assert simulation.values(world)["lamp-1"]["power"] == pytest.approx(18, abs=1)


def test_a_lamp_keeps_the_brightness_that_it_was_told(simulation: Simulation) -> None:
    world, events = play(simulation, tell(simulation.first, {"lamp-2": {"brightness": 127.0}}), 10)
    assert (simulation.values(world)["lamp-2"]["brightness"], switched(events)) == (127, [])
    assert simulation.values(world)["lamp-2"]["power"] == pytest.approx(9, abs=0.5)
    world, events = play(simulation, tell(world, {"lamp-2": {"brightness": 0.0}}), 1)
    assert switched(events) == [("switched_off", "lamp-2")]
    assert simulation.values(world)["lamp-2"]["brightness"] == 0
    world, events = play(simulation, tell(world, {"lamp-2": {"output": 1.0}}), 10)
    assert switched(events) == [("switched_on", "lamp-2")]
    assert simulation.values(world)["lamp-2"]["power"] == pytest.approx(18, abs=1)


def test_what_a_device_was_told_outlasts_a_restart_heard_or_not(simulation: Simulation) -> None:
    told = tell(
        simulation.first, {"garden-lights": {"output": 0.0}, "lamp-2": {"brightness": 90.0}}
    )
    told = tell(told, {"lamp-2": {"output": 1.0}})
    unheard = from_plain(json.loads(json.dumps(to_plain(told))))
    assert unheard == told
    world, _ = play(simulation, unheard, 1)
    heard = from_plain(json.loads(json.dumps(to_plain(world))))
    assert heard == world
    values = simulation.values(play(simulation, heard, 5)[0])
    assert values["garden-lights"]["output"] == 0
    assert values["lamp-2"]["brightness"] == 90


def test_a_world_kept_before_devices_could_be_told_goes_on(simulation: Simulation) -> None:
    plain = json.loads(json.dumps(to_plain(simulation.first)))
    del plain["told"]
    for state in plain["bodies"]["circuit"].values():
        del state["wanted"]
    for state in plain["bodies"]["lamp"].values():
        del state["dimmed"]
    assert from_plain(plain) == simulation.first


def test_what_nobody_can_do_changes_nothing(simulation: Simulation) -> None:
    nonsense = {
        name: {"output": 0.0, "speed": 0.0, "fire": 1.0}
        for name in simulation.values(simulation.first)
        if not name.endswith(("lights", "lamp-1", "lamp-2"))
    }
    told = tell(simulation.first, {**nonsense, "garden-lights": {"feedback": 0.0}})
    assert simulation.step(told) == simulation.step(simulation.first)


def test_a_lamp_that_is_not_reached_hears_nothing() -> None:
    lost = Around(
        faults={"unreachable": Fault(equipment="l", kind="unreachable", begins=0, ends=9, rise=0)},
        told={"output": 0.0},
    )
    nothing = Given(elapsed=0, ambient=20, motor_time=1, room_time=1, demand=1, around={})
    after, did = lamp.MODEL.moved(lamp.Lamp(), lost, nothing, TICK)
    assert (after.output, did) == (True, [])
    dead = replace(lost, faults={}, mains=Mains(voltage=0))
    assert lamp.MODEL.moved(lamp.Lamp(output=False), dead, nothing, TICK)[0].output
