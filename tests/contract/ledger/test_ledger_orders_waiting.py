"""A minor alarm of the night is an order of the next morning, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from duty_room import HOT, NOON, SITE, Gateway
from order_desk import OrderDesk

from gateway.clock import ManualClock
from gateway.model.moment import DAY, HOUR, MINUTE, SECOND, iso
from rules.ledger.rows import Alarm
from rules.ledger.store import Ledger
from rules.orders.book import OrderBook
from rules.orders.raising import OnReturn, RaisedWhen, Raising, RaisingTable
from rules.priority import Priority
from rules.rule import Rule

MINOR = replace(HOT, priority=Priority.MINOR)
assert MINOR.order is not None


def book(on_return: OnReturn = OnReturn.CANCEL) -> OrderBook:
    waits = Raising(when=RaisedWhen.WORKING_TIME, on_return=on_return)
    return OrderBook(raising=RaisingTable(by_priority={Priority.MINOR: waits}))


def at(ledger: Ledger, wall: int, *rules: Rule, on_return: OnReturn = OnReturn.CANCEL) -> OrderDesk:
    gateway = Gateway(clock=ManualClock(wall))
    return OrderDesk(ledger, book=book(on_return), rules=rules or (MINOR,), gateway=gateway)


def heat(desk: OrderDesk) -> Alarm:
    desk.worker.take(desk.gateway.poll(11, {"pump-1.motor_temperature": 80}))
    desk.worker.commit(desk.gateway.now)
    return alarm(desk)


def cool(desk: OrderDesk) -> None:
    desk.worker.take(desk.gateway.poll(21, {"pump-1.motor_temperature": 60}))
    desk.worker.commit(desk.gateway.now)


def alarm(desk: OrderDesk) -> Alarm:
    with desk.ledger.read(SITE) as view:
        return view.alarms()[0]


def numbers(desk: OrderDesk) -> list[int]:
    with desk.ledger.read(SITE) as view:
        return [order.number for order in view.orders(states=None)]


SATURDAY_NIGHT = NOON + 14 * HOUR
"""02:00 on Sunday 2026-11-22, by the clocks of the site."""
MONDAY_MORNING = NOON + DAY + 20 * HOUR


def test_at_night_it_waits_for_the_morning_of_the_next_working_day(ledger: Ledger) -> None:
    desk = at(ledger, SATURDAY_NIGHT)
    found = heat(desk)
    assert iso(MONDAY_MORNING, desk.site.zone).startswith("2026-11-23T08:00")
    assert (found.order, found.order_at) == (None, MONDAY_MORNING)
    wait = (MONDAY_MORNING - desk.gateway.now.wall) // SECOND
    desk.worker.commit(desk.gateway.clock.advance(wait - 1))
    desk.restart()
    desk.worker.commit(desk.gateway.now)
    assert (numbers(desk), alarm(desk).order_at) == ([], MONDAY_MORNING)
    desk.worker.commit(desk.gateway.clock.advance(1))
    assert numbers(desk) == [1]
    assert (alarm(desk).order is not None, alarm(desk).order_at) == (True, None)


def test_in_working_time_it_is_made_at_once(ledger: Ledger) -> None:
    desk = at(ledger, NOON + 2 * DAY)
    assert heat(desk).order is not None


@pytest.mark.parametrize(
    "rule",
    [
        replace(MINOR, priority=Priority.MAJOR),
        replace(MINOR, life_safety=True),
        replace(MINOR, order=replace(MINOR.order, raising=Raising())),
    ],
    ids=["major", "life safety", "the rule says so"],
)
def test_what_is_urgent_never_waits(ledger: Ledger, rule: Rule) -> None:
    assert heat(at(ledger, SATURDAY_NIGHT, rule)).order is not None


@pytest.mark.parametrize(("on_return", "made"), [(OnReturn.CANCEL, []), (OnReturn.KEEP, [1])])
def test_what_has_returned_meanwhile_is_made_only_where_the_site_wants_it(
    ledger: Ledger, on_return: OnReturn, made: list[int]
) -> None:
    desk = at(ledger, SATURDAY_NIGHT, on_return=on_return)
    heat(desk)
    cool(desk)
    desk.worker.commit(desk.gateway.clock.advance(2 * DAY // SECOND))
    assert numbers(desk) == made
    if on_return is OnReturn.CANCEL:
        assert heat(desk).order_at is not None, "it waits again where it comes back at night"


def test_the_same_cause_joins_the_order_that_is_there(ledger: Ledger) -> None:
    urgent = replace(HOT, id="hotter", priority=Priority.MAJOR)
    desk = at(ledger, SATURDAY_NIGHT, MINOR, urgent)
    heat(desk)
    with ledger.read(SITE) as view:
        found = {one.rule: (one.order, one.order_at) for one in view.alarms()}
    assert numbers(desk) == [1]
    assert found["hotter"][0] is not None
    desk.worker.commit(desk.gateway.clock.advance(2 * DAY // SECOND))
    with ledger.read(SITE) as view:
        assert {one.order.id for one in view.alarms() if one.order} == {desk.order().id}
        assert all(one.order for one in view.alarms())
    assert numbers(desk) == [1]


def test_files_that_say_at_once_hold_for_what_waits(ledger: Ledger) -> None:
    desk = at(ledger, SATURDAY_NIGHT)
    heat(desk)
    desk.restart(OrderBook())
    desk.worker.commit(desk.gateway.clock.advance(MINUTE // SECOND))
    assert numbers(desk) == [1]
