"""Photographs, signatures and documents of an order, and those of a piece of equipment; see the
package.

Nothing is ever taken away: what should not be there is struck out, with a reason.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import RowMapping

from gateway.model.equipment import Site
from rules.actions.act import Act
from rules.actions.order_step import found_row
from rules.attached_files import AttachedFile, media_type_of
from rules.drawn_anew import NoPictureError, drawn_anew, is_picture
from rules.ledger import attachments as stored
from rules.ledger import equipment_register_view, round_photos
from rules.ledger.attachments import Attachment, AttachmentKind, SubjectKind
from rules.ledger.rows import ChangeKind
from rules.ledger.store import Entry
from rules.ledger.view import View
from rules.orders.lifecycle import NOT_CLOSED
from rules.people.roles import Actor, Permission, require
from rules.refusals import ConflictError, NotFoundError, NotValidError

MOST_BYTES = 10 * 1024 * 1024
MOST = 30
"""Of one order, those that were struck out too."""
MOST_OF_EQUIPMENT = 100
_TAKEN = {
    AttachmentKind.PHOTO: ("image/jpeg", "image/png", "image/webp"),
    AttachmentKind.SIGNATURE: ("image/png",),
    AttachmentKind.DOCUMENT: ("application/pdf", "image/jpeg", "image/png", "image/webp"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class NewAttachment:
    kind: AttachmentKind
    caption: str | None = None
    signed_by: str | None = None


def may_attach(act: Act) -> None:
    """Before a large body is read: raises what :func:`attach` would raise, as far as it is known
    then."""
    _require(act.actor, None)
    with act.ledger.read(act.site) as view:
        order = view.order(act.subject)
        if order is None:
            raise NotFoundError(f"there is no order {act.subject}")
        _require(act.actor, order.area)


def attach(act: Act, new: NewAttachment, file: AttachedFile) -> Attachment:
    """The row of a ``file`` that lies there already (``attached_files.AttachedFiles.put``); the
    same key again is the same attachment.

    Raises ``ConflictError``: the order is over or has very many.
    """
    _require(act.actor, None)
    with act.ledger.write(act.site) as entry:
        row = _order(entry, act)
        made = Attachment(
            id=_id(act),
            subject_kind=SubjectKind.ORDER,
            subject=row["id"],
            kind=new.kind,
            media_type=file.media_type,
            size=file.size,
            sha256=file.sha256,
            caption=new.caption,
            signed_by=new.signed_by,
            by=act.by,
            at=act.now.wall,
        )
        if act.is_new(entry, "attach"):
            if row["state"] not in NOT_CLOSED:
                raise ConflictError("this order is over")
            if stored.count(entry, SubjectKind.ORDER, row["id"]) >= MOST:
                raise ConflictError(f"an order takes {MOST} photographs and documents at most")
            stored.add(entry, made)
            entry.changed(ChangeKind.ORDER, row["id"], act.now.wall)
            act.record(
                entry,
                "order.attach",
                kind=new.kind,
                attachment=made.id,
                sha256=file.sha256,
                sent_sha256=file.sent_sha256,
                signed_by=new.signed_by,
            )
        found = stored.find(View(connection=entry.connection, site=act.site), made.id)
        assert found is not None
        return found


def may_attach_to_equipment(act: Act, site: Site) -> None:
    """Before a large body is read, as :func:`may_attach`."""
    _require_of_equipment(act.actor, None)
    with act.ledger.read(act.site) as view:
        _require_of_equipment(act.actor, _area_of_equipment(view, site, act.subject))


def attach_to_equipment(act: Act, site: Site, new: NewAttachment, file: AttachedFile) -> Attachment:
    """As :func:`attach`, of a piece of equipment: its name plate, its manual, a certificate."""
    _require_of_equipment(act.actor, None)
    if new.kind is AttachmentKind.SIGNATURE:
        raise NotValidError("kind", "nobody signs for a piece of equipment")
    with act.ledger.write(act.site) as entry:
        view = View(connection=entry.connection, site=act.site)
        _require_of_equipment(act.actor, _area_of_equipment(view, site, act.subject))
        made = Attachment(
            id=_id(act),
            subject_kind=SubjectKind.EQUIPMENT,
            subject=act.subject,
            kind=new.kind,
            media_type=file.media_type,
            size=file.size,
            sha256=file.sha256,
            caption=new.caption,
            signed_by=None,
            by=act.by,
            at=act.now.wall,
        )
        if act.is_new(entry, "register.attach"):
            if stored.count(entry, SubjectKind.EQUIPMENT, act.subject) >= MOST_OF_EQUIPMENT:
                most = f"{MOST_OF_EQUIPMENT} photographs and documents at most"
                raise ConflictError(f"a piece of equipment takes {most}")
            stored.add(entry, made)
            entry.changed(ChangeKind.REGISTER, act.subject, act.now.wall)
            act.record(
                entry,
                "register.attach",
                kind=new.kind,
                attachment=made.id,
                sha256=file.sha256,
                sent_sha256=file.sent_sha256,
            )
        found = stored.find(view, made.id)
        assert found is not None
        return found


def strike(act: Act, site: Site, *, reason: str) -> Attachment:
    """``act.subject`` no longer counts; it stays, with the reason."""
    _require_to_strike(act.actor)
    with act.ledger.write(act.site) as entry:
        view = View(connection=entry.connection, site=act.site)
        found = stored.find(view, act.subject)
        if found is None:
            raise NotFoundError(f"there is no attachment {act.subject}")
        is_order = found.subject_kind is SubjectKind.ORDER
        require(act.actor, _strikes(found), _area(view, site, found))
        if act.is_new(entry, "strike"):
            if found.struck_at is not None:
                raise ConflictError("this was struck out already")
            stored.strike(entry, found.id, by=act.by, why=reason, at=act.now.wall)
            kind = ChangeKind.ORDER if is_order else ChangeKind.REGISTER
            line = _line(view, found)
            changed = (kind, found.subject) if line is None else (ChangeKind.ROUND, line[0])
            entry.changed(*changed, act.now.wall)
            of = {found.subject_kind.value: found.subject}
            act.record(entry, "attachment.strike", **of, reason=reason)
        after = stored.find(view, act.subject)
        assert after is not None
        return after


def seen(view: View, site: Site, attachment_id: str, actor: Actor) -> Attachment:
    """What ``actor`` may look at; what was struck out, only who may strike it out."""
    found = stored.find(view, attachment_id)
    if found is None:
        raise NotFoundError(f"there is no attachment {attachment_id}")
    area = _area(view, site, found)
    require(actor, Permission.VIEW, area)
    if found.struck_at is not None:
        require(actor, _strikes(found), area)
    return found


def seen_by_contractor(view: View, order_id: str) -> list[Attachment]:
    """The photographs and documents of an order that count; nobody's signature is theirs."""
    return [
        one
        for one in stored.of_subject(view, SubjectKind.ORDER, order_id)
        if one.struck_at is None and one.kind is not AttachmentKind.SIGNATURE
    ]


