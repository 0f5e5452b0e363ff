"""Whether one crew can go on with an order alone, said on the order itself (S1 7.4): by whoever has
it, before the shift is handed over; see :mod:`rules.actions.orders`."""

from __future__ import annotations

from sqlalchemy import RowMapping, update

from rules.actions.act import Act
from rules.actions.order_step import require_theirs, step
from rules.ledger.rows import ChangeKind, WorkOrder
from rules.ledger.store import Entry
from rules.ledger.tables.orders import work_order
from rules.orders.lifecycle import RUNNING
from rules.people.roles import Permission
from rules.refusals import ConflictError


def need_both(act: Act, *, why: str | None) -> WorkOrder:
    """It needs both crews, for ``why``; None: one crew can go on alone. While it does, and somebody
    is at work on it, no shift is handed over. Raises ``ConflictError`` once the work is done."""

    def take(entry: Entry, row: RowMapping) -> None:
        if row["state"] not in RUNNING:
            raise ConflictError("nobody works on this order any more")
        require_theirs(act.actor, Permission.COMPLETE_ORDER, row)
        if row["both_crews"] == why:
            return
        entry.connection.execute(
            update(work_order)
            .where(work_order.c.site_id == act.site, work_order.c.id == act.subject)
            .values(both_crews=why)
        )
        entry.changed(ChangeKind.ORDER, act.subject, act.now.wall)
        if why is None:
            act.record(entry, "order.one_crew")
        else:
            act.record(entry, "order.both_crews", reason=why)

    return step(act, "both_crews", Permission.COMPLETE_ORDER, take)
