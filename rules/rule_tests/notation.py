"""One line of readings: ``40x10 70..90x5 (0 1)x6 missing x3 stale bad 120?``.

An item is a value, a ramp of values, a word, or several in brackets; ``xN`` repeats it N times,
``x10m`` for so long. A question mark makes the reading uncertain. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

from gateway.files import durations
from gateway.model.quality import Quality

LONGEST = 20_000
"""Readings in a line: with an interval of a minute, two weeks."""

_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_ITEM = re.compile(
    rf"(?P<first>{_NUMBER})(?:\.\.(?P<last>{_NUMBER}))?(?P<doubt>\?)?(?:x(?P<times>\w+))?"
    r"|(?P<word>missing|stale|bad)(?:x(?P<spell>\w+))?"
)
_GROUP = re.compile(r"\(([^()]*)\)x([0-9]+)")
_FORM = "write items such as 40, 40x10, 40x10m, 70..90x5, (0 1)x6, 120?, missing x3, stale, bad"


@dataclass(frozen=True, slots=True)
class Sample:
    """What comes at one moment."""

    value: float
    """NaN where there is none."""
    quality: Quality


Line = Sequence[Sample | None]
"""One for each moment; None: nothing comes."""


class NotationError(ValueError):
    """The line is none; the text says what is wrong, ``mend`` what would be right."""

    def __init__(self, wrong: str, mend: str = _FORM) -> None:
        super().__init__(wrong)
        self.mend = mend


def parse(text: str, interval: int) -> Line:
    """The readings of ``text``, ``interval`` µs apart. Raises :class:`NotationError`."""
    items = _spread(re.sub(r"\s+x\s*(?=\w)", "x", text.strip())).split()
    if not items:
        raise NotationError("holds no reading")
    line: list[Sample | None] = []
    for item in items:
        line += _samples(item, interval, line)
        if len(line) > LONGEST:
            raise NotationError(f"has more than {LONGEST} readings", "use a longer interval")
    return line


def _spread(text: str) -> str:
    """What is in brackets, as often as it says."""

    def repeated(match: re.Match[str]) -> str:
        times = _times(match[2], 1)
        if times * len(match[1]) > 10 * LONGEST:
            raise NotationError(f"has more than {LONGEST} readings", "use a longer interval")
        return f" {f'{match[1]} ' * times}"

    return _GROUP.sub(repeated, text)


def _samples(item: str, interval: int, before: Line) -> Line:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise NotationError(f"{item!r} is no reading")
    times = _times(match["times"] or match["spell"], interval)
    match match["word"]:
        case "missing":
            return [None] * times
        case "bad":
            return [Sample(nan, Quality.BAD)] * times
        case "stale":
            return [Sample(_last_value(before), Quality.STALE)] * times
    first = float(match["first"])
    quality = Quality.UNCERTAIN if match["doubt"] else Quality.GOOD
    if match["last"] is None:
        return [Sample(first, quality)] * times
    if times < 2:
        raise NotationError(f"{item!r} is a ramp of one reading", "say of how many: 70..90x5")
    rise = (float(match["last"]) - first) / (times - 1)
    return [Sample(first + rise * step, quality) for step in range(times)]


def _times(given: str | None, interval: int) -> int:
    if given is None:
        return 1
    if given.isdecimal():
        times = int(given[:9])
    else:
        try:
            length = durations.parse(given)
        except ValueError:
            wrong = f"x{given} says neither how often nor how long"
            raise NotationError(wrong, "write x5, or x10m") from None
        if length % interval:
            wrong = f"x{given} is no whole number of intervals of {durations.write(interval)}"
            raise NotationError(wrong, "use a multiple of the interval")
        times = length // interval
    if not 1 <= times <= LONGEST:
        raise NotationError(f"x{given} is {times} readings", f"use 1 to {LONGEST}")
    return times


def _last_value(before: Line) -> float:
    """A stale reading still shows the value that it had."""
    return next((sample.value for sample in reversed(before) if sample is not None), nan)
