"""Photographs and signatures as documents and as bytes; an order as its contractor sees it."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import Response

from api import models
from api.views import words
from rules.ledger.attachments import Attachment

_ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/pdf": "pdf",
}
_FOR_A_WHILE = "private, max-age=300"


def document(one: Attachment, zone: ZoneInfo) -> models.Attachment:
    return models.Attachment(
        id=one.id,
        kind=one.kind.value,
        media_type=one.media_type,
        size=one.size,
        caption=one.caption,
        signed_by=one.signed_by,
        by=one.by,
        at=words.moment(one.at, zone),
        struck_at=words.moment_if(one.struck_at, zone),
        struck_by=one.struck_by,
        struck_why=one.struck_why,
    )


def served(one: Attachment, data: bytes) -> Response:
    """The bytes, as what they are and nothing else: no script in them runs, and what is no picture
    is not opened."""
    way = "inline" if one.media_type.startswith("image/") else "attachment"
    name = f"{one.kind.value}-{one.id}.{_ENDINGS[one.media_type]}"
    return Response(
        data,
        media_type=one.media_type,
        headers={
            "Content-Disposition": f'{way}; filename="{name}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": _FOR_A_WHILE,
        },
    )
