"""Exactly once: whatever is killed, replayed, doubled or stepped, one alarm and one order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from duty_room import DARK, FAULT, HOT, NOON, SITE, TEMPERATURE, Gateway, person, rulebook, site
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError

from gateway.model.channels import plain_webhook
from gateway.model.events import Record
from gateway.model.moment import HOUR, MINUTE, SECOND, Instant, stamp
from rules import metrics
from rules.actions import alarms as alarm_actions
from rules.actions import order_ends
from rules.actions import orders as order_actions
from rules.actions.act import Act
from rules.alarms.lifecycle import AlarmState
from rules.ledger import alarms as alarm_rows
from rules.ledger import orders as order_rows
from rules.ledger import tables
from rules.ledger.order_steps import Work
from rules.ledger.rows import Alarm, WorkOrder
from rules.ledger.store import Entry, Ledger, open_ledger
from rules.ledger.view import View
from rules.orders.lifecycle import OrderState
from rules.refusals import NotValidError
from rules.rule import Rule
from rules.worker import CursorMovedError, Worker

HOOK = "http://127.0.0.1:9/hook"


def worker(ledger: Ledger, *rules: Rule) -> Worker:
    made = Worker(site=site(webhooks=(HOOK,)), rulebook=rulebook(*rules), ledger=ledger)
    made.load()
    return made


def alarms(ledger: Ledger) -> list[Alarm]:
    with ledger.read(SITE) as view:
        return view.alarms()


def orders(ledger: Ledger) -> list[WorkOrder]:
    with ledger.read(SITE) as view:
        return view.orders()


def everything(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table, to show that something changed nothing."""
    with ledger.reading() as connection:
        return {
            table.name: [
                tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key))
            ]
            for table in tables.metadata.sorted_tables
        }


class PowerCutError(BaseException):
    """Stands for kill -9: nothing of ours catches it."""


@contextmanager
def power_cut(monkeypatch: pytest.MonkeyPatch, *, committed: bool) -> Iterator[None]:
    """The next commit is the last thing that happens, or the last that does not happen."""

    def die(_name: str) -> None:
        raise PowerCutError

    point = "after-commit" if committed else "before-commit"
    with monkeypatch.context() as patch:
        patch.setattr("rules.worker.failpoint.reach", lambda name: name == point and die(name))
        with pytest.raises(PowerCutError):
            yield


