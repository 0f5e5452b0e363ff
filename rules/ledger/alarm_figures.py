"""How much the alarms ask of the people on duty, after ISA-18.2: computed over many rows at once.

An alarm counts when somebody was called for it, so what another explains does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, func, select, tuple_

from gateway.model.moment import DAY, MINUTE
from gateway.model.point import Text
from rules.alarms.lifecycle import AlarmEvent, AlarmState
from rules.ledger.rows import AlarmReference, alarm_reference_of
from rules.ledger.tables.alarms import alarm, alarm_event
from rules.priority import Priority

WINDOW = 10 * MINUTE
FLOOD = 10
"""Alarms within :data:`WINDOW`; more are a flood (EEMUA 191)."""
CHATTERS = 3
"""So often within a minute it comes up."""
STALE = DAY
"""µs that an alarm may be up before it counts as stale."""
_AT_MOST = 100
"""Stale and chattering ones that are named."""
_TOP = 10
_UP = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)
_COMES = (AlarmEvent.RAISE, AlarmEvent.RELAPSE)

_Times = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadRule:
    """A rule on one piece of equipment, and how often it has come up."""

    rule: str
    name: Text
    equipment: str
    equipment_name: Text
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmFigures:
    start: int
    end: int
    alarms: int
    busiest_10_min: int
    flood_share: float
    by_priority: Mapping[Priority, int]
    top: Sequence[LoadRule]
    chattering: Sequence[LoadRule]
    stale: Sequence[AlarmReference]
    shelved: int
    suppressed: int
    unordered: int

    @property
    def per_day(self) -> float:
        return self.alarms * DAY / (self.end - self.start)


def read(connection: Connection, site: str, start: int, end: int) -> AlarmFigures:
    """Of the alarms between ``start`` and ``end`` (µs UTC); what is said of the present is said
    of now."""
    return _Reader(connection, site, start, end).figures()


def busiest(times: _Times, window: int = WINDOW) -> int:
    """The most of ``times`` (in order) within ``window``."""
    if not times.size:
        return 0
    return int((np.searchsorted(times, times + window) - np.arange(times.size)).max())


def flood_share(times: _Times, start: int, end: int) -> float:
    """The share of the time in which the ten minutes before held more than :data:`FLOOD`."""
    steps = np.concatenate([times, times + WINDOW])
    change = np.concatenate([np.ones(times.size, np.int64), -np.ones(times.size, np.int64)])
    order = np.argsort(steps, kind="stable")
    at = np.clip(np.append(steps[order], end), start, end)
    lasted = np.diff(at)
    return float(lasted[np.cumsum(change[order]) > FLOOD].sum() / (end - start))


class _Reader:
    def __init__(self, connection: Connection, site: str, start: int, end: int) -> None:
        self._connection = connection
        self._site = site
        self._start = start
        self._end = end

    def figures(self) -> AlarmFigures:
        rows = self._rows()
        called = self._called()
        mine = [row for row in rows if row.id in called]
        times = np.sort(np.fromiter(called.values(), np.int64, len(called)))
        counts: dict[tuple[str, str], int] = {}
        priorities = dict.fromkeys(Priority, 0)
        for row in mine:
            pair = (row.rule, row.equipment)
            counts[pair] = counts.get(pair, 0) + row.count
            priorities[Priority(row.priority)] += 1
        top = sorted(counts, key=lambda pair: (-counts[pair], pair))[:_TOP]
        return AlarmFigures(
            start=self._start,
            end=self._end,
            alarms=len(mine),
            busiest_10_min=busiest(times[times >= self._start]),
            flood_share=flood_share(times, self._start, self._end),
            by_priority=priorities,
            top=self._named(top, counts),
            chattering=self._named(self._chattering(), counts),
            stale=self._stale(),
            shelved=self._count(alarm.c.state == AlarmState.SHELVED.value),
            suppressed=sum(row.explained_by is not None for row in rows),
            unordered=sum(row.order_id is None for row in mine),
        )

    def _rows(self) -> Sequence[Any]:
        return self._connection.execute(
            select(
                alarm.c.id,
                alarm.c.rule,
                alarm.c.equipment,
                alarm.c.priority,
                alarm.c.count,
                alarm.c.explained_by,
                alarm.c.order_id,
            )
            .where(alarm.c.site_id == self._site)
            .where(alarm.c.raised_at >= self._start, alarm.c.raised_at < self._end)
        ).all()

    def _called(self) -> dict[str, int]:
        """Alarm → when somebody was called first; also those just before, who make a flood."""
        asked = (
            select(alarm_event.c.alarm_id, alarm_event.c.at)
            .where(alarm_event.c.site_id == self._site)
            .where(alarm_event.c.event == AlarmEvent.RAISE.value)
            .where(alarm_event.c.at >= self._start - WINDOW, alarm_event.c.at < self._end)
        )
        return {row.alarm_id: row.at for row in self._connection.execute(asked)}

    def _chattering(self) -> list[tuple[str, str]]:
        """What came up often within a minute, or so often that its steps were told of together."""
        of_alarm = and_(
            alarm.c.site_id == alarm_event.c.site_id, alarm.c.id == alarm_event.c.alarm_id
        )
        asked = (
            select(
                alarm.c.rule,
                alarm.c.equipment,
                alarm_event.c.at,
                alarm_event.c.from_state == alarm_event.c.to_state,
            )
            .join_from(alarm_event, alarm, of_alarm)
            .where(alarm_event.c.site_id == self._site)
            .where(alarm_event.c.event.in_(_COMES), alarm.c.count >= CHATTERS)
            .where(alarm_event.c.at >= self._start, alarm_event.c.at < self._end)
            .order_by(alarm_event.c.at)
        )
        times: dict[tuple[str, str], list[int]] = {}
        found = set()
        for rule, equipment, at, together in self._connection.execute(asked):
            pair = (rule, equipment)
            before = times.setdefault(pair, [])
            before.append(at)
            if together or (len(before) >= CHATTERS and at - before[-CHATTERS] <= MINUTE):
                found.add(pair)
        return sorted(found)[:_AT_MOST]

    def _stale(self) -> list[AlarmReference]:
        asked = (
            select(alarm)
            .where(alarm.c.site_id == self._site, alarm.c.state.in_(_UP))
            .where(func.coalesce(alarm.c.last_raised_at, alarm.c.raised_at) < self._end - STALE)
            .order_by(alarm.c.raised_at, alarm.c.id)
            .limit(_AT_MOST)
        )
        return [alarm_reference_of(row) for row in self._connection.execute(asked).mappings()]

    def _count(self, where: ColumnElement[bool]) -> int:
        asked = select(func.count()).select_from(alarm).where(alarm.c.site_id == self._site, where)
        return self._connection.execute(asked).scalar_one()

    def _named(
        self, pairs: Sequence[tuple[str, str]], counts: Mapping[tuple[str, str], int]
    ) -> list[LoadRule]:
        """In the words of their newest alarm."""
        if not pairs:
            return []
        columns = (alarm.c.rule, alarm.c.equipment, alarm.c.name, alarm.c.equipment_name)
        asked = (
            select(*columns)
            .where(alarm.c.site_id == self._site)
            .where(tuple_(alarm.c.rule, alarm.c.equipment).in_(pairs))
            .where(alarm.c.raised_at >= self._start, alarm.c.raised_at < self._end)
            .order_by(alarm.c.raised_at)
        )
        words = {(row.rule, row.equipment): row for row in self._connection.execute(asked)}
        return [
            LoadRule(
                rule=pair[0],
                name=Text(**words[pair].name),
                equipment=pair[1],
                equipment_name=Text(**words[pair].equipment_name),
                count=counts.get(pair, 0),
            )
            for pair in pairs
            if pair in words
        ]
