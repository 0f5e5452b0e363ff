"""The audit: who did what to which thing, in the transaction of the deed itself.

Each row's hash is over its own content and the hash of the row before it, and the site's row of
``counter`` holds number and hash of the last one, so that a row that was changed or taken out
later, the last one too, is found by whoever goes through them (:func:`verify`). Whoever rewrites
all rows behind it and that head as well is found only by a copy of a hash kept elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import and_, func, insert, select, update

from rules.ledger.store import Entry
from rules.ledger.tables.people import audit
from rules.ledger.tables.work import counter
from rules.ledger.view import View
from rules.people.roles import Actor, Via

Detail = Mapping[str, str | int | float | bool | None]
_FIRST = ""
"""What stands for the hash before the first row."""
_AT_ONCE = 1000
"""Rows in memory while going through all of them."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What going through all rows has shown."""

    rows: int
    """How many there are."""
    first_bad: int | None = None
    """The number of the first row that is not as it was written, or not there; None: all well."""
    why: str | None = None
    head: str = _FIRST
    """The hash of the last row that is well: kept elsewhere, it proves every row up to it."""

    @property
    def ok(self) -> bool:
        return self.first_bad is None


def record(
    entry: Entry, actor: Actor, action: str, subject: str, at: int, **detail: str | float | None
) -> None:
    """Note a deed; ``detail`` holds no secret. The site's writers follow one another.

    Of a deed signed by PIN it is noted too at whose session.
    """
    if actor.at_session_of is not None:
        detail["at_session_of"] = actor.at_session_of
    note(entry, action, subject, at, by=actor.username, via=actor.via, **detail)


def note(
    entry: Entry,
    action: str,
    subject: str,
    at: int,
    *,
    by: str,
    via: Via,
    **detail: str | float | None,
) -> None:
    """As :func:`record`, where it is not known who acts, or only by a name they gave."""
    number, before = _head(View(connection=entry.connection, site=entry.site))
    row = {
        "number": number + 1,
        "at": at,
        "by": by,
        "via": via.value,
        "action": action,
        "subject": subject,
        "detail": detail,
    }
    digest = _hash(entry.site, row, before)
    entry.connection.execute(insert(audit).values(site_id=entry.site, hash=digest, **row))
    entry.connection.execute(
        update(counter)
        .where(counter.c.site_id == entry.site)
        .values(audit_number=number + 1, audit_hash=digest)
    )


def rows(view: View, *, after: int = 0, limit: int | None = None) -> Iterator[AuditRow]:
    """The rows behind number ``after``, oldest first."""
    query = (
        select(audit)
        .where(audit.c.site_id == view.site, audit.c.number > after)
        .order_by(audit.c.number)
        .limit(limit)
    )
    found = view.connection.execute(query.execution_options(yield_per=_AT_ONCE))
    for row in found.mappings():
        yield AuditRow(**{name: row[name] for name in AuditRow.__slots__})


def newest(
    view: View,
    *,
    limit: int,
    before: int | None = None,
    subject: str | None = None,
    by: str | None = None,
) -> list[AuditRow]:
    """The rows before number ``before``, newest first; only those of ``subject`` and ``by``."""
    wanted = [audit.c.site_id == view.site]
    if before is not None:
        wanted.append(audit.c.number < before)
    if subject is not None:
        wanted.append(audit.c.subject == subject)
    if by is not None:
        wanted.append(audit.c.by == by)
    query = select(audit).where(and_(*wanted)).order_by(audit.c.number.desc()).limit(limit)
    return [
        AuditRow(**{name: found[name] for name in AuditRow.__slots__})
        for found in view.connection.execute(query).mappings()
    ]


def verify(view: View) -> Verdict:
    """Go through all rows from the first one; stops at the first that is not well."""
    number, digest = 0, _FIRST
    for row in rows(view):
        plain = {name: getattr(row, name) for name in AuditRow.__slots__ if name != "hash"}
        if row.number != number + 1:
            return _bad(view, number + 1, digest, "is not there")
        if row.hash != _hash(view.site, plain, digest):
            return _bad(view, row.number, digest, "is not as it was written")
        number, digest = row.number, row.hash
    last, head = _head(view)
    if number < last:
        return _bad(view, number + 1, digest, "is not there, and none behind it")
    if number > last:
        return _bad(view, last + 1, digest, "was not written by dutyroom")
    if digest != head:
        return _bad(view, number, digest, "is not the last one that was written")
    return Verdict(rows=number, head=digest)


def _bad(view: View, number: int, head: str, why: str) -> Verdict:
    query = select(func.count()).where(audit.c.site_id == view.site).select_from(audit)
    there = view.connection.execute(query).scalar_one()
    return Verdict(rows=there, first_bad=number, why=f"row {number} {why}", head=head)


def _head(view: View) -> tuple[int, str]:
    """Number and hash of the last row written; (0, "") before the first."""
    found = view.connection.execute(
        select(counter.c.audit_number, counter.c.audit_hash).where(counter.c.site_id == view.site)
    ).one_or_none()
    return (0, _FIRST) if found is None else (found.audit_number, found.audit_hash)


def _hash(site: str, row: Mapping[str, object], before: str) -> str:
    canonical = orjson.dumps([site, before, row], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()
