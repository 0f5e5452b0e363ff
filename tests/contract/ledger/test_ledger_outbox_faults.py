"""Channels that raise, throttle, are dead, or are gone from the site file."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from channel_house import (
    PASSWORD,
    TAKEN,
    TOO_FAST,
    Ear,
    Furnish,
    House,
    channel,
    fire,
    furnished,
    notice,
)
from duty_room import SITE, site
from order_desk import BOOK, OrderDesk, escalation
from staff import hire
from structlog.testing import capture_logs

from gateway.clock import SystemClock
from gateway.model.channels import Channel, ChannelKind
from gateway.model.moment import MINUTE
from rules.ledger import outbox_view
from rules.ledger.store import Ledger
from rules.notify import posting
from rules.notify.carrier import Answer, Message, Outcome
from rules.notify.dispatch import Dispatcher
from rules.orders.clock import ClockName
from rules.orders.escalation import Step
from rules.people.roles import Role


@pytest.fixture
def house(ledger: Ledger) -> Furnish:
    return furnished(ledger)


# What breaks


class Broken(Ear):
    async def send(self, message: Message) -> Answer:
        self.got.append(message)
        PASSWORD.encode("ascii")
        return TAKEN


def test_a_carrier_that_raises_holds_up_no_other_channel_and_ends_nothing(
    house: Furnish, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = house(channel("broken"), channel("group"))
    broken = Broken()
    dispatcher = Dispatcher(
        site=desk.here,
        ledger=desk.ledger,
        carriers=desk.ears | {"broken": broken},
        clock=SystemClock(),
    )
    monkeypatch.setattr("rules.notify.dispatch._LOOK_S", 0.01)
    stop = asyncio.Event()

    def unreadable(*_given: object) -> None:
        raise RuntimeError("unreadable")

    monkeypatch.setattr("rules.notify.dispatch.outbox_view.healths", unreadable)

    async def play() -> None:
        running = asyncio.create_task(dispatcher.run(stop))
        async with asyncio.timeout(20):
            while len(desk.ears["group"].got) < 2 or len(broken.got) < 2:
                assert not running.done()
                await asyncio.sleep(0.01)
            stop.set()
            await running

    with desk.ledger.write(SITE) as entry:
        for number in (1, 2):
            posting.post(entry, desk.here, fire(number), SystemClock().now())
    with capture_logs() as logged:
        asyncio.run(play())
    rows = {(row.notice, row.channel): row for row in desk.rows()}
    assert rows["alarm_raised.fire-1", "group"].state == "sent"
    failed = rows["alarm_raised.fire-1", "broken"]
    assert (failed.error, failed.possibly_repeated) == ("UnicodeEncodeError", True)
    assert any(line["event"] == "carrier failed" for line in logged)
    assert PASSWORD not in str(logged)


# A channel that the site file no longer has


def settle(desk: House, *channels: Channel) -> House:
    """The rules start again with another site file."""
    ears = {one.id: Ear(clock=desk.gateway.clock) for one in channels}
    here = site(channels=channels)
    after = Dispatcher(site=here, ledger=desk.ledger, carriers=ears, clock=desk.gateway.clock)
    with desk.ledger.write(SITE) as entry:
        posting.settle_orphans(entry, here, desk.gateway.now)
    return House(desk.ledger, here, desk.gateway, ears, after)


def test_fire_that_waits_for_a_renamed_channel_goes_by_the_new_name(house: Furnish) -> None:
    desk = house(channel("old"), channel("kept"))
    desk.post(fire(1), notice(2))
    desk.deliver("kept")
    after = settle(desk, channel("new"), channel("kept"), channel("sms", ChannelKind.SMS))
    assert (after.deliver("new"), after.deliver("kept"), after.deliver("sms")) == (1, 0, 0)
    assert after.ears["new"].ids == ["alarm_raised.fire-1"]
    lost = after.rows(channels=["old"])
    assert {(row.state, row.error) for row in lost} == {
        ("dropped", "the site file has no such channel")
    }
    again = settle(after, channel("new"), channel("kept"))
    assert (again.deliver("new"), again.deliver("kept")) == (0, 0)


def test_fires_gathered_for_a_removed_channel_go_by_the_others_one_by_one(
    house: Furnish,
) -> None:
    desk = house(channel("old"))
    desk.post(*(fire(number) for number in range(20)))
    desk.deliver("old")
    desk.ears["old"].always = Answer(outcome=Outcome.REFUSED, detail="HTTP 500")
    desk.gateway.clock.advance(15)
    assert desk.deliver("old") == 1
    after = settle(desk, channel("hook", ChannelKind.WEBHOOK))
    after.deliver("hook")
    gathered = {row.notice for row in desk.rows(states=["in_digest"])}
    assert len(gathered) == 4
    assert set(after.ears["hook"].ids) == gathered


def test_fire_waits_where_the_site_file_has_no_channel_at_all(house: Furnish) -> None:
    desk = house(channel("old"))
    desk.post(fire(1), notice(2))
    after = settle(desk)
    assert {row.notice: row.state for row in after.rows()} == {
        "alarm_raised.fire-1": "waiting",
        "alarm_raised.2": "dropped",
    }


def test_a_start_looks_for_channels_that_are_gone(house: Furnish) -> None:
    desk = house(channel("old"))
    desk.post(notice(1))
    dispatcher = Dispatcher(
        site=site(channels=()), ledger=desk.ledger, carriers={}, clock=desk.gateway.clock
    )
    with capture_logs() as logged:
        asyncio.run(dispatcher.run(asyncio.Event()))
    assert [(line["channel"], line["dropped"]) for line in logged] == [("old", 1)]
    assert desk.states() == {"dropped": 1}


def test_who_of_several_has_it_is_remembered(house: Furnish) -> None:
    desk = house(channel())
    desk.ears["group"].answers = [
        Answer(outcome=Outcome.REFUSED, detail="7", reached=("li",)),
        Answer(outcome=Outcome.REFUSED, detail="7", reached=("wang",)),
    ]
    desk.post(notice(1, to=("li", "wang", "zhao")))
    for _ in range(3):
        desk.deliver()
        desk.gateway.clock.advance(60)
    assert [one.reached for one in desk.ears["group"].got] == [(), ("li",), ("li", "wang")]


# Too fast, and dead


def test_experiment_52_a_channel_that_is_throttled_rests_and_no_other_one_does(
    house: Furnish,
) -> None:
    desk = house(channel("ding", ChannelKind.DINGTALK), channel("group"))
    desk.ears["ding"].answers = [TOO_FAST]
    desk.post(notice(1))
    assert (desk.deliver("ding"), desk.deliver("group")) == (1, 1)
    desk.post(notice(2))
    desk.gateway.clock.advance(59)
    assert (desk.deliver("ding"), desk.deliver("group")) == (0, 1)
    desk.post(fire(3))
    assert desk.deliver("ding") == 1, "fire does not wait for that"
    desk.gateway.clock.advance(1)
    assert desk.deliver("ding") == 2
    assert not any(one.body["possibly_repeated"] for one in desk.ears["ding"].got)


class Hanging(Ear):
    """Takes a message and never says a word."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs = asyncio.Event()

    async def send(self, message: Message) -> Answer:
        self.got.append(message)
        self.hangs.set()
        await asyncio.Event().wait()
        raise AssertionError("never")


