"""The books beside the alarms are kept, whatever goes wrong in one of them."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import REGISTRY
from sqlalchemy.exc import OperationalError

from gateway.clock import ManualClock
from gateway.model.moment import MINUTE, SECOND, Instant
from rules import housekeeping
from rules.wall_clock import Settling

WALL = 1_800_000_000 * SECOND
FAILURES = "dutyroom_rules_housekeeping_failures_total"


def test_a_book_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the rounds must not take the alarms down, which run in the same process."""
    monkeypatch.setattr(housekeeping, "_UNFORESEEN_S", 0.01)
    before = REGISTRY.get_sample_value(FAILURES, {"book": "test"}) or 0.0
    stop, calls = asyncio.Event(), 0

    async def tick(now: Instant) -> float:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OperationalError("", {}, Exception("away"))
        if calls == 2:
            raise KeyError("nobody foresaw this")
        stop.set()
        return 60.0

    async def kept() -> None:
        async with asyncio.timeout(10):
            await housekeeping.keep("test", tick, ManualClock(WALL), stop, patience=0.01)

    asyncio.run(kept())
    assert calls == 3
    assert REGISTRY.get_sample_value(FAILURES, {"book": "test"}) == before + 1


def test_after_a_step_the_wall_clock_is_not_believed_for_a_minute() -> None:
    settling = Settling()
    start = Instant(wall=WALL, mono=0, boot="one")
    assert settling.is_over(start), "a start is no step"
    stepped = Instant(wall=WALL + 90 * MINUTE, mono=5 * SECOND, boot="one")
    assert not settling.is_over(stepped)
    assert not settling.is_over(stepped.plus(59 * SECOND))
    assert settling.is_over(stepped.plus(MINUTE))
