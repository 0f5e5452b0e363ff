"""When an order is due that runs in working time, by hand; the due is an instant like any other."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.model.moment import DAY, HOUR, MINUTE, SECOND, Instant
from rules.orders import clock
from rules.orders.clock import ClockState, due_of, resumed, runs_in_working_time
from rules.rule import Priority
from rules.shifts.calendar import Calendar
from rules.shifts.year_files import years_of

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar(zone=ZONE, years=years_of(None))


def at(text: str, *, boot: str = "boot-1", mono: int | None = None) -> Instant:
    wall = round(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * SECOND
    return Instant(wall=wall, mono=wall - 7 * DAY if mono is None else mono, boot=boot)


@pytest.mark.parametrize(
    ("created", "limit", "due"),
    [
        ("2026-09-18 17:00", 4 * HOUR, "2026-09-20 11:30"),  # the make-up Sunday is worked
        ("2026-09-30 17:00", 2 * HOUR, "2026-10-08 09:30"),  # National Day is not
        ("2026-10-09 12:00", DAY, "2026-10-10 12:00"),  # the make-up Saturday is worked
        ("2026-02-14 17:00", DAY, "2026-02-24 17:00"),  # Spring Festival is not
        ("2026-11-21 02:00", 30 * MINUTE, "2026-11-23 08:30"),  # a Saturday night
    ],
)
def test_the_time_allowed_is_counted_in_working_hours(created: str, limit: int, due: str) -> None:
    start = at(created)
    assert due_of(start, limit, start, CALENDAR) == at(due)
    assert due_of(start, limit, start) == start.plus(limit), "day and night without a calendar"


def test_minor_orders_run_in_working_time_and_no_others() -> None:
    assert [p for p in Priority if runs_in_working_time(p)] == [Priority.MINOR]


def test_a_due_of_another_boot_is_laid_on_this_one() -> None:
    far = at("2026-09-18 17:00", boot="boot-0", mono=99)
    here = at("2026-09-18 17:10", mono=5 * HOUR)
    due = due_of(far, 4 * HOUR, here, CALENDAR)
    assert due.boot == here.boot
    assert due.wall == at("2026-09-20 11:30").wall
    assert due.mono == here.mono + due.wall - here.wall


def test_an_order_that_comes_back_has_the_working_time_it_had_left() -> None:
    due, completed = at("2026-11-20 16:00"), at("2026-11-20 14:30")
    saturday = at("2026-11-21 10:00")
    assert resumed(due, completed, saturday, CALENDAR) == at("2026-11-23 09:30")
    assert resumed(due, completed, saturday) == due.plus(saturday.since(completed))


def test_an_order_completed_too_late_comes_back_too_late() -> None:
    due, completed, now = at("2026-11-20 16:00"), at("2026-11-20 17:00"), at("2026-11-21 10:00")
    again = resumed(due, completed, now, CALENDAR)
    assert now.since(again) == completed.since(due)


def test_the_clock_tells_that_it_was_counted_in_working_time() -> None:
    start = at("2026-11-20 17:00")

    def told(limit: int) -> str:
        stands = clock.clock(
            limit=limit,
            due=due_of(start, limit, start, CALENDAR),
            completed=None,
            now=start,
            in_working_time=True,
        )
        assert stands.state is ClockState.RUNNING
        return clock.explain(stands, ZONE).en

    assert told(4 * HOUR).startswith("4 h 0 min of working time allowed, due 2026-11-23 11:30:00")
    assert told(DAY).startswith("1 working day allowed, due 2026-11-23 17:00:00")
    assert told(2 * DAY + HOUR).startswith("2 working days 1 h 0 min of working time allowed")
