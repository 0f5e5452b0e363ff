"""What a person may do: once, by the table, whoever asks how often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from duty_room import SITE, TEMPERATURE, Gateway, person, rulebook, site

from rules.actions import alarms as alarm_actions
from rules.actions import orders as order_actions
from rules.actions.act import Act
from rules.alarms.lifecycle import AlarmState
from rules.ledger.idempotency import KeyReusedError
from rules.ledger.order_steps import Work
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
    alarm = alarm_actions.acknowledge(
        Act(ledger, SITE, ALARM, person("li"), gateway.now), note="on my way"
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
        alarm_actions.acknowledge(Act(ledger, SITE, "no.such", person("li"), now))
    with pytest.raises(NotFoundError):
        alarm_actions.acknowledge(Act(ledger, "other", ALARM, person("li"), now))
    with pytest.raises(NotFoundError):
        order_actions.accept(Act(ledger, SITE, "no.such", person("li"), now))
    with pytest.raises(IllegalTransitionError, match="is open: complete"):
        order_actions.complete(Act(ledger, SITE, ORDER, person("li"), now), Work(note="x"))
    alarm_actions.acknowledge(Act(ledger, SITE, ALARM, person("li"), now))
    with pytest.raises(IllegalTransitionError, match="is acknowledged"):
        alarm_actions.acknowledge(Act(ledger, SITE, ALARM, person("wang"), now))
    with ledger.read(SITE) as view:
        assert view.last_change_id() == 3


def test_an_order_is_accepted_and_completed(ledger: Ledger, gateway: Gateway) -> None:
    accepted = order_actions.accept(Act(ledger, SITE, ORDER, person("li"), gateway.now))
    assert (accepted.state, accepted.accepted_by) == (OrderState.ACCEPTED, "li")
    done = gateway.clock.advance(600)
    completed = order_actions.complete(
        Act(ledger, SITE, ORDER, person("li"), done), Work(note="new fan")
    )
    assert (completed.state, completed.completed_by) == (OrderState.COMPLETED, "li")
    assert (completed.completed, completed.note) == (done, "new fan")


def test_the_same_key_again_does_nothing(ledger: Ledger, gateway: Gateway) -> None:
    def acknowledge() -> AlarmState:
        return alarm_actions.acknowledge(
            Act(ledger, SITE, ALARM, person("li"), gateway.now, "k")
        ).state

    assert acknowledge() is AlarmState.ACKNOWLEDGED
    assert acknowledge() is AlarmState.ACKNOWLEDGED
    with ledger.read(SITE) as view:
        assert view.last_change_id() == 3
    with pytest.raises(KeyReusedError):
        order_actions.accept(Act(ledger, SITE, ORDER, person("li"), gateway.now, "k"))
    accepted = order_actions.accept(Act(ledger, SITE, ORDER, person("wang"), gateway.now, "k"))
    assert accepted.state is OrderState.ACCEPTED, "keys of two people do not meet"


def test_a_key_of_something_that_failed_is_free(ledger: Ledger, gateway: Gateway) -> None:
    with pytest.raises(IllegalTransitionError):
        order_actions.complete(
            Act(ledger, SITE, ORDER, person("li"), gateway.now, "k"), Work(note="x")
        )
    order_actions.accept(Act(ledger, SITE, ORDER, person("li"), gateway.now))
    completed = order_actions.complete(
        Act(ledger, SITE, ORDER, person("li"), gateway.now, "k"), Work(note="x")
    )
    assert completed.state is OrderState.COMPLETED


def test_of_fifty_who_accept_at_once_one_does(ledger: Ledger, gateway: Gateway) -> None:
    def accept(number: int) -> bool:
        try:
            order_actions.accept(Act(ledger, SITE, ORDER, person(f"u{number}"), gateway.now))
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
    for thing in ("pump-1", "pump-2"):
        worker.take(gateway.poll(1, {f"{thing}.fault": 1}))
        worker.take(gateway.poll(1, {f"{thing}.fault": 0}))
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
