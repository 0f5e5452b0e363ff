from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.clock import ManualClock, SystemClock
from gateway.model.moment import HOUR, SECOND, Instant, iso, stamp

NOON = int(datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC).timestamp()) * SECOND


def test_within_a_boot_a_step_of_the_wall_clock_changes_no_delay():
    clock = ManualClock(NOON)
    begun = clock.now()
    clock.advance(420)
    clock.step_wall(3600)
    assert clock.now().since(begun) == 420 * SECOND
    assert not clock.now().reached(begun.plus(600 * SECOND))
    clock.step_wall(-2 * 3600)
    clock.advance(180)
    assert clock.now().reached(begun.plus(600 * SECOND))


def test_across_boots_the_wall_clock_decides():
    clock = ManualClock(NOON)
    due = clock.now().plus(HOUR)
    clock.reboot("boot-2", off_seconds=3599)
    assert not clock.now().reached(due)
    clock.advance(1)
    assert clock.now().reached(due)


def test_iso_carries_the_offset_of_the_site():
    assert iso(NOON, ZoneInfo("Asia/Shanghai")) == "2026-11-21T20:00:00.000+08:00"


@pytest.mark.parametrize(
    ("wall", "expected"),
    [(NOON + 123456, "20261121T120000-123456Z"), (NOON, "20261121T120000-000000Z")],
)
def test_stamp_is_sortable_and_keeps_microseconds(wall, expected):
    assert stamp(wall) == expected


def test_the_system_clock_goes_forward_and_names_its_boot():
    clock = SystemClock()
    first, second = clock.now(), clock.now()
    assert isinstance(first, Instant)
    assert first.boot == second.boot != ""
    assert second.since(first) >= 0
