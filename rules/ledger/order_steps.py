"""The steps that people take with a work order. Each raises ``IllegalTransitionError`` where the
state does not allow it, and then nothing has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from gateway.model.moment import Instant
from rules.ledger import order_clocks, order_proofs, proofs, timers
from rules.ledger.order_rows import move, resuming
from rules.ledger.orders import NOBODY_HAS_IT
from rules.ledger.rows import instant_columns
from rules.ledger.store import Entry
from rules.ledger.timers import TimerKind
from rules.orders.lifecycle import TAKEN, OrderEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """What was done, said at completion."""

    note: str
    cause_code: str | None = None
    remedy_code: str | None = None
    materials: Sequence[Mapping[str, Any]] = ()
    """{name, quantity, unit, price}"""
    labour_minutes: int | None = None
    unticked_why: str | None = None
    """Of an order of a plan: why without every step that is required."""


def assign(
    entry: Entry, row: RowMapping, *, to: str, by: str, note: str | None, now: Instant
) -> None:
    """Somebody is to take it; who had it before has it no more."""
    had = row["state"] in TAKEN
    # What was noted of whoever had it goes; that there was somebody says the history.
    cleared = dict.fromkeys(("accepted_at", "accepted_by", "arrived_at", "suspended_why"))
    why = to if note is None else f"{to}: {note}"
    move(
        entry,
        row,
        OrderEvent.ASSIGN,
        now.wall,
        by=by,
        why=why,
        **{**cleared, "assigned_to": to, "assigned_at": now.wall},
    )
    if had:
        order_clocks.asked_again(entry, row["id"], now)


def decline(entry: Entry, row: RowMapping, *, by: str, reason: str, now: Instant) -> None:
    cleared = dict.fromkeys((*NOBODY_HAS_IT, "suspended_why"))
    move(entry, row, OrderEvent.DECLINE, now.wall, by=by, why=reason, **cleared)
    order_clocks.asked_again(entry, row["id"], now)
    timers.start(entry, TimerKind.STAFF, row["id"], now, allowed=0)


def accept(
    entry: Entry, row: RowMapping, *, by: str, now: Instant, for_: str | None = None
) -> None:
    """``for_``: who has it from now on, where that is not whoever says so."""
    has = for_ or by
    columns: dict[str, Any] = {"accepted_at": now.wall, "accepted_by": by}
    if row["assigned_to"] != has:
        columns |= {"assigned_to": has, "assigned_at": now.wall}
    move(entry, row, OrderEvent.ACCEPT, now.wall, by=by, **columns)
    order_clocks.accepted(entry, row["id"], now)


def arrive(entry: Entry, row: RowMapping, *, by: str, now: Instant) -> None:
    move(entry, row, OrderEvent.ARRIVE, now.wall, by=by, arrived_at=now.wall)
    order_clocks.arrived(entry, row["id"], now)


def start(entry: Entry, row: RowMapping, *, by: str, now: Instant) -> None:
    """Whoever is at work is there."""
    arrived_at = row["arrived_at"] or now.wall
    move(
        entry,
        row,
        OrderEvent.START,
        now.wall,
        by=by,
        started_at=now.wall,
        arrived_at=arrived_at,
    )
    order_clocks.arrived(entry, row["id"], now)


def suspend(
    entry: Entry, row: RowMapping, *, by: str, why: str, note: str | None, now: Instant
) -> None:
    said = why if note is None else f"{why}: {note}"
    move(entry, row, OrderEvent.SUSPEND, now.wall, by=by, why=said, suspended_why=why)
    order_clocks.paused(entry, row["id"], why, now)


def resume(entry: Entry, row: RowMapping, *, by: str, now: Instant) -> None:
    """It goes back to where it was: who was on the way is still to arrive."""
    move(entry, row, resuming(entry, row), now.wall, by=by, suspended_why=None)
    order_clocks.resumed(entry, row["id"], now)


def complete(entry: Entry, row: RowMapping, work: Work, *, by: str, now: Instant) -> None:
    """The clocks stop at 完工."""
    move(
        entry,
        row,
        OrderEvent.COMPLETE,
        now.wall,
        by=by,
        why=work.note,
        **instant_columns("completed", now),
        completed_by=by,
        note=work.note,
        cause_code=work.cause_code,
        remedy_code=work.remedy_code,
        materials=[dict(one) for one in work.materials],
        labour_minutes=work.labour_minutes,
    )
    order_clocks.stopped(entry, row["id"], now)
    order_proofs.wait_for_proof(entry, row["id"], now)


def verify(entry: Entry, row: RowMapping, *, by: str, note: str | None, now: Instant) -> None:
    verified = move(
        entry,
        row,
        OrderEvent.VERIFY,
        now.wall,
        by=by,
        why=note,
        verified_at=now.wall,
        verified_by=by,
    )
    order_proofs.close_if_nobody_asked(entry, verified, now)


def reject(entry: Entry, row: RowMapping, *, by: str, note: str, now: Instant) -> None:
    """返工: whoever did it goes back to work, and the clock goes on."""
    _back_to_work(entry, row, by=by, why=note, now=now)


def visit(
    entry: Entry,
    row: RowMapping,
    *,
    by: str,
    satisfied: bool,
    how: str,
    note: str | None,
    now: Instant,
) -> None:
    """Who asked for it was asked. With the owner not satisfied it is not over: the work is done
    again."""
    said = how if note is None else f"{how}: {note}"
    visited = {
        "visited_at": now.wall,
        "visited_by": by,
        "visit_how": how,
        "satisfied": satisfied,
    }
    if satisfied:
        move(entry, row, OrderEvent.VISIT, now.wall, by=by, why=said, closed_at=now.wall, **visited)
    else:
        _back_to_work(entry, row, by=by, why=f"not satisfied, {said}", now=now, **visited)


def void(entry: Entry, row: RowMapping, *, by: str, reason: str, now: Instant) -> None:
    move(
        entry,
        row,
        OrderEvent.VOID,
        now.wall,
        by=by,
        why=reason,
        voided_at=now.wall,
        voided_by=by,
    )
    order_clocks.stopped(entry, row["id"], now)


def _back_to_work(
    entry: Entry, row: RowMapping, *, by: str, why: str, now: Instant, **columns: Any
) -> None:
    # Looked at first: nothing is paused of an order whose state does not allow it.
    move(
        entry,
        row,
        OrderEvent.REJECT,
        now.wall,
        by=by,
        why=why,
        **instant_columns("completed", None),
        completed_by=None,
        verified_at=None,
        verified_by=None,
        **columns,
    )
    order_clocks.back_to_work(entry, row, now)
    timers.cancel(entry, TimerKind.PROVE, row["id"])
    proofs.forget(entry, row["id"])
