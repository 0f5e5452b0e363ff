"""The frame of every step with a work order: who may, whether it is still to do, what is said."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import RowMapping

from rules.actions.act import Act
from rules.ledger import order_rows
from rules.ledger.rows import WorkOrder
from rules.ledger.store import Entry
from rules.ledger.view import View
from rules.people.roles import Actor, ForbiddenError, Permission, require
from rules.refusals import NotFoundError

Take = Callable[[Entry, RowMapping], None]


class NotTheirsError(ForbiddenError):
    """Somebody else has the order."""

    def __init__(self, actor: Actor, permission: Permission, row: RowMapping) -> None:
        super().__init__(actor, permission, row["area"])
        self.args = (f"{actor.username} may not: {row['assigned_to']} has the order {row['id']}",)


def step(act: Act, name: str, permission: Permission, take: Take) -> WorkOrder:
    """``take`` it unless its key has taken it before; what raises undoes all of it."""
    require(act.actor, permission)
    with act.ledger.write(act.site) as entry:
        row = found_row(entry, act.subject)
        require(act.actor, permission, row["area"])
        if act.admit is not None:
            act.admit(entry)
        if act.is_new(entry, name):
            take(entry, row)
        return order_of(entry, act.subject)


def require_theirs(actor: Actor, permission: Permission, row: RowMapping) -> None:
    """After the step: that it is not possible any more comes before whose it is."""
    if row["assigned_to"] in (None, actor.username):
        return
    if not actor.may(Permission.ASSIGN_ORDER, row["area"]):
        raise NotTheirsError(actor, permission, row)


def found_row(entry: Entry, order_id: str) -> RowMapping:
    row = order_rows.find(entry, order_id)
    if row is None:
        raise NotFoundError(f"there is no order {order_id}")
    return row


def order_of(entry: Entry, order_id: str) -> WorkOrder:
    found = View(connection=entry.connection, site=entry.site).order(order_id)
    assert found is not None
    return found
