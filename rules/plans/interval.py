"""How long it is from one time to the next: whole days, months or years. Pure.

Months and years are those of the calendar: one month after 31 January is the last of February, and
two are 31 March again, because every one is counted from the same day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

from dateutil.relativedelta import relativedelta

Unit = Literal["day", "month", "year"]

_FORM = re.compile(r"([0-9]{1,4})(?:d| (days?|weeks?|months?|years?))")
_LONGEST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Interval:
    number: int
    unit: Unit

    def after(self, day: date, times: int = 1) -> date:
        """The day that lies ``times`` of it behind ``day``."""
        number = self.number * times
        match self.unit:
            case "day":
                return day + relativedelta(days=number)
            case "month":
                return day + relativedelta(months=number)
            case "year":
                return day + relativedelta(years=number)

    @property
    def most_days(self) -> int:
        """No day more than this lies in it."""
        return self.number * {"day": 1, "month": 31, "year": 366}[self.unit]

    @property
    def fewest_days(self) -> int:
        return self.number * {"day": 1, "month": 28, "year": 365}[self.unit]

    def __str__(self) -> str:
        return f"{self.number} {self.unit}{'s' if self.number > 1 else ''}"


def parse(text: str) -> Interval:
    """``15d``, ``2 weeks``, ``1 month``, ``6 months``, ``1 year``; raises ``ValueError``."""
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ValueError("an interval is written 15d, 2 weeks, 1 month, 6 months or 1 year")
    number, word = int(match[1]), (match[2] or "day").rstrip("s")
    if word == "week":
        number, word = number * 7, "day"
    units: dict[str, Unit] = {"day": "day", "month": "month", "year": "year"}
    interval = Interval(number, units[word])
    if not 0 < interval.most_days <= _LONGEST_DAYS:
        raise ValueError("an interval is one day to ten years long")
    return interval


def parse_days(text: str) -> int:
    """``3d`` as 3; raises ``ValueError``."""
    match = re.fullmatch(r"([0-9]{1,3})d", text.strip())
    if match is None:
        raise ValueError("a number of days is written 0d, 3d or 14d")
    return int(match[1])
