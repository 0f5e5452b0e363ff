"""What a person may do with the work order of somebody else: say whether the work is good (验收),
ask who asked for it (回访), or void it; see :mod:`rules.actions.orders`."""

from __future__ import annotations

from sqlalchemy import RowMapping

from rules.actions.act import Act
from rules.actions.order_step import step
from rules.ledger import order_proofs, order_steps
from rules.ledger.rows import WorkOrder
from rules.ledger.store import Entry
from rules.people.roles import Permission
from rules.refusals import ConflictError, NotValidError


def verify(act: Act, *, passed: bool, note: str | None) -> WorkOrder:
    """Say that the work is good, or that it has to be done again.

    Somebody looks where telemetry cannot: then, and where it is not good, a note says what they
    saw; else ``NotValidError``.
    """

    def take(entry: Entry, row: RowMapping) -> None:
        if passed:
            # Looked at first: with its verification it is watched no more.
            is_watched = order_proofs.is_watched(entry, act.subject)
            order_steps.verify(entry, row, by=act.by, note=note, now=act.now)
            if not note and not is_watched:
                raise NotValidError("note", "no telemetry shows it: say what you have seen")
        elif note:
            order_steps.reject(entry, row, by=act.by, note=note, now=act.now)
        else:
            raise NotValidError("note", "say what is not good")
        act.record(entry, "order.verify", result="passed" if passed else "rejected", note=note)

    return step(act, "verify", Permission.VERIFY_ORDER, take)


def visit(act: Act, *, satisfied: bool, how: str, note: str | None) -> WorkOrder:
    """Who asked for it was asked (回访); not satisfied, it is done again."""

    def take(entry: Entry, row: RowMapping) -> None:
        if row["requester"] is None:
            raise ConflictError("nobody asked for this order, so there is nobody to visit")
        order_steps.visit(
            entry, row, by=act.by, satisfied=satisfied, how=how, note=note, now=act.now
        )
        result = "satisfied" if satisfied else "not satisfied"
        act.record(entry, "order.visit", result=result, how=how, note=note)

    return step(act, "visit", Permission.VISIT_REQUESTER, take)


def void(act: Act, *, reason: str) -> WorkOrder:
    """It should not have been made."""

    def take(entry: Entry, row: RowMapping) -> None:
        order_steps.void(entry, row, by=act.by, reason=reason, now=act.now)
        act.record(entry, "order.void", reason=reason)

    return step(act, "void", Permission.VERIFY_ORDER, take)
