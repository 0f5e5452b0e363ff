"""A year of the demonstration site, fast-forwarded: what is due, counted by hand."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from inspections import SHANGHAI, regime, text

from gateway.site.files import load
from rules.inspections.calendar import Due, due
from rules.inspections.planning import Duties, duties_of
from rules.inspections.regime import Days, Regime
from rules.rulebook import load_rulebook
from rules.shifts.calendar import Calendar
from rules.shifts.rotation import Rotation, Shift
from rules.shifts.year_files import years_of

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"
MAKE_UP = ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10")
"""Days of weekends of 2026 that are worked."""

ROTATION = Rotation(
    shifts=(
        Shift(id="day", name=text("day"), starts=8 * 60, ends=20 * 60),
        Shift(id="night", name=text("night"), starts=20 * 60, ends=8 * 60),
    ),
    anchor=date(2026, 11, 2),
    pattern=({"day": "a", "night": "b"}, {"day": "c", "night": "a"}, {"day": "b", "night": "c"}),
    zone=SHANGHAI,
)
"""As in the demonstration's roster."""


@pytest.fixture(scope="module")
def duties() -> Duties:
    site = load(DEMO)
    return duties_of(load_rulebook(site), site)


def of_days(pairs: list[tuple[Regime, str | None]], first: date, last: date) -> list[Due]:
    calendar = Calendar(zone=SHANGHAI, years=years_of(None))
    return list(due(pairs, SHANGHAI, calendar.is_working, first, last, rotation=ROTATION))


def of_year(pairs: list[tuple[Regime, str | None]], year: int) -> list[Due]:
    return of_days(pairs, date(year, 1, 1), date(year, 12, 31))


def pairs(duties: Duties) -> list[tuple[Regime, str | None]]:
    return [(one, area) for (_, area), one in duties.items()]


def test_the_year_has_exactly_the_rounds_that_were_counted_by_hand(duties: Duties) -> None:
    """2026 has 365 days. It begins on a Thursday and ends on one, so it has a day of 53 weeks:
    W01 (from 2025-12-29) to W53 (from 2026-12-28).

    Daily: pump room, power room and fire 365 each; lifts in two towers 2 x 365 = 730; lighting in
    four areas (gate-lobby, tower-1, garden, garage) 4 x 365 = 1460; fire water in winter
    31 (January) + 28 + 31 + 30 (November) + 31 = 151.
    Weekly: 53 each; lifts 2 x 53 = 106.
    Half-monthly: 2 halves x 12 months x 2 towers = 48.
    Monthly: 12 each; lifts 2 x 12 = 24. Quarterly 4. Half-yearly 2. Yearly 1.
    Shifts: day and night, 2 x 365 = 730.
    """
    found = of_year(pairs(duties), 2026)
    counted = Counter(one.regime for one in found)
    print(f"rounds of 2026: {dict(sorted(counted.items()))}, together {counted.total()}")
    assert counted == {
        "daily-pump-room": 365,
        "daily-power-room": 365,
        "daily-lift": 730,
        "daily-fire": 365,
        "daily-lighting": 1460,
        "winter-fire-water": 151,
        "weekly-pump-room": 53,
        "weekly-power-room": 53,
        "weekly-lift": 106,
        "weekly-fire": 53,
        "weekly-night-lighting": 53,
        "weekly-equipment-patrol": 53,
        "half-monthly-lift-sheets": 48,
        "monthly-pump-room": 12,
        "monthly-power-room": 12,
        "monthly-lift": 24,
        "monthly-fire": 12,
        "monthly-lighting": 12,
        "quarterly-fire-pump": 4,
        "half-yearly-building": 2,
        "yearly-emergency-lights": 1,
        "shift-watch": 730,
    }
    assert len({one.id for one in found}) == len(found), "each id once"
    assert all(one.opens_at < one.due_at < one.late_until for one in found)


