"""A payload → a JSON document that is safe to look into. Pure.

A device is not trusted: the size is capped before anything is parsed; bad UTF-8, NaN, depth and
a key that is there twice are refused, each in a few milliseconds at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import orjson

from gateway.model.reason import Reason

MAX_BYTES = 64 * 1024
"""A device that says everything it knows says some 4 KB."""
MAX_DEPTH = 32

ABSENT = object()
"""No such key in this message."""
ASTRAY = object()
"""The message has a value where the profile says there are keys."""

_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*+"')


class UnreadableMessageError(Exception):
    """A message that holds no readings and never will: quarantine it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def document(payload: bytes, paths: Iterable[tuple[str, ...]]) -> Any:
    """The payload as JSON; as plain text where one of ``paths`` takes the payload itself.

    Raises :class:`UnreadableMessageError`.
    """
    if len(payload) > MAX_BYTES:
        raise UnreadableMessageError(Reason.TOO_LARGE.told(f"{len(payload)} > {MAX_BYTES} B"))
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableMessageError(Reason.NOT_UTF8.told()) from None
    first_steps = [path[0] if path else None for path in paths]
    try:
        found = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        if None not in first_steps:
            raise UnreadableMessageError(Reason.NOT_JSON.told(str(error))) from None
        return text.strip()
    if not _fits(found, first_steps):
        raise UnreadableMessageError(Reason.UNEXPECTED.told(type(found).__name__))
    keys = _keys(found)
    if payload.count(b":") != keys and _TEXTS.sub(b"", payload).count(b":") != keys:
        raise UnreadableMessageError(Reason.DOUBLE_KEY.told())
    return found


def value_at(found: Any, path: tuple[str, ...]) -> Any:
    """What lies at ``path`` of a document; ``ABSENT`` where the message does not go that far.

    A step of digits picks an item of a list. Some devices send a list of one as the value alone:
    then step 0 is the value itself, and there are no others.
    """
    for step in path:
        if found is None:
            return None
        if isinstance(found, dict):
            if step not in found:
                return ABSENT
            found = found[step]
        elif not is_index(step):
            return ASTRAY
        elif isinstance(found, list):
            if int(step) >= len(found):
                return ABSENT
            found = found[int(step)]
        elif int(step) > 0:
            return ABSENT
    return found


def is_index(step: str) -> bool:
    return step.isascii() and step.isdigit()


def _fits(found: Any, first_steps: list[str | None]) -> bool:
    """Whether it is built such that all paths can begin in it."""
    steps = [step for step in first_steps if step is not None]
    if isinstance(found, list):
        return all(is_index(step) for step in steps)
    return not steps or isinstance(found, dict)


def _keys(found: Any) -> int:
    """How many keys there are at all levels. Raises for too many levels."""
    keys = 0
    level = [found] if isinstance(found, dict | list) else []
    for _ in range(MAX_DEPTH):
        below = []
        for outer in level:
            if isinstance(outer, dict):
                keys += len(outer)
                inner: Iterable[Any] = outer.values()
            else:
                inner = outer
            below += [one for one in inner if isinstance(one, dict | list)]
        level = below
    if level:
        raise UnreadableMessageError(Reason.TOO_DEEP.told(f"> {MAX_DEPTH}"))
    return keys
