"""What the leading rules worker says of itself on the bus, once a second.

Above all: the alarms that are up while the ledger does not take them. They are said under their
final ids and as they will be written, so that a screen may show them now and finds the same alarm
in the ledger later. Nothing here needs a message to arrive: each says all there is to say.

One encoding on every bus, JSON: ``v`` (1), ``site``, ``worker``, ``at`` (µs UTC, µs monotonic,
boot), ``ledger`` (ok, down), ``complete``, ``unsaid``, ``alarms`` (as the columns of their rows).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import orjson
from sqlalchemy import RowMapping

from gateway.model.moment import Instant
from rules.ledger.rows import Alarm, alarm_columns, alarm_of

_VERSION = 1
AT_MOST = 300
"""Alarms in one message, some 500 kB; of more, the most urgent and newest are said."""


class UnreadableWordError(ValueError):
    """Bytes that are no word of a rules worker, or one of another version."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    site: str
    worker: str
    """Machine and process: ``duty-1:4711``."""
    at: Instant
    ledger_takes: bool
    """Whether what comes up becomes a row at once."""
    complete: bool
    """Whether the worker has seen all that the gateway has; if not, there may be alarms that it
    does not know yet and another worker knew."""
    alarms: tuple[Alarm, ...]
    """Those that are no rows yet; empty while the ledger takes them."""
    unsaid: int = 0
    """So many more there are."""


def topic(site: str) -> str:
    return f"dutyroom/{site}/rules/provisional"


def worker_name() -> str:
    """How this process is called in words and logs."""
    return f"{socket.gethostname()}:{os.getpid()}"


def most_urgent(alarms: Iterable[Alarm]) -> tuple[Alarm, ...]:
    """The :data:`AT_MOST` of ``alarms`` that must be seen, the most urgent first."""
    ranked = sorted(alarms, key=lambda alarm: (alarm.priority.rank, -alarm.raised_at, alarm.id))
    return tuple(ranked[:AT_MOST])


def encode(word: Word) -> bytes:
    """``word`` as bytes; the inverse of :func:`decode`."""
    return orjson.dumps(
        {
            "v": _VERSION,
            "site": word.site,
            "worker": word.worker,
            "at": [word.at.wall, word.at.mono, word.at.boot],
            "ledger": "ok" if word.ledger_takes else "down",
            "complete": word.complete,
            "unsaid": word.unsaid,
            "alarms": [alarm_columns(alarm) for alarm in word.alarms],
        }
    )


def decode(data: bytes) -> Word:
    """The word in ``data``; raises :class:`UnreadableWordError`."""
    try:
        said = orjson.loads(data)
        if said["v"] != _VERSION:
            raise UnreadableWordError(f"version {said['v']!r}, expected {_VERSION}")
        wall, mono, boot = said["at"]
        return Word(
            site=said["site"],
            worker=said["worker"],
            at=Instant(wall=wall, mono=mono, boot=boot),
            ledger_takes=said["ledger"] == "ok",
            complete=said["complete"],
            alarms=tuple(_alarm(columns) for columns in said["alarms"]),
            unsaid=said["unsaid"],
        )
    except UnreadableWordError:
        raise
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableWordError(f"cut or changed: {error}") from error


def _alarm(columns: dict[str, Any]) -> Alarm:
    # A mapping with the columns of a row reads like the row; no order answers it yet.
    return alarm_of(cast("RowMapping", {**columns, "order_id": None, "order_number": None}))
