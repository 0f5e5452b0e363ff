"""Reads of one site: everything asked of one view is of the same moment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, Select, and_, func, or_, select

from gateway.model.moment import Instant
from rules.ledger import alarm_view, order_view
from rules.ledger.aside import ServiceBreak, ShelfInForce
from rules.ledger.rows import (
    Alarm,
    AlarmReference,
    Change,
    ChangeKind,
    LifecycleEvent,
    WorkOrder,
    event_of,
    instant,
)
from rules.ledger.tables.alarms import alarm, alarm_event
from rules.ledger.tables.orders import order_event, work_order
from rules.ledger.tables.work import change, cursor


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
        area: str | None = None,
        equipment: str | None = None,
        ids: Sequence[str] | None = None,
        areas: Collection[str] = (),
    ) -> list[Alarm]:
        """Newest first; None: all; ``before``: (raised_at, id) of the last one seen; ``areas``:
        in one of these, if any is named."""
        query = alarm_view.query(self.site)
        query = query.order_by(alarm.c.raised_at.desc(), alarm.c.id.desc())
        for column, wanted in ((alarm.c.area, area), (alarm.c.equipment, equipment)):
            if wanted is not None:
                query = query.where(column == wanted)
        if areas:
            query = query.where(alarm.c.area.in_(areas))
        if ids is not None:
            query = query.where(alarm.c.id.in_(ids))
        if states is not None:
            query = query.where(alarm.c.state.in_(states))
        if before is not None:
            at, last = before
            older = and_(alarm.c.raised_at == at, alarm.c.id < last)
            query = query.where(or_(alarm.c.raised_at < at, older))
        return alarm_view.read(self.connection, self.site, query.limit(limit))

    def alarm(self, alarm_id: str) -> Alarm | None:
        query = alarm_view.query(self.site).where(alarm.c.id == alarm_id)
        found = alarm_view.read(self.connection, self.site, query)
        return found[0] if found else None

    def explained(self, alarm_id: str) -> list[AlarmReference]:
        """What an alarm explains at present, the first first."""
        return alarm_view.explained(self.connection, self.site, alarm_id)

    def shelves(self) -> list[ShelfInForce]:
        """What ends first first."""
        return alarm_view.shelves(self.connection, self.site)

    def service_breaks(self) -> list[ServiceBreak]:
        """The newest first."""
        return alarm_view.service_breaks(self.connection, self.site)

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
        assigned_to: str | None = None,
        area: str | None = None,
        equipment: str | None = None,
        source: str | None = None,
        areas: Collection[str] = (),
    ) -> list[WorkOrder]:
        """Newest first; None: all; ``before``: the number of the last one seen; ``areas``: in one
        of these, if any is named."""
        query = select(work_order).where(work_order.c.site_id == self.site)
        if areas:
            query = query.where(work_order.c.area.in_(areas))
        if states is not None:
            query = query.where(work_order.c.state.in_(states))
        if before is not None:
            query = query.where(work_order.c.number < before)
        wanted = ((work_order.c.assigned_to, assigned_to), (work_order.c.area, area))
        more = ((work_order.c.source, source), (work_order.c.equipment, equipment))
        for column, value in (*wanted, *more):
            if value is not None:
                query = query.where(column == value)
        query = query.order_by(work_order.c.number.desc()).limit(limit)
        return order_view.read(self.connection, self.site, query)

    def order(self, order_id: str) -> WorkOrder | None:
        query = select(work_order).where(
            work_order.c.site_id == self.site, work_order.c.id == order_id
        )
        found = order_view.read(self.connection, self.site, query)
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

    def _events(self, query: Select[*tuple[object, ...]]) -> list[LifecycleEvent]:
        return [event_of(row) for row in self._rows(query)]

    def _rows(self, query: Select[*tuple[object, ...]]) -> Sequence[RowMapping]:
        return self.connection.execute(query).mappings().all()
