"""The pure models of everything but pumps and lamps: what must always hold, fault in, fault out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

import pytest

from simulators import (
    bearing,
    breaker,
    circuit,
    drive,
    fire,
    leak,
    lift,
    meter,
    room,
    sump,
)
from simulators.lift import Phase
from simulators.model import Around, Fault

TICK = 0.2
S = TypeVar("S")


def course(seconds: float, state: S, step: Callable[[S], S]) -> list[S]:
    """The states of the next ``seconds``, the last one at the end."""
    states = []
    for _ in range(round(seconds / TICK)):
        state = step(state)
        states.append(state)
    return states


# -- lift -----------------------------------------------------------------------------------------


def ride(seconds: float, car: lift.Lift, **conditions: bool) -> list[lift.Lift]:
    given = lift.Conditions(**conditions)
    return course(seconds, car, lambda before: lift.step(before, given, TICK))


NEW_CAR = lift.Lift(name="lift-1")


def test_a_car_never_moves_with_its_door_open_nor_faster_or_harder_than_it_can() -> None:
    cars = ride(3600, NEW_CAR)
    assert all(car.speed == 0 for car in cars if car.phase in (Phase.OPEN, Phase.WAITING))
    assert max(abs(car.speed) for car in cars) == pytest.approx(1.75)
    assert min(car.height for car in cars) == 0
    assert 30 < max(car.height for car in cars) <= 3.0 * (lift.FLOORS - 1)
    for before, after in pairwise(cars):
        assert abs(abs(after.speed) - abs(before.speed)) <= 0.8 * TICK + 0.4
        assert abs(after.height - before.height) <= 1.75 * TICK + 1e-9


def test_the_flags_of_a_sound_lift_are_never_set_and_its_counters_only_rise() -> None:
    said = [lift.values(car) for car in ride(3600, NEW_CAR)]
    faults = ("entrapment_between_landings", "stop_outside_zone", "door_open_too_long", "overspeed")
    assert not any(values[fault] for values in said for fault in faults)
    for counter in ("door_openings", "floors_travelled"):
        numbers = [values[counter] for values in said]
        assert numbers == sorted(numbers)
        assert numbers[-1] > 20
    floors = {values["floor"] for values in said if values["level"]}
    assert len(floors) > 10
    assert floors <= set(range(1, lift.FLOORS + 1))
    assert any(values["going_up"] for values in said)
    assert any(values["going_down"] for values in said)
    assert not any(values["going_up"] and values["going_down"] for values in said)


def test_a_trapped_person_is_told_after_15_seconds_and_brought_to_a_landing_at_the_end() -> None:
    cars = ride(120, NEW_CAR, trapping=True)
    stood = next(car for car in cars if car.phase is Phase.STUCK)
    assert stood.person
    assert lift.values(stood)["level"] == 0
    told = [car for car in cars if lift.values(car)["entrapment_between_landings"]]
    assert told[0].since == pytest.approx(15, abs=TICK)
    assert told[0].age - stood.age == pytest.approx(15, abs=0.3)
    assert told[-1] is cars[-1]
    assert all(car.speed == 0 for car in told)
    freed = ride(30, cars[-1])
    assert not any(lift.values(car)["entrapment_between_landings"] for car in freed)
    landed = next(car for car in freed if car.phase is Phase.OPEN)
    assert lift.values(landed)["level"] == 1
    assert max(abs(car.speed) for car in freed if car.age < landed.age) == pytest.approx(0.3)
    assert not freed[-1].person


def test_a_door_that_does_not_shut_is_told_after_a_minute() -> None:
    cars = ride(100, NEW_CAR, door_stuck=True)
    told = [car for car in cars if lift.values(car)["door_open_too_long"]]
    assert told[0].since == pytest.approx(60, abs=TICK)
    assert told[-1] is cars[-1]
    assert ride(1, cars[-1])[-1].phase is not Phase.OPEN


def test_without_supply_the_car_lets_its_passenger_out_at_a_landing_and_waits() -> None:
    under_way = next(car for car in ride(600, NEW_CAR) if car.phase is Phase.CARRYING)
    fast = next(car for car in ride(10, under_way) if abs(car.speed) > 1)
    dark = ride(60, fast, live=False)
    assert not any(lift.values(car)["entrapment_between_landings"] for car in dark)
    assert dark[-1].phase is Phase.WAITING
    assert lift.values(dark[-1])["level"] == 1
    assert not dark[-1].person
    assert ride(300, dark[-1], live=False)[-1].trips == dark[-1].trips
    assert any(car.speed for car in ride(60, dark[-1]))


def test_two_lifts_make_different_trips_and_the_same_lift_the_same() -> None:
    heights = [[car.height for car in ride(600, lift.Lift(name=name))] for name in "aab"]
    assert heights[0] == heights[1]
    assert heights[0] != heights[2]


# -- fire -----------------------------------------------------------------------------------------


def watch(seconds: float, one: fire.Detector, **what: bool) -> list[fire.Detector]:
    conditions = {"burning": False, "trouble": False} | what
    return course(seconds, one, lambda before: fire.step(before, **conditions, dt=TICK))


def test_a_fire_is_a_prealarm_first_and_stays_until_the_smoke_has_gone() -> None:
    course_of_fire = [fire.detector_values(one) for one in watch(30, fire.Detector(), burning=True)]
    prealarms = [at for at, values in enumerate(course_of_fire) if values["prealarm"]]
    fires = [at for at, values in enumerate(course_of_fire) if values["active"]]
    assert prealarms[-1] < fires[0] == prealarms[-1] + 1
    assert fires == list(range(fires[0], len(course_of_fire)))
    assert all(v["event_type"] == (16 if v["active"] else 0) for v in course_of_fire)
    burning = watch(30, fire.Detector(), burning=True)[-1]
    after = watch(30, burning)
    assert after[0].fire
    assert fire.detector_values(after[-1]) == fire.detector_values(fire.Detector())


def test_a_detector_in_trouble_says_so_and_sees_no_fire() -> None:
    blind = watch(60, fire.Detector(), burning=True, trouble=True)
    assert all(one.trouble and not one.fire for one in blind)
    assert not any(fire.detector_values(one)["prealarm"] for one in blind)
    assert not watch(1, fire.Detector(trouble=True))[-1].trouble


# -- meter ----------------------------------------------------------------------------------------


def measure(seconds: float, load: float = 8000.0, **conditions: bool) -> list[meter.Meter]:
    given = meter.Conditions(street=220.0, load=load, **conditions)
    return course(seconds, meter.Meter(), lambda before: meter.step(before, given, TICK))


def test_power_is_voltage_times_current_times_factor_and_energy_is_its_sum() -> None:
    states = measure(600)
    for state in states[::100]:
        said = meter.values(state)
        by_phase = [
            said[f"voltage_l{n}"] * said[f"current_l{n}"] * said["power_factor"] for n in (1, 2, 3)
        ]
        assert by_phase == pytest.approx([said[f"power_l{n}"] for n in (1, 2, 3)])
        assert sum(by_phase) == pytest.approx(said["power"])
        assert 0.85 < said["power_factor"] < 1
        assert 49.9 < said["frequency"] < 50.1
    joules = sum(meter.values(state)["power"] for state in states) * TICK
    assert states[-1].energy - meter.Meter().energy == pytest.approx(joules / 3.6e6)


def test_the_voltage_stays_within_what_a_supply_may_have() -> None:
    states = measure(3600)
    phases = [volts for state in states for volts in state.voltage]
    assert 220 * 0.97 < min(phases) < max(phases) < 220 * 1.03


def test_more_load_is_more_power_and_less_voltage() -> None:
    light, heavy = measure(10, load=0.0)[-1], measure(10, load=60_000.0)[-1]
    assert sum(heavy.power) - sum(light.power) == pytest.approx(60_000)
    assert all(a > b for a, b in zip(light.voltage, heavy.voltage, strict=True))


def test_a_lost_supply_is_dead_and_passes_nothing_on() -> None:
    state = measure(10, lost=True)[-1]
    said = meter.values(state)
    dead = ("voltage_l1", "voltage_l2", "voltage_l3", "current_l1", "power", "frequency")
    assert [said[key] for key in dead] == [0] * 6
    assert all(math.isfinite(value) for value in said.values())
    assert not meter.mains(state).live
    assert said["energy_import"] == meter.Meter().energy


def test_a_lost_phase_leaves_its_load_to_the_others() -> None:
    said = meter.values(measure(10, phase_lost=True)[-1])
    whole = meter.values(measure(10)[-1])
    assert said["voltage_l2"] == said["current_l2"] == said["thd_voltage_l2"] == 0
    assert said["power"] == pytest.approx(whole["power"])
    assert said["current_l1"] > whole["current_l1"]
    assert meter.mains(measure(10, phase_lost=True)[-1]).live


def test_an_undervoltage_is_below_nine_tenths_on_one_phase_and_everything_goes_on() -> None:
    state = measure(10, sagging=True)[-1]
    assert 150 < state.voltage[0] < 198
    assert min(state.voltage[1:]) > 210
    assert meter.mains(state).live


# -- rooms and bearings ---------------------------------------------------------------------------


def test_a_room_follows_its_equipment_and_its_fault_with_its_own_time() -> None:
    given = room.Conditions(ambient=24.0, heat=270.0, fault_rise=0.0, time=60.0)
    warm = course(600, room.Room(temperature=24.0), lambda r: room.step(r, given, TICK))
    assert warm[300].temperature - 24 == pytest.approx(3 * (1 - math.exp(-1)), rel=0.02)
    assert warm[-1].temperature == pytest.approx(27, abs=0.01)
    assert all(50 < r.humidity < 62 for r in warm)
    hot = replace(given, fault_rise=26.0)
    states = course(400, warm[-1], lambda r: room.step(r, hot, TICK))
    assert states[-1].temperature == pytest.approx(53, abs=0.1)
    # Hot air is dry, but a hot cellar does not fall below what a power room may have.
    assert 20 < states[-1].humidity < warm[-1].humidity
    cool = course(400, states[-1], lambda r: room.step(r, given, TICK))
    assert cool[-1].temperature == pytest.approx(27, abs=0.1)


def test_a_bearing_warms_and_shakes_only_while_its_machine_turns() -> None:
    def after(seconds: float, *, turning: bool, wear: float = 0.0) -> bearing.Bearing:
        given = bearing.Conditions(ambient=24.0, turning=turning, wear_rise=wear, time=20.0)
        new = bearing.Bearing(temperature=24.0)
        return course(seconds, new, lambda b: bearing.step(b, given, TICK))[-1]

    sound, resting = after(200, turning=True), after(200, turning=False)
    worn, worn_at_rest = after(200, turning=True, wear=50), after(200, turning=False, wear=50)
    assert resting.temperature == 24
    assert 35 < sound.temperature < 75 < worn.temperature < 100
    assert resting.vibration < 0.2 < sound.vibration < 2.8 < worn.vibration
    assert worn_at_rest.temperature == resting.temperature
    assert worn_at_rest.vibration == resting.vibration


# -- contacts -------------------------------------------------------------------------------------


def test_a_leak_is_felt_a_little_later_and_dries_a_little_later() -> None:
    wet = course(5, leak.Leak(), lambda one: leak.step(one, leaking=True, dt=TICK))
    assert [one.wet for one in wet].index(True) * TICK == pytest.approx(2, abs=TICK)
    dry = course(10, wet[-1], lambda one: leak.step(one, leaking=False, dt=TICK))
    assert [one.wet for one in dry].index(False) * TICK == pytest.approx(5, abs=TICK)
    drops = leak.step(leak.Leak(), leaking=True, dt=TICK)
    assert leak.step(drops, leaking=False, dt=TICK) == leak.Leak()


def test_a_sump_pump_keeps_the_level_down_but_not_in_a_flood() -> None:
    calm = course(7200, sump.Sump(), lambda one: sump.step(one, flooding=False, dt=TICK))
    assert not any(one.high for one in calm)
    assert max(one.level for one in calm) < 0.55
    assert {one.pumping for one in calm} == {True, False}
    flood = course(30, calm[-1], lambda one: sump.step(one, flooding=True, dt=TICK))
    assert flood[-1].high
    assert flood[-1].level <= 1
    after = course(60, flood[-1], lambda one: sump.step(one, flooding=False, dt=TICK))
    assert not after[-1].high


def test_a_breaker_trips_and_is_closed_again() -> None:
    tripped, did = breaker.step(breaker.Breaker(), overloaded=True)
    assert (tripped.tripped, did) == (True, ["tripped"])
    assert breaker.step(tripped, overloaded=True) == (tripped, [])
    assert breaker.step(tripped, overloaded=False) == (breaker.Breaker(), ["closed"])


def test_a_contactor_follows_its_output_unless_it_is_stuck() -> None:
    on, _ = circuit.step(circuit.Circuit(), wanted=True, stuck=False)
    assert circuit.values(on) == {"output": 1, "feedback": 1}
    stuck, did = circuit.step(on, wanted=True, stuck=True)
    assert (circuit.values(stuck), did) == ({"output": 1, "feedback": 0}, [])
    off, did = circuit.step(on, wanted=False, stuck=False)
    assert did == ["switched_off"]
    off, _ = circuit.step(off, wanted=False, stuck=False)
    assert circuit.values(off) == {"output": 0, "feedback": 0}


# -- drives ---------------------------------------------------------------------------------------


def test_a_drive_ramps_up_trips_and_runs_again() -> None:
    trip = Fault(equipment="fan-1", kind="drive-trip", begins=0, ends=9, rise=0)
    sound, tripped = Around(), Around(faults={trip.kind: trip})
    state, did = drive.Drive(temperature=24.0), []
    for around, seconds in ((sound, 20), (tripped, 5), (sound, 20)):
        for _ in range(round(seconds / 0.2)):
            state, now = drive.step(state, around=around, ambient=24.0, dt=0.2)
            did += now
        said = drive.values(state)
        assert said["tripped"] == float(around is tripped)
        assert (said["frequency"] > 35) == (around is sound)
        assert (said["current"] > 5) == (said["running"] == 1) == (around is sound)
    assert did == ["started", "tripped", "started"]
    assert 500 < said["dc_voltage"] < 580


@pytest.mark.parametrize(
    ("burning", "trouble", "status", "zone"),
    [(False, False, 0, 0), (True, False, 1, 1), (True, True, 2, 0)],
)
def test_a_fire_is_said_as_each_panel_says_it(
    burning: bool, trouble: bool, status: int, zone: int
) -> None:
    detector = fire.Detector()
    for _ in range(100):
        detector = fire.step(detector, burning=burning, trouble=trouble, dt=0.2)
    assert fire.device_values(detector) == {"status": status}
    assert fire.zone_values(detector)["fire"] == zone
