"""What befalls the simulated equipment, read from a file: faults with their times, and watches.

A scenario plays once, from the first start of the simulated world; times count from there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gateway.files.documents import (
    ConfigurationError,
    Document,
    Finding,
    Parsed,
    Problem,
    findings,
    problem_in,
    salvage,
)
from gateway.files.durations import Duration
from gateway.files.fields import Line, PointKey, Slug, Words, instead
from gateway.model.equipment import Equipment, Site
from gateway.model.moment import MINUTE, SECOND
from simulators.cast import FAULTS
from simulators.device_fault import (
    BY_MESSAGES,
    BY_REGISTERS,
    NEEDS,
    OWN,
    DeviceFault,
    DeviceFaultKind,
)
from simulators.model import Fault

SHIPPED = Path(__file__).parent / "scenarios"

_MOTOR_TIME = 20 * SECOND
"""µs: τ of a motor's heat, where a scenario does not say; a real one takes 10 to 20 minutes."""
_ROOM_TIME = 180 * SECOND
"""µs: τ of a room's heat, where a scenario does not say; a real one takes an hour."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """A limit whose crossings go into the event log, for whoever checks the alarms later."""

    equipment: str
    point: str
    above: float | None
    below: float | None

    def crossed(self, value: float) -> bool:
        if self.above is not None:
            return value > self.above
        return self.below is not None and value < self.below


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """Temperatures in ℃, times in s, demand in pumps."""

    id: str
    ambient: float
    motor_time: float
    room_time: float
    demand: float
    swing: float
    period: float
    follows: Mapping[str, str]
    """Equipment id → the machine that it is mounted on."""
    faults: tuple[Fault, ...]
    watches: tuple[Watch, ...]
    device_faults: tuple[DeviceFault, ...] = ()
    fingerprint: str


class _Water(Document):
    demand: Annotated[float, Field(ge=0, le=6)] = 1.0
    swing: Annotated[float, Field(ge=0, le=3)] = 0.0
    period: Duration = MINUTE


class _Fault(Document):
    at: Duration
    lasts: Duration
    equipment: Slug
    kind: Line
    rise: Annotated[float, Field(gt=0, le=200)] | None = None


class _DeviceFault(Document):
    at: Duration
    lasts: Duration
    equipment: Slug
    kind: DeviceFaultKind
    points: Annotated[tuple[PointKey, ...], Field(min_length=1)] | None = None
    wait: Duration | None = None
    code: Annotated[int, Field(ge=1, le=255)] | None = None
    words: (
        Annotated[tuple[Annotated[int, Field(ge=0, le=0xFFFF)], ...], Field(min_length=1)] | None
    ) = None
    modulus: Annotated[float, Field(gt=0)] | None = None


class _Watch(Document):
    equipment: Slug
    point: PointKey
    above: float | None = None
    below: float | None = None


class _ScenarioFile(Document):
    name: Words
    ambient: Annotated[float, Field(ge=-40, le=60)] = 24.0
    motor_time: Duration = _MOTOR_TIME
    room_time: Duration = _ROOM_TIME
    water: _Water = _Water()
    follows: Mapping[Slug, Slug] = Field(default_factory=dict)
    faults: tuple[_Fault, ...] = ()
    device_faults: tuple[_DeviceFault, ...] = ()
    watch: tuple[_Watch, ...] = ()


def load(site: Site) -> Scenario:
    """The scenario of ``site``; raises :class:`ConfigurationError` with every problem in it."""
    path = _find(site.scenario or "", site.file)
    parsed, problems = salvage(path, _ScenarioFile)
    problems += _problems(parsed, site.equipment)
    if problems or parsed is None:
        raise ConfigurationError(problems)
    content = parsed.content
    return Scenario(
        id=path.stem,
        ambient=content.ambient,
        motor_time=content.motor_time / SECOND,
        room_time=content.room_time / SECOND,
        demand=content.water.demand,
        swing=content.water.swing,
        period=content.water.period / SECOND,
        follows=dict(content.follows),
        faults=tuple(
            Fault(
                equipment=fault.equipment,
                kind=fault.kind,
                begins=fault.at / SECOND,
                ends=(fault.at + fault.lasts) / SECOND,
                rise=fault.rise or 0.0,
            )
            for fault in content.faults
        ),
        watches=tuple(
            Watch(equipment=w.equipment, point=w.point, above=w.above, below=w.below)
            for w in content.watch
        ),
        device_faults=tuple(map(_device_fault, content.device_faults)),
        fingerprint=hashlib.sha256(parsed.text.encode()).hexdigest()[:16],
    )


def _device_fault(fault: _DeviceFault) -> DeviceFault:
    return DeviceFault(
        equipment=fault.equipment,
        kind=fault.kind,
        begins=fault.at / SECOND,
        ends=(fault.at + fault.lasts) / SECOND,
        points=fault.points or (),
        wait=(fault.wait or 0) / SECOND,
        code=fault.code or 0,
        words=fault.words or (),
        modulus=fault.modulus or 0.0,
    )


def scenario_problems(name: str, site_file: Path) -> list[Problem]:
    """What is wrong with the scenario of a site that is wrong itself, whatever it has."""
    try:
        parsed, problems = salvage(_find(name, str(site_file)), _ScenarioFile)
    except ConfigurationError as error:
        return error.problems
    return problems + _problems(parsed, None)


def _find(name: str, site_file: str) -> Path:
    """The file of a scenario: a shipped one by its name, or a path beside the site file.

    Raises :class:`ConfigurationError` if there is none.
    """
    beside = name.endswith(".yaml")
    path = Path(site_file).parent / name if beside else SHIPPED / f"{name}.yaml"
    if name and path.is_file():
        return path
    shipped = [file.stem for file in SHIPPED.glob("*.yaml")]
    wrong = f"there is no scenario {name!r}" if name else "is missing"
    mend = f"{instead(name, shipped)}, or give a .yaml file beside the site file"
    where = ("simulation", "scenario")
    raise ConfigurationError([problem_in(site_file, where, wrong, mend)])


_Things = Mapping[str, Equipment]


def _problems(parsed: Parsed[_ScenarioFile] | None, things: _Things | None) -> list[Problem]:
    """``things``: what the site has; None if that is not known."""
    if parsed is None:
        return []
    content = parsed.content
    found = findings(
        _no_time(lambda: content.motor_time, "motor_time"),
        _no_time(lambda: content.room_time, "room_time"),
        _no_time(lambda: content.water.period, "water", "period"),
        _of_followers(content, things),
        _of_faults(content, things),
        _of_device_faults(content, things),
        _of_watches(content, things),
    )
    return [parsed.problem(*finding) for finding in found]


def _no_time(given: Callable[[], int], *where: str) -> Iterator[Finding]:
    if given() <= 0:
        yield where, "is no time at all", "use 1s or more"


def _of_followers(content: _ScenarioFile, things: _Things | None) -> Iterator[Finding]:
    if things is None:
        return
    for follower, machine in content.follows.items():
        for name in (follower, machine):
            if name not in things:
                _, wrong, mend = _no_equipment(name, things)
                yield ("follows", follower), wrong, mend


def _of_faults(content: _ScenarioFile, things: _Things | None) -> Iterator[Finding]:
    for at, fault in enumerate(content.faults):
        checks = (_kind(fault), *(() if things is None else (_befalls(fault, things),)))
        for where, wrong, mend in findings(*checks):
            yield ("faults", at, *where), wrong, mend


def _of_watches(content: _ScenarioFile, things: _Things | None) -> Iterator[Finding]:
    for at, watch in enumerate(content.watch):
        checks = (_limit(watch), *(() if things is None else (_sees(watch, things),)))
        for where, wrong, mend in findings(*checks):
            yield ("watch", at, *where), wrong, mend


def _of_device_faults(content: _ScenarioFile, things: _Things | None) -> Iterator[Finding]:
    for at, fault in enumerate(content.device_faults):
        checks = (_fields(fault), *(() if things is None else (_befalls_device(fault, things),)))
        for where, wrong, mend in findings(*checks):
            yield ("device_faults", at, *where), wrong, mend


def _fields(fault: _DeviceFault) -> Iterator[Finding]:
    needed = NEEDS.get(fault.kind, ())
    for name in needed:
        if getattr(fault, name) is None:
            yield (name,), "is missing", f"{fault.kind} needs {' and '.join(needed)}"
    for name in OWN:
        if name not in needed and getattr(fault, name) is not None:
            yield (name,), f"does not fit {fault.kind}", "remove it"


def _befalls_device(fault: _DeviceFault, things: _Things) -> Iterator[Finding]:
    thing = things.get(fault.equipment)
    if thing is None:
        yield _no_equipment(fault.equipment, things)
        return
    possible = BY_MESSAGES if thing.unit is None else BY_REGISTERS
    if fault.kind not in possible:
        way = "messages" if thing.unit is None else "registers"
        wrong = f"{fault.kind} cannot befall {thing.id}, which speaks by {way}"
        yield ("kind",), wrong, f"choose one of {', '.join(sorted(possible))}"
    keys = {point.key for point in thing.points}
    for key in fault.points or ():
        if key not in keys:
            wrong = f"{thing.id} has no point {key!r}"
            yield ("points",), wrong, instead(key, keys)


def _kind(fault: _Fault) -> Iterator[Finding]:
    kind = FAULTS.get(fault.kind)
    if kind is None:
        yield ("kind",), f"there is no fault {fault.kind!r}", instead(fault.kind, FAULTS)
    elif kind.heats and fault.rise is None:
        yield ("rise",), "is missing", "say by how many K it heats"
    elif not kind.heats and fault.rise is not None:
        yield ("rise",), f"does not fit {fault.kind}", "remove it"


def _befalls(fault: _Fault, things: _Things) -> Iterator[Finding]:
    thing, kind = things.get(fault.equipment), FAULTS.get(fault.kind)
    if thing is None:
        yield _no_equipment(fault.equipment, things)
    elif kind is not None and thing.equipment_class not in kind.befalls:
        wrong = f"{fault.kind!r} cannot befall {thing.id}, which is a {thing.equipment_class}"
        yield ("kind",), wrong, f"name a {' or a '.join(kind.befalls)}"


def _limit(watch: _Watch) -> Iterator[Finding]:
    if (watch.above is None) == (watch.below is None):
        yield (), "needs one of above and below", "give one limit"


def _sees(watch: _Watch, things: _Things) -> Iterator[Finding]:
    thing = things.get(watch.equipment)
    if thing is None:
        yield _no_equipment(watch.equipment, things)
        return
    keys = {point.key for point in thing.points}
    if watch.point not in keys:
        yield ("point",), f"{thing.id} has no point {watch.point!r}", instead(watch.point, keys)


def _no_equipment(name: str, things: _Things) -> Finding:
    return ("equipment",), f"the site has no equipment {name!r}", instead(name, things)
