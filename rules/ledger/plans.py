"""Writing what is due of maintenance plans: every deed goes through the life-cycle table and leaves
an event. One is planned once, opened once and announced once for a day, whoever asks how often."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, select, true, update

from gateway.model.equipment import Site
from gateway.model.moment import MINUTE, Instant
from gateway.model.point import Text
from rules import order_notices
from rules.contractor_link import Links
from rules.ledger import contractor_links, order_clocks, order_rows, order_steps, orders, plan_view
from rules.ledger.order_rows import clocks_of, save_clock
from rules.ledger.orders import NewOrder
from rules.ledger.plan_rows import PlanDue, content_of, times_columns
from rules.ledger.rows import ChangeKind, OrderReference, OrderSource, words
from rules.ledger.store import Entry
from rules.ledger.tables.plans import plan_due, plan_duty, plan_event
from rules.ledger.view import View
from rules.notify.notice import of_plan_ahead
from rules.notify.posting import post
from rules.orders.book import OrderBook
from rules.orders.clock import CalendarKind, ClockName
from rules.orders.lifecycle import RUNNING
from rules.people import people
from rules.people.roles import GRANTS, PROGRAM, Permission
from rules.plans.calendar import Due, Times
from rules.plans.lifecycle import DueEvent, DueState, step
from rules.plans.plan import Plan, Trigger
from rules.plans.subjects import Subject
from rules.priority import Priority
from rules.shifts.calendar import Calendar

_NOT_ENDED = (
    plan_due.c.done_at.is_(None),
    plan_due.c.missed_at.is_(None),
    plan_due.c.void_at.is_(None),
)


def set_duties(entry: Entry, wanted: Collection[tuple[str, str]], now: int) -> None:
    """These (plan, subject) are in force, no others; a new one is from now on."""
    here = plan_duty.c.site_id == entry.site
    known = entry.connection.execute(select(plan_duty.c.plan, plan_duty.c.subject).where(here))
    for plan, subject in known.all():
        if (plan, subject) not in wanted:
            one = and_(here, plan_duty.c.plan == plan, plan_duty.c.subject == subject)
            entry.connection.execute(delete(plan_duty).where(one))
    for plan, subject in wanted:
        entry.insert_once(plan_duty, plan=plan, subject=subject, since=now)


def plan(entry: Entry, said: Plan, subject: Subject, due: Due, now: int) -> bool:
    """Write what is due; False if it has been written before, and then nothing happens."""
    new = step(DueState.NEW, DueEvent.PLAN, due=due.id)
    is_new = entry.insert_once(
        plan_due,
        id=due.id,
        plan=said.id,
        name=words(said.name),
        category=said.category,
        subject=subject.id,
        subject_name=words(subject.name),
        area=subject.area,
        equipment=subject.equipment,
        period=due.period,
        number=due.number,
        trigger=due.trigger.value,
        **_place(due),
        content=content_of(said),
        planned_at=now,
    )
    if is_new:
        _note(entry, due.id, DueEvent.PLAN, DueState.NEW, new, at=now)
    return is_new


def _place(due: Due) -> dict[str, Any]:
    return {"day": due.day, "original_day": due.day, **times_columns(due.times)}


def move(entry: Entry, found: PlanDue, due: Due, now: int) -> None:
    """It has another day, and nobody has opened or postponed it."""
    why = None if due.day is None else due.day.isoformat()
    _step(entry, found, DueEvent.MOVE, now, why=why, **_place(due))


def restore(entry: Entry, found: PlanDue, due: Due, now: int) -> None:
    """What was withdrawn is in force again."""
    _step(entry, found, DueEvent.RESTORE, now, void_at=None, **_place(due))


def withdraw(entry: Entry, found: PlanDue, now: int) -> None:
    """Its plan no longer has it, and nobody has opened it."""
    why = "its plan no longer has it"
    _step(entry, found, DueEvent.WITHDRAW, now, why=why, void_at=now)


def announce(entry: Entry, site: Site, found: PlanDue, now: Instant) -> bool:
    """Its advance notice goes out; False if that was done for this day before, or if it has been
    put off since ``found`` was read."""
    advance, day = found.content.advance, found.day
    if advance is None or day is None:
        return False
    told = entry.connection.execute(
        update(plan_due)
        .where(
            _row(entry, found.id),
            *_NOT_ENDED,
            plan_due.c.noticed_at.is_(None),
            plan_due.c.day == day,
        )
        .values(noticed_at=now.wall)
    )
    if told.rowcount != 1:
        return False
    where, name, text = found.subject_name, found.name, advance.text
    notice = of_plan_ahead(
        due=found.id,
        day=day,
        title=Text(
            zh=f"{day.isoformat()} {where.zh} {name.zh}：{text.zh}",
            en=f"{day.isoformat()}, {where.en}, {name.en}: {text.en}",
        ),
        area=found.area,
        subject_name=where,
        at=now.wall,
    )
    post(entry, site, notice, now)
    note_same(entry, found, DueEvent.ANNOUNCE, now.wall, why=day.isoformat())
    return True


def open_(
    entry: Entry,
    site: Site,
    found: PlanDue,
    *,
    book: OrderBook,
    calendar: Calendar,
    now: Instant,
    links: Links | None = None,
    by_counter: tuple[Times, date] | None = None,
    why: str | None = None,
) -> bool:
    """Its time has come: its order is raised. False if it was opened before, or has been put off
    since ``found`` was read.

    ``by_counter``: a counter has made it due, until that day. What was not done of the same plan
    before is missed, and where that has an order, this one takes it over: nobody gets two.
    ``links``: with them a contractor who does not log in gets one of their own.
    """
    columns: dict[str, Any] = {"opened_at": now.wall}
    has_come = plan_due.c.opens_at <= now.wall
    if by_counter is not None:
        times, day = by_counter
        has_come = true()
        columns |= {**times_columns(times), "day": day, "trigger": Trigger.COUNTER.value}
        columns["original_day"] = found.original_day or day
        columns["notice_at"] = None if times.notice_at is None else now.wall
    opened = entry.connection.execute(
        update(plan_due)
        .where(_row(entry, found.id), *_NOT_ENDED, plan_due.c.opened_at.is_(None), has_come)
        .values(**columns)
    )
    if opened.rowcount != 1:
        return False
    found = _again(entry, found.id)
    order = _inherited(entry, found, now) or _raised(
        entry, site, found, book=book, calendar=calendar, links=links, now=now
    )
    _set(entry, found.id, order_id=order.id)
    if found.facts.overdue_at is not None:
        _set_end(entry, order.id, found.facts.overdue_at, now)
    step(DueState.PLANNED, DueEvent.OPEN, due=found.id)
    after = _again(entry, found.id).state(now.wall)
    _note(entry, found.id, DueEvent.OPEN, DueState.PLANNED, after, at=now.wall, why=why)
    return True


def miss(entry: Entry, found: PlanDue, now: int, *, why: str) -> None:
    _step(entry, found, DueEvent.MISS, now, why=why, missed_at=now)


def postpone(
    entry: Entry, found: PlanDue, to: date, times: Times, *, by: str, why: str, now: Instant
) -> None:
    """To another day; it is announced anew, and its order has until then."""
    columns = times_columns(times)
    if found.is_opened:
        del columns["opens_at"]
    _step(
        entry,
        found,
        DueEvent.POSTPONE,
        now.wall,
        by=by,
        why=f"{found.day} → {to.isoformat()}: {why}",
        **columns,
        day=to,
        noticed_at=None,
        postponed=found.postponed + 1,
    )
    if found.order is not None:
        _set_end(entry, found.order.id, times.overdue_at, now)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What is said of work that was done without an order."""

    at: int
    """µs UTC."""
    note: str | None = None
    materials: Sequence[Mapping[str, Any]] = ()
    """{name, quantity, unit, price}"""
    labour_minutes: int | None = None


