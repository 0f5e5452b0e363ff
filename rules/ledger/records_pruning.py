"""Removing what is over and older than a site keeps it.

The unit is a round with all its lines, what was due of a maintenance plan with its ticks, the log
of a shift with its handover, an order with its alarms, or an alarm that has no order. A round goes
before an order that it has opened, and what was due before the order that it was done by, so that
nothing names an order that is gone. What refers to an order otherwise keeps it. Each is removed by
its id, a few at once: the alarms wait for the same ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Table, and_, delete, exists, func, or_, select

from rules.ledger import round_photos
from rules.ledger.attachments import SubjectKind
from rules.ledger.store import Entry
from rules.ledger.tables import metadata
from rules.ledger.tables.alarms import alarm, alarm_event
from rules.ledger.tables.attachments import attachment
from rules.ledger.tables.contractor_links import contractor_link
from rules.ledger.tables.handover import handover, shift_log
from rules.ledger.tables.orders import (
    order_clock,
    order_event,
    order_pause,
    order_proof,
    work_order,
)
from rules.ledger.tables.planned_tests import alarm_test
from rules.ledger.tables.plans import plan_counter, plan_due
from rules.ledger.tables.rounds import round_, round_item
from rules.ledger.view import View
from rules.register.keeping import Keeping

AT_ONCE = 50
"""Orders or alarms in one transaction."""
ROUNDS_AT_ONCE = 5
"""Rounds or shifts."""
_LOOKED_AT = 200
"""Rounds whose lines are asked for at once."""
_OF_ORDER = (order_clock, order_event, order_pause, order_proof, contractor_link)
_OF_ALARM = (alarm_event, alarm_test)
_OVER = ("closed", "void")


def old_rounds(view: View, keeping: Keeping, wall: int) -> list[str]:
    """Ids, the oldest first, :data:`ROUNDS_AT_ONCE` at most. ``wall``: µs UTC."""
    if keeping.shortest is None:
        return []
    ended = func.coalesce(round_.c.countersigned_at, round_.c.done_at, round_.c.late_until)
    query = (
        select(round_.c.id, ended.label("ended"))
        .where(round_.c.site_id == view.site, round_.c.late_until < wall - keeping.shortest)
        .order_by(round_.c.due_at, round_.c.id)
    )
    found: list[str] = []
    rows = view.connection.execute(query.execution_options(yield_per=_LOOKED_AT))
    for some in rows.partitions(_LOOKED_AT):
        about = _about(view, [row.id for row in some])
        for row in some:
            kept = keeping.of_all(about.get(row.id, ()))
            if kept is not None and row.ended < wall - kept:
                found.append(row.id)
                if len(found) == ROUNDS_AT_ONCE:
                    return found
    return found


def _about(view: View, rounds: Sequence[str]) -> dict[str, list[str | None]]:
    """Round → what its lines are about."""
    of = round_item.c
    query = select(of.round_id, of.equipment).distinct()
    about: dict[str, list[str | None]] = {}
    for round_id, equipment in view.connection.execute(
        query.where(of.site_id == view.site, of.round_id.in_(rounds))
    ):
        about.setdefault(round_id, []).append(equipment)
    return about


def old_plans(view: View, keeping: Keeping, wall: int) -> list[str]:
    """As :func:`old_rounds`, of what was due of maintenance plans. The last two of those that are
    counted from the last time stay: the next one follows from them."""
    if keeping.shortest is None:
        return []
    due, order = plan_due.c, work_order.c
    ended = func.coalesce(
        due.done_at, due.missed_at, due.void_at, order.closed_at, order.voided_at
    ).label("ended")
    of_order = and_(order.site_id == due.site_id, order.id == due.order_id)
    later = plan_due.alias("later")
    is_followed = exists().where(
        later.c.site_id == due.site_id,
        later.c.plan == due.plan,
        later.c.subject == due.subject,
        later.c.number > due.number + 1,
    )
    is_counted = exists().where(
        plan_counter.c.site_id == due.site_id, plan_counter.c.due_id == due.id
    )
    query = (
        select(due.id, due.subject.label("equipment"), ended)
        .join_from(plan_due, work_order, of_order, isouter=True)
        .where(
            due.site_id == view.site,
            ended < wall - keeping.shortest,
            or_(due.number.is_(None), is_followed),
            ~is_counted,
        )
        .order_by(due.planned_at, due.id)
    )
    return _too_old(view, query, keeping, wall, AT_ONCE)


def old_shifts(view: View, keeping: Keeping, wall: int) -> list[str]:
    """As :func:`old_rounds`, of the logs of shifts: they are about everything, so they are kept as
    long as what is kept longest."""
    kept = keeping.longest
    if kept is None:
        return []
    log, over = shift_log.c, handover.c
    is_open = exists().where(
        over.site_id == log.site_id, over.id == log.id, over.state.not_in(("signed", "lapsed"))
    )
    query = (
        select(log.id)
        .where(log.site_id == view.site, log.ends_at < wall - kept, ~is_open)
        .order_by(log.starts_at, log.id)
        .limit(ROUNDS_AT_ONCE)
    )
    return list(view.connection.execute(query).scalars())


def old_orders(view: View, keeping: Keeping, wall: int) -> list[str]:
    """As :func:`old_rounds`, of orders: no alarm of it is there, and nothing refers to it."""
    if keeping.shortest is None:
        return []
    ended = func.coalesce(work_order.c.closed_at, work_order.c.voided_at, work_order.c.created_at)
    of_order = and_(alarm.c.site_id == view.site, alarm.c.order_id == work_order.c.id)
    query = (
        select(work_order.c.id, work_order.c.equipment, ended.label("ended"))
        .where(
            work_order.c.site_id == view.site,
            work_order.c.state.in_(_OVER),
            work_order.c.created_at < wall - keeping.shortest,
            ~exists().where(of_order, alarm.c.state != "closed"),
            *(~exists().where(of) for of in _holders(view.site)),
        )
        .order_by(work_order.c.created_at, work_order.c.id)
    )
    return _too_old(view, query, keeping, wall, AT_ONCE)


def old_alarms(view: View, keeping: Keeping, wall: int) -> list[str]:
    """As :func:`old_rounds`, of alarms that have no order."""
    if keeping.shortest is None:
        return []
    ended = func.coalesce(alarm.c.cleared_at, alarm.c.last_raised_at, alarm.c.raised_at)
    query = (
        select(alarm.c.id, alarm.c.equipment, ended.label("ended"))
        .where(
            alarm.c.site_id == view.site,
            alarm.c.state == "closed",
            alarm.c.order_id.is_(None),
            alarm.c.raised_at < wall - keeping.shortest,
        )
        .order_by(alarm.c.raised_at, alarm.c.id)
    )
    return _too_old(view, query, keeping, wall, AT_ONCE)


def remove_rounds(entry: Entry, ids: Sequence[str]) -> int:
    """With every line, entry, finding and photograph of them."""
    lines = (round_item.c.round_id, round_item.c.key)
    of_rounds = and_(round_item.c.site_id == entry.site, round_item.c.round_id.in_(ids))
    found = entry.connection.execute(select(*lines).where(of_rounds)).all()
    _remove_attached(entry, SubjectKind.ROUND_ITEM, [round_photos.subject(*one) for one in found])
    return _remove_whole(entry, round_, ids)


def remove_plans(entry: Entry, ids: Sequence[str]) -> int:
    """With their ticks and their history."""
    return _remove_whole(entry, plan_due, ids)


def remove_shifts(entry: Entry, ids: Sequence[str]) -> int:
    """With their entries, and how they were handed over."""
    return _remove_whole(entry, shift_log, ids)


def remove_orders(entry: Entry, ids: Sequence[str]) -> int:
    """With their clocks, steps, attachments and alarms."""
    of_orders = and_(alarm.c.site_id == entry.site, alarm.c.order_id.in_(ids))
    alarms = entry.connection.execute(select(alarm.c.id).where(of_orders)).scalars().all()
    remove_alarms(entry, alarms)
    for table in _OF_ORDER:
        entry.connection.execute(
            delete(table).where(table.c.site_id == entry.site, table.c.order_id.in_(ids))
        )
    _remove_attached(entry, SubjectKind.ORDER, ids)
    return _remove(entry, work_order, ids)


def remove_alarms(entry: Entry, ids: Sequence[str]) -> int:
    for table in _OF_ALARM:
        entry.connection.execute(
            delete(table).where(table.c.site_id == entry.site, table.c.alarm_id.in_(ids))
        )
    return _remove(entry, alarm, ids)


def _remove_attached(entry: Entry, kind: SubjectKind, subjects: Sequence[str]) -> None:
    """SQLite takes only so many ids in one statement."""
    for start in range(0, len(subjects), 500):
        entry.connection.execute(
            delete(attachment).where(
                attachment.c.site_id == entry.site,
                attachment.c.subject_kind == kind.value,
                attachment.c.subject.in_(subjects[start : start + 500]),
            )
        )


def _remove_whole(entry: Entry, table: Table, ids: Sequence[str]) -> int:
    """With all that hangs on them."""
    for below, column in _below(table, "id"):
        entry.connection.execute(
            delete(below).where(below.c.site_id == entry.site, below.c[column].in_(ids))
        )
    return _remove(entry, table, ids)


def _remove(entry: Entry, table: Table, ids: Sequence[str]) -> int:
    return entry.connection.execute(
        delete(table).where(table.c.site_id == entry.site, table.c.id.in_(ids))
    ).rowcount


def _too_old(view: View, query: Any, keeping: Keeping, wall: int, most: int) -> list[str]:
    found: list[str] = []
    for row in view.connection.execute(query.execution_options(yield_per=500)).mappings():
        kept = keeping.of(row["equipment"])
        if kept is not None and row["ended"] < wall - kept:
            found.append(row["id"])
            if len(found) == most:
                break
    return found


def _holders(site: str) -> Iterator[Any]:
    """Who refers to an order and is not removed with it."""
    for table in metadata.sorted_tables:
        if table in _OF_ORDER or table is alarm:
            continue
        for column in _refers(table, work_order, "id"):
            yield and_(table.c.site_id == site, table.c[column] == work_order.c.id)


def _below(parent: Table, column: str) -> list[tuple[Table, str]]:
    """What hangs on the rows of ``parent``, the furthest first, by the column that names them."""
    names = {parent.name: column}
    for table in metadata.sorted_tables:
        for above in [metadata.tables[name] for name in names]:
            for mine in _refers(table, above, names[above.name]):
                names.setdefault(table.name, mine)
    return [
        (table, names[table.name])
        for table in reversed(metadata.sorted_tables)
        if table.name in names and table is not parent
    ]


def _refers(table: Table, to: Table, column: str) -> list[str]:
    """Its columns that refer to ``column`` of another table."""
    if table is to:
        return []
    return [
        element.parent.name
        for constraint in table.foreign_key_constraints
        for element in constraint.elements
        if element.column.table is to and element.column.name == column
    ]
