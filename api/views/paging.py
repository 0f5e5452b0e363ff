"""Cursors of pages: where the last page ended, in a form that nobody is tempted to take apart."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

import orjson


class BadCursorError(ValueError):
    """A cursor that this API did not give out."""


def cursor(*place: int | str) -> str:
    """The cursor for a page that ended at ``place``."""
    return urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def place(cursor: str | None, *kinds: type[int] | type[str]) -> tuple[int | str, ...] | None:
    """Where ``cursor`` points; None for the first page. Raises :class:`BadCursorError`."""
    if cursor is None:
        return None
    try:
        parts = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise BadCursorError(cursor) from None
    if not isinstance(parts, list) or [type(part) for part in parts] != list(kinds):
        raise BadCursorError(cursor)
    if not all(map(_storable, parts)):
        raise BadCursorError(cursor)
    return tuple(parts)


def _storable(part: int | str) -> bool:
    """Whether a database can compare with it."""
    return "\0" not in part if isinstance(part, str) else 0 <= part < 2**63
