"""Hours run in each month of the calendar, by what counters said at its ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from duty_room import equipment

from gateway.model.moment import DAY, SECOND
from gateway.model.point import PointKind
from gateway.model.quality import Quality
from gateway.model.reading import Reading
from rules.register.run_hours import Month, counters, months, ran

ZONE = ZoneInfo("Asia/Shanghai")
PUMP = equipment("pump-1", "pump", run_hours=PointKind.NUMBER)
POINT = PUMP.points[0]


def at(*when: int) -> int:
    return round(datetime(*when, tzinfo=ZONE).astimezone(UTC).timestamp()) * SECOND


def said(value: float | None, received: int) -> dict[str, Reading]:
    quality = Quality.BAD if value is None else Quality.GOOD
    reading = Reading(
        value=value,
        text=None,
        quality=quality,
        reason=None,
        received=received,
        source_time=received,
    )
    return {POINT.id: reading}


def test_the_months_are_those_of_the_sites_calendar() -> None:
    now = at(2028, 3, 5, 7, 30)
    (march, february, january) = months(now, ZONE, 3)
    assert march == Month(first=date(2028, 3, 1), begin=at(2028, 3, 1), end=now)
    assert (february.begin, february.end) == (at(2028, 2, 1), march.begin)
    assert february.end - february.begin == 29 * DAY
    assert january.first == date(2028, 1, 1)


def test_what_a_counter_grew_by_was_run_and_after_a_fall_nobody_knows() -> None:
    now = at(2026, 11, 22, 12)
    known = months(now, ZONE, 4)
    november, october, september, august = known
    by_bound = {
        now: said(40.0, now),
        november.begin: said(1_300.5, november.begin - 1),
        october.begin: said(1_000.0, october.begin - DAY),
        september.begin: said(1_000.0, september.begin - DAY),
        august.begin: {},
    }
    found = ran(known, [POINT], by_bound)
    assert [(one.month.first.month, one.hours, one.total) for one in found] == [
        (11, None, 40.0),
        (10, 300.5, 1_300.5),
        (9, 0.0, 1_000.0),
    ]
    assert found[1].at == november.begin - 1


def test_a_month_in_which_nothing_was_heard_is_left_out() -> None:
    now = at(2026, 11, 22, 12)
    known = months(now, ZONE, 2)
    november, october = known
    old = said(7.0, october.begin - DAY)
    assert ran(known, [POINT], {now: old, november.begin: old, october.begin: old}) == []
    bad = said(None, now)
    assert ran(known[:1], [POINT], {now: bad, november.begin: old}) == []


def test_only_numbers_of_hours_count() -> None:
    hours = replace(POINT, unit="h")
    assert counters(replace(PUMP, points=(POINT, hours))) == [hours]
