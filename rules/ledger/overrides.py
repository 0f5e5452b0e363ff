"""Limits of the site's own as rows."""

from __future__ import annotations

from sqlalchemy import delete, select

from gateway.model.moment import Instant
from rules.ledger.store import Entry
from rules.ledger.tables.rules import limit_override
from rules.ledger.view import View
from rules.overrides import LimitOverride


def load(source: View | Entry) -> tuple[LimitOverride, ...]:
    """All of the site's, by rule and equipment."""
    of = limit_override.c
    rows = source.connection.execute(
        select(limit_override).where(of.site_id == source.site).order_by(of.rule, of.equipment)
    ).mappings()
    return tuple(
        LimitOverride(
            rule=row["rule"],
            equipment=row["equipment"],
            limit=row["limit"],
            delay=row["delay"],
            reason=row["reason"],
            by=row["by"],
            at=row["at"],
        )
        for row in rows
    )


def put(
    entry: Entry,
    rule: str,
    equipment: str,
    *,
    limit: float | None,
    delay: int | None,
    reason: str,
    by: str,
    now: Instant,
) -> None:
    """Set it, in place of one that there was."""
    row = {
        "rule": rule,
        "equipment": equipment,
        "limit": limit,
        "delay": delay,
        "reason": reason,
        "by": by,
        "at": now.wall,
    }
    entry.put(limit_override, [row])


def remove(entry: Entry, rule: str, equipment: str) -> bool:
    """Whether there was one."""
    of = limit_override.c
    gone = entry.connection.execute(
        delete(limit_override)
        .where(of.site_id == entry.site, of.rule == rule, of.equipment == equipment)
        .returning(of.rule)
    )
    return gone.first() is not None