def _require(actor: Actor, area: str | None) -> None:
    """Whoever works on orders, and whoever takes down what is asked for."""
    if not actor.may(Permission.COMPLETE_ORDER, area):
        require(actor, Permission.CREATE_ORDER, area)


def _require_of_equipment(actor: Actor, area: str | None) -> None:
    """Whoever keeps the register, and whoever stands before the thing with a camera."""
    if not actor.may(Permission.EDIT_REGISTER, area):
        require(actor, Permission.COMPLETE_ORDER, area)


def _require_to_strike(actor: Actor) -> None:
    if not actor.may(Permission.VERIFY_ORDER) and not actor.may(Permission.COUNTERSIGN_ROUND):
        require(actor, Permission.EDIT_REGISTER)


def _strikes(found: Attachment) -> Permission:
    return {
        SubjectKind.ORDER: Permission.VERIFY_ORDER,
        SubjectKind.EQUIPMENT: Permission.EDIT_REGISTER,
        SubjectKind.ROUND_ITEM: Permission.COUNTERSIGN_ROUND,
    }[found.subject_kind]


def _line(view: View, found: Attachment) -> tuple[str, str, str | None] | None:
    """Round, line and area of a photograph of a round."""
    if found.subject_kind is not SubjectKind.ROUND_ITEM:
        return None
    return round_photos.line_of(view, found.subject)


def _area(view: View, site: Site, found: Attachment) -> str | None:
    """Where what it belongs to is; raises ``NotFoundError`` where that is gone."""
    if found.subject_kind is SubjectKind.EQUIPMENT:
        return _area_of_equipment(view, site, found.subject)
    line = _line(view, found)
    if line is not None:
        return line[2]
    order = view.order(found.subject)
    if order is None:
        raise NotFoundError(f"there is no attachment {found.id}")
    return order.area


def _area_of_equipment(view: View, site: Site, equipment: str) -> str | None:
    thing = site.equipment.get(equipment)
    if thing is not None:
        return thing.area
    record = equipment_register_view.record_of(view, equipment)
    if record is None:
        raise NotFoundError(f"there is no equipment {equipment}")
    return record.attributes.area


def _order(entry: Entry, act: Act) -> RowMapping:
    row = found_row(entry, act.subject)
    _require(act.actor, row["area"])
    if act.admit is not None:
        act.admit(entry)
    return row


def made_safe(new: NewAttachment, data: bytes) -> tuple[str, bytes]:
    """What ``data`` is, and the bytes to keep: a picture is drawn anew (``rules.drawn_anew``), a
    PDF stays as it is. Raises ``NotValidError`` for what is not taken."""
    if len(data) > MOST_BYTES:
        raise NotValidError("file", f"has more than {MOST_BYTES} bytes")
    found = media_type_of(data)
    if found is None or found not in _TAKEN[new.kind]:
        taken = ", ".join(_TAKEN[new.kind])
        raise NotValidError("file", f"is none of {taken}, whatever it is called")
    if (new.kind is AttachmentKind.SIGNATURE) is not bool(new.signed_by):
        raise NotValidError("signed_by", "says whose signature it is, and goes with one only")
    if not is_picture(found):
        return found, data
    try:
        return found, drawn_anew(data, found)
    except NoPictureError as error:
        raise NotValidError("file", str(error)) from None


def _id(act: Act) -> str:
    """The same for a request that comes twice."""
    said = f"{act.by} {act.key or uuid4().hex}"
    return hashlib.sha256(said.encode()).hexdigest()[:24]
