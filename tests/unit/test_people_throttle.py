"""How long a guesser waits: growing, bounded, forgotten, and in constant memory."""

from __future__ import annotations

import pytest

from gateway.clock import ManualClock
from gateway.model.moment import HOUR, MINUTE, SECOND
from rules.people.throttle import Throttle

NOON = 1_795_233_600 * SECOND


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


def throttle(**given: int) -> Throttle:
    return Throttle(**{"free": 3, "longest": MINUTE, **given})


def test_some_tries_are_free_then_each_waits_twice_as_long(clock: ManualClock) -> None:
    found, waits = throttle(), []
    for _ in range(10):
        waits.append(found.wait("a", clock.now()) // SECOND)
        clock.advance(waits[-1])
        assert found.wait("a", clock.now()) == 0
        found.tried("a", clock.now())
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 32, 60]


def test_in_a_day_a_guesser_gets_some_hundred_tries(clock: ManualClock) -> None:
    found, tried = throttle(free=5, longest=15 * MINUTE), 0
    for _ in range(24 * 60):
        if found.wait("a", clock.now()) == 0:
            found.tried("a", clock.now())
            tried += 1
        clock.advance(60)
    assert tried <= 110


def test_others_do_not_wait(clock: ManualClock) -> None:
    found = throttle()
    for _ in range(50):
        found.tried("a", clock.now())
    assert found.wait("a", clock.now()) == MINUTE
    assert found.wait("b", clock.now()) == 0


def test_a_right_one_takes_its_own_try_back_or_all(clock: ManualClock) -> None:
    found = throttle()
    for _ in range(4):
        found.tried("a", clock.now())
    found.was_right("a", forget=False)
    assert found.wait("a", clock.now()) == SECOND
    found.was_right("a", forget=True)
    assert found.wait("a", clock.now()) == 0
    found.was_right("never tried", forget=False)
    assert len(found) == 0


def test_after_long_peace_it_begins_anew(clock: ManualClock) -> None:
    found = throttle()
    for _ in range(20):
        found.tried("a", clock.now())
    clock.advance((HOUR + MINUTE) / SECOND)
    found.tried("a", clock.now())
    assert found.wait("a", clock.now()) == 0


def test_a_stepped_clock_shortens_no_wait(clock: ManualClock) -> None:
    found = throttle()
    for _ in range(20):
        found.tried("a", clock.now())
    clock.step_wall(86400)
    assert found.wait("a", clock.now()) == MINUTE


def test_memory_is_bounded_and_the_one_tried_longest_ago_goes(clock: ManualClock) -> None:
    found = throttle(keys=100, free=0)
    for number in range(10_000):
        found.tried("guessed at all the time", clock.now())
        found.tried(number, clock.now())
    assert len(found) == 100
    assert found.wait("guessed at all the time", clock.now()) == MINUTE
    assert found.wait(0, clock.now()) == 0
