"""Photographs of the lines of a round; see the package."""

from __future__ import annotations

import hashlib
from uuid import uuid4

from rules.actions.act import Act
from rules.attached_files import AttachedFile
from rules.inspections.lifecycle import OPEN
from rules.ledger import attachments as stored
from rules.ledger import round_photos, round_view
from rules.ledger.attachments import Attachment, AttachmentKind, SubjectKind
from rules.ledger.rows import ChangeKind
from rules.ledger.view import View
from rules.people.roles import WHOLE_SITE, Permission, require
from rules.refusals import ConflictError, NotFoundError

MOST = 10
"""Of one line, those that were struck out too."""


def may_attach(act: Act, key: str) -> None:
    """Before a large body is read: raises what :func:`attach` would raise, as far as it is known
    then."""
    require(act.actor, Permission.ENTER_ROUND)
    with act.ledger.read(act.site) as view:
        _require(act, view, key)


def attach(act: Act, key: str, file: AttachedFile, *, caption: str | None) -> Attachment:
    """A photograph of the line ``key`` of the round ``act.subject``, whose ``file`` lies there
    already; the same key of the act again is the same photograph.

    Raises ``ConflictError``: the round is not open, or the line has very many.
    """
    require(act.actor, Permission.ENTER_ROUND)
    with act.ledger.write(act.site) as entry:
        view = View(connection=entry.connection, site=act.site)
        _require(act, view, key)
        of = round_photos.subject(act.subject, key)
        made = Attachment(
            id=_id(act),
            subject_kind=SubjectKind.ROUND_ITEM,
            subject=of,
            kind=AttachmentKind.PHOTO,
            media_type=file.media_type,
            size=file.size,
            sha256=file.sha256,
            caption=caption,
            signed_by=None,
            by=act.by,
            at=act.now.wall,
        )
        if act.is_new(entry, f"round.photo {key}"):
            found = round_view.round_with(view, act.subject)
            assert found is not None
            if found.state(act.now.wall) not in OPEN:
                raise ConflictError(f"{found.id} cannot be filled in any more, or not yet")
            if stored.count(entry, SubjectKind.ROUND_ITEM, of) >= MOST:
                raise ConflictError(f"a line takes {MOST} photographs at most")
            stored.add(entry, made)
            entry.changed(ChangeKind.ROUND, act.subject, act.now.wall)
            act.record(
                entry,
                "round.photo",
                item=key,
                attachment=made.id,
                sha256=file.sha256,
                sent_sha256=file.sent_sha256,
            )
        kept = stored.find(view, made.id)
        assert kept is not None
        return kept


def _require(act: Act, view: View, key: str) -> None:
    line = round_photos.line_of(view, round_photos.subject(act.subject, key))
    if line is None:
        raise NotFoundError(f"there is no item {key} in {act.subject}")
    require(act.actor, Permission.ENTER_ROUND, line[2] or WHOLE_SITE)


def _id(act: Act) -> str:
    """The same for a request that comes twice."""
    said = f"{act.by} {act.key or uuid4().hex}"
    return hashlib.sha256(said.encode()).hexdigest()[:24]
