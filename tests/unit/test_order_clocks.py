"""The clocks of an order, by hand: all of it follows from what is allowed, when it began, when
nobody could go on, and when it was done."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.model.moment import DAY, HOUR, MINUTE, SECOND, Instant
from rules.orders.clock import (
    CalendarKind,
    Clock,
    ClockName,
    ClockState,
    Pause,
    due_of,
    measured,
    near,
    runs_in_working_time,
    stand,
)
from rules.orders.clock_words import explain
from rules.priority import Priority
from rules.shifts.calendar import Calendar
from rules.shifts.year_files import years_of

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = Calendar(zone=ZONE, years=years_of(None))


def at(text: str, *, boot: str = "boot-1") -> Instant:
    wall = round(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * SECOND
    return Instant(wall=wall, mono=wall - 7 * DAY, boot=boot)


NOON = at("2026-11-20 12:00")
"""A Friday."""


def clock(
    limit: int = 2 * HOUR,
    *,
    started: Instant | None = NOON,
    stopped: Instant | None = None,
    calendar: CalendarKind = CalendarKind.ALWAYS,
    name: ClockName = ClockName.COMPLETE,
) -> Clock:
    return Clock(name=name, limit=limit, calendar=calendar, started=started, stopped=stopped)


def working(limit: int, started: Instant = NOON, stopped: Instant | None = None) -> Clock:
    return clock(limit, started=started, stopped=stopped, calendar=CalendarKind.WORKING_TIME)


def pause(start: int, end: int | None, why: str = "parts") -> Pause:
    """µs after noon."""
    return Pause(start=NOON.plus(start), end=None if end is None else NOON.plus(end), why=why)


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
    assert due_of(working(limit, start), (), start, CALENDAR) == at(due)
    assert due_of(clock(limit, started=start), (), start, CALENDAR) == start.plus(limit)


def test_minor_orders_run_in_working_time_and_no_others() -> None:
    assert [p for p in Priority if runs_in_working_time(p)] == [Priority.MINOR]


def test_an_instant_of_another_machine_is_laid_on_this_ones_clock() -> None:
    far = Instant(wall=NOON.wall, mono=99, boot="gateway")
    here = Instant(wall=NOON.wall + MINUTE, mono=5 * MINUTE, boot="rules")
    assert near(far, here) == Instant(wall=NOON.wall, mono=4 * MINUTE, boot="rules")
    assert near(here, here) is here


def test_a_clock_runs_breaches_and_stops() -> None:
    def state(clock: Clock, after: int) -> tuple[ClockState, int]:
        standing = stand(clock, (), NOON.plus(after), CALENDAR)
        return standing.state, standing.remaining

    assert state(clock(), HOUR) == (ClockState.RUNNING, HOUR)
    assert state(clock(), 2 * HOUR) == (ClockState.BREACHED, 0)
    assert state(clock(), 3 * HOUR) == (ClockState.BREACHED, -HOUR)
    in_time = clock(stopped=NOON.plus(2 * HOUR))
    assert state(in_time, 9 * HOUR) == (ClockState.STOPPED, 0)
    late = clock(stopped=NOON.plus(2 * HOUR + 1))
    assert state(late, 9 * HOUR) == (ClockState.BREACHED, -1)
    was_late = replace(clock(5 * HOUR), breached_at=NOON.wall)
    assert state(was_late, HOUR) == (ClockState.BREACHED, 4 * HOUR), "a longer limit is no pardon"


def test_what_is_counted_from_acceptance_waits_for_it() -> None:
    waiting = clock(started=None)
    standing = stand(waiting, (), NOON, CALENDAR)
    assert (standing.state, standing.remaining) == (ClockState.WAITING, 2 * HOUR)
    assert standing.due == NOON.plus(2 * HOUR)


def test_a_breach_while_pending_is_none() -> None:
    """GLPI #24481: an order that waits for parts is not overdue, however long that takes."""
    pauses = [pause(HOUR, None)]
    for days in (1, 30):
        standing = stand(clock(), pauses, NOON.plus(days * DAY), CALENDAR)
        assert (standing.state, standing.remaining) == (ClockState.PAUSED, HOUR)
        assert standing.due == NOON.plus(days * DAY + HOUR), "as if it went on now"


def test_paused_time_is_not_forgotten_on_a_change_of_the_limit() -> None:
    """GLPI #6902."""
    pauses = [pause(HOUR, 3 * HOUR), pause(4 * HOUR, 5 * HOUR)]
    now = NOON.plus(6 * HOUR)
    for limit in (30 * MINUTE, 2 * HOUR, 4 * HOUR):
        standing = stand(clock(limit), pauses, now, CALENDAR)
        assert (standing.paused, standing.counted) == (3 * HOUR, 3 * HOUR)
        assert standing.remaining == limit - 3 * HOUR
    assert due_of(clock(4 * HOUR), pauses, now, CALENDAR) == NOON.plus(7 * HOUR)
    assert due_of(clock(2 * HOUR), pauses, now, CALENDAR) == NOON.plus(4 * HOUR)
    assert due_of(clock(30 * MINUTE), pauses, now, CALENDAR) == NOON.plus(30 * MINUTE)


