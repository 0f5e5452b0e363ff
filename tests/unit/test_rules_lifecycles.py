"""The two transition tables."""

from __future__ import annotations

import pytest

from rules.alarms import lifecycle as alarms
from rules.alarms.lifecycle import AlarmEvent, AlarmState
from rules.lifecycle import IllegalTransitionError
from rules.orders import lifecycle as orders
from rules.orders.lifecycle import OrderEvent, OrderState

_QUIET = (AlarmState.SHELVED, AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE)


def test_nothing_leads_back_to_normal_and_only_closed_is_the_end() -> None:
    assert AlarmState.NORMAL not in alarms.TRANSITIONS.values()
    ends = set(AlarmState) - {state for state, _ in alarms.TRANSITIONS}
    assert ends == {AlarmState.CLOSED}
    assert set(alarms.TRANSITIONS.values()) == set(AlarmState) - {AlarmState.NORMAL}


@pytest.mark.parametrize("state", alarms.PRESENT)
def test_every_alarm_that_is_there_can_return_and_be_withdrawn(state: AlarmState) -> None:
    for event in (AlarmEvent.CLEAR, AlarmEvent.WITHDRAW):
        assert not alarms.step(state, event, alarm="a").present


@pytest.mark.parametrize("state", _QUIET)
def test_what_calls_nobody_calls_again_or_is_seen_when_that_is_over(state: AlarmState) -> None:
    ways = {e: to for (one, e), to in alarms.TRANSITIONS.items() if one is state}
    left = {to for e, to in ways.items() if e not in (AlarmEvent.CLEAR, AlarmEvent.WITHDRAW)}
    assert left <= {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED}
    assert AlarmState.UNACKNOWLEDGED in left


def test_nothing_but_an_acknowledgement_or_a_reset_ends_what_somebody_was_called_for() -> None:
    over = {
        (state, event)
        for (state, event), to in alarms.TRANSITIONS.items()
        if to is AlarmState.CLOSED and state not in _QUIET
    }
    assert over == {
        (AlarmState.ACKNOWLEDGED, AlarmEvent.CLEAR),
        (AlarmState.ACKNOWLEDGED, AlarmEvent.WITHDRAW),
        (AlarmState.RETURNED_UNACKNOWLEDGED, AlarmEvent.ACKNOWLEDGE),
        (AlarmState.LATCHED, AlarmEvent.RESET),
        (AlarmState.LATCHED, AlarmEvent.WITHDRAW),
    }


@pytest.mark.parametrize("event", [AlarmEvent.ACKNOWLEDGE, AlarmEvent.EXPIRE, AlarmEvent.RESET])
def test_what_a_state_does_not_allow_is_refused(event: AlarmEvent) -> None:
    with pytest.raises(IllegalTransitionError, match=f"a is shelved: {event}"):
        alarms.step(AlarmState.SHELVED, event, alarm="a")


def test_every_state_of_an_order_but_the_first_can_be_reached_and_two_are_the_end() -> None:
    reached, frontier = {OrderState.NEW}, [OrderState.NEW]
    while frontier:
        here = frontier.pop()
        for (state, _), after in orders.TRANSITIONS.items():
            if state is here and after not in reached:
                reached.add(after)
                frontier.append(after)
    assert reached == set(OrderState)
    assert set(OrderState) - {state for state, _ in orders.TRANSITIONS} == set(orders.OVER)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        (OrderState.OPEN, OrderEvent.COMPLETE),
        (OrderState.OPEN, OrderEvent.DECLINE),
        (OrderState.ASSIGNED, OrderEvent.START),
        (OrderState.ACCEPTED, OrderEvent.ACCEPT),
        (OrderState.SUSPENDED, OrderEvent.COMPLETE),
        (OrderState.COMPLETED, OrderEvent.CLOSE),
        (OrderState.COMPLETED, OrderEvent.VOID),
        (OrderState.VERIFIED, OrderEvent.VERIFY),
        (OrderState.VOID, OrderEvent.RELAPSE),
        (OrderState.COMPLETED, OrderEvent.BREACH),
        (OrderState.COMPLETED, OrderEvent.JOIN),
        (OrderState.CLOSED, OrderEvent.RELAPSE),
    ],
)
def test_what_an_order_does_not_allow(state: OrderState, event: OrderEvent) -> None:
    with pytest.raises(IllegalTransitionError):
        orders.step(state, event, order="o")