def test_alarm_order_timer_and_message_come_in_one_transaction(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    assert alarms(ledger) == [], "nothing before the commit"
    subject.commit(gateway.now)
    (alarm,), (order,) = alarms(ledger), orders(ledger)
    first = stamp(NOON + SECOND)
    assert alarm.id == f"pump-1.hot.{first}"
    assert (alarm.state, alarm.value, alarm.limit) == (AlarmState.UNACKNOWLEDGED, 80, 75)
    assert (alarm.unit, alarm.area, alarm.point) == ("℃", "b1", TEMPERATURE)
    assert alarm.first_reading_at == NOON + SECOND
    assert alarm.raised_at == NOON + 11 * SECOND
    assert order.id == f"{alarm.id}.order"
    assert (order.number, order.state, order.alarms) == (1, OrderState.OPEN, (alarm.id,))
    assert order.due == gateway.now.plus(2 * HOUR)
    assert alarm.order is not None
    assert (alarm.order.id, alarm.order.number) == (order.id, 1)
    rows = everything(ledger)
    assert [row[1:3] for row in rows["timer"]] == [("breach", f"{order.id} complete")]
    channel = plain_webhook(HOOK).id
    begun = stamp(alarm.raised_at)
    assert [row[1:3] for row in rows["outbox"]] == [
        (f"alarm_raised.{alarm.id}", channel),
        (f"nobody_there.{order.id}.respond.0.{begun}", channel),
    ]
    with ledger.read(SITE) as view:
        assert [(change.kind, change.subject) for change in view.changes_after(0, 9)] == [
            ("alarm", alarm.id),
            ("order", order.id),
        ]
        assert [event.to_state for event in view.alarm_events(alarm.id)] == ["unacknowledged"]
        assert [event.event for event in view.order_events(order.id)] == ["create"]
    assert subject.cursor == ("e1", 11)


def test_a_replayed_record_changes_nothing(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.take(gateway.poll(25, {TEMPERATURE: 60}))
    subject.commit(gateway.now)
    before = everything(ledger)
    subject.take(gateway.said)
    subject.take(gateway.said[3:7])
    assert not subject.has_changes
    subject.commit(gateway.now)
    assert everything(ledger) == before


@pytest.mark.parametrize("committed", [False, True], ids=["before commit", "after commit"])
@pytest.mark.parametrize("every", [1, 4, 100])
def test_killed_at_any_commit_and_replayed_leaves_one_alarm_and_one_order(
    place: str, monkeypatch: pytest.MonkeyPatch, committed: bool, every: int
) -> None:
    gateway = Gateway()
    gateway.poll(12, {TEMPERATURE: 80})
    gateway.poll(22, {TEMPERATURE: 60})
    gateway.poll(12, {TEMPERATURE: 80})
    undisturbed = open_ledger(place)
    steady = worker(undisturbed)
    chunks = [gateway.said[at : at + every] for at in range(0, len(gateway.said), every)]
    kills = 0
    for chunk in chunks:
        steady.take(chunk)
        if not steady.has_changes:
            steady.commit(gateway.now)
            continue
        with power_cut(monkeypatch, committed=committed):
            steady.commit(gateway.now)
        kills += 1
        undisturbed.close()
        undisturbed = open_ledger(place)
        steady = worker(undisturbed)
        epoch_and_seq = steady.cursor or ("e1", 0)
        steady.take(gateway.said[epoch_and_seq[1] : chunk[-1].envelope.seq])
        steady.commit(gateway.now)
    assert kills == {1: 3, 4: 3, 100: 1}[every]
    (alarm,) = alarms(undisturbed)
    assert (alarm.state, alarm.count) == (AlarmState.UNACKNOWLEDGED, 2)
    (order,) = orders(undisturbed)
    assert order.alarms == (alarm.id,)
    assert len(everything(undisturbed)["outbox"]) == 2, "the alarm, and nobody there to see to it"
    undisturbed.close()


def test_an_answer_lost_on_the_way_back_is_no_second_commit(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database committed, and the connection broke before it could say so."""
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    with power_cut(monkeypatch, committed=True):
        subject.commit(gateway.now)
    before = everything(ledger)
    subject.commit(gateway.now)
    assert everything(ledger) == before
    assert subject.cursor == ("e1", 11)


def test_a_ledger_that_cannot_commit_stops_no_evaluation(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, subject = Gateway(), worker(ledger)

    def fail(_entry: Entry) -> None:
        raise OperationalError("COMMIT", {}, Exception("disk I/O error"))

    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    with monkeypatch.context() as patch:
        patch.setattr("rules.alarm_calls.orders.answer", lambda entry, *_, **__: fail(entry))
        for _ in range(3):
            with pytest.raises(OperationalError):
                subject.commit(gateway.now)
            subject.take(gateway.poll(11, {"pump-2.motor_temperature": 80}))
    assert alarms(ledger) == []
    provisional = subject.provisional()
    assert [alarm.equipment for alarm in provisional] == ["pump-1", "pump-2"]
    subject.commit(gateway.now)
    assert {alarm.id for alarm in alarms(ledger)} == {alarm.id for alarm in provisional}
    assert subject.provisional() == []
    assert len(orders(ledger)) == 2


def test_evaluation_goes_on_while_a_commit_is_under_way(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    batch = subject.batch(gateway.now)
    subject.take(gateway.poll(11, {"pump-2.motor_temperature": 80}))
    subject.write(batch)
    subject.settle(batch)
    assert [alarm.equipment for alarm in alarms(ledger)] == ["pump-1"]
    assert subject.cursor == ("e1", 11)
    subject.commit(gateway.now)
    assert [alarm.equipment for alarm in alarms(ledger)] == ["pump-2", "pump-1"]


def test_of_two_workers_one_commits_and_the_other_goes_on_from_there(ledger: Ledger) -> None:
    gateway = Gateway()
    one, two = worker(ledger), worker(ledger)
    records = gateway.poll(11, {TEMPERATURE: 80})
    one.take(records)
    two.take(records[:5])
    one.commit(gateway.now)
    with pytest.raises(CursorMovedError):
        two.commit(gateway.now)
    two.load()
    assert two.cursor == ("e1", 11)
    two.take(records)
    two.take(gateway.poll(5, {TEMPERATURE: 80}))
    two.commit(gateway.now)
    assert (len(alarms(ledger)), len(orders(ledger))) == (1, 1)


def test_a_lost_spool_is_a_new_epoch_and_no_second_alarm(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    old = gateway.poll(11, {TEMPERATURE: 80})
    subject.take(old)
    subject.commit(gateway.now)
    gateway.epoch, gateway.seq = "e2", 0
    subject.take(gateway.poll(30, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    assert subject.cursor == ("e2", 30)
    subject.take(old)
    subject.commit(gateway.now)
    again = worker(ledger)
    again.take(old)
    again.commit(gateway.now)
    assert again.cursor == ("e2", 30), "a late record of the old spool moves nothing"
    assert (len(alarms(ledger)), len(orders(ledger))) == (1, 1)


def test_a_spool_that_comes_back_is_read_on_from_where_it_was_left(ledger: Ledger) -> None:
    """A folder that was not mounted for one boot, or a backup that was restored."""
    gateway, subject = Gateway(), worker(ledger)
    old = gateway.poll(5, {TEMPERATURE: 60})
    subject.take(old)
    subject.commit(gateway.now)
    gateway.epoch, gateway.seq = "e2", 0
    subject = worker(ledger)
    subject.take(gateway.poll(7, {TEMPERATURE: 60}))
    subject.commit(gateway.now)
    gateway.epoch, gateway.seq = "e1", 5
    subject = worker(ledger)
    subject.take(old)
    assert subject.cursor == ("e2", 7)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    assert subject.cursor == worker(ledger).cursor == ("e1", 16)
    assert (len(alarms(ledger)), len(orders(ledger))) == (1, 1)


def test_spools_that_change_between_two_commits_are_all_remembered(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(3, {"pump-1.fault": 0}))
    subject.commit(gateway.now)
    subject.take(gateway.poll(1, {"pump-1.fault": 1}))
    for epoch in ("e2", "e3"):
        gateway.epoch, gateway.seq = epoch, 0
        subject.take(gateway.poll(2, {"pump-1.fault": 0}))
    subject.commit(gateway.now)
    before = everything(ledger)
    subject = worker(ledger)
    subject.take(gateway.said)
    assert not subject.has_changes
    subject.commit(gateway.now)
    assert everything(ledger) == before


def test_the_rules_tell_that_they_are_alive(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)

    def committed() -> Instant | None:
        with ledger.read(SITE) as view:
            return view.committed("gw-1")

    subject.commit(gateway.now)
    assert committed() is None, "the gateway was never heard"
    subject.take(gateway.poll(1, {TEMPERATURE: 60}))
    subject.commit(gateway.now)
    first = gateway.now
    subject.commit(gateway.clock.advance(4.9))
    assert committed() == first, "nothing is written without need"
    subject.commit(gateway.clock.advance(0.1))
    assert committed() == gateway.now, "and at least so often"
    gateway.clock.reboot("boot-2")
    worker(ledger).commit(gateway.clock.step_wall(-3600))
    assert committed() == gateway.now
    assert subject.cursor == worker(ledger).cursor == ("e1", 1)


def test_records_of_another_gateway_are_none_of_ours(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    (record,) = gateway.poll(1, {"pump-1.fault": 1})
    other = replace(record.envelope, gateway="gw-2")
    subject.take([Record(envelope=other, body=record.body)])
    subject.commit(gateway.now)
    assert alarms(ledger) == []


# What can never be written


def test_two_rules_of_one_cause_and_one_first_reading_share_no_orders_id(ledger: Ledger) -> None:
    """The slow one comes up when the order of the quick one is closed already."""
    warm = replace(HOT, id="warm", condition=replace(HOT.condition, limit=60), delay=2 * HOUR)
    gateway, subject = Gateway(), worker(ledger, HOT, warm, FAULT)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.take(gateway.poll(30, {TEMPERATURE: 70}))
    subject.commit(gateway.now)
    (alarm,), (order,) = alarms(ledger), orders(ledger)
    order_actions.accept(Act(ledger, SITE, order.id, person("admin"), gateway.now))
    order_actions.complete(
        Act(ledger, SITE, order.id, person("admin"), gateway.now), Work(note="fan")
    )
    subject.commit(gateway.now)
    subject.take(gateway.poll(30 * 60 + 1, {TEMPERATURE: 70}))
    subject.commit(gateway.now)
    assert orders(ledger)[0].state is OrderState.CLOSED
    gateway.clock.advance(2 * 3600)
    subject.take(gateway.poll(1, {TEMPERATURE: 70, "pump-2.fault": 1}))
    subject.commit(gateway.now)
    assert {one.rule for one in alarms(ledger)} == {"warm", "fault", "hot"}
    found = {one.first_reading_at for one in alarms(ledger) if one.equipment == "pump-1"}
    assert found == {alarm.first_reading_at}
    assert len({one.id for one in orders(ledger)}) == 3


@pytest.mark.parametrize("broken", ["alarms.record", "orders.answer"])
def test_what_can_never_be_written_is_set_aside_and_holds_up_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    gateway, subject = Gateway(), worker(ledger)
    whole = getattr(alarm_rows if "alarms" in broken else order_rows, broken[7:])

    def poisoned(entry: Entry, alarm: Alarm, *rest: object, **named: object) -> object:
        done = whole(entry, alarm, *rest, **named)
        if alarm.equipment == "pump-1":
            raise IntegrityError("INSERT", {}, Exception("UNIQUE constraint failed"))
        return done

    before = metrics.set_aside._value.get()
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.take(gateway.poll(11, {"pump-2.motor_temperature": 80}))
    with monkeypatch.context() as patch:
        patch.setattr(f"rules.alarm_life.{broken}", poisoned)
        subject.commit(gateway.now)
    assert subject.cursor == ("e1", 22)
    assert [order.equipment for order in orders(ledger)] == ["pump-2"], "half an order is none"
    kept = ["pump-2"] if broken == "alarms.record" else ["pump-2", "pump-1"]
    assert [alarm.equipment for alarm in alarms(ledger)] == kept
    assert metrics.set_aside._value.get() == before + 1
    subject.take(gateway.poll(21, {TEMPERATURE: 60}))
    subject.commit(gateway.now)
    assert metrics.set_aside._value.get() == before + 1


# Restart and clocks


def test_a_delay_survives_a_restart(ledger: Ledger) -> None:
    slow = replace(HOT, delay=10 * MINUTE)
    gateway, subject = Gateway(), worker(ledger, slow)
    subject.take(gateway.poll(7 * 60, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    gateway.clock.reboot("boot-2", off_seconds=60)
    subject = worker(ledger, slow)
    subject.take(gateway.poll(119, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    assert [alarm.raised_at - alarm.first_reading_at for alarm in alarms(ledger)] == []
    subject.take(gateway.poll(5, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    (alarm,) = alarms(ledger)
    assert alarm.raised_at - alarm.first_reading_at == 10 * MINUTE


def test_a_delay_ends_although_the_gateway_is_dead(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(2, {TEMPERATURE: 80}))
    subject.tick(gateway.now)
    for _ in range(8):
        subject.tick(gateway.clock.advance(1))
    assert not subject.has_changes
    subject.tick(gateway.clock.advance(1))
    assert subject.has_changes


def test_a_backlog_is_judged_as_it_happened_not_by_the_clock_of_its_arrival(
    ledger: Ledger,
) -> None:
    """Five seconds of heat, read an hour later: the reading that ended it is still to come."""
    gateway, subject = Gateway(), worker(ledger)
    hot = gateway.poll(5, {TEMPERATURE: 80})
    cold = gateway.poll(5, {TEMPERATURE: 60})
    gateway.clock.advance(3600)
    subject.tick(gateway.now)
    subject.take(hot)
    subject.tick(gateway.clock.advance(1))
    subject.tick(gateway.clock.advance(1))
    subject.take(cold)
    subject.tick(gateway.clock.advance(10))
    subject.commit(gateway.now)
    assert alarms(ledger) == []


@pytest.mark.parametrize("step", [3600, -3600, 365 * 24 * 3600])
def test_a_step_of_the_wall_clock_breaches_no_order_early_or_late(
    ledger: Ledger, step: float
) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    due_in = 2 * 3600
    gateway.clock.advance(600)
    gateway.clock.step_wall(step)
    subject.tick(gateway.now)
    subject.commit(gateway.now)
    (order,) = orders(ledger)
    assert order.breached_at is None
    assert order.due.wall == gateway.now.wall + (due_in - 600) * SECOND, "shown where it now lies"
    # A restart of the machine leaves only the wall clock to judge by.
    gateway.clock.reboot("boot-2", off_seconds=60)
    subject = worker(ledger)
    gateway.clock.advance(due_in - 600 - 60 - 1)
    subject.commit(gateway.now)
    assert orders(ledger)[0].breached_at is None
    gateway.clock.advance(1)
    subject.commit(gateway.now)
    assert orders(ledger)[0].breached_at == gateway.now.wall


def test_an_order_is_breached_although_a_restart_set_the_clock_back(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    gateway.clock.reboot("boot-2")
    gateway.clock.step_wall(-365 * 24 * 3600)
    subject = worker(ledger)
    for _ in range(10 + 2 * 60 - 1):
        subject.commit(gateway.clock.advance(60))
    assert orders(ledger)[0].breached_at is None
    subject.commit(gateway.clock.advance(60))
    (order,) = orders(ledger)
    assert order.breached_at == order.due.wall == gateway.now.wall


def test_a_clock_that_is_set_right_soon_after_a_restart_moves_no_limit(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    due = orders(ledger)[0].due.wall
    gateway.clock.reboot("boot-2")
    gateway.clock.step_wall(-365 * 24 * 3600)
    subject = worker(ledger)
    subject.commit(gateway.clock.advance(9 * 60))
    gateway.clock.step_wall(365 * 24 * 3600)
    subject.commit(gateway.clock.advance(9 * 60))
    gateway.clock.advance((due - gateway.now.wall) / SECOND)
    subject.commit(gateway.now)
    assert orders(ledger)[0].breached_at == due


def test_a_pause_of_everything_raises_no_false_alarm(ledger: Ledger) -> None:
    """One hot reading, then the whole machine stood still for two minutes."""
    gateway, subject = Gateway(), worker(ledger)
    cool = {TEMPERATURE: 60.0, "pump-2.motor_temperature": 60.0}
    for _ in range(20):
        subject.take(gateway.poll(1, cool))
        subject.tick(gateway.now)
    subject.take(gateway.poll(1, {**cool, TEMPERATURE: 80.0}))
    subject.tick(gateway.clock.advance(0.2))
    subject.tick(gateway.clock.advance(120))
    # The frame of another device is the first to come.
    subject.take([gateway.say({"pump-2.motor_temperature": 60})])
    subject.tick(gateway.clock.advance(0.2))
    subject.take([gateway.say({TEMPERATURE: 60})])
    subject.take(gateway.poll(30, cool))
    subject.commit(gateway.now)
    assert alarms(ledger) == []


def test_after_a_pause_a_silent_device_is_waited_for_and_no_longer(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(1, {TEMPERATURE: 80}))
    subject.tick(gateway.now)
    gateway.clock.advance(120)
    subject.take(gateway.poll(3, {"pump-2.motor_temperature": 60}))
    assert not subject.has_changes
    subject.take(gateway.poll(1, {"pump-2.motor_temperature": 60}))
    assert subject.has_changes, "the cable may have burnt"


# Alarms, orders and timers together


def stand(view: View) -> tuple[list[str], list[str]]:
    return (
        [alarm.state.value for alarm in reversed(view.alarms())],
        [order.state.value for order in reversed(view.orders())],
    )


def running(ledger: Ledger) -> list[object]:
    return [row[1] for row in everything(ledger)["timer"]]


def test_a_second_alarm_of_the_same_cause_joins_the_order(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80, "pump-1.fault": 1}))
    subject.take(gateway.poll(11, {"pump-2.fault": 1}))
    subject.commit(gateway.now)
    found = orders(ledger)
    assert [(order.equipment, len(order.alarms), order.number) for order in found] == [
        ("pump-2", 1, 2),
        ("pump-1", 2, 1),
    ]
    with ledger.read(SITE) as view:
        events = view.order_events(found[1].id)
    assert [event.event for event in events] == ["create", "join"]
    assert {event.why for event in events} == set(found[1].alarms)


def test_a_relapse_while_unacknowledged_is_the_same_alarm_with_the_same_order(
    ledger: Ledger,
) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.take(gateway.poll(21, {TEMPERATURE: 60}))
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    with ledger.read(SITE) as view:
        assert stand(view) == (["unacknowledged"], ["open"])


def test_an_info_rule_raises_no_order(ledger: Ledger) -> None:
    quiet = replace(FAULT, order=None)
    gateway, subject = Gateway(), worker(ledger, quiet)
    subject.take(gateway.poll(1, {"pump-1.fault": 1}))
    subject.commit(gateway.now)
    assert [alarm.order for alarm in alarms(ledger)] == [None]
    assert orders(ledger) == []


def test_an_overdue_order_is_breached_once_and_told_once(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    subject.commit(gateway.clock.advance(2 * 3600 - 0.001))
    assert orders(ledger)[0].breached_at is None
    for _ in range(3):
        subject.commit(gateway.clock.advance(0.001))
    (order,) = orders(ledger)
    assert order.breached_at is not None
    with ledger.read(SITE) as view:
        assert [event.event for event in view.order_events(order.id)] == ["create", "breach"]
    notices = sorted(row[1] for row in everything(ledger)["outbox"])
    assert [notice.split(".", 1)[0] for notice in notices] == [
        "alarm_raised",
        "nobody_there",
        "order_breached",
    ]
    assert notices[2] == f"order_breached.{order.id}.complete.{stamp(order.breached_at)}"


def test_the_whole_life_with_a_relapse_that_takes_its_clock_along(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    (alarm,), (order,) = alarms(ledger), orders(ledger)
    alarm_actions.acknowledge(Act(ledger, SITE, alarm.id, person("admin"), gateway.now))
    order_actions.accept(Act(ledger, SITE, order.id, person("admin"), gateway.now))
    gateway.clock.advance(3600)
    order_actions.complete(
        Act(ledger, SITE, order.id, person("admin"), gateway.now), Work(note="fan")
    )
    # Still hot: it waits without a limit.
    subject.commit(gateway.clock.advance(3600))
    with ledger.read(SITE) as view:
        assert stand(view) == (["acknowledged"], ["completed"])
    assert running(ledger) == []
    subject.take(gateway.poll(21, {TEMPERATURE: 60}))
    subject.commit(gateway.now)
    subject.take(gateway.poll(29 * 60, {TEMPERATURE: 60}))
    subject.commit(gateway.now)
    with ledger.read(SITE) as view:
        assert stand(view) == (["closed"], ["completed"])
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    with ledger.read(SITE) as view:
        assert stand(view) == (["closed", "unacknowledged"], ["open"])
    assert running(ledger) == ["breach"]
    (again,) = orders(ledger)
    # An hour and what came before it were used; the time that it lay completed was not.
    assert (
        again.due.since(gateway.now)
        == order.due.since(gateway.now) + (3600 + 21 + 29 * 60 + 11) * SECOND
    )
    assert (again.completed, again.completed_by) == (None, None)
    order_actions.accept(Act(ledger, SITE, order.id, person("admin"), gateway.now))
    order_actions.complete(
        Act(ledger, SITE, order.id, person("admin"), gateway.now), Work(note="bearing")
    )
    subject.take(gateway.poll(21, {TEMPERATURE: 60}))
    subject.commit(gateway.now)
    subject.take(gateway.poll(30 * 60 + 1, {TEMPERATURE: 60}))
    subject.commit(gateway.now)
    with ledger.read(SITE) as view:
        assert running(ledger) == []
        assert stand(view) == (["closed", "returned_unacknowledged"], ["closed"])
        assert [event.event for event in view.order_events(order.id)] == [
            "create",
            "accept",
            "complete",
            "relapse",
            "accept",
            "complete",
            "verify",
            "close",
        ]
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    assert [order.number for order in orders(ledger)] == [2, 1], "after the close, a new order"


def test_a_completed_order_is_not_breached(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    (order,) = orders(ledger)
    order_actions.accept(Act(ledger, SITE, order.id, person("admin"), gateway.now))
    order_actions.complete(
        Act(ledger, SITE, order.id, person("admin"), gateway.now), Work(note="done")
    )
    subject.commit(gateway.clock.advance(24 * 3600))
    assert orders(ledger)[0].breached_at is None


def test_an_alarm_whose_rule_is_gone_stays_visible(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    (before,) = alarms(ledger)
    for _ in range(2):
        subject = worker(ledger, DARK)
        subject.take(gateway.poll(60, {TEMPERATURE: 60}))
        subject.commit(gateway.now)
    (alarm,) = alarms(ledger)
    assert (alarm.state, alarm.name.en) == (AlarmState.RETURNED_UNACKNOWLEDGED, "Rule hot")
    with ledger.read(SITE) as view:
        assert [(event.event, event.why) for event in view.alarm_events(before.id)] == [
            ("raise", None),
            ("withdraw", "rule hot is no longer in force for pump-1"),
        ]
    alarm_actions.acknowledge(Act(ledger, SITE, alarm.id, person("admin"), gateway.now))
    assert alarms(ledger)[0].state is AlarmState.CLOSED


def test_the_order_of_a_rule_that_is_gone_is_closed_with_a_reason(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    (alarm,), (order,) = alarms(ledger), orders(ledger)
    alarm_actions.acknowledge(Act(ledger, SITE, alarm.id, person("admin"), gateway.now))
    order_actions.accept(Act(ledger, SITE, order.id, person("admin"), gateway.now))
    order_actions.complete(
        Act(ledger, SITE, order.id, person("admin"), gateway.now), Work(note="done")
    )
    installed = site().equipment
    elsewhere = site(installed["pump-2"], installed["lamp-1"])
    subject = Worker(site=elsewhere, rulebook=rulebook(), ledger=ledger)
    subject.load()
    subject.commit(gateway.now)
    with ledger.read(SITE) as view:
        assert stand(view) == (["closed"], ["completed"])
        assert view.alarm_events(alarm.id)[-1].why == "pump-1 is no longer installed"
    subject.commit(gateway.clock.advance(30 * 60))
    act = Act(ledger, SITE, order.id, person("admin"), gateway.now)
    with pytest.raises(NotValidError, match="telemetry"):
        order_ends.verify(act, passed=True, note=None)
    order_ends.verify(act, passed=True, note="已拆除")
    with ledger.read(SITE) as view:
        assert stand(view) == (["closed"], ["closed"])


def test_a_rule_that_comes_back_raises_its_alarm_again(ledger: Ledger) -> None:
    gateway, subject = Gateway(), worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    subject = worker(ledger, DARK)
    subject.commit(gateway.now)
    subject = worker(ledger)
    subject.take(gateway.poll(11, {TEMPERATURE: 80}))
    subject.commit(gateway.now)
    with ledger.read(SITE) as view:
        assert stand(view) == (["unacknowledged"], ["open"])
    assert alarms(ledger)[0].count == 2
