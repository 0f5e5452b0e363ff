"""What befalls the simulated equipment, read from a file: faults with their times, and watches.

A scenario plays once, from the first start of the simulated world; times count from there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gateway.documents import ConfigurationError, Document, Parsed, Problem, read
from gateway.durations import Duration
from gateway.file_fields import PointKey, Slug, Words, instead
from gateway.model.equipment import Site
from gateway.model.moment import SECOND

SHIPPED = Path(__file__).parent / "scenarios"

FAULTS = {"overheating": "pump", "burnt-out": "lamp"}
"""Fault kind → class of the equipment it can befall."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One fault of one thing. Times in s since the world began."""

    equipment: str
    kind: str
    begins: float
    ends: float
    rise: float
    """K; only for ``overheating``."""


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
    demand: float
    swing: float
    period: float
    faults: tuple[Fault, ...]
    watches: tuple[Watch, ...]
    fingerprint: str


class _Water(Document):
    demand: Annotated[float, Field(ge=0, le=6)]
    swing: Annotated[float, Field(ge=0, le=3)]
    period: Duration


class _Fault(Document):
    at: Duration
    lasts: Duration
    equipment: Slug
    kind: Literal["overheating", "burnt-out"]
    rise: Annotated[float, Field(gt=0, le=200)] | None = None

    @model_validator(mode="after")
    def _rise_where_it_heats(self) -> _Fault:
        if (self.kind == "overheating") != (self.rise is not None):
            raise ValueError("rise belongs to an overheating, and to that alone")
        return self


class _Watch(Document):
    equipment: Slug
    point: PointKey
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> _Watch:
        if (self.above is None) == (self.below is None):
            raise ValueError("needs one of above and below")
        return self


class _ScenarioFile(Document):
    name: Words
    ambient: Annotated[float, Field(ge=-40, le=60)]
    motor_time: Duration
    water: _Water
    faults: tuple[_Fault, ...] = ()
    watch: tuple[_Watch, ...] = ()


def find(site: Site) -> Path:
    """The file of the site's scenario: a shipped one by its name, or a path beside the site file.

    Raises :class:`ConfigurationError` if the site names none that exists.
    """
    name = site.scenario or ""
    path = SHIPPED / f"{name}.yaml" if not name.endswith(".yaml") else _beside(site, name)
    if name and path.is_file():
        return path
    shipped = [file.stem for file in SHIPPED.glob("*.yaml")]
    raise ConfigurationError(
        [
            Problem(
                file=site.file,
                line=1,
                name="simulation.scenario",
                wrong=f"there is no scenario {name!r}" if name else "is missing",
                mend=f"{instead(name, shipped)}, or give a .yaml file beside the site file",
            )
        ]
    )


def _beside(site: Site, name: str) -> Path:
    return Path(site.file).parent / name


def load(site: Site) -> Scenario:
    """The scenario of ``site``; raises :class:`ConfigurationError` with every problem in it."""
    path = find(site)
    parsed = read(path, _ScenarioFile)
    problems = list(_problems(site, parsed))
    if problems:
        raise ConfigurationError(problems)
    content = parsed.content
    return Scenario(
        id=path.stem,
        ambient=content.ambient,
        motor_time=content.motor_time / SECOND,
        demand=content.water.demand,
        swing=content.water.swing,
        period=content.water.period / SECOND,
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
        fingerprint=hashlib.sha256(parsed.text.encode()).hexdigest()[:16],
    )


def _problems(site: Site, parsed: Parsed[_ScenarioFile]) -> Iterator[Problem]:
    for index, fault in enumerate(parsed.content.faults):
        thing = site.equipment.get(fault.equipment)
        if thing is None:
            yield _unknown_equipment(site, parsed, "faults", index, fault.equipment)
        elif thing.equipment_class != FAULTS[fault.kind]:
            yield parsed.problem(
                ("faults", index, "kind"),
                f"{fault.kind!r} cannot befall {thing.id}, which is a {thing.equipment_class}",
                f"name a {FAULTS[fault.kind]}",
            )
    for index, watch in enumerate(parsed.content.watch):
        thing = site.equipment.get(watch.equipment)
        if thing is None:
            yield _unknown_equipment(site, parsed, "watch", index, watch.equipment)
            continue
        keys = {point.key for point in thing.points}
        if watch.point not in keys:
            yield parsed.problem(
                ("watch", index, "point"),
                f"{thing.id} has no point {watch.point!r}",
                instead(watch.point, keys),
            )


def _unknown_equipment(
    site: Site, parsed: Parsed[_ScenarioFile], part: str, index: int, name: str
) -> Problem:
    return parsed.problem(
        (part, index, "equipment"),
        f"the site has no equipment {name!r}",
        instead(name, site.equipment),
    )
