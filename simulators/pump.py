"""A booster set: pumps side by side that hold one pressure, and the tank they draw from.

Pure. Demand is counted in pumps: 1.4 is what one pump and four tenths of a second one deliver.
Heat follows ``dT/dt = (ambient + rise − T) / τ``; the τ of a real motor is 10 to 20 minutes,
a scenario sets a short one so that something is seen within a minute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from gateway.model.equipment import Equipment
from simulators.model import Around, Deed, Effect, FaultKind, Given, Values, towards

_RATED_POWER = 2200.0
"""W, at full flow and full speed."""
_RATED_CURRENT = 4.8
"""A."""
_RISE_AT_FULL_LOAD = 28.0
"""K of the motor above its surroundings."""
_SPEED_TIME = 1.5
"""s in which a drive covers 63 % of the way to its set speed."""
_TRIP = 125.0
"""℃ at which the pump's own electronics stop it."""
_RESTART = 60.0
"""℃ below which a tripped pump may run again."""
_OVERTEMPERATURE, _BLOCKED, _DRY_RUNNING = 64, 51, 57
"""Alarm codes of the Grundfos list."""
_BORNE = {_BLOCKED: 3.0, _DRY_RUNNING: 10.0}
"""s after which the electronics stop a pump that is blocked or runs dry."""
_DRY_LOAD = 0.35
"""Share of its load that a pump without water draws."""
_STALLED = 2.5
"""Times its rated current that a blocked motor draws."""
_DRY_RISE = 40.0
"""K by which seals that nothing cools heat it."""
_ONE_MORE = 0.95
"""Share of the running pumps' capacity above which one more starts."""
_ONE_LESS = 0.80
"""Share of the capacity without the last pump below which that one stops."""
_TURN = 8 * 3600.0
"""s after which a pump hands over to the one that has rested longest."""
_DRAIN = 0.0004
"""Share of the tank that one pump at full flow takes in a second."""
_FILL = 0.0016
"""Share of the tank that the open inlet valve adds in a second."""
_EMPTYING, _LEFT = 0.02, 0.15
"""Share of the tank that a burst main takes in a second, and what it cannot reach."""
_WARMTH = 0.12
"""Share of a pump's power that warms the room."""
_RUN_TIMES = (3120.4, 3104.9, 3131.2, 3140.0, 3150.0, 3160.0)
"""h that the pumps of a set have run before."""

TANK_START, TANK_STOP = 0.60, 0.85
"""Levels at which the inlet valve opens and shuts, as shares of the tank's height."""
TANK_LOW, TANK_HIGH = 0.25, 0.95
"""Levels at which the set warns."""
_PLACES = 6
"""Pumps that a set can have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pump:
    """One pump of the set. Temperature in ℃, run time in s, speed as a share of full speed."""

    running: bool = False
    tripped: bool = False
    speed: float = 0.0
    power: float = 0.0
    current: float = 0.0
    temperature: float = 22.0
    run_time: float = 0.0
    turn: float = 0.0
    """s since it was last started."""
    laboured: float = 0.0
    """s since it began to run dry, or against a block."""
    alarm: int = 0
    """Code of what stopped it; 0: nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PumpSet:
    """Pumps by their number in the set, 1 and up, and the tank level as a share of its height."""

    pumps: Mapping[int, Pump]
    tank: float = 0.72
    filling: bool = False
    leaking: frozenset[int] = frozenset()
    """Numbers of the pumps whose seal lets water onto the floor."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """What comes from outside in one step."""

    demand: float
    """Flow wanted, in pumps."""
    ambient: float
    """℃ of the room."""
    motor_time: float
    """s: τ of the motors' heat."""
    fault_rise: Mapping[int, float]
    """Pump number → K by which a fault (a dry bearing, say) heats it while it runs."""
    dead: frozenset[int] = frozenset()
    """Numbers of the pumps without supply."""
    emptying: bool = False
    """The inlet stays shut and the tank runs out."""
    dry: frozenset[int] = frozenset()
    """Numbers of the pumps that get no water."""
    blocked: frozenset[int] = frozenset()
    """Numbers of the pumps whose impeller is held."""


def step(before: PumpSet, given: Conditions, dt: float) -> tuple[PumpSet, list[tuple[int, str]]]:
    """The set ``dt`` seconds later, and what its pumps did: (number, started|stopped|tripped).

    1. The controller decides which pumps run. 2. Drives, power and heat of each pump follow.
    3. The tank gives and takes.
    """
    chosen = _choose(before, given)
    share = min(given.demand / len(chosen), 1.0) if chosen else 0.0
    pumps = {
        number: _turn(pump, share if number in chosen else None, given, number, dt)
        for number, pump in before.pumps.items()
    }
    did = [
        (number, word)
        for number, pump in pumps.items()
        if (word := _deed(before.pumps[number], pump))
    ]
    drawn = _DRAIN * share * len(chosen)
    return replace(_tank(before, drawn, given.emptying, dt), pumps=pumps), did


