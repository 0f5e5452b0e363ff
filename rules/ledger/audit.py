"""The audit: who did what to which thing, in the transaction of the deed itself.

Each row's hash is over its own content and the hash of the row before it, so that a row that was
changed or taken out later is found by whoever goes through them (:func:`first_bad`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import insert, select

from rules.ledger.store import Entry
from rules.ledger.tables.people import audit
from rules.ledger.view import View
from rules.people.roles import Actor

Detail = Mapping[str, str | int | float | bool | None]
_FIRST = ""
"""What stands for the hash before the first row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRow:
    number: int
    """Counts from 1 within the site, without a gap."""
    at: int
    """µs UTC."""
    by: str
    via: str
    action: str
    subject: str
    detail: Detail
    hash: str


def record(
    entry: Entry, actor: Actor, action: str, subject: str, at: int, **detail: str | float | None
) -> None:
    """Note a deed; ``detail`` holds no secret. The site's writers follow one another."""
    last = _last(entry)
    number = 1 if last is None else last[0] + 1
    row = {
        "number": number,
        "at": at,
        "by": actor.username,
        "via": actor.via.value,
        "action": action,
        "subject": subject,
        "detail": detail,
    }
    digest = _hash(entry.site, row, _FIRST if last is None else last[1])
    entry.connection.execute(insert(audit).values(site_id=entry.site, hash=digest, **row))


def rows(view: View, *, after: int = 0, limit: int | None = None) -> Iterator[AuditRow]:
    """The rows behind number ``after``, oldest first."""
    query = (
        select(audit)
        .where(audit.c.site_id == view.site, audit.c.number > after)
        .order_by(audit.c.number)
        .limit(limit)
    )
    for found in view.connection.execute(query).mappings():
        yield AuditRow(**{name: found[name] for name in AuditRow.__slots__})


def first_bad(view: View) -> AuditRow | None:
    """The first row that is not as it was written, or that does not follow on the one before."""
    digest = _FIRST
    for number, row in enumerate(rows(view), 1):
        plain = {name: getattr(row, name) for name in AuditRow.__slots__ if name != "hash"}
        expected = _hash(view.site, plain, digest)
        if row.number != number or row.hash != expected:
            return row
        digest = row.hash
    return None


def _last(entry: Entry) -> tuple[int, str] | None:
    query = (
        select(audit.c.number, audit.c.hash)
        .where(audit.c.site_id == entry.site)
        .order_by(audit.c.number.desc())
        .limit(1)
    )
    found = entry.connection.execute(query).one_or_none()
    return None if found is None else (found.number, found.hash)


def _hash(site: str, row: Mapping[str, object], before: str) -> str:
    canonical = orjson.dumps([site, before, row], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()
