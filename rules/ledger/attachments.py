"""The rows of photographs, signatures and documents that belong to a thing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select, union, update

from rules.ledger.store import Entry, Ledger
from rules.ledger.tables.attachments import attachment
from rules.ledger.tables.offline import offline_entry
from rules.ledger.view import View


class SubjectKind(StrEnum):
    """What something may belong to."""

    ORDER = "order"
    EQUIPMENT = "equipment"
    ROUND_ITEM = "round_item"
    """A line of a round: its round's id, a dot, its key."""


class AttachmentKind(StrEnum):
    PHOTO = "photo"
    SIGNATURE = "signature"
    DOCUMENT = "document"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    id: str
    subject_kind: SubjectKind
    subject: str
    kind: AttachmentKind
    media_type: str
    size: int
    """Bytes."""
    sha256: str
    """Names its file, too."""
    caption: str | None
    signed_by: str | None
    """Whose signature it is."""
    by: str
    at: int
    """µs UTC."""
    struck_at: int | None = None
    struck_by: str | None = None
    struck_why: str | None = None


def add(entry: Entry, new: Attachment) -> None:
    entry.add(attachment, **{name: getattr(new, name) for name in Attachment.__slots__})


def count(entry: Entry, kind: SubjectKind, subject: str) -> int:
    """How many belong to it, those that were struck out too."""
    query = select(func.count()).where(
        attachment.c.site_id == entry.site,
        attachment.c.subject_kind == kind,
        attachment.c.subject == subject,
    )
    return entry.connection.execute(query).scalar_one()


def of_subject(view: View, kind: SubjectKind, subject: str) -> list[Attachment]:
    """Oldest first, those that were struck out too."""
    return _found(view, attachment.c.subject_kind == kind, attachment.c.subject == subject)


def beginning_with(view: View, kind: SubjectKind, start: str) -> list[Attachment]:
    """Of every subject whose id begins so, oldest first, those that were struck out too."""
    return _found(
        view,
        attachment.c.subject_kind == kind,
        attachment.c.subject.startswith(start, autoescape=True),
    )


def find(view: View, attachment_id: str) -> Attachment | None:
    found = _found(view, attachment.c.id == attachment_id)
    return found[0] if found else None


def hashes(ledger: Ledger) -> list[str]:
    """The names of the files that there must be, of all sites: also of photographs that wait for a
    decision."""
    waiting = select(offline_entry.c.sha256).where(offline_entry.c.sha256.is_not(None))
    named = union(select(attachment.c.sha256), waiting).subquery()
    with ledger.reading() as connection:
        return list(connection.execute(select(named.c.sha256).order_by(named.c.sha256)).scalars())


def strike(entry: Entry, attachment_id: str, *, by: str, why: str, at: int) -> None:
    entry.connection.execute(
        update(attachment)
        .where(attachment.c.site_id == entry.site, attachment.c.id == attachment_id)
        .values(struck_at=at, struck_by=by, struck_why=why)
    )


def _found(view: View, *wanted: Any) -> list[Attachment]:
    query = (
        select(attachment)
        .where(attachment.c.site_id == view.site, *wanted)
        .order_by(attachment.c.at, attachment.c.id)
    )
    return [
        Attachment(
            **{
                **{name: row[name] for name in Attachment.__slots__},
                "subject_kind": SubjectKind(row["subject_kind"]),
                "kind": AttachmentKind(row["kind"]),
            }
        )
        for row in view.connection.execute(query).mappings()
    ]