def test_experiment_52_escalation_goes_on_while_one_channel_hangs_and_one_is_throttled(
    ledger: Ledger,
) -> None:
    ladder = (Role.FOREMAN, Role.ENGINEERING_MANAGER, Role.PROJECT_MANAGER)
    steps = [
        Step(clock=ClockName.RESPOND, after=minutes * MINUTE, to=role)
        for minutes, role in zip((1, 3, 5), ladder, strict=True)
    ]
    channels = (channel("stuck"), channel("ding", ChannelKind.DINGTALK), channel("group"))
    desk = OrderDesk(
        ledger,
        book=replace(BOOK, escalation=escalation(*steps)),
        site=site(channels=channels),
    )
    for role in ladder:
        hire(ledger, desk.site, role.value, role, desk.gateway.now)
    stuck, ding, group = Hanging(), Ear(always=TOO_FAST), Ear()
    dispatcher = Dispatcher(
        site=desk.site,
        ledger=ledger,
        carriers={"stuck": stuck, "ding": ding, "group": group},
        clock=desk.gateway.clock,
    )

    async def play() -> list[tuple[int, str]]:
        desk.heat()
        hangs = asyncio.create_task(dispatcher.deliver_one("stuck"))
        await asyncio.wait_for(stuck.hangs.wait(), 30)
        told = []
        for minute in range(1, 7):
            desk.tick(60)
            while await dispatcher.deliver_one("ding"):
                pass
            heard = len(group.got)
            while await dispatcher.deliver_one("group"):
                pass
            new = [one for one in group.got[heard:] if one.body["kind"] == "order_escalated"]
            told += [(minute, person.username) for one in new for person in one.people]
        assert not hangs.done(), "it hangs to the end"
        hangs.cancel()
        return told

    told = asyncio.run(play())
    assert told == [(minute, role.value) for minute, role in zip((1, 3, 5), ladder, strict=True)]
    assert desk.order().escalated_to == "project_manager"
    assert len(stuck.got) == 1
    assert 0 < len(ding.got) <= 6, "it rests a minute each time"