def record(entry: Entry, found: PlanDue, said: Recorded, *, by: str, now: int) -> None:
    """It was done, without an order."""
    _step(
        entry,
        found,
        DueEvent.RECORD,
        now,
        by=by,
        why=said.note,
        done_at=said.at,
        done_by=by,
        done_note=said.note,
        materials=[dict(one) for one in said.materials] or None,
        labour_minutes=said.labour_minutes,
    )


def void(entry: Entry, found: PlanDue, *, by: str, why: str, now: int) -> None:
    _step(entry, found, DueEvent.VOID, now, by=by, why=why, void_at=now, void_by=by)


def counter_turned(entry: Entry, found: PlanDue, now: int, *, why: str) -> None:
    """One of its counters was set back, or belongs to another device."""
    note_same(entry, found, DueEvent.COUNTER, now, why=why)


def tell(entry: Entry, ids: Collection[str], now: int) -> None:
    """Time has changed these: let whoever is looking ask again."""
    for due_id in ids:
        entry.changed(ChangeKind.PLAN, due_id, now)


def _inherited(entry: Entry, found: PlanDue, now: Instant) -> OrderReference | None:
    """The order of what was not done before; all of that is missed."""
    view = View(connection=entry.connection, site=entry.site)
    order = None
    for other in plan_view.not_over(view, plan=found.plan, subject=found.subject):
        if not _is_before(other, found):
            continue
        miss(entry, other, now.wall, why=f"not done before {found.id} was due")
        if other.order is not None and other.order_state in RUNNING:
            order = other.order
    return order


def _is_before(other: PlanDue, found: PlanDue) -> bool:
    if other.number is not None and found.number is not None:
        return other.number < found.number
    return other.period < found.period


