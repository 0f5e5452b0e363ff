"""What is due when: once a regime, area and period, whatever day or clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from inspections import SHANGHAI, at, regime, text, weekdays, window

from gateway.model.moment import HOUR, MINUTE, SECOND
from rules.inspections import periods
from rules.inspections.calendar import Due, due
from rules.inspections.recurrence import Recurrence
from rules.inspections.regime import Days, Level, Regime, ShiftWindow
from rules.shifts.rotation import Rotation, Shift

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


def test_a_period_that_has_begun_before_the_days_asked_for_is_asked_for_too() -> None:
    """So that what is planned for later in it is still known."""
    found = all_due(weekly(5), "2026-11-17", "2026-11-23")
    assert [one.period for one in found] == ["2026-W47", "2026-W48"]
    yearly = regime("yearly", level=Level.YEARLY, month=12, on=9)
    assert days(all_due(yearly, "2026-11-17", "2026-11-17")) == ["2026-12-09"]


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


@pytest.mark.parametrize(
    ("level", "names", "lengths"),
    [
        (Level.SHIFT, "2026-12-31-night 2027-01-01-night 2028-02-29-night", (1, 1, 1)),
        (Level.DAILY, "2026-12-31 2027-01-01 2028-02-29", (1, 1, 1)),
        (Level.WEEKLY, "2026-W53 2026-W53 2028-W09", (7, 7, 7)),
        (Level.HALF_MONTHLY, "2026-12-H2 2027-01-H1 2028-02-H2", (16, 15, 14)),
        (Level.MONTHLY, "2026-12 2027-01 2028-02", (31, 31, 29)),
        (Level.QUARTERLY, "2026-Q4 2027-Q1 2028-Q1", (92, 90, 91)),
        (Level.HALF_YEARLY, "2026-H2 2027-H1 2028-H1", (184, 181, 182)),
        (Level.YEARLY, "2026 2027 2028", (365, 365, 366)),
    ],
)
def test_a_period_is_called_by_the_days_that_it_has(
    level: Level, names: str, lengths: tuple[int, ...]
) -> None:
    for day, name, length in zip(
        (date(2026, 12, 31), date(2027, 1, 1), date(2028, 2, 29)),
        names.split(),
        lengths,
        strict=True,
    ):
        assert periods.name_of(level, day, "night") == name
        held = periods.days_of(level, name)
        assert day in held
        assert held[0] == periods.first_day(level, day)
        assert len(held) == length


@pytest.mark.parametrize(
    ("level", "month", "on", "expected"),
    [
        (Level.HALF_MONTHLY, 1, 13, "01-13 01-28 02-13 02-28 03-13 03-28"),
        (Level.HALF_MONTHLY, 1, 16, "01-15 01-31 02-15 02-29 03-15 03-31"),
        (Level.QUARTERLY, 2, 30, "02-29"),
        (Level.HALF_YEARLY, 2, 31, "02-29"),
        (Level.YEARLY, 2, 29, "02-29"),
    ],
)
def test_the_day_of_a_longer_period_is_of_its_month_or_the_last_there_is(
    level: Level, month: int, on: int, expected: str
) -> None:
    one = regime("long", level=level, month=month, on=on)
    found = days(all_due(one, "2028-01-01", "2028-03-31"))
    assert [day.removeprefix("2028-") for day in found] == expected.split()


def test_a_rule_says_which_days_and_a_period_without_one_has_no_round() -> None:
    last_monday = Recurrence(rule="FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-1")
    monthly = regime("monthly", level=Level.MONTHLY, recurs=last_monday)
    found = all_due(monthly, "2028-01-31", "2028-03-31")
    assert [one.period for one in found] == ["2028-01", "2028-02", "2028-03"]
    assert days(found) == ["2028-01-31", "2028-02-28", "2028-03-27"]
    winter = regime(recurs=Recurrence(rule="FREQ=DAILY;BYMONTH=11,12,1,2,3"))
    assert len(all_due(winter, "2026-03-30", "2026-11-02")) == 2 + 2
    fortnight = Recurrence(rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", starts=date(2026, 1, 6))
    other_weeks = regime("weekly", level=Level.WEEKLY, recurs=fortnight, days=Days.WORKING)
    assert days(all_due(other_weeks, "2025-12-01", "2026-02-08")) == [
        "2026-01-06",
        "2026-01-20",
        "2026-02-03",
    ], "wherever one begins to look"
    assert days(all_due(other_weeks, "2026-01-20", "2026-02-08")) == ["2026-01-20", "2026-02-03"]


def test_an_area_may_have_its_own_window() -> None:
    night = window("22:00", "+1d 02:00", "+1d 06:00")
    one = regime(windows={"b2": night})
    (b1,) = all_due(one, "2026-11-21", "2026-11-21", area="b1")
    (b2,) = all_due(one, "2026-11-21", "2026-11-21", area="b2")
    assert (b1.opens_at, b2.opens_at) == (at("2026-11-21 08:00"), at("2026-11-21 22:00"))
    assert b2.due_at == at("2026-11-22 02:00"), "over midnight it is of the day on which it opens"


def test_a_shift_has_a_round_of_its_own_that_ends_with_it() -> None:
    """2026-10-31 at Chicago is the night in which the clocks go back: its shift has 13 hours."""
    shifts = (
        Shift(id="day", name=text("day"), starts=8 * 60, ends=20 * 60),
        Shift(id="night-and-a-very-long-name", name=text("night"), starts=20 * 60, ends=8 * 60),
    )
    pattern = ({"day": "a", shifts[1].id: "b"}, {"day": "b"})
    rotation = Rotation(shifts=shifts, anchor=date(2026, 10, 31), pattern=pattern, zone=CHICAGO)
    span = ShiftWindow(opens_after=15 * MINUTE, due_before_end=30 * MINUTE, late_by=HOUR)
    one = regime("watch", level=Level.SHIFT, window=None, shift_window=span)
    dates = (date(2026, 10, 31), date(2026, 11, 1))
    found = list(due([(one, None)], CHICAGO, weekdays, *dates, rotation=rotation))
    assert [each.id for each in found] == [
        "watch.2026-10-31-day",
        "watch.2026-10-31-night-and-c10464",
        "watch.2026-11-01-day",
    ], "on the second night nobody holds a shift"
    night = found[1]
    assert utc(night.opens_at) == "2026-11-01 01:15"
    assert night.due_at - night.opens_at == 13 * HOUR - 45 * MINUTE
    assert night.late_until == night.due_at + HOUR
    assert not list(due([(one, None)], CHICAGO, weekdays, *dates)), "nobody knows the shifts"
    last_hour = replace(span, opens_before_end=HOUR)
    (late, *_) = due(
        [(replace(one, shift_window=last_hour), None)], CHICAGO, weekdays, *dates, rotation=rotation
    )
    assert (late.due_at - late.opens_at, late.due_at) == (30 * MINUTE, found[0].due_at)
    whole = replace(span, opens_before_end=24 * HOUR)
    (early, *_) = due(
        [(replace(one, shift_window=whole), None)], CHICAGO, weekdays, *dates, rotation=rotation
    )
    assert early.opens_at == found[0].opens_at - 15 * MINUTE, "not before the shift begins"
