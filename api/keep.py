"""For how long the history is kept, as the environment says it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from api.settings import CannotStartError
from gateway.history.embedded import Longer
from gateway.model.moment import DAY

READINGS = "DUTYROOM_KEEP_READINGS_DAYS"
MINUTES = "DUTYROOM_KEEP_MINUTES_DAYS"
HOURS = "DUTYROOM_KEEP_HOURS_DAYS"

_DEFAULTS = {READINGS: 30, MINUTES: 90, HOURS: 1830}
_MOST = 36_500


@dataclass(frozen=True, kw_only=True, slots=True)
class Keep:
    readings: int
    """µs."""
    longer: Longer
    """Of the embedded history: minutes and hours stay when readings are deleted."""


def given_keep() -> Keep:
    """Raises :class:`~api.settings.CannotStartError`."""
    readings, minutes, hours = (_days(name) for name in (READINGS, MINUTES, HOURS))
    for name, days, what, least in (
        (MINUTES, minutes, READINGS, readings),
        (HOURS, hours, MINUTES, minutes),
    ):
        if days < least:
            raise CannotStartError(
                f"{name} is {days} and {what} {least}: the coarser is kept as long at least"
            )
    return Keep(
        readings=readings * DAY,
        longer=Longer(minutes=(minutes - readings) * DAY, hours=(hours - readings) * DAY),
    )


def _days(name: str) -> int:
    given = os.environ.get(name, "")
    if not given:
        return _DEFAULTS[name]
    days = int(given) if given.isascii() and given.isdecimal() else 0
    if not 1 <= days <= _MOST:
        raise CannotStartError(f"{name} is {given!r}; write days, 1 to {_MOST}")
    return days
