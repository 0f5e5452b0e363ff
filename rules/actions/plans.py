"""What a person may do with maintenance that is due; see the package.

Each raises ``NotFoundError``, ``ForbiddenError``, ``ConflictError``, ``NotValidError``,
``IllegalTransitionError`` or ``KeyReusedError``; then nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from gateway.model.equipment import Site
from rules.actions import plan_steps
from rules.actions.act import Act
from rules.ledger import order_rows, order_steps, plan_view, plans
from rules.ledger.plan_rows import PlanDue
from rules.ledger.plans import Recorded
from rules.ledger.store import Entry
from rules.ledger.view import View
from rules.orders.lifecycle import RUNNING
from rules.people.roles import WHOLE_SITE, Permission, require
from rules.plans.calendar import times_of
from rules.plans.plan import Plan
from rules.refusals import ConflictError, NotFoundError, NotValidError
from rules.rule import Rulebook
from rules.shifts.local_time import date_of

_EARLIEST = timedelta(days=400)
"""So long ago somebody may record that it was done."""


def postpone(act: Act, site: Site, rulebook: Rulebook, *, to: date, reason: str) -> PlanDue:
    """Approve another day. A second time takes the engineering manager; the first day is kept."""

    def take(entry: Entry, found: PlanDue) -> None:
        if found.postponed:
            require(act.actor, Permission.POSTPONE_PLAN_AGAIN, found.area or WHOLE_SITE)
        plan = rulebook.plans.get(found.plan)
        if plan is None:
            raise ConflictError(f"the plan {found.plan} is no longer in force")
        if found.is_over:
            raise ConflictError(f"{found.id} is over")
        _require_day(plan, found, to, date_of(act.now.wall, site.zone))
        times = times_of(plan, to, site.zone)
        plans.postpone(entry, found, to, times, by=act.by, why=reason, now=act.now)
        act.record(entry, "plan.postpone", reason=reason, to=to.isoformat())

    return _step(act, "postpone_plan", Permission.POSTPONE_PLAN, take)


def void(act: Act, *, reason: str) -> PlanDue:
    """It is not done at all; an order that is not taken up yet is void with it."""

    def take(entry: Entry, found: PlanDue) -> None:
        plans.void(entry, found, by=act.by, why=reason, now=act.now.wall)
        if found.order is not None and found.order_state in RUNNING:
            row = order_rows.find(entry, found.order.id)
            assert row is not None
            order_steps.void(entry, row, by=act.by, reason=reason, now=act.now)
        act.record(entry, "plan.void", reason=reason)

    return _step(act, "void_plan", Permission.VOID_PLAN, take)


def record(act: Act, site: Site, said: Recorded, *, unticked_why: str | None = None) -> PlanDue:
    """It was done, and nobody had an order for it. ``unticked_why``: why without every step that
    is required."""
    at = said.at

    def take(entry: Entry, found: PlanDue) -> None:
        if found.order is not None and found.order_state in RUNNING:
            raise ConflictError(f"complete order {found.order.number} instead")
        if found.is_over:
            raise ConflictError(f"{found.id} is over")
        if at > act.now.wall:
            raise NotValidError("done_at", "lies in the future")
        if date_of(at, site.zone) < date_of(act.now.wall, site.zone) - _EARLIEST:
            raise NotValidError("done_at", "lies more than 400 days back")
        plan_steps.require_ticked(act, entry, found, unticked_why)
        plans.record(entry, found, said, by=act.by, now=act.now.wall)
        act.record(entry, "plan.record", note=said.note)

    return _step(act, "record_plan", Permission.COMPLETE_ORDER, take)


def _require_day(plan: Plan, found: PlanDue, to: date, today: date) -> None:
    if found.day is None or found.original_day is None:
        raise ConflictError(f"{found.id} has no day: a counter makes it due")
    if to <= max(found.day, today):
        raise NotValidError("to", f"is not after {max(found.day, today).isoformat()}")
    latest = found.original_day + timedelta(days=plan.postponed_at_most)
    if to > latest:
        wrong = f"this plan is postponed to {latest.isoformat()} at most"
        raise NotValidError("to", wrong if plan.postponed_at_most else "this plan is not postponed")


def _step(
    act: Act, name: str, permission: Permission, take: Callable[[Entry, PlanDue], None]
) -> PlanDue:
    """``take`` it unless its key has taken it before."""
    require(act.actor, permission)
    with act.ledger.write(act.site) as entry:
        view = View(connection=entry.connection, site=entry.site)
        found = plan_view.due_with(view, act.subject)
        if found is None:
            raise NotFoundError(f"nothing is due that is called {act.subject}")
        require(act.actor, permission, found.area or WHOLE_SITE)
        if act.is_new(entry, name):
            take(entry, found)
        after = plan_view.due_with(view, act.subject)
        assert after is not None
        return after
