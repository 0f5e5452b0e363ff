"""Photographs, signatures and documents of an order; the bytes of all that there are."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api import models
from api.deps import (
    ActorNeeded,
    DeskNeeded,
    Id,
    IdempotencyKey,
    OrderAct,
    SameOrigin,
    get_visitor,
)
from api.desk import Desk
from api.models.orders import Line
from api.problems import ProblemException, described
from api.uses import Uses
from api.views import attachments as views
from rules.actions import attachments as actions
from rules.actions.attachments import MOST_BYTES, NewAttachment
from rules.attached_files import AttachedFile, AttachedFiles, LostFileError, NoRoomError
from rules.ledger.attachments import Attachment, AttachmentKind

router = APIRouter(tags=["orders"], dependencies=[Depends(get_visitor)])

UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself. What it is, its first bytes say.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "image/webp", "application/pdf")
        },
    }
}
BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {kind: {} for kind in UPLOAD["requestBody"]["content"]},
        "description": "The file.",
    }
}
Caption = Annotated[Line | None, Query(max_length=200)]


@router.post(
    "/orders/{order_id}/attachments",
    status_code=201,
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 408, 409, 413, 422, 503, 507),
    openapi_extra=UPLOAD,
)
async def attach(
    *,
    desk: DeskNeeded,
    act: OrderAct,
    request: Request,
    kind: models.AttachmentKind = "photo",
    caption: Caption = None,
    signed_by: Annotated[Line | None, Query(max_length=64)] = None,
) -> models.Attachment:
    """Add a photograph (JPEG, PNG, WebP), a signature (PNG, with `signed_by`) or a document (PDF)
    of at most 10 MB; an order takes 30."""
    await desk.in_ledger(partial(actions.may_attach, act))
    new = NewAttachment(kind=AttachmentKind(kind), caption=caption, signed_by=signed_by)
    file = await received(desk, request, new)
    row = await desk.in_ledger(partial(actions.attach, act, new, file))
    return views.document(row, desk.site.zone)


@router.get(
    "/attachments/{attachment_id}",
    response_class=Response,
    responses={**BYTES, **described(401, 403, 404, 422, 500, 503)},
)
async def attachment(desk: DeskNeeded, actor: ActorNeeded, attachment_id: Id) -> Response:
    """The bytes. What was struck out is shown only to those who may strike it out."""
    found = await desk.read(lambda view: actions.seen(view, desk.site, attachment_id, actor))
    return await answered(desk, found)


@router.post(
    "/attachments/{attachment_id}/strike",
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 409, 422, 503),
)
async def strike(
    *,
    desk: DeskNeeded,
    actor: ActorNeeded,
    attachment_id: Id,
    body: models.ReasonBody,
    idempotency_key: IdempotencyKey = None,
) -> models.Attachment:
    """It should not be there: it stays, marked with the reason, and no longer counts."""
    act = desk.act(attachment_id, actor, idempotency_key)
    struck = await desk.in_ledger(partial(actions.strike, act, desk.site, reason=body.reason))
    return views.document(struck, desk.site.zone)


async def received(
    desk: Desk, request: Request, new: NewAttachment, *, outside: bool = False
) -> AttachedFile:
    """The body of ``request`` as the file of ``new``; it is on the disk then.

    1. Read, at most :data:`MOST_BYTES`; 2. checked, and a picture drawn anew; 3. kept. Its row
    comes after that: the ledger is not asked before the disk is done.
    """
    uses: Uses = request.app.state.uses
    async with uses.body(request, MOST_BYTES, outside=outside) as sent:
        media_type, data = await desk.in_pictures(partial(actions.made_safe, new, sent))
        try:
            return await desk.in_files(partial(_put, desk.attached, media_type, data, sent))
        except NoRoomError as error:
            raise ProblemException(507, f"There is no room for it: {error}.") from None


def _put(files: AttachedFiles, media_type: str, data: bytes, sent: bytes) -> AttachedFile:
    return AttachedFile(
        media_type=media_type,
        size=len(data),
        sha256=files.put(data),
        sent_size=len(sent),
        sent_sha256=hashlib.sha256(sent).hexdigest(),
    )


async def answered(desk: Desk, found: Attachment) -> Response:
    """The bytes of ``found``; 500 where its file is gone or damaged."""
    try:
        data = await desk.in_files(lambda: desk.attached.read(found.sha256))
    except LostFileError as error:
        raise ProblemException(
            500, f"This attachment is lost: {error}. Bring it back from a backup."
        ) from None
    return views.served(found, data)
