"""What everybody has to do already."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import case, func, select

from rules.dispatch.candidates import Load
from rules.ledger.tables.orders import work_order
from rules.ledger.view import View
from rules.orders.lifecycle import RUNNING


def loads(view: View) -> Mapping[str, Load]:
    """User name → what they have, of everybody who was ever given an order."""
    runs = case((work_order.c.state.in_(RUNNING), 1), else_=0)
    query = (
        select(
            work_order.c.assigned_to,
            func.sum(runs).label("running"),
            func.max(work_order.c.assigned_at).label("last"),
        )
        .where(work_order.c.site_id == view.site, work_order.c.assigned_to.is_not(None))
        .group_by(work_order.c.assigned_to)
    )
    return {
        row.assigned_to: Load(open_orders=int(row.running), last_assigned_at=row.last)
        for row in view.connection.execute(query)
    }
