"""On which days something recurs: a rule as calendars write it (RFC 5545), of a few parts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from dateutil.rrule import rrule, rrulestr

PARTS = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS")
_EVERY = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_BY_DAY = re.compile(r"([+-]?[1-5])?(?:MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?[0-9]{1,3}")

Fault = tuple[str, str]
"""What is wrong with a rule, and what would be right."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recurrence:
    rule: str
    """Such as ``FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1``; :func:`faults` found none in it."""
    starts: date | None = None
    """From which an interval counts; nothing recurs before it."""

    def days(self, first: date, last: date) -> list[date]:
        """Those from ``first`` to ``last``, in order."""
        if self.starts is not None:
            known = _known(self.rule, self.starts)
            found = known.between(_midnight(first), _midnight(last), inc=True)
        else:
            # Without an interval every day is as good a beginning as any other.
            found = list(_known(self.rule, first).replace(until=_midnight(last)))
        return [at.date() for at in found]


@lru_cache(maxsize=256)
def _known(rule: str, starts: date) -> rrule:
    made = rrulestr(rule, dtstart=_midnight(starts), cache=True)
    assert isinstance(made, rrule)
    return made


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)


def faults(rule: str, starts: date | None) -> Iterator[Fault]:
    """What is wrong with ``rule``: an unknown part or value, or that it leaves open which day it
    means, or that it would leave out a month in silence."""
    pairs = [part.partition("=") for part in rule.split(";")]
    keys = [key for key, _, _ in pairs]
    for key in keys:
        if key not in PARTS:
            yield f"{key!r} is no part that is taken", f"use {', '.join(PARTS)}"
        elif keys.count(key) > 1:
            yield f"has {key} twice", "keep one"
    if not all(value for _, _, value in pairs):
        yield "has a part without a value", "write it as FREQ=MONTHLY;BYMONTHDAY=1"
        return
    said = {key: value for key, _, value in pairs}
    if set(keys) - set(PARTS):
        return
    if said.get("FREQ") not in _EVERY:
        yield "does not say how often", f"begin with FREQ={', FREQ='.join(_EVERY)}"
        return
    wrong = list(_values(said))
    yield from wrong or _open_ends(said, starts)


def _values(said: Mapping[str, str]) -> Iterator[Fault]:
    limits = {
        "INTERVAL": (1, 100),
        "BYMONTH": (1, 12),
        "BYMONTHDAY": (-28, 28),
        "BYSETPOS": (-31, 31),
    }
    for key, (low, high) in limits.items():
        for value in said[key].split(",") if key in said else ():
            number = int(value) if _NUMBER.fullmatch(value) else 0
            if key == "BYMONTHDAY" and 28 < abs(number) <= 31:
                wrong = f"BYMONTHDAY={value} leaves out months that are shorter"
                yield wrong, "use up to 28, or -1 for the last day"
            elif number == 0 or not low <= number <= high:
                yield (
                    f"{key}={value} is not understood",
                    f"use a number from {low} to {high}, not 0",
                )
    for value in said["BYDAY"].split(",") if "BYDAY" in said else ():
        match = _BY_DAY.fullmatch(value)
        if match is None:
            yield f"BYDAY={value} is not understood", "use MO to SU, or 1MO, -1FR"
        elif match[1] and said["FREQ"] not in ("MONTHLY", "YEARLY"):
            yield f"BYDAY={value} counts within a month", "use it with FREQ=MONTHLY or YEARLY"
        elif match[1] in ("5", "+5", "-5"):
            yield f"BYDAY={value} leaves out months that have four", "use -1 for the last"


def _open_ends(said: Mapping[str, str], starts: date | None) -> Iterator[Fault]:
    every = said["FREQ"]
    if every == "WEEKLY" and "BYDAY" not in said:
        yield "does not say on which day of the week", "add BYDAY=MO"
    if every in ("MONTHLY", "YEARLY") and not {"BYDAY", "BYMONTHDAY"} & said.keys():
        yield "does not say on which day of the month", "add BYMONTHDAY=1 or BYDAY=1MO"
    if every == "YEARLY" and "BYMONTH" not in said:
        yield "does not say in which month", "add BYMONTH=4"
    if int(said.get("INTERVAL", "1")) > 1 and starts is None:
        yield "has an INTERVAL that counts from nowhere", "say from which day: starts: 2026-01-05"
