"""What is due when: once a regime, area and period, whatever day or clock."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from inspections import SHANGHAI, at, regime, weekdays, window

from gateway.model.moment import HOUR, MINUTE, SECOND
from rules.inspections import periods
from rules.inspections.calendar import Due, due
from rules.inspections.regime import Days, Level, Regime

CHICAGO = ZoneInfo("America/Chicago")


def all_due(
    one: Regime, first: str, last: str, zone: ZoneInfo = SHANGHAI, area: str | None = "b1"
) -> list[Due]:
    days = (date.fromisoformat(first), date.fromisoformat(last))
    return list(due([(one, area)], zone, weekdays, *days))


def days(found: list[Due]) -> list[str]:
    return [one.day.isoformat() for one in found]


def utc(wall: int) -> str:
    return f"{datetime.fromtimestamp(wall / SECOND, tz=UTC):%Y-%m-%d %H:%M}"


def test_a_daily_round_is_due_every_day_once_across_29_february_and_the_year_end() -> None:
    found = all_due(regime(), "2027-12-31", "2028-03-01")
    assert len(found) == 1 + 31 + 29 + 1
    assert [one.period for one in found][:2] == ["2027-12-31", "2028-01-01"]
    assert "2028-02-29" in days(found)
    assert max(Counter(one.id for one in found).values()) == 1
    assert found[0].id == "daily-pumps.b1.2027-12-31"


def test_the_window_is_of_the_sites_clock() -> None:
    (one,) = all_due(regime(), "2026-11-21", "2026-11-21")
    assert one.opens_at == at("2026-11-21 08:00")
    assert one.due_at == at("2026-11-21 18:00")
    assert one.late_until == at("2026-11-22 08:00")


def test_midnight_at_shanghai_belongs_to_its_own_day() -> None:
    """Gate 47."""
    at_midnight = regime(window=window("00:00", "08:00", "24:00"))
    found = all_due(at_midnight, "2026-12-31", "2027-01-01")
    assert [utc(one.opens_at) for one in found] == ["2026-12-30 16:00", "2026-12-31 16:00"]
    assert found[0].late_until == found[1].opens_at


def test_a_round_at_half_past_two_comes_once_on_the_days_when_the_clocks_change() -> None:
    """Gate 47. 2026-03-08 has no 02:30 at Chicago, 2026-11-01 has two."""
    at_night = regime(window=window("02:30", "03:30", "08:00"))
    spring = all_due(at_night, "2026-03-07", "2026-03-09", CHICAGO)
    # 02:30 CST, then the moment of the change to 03:00 CDT, then 02:30 CDT.
    assert [utc(one.opens_at) for one in spring] == [
        "2026-03-07 08:30",
        "2026-03-08 08:00",
        "2026-03-09 07:30",
    ]
    autumn = all_due(at_night, "2026-10-31", "2026-11-02", CHICAGO)
    assert days(autumn) == ["2026-10-31", "2026-11-01", "2026-11-02"]
    assert utc(all_due(at_night, "2026-11-01", "2026-11-01", CHICAGO)[0].opens_at) == (
        "2026-11-01 08:30"
    ), "02:30 comes once on that night; it is 01:30 that comes twice"
    twice = regime(window=window("01:30", "01:45", "08:00"))
    (one,) = all_due(twice, "2026-11-01", "2026-11-01", CHICAGO)
    assert utc(one.opens_at) == "2026-11-01 06:30", "its first coming"


def test_a_window_that_the_change_of_the_clocks_leaves_out_keeps_its_length() -> None:
    gone = regime(window=window("02:00", "02:30", "02:45"))
    (one,) = all_due(gone, "2026-03-08", "2026-03-08", CHICAGO)
    assert one.due_at - one.opens_at == 30 * MINUTE
    assert one.late_until - one.due_at == 15 * MINUTE
    whole_night = regime(window=window("00:00", "06:00", "24:00"))
    (one,) = all_due(whole_night, "2026-03-08", "2026-03-08", CHICAGO)
    assert one.due_at - one.opens_at == 5 * HOUR, "06:00 is 06:00 where only an hour is left out"


def weekly(on: int, **changes: object) -> Regime:
    return regime("weekly", level=Level.WEEKLY, on=on, **changes)


def test_a_year_may_have_53_weeks() -> None:
    """2026 begins and ends on a Thursday: W53 is 2026-12-28 to 2027-01-03."""
    found = all_due(weekly(5), "2026-12-14", "2027-01-10")
    assert [one.period for one in found] == ["2026-W51", "2026-W52", "2026-W53", "2027-W01"]
    assert days(found) == ["2026-12-18", "2026-12-25", "2027-01-01", "2027-01-08"]


def test_a_week_that_began_before_the_days_asked_for_is_not_asked_for() -> None:
    assert [one.period for one in all_due(weekly(5), "2026-11-17", "2026-11-23")] == ["2026-W48"]


def test_a_round_that_looks_back_is_of_the_week_before() -> None:
    found = all_due(weekly(1, looks_back=True), "2027-01-04", "2027-01-04")
    assert [(one.period, one.day.isoformat()) for one in found] == [("2026-W53", "2027-01-04")]


def test_a_day_that_the_month_does_not_have_is_its_last() -> None:
    monthly = regime("monthly", level=Level.MONTHLY, on=31)
    found = all_due(monthly, "2028-01-01", "2028-04-30")
    assert days(found) == ["2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]
    assert [one.period for one in found] == ["2028-01", "2028-02", "2028-03", "2028-04"]
    february = regime("monthly", level=Level.MONTHLY, on=30)
    assert days(all_due(february, "2027-02-01", "2027-02-28")) == ["2027-02-28"]


def test_a_daily_round_of_working_days_is_left_out_on_others() -> None:
    found = all_due(regime(days=Days.WORKING), "2026-11-20", "2026-11-23")
    assert days(found) == ["2026-11-20", "2026-11-23"]


@pytest.mark.parametrize(
    ("closed", "expected"),
    [
        ((), "2026-11-17"),
        ((17,), "2026-11-18"),
        ((17, 18, 19, 20, 21, 22), "2026-11-16"),
        ((16, 17, 18, 19, 20, 21, 22), "2026-11-17"),
    ],
    ids=["a working day", "the next one", "else the one before", "no working day at all"],
)
def test_a_weekly_round_moves_to_a_working_day_of_its_week(
    closed: tuple[int, ...], expected: str
) -> None:
    """2026-11-16 is a Monday; the round is on Tuesdays."""
    one = weekly(2, days=Days.WORKING)
    monday = date(2026, 11, 16)
    found = list(due([(one, "b1")], SHANGHAI, lambda day: day.day not in closed, monday, monday))
    assert days(found) == [expected]
    assert [each.period for each in found] == ["2026-W47"]


def test_each_area_has_its_own_and_the_whole_site_one() -> None:
    today = date(2026, 11, 21)
    places = [(regime(), "b1"), (regime(), "b2"), (regime("site-wide"), None)]
    ids = [one.id for one in due(places, SHANGHAI, weekdays, today, today)]
    assert ids == ["daily-pumps.b1.2026-11-21", "daily-pumps.b2.2026-11-21", "site-wide.2026-11-21"]


@pytest.mark.parametrize("level", Level)
def test_a_period_is_called_by_the_days_that_it_has(level: Level) -> None:
    for day in (date(2026, 12, 31), date(2027, 1, 1), date(2028, 2, 29)):
        name = periods.name_of(level, day)
        held = periods.days_of(level, name)
        assert day in held
        assert held[0] == periods.first_day(level, day)
        assert (
            len(held)
            == {"daily": 1, "weekly": 7, "monthly": 29 if day.month == 2 else 31}[level.value]
        )
