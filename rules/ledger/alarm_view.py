"""Reading alarms: each with its order, its shelf, and what explains it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection, FromClause, RowMapping, Select, and_, select

from rules.alarms.lifecycle import AlarmState
from rules.ledger.aside import ServiceBreak, ShelfInForce
from rules.ledger.rows import Alarm, AlarmReference, Shelf, alarm_of, alarm_reference_of
from rules.ledger.tables.alarms import alarm, service_break, shelf
from rules.ledger.tables.orders import work_order
from rules.ledger.tables.planned_tests import alarm_test
from rules.ledger.tables.work import timer
from rules.planned_tests import AlarmTest, Hold

_AT_ONCE = 500
"""Ids in one question."""

_Group = tuple[int, tuple[int, str]]
"""How many alarms one explains, and the first of them: (µs of its first reading, id)."""


def query(site: str) -> Select[*tuple[object, ...]]:
    """The alarms of ``site``, for :func:`read`."""
    same = and_(work_order.c.site_id == alarm.c.site_id, work_order.c.id == alarm.c.order_id)
    expires, shelf_over = timer.alias("expires"), timer.alias("shelf_over")
    orders = timer.alias("orders")
    put_aside = and_(
        shelf.c.site_id == alarm.c.site_id,
        shelf.c.rule == alarm.c.rule,
        shelf.c.equipment == alarm.c.equipment,
    )
    on_shelf = shelf.c.rule + " " + shelf.c.equipment
    tested = and_(alarm_test.c.site_id == alarm.c.site_id, alarm_test.c.alarm_id == alarm.c.id)
    return (
        select(
            alarm,
            work_order.c.number.label("order_number"),
            expires.c.due_wall.label("acknowledged_until"),
            shelf_over.c.due_wall.label("shelf_until"),
            orders.c.due_wall.label("order_at"),
            shelf.c.by.label("shelf_by"),
            shelf.c.reason.label("shelf_reason"),
            alarm_test.c.test_id.label("test_id"),
            alarm_test.c.hold.label("test_hold"),
            alarm_test.c.until_wall.label("test_until"),
            alarm_test.c.confirmed_at.label("test_confirmed_at"),
            alarm_test.c.confirmed_by.label("test_confirmed_by"),
        )
        .join_from(alarm, work_order, same, isouter=True)
        .outerjoin(expires, _timer_of(expires, "ack_expires", alarm.c.id))
        .outerjoin(orders, _timer_of(orders, "order", alarm.c.id))
        .outerjoin(shelf, put_aside)
        .outerjoin(shelf_over, _timer_of(shelf_over, "shelf_over", on_shelf))
        .outerjoin(alarm_test, tested)
        .where(alarm.c.site_id == site)
    )


def read(connection: Connection, site: str, asked: Select[*tuple[object, ...]]) -> list[Alarm]:
    """What ``asked``, a :func:`query`, finds, in its order."""
    rows = connection.execute(asked).mappings().all()
    groups = _groups(connection, site) if rows else {}
    named = {row["explained_by"] for row in rows if row["explained_by"] is not None}
    causes = _causes(connection, site, sorted(named))
    return [_whole(row, groups, causes) for row in rows]


def explained(connection: Connection, site: str, cause: str) -> list[AlarmReference]:
    """What ``cause`` explains at present, the first first."""
    asked = (
        select(alarm)
        .where(alarm.c.site_id == site, alarm.c.explained_by == cause)
        .where(alarm.c.state == AlarmState.SUPPRESSED.value)
        .order_by(alarm.c.first_reading_at, alarm.c.id)
    )
    return [alarm_reference_of(row) for row in connection.execute(asked).mappings()]


def shelves(connection: Connection, site: str) -> list[ShelfInForce]:
    """What ends first first."""
    ends = and_(
        timer.c.site_id == shelf.c.site_id,
        timer.c.subject == shelf.c.rule + " " + shelf.c.equipment,
        timer.c.kind == "shelf_over",
    )
    of_it = and_(
        alarm.c.site_id == shelf.c.site_id,
        alarm.c.rule == shelf.c.rule,
        alarm.c.equipment == shelf.c.equipment,
    )
    newest = (
        select(alarm.c.id)
        .where(of_it)
        .order_by(alarm.c.raised_at.desc(), alarm.c.id.desc())
        .limit(1)
        .correlate(shelf)
        .scalar_subquery()
    )
    asked = (
        select(
            alarm,
            shelf.c.by.label("shelf_by"),
            shelf.c.reason.label("shelf_reason"),
            shelf.c.at.label("shelf_since"),
            timer.c.due_wall.label("shelf_until"),
        )
        .join_from(shelf, timer, ends)
        .join(alarm, and_(alarm.c.site_id == shelf.c.site_id, alarm.c.id == newest))
        .where(shelf.c.site_id == site)
        .order_by(timer.c.due_wall, shelf.c.rule, shelf.c.equipment)
    )
    return [
        ShelfInForce(
            alarm=alarm_reference_of(row),
            rule=row["rule"],
            area=row["area"],
            life_safety=row["life_safety"],
            is_there=row["state"] == AlarmState.SHELVED,
            since=row["shelf_since"],
            until=row["shelf_until"],
            by=row["shelf_by"],
            reason=row["shelf_reason"],
        )
        for row in connection.execute(asked).mappings()
    ]


def service_breaks(connection: Connection, site: str) -> list[ServiceBreak]:
    """The newest first."""
    ends = and_(
        timer.c.site_id == service_break.c.site_id,
        timer.c.subject == service_break.c.equipment,
        timer.c.kind == "service_over",
    )
    asked = (
        select(service_break, timer.c.due_wall.label("until"))
        .join_from(service_break, timer, ends, isouter=True)
        .where(service_break.c.site_id == site)
        .order_by(service_break.c.since.desc(), service_break.c.equipment)
    )
    return [
        ServiceBreak(
            equipment=row["equipment"],
            since=row["since"],
            until=row["until"],
            by=row["by"],
            reason=row["reason"],
        )
        for row in connection.execute(asked).mappings()
    ]


def _timer_of(timers: FromClause, kind: str, subject: ColumnElement[str]) -> ColumnElement[bool]:
    return and_(
        timers.c.site_id == alarm.c.site_id, timers.c.kind == kind, timers.c.subject == subject
    )


def _groups(connection: Connection, site: str) -> dict[str, _Group]:
    """By cause, what is suppressed at present."""
    asked = (
        select(alarm.c.explained_by, alarm.c.first_reading_at, alarm.c.id)
        .where(alarm.c.site_id == site, alarm.c.explained_by.is_not(None))
        .where(alarm.c.state == AlarmState.SUPPRESSED.value)
    )
    groups: dict[str, _Group] = {}
    for cause, at, effect in connection.execute(asked):
        count, first = groups.get(cause, (0, (at, effect)))
        groups[cause] = (count + 1, min(first, (at, effect)))
    return groups


def _causes(connection: Connection, site: str, ids: Sequence[str]) -> dict[str, RowMapping]:
    found: dict[str, RowMapping] = {}
    for at in range(0, len(ids), _AT_ONCE):
        here = and_(alarm.c.site_id == site, alarm.c.id.in_(ids[at : at + _AT_ONCE]))
        rows = connection.execute(select(alarm).where(here)).mappings()
        found |= {row["id"]: row for row in rows}
    return found


def _whole(
    row: RowMapping, groups: Mapping[str, _Group], causes: Mapping[str, RowMapping]
) -> Alarm:
    """The alarm of ``row`` with what is around it."""
    found, is_explained = alarm_of(row), row["state"] == AlarmState.SUPPRESSED
    cause = causes.get(row["explained_by"])
    count, first = groups.get(row["explained_by"] if is_explained else row["id"], (0, (0, "")))
    head = cause if is_explained else row
    if head is not None:
        first = min(first, (head["first_reading_at"], head["id"]))
    return replace(
        found,
        acknowledged_until=row["acknowledged_until"],
        order_at=row["order_at"],
        shelf=None
        if row["shelf_until"] is None
        else Shelf(until=row["shelf_until"], by=row["shelf_by"], reason=row["shelf_reason"]),
        explained_by=None if cause is None else alarm_reference_of(cause),
        explains=0 if is_explained else count,
        first_out=count > 0 and first[1] == found.id,
        test=_test(row),
    )


def _test(row: RowMapping) -> AlarmTest | None:
    if row["test_id"] is None:
        return None
    return AlarmTest(
        test=row["test_id"],
        held_until=row["test_until"] if row["test_hold"] == Hold.HELD else None,
        confirmed_at=row["test_confirmed_at"],
        confirmed_by=row["test_confirmed_by"],
    )