def test_a_leap_year_has_a_day_more_and_every_month_its_last_day(duties: Duties) -> None:
    """2028: 366 days; winter 31 + 29 + 31 + 30 + 31 = 152; the lifts' month ends on the 29th."""
    found = of_year(pairs(duties), 2028)
    counted = Counter(one.regime for one in found)
    assert (counted["daily-fire"], counted["daily-lighting"]) == (366, 4 * 366)
    assert counted["winter-fire-water"] == 152
    of_lifts = [one.day for one in found if one.id.startswith("monthly-lift.tower-1.")]
    assert of_lifts[:3] == [date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31)]
    sheets = [one.day for one in found if one.id.startswith("half-monthly-lift-sheets.tower-1.")]
    assert sheets[2:4] == [date(2028, 2, 13), date(2028, 2, 28)]


def test_the_six_make_up_days_of_2026_are_worked_and_its_holidays_are_not() -> None:
    """Working days of 2026 by hand: 365 less 52 Saturdays and 52 Sundays is 261. Holidays of
    weekdays: New Year 2 (January 1, 2), Spring Festival 6 (February 16 to 20, 23), Tomb-Sweeping
    1 (April 6), Labour Day 3 (May 1, 4, 5), Dragon Boat 1 (June 19), Mid-Autumn 1 (September 25),
    National Day 5 (October 1, 2, 5, 6, 7): 19. 261 - 19 + 6 made up = 248.
    """
    daily = regime(days=Days.WORKING)
    worked = {one.day for one in of_year([(daily, "b1")], 2026)}
    assert len(worked) == 248
    weekend = sorted(f"{day:%m-%d}" for day in worked if day.weekday() >= 5)
    assert weekend == list(MAKE_UP)


@pytest.mark.parametrize(
    ("round_id", "day"),
    [
        # The 10th of October is a Saturday that is worked; that of January is not: on to Monday.
        ("monthly-pump-room.b1-pump-room.2026-10", "2026-10-10"),
        ("monthly-pump-room.b1-pump-room.2026-01", "2026-01-12"),
        # The 20th of September is a Sunday that is worked, that of February is a holiday until
        # the 23rd.
        ("monthly-fire.2026-09", "2026-09-20"),
        ("monthly-fire.2026-02", "2026-02-24"),
        # Spring Festival is February 15 to 23: of the week from the 16th no day is worked.
        ("weekly-pump-room.b1-pump-room.2026-W08", "2026-02-17"),
        # Labour Day ends on Tuesday May 5: on to Wednesday.
        ("weekly-pump-room.b1-pump-room.2026-W19", "2026-05-06"),
        # The third month of a quarter, day 10.
        ("quarterly-fire-pump.2026-Q1", "2026-03-10"),
        ("quarterly-fire-pump.2026-Q4", "2026-12-10"),
        # The fourth month of a half: April 15 and October 15 are worked.
        ("half-yearly-building.2026-H1", "2026-04-15"),
        ("half-yearly-building.2026-H2", "2026-10-15"),
        ("yearly-emergency-lights.2026", "2026-05-20"),
    ],
)
def test_on_which_day_it_is(duties: Duties, round_id: str, day: str) -> None:
    wanted = [pair for pair in pairs(duties) if pair[0].id == round_id.split(".", maxsplit=1)[0]]
    (found,) = [one for one in of_year(wanted, 2026) if one.id == round_id]
    assert found.day == date.fromisoformat(day)


def test_three_days_of_downtime_lose_nothing_and_double_nothing(duties: Duties) -> None:
    """Whoever asks each day, a week back, and stays away from February 27 to March 1, has asked
    for the same rounds as who never did."""
    away = {date(2028, 2, 27), date(2028, 2, 28), date(2028, 2, 29)}
    first, last = date(2028, 2, 1), date(2028, 3, 15)
    asked: dict[str, Due] = {}
    for ahead in range((last - first).days + 1):
        today = first + timedelta(days=ahead)
        if today not in away:
            for one in of_days(pairs(duties), max(first, today - timedelta(days=7)), today):
                assert asked.setdefault(one.id, one) == one
    assert asked.keys() == {one.id for one in of_days(pairs(duties), first, last)}
    assert sum(one.day in away and one.regime.startswith("daily-") for one in asked.values()) == 27
