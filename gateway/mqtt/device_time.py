"""When a device took its readings, and how far that can be believed. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any

from gateway.model.moment import DAY, HOUR, MINUTE, SECOND
from gateway.model.profile import MqttPlace
from gateway.model.reason import Reason
from gateway.mqtt.document import ABSENT


class Delivery(StrEnum):
    """How the broker came to deliver a message."""

    LIVE = "live"
    RETAINED = "retained"
    """It had kept the last of the topic, nobody says how long."""
    BACKLOG = "backlog"
    """It had kept it, or may have, because we were away."""


_DOUBT = {Delivery.RETAINED: Reason.RETAINED.told(), Delivery.BACKLOG: Reason.LATE.told()}
_EARLIEST = -DAY
_LATEST = 60 * SECOND
"""How far a device's clock may be from ours before its times are not believed."""
_LONGEST = 40
"""Characters of a time as text."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    at: int
    """µs UTC."""
    doubt: str | None = None
    """Why a good value of then is not good."""


def taken(
    said: Any, place: MqttPlace, zone: tzinfo, received: int, *, delivery: Delivery, silence: int
) -> Taken:
    """When the readings were taken of a message in which the device says ``said`` of its time.

    A number is seconds since 1970 (``place.scale`` and ``offset`` make it so); a text is ISO 8601,
    by the clock on the wall in ``zone`` where it has no offset. ``silence``: µs that a reading may
    be old. Times in µs UTC.
    """
    if said is None or said is ABSENT:
        return untimed(received, delivery)
    micros = _micros(said, place, zone, received)
    if micros is None:
        shown = repr(said[:_LONGEST]) if isinstance(said, str) else type(said).__name__
        return Taken(at=received, doubt=Reason.DEVICE_CLOCK.told(shown))
    off = micros - received
    if not _EARLIEST <= off <= _LATEST:
        sign = "-" if off < 0 else "+"
        return Taken(at=received, doubt=Reason.DEVICE_CLOCK.told(f"{sign}{_span(off)}"))
    at = received + round(off)
    if -off > silence:
        return Taken(at=at, doubt=Reason.LATE.told(_span(off)))
    return Taken(at=at)


def untimed(received: int, delivery: Delivery) -> Taken:
    """Of a message in which the device says nothing of its time."""
    return Taken(at=received, doubt=_DOUBT.get(delivery))


def _micros(said: Any, place: MqttPlace, zone: tzinfo, received: int) -> float | None:
    if isinstance(said, int | float) and not isinstance(said, bool):
        seconds = said * place.scale + place.offset
        return seconds * SECOND if math.isfinite(seconds) else None
    if not isinstance(said, str) or len(said) > _LONGEST or ":" not in said:
        return None
    try:
        moment = datetime.fromisoformat(said)
        if moment.tzinfo is not None:
            return _since_beginning(moment)
        # In the hour that comes twice in autumn, the one that fits.
        both = (_since_beginning(moment.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
        return min(both, key=lambda micros: abs(micros - received))
    except (ValueError, OverflowError):
        return None


def _since_beginning(moment: datetime) -> int:
    return (moment - _BEGINNING) // timedelta(microseconds=1)


def _span(duration: float) -> str:
    """The size of ``duration`` (µs) in the largest unit that fits it."""
    size = abs(duration)
    for unit, length in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if size >= length:
            return f"{size / length:.0f} {unit}"
    return f"{size / SECOND:.0f} s"
