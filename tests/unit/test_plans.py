"""What is due of maintenance plans: the calendar, counters, a year at the demonstration site."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from inspections import SHANGHAI, at
from plan_book import HOURS, every, plan, since_last

from gateway.model.moment import DAY
from gateway.site import files as site_file
from rules.plans.calendar import days_of, following, scheduled, times_of
from rules.plans.counting import Count, Turn, fed, is_reached, started_anew
from rules.plans.interval import parse
from rules.plans.lifecycle import DueState, Facts, state_of
from rules.plans.plan import Days, Plan, Schedule
from rules.plans.subjects import subjects
from rules.rulebook import load_rulebook
from rules.shifts.calendar import Calendar
from rules.shifts.year_files import years_of

DEMO = Path(__file__).parents[2] / "deploy/demo/site.yaml"


def always(_: date) -> bool:
    return True


def days(schedule: Schedule, first: str, last: str) -> list[str]:
    found = days_of(schedule, "x", date.fromisoformat(first), date.fromisoformat(last))
    return [day.isoformat() for day in found]


def test_months_are_counted_from_the_anchor_so_their_ends_do_not_wander() -> None:
    monthly = every("1 month", "2028-01-31")
    assert days(monthly, "2028-01-01", "2028-05-31") == [
        *("2028-02-29", "2028-03-31", "2028-04-30", "2028-05-31"),
    ]
    yearly = every("1 year", "2024-02-29")
    assert days(yearly, "2025-01-01", "2028-12-31") == [
        *("2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"),
    ]
    # Whatever span is asked for, the same days come out.
    whole = days(every("15d", "2026-01-01"), "2026-01-01", "2026-12-31")
    firsts = [*(date(2026, month, 1) for month in range(1, 13)), date(2027, 1, 1)]
    parts = [
        day.isoformat()
        for first, after in pairwise(firsts)
        for day in days_of(every("15d", "2026-01-01"), "x", first, after - timedelta(days=1))
    ]
    assert parts == whole
    assert (len(whole), whole[0], whole[-1]) == (24, "2026-01-16", "2026-12-27")


def test_a_recurrence_rule_gives_its_days_after_the_anchor() -> None:
    second_tuesday = Schedule(anchor=date(2026, 1, 1), rule="FREQ=MONTHLY;INTERVAL=3;BYDAY=2TU")
    assert days(second_tuesday, "2026-01-01", "2026-12-31") == [
        *("2026-01-13", "2026-04-14", "2026-07-14", "2026-10-13"),
    ]


@pytest.mark.parametrize(
    ("moves", "day"),
    [(Days.ALL, "2026-10-03"), (Days.EARLIER, "2026-09-30"), (Days.LATER, "2026-10-08")],
)
def test_a_day_in_the_national_holiday_moves_and_keeps_its_name(moves: Days, day: str) -> None:
    calendar = Calendar(zone=SHANGHAI, years=years_of(None))
    one = plan(trigger=every("1 month", "2026-09-03"), days=moves)
    (due,) = scheduled(
        one,
        "pump-1",
        SHANGHAI,
        calendar.is_working,
        first=date(2026, 10, 1),
        last=date(2026, 10, 31),
    )
    assert (due.id, str(due.day)) == ("oil.pump-1.2026-10-03", day)


def test_times_of_a_day_and_the_states_that_follow() -> None:
    times = times_of(plan(), date(2026, 11, 16), SHANGHAI)
    assert times.opens_at == at("2026-11-13 08:00")
    assert times.due_at == at("2026-11-17 00:00")
    assert times.overdue_at == at("2026-11-19 00:00")
    times_given = {
        "opens_at": times.opens_at,
        "due_at": times.due_at,
        "overdue_at": times.overdue_at,
    }
    facts = Facts(**times_given, opened_at=times.opens_at)
    seen = [
        state_of(facts, moment)
        for moment in (times.opens_at, times.due_at, times.overdue_at - 1, times.overdue_at)
    ]
    assert seen == [DueState.DUE, DueState.LATE, DueState.LATE, DueState.OVERDUE]
    assert state_of(Facts(**times_given), times.opens_at - 1) is DueState.PLANNED
    assert state_of(Facts(**times_given, done_at=1), times.overdue_at) is DueState.DONE


def grow(*said: tuple[float, float], goal=HOURS) -> tuple[Count, list[Turn]]:  # type: ignore[no-untyped-def]
    """``said``: (day, what the counter says)."""
    count, turns = Count(), []
    for day, value in said:
        count, turn = fed(count, goal, value, round(day * DAY))
        turns += [] if turn is None else [turn]
    return count, turns


def test_a_counter_counts_what_it_grew_since_it_was_first_heard() -> None:
    count, turns = grow((0, 5000), (1, 5020), (2, 5044))
    assert (count.grown, turns) == (44, [])
    # Heard again after a long silence it has grown meanwhile.
    assert grow((0, 5000), (100, 7100))[0].grown == 2100


def test_a_counter_that_is_reset_or_replaced_makes_nothing_due() -> None:
    count, turns = grow((0, 1990), (1, 0), (1.5, 10), (2, 20))
    assert (count.grown, turns) == (20, [Turn.SET_BACK]), "counted on from where it fell to"
    count, turns = grow((0, 100), (1, 9000), (2, 9010))
    assert (count.grown, turns) == (10, [Turn.JUMPED]), "another device, with hours of its own"


def test_a_counter_that_says_zero_for_once_loses_nothing_and_never_fires() -> None:
    count, turns = grow((0, 1990), (0.5, 0), (1, 2000), (2, 2010))
    assert (count.grown, turns) == (20, [])
    assert not is_reached(count, HOURS)


def test_a_counter_that_goes_over_counts_on() -> None:
    goal = type(HOURS)(point="run_hours", every=2000, most_per_day=24, rollover=65536)
    assert grow((0, 65530), (1, 8), goal=goal)[0].grown == 14


def test_the_next_one_is_counted_from_when_the_last_one_was_done() -> None:
    one = plan(trigger=since_last("12 months", HOURS))
    due = following(one, "pump-1", SHANGHAI, always, number=2, last=date(2026, 3, 9))
    assert (due.id, str(due.day)) == ("oil.pump-1.n0002", "2027-03-09")
    only_hours = plan(trigger=since_last(None, HOURS))
    due = following(only_hours, "pump-1", SHANGHAI, always, number=1, last=date(2026, 3, 9))
    assert (due.day, due.times) == (None, None)


def test_intervals_are_read_as_people_write_them() -> None:
    assert parse("2 weeks").after(date(2026, 1, 1)) == date(2026, 1, 15)
    for wrong in ("", "15", "0d", "1.5 months", "11 years", "99 months ago"):
        with pytest.raises(ValueError, match="interval"):
            parse(wrong)


def _orders_of_2026(capsys: pytest.CaptureFixture[str]) -> dict[str, int]:
    """Orders raised in 2026, day by day; pump 1 runs 20 hours a day, the others 5 and none. What
    is raised is done three days later."""
    site = site_file.load(DEMO)
    book = load_rulebook(site)
    calendar = Calendar(zone=site.zone, years=years_of(site.rulebook))
    begin, end = at("2026-01-01 00:00"), at("2027-01-01 00:00")
    counted: Counter[str] = Counter()
    for one in book.plans.values():
        for subject in subjects(one, site):
            if isinstance(one.trigger, Schedule):
                found = scheduled(
                    one,
                    subject.id,
                    site.zone,
                    calendar.is_working,
                    first=date(2025, 11, 1),
                    last=date(2027, 3, 31),
                )
                raised = [due.times.opens_at for due in found if due.times is not None]
                counted[one.id] += sum(begin <= moment < end for moment in raised)
            else:
                hours = {"pump-1": 20, "pump-2": 5}.get(subject.id, 0)
                counted[one.id] += _chain(one, subject.id, calendar, hours)
    with capsys.disabled():
        print("\norders of plans in 2026 at the demonstration site")
        for name, number in sorted(counted.items()):
            print(f"  {name:24} {number:3}")
    return dict(counted)


def _chain(one: Plan, subject: str, calendar: Calendar, hours_a_day: int) -> int:
    """How many orders it raises in 2026, by hours or by time; each is done three days later."""
    (goal,) = one.goals
    count, number, total, done_on = Count(), 1, 0.0, None
    last = date(2026, 1, 1)
    for day in range(365):
        today, wall = date(2026, 1, 1) + timedelta(days=day), at("2026-01-01 09:00") + day * DAY
        count, _ = fed(count, goal, total, wall)
        if done_on == today:
            last, number, done_on = today, number + 1, None
            count = started_anew(count)
        due = following(one, subject, SHANGHAI, calendar.is_working, number=number, last=last)
        assert due.times is not None
        if done_on is None and (is_reached(count, goal) or due.times.opens_at <= wall):
            done_on = today + timedelta(days=3)
        total += hours_a_day
    return number - (done_on is None)


def test_the_orders_of_a_year_are_as_many_as_counted_by_hand(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert _orders_of_2026(capsys) == {
        # Two lifts. 15 d from 1 January: 16 January is the first, 27 December the 24th; the order
        # of 11 January 2027 is raised on the 8th. 2 × 24.
        "lift-half-monthly": 48,
        # 92 d: 3 April, 4 July, 4 October; 4 January 2027 has its order on 28 December. 2 × 4.
        "lift-quarterly": 8,
        # 183 d: 3 July; 2 January 2027 has its order on 26 December. 2 × 2.
        "lift-half-yearly": 4,
        # 365 d: 1 January 2027, whose order is raised on 18 December. 2 × 1.
        "lift-yearly": 2,
        # 1 December 2026, order on 1 November; two lifts.
        "lift-annual-inspection": 2,
        # 15 April and 15 October 2026.
        "tank-cleaning": 2,
        # 10 May is a Sunday, and no make-up day: 11 May. 10 November.
        "power-room-cleaning": 2,
        # 20 June is a Saturday (in the Dragon Boat holiday): 18 June. 20 December is a Sunday: 18.
        "emergency-drill": 2,
        # 20 May and 20 November.
        "entrapment-drill": 2,
        # 9 November 2026.
        "fire-linkage-test": 1,
        # 15 September, 24 November, 20 October and 1 September 2026, all Tuesdays.
        **{"water-supply-yearly": 1, "power-yearly": 1, "fire-yearly": 1, "lighting-yearly": 1},
        # 20 April and 20 October 2026.
        "roof-and-drains": 2,
        # Pump 1: 2,000 h after 100 days, done on day 103, then every 103 days: days 100, 203, 306.
        # Pump 2 would reach 2,000 h after 400 days, pump 3 never: 12 months are over on 1 January
        # 2027, a holiday before a weekend; 4 January has its order on 28 December. 3 + 1 + 1.
        "pump-lubrication": 5,
    }
