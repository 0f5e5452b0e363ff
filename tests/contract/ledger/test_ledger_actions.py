"""What a person may do: once, by the table, whoever asks how often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from duty_room import SITE, TEMPERATURE, Gateway, person, rulebook, site

from rules import actions
from rules.alarms.lifecycle import AlarmState
from rules.ledger.idempotency import KeyReusedError
from rules.ledger.store import Ledger
from rules.lifecycle import IllegalTransitionError
from rules.orders.lifecycle import OrderState
from rules.refusals import NotFoundError
from rules.worker import Worker

ALARM = "pump-1.hot.20261121T040001-000000Z"
ORDER = "pump-1.hot.20261121T040001-000000Z.order"


@pytest.fixture
def gateway(ledger: Ledger) -> Gateway:
    """A duty room in which pump 1 is hot."""
    gateway = Gateway()
    worker = Worker(site=site(), rulebook=rulebook(), ledger=ledger)
    worker.take(gateway.poll(11, {TEMPERATURE: 80}))
    worker.commit(gateway.now)
    gateway.clock.advance(60)
    return gateway


def test_acknowledging_leaves_who_when_and_why(ledger: Ledger, gateway: Gateway) -> None:
    alarm = actions.acknowledge_alarm(
        ledger, SITE, ALARM, actor=person("li"), note="on my way", now=gateway.now
    )
    assert alarm.state is AlarmState.ACKNOWLEDGED
    assert (alarm.acknowledged_by, alarm.acknowledged_at) == ("li", gateway.now.wall)
    assert alarm.note == "on my way"
    with ledger.read(SITE) as view:
        assert view.alarm(ALARM) == alarm
        event = view.alarm_events(ALARM)[-1]
        assert (event.event, event.from_state, event.to_state) == (
            "acknowledge",
            "unacknowledged",
            "acknowledged",
        )
        assert (event.by, event.why) == ("li", "on my way")
        assert view.changes_after(2, 10)[0].subject == ALARM


def test_what_is_not_there_and_what_is_not_possible(ledger: Ledger, gateway: Gateway) -> None:
    now = gateway.now
    with pytest.raises(NotFoundError):
        actions.acknowledge_alarm(ledger, SITE, "no.such", actor=person("li"), now=now)
    with pytest.raises(NotFoundError):
        actions.acknowledge_alarm(ledger, "other", ALARM, actor=person("li"), now=now)
    with pytest.raises(NotFoundError):
        actions.accept_order(ledger, SITE, "no.such", actor=person("li"), now=now)
    with pytest.raises(IllegalTransitionError, match="is open: complete"):
        actions.complete_order(ledger, SITE, ORDER, actor=person("li"), note="x", now=now)
    actions.acknowledge_alarm(ledger, SITE, ALARM, actor=person("li"), now=now)
    with pytest.raises(IllegalTransitionError, match="is acknowledged"):
        actions.acknowledge_alarm(ledger, SITE, ALARM, actor=person("wang"), now=now)
    with ledger.read(SITE) as view:
        assert view.last_change_id() == 3


def test_an_order_is_accepted_and_completed(ledger: Ledger, gateway: Gateway) -> None:
    accepted = actions.accept_order(ledger, SITE, ORDER, actor=person("li"), now=gateway.now)
    assert (accepted.state, accepted.accepted_by) == (OrderState.ACCEPTED, "li")
    done = gateway.clock.advance(600)
    completed = actions.complete_order(
        ledger, SITE, ORDER, actor=person("li"), note="new fan", now=done
    )
    assert (completed.state, completed.completed_by) == (OrderState.COMPLETED, "li")
    assert (completed.completed, completed.note) == (done, "new fan")


def test_the_same_key_again_does_nothing(ledger: Ledger, gateway: Gateway) -> None:
    def acknowledge() -> AlarmState:
        return actions.acknowledge_alarm(
            ledger, SITE, ALARM, actor=person("li"), now=gateway.now, idempotency_key="k"
        ).state

    assert acknowledge() is AlarmState.ACKNOWLEDGED
    assert acknowledge() is AlarmState.ACKNOWLEDGED
    with ledger.read(SITE) as view:
        assert view.last_change_id() == 3
    with pytest.raises(KeyReusedError):
        actions.accept_order(
            ledger, SITE, ORDER, actor=person("li"), now=gateway.now, idempotency_key="k"
        )
    accepted = actions.accept_order(
        ledger, SITE, ORDER, actor=person("wang"), now=gateway.now, idempotency_key="k"
    )
    assert accepted.state is OrderState.ACCEPTED, "keys of two people do not meet"


def test_a_key_of_something_that_failed_is_free(ledger: Ledger, gateway: Gateway) -> None:
    with pytest.raises(IllegalTransitionError):
        actions.complete_order(
            ledger, SITE, ORDER, actor=person("li"), note="x", now=gateway.now, idempotency_key="k"
        )
    actions.accept_order(ledger, SITE, ORDER, actor=person("li"), now=gateway.now)
    completed = actions.complete_order(
        ledger, SITE, ORDER, actor=person("li"), note="x", now=gateway.now, idempotency_key="k"
    )
    assert completed.state is OrderState.COMPLETED


def test_of_fifty_who_accept_at_once_one_does(ledger: Ledger, gateway: Gateway) -> None:
    def accept(number: int) -> bool:
        try:
            actions.accept_order(ledger, SITE, ORDER, actor=person(f"u{number}"), now=gateway.now)
        except IllegalTransitionError:
            return False
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(accept, range(50))) == 1
    with ledger.read(SITE) as view:
        assert [event.event for event in view.order_events(ORDER)] == ["create", "accept"]


def test_lists_are_paged_newest_first(ledger: Ledger, gateway: Gateway) -> None:
    worker = Worker(site=site(), rulebook=rulebook(), ledger=ledger)
    worker.load()
    for number in range(4):
        worker.take(gateway.poll(1, {"pump-2.fault": 1 - number % 2}))
    worker.commit(gateway.now)
    with ledger.read(SITE) as view:
        whole = view.alarms()
        assert len(whole) == 3
        assert whole == sorted(whole, key=lambda alarm: alarm.raised_at, reverse=True)
        first = view.alarms(limit=1)
        rest = view.alarms(limit=9, before=(first[0].raised_at, first[0].id))
        assert first + rest == whole
        returned = view.alarms(states=[AlarmState.RETURNED_UNACKNOWLEDGED])
        assert [alarm.state for alarm in returned] == ["returned_unacknowledged"] * 2
        assert [order.number for order in view.orders(limit=1)] == [2]
        assert [order.number for order in view.orders(before=2)] == [1]
        assert view.orders(states=["closed"]) == []
        assert view.alarm("no.such") is None
        assert view.order("no.such") is None
