"""Reading work orders: each with its alarms, its clocks and pauses, and who has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, select

from gateway.model.point import Text
from rules.ledger import proof_view
from rules.ledger.own_days import own_days
from rules.ledger.rows import (
    FindingReference,
    OrderSource,
    Promise,
    Requester,
    WorkOrder,
    instant,
    instant_if,
)
from rules.ledger.tables.alarms import alarm
from rules.ledger.tables.orders import order_clock, order_pause
from rules.ledger.tables.people import user
from rules.ledger.tables.rounds import round_finding
from rules.orders.clock import CalendarKind, Clock, ClockName, Pause
from rules.orders.lifecycle import OrderState
from rules.priority import Priority


def read(connection: Connection, site: str, query: Select[*tuple[object, ...]]) -> list[WorkOrder]:
    """The orders of a query of :data:`work_order` rows, in its order."""
    rows = connection.execute(query).mappings().all()
    if not rows:
        return []
    ids = [row["id"] for row in rows]
    found = _Found(connection, site, ids)
    alarms = found.alarms()
    findings = found.findings([row["finding"] for row in rows])
    clocks, pauses = found.clocks(), found.pauses()
    names = found.names([row["assigned_to"] for row in rows])
    shown = proof_view.of_orders(connection, site, ids)
    needs_days = any(
        clock.calendar is CalendarKind.WORKING_TIME for one in clocks.values() for clock in one
    )
    days = own_days(connection, site) if needs_days else None
    return [
        WorkOrder(
            **_plain(row),
            alarms=tuple(alarms[row["id"]]),
            finding=findings.get(row["finding"]),
            assigned_name=names.get(row["assigned_to"]),
            proofs=tuple(shown.get(row["id"], ())),
            clocks=tuple(clocks[row["id"]]),
            pauses=tuple(pauses[row["id"]]),
            calendar=days,
        )
        for row in rows
    ]


def clock_of(row: RowMapping) -> Clock:
    return Clock(
        name=ClockName(row["name"]),
        limit=row["limit"],
        calendar=CalendarKind(row["calendar"]),
        started=instant_if(row, "started"),
        due=instant_if(row, "due"),
        stopped=instant_if(row, "stopped"),
        breached_at=row["breached_at"],
        steps_taken=row["steps_taken"],
    )


def pause_of(row: RowMapping) -> Pause:
    return Pause(start=instant(row, "from"), end=instant_if(row, "to"), why=row["why"])


_AS_THEY_LIE = (
    "id",
    "number",
    "equipment",
    "area",
    "category",
    "cause_key",
    "created_at",
    "close_after",
    "accepted_at",
    "accepted_by",
    "completed_by",
    "note",
    "closed_at",
    "description",
    "created_by",
    "assigned_at",
    "assigned_to",
    "arrived_at",
    "started_at",
    "suspended_why",
    "both_crews",
    "cause_code",
    "remedy_code",
    "labour_minutes",
    "cost",
    "verified_at",
    "verified_by",
    "visited_at",
    "visited_by",
    "satisfied",
    "voided_at",
    "escalated_to",
)


def _plain(row: RowMapping) -> dict[str, Any]:
    """What the row itself says."""
    promised = row["promised_until"] is not None
    return {
        **{name: row[name] for name in _AS_THEY_LIE},
        "equipment_name": Text(**row["equipment_name"]),
        "category_name": Text(**row["category_name"]),
        "title": Text(**row["title"]),
        "priority": Priority(row["priority"]),
        "state": OrderState(row["state"]),
        "source": OrderSource(row["source"]),
        "completed": instant_if(row, "completed"),
        "materials": tuple(row["materials"]),
        "requester": None if row["requester"] is None else Requester(**row["requester"]),
        "promise": Promise(
            until=row["promised_until"],
            by=row["promised_by"],
            postponed=row["promise_postponed"],
            reason=row["promise_reason"],
        )
        if promised
        else None,
    }


class _Found:
    """What belongs to a handful of orders."""

    def __init__(self, connection: Connection, site: str, ids: Sequence[str]) -> None:
        self._connection = connection
        self._site = site
        self._ids = ids

    def alarms(self) -> Mapping[str, Sequence[str]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        query = (
            select(alarm.c.order_id, alarm.c.id)
            .where(alarm.c.site_id == self._site, alarm.c.order_id.in_(self._ids))
            .order_by(alarm.c.raised_at, alarm.c.id)
        )
        for order_id, alarm_id in self._connection.execute(query):
            found[order_id].append(alarm_id)
        return found

    def findings(self, ids: Sequence[str | None]) -> Mapping[str, FindingReference]:
        named = [one for one in ids if one is not None]
        if not named:
            return {}
        columns = (round_finding.c.id, round_finding.c.round_id, round_finding.c.item)
        here = and_(round_finding.c.site_id == self._site, round_finding.c.id.in_(named))
        return {
            row.id: FindingReference(id=row.id, round=row.round_id, item=row.item)
            for row in self._connection.execute(select(*columns).where(here))
        }

    def clocks(self) -> Mapping[str, Sequence[Clock]]:
        """In the order in which they end: accepting, arriving, completing."""
        found: defaultdict[str, list[Clock]] = defaultdict(list)
        here = and_(order_clock.c.site_id == self._site, order_clock.c.order_id.in_(self._ids))
        for row in self._connection.execute(select(order_clock).where(here)).mappings():
            found[row["order_id"]].append(clock_of(row))
        for clocks in found.values():
            clocks.sort(key=lambda clock: list(ClockName).index(clock.name))
        return found

    def pauses(self) -> Mapping[str, Sequence[Pause]]:
        found: defaultdict[str, list[Pause]] = defaultdict(list)
        here = and_(order_pause.c.site_id == self._site, order_pause.c.order_id.in_(self._ids))
        query = select(order_pause).where(here).order_by(order_pause.c.number)
        for row in self._connection.execute(query).mappings():
            found[row["order_id"]].append(pause_of(row))
        return found

    def names(self, usernames: Sequence[str | None]) -> Mapping[str | None, str]:
        named = [one for one in usernames if one is not None]
        if not named:
            return {}
        query = select(user.c.username, user.c.display_name).where(user.c.username.in_(named))
        return {row.username: row.display_name for row in self._connection.execute(query)}
