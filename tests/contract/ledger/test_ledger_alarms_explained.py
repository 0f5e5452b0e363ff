"""One line for one cause: what explains what, and what comes up when it no longer does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from alarm_room import LINK_LOST, LOST, RULES, STOPPED, Room, person, take_out

from gateway.model.events import GatewayEventKind
from rules.actions import orders as order_actions
from rules.actions.act import Act
from rules.alarms.lifecycle import AlarmState
from rules.ledger.store import Ledger
from rules.orders.lifecycle import OrderState

UNACKNOWLEDGED, ACKNOWLEDGED = AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED
SUPPRESSED, CLOSED = AlarmState.SUPPRESSED, AlarmState.CLOSED
BOTH_STOP = {"pump-1.stopped": 1.0, "pump-2.stopped": 1.0}
BOTH_RUN = {"pump-1.stopped": 0.0, "pump-2.stopped": 0.0}


@pytest.fixture
def room(ledger: Ledger) -> Room:
    return Room(ledger)


def test_a_lost_feeder_is_one_alarm_that_lists_what_it_explains(room: Room) -> None:
    room.say({"feeder-1.lost": 1.0})
    room.say({**BOTH_STOP, "panel-1.lost": 1.0})
    cause = room.one("feeder-1", "supply-lost")
    effects = [alarm for alarm in room.alarms if alarm.state is SUPPRESSED]
    assert {alarm.equipment for alarm in effects} == {"panel-1", "pump-1", "pump-2"}
    assert {alarm.explained_by.id for alarm in effects if alarm.explained_by} == {cause.id}
    assert (cause.state, cause.explains, cause.first_out) == (UNACKNOWLEDGED, 3, True)
    assert not any(alarm.first_out for alarm in effects)
    assert room.notices() == ["feeder-1"]
    assert [order.equipment for order in room.orders] == ["feeder-1"]


def test_effects_that_came_first_are_explained_afterwards_and_the_first_is_marked(
    room: Room,
) -> None:
    room.say({"pump-2.stopped": 1.0})
    room.say({"pump-1.stopped": 1.0})
    assert len(room.orders) == 2
    room.say({"feeder-1.lost": 1.0}, after=58)
    cause = room.one("feeder-1", "supply-lost")
    first = room.one("pump-2", "pump-stopped")
    assert (first.state, first.first_out) == (SUPPRESSED, True)
    assert not cause.first_out
    assert not room.one("pump-1", "pump-stopped").first_out
    assert {order.equipment: order.state for order in room.orders} == {
        "pump-1": OrderState.VOID,
        "pump-2": OrderState.VOID,
        "feeder-1": OrderState.OPEN,
    }


def test_what_was_there_long_before_or_is_acknowledged_is_no_effect(room: Room) -> None:
    room.say({"pump-1.stopped": 1.0})
    room.say({"pump-2.stopped": 1.0}, after=60)
    room.acknowledge(room.one("pump-2", "pump-stopped"))
    room.say({"feeder-1.lost": 1.0})
    assert room.states() == {
        "pump-1 pump-stopped": UNACKNOWLEDGED,
        "pump-2 pump-stopped": ACKNOWLEDGED,
        "feeder-1 supply-lost": UNACKNOWLEDGED,
    }


def test_an_order_that_somebody_has_taken_goes_on(room: Room) -> None:
    room.say({"pump-1.stopped": 1.0})
    (order,) = room.orders
    order_actions.accept(Act(room.ledger, room.site.id, order.id, person("li"), room.gateway.now))
    room.say({"feeder-1.lost": 1.0})
    assert room.one("pump-1", "pump-stopped").state is SUPPRESSED
    assert room.orders[0].state is OrderState.ACCEPTED


def test_what_ends_with_its_cause_never_comes_up(room: Room) -> None:
    room.say({"feeder-1.lost": 1.0, **BOTH_STOP})
    room.say({"feeder-1.lost": 0.0})
    room.say(BOTH_RUN, after=9)
    room.wait(60)
    assert room.states() == {
        "feeder-1 supply-lost": AlarmState.RETURNED_UNACKNOWLEDGED,
        "pump-1 pump-stopped": CLOSED,
        "pump-2 pump-stopped": CLOSED,
    }
    assert room.notices() == ["feeder-1"]


def test_what_stays_after_its_cause_comes_up_with_an_order(room: Room) -> None:
    room.say({"feeder-1.lost": 1.0, **BOTH_STOP})
    room.say({"feeder-1.lost": 0.0, "pump-1.stopped": 0.0})
    assert room.one("pump-2", "pump-stopped").state is SUPPRESSED, "it has a moment"
    room.wait(10)
    alarm = room.one("pump-2", "pump-stopped")
    assert (alarm.state, alarm.explained_by) != (SUPPRESSED, None)
    assert alarm.state is UNACKNOWLEDGED
    assert room.notices() == ["feeder-1", "pump-2"]
    assert [order.equipment for order in room.orders] == ["feeder-1", "pump-2"]
    assert room.steps(alarm) == ["suppress", "release"]


def test_what_was_called_for_and_explained_gets_a_new_order_when_it_stays(room: Room) -> None:
    room.say({"pump-1.stopped": 1.0})
    room.say({"feeder-1.lost": 1.0})
    room.say({"feeder-1.lost": 0.0})
    room.wait(10)
    states = [order.state for order in room.orders if order.equipment == "pump-1"]
    assert states == [OrderState.VOID, OrderState.OPEN]
    assert room.notices() == ["pump-1", "feeder-1", "pump-1"]


def test_a_cause_that_flickers_lets_nothing_up(room: Room) -> None:
    room.say({"feeder-1.lost": 1.0, **BOTH_STOP})
    for _ in range(5):
        room.say({"feeder-1.lost": 0.0})
        room.say({"feeder-1.lost": 1.0}, after=4)
    room.wait(60)
    assert room.notices() == ["feeder-1"]
    assert room.one("feeder-1", "supply-lost").explains == 2


def test_the_nearer_cause_takes_over_where_it_stays(room: Room) -> None:
    room.say({"feeder-1.lost": 1.0, "panel-1.lost": 1.0, **BOTH_STOP})
    room.say({"feeder-1.lost": 0.0})
    room.wait(10)
    room.wait(1)
    panel = room.one("panel-1", "supply-lost")
    assert (panel.state, panel.explains) == (UNACKNOWLEDGED, 2)
    assert room.notices() == ["feeder-1", "panel-1"]


def test_what_is_read_through_a_dead_device_is_explained_by_it(room: Room) -> None:
    room.say({"collector-1.silent": 1.0})
    room.say(BOTH_STOP)
    room.acknowledge(room.one("collector-1", "collector-silent"))
    assert room.one("collector-1", "collector-silent").explains == 2
    assert room.states()["pump-1 pump-stopped"] is SUPPRESSED, "seen is not the same as seen this"


def test_acknowledging_the_link_never_acknowledges_the_alarm_behind_it(room: Room) -> None:
    room.say({"pump-1.leak": 1.0})
    room.say({"collector-1.silent": 1.0})
    room.acknowledge(room.one("collector-1", "collector-silent"))
    assert room.states() == {
        "pump-1 leak": UNACKNOWLEDGED,
        "collector-1 collector-silent": ACKNOWLEDGED,
    }
    room.say({"collector-1.silent": 0.0})
    assert room.states()["pump-1 leak"] is UNACKNOWLEDGED


def test_fire_is_explained_by_nothing(room: Room) -> None:
    room.say({"fire-1.fire": 1.0})
    room.say({"feeder-1.lost": 1.0})
    assert room.one("fire-1", "fire-alarm").state is UNACKNOWLEDGED
    room.say({"fire-1.fire": 0.0})
    room.acknowledge(room.one("fire-1", "fire-alarm"))
    room.say({"fire-1.fire": 1.0})
    assert [a.state for a in room.alarms if a.equipment == "fire-1"] == [CLOSED, UNACKNOWLEDGED]
    assert room.notices() == ["fire-1", "feeder-1", "fire-1"]


def test_the_higher_level_stands_for_the_lower_one(room: Room) -> None:
    room.say({"pump-1.high": 1.0})
    room.say({"pump-1.high_high": 1.0}, after=3600)
    assert room.states() == {
        "pump-1 level-high": SUPPRESSED,
        "pump-1 level-high-high": UNACKNOWLEDGED,
    }
    room.say({"pump-1.high_high": 0.0})
    room.wait(10)
    assert room.one("pump-1", "level-high").state is UNACKNOWLEDGED


def test_a_cause_that_nobody_sees_hides_nothing(room: Room) -> None:
    room.say({"feeder-1.lost": 1.0, "pump-1.stopped": 1.0})
    room.shelve(room.one("feeder-1", "supply-lost"))
    room.wait(1)
    assert room.one("pump-1", "pump-stopped").state is UNACKNOWLEDGED
    room.say({"pump-2.stopped": 1.0})
    assert room.one("pump-2", "pump-stopped").state is UNACKNOWLEDGED
    room.wait(3600)
    assert room.one("feeder-1", "supply-lost").state is UNACKNOWLEDGED


def test_a_cause_out_of_service_hides_nothing_either(room: Room) -> None:
    room.say({"feeder-1.lost": 1.0, "pump-1.stopped": 1.0})
    take_out(room, "feeder-1")
    room.wait(1)
    assert room.one("pump-1", "pump-stopped").state is UNACKNOWLEDGED


def test_a_cause_that_is_withdrawn_lets_its_effects_up(room: Room) -> None:
    room.say({"feeder-1.lost": 1.0, "pump-1.stopped": 1.0})
    room.start(STOPPED)
    room.wait(10)
    assert room.states() == {
        "feeder-1 supply-lost": AlarmState.RETURNED_UNACKNOWLEDGED,
        "pump-1 pump-stopped": UNACKNOWLEDGED,
    }


def test_an_alarm_that_no_rule_calls_an_effect_any_more_comes_up(room: Room) -> None:
    room.say({"feeder-1.lost": 1.0, "pump-1.stopped": 1.0})
    others = tuple(rule for rule in RULES if rule.id != STOPPED.id)
    room.start(*others, replace(STOPPED, explained_by=frozenset()))
    room.wait(10)
    assert room.one("pump-1", "pump-stopped").state is UNACKNOWLEDGED


def test_an_acknowledged_effect_whose_acknowledgement_expires_is_explained_then(
    room: Room,
) -> None:
    room.say({"pump-1.stopped": 1.0})
    room.acknowledge(room.one("pump-1", "pump-stopped"))
    room.say({"feeder-1.lost": 1.0})
    room.wait(3600)
    alarm = room.one("pump-1", "pump-stopped")
    assert (alarm.state, room.notices()) == (SUPPRESSED, ["pump-1", "feeder-1"])


def test_causes_are_told_of_to_who_looks(room: Room) -> None:
    room.say({"feeder-1.lost": 1.0})
    with room.ledger.read(room.site.id) as view:
        before = view.last_change_id()
    room.say(BOTH_STOP)
    cause = room.one("feeder-1", "supply-lost")
    with room.ledger.read(room.site.id) as view:
        told = [change.subject for change in view.changes_after(before, 99)]
    assert told.count(cause.id) == 1


def test_a_flood_of_effects_has_one_cause_and_one_order(room: Room) -> None:
    room.say({"pump-1.stopped": 1.0, "pump-1.high": 1.0})
    room.say({"feeder-1.lost": 1.0, "pump-2.stopped": 1.0})
    assert room.one("pump-1", "level-high").state is UNACKNOWLEDGED, "that is no effect"
    assert sorted(room.notices()) == ["feeder-1", "pump-1", "pump-1"]
    assert LOST.id in {alarm.rule for alarm in room.alarms if alarm.explains == 2}


def test_a_lost_link_explains_what_is_read_over_it_and_is_acknowledged_alone(
    ledger: Ledger,
) -> None:
    room = Room(ledger, rules=(*RULES, LINK_LOST))
    room.say({"pump-1.leak": 1.0})
    room.event(GatewayEventKind.LINK_DOWN, "lan")
    room.say({})
    link = room.one("link.lan", "link-lost")
    room.say({"pump-2.stopped": 1.0})
    assert room.one("pump-2", "pump-stopped").explained_by is not None
    room.acknowledge(link)
    assert room.states()["pump-1 leak"] is UNACKNOWLEDGED
    room.event(GatewayEventKind.LINK_UP, "lan")
    assert room.states()["link.lan link-lost"] is CLOSED


def test_a_link_that_dies_during_a_fire_leaves_the_fire(ledger: Ledger) -> None:
    room = Room(ledger, rules=(*RULES, LINK_LOST))
    room.say({"fire-1.fire": 1.0})
    room.event(GatewayEventKind.LINK_DOWN, "lan")
    room.wait(60)
    assert room.one("fire-1", "fire-alarm").state is UNACKNOWLEDGED
    assert room.one("link.lan", "link-lost").state is UNACKNOWLEDGED