def _tank(before: PumpSet, drawn: float, emptying: bool, dt: float) -> PumpSet:
    """The set with its tank ``dt`` s later, the pumps drawing the share ``drawn`` in a second."""
    if emptying:
        lower = max(before.tank - (drawn + _EMPTYING) * dt, min(_LEFT, before.tank))
        return replace(before, tank=lower, filling=False)
    filling = before.tank < TANK_START or (before.filling and before.tank < TANK_STOP)
    flow = (_FILL if filling else 0.0) - drawn
    tank = min(max(before.tank + flow * dt, 0.0), 1.0)
    return replace(before, tank=tank, filling=filling)


def _choose(state: PumpSet, given: Conditions) -> frozenset[int]:
    """The numbers of the pumps that shall run."""
    demand = given.demand
    able = {n: pump for n, pump in state.pumps.items() if not pump.tripped and n not in given.dead}
    running = sorted((n for n in able if able[n].running), key=lambda n: able[n].turn)
    rested = sorted((n for n in able if not able[n].running), key=lambda n: able[n].run_time)
    if rested and (not running or demand > _ONE_MORE * len(running)):
        running.append(rested.pop(0))
    elif len(running) > 1 and demand < _ONE_LESS * (len(running) - 1):
        running.pop()
    elif running and rested and able[running[-1]].turn > _TURN:
        running[-1] = rested[0]
    return frozenset(running)


def _turn(pump: Pump, wanted: float | None, given: Conditions, number: int, dt: float) -> Pump:
    """``pump`` after ``dt`` s at the ``wanted`` share of its full flow, or at rest."""
    share = wanted or 0.0
    trouble = _trouble(given, number)
    labours = trouble and (pump.running or pump.tripped)
    laboured = pump.laboured + dt if labours else 0.0
    alarm = _alarm(pump, trouble, laboured)
    running = wanted is not None and not alarm
    blocked, dry = (running and trouble == code for code in (_BLOCKED, _DRY_RUNNING))
    # Pressure is held, so speed grows with flow from what it takes to hold it at no flow.
    set_speed = 0.76 + 0.22 * share if running else 0.0
    speed = 0.0 if blocked else towards(pump.speed, set_speed, dt, _SPEED_TIME)
    load = speed**3 * (0.35 + 0.65 * share) * (_DRY_LOAD if dry else 1.0) if running else 0.0
    rise = _RISE_AT_FULL_LOAD * load + (given.fault_rise.get(number, 0.0) if running else 0.0)
    rise += _DRY_RISE if dry else 0.0
    current = _RATED_CURRENT * (_STALLED if blocked else 0.3 + 0.7 * load)
    return replace(
        pump,
        running=running,
        tripped=alarm != 0,
        alarm=alarm,
        laboured=laboured,
        speed=speed if speed > 0.001 else 0.0,
        power=_RATED_POWER * load,
        current=current if running else 0.0,
        temperature=towards(pump.temperature, given.ambient + rise, dt, given.motor_time),
        run_time=pump.run_time + (dt if running else 0.0),
        turn=pump.turn + dt if running and pump.running else 0.0,
    )


def _trouble(given: Conditions, number: int) -> int:
    if number in given.blocked:
        return _BLOCKED
    return _DRY_RUNNING if number in given.dry else 0


def _alarm(pump: Pump, trouble: int, laboured: float) -> int:
    """Code of what stops ``pump`` now."""
    if trouble and laboured > _BORNE[trouble]:
        return trouble
    hot = pump.alarm == _OVERTEMPERATURE and pump.temperature > _RESTART
    return _OVERTEMPERATURE if pump.temperature > _TRIP or hot else 0


def _deed(before: Pump, after: Pump) -> str:
    if after.tripped and not before.tripped:
        return "tripped"
    if after.running != before.running:
        return "started" if after.running else "stopped"
    return ""


def pump_values(pump: Pump) -> dict[str, float]:
    """Point key of a ``pump`` profile → value, in the units of the profile."""
    return {
        "running": float(pump.running),
        "fault": float(pump.tripped),
        "remote": 1.0,
        "alarm_code": float(pump.alarm),
        "run_hours": float(int(pump.run_time / 3600)),
        "speed": 100 * pump.speed,
        "current": pump.current,
        "power": pump.power,
        "motor_temperature": pump.temperature,
    }