def _raised(
    entry: Entry,
    site: Site,
    found: PlanDue,
    *,
    book: OrderBook,
    calendar: Calendar,
    links: Links | None,
    now: Instant,
) -> OrderReference:
    overdue_at = found.facts.overdue_at
    new = NewOrder(
        id=f"{found.id}.order",
        source=OrderSource.PLAN,
        equipment=found.subject,
        equipment_name=found.subject_name,
        area=found.area or site.id,
        category=found.category,
        category_name=found.content.category_name,
        title=Text(
            zh=f"{found.subject_name.zh} {found.name.zh}",
            en=f"{found.subject_name.en}: {found.name.en}",
        ),
        cause_key=found.id,
        priority=Priority.MINOR,
        complete_within=None if overdue_at is None else max(MINUTE, overdue_at - now.wall),
    )
    reference = orders.make(entry, new, book, at=now, now=now, calendar=calendar, why=found.id)
    contractor = found.content.doer.contractor
    if contractor is not None:
        _assign(entry, site, reference.id, to=contractor, links=links, now=now)
    return reference


def _assign(
    entry: Entry, site: Site, order_id: str, *, to: str, links: Links | None, now: Instant
) -> None:
    """Somebody who is gone, or takes no orders there, gets none: then it is open for whoever
    assigns."""
    person = people.find(View(connection=entry.connection, site=entry.site), to)
    row = order_rows.find(entry, order_id)
    if person is None or not person.active or row is None:
        return
    if Permission.COMPLETE_ORDER not in GRANTS[person.role]:
        return
    if person.areas and row["area"] in site.areas and row["area"] not in person.areas:
        return
    by = PROGRAM.username
    order_steps.assign(entry, row, to=to, by=by, note=None, now=now)
    link = contractor_links.give(entry, links, order_id, person, by=by, at=now.wall)
    own = None if link is None else link.id
    post(entry, site, order_notices.of_assignment(entry, row, to=to, at=now.wall, link=own), now)


def _set_end(entry: Entry, order_id: str, end: int, now: Instant) -> None:
    """Its clock ends with the grace, on whatever day that is; a new end is not breached yet."""
    clock = clocks_of(entry, order_id).get(ClockName.COMPLETE)
    if clock is None or clock.stopped is not None:
        return
    begun = clock.started or now
    is_ahead = end > now.wall
    save_clock(
        entry,
        order_id,
        replace(
            clock,
            started=begun,
            limit=max(MINUTE, end - begun.wall),
            calendar=CalendarKind.ALWAYS,
            breached_at=None if is_ahead else clock.breached_at,
            steps_taken=0 if is_ahead else clock.steps_taken,
        ),
    )
    order_clocks.to_reckon(entry, order_id, now)
    entry.changed(ChangeKind.ORDER, order_id, now.wall)


def _step(
    entry: Entry,
    found: PlanDue,
    happened: DueEvent,
    now: int,
    *,
    by: str | None = None,
    why: str | None = None,
    **deed: Any,
) -> None:
    """What is due after ``happened``, which has set the columns ``deed``."""
    old = found.state(now)
    step(old, happened, due=found.id)
    _set(entry, found.id, **deed)
    new = _again(entry, found.id).state(now)
    _note(entry, found.id, happened, old, new, at=now, by=by, why=why)


def require_step(found: PlanDue, happened: DueEvent, now: int) -> DueState:
    """The state after ``happened``; raises ``IllegalTransitionError``."""
    return step(found.state(now), happened, due=found.id)


def note_same(
    entry: Entry, found: PlanDue, happened: DueEvent, now: int, *, why: str, by: str | None = None
) -> None:
    """Something happened to it, and it stands as before."""
    new = require_step(found, happened, now)
    _note(entry, found.id, happened, found.state(now), new, at=now, by=by, why=why)


def _note(
    entry: Entry,
    due_id: str,
    happened: DueEvent,
    old: DueState,
    new: DueState,
    *,
    at: int,
    by: str | None = None,
    why: str | None = None,
) -> None:
    entry.add(
        plan_event,
        change=entry.changed(ChangeKind.PLAN, due_id, at),
        due_id=due_id,
        at=at,
        event=happened.value,
        from_state=old.value,
        to_state=new.value,
        by=by,
        why=why,
    )


def _again(entry: Entry, due_id: str) -> PlanDue:
    found = plan_view.due_with(View(connection=entry.connection, site=entry.site), due_id)
    assert found is not None
    return found


def _set(entry: Entry, due_id: str, **columns: Any) -> None:
    entry.connection.execute(update(plan_due).where(_row(entry, due_id)).values(**columns))


def _row(entry: Entry, due_id: str) -> ColumnElement[bool]:
    return and_(plan_due.c.site_id == entry.site, plan_due.c.id == due_id)
