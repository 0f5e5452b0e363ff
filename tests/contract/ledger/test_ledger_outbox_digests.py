"""Many messages become few, and the fires among them go first."""

from __future__ import annotations

import asyncio

import pytest
from channel_house import (
    TAKEN,
    Furnish,
    channel,
    fire,
    furnished,
    notice,
    some,
)
from duty_room import SITE
from sqlalchemy import select
from staff import hire

from gateway.model.channels import ChannelKind
from gateway.model.moment import MINUTE, SECOND, Instant
from rules.ledger import outbox, tables
from rules.ledger.store import Ledger
from rules.notify.carrier import Answer, Outcome
from rules.notify.dispatch import CLAIM, Dispatcher
from rules.people.roles import Role
from rules.rule import Priority


@pytest.fixture
def house(ledger: Ledger) -> Furnish:
    return furnished(ledger)


# Too many


def test_experiment_50_a_flood_is_a_handful_of_messages_and_its_fires_go_first(
    house: Furnish,
) -> None:
    """10,000 alarms in 60 s with 3 fires hidden, in time scaled by nothing: the clock is turned."""
    desk = house(channel())
    ear, clock = desk.ears["group"], desk.gateway.clock
    fires = {1_234: fire(1), 5_678: fire(2), 9_876: fire(3)}
    raised: dict[str, Instant] = {}
    flood = list(some(10_000))
    for begin in range(0, 10_000, 250):
        batch = flood[begin : begin + 250]
        burning = [one for at, one in fires.items() if begin <= at < begin + 250]
        raised |= {one.id: desk.gateway.now for one in burning}
        desk.post(*batch, *burning)
        desk.deliver()
        clock.advance(1.5)
    for _ in range(12):
        desk.deliver()
        clock.advance(5)
    heard = {one.id: at for one, at in zip(ear.got, ear.at, strict=True)}
    for one in fires.values():
        assert heard[one.id].since(raised[one.id]) <= SECOND
        assert ear.got[ear.ids.index(one.id)].body["life_safety"]
    routine = [one for one in ear.got if not one.body["life_safety"]]
    assert len(routine) <= 10, "a handful"
    assert sum(one.body.get("count", 1) for one in routine) == 10_000
    for at in ear.at:
        assert sum(0 <= other.since(at) < MINUTE for other in ear.at) <= 20
    states = desk.states()
    assert set(states) == {"sent", "in_digest"}
    assert states["in_digest"] + states["sent"] == 10_003 + sum(
        one.body["kind"] == "digest" for one in ear.got
    )


def test_what_was_gathered_into_which_message_can_be_seen(house: Furnish) -> None:
    desk = house(channel(), public_url="https://duty.example.org")
    desk.post(*some(40), notice("worst", Priority.MAJOR))
    assert desk.deliver() == 1
    (message,) = desk.ears["group"].got
    assert message.body["counts"] == {"major": 1, "minor": 40}
    assert message.body["titles"][0]["zh"] == "报警 worst", "the most urgent first"
    assert message.body["link"] == "https://duty.example.org/notices"
    assert len(message.body["titles"]) == 30
    (row,) = desk.rows(states=["sent"])
    assert (row.notice, row.gathered) == (message.id, 41)
    inside = desk.rows(digest=message.id)
    assert {one.notice for one in inside} == {one.id for one in (*some(40), notice("worst"))}
    assert {one.state for one in inside} == {"in_digest"}


def test_a_refused_digest_is_said_again_and_every_fire_in_it_is_heard(house: Furnish) -> None:
    desk = house(channel())
    ear = desk.ears["group"]
    desk.post(*(fire(number) for number in range(30)))
    assert desk.deliver() == 16
    ear.answers = [Answer(outcome=Outcome.REFUSED, detail="HTTP 500")] * 2
    for late in range(30, 48):
        desk.gateway.clock.advance(15)
        desk.post(fire(late))
        desk.deliver()
    for _ in range(12):
        desk.gateway.clock.advance(15)
        desk.deliver()
    refused = next(one for one in ear.got if one.body["kind"] == "digest")
    assert ear.ids.count(refused.id) == 3
    taken = {one.id: one for one in ear.got}.values()
    heard = {title["zh"] for one in taken for title in one.body.get("titles", [one.body["title"]])}
    assert heard >= {f"报警 fire-{number}" for number in range(48)}
    assert not any(row.digest for row in desk.rows() if row.notice == refused.id)
    assert set(desk.states()) == {"sent", "in_digest"}