def set_values(state: PumpSet) -> dict[str, float]:
    """Point key of a ``booster`` profile → value; levels in % of the tank's height."""
    values = {
        "tank_level": 100 * state.tank,
        "tank_start_level": 100 * TANK_START,
        "tank_stop_level": 100 * TANK_STOP,
        "tank_high_level": 100 * TANK_HIGH,
        "tank_low_level": 100 * TANK_LOW,
    }
    present = {
        f"pump_{number}_present": float(number in state.pumps) for number in range(1, _PLACES + 1)
    }
    return values | present


@dataclass(frozen=True)
class _PumpSets:
    """A body is one set: the pumps behind one unit and the tank, whatever of it the site has."""

    name: str = "pump_set"
    classes: tuple[str, ...] = ("booster", "pump")
    faults: tuple[FaultKind, ...] = (
        FaultKind(name="overheating", befalls=("pump",), heats=True),
        FaultKind(name="dry-run", befalls=("pump",)),
        FaultKind(name="blocked-impeller", befalls=("pump",)),
        FaultKind(name="seal-leak", befalls=("pump",)),
        FaultKind(name="tank-low", befalls=("booster",)),
    )

    def body_of(self, thing: Equipment) -> str:
        return f"{thing.link}/{thing.unit}"

    def begin(self, things: Sequence[Equipment], ambient: float) -> PumpSet:
        # A set whose pumps are not in the site file still has some.
        numbers = sorted(_pumps_of(things)) or (1, 2, 3)
        pumps = {
            number: Pump(temperature=ambient, run_time=3600 * hours)
            for number, hours in zip(numbers, _RUN_TIMES, strict=False)
        }
        return PumpSet(pumps=pumps)

    def step(
        self, things: Sequence[Equipment], before: PumpSet, given: Given, dt: float
    ) -> tuple[PumpSet, list[Deed]]:
        names = _pumps_of(things)
        around = {number: given.around[name] for number, name in names.items()}
        conditions = Conditions(
            demand=given.demand,
            ambient=given.ambient,
            motor_time=given.motor_time,
            fault_rise=_rises(around),
            dead=frozenset(number for number, reach in around.items() if not reach.mains.live),
            emptying=any("tank-low" in given.around[thing.id].faults for thing in things),
            dry=_having("dry-run", around),
            blocked=_having("blocked-impeller", around),
        )
        after, did = step(before, conditions, dt)
        after = replace(after, leaking=_having("seal-leak", around))
        return after, [(names[number], word) for number, word in did if number in names]

    def values(self, things: Sequence[Equipment], state: PumpSet) -> Values:
        return {
            thing.id: (
                set_values(state)
                if thing.equipment_class == "booster"
                else pump_values(state.pumps[_number_of(thing)])
            )
            for thing in things
        }

    def effects(self, things: Sequence[Equipment], state: PumpSet) -> Mapping[str, Effect]:
        return {
            name: Effect(
                draws=state.pumps[number].power,
                heat=_WARMTH * state.pumps[number].power,
                turns=state.pumps[number].running,
                leaks=number in state.leaking,
            )
            for number, name in _pumps_of(things).items()
        }

    def members(self, state: PumpSet) -> frozenset[int | str]:
        return frozenset(state.pumps)

    def plain(self, state: PumpSet) -> dict[str, Any]:
        return {**asdict(state), "leaking": sorted(state.leaking)}

    def restored(self, plain: Mapping[str, Any]) -> PumpSet:
        pumps = {int(number): Pump(**state) for number, state in plain["pumps"].items()}
        return PumpSet(
            pumps=pumps,
            tank=float(plain["tank"]),
            filling=bool(plain["filling"]),
            leaking=frozenset(plain.get("leaking", ())),
        )


def _pumps_of(things: Sequence[Equipment]) -> dict[int, str]:
    """Number in the set → equipment id."""
    return {_number_of(t): t.id for t in things if t.equipment_class == "pump"}


def _number_of(pump: Equipment) -> int:
    """One that is alone behind its unit has no number."""
    return pump.parameters.get("pump", 1)


def _having(fault: str, around: Mapping[int, Around]) -> frozenset[int]:
    return frozenset(number for number, reach in around.items() if fault in reach.faults)


def _rises(around: Mapping[int, Around]) -> dict[int, float]:
    return {
        number: reach.faults["overheating"].rise
        for number, reach in around.items()
        if "overheating" in reach.faults
    }


MODEL = _PumpSets()
