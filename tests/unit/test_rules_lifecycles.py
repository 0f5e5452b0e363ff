"""The two transition tables and the order's clock."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from duty_room import NOON

from gateway.clock import ManualClock
from gateway.model.moment import HOUR, MINUTE, SECOND, Instant
from rules.alarms import lifecycle as alarms
from rules.alarms.lifecycle import AlarmEvent, AlarmState
from rules.lifecycle import IllegalTransitionError
from rules.orders import clock as order_clock
from rules.orders import lifecycle as orders
from rules.orders.clock import ClockState
from rules.orders.lifecycle import OrderEvent, OrderState


@pytest.mark.parametrize("state", AlarmState)
@pytest.mark.parametrize("event", AlarmEvent)
def test_an_alarm_steps_by_its_table_or_not_at_all(state: AlarmState, event: AlarmEvent) -> None:
    expected = {
        ("normal", "raise"): "unacknowledged",
        ("unacknowledged", "acknowledge"): "acknowledged",
        ("unacknowledged", "clear"): "returned_unacknowledged",
        ("unacknowledged", "withdraw"): "returned_unacknowledged",
        ("acknowledged", "clear"): "closed",
        ("acknowledged", "withdraw"): "closed",
        ("returned_unacknowledged", "acknowledge"): "closed",
    }.get((state.value, event.value))
    if expected is not None:
        assert alarms.step(state, event, alarm="a") == expected
        return
    with pytest.raises(IllegalTransitionError, match=f"a is {state}: {event}"):
        alarms.step(state, event, alarm="a")


def test_every_state_of_an_order_but_the_first_can_be_reached_and_only_one_is_the_end() -> None:
    reached, frontier = {OrderState.NEW}, [OrderState.NEW]
    while frontier:
        here = frontier.pop()
        for (state, _), after in orders.TRANSITIONS.items():
            if state is here and after not in reached:
                reached.add(after)
                frontier.append(after)
    assert reached == set(OrderState)
    assert set(OrderState) - {state for state, _ in orders.TRANSITIONS} == {OrderState.CLOSED}


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (OrderState.OPEN, OrderEvent.COMPLETE),
        (OrderState.ACCEPTED, OrderEvent.ACCEPT),
        (OrderState.COMPLETED, OrderEvent.BREACH),
        (OrderState.COMPLETED, OrderEvent.JOIN),
        (OrderState.CLOSED, OrderEvent.RELAPSE),
    ],
)
def test_what_an_order_does_not_allow(state: OrderState, event: OrderEvent) -> None:
    with pytest.raises(IllegalTransitionError):
        orders.step(state, event, order="o")


def reading(due_in: int, *, completed_after: int | None = None) -> order_clock.Clock:
    now = ManualClock(NOON).now()
    completed = None if completed_after is None else now.plus(completed_after)
    return order_clock.clock(
        limit=2 * HOUR, due=now.plus(due_in), completed=completed, now=now.plus(0)
    )


def test_the_clock_runs_breaches_and_stops() -> None:
    assert (reading(1).state, reading(1).remaining) == (ClockState.RUNNING, 1)
    assert reading(0).state is ClockState.BREACHED
    assert reading(-SECOND).remaining == -SECOND
    in_time = reading(10 * SECOND, completed_after=10 * SECOND)
    assert (in_time.state, in_time.remaining) == (ClockState.STOPPED, 0)
    late = reading(10 * SECOND, completed_after=11 * SECOND)
    assert (late.state, late.remaining) == (ClockState.BREACHED, -SECOND)


def test_the_clock_says_how_it_stands() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    text = order_clock.explain(reading(90 * SECOND), zone)
    assert text.zh == "限时 2 小时 0 分，应于 2026-11-21 12:01:30 前完工；还剩 1 分 30 秒"
    assert text.en == "2 h 0 min allowed, due 2026-11-21 12:01:30; 1 min 30 s left"
    assert order_clock.explain(reading(-5 * SECOND), zone).zh.endswith("超时 5 秒")


def test_an_instant_of_another_machine_is_laid_on_this_ones_clock() -> None:
    far = Instant(wall=NOON, mono=999 * HOUR, boot="gateway")
    here = Instant(wall=NOON + MINUTE, mono=5 * MINUTE, boot="rules")
    due = order_clock.due_of(far, HOUR, here)
    assert due == Instant(wall=NOON + HOUR, mono=4 * MINUTE + HOUR, boot="rules")
    assert order_clock.due_of(here, HOUR, here) == here.plus(HOUR)
