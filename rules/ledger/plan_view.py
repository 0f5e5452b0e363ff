"""Reads of what is due of a site's maintenance plans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, func, not_, or_, select

from gateway.model.point import Text
from rules.ledger.plan_rows import Counted, PlanDue, count_of, due_of
from rules.ledger.rows import LifecycleEvent, event_of
from rules.ledger.tables.orders import work_order
from rules.ledger.tables.plans import plan_counter, plan_due, plan_duty, plan_event
from rules.ledger.view import View
from rules.orders.lifecycle import RUNNING
from rules.plans.lifecycle import DueEvent

TOLD = (DueEvent.ANNOUNCE, DueEvent.POSTPONE, DueEvent.RECORD, DueEvent.MISS, DueEvent.VOID)
"""Of these no order tells."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which; None: all."""

    plan: str | None = None
    subject: str | None = None
    equipment: str | None = None
    order: str | None = None
    """What this order is for: not what was missed before it took that over."""
    first: date | None = None
    """The first day on which it may be due; what only a counter knows has no day."""
    last: date | None = None
    or_owed: bool = False
    """And whatever is not over and was due before, or waits for a counter."""


def dues(
    view: View, wanted: Wanted, *, limit: int | None = None, after: tuple[date, str] | None = None
) -> list[PlanDue]:
    """What is due first comes first, what only a counter knows comes last; void ones that their
    plan no longer has are left out. ``after``: (day or ``date.max``, id) of the last one seen."""
    due = plan_due.c
    query = _of_site(view).where(or_(due.void_at.is_(None), due.void_by.is_not(None)))
    for column, value in (
        (due.plan, wanted.plan),
        (due.subject, wanted.subject),
        (due.equipment, wanted.equipment),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.order is not None:
        query = query.where(due.order_id == wanted.order, due.missed_at.is_(None))
    within = []
    if wanted.first is not None:
        within.append(due.day >= wanted.first)
    if wanted.last is not None:
        within.append(due.day <= wanted.last)
    if within:
        before = and_(_is_not_over(), or_(due.day.is_(None), due.day < wanted.first))
        query = query.where(or_(and_(*within), before) if wanted.or_owed else and_(*within))
    place = func.coalesce(due.day, date.max)
    if after is not None:
        day, last = after
        query = query.where(or_(place > day, and_(place == day, due.id > last)))
    return _read(view, query.order_by(place, due.id).limit(limit))


def past(view: View, plan: str, *, limit: int) -> list[PlanDue]:
    """What is over of a plan, the newest first; without what the plan no longer has."""
    due = plan_due.c
    query = _of_site(view).where(
        due.plan == plan,
        not_(_is_not_over()),
        or_(due.void_at.is_(None), due.void_by.is_not(None)),
    )
    place = func.coalesce(due.day, date.max)
    return _read(view, query.order_by(place.desc(), due.id.desc()).limit(limit))


def said_between(view: View, first: date, last: date) -> set[str]:
    """The ids of those by schedule whose own day, wherever they were moved to, is from ``first``
    to ``last``."""
    due = plan_due.c
    query = select(due.id).where(
        due.site_id == view.site,
        due.number.is_(None),
        due.period.between(first.isoformat(), last.isoformat()),
    )
    return set(view.connection.execute(query).scalars())


def due_with(view: View, due_id: str) -> PlanDue | None:
    found = _read(view, _of_site(view).where(plan_due.c.id == due_id))
    return found[0] if found else None


def not_over(view: View, *, plan: str | None = None, subject: str | None = None) -> list[PlanDue]:
    """What is still to do or to come, oldest first; of one plan and subject, or of all."""
    query = _of_site(view).where(_is_not_over())
    if plan is not None:
        query = query.where(plan_due.c.plan == plan)
    if subject is not None:
        query = query.where(plan_due.c.subject == subject)
    return _read(view, query.order_by(plan_due.c.day, plan_due.c.id))


def newest(view: View) -> dict[tuple[str, str], list[PlanDue]]:
    """(Plan, subject) → the last two of those counted from the last time, the newest first."""
    one = plan_due.c
    highest = (
        select(one.plan, one.subject, func.max(one.number).label("number"))
        .where(one.site_id == view.site, one.number.is_not(None))
        .group_by(one.plan, one.subject)
        .subquery()
    )
    of_last = select(highest.c.number).where(
        highest.c.plan == one.plan,
        highest.c.subject == one.subject,
        highest.c.number <= one.number + 1,
    )
    found: dict[tuple[str, str], list[PlanDue]] = {}
    for due in _read(view, _of_site(view).where(of_last.exists()).order_by(one.number.desc())):
        found.setdefault((due.plan, due.subject), []).append(due)
    return found


def known(view: View, *, first: date) -> dict[str, PlanDue | None]:
    """By id every one by schedule whose own day is ``first`` or later; None: nothing may change
    about it, because it was opened, done or voided by somebody."""
    one = plan_due.c
    since = and_(one.site_id == view.site, one.number.is_(None), one.period >= first.isoformat())
    may_change = and_(
        one.opened_at.is_(None),
        one.done_at.is_(None),
        one.missed_at.is_(None),
        one.void_by.is_(None),
    )
    ids = view.connection.execute(select(one.id).where(since)).scalars()
    still = _read(view, _of_site(view).where(since, may_change))
    return {**dict.fromkeys(ids), **{found.id: found for found in still}}


def duties(view: View) -> dict[tuple[str, str], int]:
    """(Plan, subject) → since when it is in force, µs UTC."""
    query = select(plan_duty).where(plan_duty.c.site_id == view.site)
    return {
        (row["plan"], row["subject"]): row["since"]
        for row in view.connection.execute(query).mappings()
    }


def counters(view: View) -> dict[tuple[str, str, str], Counted]:
    """(Plan, subject, point key) → how far it has grown."""
    query = select(plan_counter).where(plan_counter.c.site_id == view.site)
    found = [count_of(row) for row in view.connection.execute(query).mappings()]
    return {(one.plan, one.subject, one.point): one for one in found}


def events(view: View, due_id: str) -> list[LifecycleEvent]:
    """Oldest first."""
    query = (
        select(plan_event)
        .where(plan_event.c.site_id == view.site, plan_event.c.due_id == due_id)
        .order_by(plan_event.c.change)
    )
    return [event_of(row) for row in view.connection.execute(query).mappings()]


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """What happened to maintenance of a piece of equipment."""

    due: str
    name: Text
    event: DueEvent
    at: int
    """µs UTC."""
    by: str | None
    why: str | None


def happened(view: View, equipment: str, *, limit: int) -> list[Happened]:
    """What no order of it tells: announced, put off, recorded, missed, void; the newest first."""
    due, event = plan_due.c, plan_event.c
    query = (
        select(event.due_id, due.name, event.event, event.at, event.by, event.why)
        .join_from(plan_event, plan_due, and_(due.site_id == event.site_id, due.id == event.due_id))
        .where(
            event.site_id == view.site,
            due.equipment == equipment,
            event.event.in_([one.value for one in TOLD]),
        )
        .order_by(event.change.desc())
        .limit(limit)
    )
    return [
        Happened(
            due=row.due_id,
            name=Text(**row.name),
            event=DueEvent(row.event),
            at=row.at,
            by=row.by,
            why=row.why,
        )
        for row in view.connection.execute(query)
    ]


def _is_not_over() -> ColumnElement[bool]:
    one = plan_due.c
    return and_(
        one.done_at.is_(None),
        one.missed_at.is_(None),
        one.void_at.is_(None),
        or_(work_order.c.state.is_(None), work_order.c.state.in_(RUNNING)),
    )


def _of_site(view: View) -> Select[*tuple[object, ...]]:
    order = work_order.c
    return (
        select(
            plan_due,
            order.number.label("order_number"),
            order.state.label("order_state"),
            order.accepted_at.label("order_accepted_at"),
            order.completed_wall.label("order_completed_at"),
            order.completed_by.label("order_completed_by"),
            order.note.label("order_note"),
            order.materials.label("order_materials"),
            order.labour_minutes.label("order_minutes"),
            order.voided_at.label("order_voided_at"),
            order.voided_by.label("order_voided_by"),
        )
        .join_from(
            plan_due,
            work_order,
            and_(order.site_id == plan_due.c.site_id, order.id == plan_due.c.order_id),
            isouter=True,
        )
        .where(plan_due.c.site_id == view.site)
    )


def _read(view: View, query: Select[*tuple[object, ...]]) -> list[PlanDue]:
    return [due_of(row) for row in view.connection.execute(query).mappings()]
