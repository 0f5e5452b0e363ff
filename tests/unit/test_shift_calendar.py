"""Kinds of days and working time: 2026 day by day against chinesecalendar, and worked by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.moment import DAY, HOUR, MINUTE, SECOND
from gateway.model.point import Text
from rules.shifts.calendar import (
    DEFAULT_HOURS,
    Calendar,
    DayKind,
    DaySource,
    SpecialDay,
    WorkingHours,
)
from rules.shifts.year_files import read_years, years_of

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHICAGO = ZoneInfo("America/Chicago")
SHIPPED = Calendar(zone=SHANGHAI, years=years_of(None))


def at(text: str, zone: tzinfo = SHANGHAI) -> int:
    """µs UTC of ``YYYY-MM-DD HH:MM`` in ``zone``."""
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * SECOND


def shown(instant: int, zone: tzinfo = SHANGHAI) -> str:
    moment = datetime.fromtimestamp(instant / SECOND, tz=UTC).astimezone(zone)
    return f"{moment:%Y-%m-%d %H:%M}"


def test_every_day_of_2026_is_worked_or_not_as_chinesecalendar_says() -> None:
    days = list(SHIPPED.days(2026))
    assert len(days) == 365
    for day in days:
        assert day.kind.is_working is chinese_calendar.is_workday(day.date), day
        holiday, name = chinese_calendar.get_holiday_detail(day.date)
        if day.kind is DayKind.HOLIDAY:
            assert holiday and name is not None, day
            assert day.name is not None
            assert day.name.en.lower() == name.lower()
        elif day.kind is DayKind.MAKE_UP_WORKING:
            assert day.date in chinese_calendar.workdays
        assert day.source is DaySource.PUBLISHED
    assert not SHIPPED.is_provisional(2026)


def test_the_six_make_up_working_days_of_2026() -> None:
    made_up = [day.date for day in SHIPPED.days(2026) if day.kind is DayKind.MAKE_UP_WORKING]
    assert made_up == [
        date(2026, 1, 4),
        date(2026, 2, 14),
        date(2026, 2, 28),
        date(2026, 5, 9),
        date(2026, 9, 20),
        date(2026, 10, 10),
    ]


def test_2027_is_provisional_with_statutory_days_and_without_make_up_days() -> None:
    assert SHIPPED.is_provisional(2027)
    days = list(SHIPPED.days(2027))
    assert {day.source for day in days} == {DaySource.PROVISIONAL}
    assert {day.kind for day in days} == {DayKind.WORKING, DayKind.WEEKEND, DayKind.HOLIDAY}
    first_of = {}
    for day in days:
        if day.kind is DayKind.HOLIDAY:
            assert day.name is not None
            first_of.setdefault(day.name.zh, day.date.isoformat()[5:])
    assert first_of == {
        "元旦": "01-01",
        "春节": "02-05",
        "清明节": "04-05",
        "劳动节": "05-01",
        "端午节": "06-09",
        "中秋节": "09-15",
        "国庆节": "10-01",
    }
    assert SHIPPED.day(date(2027, 2, 6)).kind is DayKind.HOLIDAY
    (tomb_sweeping,) = (
        d for d, _ in chinese_calendar.get_solar_terms(date(2027, 4, 1), date(2027, 4, 10))
    )
    assert SHIPPED.kind(tomb_sweeping) is DayKind.HOLIDAY


@pytest.mark.parametrize("year", [2025, 2028, 2199])
def test_a_year_that_nobody_knows_has_weekends_only_and_is_provisional(year: int) -> None:
    days = list(SHIPPED.days(year))
    assert SHIPPED.is_provisional(year)
    assert {day.kind for day in days} == {DayKind.WORKING, DayKind.WEEKEND}
    assert all((day.kind is DayKind.WEEKEND) is (day.date.weekday() >= 5) for day in days)


def test_what_the_site_says_of_a_day_goes_before_everything() -> None:
    own = SpecialDay(kind=DayKind.HOLIDAY, name=Text(zh="园区日", en="Garden day"))
    calendar = Calendar(
        zone=SHANGHAI,
        years=years_of(None),
        changed={
            date(2026, 9, 20): SpecialDay(kind=DayKind.WEEKEND, name=None),
            date(2026, 11, 23): own,
        },
    )
    assert calendar.day(date(2026, 9, 20)).source is DaySource.SITE
    assert not calendar.is_working(date(2026, 9, 20))
    assert calendar.day(date(2026, 11, 23)).name == own.name
    assert calendar.is_working(date(2026, 11, 24))


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        # Half an hour on Friday, Saturday is off, the make-up Sunday takes the rest.
        ("2026-09-18 17:00", 4, "2026-09-20 11:30"),
        ("2026-09-18 18:00", 4, "2026-09-20 12:00"),
        # Before National Day; 10-08 is a plain Thursday.
        ("2026-09-30 17:00", 1, "2026-10-08 08:30"),
        ("2026-10-03 12:00", 2, "2026-10-08 10:00"),
        # The make-up Saturday after it, and the Sunday that is off.
        ("2026-10-09 17:00", 1, "2026-10-10 08:30"),
        ("2026-10-10 17:00", 1, "2026-10-12 08:30"),
        # Before Spring Festival on the make-up Saturday; nine days are off.
        ("2026-02-14 16:30", 2, "2026-02-24 09:00"),
        # The end of a working day is reached on that day.
        ("2026-11-16 08:00", 9.5, "2026-11-16 17:30"),
        ("2026-11-16 07:00", 9.5, "2026-11-16 17:30"),
        ("2026-11-16 17:30", 0.5, "2026-11-17 08:30"),
        # Across the new year and its make-up Sunday.
        ("2025-12-31 17:00", 1, "2026-01-04 08:30"),
    ],
)
def test_working_time_worked_by_hand(start: str, hours: float, end: str) -> None:
    span = round(hours * HOUR)
    assert shown(SHIPPED.after(at(start), span)) == end
    assert SHIPPED.working_time(at(start), at(end)) == span


def test_the_next_working_moment() -> None:
    assert shown(SHIPPED.next_working_moment(at("2026-11-16 12:00"))) == "2026-11-16 12:00"
    assert shown(SHIPPED.next_working_moment(at("2026-11-16 07:00"))) == "2026-11-16 08:00"
    assert shown(SHIPPED.next_working_moment(at("2026-11-20 17:30"))) == "2026-11-23 08:00"


def test_a_day_that_is_allowed_is_a_working_day() -> None:
    assert SHIPPED.working_span(DAY) == 9.5 * HOUR
    assert SHIPPED.working_span(2 * DAY + 3 * HOUR) == 22 * HOUR
    assert SHIPPED.working_span(4 * HOUR) == 4 * HOUR
    start = at("2026-11-20 15:00")
    assert shown(SHIPPED.after(start, SHIPPED.working_span(DAY))) == "2026-11-23 15:00"


def test_working_hours_across_a_change_of_the_clocks_in_chicago() -> None:
    """2026-03-08 02:00 becomes 03:00, 2026-11-01 02:00 becomes 01:00."""
    night = Calendar(
        zone=CHICAGO,
        hours=WorkingHours(starts=0, ends=6 * 60),
        changed={
            day: SpecialDay(kind=DayKind.WORKING, name=None)
            for day in (date(2026, 3, 8), date(2026, 11, 1))
        },
    )
    for day, hours in (("2026-03-08", 5), ("2026-03-09", 6), ("2026-11-01", 7)):
        span = night.working_time(at(f"{day} 00:00", CHICAGO), at(f"{day} 12:00", CHICAGO))
        assert span == hours * HOUR, day
    reached = night.after(at("2026-03-08 00:00", CHICAGO), 5 * HOUR)
    assert shown(reached, CHICAGO) == "2026-03-08 06:00"


def test_plain_working_hours_do_not_feel_a_change_of_the_clocks_at_night() -> None:
    calendar = Calendar(zone=CHICAGO)
    friday, monday = at("2026-03-06 17:00", CHICAGO), at("2026-03-09 08:30", CHICAGO)
    assert calendar.after(friday, HOUR) == monday
    assert calendar.working_time(friday, monday) == HOUR


@given(
    zone=st.sampled_from([SHANGHAI, CHICAGO]),
    start=st.integers(at("2025-12-20 00:00"), at("2027-12-31 00:00")),
    span=st.integers(1, 400 * HOUR),
    starts=st.integers(0, 1380),
    length=st.integers(30, 1440),
)
def test_after_and_working_time_are_each_others_inverse(
    zone: ZoneInfo, start: int, span: int, starts: int, length: int
) -> None:
    hours = WorkingHours(starts=starts, ends=min(starts + length, 1440))
    calendar = Calendar(zone=zone, years=years_of(None), hours=hours)
    end = calendar.after(start, span)
    assert calendar.working_time(start, end) == span
    assert calendar.working_time(start, end - 1) == span - 1, "not a moment too late"


def test_the_default_hours_are_in_force_where_nothing_is_said() -> None:
    assert Calendar(zone=SHANGHAI).hours is DEFAULT_HOURS
    assert DEFAULT_HOURS.length == 9 * HOUR + 30 * MINUTE


YEAR = """\
year: 2028
provisional: false
source: by hand
festivals:
  - name: {zh: 元旦, en: New Year's Day}
    holidays: [2028-01-01]
    make_up_working: [2028-01-08]
"""


def years(folder: Path, text: str, name: str = "cn-2028.yaml") -> list[str]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return [str(problem).removeprefix(f"{folder}/") for problem in read_years([path]).problems]


def test_a_year_of_the_sites_own_rulebook_is_known_and_goes_before_the_shipped_one(
    tmp_path: Path,
) -> None:
    (tmp_path / "calendar").mkdir()
    assert years(tmp_path / "calendar", YEAR) == []
    own = YEAR.replace("2028-01-08", "2027-01-09").replace("2028", "2027")
    assert years(tmp_path / "calendar", own, "cn-2027.yaml") == []
    found = years_of(str(tmp_path))
    assert sorted(found) == [2026, 2027, 2028]
    assert not found[2027].provisional
    calendar = Calendar(zone=SHANGHAI, years=found)
    assert calendar.kind(date(2028, 1, 8)) is DayKind.MAKE_UP_WORKING


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[2028-01-01]", "[2027-01-01]", "6: festivals.0.holidays.0: 2027-01-01 is not of 2028"),
        ("[2028-01-08]", "[2028-01-01]", "7: festivals.0.make_up_working.0: 2028-01-01 is named"),
        ("[2028-01-08]", "[2028-01-05]", "7: festivals.0.make_up_working.0: 2028-01-05 is no day"),
        ("[2028-01-01]", "[soon]", "6: festivals.0.holidays.0: "),
        ("provisional: false\n", "", "1: provisional: is missing"),
    ],
)
def test_a_mistake_in_a_calendar_file_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    (found,) = years(tmp_path, YEAR.replace(old, new))
    assert found.startswith(f"cn-2028.yaml:{told}")


def test_two_files_of_one_year_are_a_mistake(tmp_path: Path) -> None:
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    for path in paths:
        path.write_text(YEAR, encoding="utf-8")
    (found,) = read_years(paths).problems
    assert (found.file, found.line) == (str(paths[1]), 1)
    assert "is also the year of" in found.wrong


def test_days_follow_one_another_without_a_gap() -> None:
    for year in (2026, 2028):
        days = [day.date for day in SHIPPED.days(year)]
        first = date(year, 1, 1)
        assert days == [first + timedelta(days=n) for n in range(len(days))]
        assert days[-1] == date(year, 12, 31)
