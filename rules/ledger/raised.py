"""The alarms that were raised, as a replay asks for them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, or_, select

from rules.ledger.tables.alarms import alarm
from rules.ledger.tables.orders import work_order
from rules.ledger.view import View
from rules.replay.outcome import Raised


def raised(view: View, rules: Collection[str], start: int, end: int) -> list[Raised]:
    """Those of ``rules`` that were up at some time from ``start`` to ``end`` (µs UTC)."""
    of, order = alarm.c, work_order.c
    joined = alarm.outerjoin(work_order, and_(order.site_id == of.site_id, order.id == of.order_id))
    rows = view.connection.execute(
        select(of.id, of.rule, of.equipment, of.raised_at, of.cleared_at, of.order_id, order.number)
        .select_from(joined)
        .where(
            of.site_id == view.site,
            of.rule.in_(list(rules)),
            of.raised_at < end,
            or_(of.cleared_at.is_(None), of.cleared_at >= start),
        )
        .order_by(of.raised_at, of.id)
    )
    return [
        Raised(
            id=row.id,
            rule=row.rule,
            equipment=row.equipment,
            raised_at=row.raised_at,
            cleared_at=row.cleared_at,
            order=row.order_id,
            order_number=row.number,
        )
        for row in rows
    ]
