"""The site and its equipment as documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api import models
from api.views import words
from api.views.readings import Readings
from gateway.latest import Received
from gateway.model.equipment import Equipment, Site
from gateway.model.moment import SECOND, Instant
from gateway.model.point import Point
from gateway.model.quality import Quality
from rules.ledger.rows import Alarm
from rules.rule import Comparison, Priority, Rule, Rulebook

_PROBES_AT_MOST_EVERY = 30 * SECOND
"""A gateway whose devices are all dead still says so this often."""
_MARGIN = 5 * SECOND

_RANK = {priority: rank for rank, priority in enumerate(Priority)}
"""0: the worst; the members are written in this order."""


@dataclass(frozen=True, kw_only=True)
class EquipmentViews:
    """Equipment with its readings, its limits and what is open on it."""

    site: Site
    rulebook: Rulebook
    readings: Readings
    alarms: Iterable[Alarm]
    """Those of the site that call for somebody."""

    def documents(self, things: Iterable[Equipment]) -> list[models.Equipment]:
        open_on: defaultdict[str, list[Alarm]] = defaultdict(list)
        for alarm in self.alarms:
            open_on[alarm.equipment].append(alarm)
        return [self._document(thing, open_on[thing.id]) for thing in things]

    def _document(self, thing: Equipment, alarms: Sequence[Alarm]) -> models.Equipment:
        rules = self.rulebook.of_equipment(thing)
        worst = min((alarm.priority for alarm in alarms), key=_RANK.__getitem__, default=None)
        qualities = (self.readings.quality(point.id) for point in thing.points)
        return models.Equipment(
            id=thing.id,
            name=words.text(thing.name),
            equipment_class=thing.equipment_class,
            profile=thing.profile,
            vendor=thing.vendor,
            model=words.text(thing.model),
            area=thing.area,
            link=thing.link,
            supplied_by=thing.supplied_by,
            supplies=list(self.site.supplies[thing.id]),
            behind=thing.behind,
            twin=None if thing.twin is None else thing.twin.id,
            worst_priority=None if worst is None else worst.value,
            open_alarms=len(alarms),
            quality=max(qualities, default=Quality.BAD).word,
            points=[self._point(point, rules) for point in thing.points],
        )

    def _point(self, point: Point, rules: Sequence[Rule]) -> models.Point:
        return models.Point(
            id=point.id,
            key=point.key,
            name=words.text(point.name),
            kind=point.kind.value,
            unit=point.unit,
            decimals=point.decimals,
            low=point.low,
            high=point.high,
            states={str(code): words.text(name) for code, name in point.states.items()},
            limits=[limit for rule in rules for limit in _limits(rule, point)],
            reading=self.readings.document(point.id),
        )


def _limits(rule: Rule, point: Point) -> list[models.Limit]:
    """The band that ``rule`` draws on ``point``, if it does."""
    if rule.point != point.key or rule.condition.measure is not None:
        return []
    match rule.condition.comparison:
        case Comparison.ABOVE:
            above, below = rule.condition.limit, None
        case Comparison.BELOW:
            above, below = None, rule.condition.limit
        case _:
            return []
    return [
        models.Limit(
            rule=rule.id,
            name=words.text(rule.name),
            above=above,
            below=below,
            priority=rule.priority.value,
        )
    ]


def site(site: Site, *, now: Instant, received: Received | None, version: str) -> models.Site:
    """``site`` and its gateway; ``received``: when its newest record came in."""
    return models.Site(
        id=site.id,
        name=words.text(site.name),
        timezone=site.timezone,
        areas=[
            models.AreaSummary(id=area.id, name=words.text(area.name))
            for area in site.areas.values()
        ],
        now=words.moment(now.wall, site.zone),
        version=version,
        simulated=site.scenario is not None,
        gateway=models.GatewayState(
            id=site.gateway,
            last_received=words.moment_if(None if received is None else received.wall, site.zone),
            ok=is_heard(site, now, received),
        ),
    )


def is_heard(site: Site, now: Instant, received: Received | None) -> bool:
    """Whether the gateway's last record is as young as it has to be, by its clock and by ours."""
    age = None if received is None else received.age(now)
    if age is None:
        return False
    shortest = min((thing.poll for thing in site.equipment.values()), default=0)
    return age <= max(_PROBES_AT_MOST_EVERY, 3 * shortest) + _MARGIN
