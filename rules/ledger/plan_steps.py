"""The steps of what is due of a plan: who ticked which, and when. A tick may be taken back while
the work is not over; that it was there says the history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from rules.ledger import plans
from rules.ledger.plan_rows import PlanDue
from rules.ledger.store import Entry
from rules.ledger.tables.plans import plan_due, plan_tick
from rules.ledger.view import View
from rules.people.roles import Actor
from rules.plans.lifecycle import DueEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    at: int
    """µs UTC."""
    by: str


def ticks(view: View, due_id: str) -> Mapping[int, Tick]:
    """Number of the step, from 1 → who did it when."""
    query = select(plan_tick.c.step, plan_tick.c.at, plan_tick.c.by).where(
        plan_tick.c.site_id == view.site, plan_tick.c.due_id == due_id
    )
    return {row.step: Tick(at=row.at, by=row.by) for row in view.connection.execute(query)}


def missing(view: View, due: PlanDue) -> list[int]:
    """The numbers of the steps that are required and that nobody has ticked."""
    done = ticks(view, due.id)
    steps = enumerate(due.content.steps, start=1)
    return [number for number, one in steps if one.required and number not in done]


def tick(entry: Entry, due: PlanDue, number: int, *, actor: Actor, now: int) -> bool:
    """It is done; False where somebody has said so before, whose word it stays."""
    plans.require_step(due, DueEvent.TICK, now)
    is_first = entry.insert_once(
        plan_tick, due_id=due.id, step=number, at=now, by=actor.username, via=actor.via.value
    )
    if is_first:
        plans.note_same(entry, due, DueEvent.TICK, now, by=actor.username, why=str(number))
    return is_first


def untick(entry: Entry, due: PlanDue, number: int, *, actor: Actor, now: int) -> bool:
    """It is not done after all; False where nobody had said that it was."""
    plans.require_step(due, DueEvent.UNTICK, now)
    taken = entry.connection.execute(
        delete(plan_tick).where(
            plan_tick.c.site_id == entry.site,
            plan_tick.c.due_id == due.id,
            plan_tick.c.step == number,
        )
    )
    if taken.rowcount:
        plans.note_same(entry, due, DueEvent.UNTICK, now, by=actor.username, why=str(number))
    return taken.rowcount > 0


def say_why(entry: Entry, due: PlanDue, why: str | None) -> None:
    """Why it is finished without all that is required; None: nothing is missing."""
    entry.connection.execute(
        update(plan_due)
        .where(plan_due.c.site_id == entry.site, plan_due.c.id == due.id)
        .values(unticked_why=why)
    )
