"""Reads of one site: everything asked of one view is of the same moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, RowMapping, Select, and_, func, or_, select

from gateway.model.moment import Instant
from rules.ledger.rows import (
    Alarm,
    Change,
    ChangeKind,
    FindingReference,
    LifecycleEvent,
    WorkOrder,
    alarm_of,
    event_of,
    instant,
    order_of,
)
from rules.ledger.tables.rounds import round_finding
from rules.ledger.tables.work import alarm, alarm_event, change, cursor, order_event, work_order


@dataclass(frozen=True, slots=True)
class View:
    connection: Connection
    site: str

    def alarms(
        self,
        *,
        states: Sequence[str] | None = None,
        limit: int | None = None,
        before: tuple[int, str] | None = None,
    ) -> list[Alarm]:
        """Newest first; ``states`` None: all; ``before``: (raised_at, id) of the last one seen."""
        query = self._alarms().order_by(alarm.c.raised_at.desc(), alarm.c.id.desc())
        if states is not None:
            query = query.where(alarm.c.state.in_(states))
        if before is not None:
            at, last = before
            older = and_(alarm.c.raised_at == at, alarm.c.id < last)
            query = query.where(or_(alarm.c.raised_at < at, older))
        return [alarm_of(row) for row in self._rows(query.limit(limit))]

    def alarm(self, alarm_id: str) -> Alarm | None:
        rows = self._rows(self._alarms().where(alarm.c.id == alarm_id))
        return alarm_of(rows[0]) if rows else None

    def alarm_events(self, alarm_id: str) -> list[LifecycleEvent]:
        """Oldest first."""
        return self._events(
            select(alarm_event)
            .where(alarm_event.c.site_id == self.site, alarm_event.c.alarm_id == alarm_id)
            .order_by(alarm_event.c.change)
        )

    def orders(
        self,
        *,
        states: Sequence[str] | None = None,
        limit: int | None = None,
        before: int | None = None,
    ) -> list[WorkOrder]:
        """Newest first; ``states`` None: all; ``before``: the number of the last one seen."""
        query = select(work_order).where(work_order.c.site_id == self.site)
        if states is not None:
            query = query.where(work_order.c.state.in_(states))
        if before is not None:
            query = query.where(work_order.c.number < before)
        return self._orders(query.order_by(work_order.c.number.desc()).limit(limit))

    def order(self, order_id: str) -> WorkOrder | None:
        found = self._orders(
            select(work_order).where(work_order.c.site_id == self.site, work_order.c.id == order_id)
        )
        return found[0] if found else None

    def order_events(self, order_id: str) -> list[LifecycleEvent]:
        """Oldest first."""
        return self._events(
            select(order_event)
            .where(order_event.c.site_id == self.site, order_event.c.order_id == order_id)
            .order_by(order_event.c.change)
        )

    def changes_after(self, last: int, limit: int) -> list[Change]:
        """The changes since ``last``, oldest first."""
        rows = self._rows(
            select(change)
            .where(change.c.site_id == self.site, change.c.id > last)
            .order_by(change.c.id)
            .limit(limit)
        )
        return [
            Change(
                id=row["id"],
                kind=ChangeKind(row["kind"]),
                subject=row["subject"],
                at=row["at"],
            )
            for row in rows
        ]

    def last_change_id(self) -> int:
        """0 where nothing has happened yet."""
        query = select(func.max(change.c.id)).where(change.c.site_id == self.site)
        return self.connection.execute(query).scalar_one() or 0

    def committed(self, gateway: str) -> Instant | None:
        """When the rules last committed what ``gateway`` said, by their clocks; None: never."""
        rows = self._rows(
            select(cursor)
            .where(cursor.c.site_id == self.site, cursor.c.gateway == gateway)
            .order_by(cursor.c.ordinal.desc())
            .limit(1)
        )
        return instant(rows[0], "at") if rows else None

    def _alarms(self) -> Select[*tuple[object, ...]]:
        same = and_(work_order.c.site_id == alarm.c.site_id, work_order.c.id == alarm.c.order_id)
        return (
            select(alarm, work_order.c.number.label("order_number"))
            .join_from(alarm, work_order, same, isouter=True)
            .where(alarm.c.site_id == self.site)
        )

    def _orders(self, query: Select[*tuple[object, ...]]) -> list[WorkOrder]:
        rows = self._rows(query)
        alarms: defaultdict[str, list[str]] = defaultdict(list)
        if rows:
            joined = (
                select(alarm.c.order_id, alarm.c.id)
                .where(alarm.c.site_id == self.site)
                .where(alarm.c.order_id.in_([row["id"] for row in rows]))
                .order_by(alarm.c.raised_at, alarm.c.id)
            )
            pair: Row[str, str]
            for pair in self.connection.execute(joined):
                alarms[pair[0]].append(pair[1])
        findings = self._findings([row["finding"] for row in rows])
        return [
            order_of(row, tuple(alarms[row["id"]]), findings.get(row["finding"])) for row in rows
        ]

    def _findings(self, ids: Sequence[str | None]) -> dict[str, FindingReference]:
        named = [found for found in ids if found is not None]
        if not named:
            return {}
        columns = (round_finding.c.id, round_finding.c.round_id, round_finding.c.item)
        here = and_(round_finding.c.site_id == self.site, round_finding.c.id.in_(named))
        return {
            row.id: FindingReference(id=row.id, round=row.round_id, item=row.item)
            for row in self.connection.execute(select(*columns).where(here))
        }

    def _events(self, query: Select[*tuple[object, ...]]) -> list[LifecycleEvent]:
        return [event_of(row) for row in self._rows(query)]

    def _rows(self, query: Select[*tuple[object, ...]]) -> Sequence[RowMapping]:
        return self.connection.execute(query).mappings().all()
