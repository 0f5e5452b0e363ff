"""Rules of recurrence: what is taken, and what is refused with a mend."""

from __future__ import annotations

from datetime import date

import pytest

from rules.inspections.calendar import twice_in_a_period
from rules.inspections.recurrence import Recurrence, faults
from rules.inspections.regime import Level


@pytest.mark.parametrize(
    ("rule", "first_days"),
    [
        ("FREQ=DAILY", "01-01 01-02 01-03"),
        ("FREQ=WEEKLY;BYDAY=MO,WE,FR", "01-03 01-05 01-07"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "01-31 02-29 03-31"),
        ("FREQ=MONTHLY;BYDAY=2SU", "01-09 02-13 03-12"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", "01-03 02-01 03-01"),
        ("FREQ=YEARLY;BYMONTH=2,3;BYMONTHDAY=-1", "02-29 03-31"),
    ],
)
def test_what_is_taken(rule: str, first_days: str) -> None:
    assert not list(faults(rule, None))
    days = Recurrence(rule=rule).days(date(2028, 1, 1), date(2028, 3, 31))
    assert " ".join(f"{day:%m-%d}" for day in days).startswith(first_days)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("BYDAY=MO", "does not say how often; begin with FREQ=DAILY"),
        ("FREQ=WEEKLY", "does not say on which day of the week; add BYDAY=MO"),
        ("FREQ=MONTHLY", "does not say on which day of the month; add BYMONTHDAY=1"),
        ("FREQ=YEARLY;BYMONTHDAY=1", "does not say in which month; add BYMONTH=4"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "BYMONTHDAY=31 leaves out months that are shorter; use up"),
        ("FREQ=MONTHLY;BYDAY=5MO", "BYDAY=5MO leaves out months that have four; use -1"),
        ("FREQ=WEEKLY;BYDAY=1MO", "BYDAY=1MO counts within a month; use it with FREQ=MONTHLY"),
        ("FREQ=WEEKLY;BYDAY=XX", "BYDAY=XX is not understood; use MO to SU"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY=0 is not understood; use a number from -28"),
        ("FREQ=YEARLY;BYMONTH=13;BYMONTHDAY=1", "BYMONTH=13 is not understood; use a number"),
        ("FREQ=DAILY;INTERVAL=2", "has an INTERVAL that counts from nowhere; say from which day"),
        ("FREQ=DAILY;UNTIL=20270101", "'UNTIL' is no part that is taken; use FREQ, INTERVAL"),
        ("FREQ=DAILY;FREQ=WEEKLY", "has FREQ twice; keep one"),
        ("FREQ=DAILY;INTERVAL", "has a part without a value; write it as"),
        ("every day", "'every day' is no part that is taken"),
    ],
)
def test_what_is_refused(rule: str, told: str) -> None:
    assert any("; ".join(fault).startswith(told) for fault in faults(rule, None))


def test_a_rule_that_never_comes_is_found() -> None:
    never = Recurrence(rule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=1;BYSETPOS=2")
    with pytest.raises(ValueError, match="never comes"):
        twice_in_a_period(Level.YEARLY, never)
