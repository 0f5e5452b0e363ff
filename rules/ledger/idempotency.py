"""A request that comes twice does its work once: the keys that a person's requests carried."""

from __future__ import annotations

from sqlalchemy import select

from gateway.model.moment import Instant
from rules.ledger.store import Entry
from rules.ledger.tables.work import idempotency


class KeyReusedError(Exception):
    """An idempotency key that this person has used for something else."""


def is_new(
    entry: Entry, key: str | None, action: str, subject: str, *, by: str, now: Instant
) -> bool:
    """Whether this request has not been served before; remembers it.

    Raises :class:`KeyReusedError`. The keys of two people do not meet.
    """
    if key is None:
        return True
    if entry.insert_once(idempotency, by=by, key=key, action=action, subject=subject, at=now.wall):
        return True
    done = entry.connection.execute(
        select(idempotency.c.action, idempotency.c.subject).where(
            idempotency.c.site_id == entry.site,
            idempotency.c.by == by,
            idempotency.c.key == key,
        )
    ).one()
    if (done.action, done.subject) != (action, subject):
        raise KeyReusedError(f"the key was used to {done.action} {done.subject}")
    return False