def test_paused_time_is_not_forgotten_on_a_change_of_the_calendar() -> None:
    pauses = [pause(HOUR, 3 * HOUR)]
    standing = stand(working(4 * HOUR), pauses, NOON.plus(20 * HOUR), CALENDAR)
    assert standing.remaining == 4 * HOUR - HOUR - (5 * HOUR + HOUR // 2 - 3 * HOUR)


@pytest.mark.parametrize("seed", range(200))
def test_no_paused_time_is_ever_lost(seed: int) -> None:
    """Counted, paused and left add up, whatever is paused and however often the limit changes;
    and the due is the moment at which nothing is left."""
    dice = random.Random(seed)
    now, pauses, total = NOON.plus(dice.randrange(HOUR)), [], 0
    for _ in range(dice.randrange(8)):
        start = now.plus(dice.randrange(3 * HOUR))
        now = start.plus(dice.randrange(1, 5 * HOUR))
        pauses.append(Pause(start=start, end=now, why="parts"))
        total += now.since(start)
    now = now.plus(dice.randrange(2 * HOUR))
    for limit in (dice.randrange(1, DAY), dice.randrange(1, 9 * DAY)):
        subject = clock(limit)
        standing = stand(subject, pauses, now, CALENDAR)
        assert standing.paused == total
        assert standing.counted + standing.paused == now.since(NOON)
        assert standing.counted + standing.remaining == limit
        due = due_of(subject, pauses, now, CALENDAR)
        assert measured(subject, pauses, due, CALENDAR)[0] == limit
        if standing.remaining > 0:
            assert due == now.plus(standing.remaining)
        slow = working(limit)
        end = due_of(slow, pauses, now, CALENDAR)
        assert measured(slow, pauses, end, CALENDAR)[0] == CALENDAR.working_span(limit)


def test_the_due_of_a_running_clock_does_not_depend_on_a_clock_that_is_wrong() -> None:
    pauses = [pause(HOUR, 3 * HOUR)]
    right = NOON.plus(4 * HOUR)
    year_back = Instant(wall=right.wall - 365 * DAY, mono=MINUTE, boot="boot-2")
    for subject in (clock(), working(9 * HOUR)):
        assert due_of(subject, pauses, year_back, CALENDAR) == due_of(
            subject, pauses, right, CALENDAR
        )


def test_an_order_that_comes_back_has_the_working_time_it_had_left() -> None:
    done = Pause(start=at("2026-11-20 14:30"), end=at("2026-11-21 10:00"), why="done")
    subject = working(90 * MINUTE + 150 * MINUTE)
    assert due_of(subject, [done], at("2026-11-21 10:00"), CALENDAR) == at("2026-11-23 09:30")


def test_an_order_completed_too_late_comes_back_too_late() -> None:
    done = pause(3 * HOUR, 20 * HOUR, "done")
    standing = stand(clock(), [done], NOON.plus(20 * HOUR), CALENDAR)
    assert (standing.state, standing.remaining) == (ClockState.BREACHED, -HOUR)


def told(subject: Clock, pauses: list[Pause], now: Instant) -> tuple[str, str]:
    text = explain(subject, stand(subject, pauses, now, CALENDAR), pauses, ZONE)
    return text.zh, text.en


def test_a_clock_explains_every_second() -> None:
    assert told(clock(), [], NOON.plus(HOUR)) == (
        "完工限时 2 小时，自 2026-11-20 12:00:00 起全天计时；"
        "应于 2026-11-20 14:00:00 前完工，还剩 1 小时",
        "2 h allowed to complete, counted from 2026-11-20 12:00:00 day and night; "
        "due 2026-11-20 14:00:00; 1 h left",
    )
    zh, en = told(clock(), [pause(HOUR, 90 * MINUTE)], NOON.plus(3 * HOUR))
    assert "其中暂停 30 分钟 不计（等配件）" in zh
    assert "paused for 30 min (waiting for parts)" in en
    assert en.endswith("due 2026-11-20 14:30:00; 30 min too late")
    zh, en = told(clock(), [pause(HOUR, None, "owner")], NOON.plus(3 * HOUR))
    assert "自 2026-11-20 13:00:00 暂停至今：等业主" in zh
    assert "paused since 2026-11-20 13:00:00: waiting for the owner" in en
    assert en.endswith("due 2026-11-20 16:00:00; 1 h left")


def test_a_clock_in_working_time_says_so_and_when_it_does_not_run() -> None:
    evening = at("2026-11-20 20:00")
    zh, en = told(working(DAY), [], evening)
    assert zh.startswith("完工限时 1 个工作日，自 2026-11-20 12:00:00 起只计工作时间；")
    assert "现为非工作时间，不计时" in zh
    assert en.startswith("1 working day allowed to complete")
    assert "not running: outside working hours" in en
    assert en.endswith("due 2026-11-23 12:00:00; 4 h left")
    assert stand(working(DAY), [], evening, CALENDAR).state is ClockState.PAUSED
    assert "2 working days 1 h of working time" in told(working(2 * DAY + HOUR), [], NOON)[1]


def test_a_clock_that_is_over_says_how_it_ended() -> None:
    subject = clock(name=ClockName.ARRIVE, stopped=NOON.plus(HOUR))
    assert told(subject, [], NOON.plus(DAY))[0].endswith(
        "应于 2026-11-20 14:00:00 前到场，已到场，余 1 小时"
    )
    assert told(clock(started=None, name=ClockName.COMPLETE), [], NOON)[1] == (
        "2 h allowed to complete, counted from acceptance; all 2 h left, not begun"
    )
