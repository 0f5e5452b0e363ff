"""What the leading rules worker says of itself on the bus, once a second.

Above all: the alarms that are up while the ledger does not take them. They are said under their
final ids and as they will be written, so that a screen may show them now and finds the same alarm
in the ledger later. Nothing here needs a message to arrive: each says all there is to say.

One encoding on every bus, JSON: ``v`` (1), ``site``, ``worker``, ``at`` (µs UTC, µs monotonic,
boot), ``ledger`` (ok, down), ``complete``, ``unsaid``, ``alarms`` (as the columns of their rows).
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import orjson
from sqlalchemy import RowMapping

from gateway.model.moment import DAY, Instant
from rules.ledger.rows import Alarm, alarm_columns, alarm_of

_VERSION = 1
AT_MOST = 300
"""Alarms in one message, some 500 kB; of more, the most urgent and newest are said."""


_LONGEST = 8_000_000
"""Bytes of a message; what is longer is not read."""
_LAST = 100 * 366 * DAY
"""µs UTC, the year 2070: later is no time at which anything was seen."""


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


def most_urgent(alarms: Iterable[Alarm], at_most: int = AT_MOST) -> tuple[Alarm, ...]:
    """The ``at_most`` of ``alarms`` that must be seen, the most urgent first."""
    ranked = sorted(alarms, key=lambda alarm: (alarm.priority.rank, -alarm.raised_at, alarm.id))
    return tuple(ranked[:at_most])


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
    """The word in ``data``; raises :class:`UnreadableWordError` where one field is not what it
    must be: whoever shows what is in a word need not look at it again."""
    if len(data) > _LONGEST:
        raise UnreadableWordError(f"{len(data)} bytes")
    try:
        said = orjson.loads(data)
        if said["v"] != _VERSION:
            raise UnreadableWordError(f"version {said['v']!r}, expected {_VERSION}")
        wall, mono, boot = said["at"]
        if len(said["alarms"]) > AT_MOST:
            raise UnreadableWordError(f"{len(said['alarms'])} alarms")
        return Word(
            site=_text(said["site"]),
            worker=_text(said["worker"]),
            at=Instant(wall=_time(wall), mono=_count(mono), boot=_text(boot)),
            ledger_takes=_one_of(said["ledger"], ("ok", "down")) == "ok",
            complete=_flag(said["complete"]),
            alarms=tuple(_alarm(columns) for columns in said["alarms"]),
            unsaid=_count(said["unsaid"]),
        )
    except UnreadableWordError:
        raise
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableWordError(f"cut or changed: {error}") from error


def _alarm(columns: Mapping[str, Any]) -> Alarm:
    # A mapping with the columns of a row reads like the row; no order answers it yet.
    checked = {name: check(columns[name]) for name, check in _COLUMNS.items()}
    return alarm_of(cast("RowMapping", {**checked, "order_id": None, "order_number": None}))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is no whole number from 0")
    return value


def _time(value: Any) -> int:
    if _count(value) > _LAST:
        raise ValueError(f"{value!r} is no time")
    return int(value)


def _number(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no number")
    return value


def _one_of(value: Any, words: Iterable[str]) -> str:
    if value not in words:
        raise ValueError(f"{value!r} is none of {', '.join(words)}")
    return _text(value)


def _in_both(check: Callable[[Any], Any]) -> Callable[[Any], dict[str, Any]]:
    """The same in Chinese and in English, and nothing else."""

    def both(value: Any) -> dict[str, Any]:
        if set(value) != {"zh", "en"}:
            raise ValueError(f"{value!r} is not Chinese and English")
        return {language: check(value[language]) for language in ("zh", "en")}

    return both


def _steps(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return [_text(step) for step in value]


def _if_any(check: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else check(value)


_COLUMNS: Mapping[str, Callable[[Any], Any]] = {
    "id": _text,
    "rule": _text,
    "name": _in_both(_text),
    "equipment": _text,
    "equipment_name": _in_both(_text),
    "area": _text,
    "point": _text,
    "priority": _text,
    "cause_key": _text,
    "state": _text,
    "value": _if_any(_number),
    "limit": _if_any(_number),
    "unit": _text,
    "guidance": _in_both(_steps),
    "first_reading_at": _time,
    "raised_at": _time,
    "cleared_at": _if_any(_time),
    "acknowledged_at": _if_any(_time),
    "acknowledged_by": _if_any(_text),
    "note": _if_any(_text),
    "life_safety": _flag,
    "latches": _flag,
    "count": _count,
    "last_raised_at": _if_any(_time),
    "holds": _if_any(_count),
}
"""Column of an alarm → what its value must be; priority and state are looked up by their words."""
