"""Rows that nobody needs any more: what was sent long ago, changes that every page has seen,
requests that nobody repeats. What waits is never touched, and of each table the newest stay
whatever their age: a wall clock that is wrong does not empty it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Table, and_, delete, or_, select, tuple_

from gateway.model.moment import DAY
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables.offline import offline_entry
from rules.ledger.tables.outbox import outbox
from rules.ledger.tables.work import change, idempotency

AT_ONCE = 500
"""Rows of a table in one transaction: nobody waits long behind it."""
LEAST = 10_000
"""So many rows of a table stay."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """What becomes of a table's rows with their age."""

    table: Table
    keep: int
    """µs."""
    at: Column[int]
    by: Column[int]
    """What says which are the newest."""
    over: ColumnElement[bool] | None = None
    """Only these may go; None: all."""


RETENTIONS = (
    # A year and a month: of whom was told what, last year's report is made from it.
    Retention(
        table=outbox,
        keep=396 * DAY,
        at=outbox.c.created_at,
        by=outbox.c.created_at,
        over=outbox.c.state.in_(("sent", "in_digest", "dropped")),
    ),
    # A page that missed more of them reads everything anew.
    Retention(table=change, keep=90 * DAY, at=change.c.at, by=change.c.id),
    Retention(table=idempotency, keep=90 * DAY, at=idempotency.c.at, by=idempotency.c.at),
    # What nobody has decided waits for somebody.
    Retention(
        table=offline_entry,
        keep=396 * DAY,
        at=offline_entry.c.received_at,
        by=offline_entry.c.number,
        over=or_(offline_entry.c.outcome != "conflict", offline_entry.c.resolved_at.is_not(None)),
    ),
)


def prune(entry: Entry, retention: Retention, wall: int, *, least: int = LEAST) -> int:
    """Remove the oldest rows of a table, :data:`AT_ONCE` at most; how many that were.

    ``wall``: µs UTC.
    """
    table, here = retention.table, retention.table.c.site_id == entry.site
    edge = (
        select(retention.by)
        .where(here)
        .order_by(retention.by.desc())
        .offset(max(least, 1) - 1)
        .limit(1)
        .scalar_subquery()
    )
    old = and_(here, retention.at < wall - retention.keep, retention.by < edge)
    if retention.over is not None:
        old = and_(old, retention.over)
    key = tuple(table.primary_key)
    oldest = select(*key).where(old).order_by(retention.by).limit(AT_ONCE)
    return entry.connection.execute(delete(table).where(tuple_(*key).in_(oldest))).rowcount


def newest(ledger: Ledger, site: str) -> int | None:
    """When anything changed last, µs UTC; None: never."""
    query = select(change.c.at).where(change.c.site_id == site)
    with ledger.reading() as connection:
        found = connection.execute(query.order_by(change.c.id.desc()).limit(1))
        return found.scalar_one_or_none()