def test_fire_is_tried_again_within_half_a_minute_however_often_it_failed(house: Furnish) -> None:
    desk = house(channel("hook", ChannelKind.WEBHOOK))
    ear = desk.ears["hook"]
    ear.always = Answer(outcome=Outcome.REFUSED, detail="HTTP 500")
    desk.post(fire(1), notice(2))
    for _ in range(240):
        desk.deliver("hook")
        desk.gateway.clock.advance(5)
    tries = Counter(one.id for one in ear.got)
    assert tries[fire(1).id] >= 40
    assert tries[notice(2).id] <= 12


def test_a_fire_without_an_answer_is_said_again_and_says_so(house: Furnish) -> None:
    desk = house(channel())
    desk.ears["group"].answers = [Answer(outcome=Outcome.DOUBTFUL, detail="ReadTimeout")]
    desk.post(fire(1))
    desk.deliver()
    desk.gateway.clock.advance(1)
    desk.deliver()
    assert ["可能重复" in one.text(2048) for one in desk.ears["group"].got] == [False, True]
    desk.post(fire(2))
    desk.deliver()
    repeated = {row.body["subject"]: row.possibly_repeated for row in desk.rows()}
    assert repeated == {"fire-1": True, "fire-2": False}


def test_how_a_channel_is_doing(house: Furnish) -> None:
    desk = house(channel("a"), channel("b"))
    began = desk.gateway.now.wall
    desk.ears["b"].always = Answer(outcome=Outcome.REFUSED, detail="errcode 93000: invalid")
    desk.post(notice(1))
    for _ in range(5):
        desk.deliver("a")
        desk.deliver("b")
        desk.gateway.clock.advance(2)
    with desk.ledger.read(SITE) as view:
        healths = outbox_view.healths(view, ["a", "b", "new"])
    assert (healths["a"].waiting, healths["a"].sent_at, healths["a"].error) == (0, began, None)
    assert healths["b"].waiting == 1
    assert (healths["b"].failing_since, healths["b"].sent_at) == (began, None)
    assert healths["b"].error == "errcode 93000: invalid"
    assert (healths["new"].waiting, healths["new"].failing_since) == (0, None)
