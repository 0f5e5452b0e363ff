"""What a person may do with the steps of what is due of a plan; see the package.

Whoever has its order ticks them, a contractor by their link too, and whoever may assign orders;
of one that has no order whoever completes orders there.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import RowMapping

from rules.actions.act import Act
from rules.actions.order_step import found_row, require_theirs
from rules.ledger import order_rows, plan_steps, plan_view
from rules.ledger.plan_rows import PlanDue
from rules.ledger.plan_view import Wanted
from rules.ledger.store import Entry
from rules.ledger.view import View
from rules.people.roles import WHOLE_SITE, Permission, require
from rules.refusals import NotFoundError, NotValidError

_MAY = Permission.COMPLETE_ORDER


def tick(act: Act, number: int, *, done: bool) -> PlanDue:
    """Step ``number`` (from 1) of the due instance ``act.subject`` is ``done``, or is not after
    all. Said twice it stays the word of who said it first.

    Raises ``NotFoundError``, ``ForbiddenError`` and, where it is over, ``IllegalTransitionError``.
    """

    def found(entry: Entry) -> tuple[PlanDue, RowMapping | None]:
        due = plan_view.due_with(_view(entry), act.subject)
        if due is None:
            raise NotFoundError(f"nothing is due that is called {act.subject}")
        return due, None if due.order is None else order_rows.find(entry, due.order.id)

    return _tick(act, number, done, found)


def tick_of_order(act: Act, number: int, *, done: bool) -> PlanDue:
    """As :func:`tick`, of what the order ``act.subject`` is for."""

    def found(entry: Entry) -> tuple[PlanDue, RowMapping | None]:
        row = found_row(entry, act.subject)
        due = due_of_order(entry, act.subject)
        if due is None:
            raise NotFoundError(f"the order {act.subject} is of no plan")
        return due, row

    return _tick(act, number, done, found)


def finish(act: Act, entry: Entry, order_id: str, why: str | None) -> None:
    """In the transaction that completes an order: all that its plan requires is ticked, or
    somebody says ``why`` not. Raises ``NotValidError``."""
    due = due_of_order(entry, order_id)
    if due is not None:
        require_ticked(act, entry, due, why)


def require_ticked(act: Act, entry: Entry, due: PlanDue, why: str | None) -> None:
    """As :func:`finish`, of ``due``; a reason for nothing is not kept."""
    missing = plan_steps.missing(_view(entry), due)
    if missing and why is None:
        steps = ", ".join(str(number) for number in missing)
        raise NotValidError("unticked_why", f"is needed: not ticked, and required: {steps}")
    plan_steps.say_why(entry, due, why if missing else None)
    if missing:
        act.record(entry, "plan.unticked", steps=", ".join(map(str, missing)), reason=why)


def due_of_order(entry: Entry, order_id: str) -> PlanDue | None:
    """What an order is for; None: it is of no plan."""
    found = plan_view.dues(_view(entry), Wanted(order=order_id), limit=1)
    return found[0] if found else None


def _tick(
    act: Act,
    number: int,
    done: bool,
    found: Callable[[Entry], tuple[PlanDue, RowMapping | None]],
) -> PlanDue:
    require(act.actor, _MAY)
    with act.ledger.write(act.site) as entry:
        due, row = found(entry)
        require(act.actor, _MAY, (due.area or WHOLE_SITE) if row is None else row["area"])
        if act.admit is not None:
            act.admit(entry)
        if not 1 <= number <= len(due.content.steps):
            raise NotFoundError(f"{due.id} has no step {number}")
        if act.is_new(entry, f"plan_step.{number}.{done}"):
            change = plan_steps.tick if done else plan_steps.untick
            changed = change(entry, due, number, actor=act.actor, now=act.now.wall)
            if row is not None:
                require_theirs(act.actor, _MAY, row)
            if changed:
                name = "plan.tick" if done else "plan.untick"
                act.record(entry, name, due=due.id, step=number)
        return due


def _view(entry: Entry) -> View:
    return View(connection=entry.connection, site=entry.site)
