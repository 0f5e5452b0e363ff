"""Durations as people write them in files: ``500ms 10s 5m 2h 1d``."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

from gateway.model.moment import DAY, HOUR, MINUTE, SECOND

_UNITS = {"ms": SECOND // 1000, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_FORM = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_LONGEST = 3650 * DAY


def parse(text: str) -> int:
    """``text`` in µs: one whole number and its unit.

    Raises :class:`ValueError` for anything else, and for more than 3650 d.
    """
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            "a duration is a whole number and its unit: ms, s, m, h or d, such as 500ms or 10s"
        )
    duration = int(match[1]) * _UNITS[match[2]]
    if duration > _LONGEST:
        raise ValueError("a duration is at most 3650d")
    return duration


def write(duration: int) -> str:
    """``duration`` (µs, whole ms) as :func:`parse` reads it, in the largest unit that is whole."""
    for unit, length in sorted(_UNITS.items(), key=lambda item: -item[1]):
        if duration % length == 0 and duration >= length:
            return f"{duration // length}{unit}"
    return "0s"


def _field(value: object) -> int:
    # A bare number would leave the unit to guessing, so only text is taken.
    return parse(value if isinstance(value, str) else "")


Duration = Annotated[int, BeforeValidator(_field)]
"""A field of a file that is written as text and held as µs."""
