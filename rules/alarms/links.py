"""A link as a piece of equipment, so that its loss is an alarm like any other.

Its point ``up``: the gateway says when all units of a link are gone and when one is back; and
every usable reading that came over it says that it is there. Where not even a lost link is told
of, the gateway itself is silent, and a rule for no data on ``heard`` finds that. Only a link that
is polled often has that point: of one that is not, silence says nothing. Devices behind a broker
speak when they like, or have no power; whether the broker is there the gateway does say.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gateway.model.equipment import Equipment, Link, MqttLink, Site, link_name
from gateway.model.events import GatewayEvent, GatewayEventKind, Record
from gateway.model.frame import Frame
from gateway.model.moment import SECOND, Instant
from gateway.model.point import Point, PointKind, Text
from gateway.model.quality import Quality
from rules.alarms.topology import LINK_CLASS, link_id

UP = "up"
HEARD = "heard"
_HEARD_EVERY = 10 * SECOND
"""µs within which a link that brings readings says so once."""
_OFTEN = 20 * SECOND
"""µs between two polls at the most, where a minute without a reading is a silence."""
_STATES = {0: Text(zh="中断", en="down"), 1: Text(zh="正常", en="up")}


def link_points() -> tuple[Point, ...]:
    """What a link may have, of no link in particular."""
    return _point(LINK_CLASS, UP), _point(LINK_CLASS, HEARD)


_NAMES = {UP: Text(zh="通信", en="Connection"), HEARD: Text(zh="收到数据", en="Data received")}


def _point(equipment: str, key: str, stale_after: int = 3 * _HEARD_EVERY) -> Point:
    return Point(
        id=f"{equipment}.{key}",
        equipment=equipment,
        key=key,
        name=_NAMES[key],
        kind=PointKind.FLAG,
        low=0,
        high=1,
        states=_STATES,
        stale_after=stale_after,
    )


def link_equipment(site: Site) -> list[Equipment]:
    """One for each link that something is read over; in the area of what the site names first."""
    made = []
    for link in site.links:
        areas = [thing.area for thing in site.equipment.values() if thing.link == link]
        if areas:
            keys = (UP, HEARD) if link in _polled_often(site) else (UP,)
            area, heard_within = areas[0], _heard_within(site, link)
            made.append(_equipment(site.links[link], area, keys, heard_within))
    return made


def _polled_often(site: Site) -> frozenset[str]:
    """The links of which something is to be heard all the time."""
    return frozenset(
        thing.link
        for thing in site.equipment.values()
        if not isinstance(site.links[thing.link], MqttLink) and thing.poll <= _OFTEN
    )


def _heard_within(site: Site, link: str) -> int:
    """µs within which the one that speaks most often is to be heard."""
    things = [thing for thing in site.equipment.values() if thing.link == link]
    soonest = min((point.stale_after for thing in things for point in thing.points), default=0)
    return max(3 * _HEARD_EVERY, _HEARD_EVERY + soonest)


def _equipment(link: Link, area: str, keys: tuple[str, ...], heard_within: int) -> Equipment:
    name, said = link_id(link.id), link_name(link)
    return Equipment(
        id=name,
        name=Text(zh=f"通信链路 {said.zh}", en=f"Link {said.en}"),
        equipment_class=LINK_CLASS,
        profile=LINK_CLASS,
        model=Text(zh="通信链路", en="Link"),
        area=area,
        link=link.id,
        unit=None,
        poll=_HEARD_EVERY,
        points=tuple(_point(name, key, heard_within) for key in keys),
    )


def frame_of(event: GatewayEvent) -> Frame | None:
    """What ``event`` says of a link; None if it is not about one."""
    match event.kind:
        case GatewayEventKind.LINK_UP:
            return _frame(event.subject, {UP: 1.0})
        case GatewayEventKind.LINK_DOWN:
            return _frame(event.subject, {UP: 0.0})
    return None


def _frame(link: str, said: Mapping[str, float]) -> Frame:
    return Frame(
        points=tuple(f"{link_id(link)}.{key}" for key in said),
        value=np.array(list(said.values())),
        quality=np.full(len(said), Quality.GOOD, np.uint8),
        source_time=np.zeros(len(said), np.int64),
    )


class LinkWatch:
    """What the records of a gateway say of its links, now and then."""

    def __init__(self, site: Site) -> None:
        self._link = {thing.id: thing.link for thing in site.equipment.values()}
        self._polled_often = _polled_often(site)
        self._of_points: dict[tuple[str, ...], str | None] = {}
        self._heard: dict[str, Instant] = {}

    def take(self, record: Record) -> Frame | None:
        """A frame for :meth:`~rules.alarms.conditions.Conditions.step`; None: nothing new."""
        body, at = record.body, record.envelope.at
        if isinstance(body, GatewayEvent):
            return frame_of(body)
        link = self._link_of(body.points)
        if link is None or not (body.quality < Quality.STALE).any():
            return None
        last = self._heard.get(link)
        if last is not None and 0 <= at.since(last) < _HEARD_EVERY:
            return None
        self._heard[link] = at
        return _frame(link, {UP: 1.0, HEARD: 1.0} if link in self._polled_often else {UP: 1.0})

    def _link_of(self, points: tuple[str, ...]) -> str | None:
        if points not in self._of_points:
            if len(self._of_points) >= 4096:
                self._of_points.clear()
            equipment = points[0].rpartition(".")[0] if points else ""
            self._of_points[points] = self._link.get(equipment)
        return self._of_points[points]