def test_a_refused_digest_is_not_left_behind_by_a_flood(house: Furnish) -> None:
    desk = house(channel())
    desk.ears["group"].answers = [Answer(outcome=Outcome.REFUSED, detail="HTTP 500")]
    for begin in range(0, 80, 20):
        desk.post(*(notice(f"{begin + number}", Priority.MINOR) for number in range(20)))
        desk.deliver()
        desk.gateway.clock.advance(16)
    first, second, third, fourth = desk.ears["group"].got
    assert first.id == second.id
    assert [one.body["count"] for one in (first, third, fourth)] == [20, 40, 20]


def test_everybody_who_is_meant_by_a_digest_is_called(house: Furnish) -> None:
    """The titles end after thirty, the people do not."""
    desk = house(channel())
    names = [f"person-{number:02d}" for number in range(40)]
    for name in names:
        hire(desk.ledger, desk.here, name, Role.TECHNICIAN, desk.gateway.now)
    desk.post(*(notice(name, to=(name,)) for name in names))
    assert desk.deliver() == 1
    (message,) = desk.ears["group"].got
    assert [one.username for one in message.people] == names
    assert len(message.body["titles"]) == 30


def test_rows_that_died_claimed_hold_up_no_robot(house: Furnish) -> None:
    """More of them than may go one by one, and none of them can be gathered."""
    desk = house(channel())
    sender = outbox.Sender(
        site=SITE,
        channel="group",
        claimant="dead",
        now=desk.gateway.now,
        until=desk.gateway.now.plus(CLAIM),
    )
    desk.post(*some(20))
    while outbox.claim(desk.ledger, sender) is not None:
        pass
    desk.gateway.clock.advance(CLAIM / SECOND)
    for _ in range(20):
        desk.deliver()
        desk.gateway.clock.advance(15)
    assert desk.states() == {"sent": 20}


def test_a_sender_that_died_with_a_digest_sends_it_again(house: Furnish) -> None:
    desk = house(channel())
    desk.ears["group"].always = Answer(outcome=Outcome.DOUBTFUL, detail="died")
    desk.post(*some(20))
    assert desk.deliver() == 1
    desk.ears["group"].always = TAKEN
    desk.gateway.clock.advance(CLAIM / SECOND + 15)
    assert desk.deliver() == 1
    first, second = desk.ears["group"].got
    assert first.id == second.id
    assert second.body["possibly_repeated"] is True


def test_a_webhook_gets_every_message_by_itself(house: Furnish) -> None:
    desk = house(channel("hook", ChannelKind.WEBHOOK))
    desk.post(*some(60), fire(1))
    assert desk.deliver("hook") == 61
    assert desk.ears["hook"].ids[0] == fire(1).id


def test_more_fires_than_a_robot_takes_share_a_message_and_name_each(house: Furnish) -> None:
    desk = house(channel())
    desk.post(*(fire(number) for number in range(30)))
    assert desk.deliver() == 16
    desk.gateway.clock.advance(15)
    assert desk.deliver() == 1
    last = desk.ears["group"].got[-1].body
    assert (last["life_safety"], last["count"], len(last["titles"])) == (True, 14, 14)


def test_the_next_process_counts_what_this_one_sent(house: Furnish) -> None:
    desk = house(channel())
    desk.post(*(notice(number) for number in range(12)))
    assert desk.deliver() == 12
    successor = Dispatcher(
        site=desk.here, ledger=desk.ledger, carriers=desk.ears, clock=desk.gateway.clock
    )
    desk.post(notice("another"))
    assert not asyncio.run(successor.deliver_one("group"))
    desk.gateway.clock.advance(60)
    assert asyncio.run(successor.deliver_one("group"))


# Speed


def test_a_backlog_is_gone_through_in_order_without_being_sorted_again(house: Furnish) -> None:
    desk = house(channel("hook", ChannelKind.WEBHOOK))
    desk.post(*some(100))
    for _ in range(5):
        assert asyncio.run(desk.dispatcher.deliver_one("hook"))
    assert desk.ears["hook"].ids == [f"alarm_raised.{number:05d}" for number in range(5)]
    with desk.ledger.reading() as connection:
        if connection.dialect.name != "sqlite":
            return
        next_ones = select(tables.outbox.outbox.c.notice).where(
            outbox.may_go(SITE, "hook", desk.gateway.now)
        )
        urgency = (tables.outbox.outbox.c.rank, tables.outbox.outbox.c.created_at)
        plan = str(
            connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN "
                + str(next_ones.order_by(*urgency).compile(compile_kwargs={"literal_binds": True}))
            ).all()
        )
    assert "ix_outbox_outstanding" in plan
    assert "TEMP B-TREE" not in plan
