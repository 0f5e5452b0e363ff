"""What goes by which channel: priorities, people, quiet hours, and fire before all."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from channel_house import (
    NIGHT,
    Furnish,
    channel,
    fire,
    furnished,
    notice,
    some,
)
from duty_room import SITE
from staff import hire
from structlog.testing import capture_logs

from gateway.model.channels import ChannelKind, People
from gateway.model.moment import HOUR, MINUTE
from rules.ledger import outbox_view
from rules.ledger.store import Ledger
from rules.notify.carrier import Answer, Outcome
from rules.people import people
from rules.people.people import Person
from rules.people.roles import PROGRAM, Role
from rules.rule import Priority


@pytest.fixture
def house(ledger: Ledger) -> Furnish:
    return furnished(ledger)


# Who hears of it


def test_a_channel_carries_its_priorities_and_fire_whatever_they_are(house: Furnish) -> None:
    desk = house(
        channel("all", ChannelKind.WEBHOOK),
        channel("urgent", priorities=frozenset({"critical"})),
        channel("minor", priorities=frozenset({"minor"})),
    )
    desk.post(notice(1), notice(2, Priority.CRITICAL), notice(3, Priority.MINOR), fire(4))
    assert Counter(row.channel for row in desk.rows()) == {"all": 4, "urgent": 2, "minor": 2}


def test_a_channel_for_the_addressed_carries_only_what_names_somebody(house: Furnish) -> None:
    phones = channel("phones", ChannelKind.SMS, people=People.ADDRESSED)
    desk = house(phones, channel("group"))
    desk.post(notice(1), notice(2, to=("li",)), fire(3))
    assert [row.notice for row in desk.rows(channels=["phones"])] == ["alarm_raised.2"]
    assert len(desk.rows(channels=["group"])) == 3


def test_people_are_looked_up_when_it_is_sent_contractors_too(house: Furnish) -> None:
    desk = house(channel())
    now = desk.gateway.now
    hire(desk.ledger, desk.here, "li", Role.TECHNICIAN, now)
    hire(desk.ledger, desk.here, "gone", Role.TECHNICIAN, now)
    firm = Person(
        username="lift-firm",
        display_name="电梯维保",
        role=Role.TECHNICIAN,
        phone="13700000000",
        mention="ou_lift",
        contractor=True,
        can_log_in=False,
    )
    people.add(desk.ledger, desk.here, firm, actor=PROGRAM, now=now)
    desk.post(notice(1, to=("li", "lift-firm", "gone", "unknown")))
    for name, edit in (("li", {"phone": "13811111111"}), ("gone", {"active": False})):
        people.change(
            desk.ledger,
            desk.here,
            name,
            lambda one, edit=edit: replace(one, **edit),  # type: ignore[misc]
            actor=PROGRAM,
            now=now,
        )
    assert desk.deliver() == 1
    (message,) = desk.ears["group"].got
    assert [(one.username, one.phone, one.mention) for one in message.people] == [
        ("li", "13811111111", None),
        ("lift-firm", "13700000000", "ou_lift"),
    ]


def test_a_message_leads_to_the_page_where_that_is_known(house: Furnish) -> None:
    desk = house(channel(), public_url="https://duty.example.org/")
    desk.post(notice("p.hot.20261121T040001-000000Z"))
    desk.deliver()
    link = desk.ears["group"].got[0].body["link"]
    assert link == "https://duty.example.org/alarms/p.hot.20261121T040001-000000Z"


def test_a_message_that_can_reach_nobody_is_dropped_and_says_so(house: Furnish) -> None:
    desk = house(channel())
    desk.ears["group"].answers = [Answer(outcome=Outcome.NOBODY, detail="no number")]
    desk.post(notice(1))
    desk.deliver()
    (row,) = desk.rows()
    assert (row.state, row.error) == ("dropped", "no number")
    desk.gateway.clock.advance(3600)
    assert desk.deliver() == 0


def test_fire_that_reaches_nobody_is_tried_again_and_the_channel_shows_it(
    house: Furnish,
) -> None:
    desk = house(channel())
    nobody = Answer(outcome=Outcome.NOBODY, detail="no number")
    desk.ears["group"].answers = [nobody]
    desk.post(fire(1))
    desk.deliver()
    (row,) = desk.rows()
    assert (row.state, row.error) == ("waiting", "no number")
    with desk.ledger.read(SITE) as view:
        assert outbox_view.healths(view, ["group"])["group"].error == "no number"
    desk.gateway.clock.advance(30)
    assert desk.deliver() == 1
    assert desk.states() == {"sent": 1}


def test_who_refused_a_letter_that_others_took_can_be_seen(house: Furnish) -> None:
    desk = house(channel("mail", ChannelKind.EMAIL))
    detail = "1 recipients refused (550)"
    desk.ears["mail"].answers = [Answer(outcome=Outcome.DELIVERED, detail=detail)]
    desk.post(notice(1))
    with capture_logs() as logged:
        desk.deliver("mail")
    (row,) = desk.rows()
    assert (row.state, row.error) == ("sent", detail)
    assert [line["detail"] for line in logged] == [detail]


def test_texts_that_may_all_have_arrived_come_seldom_after_five(house: Furnish) -> None:
    desk = house(channel("phones", ChannelKind.SMS, to=("13900000000",)))
    ear = desk.ears["phones"]
    ear.always = Answer(outcome=Outcome.DOUBTFUL, detail="the answer has no code")
    desk.post(fire(1))
    for _ in range(29):
        desk.deliver("phones")
        desk.gateway.clock.advance(60)
    assert len(ear.got) == 5
    (row,) = desk.rows()
    assert row.error == ("the answer has no code; may have arrived, so the next is in 30 minutes")
    desk.gateway.clock.advance(30 * 60)
    desk.deliver("phones")
    assert len(ear.got) == 6


# The night


def test_the_night_holds_back_what_can_wait_and_tells_it_in_the_morning(house: Furnish) -> None:
    desk = house(channel(quiet=NIGHT))
    desk.gateway.clock.advance(11 * 3600)  # 23:00 in Shanghai
    desk.post(*some(3), notice("flooded", Priority.CRITICAL), fire(1))
    assert desk.deliver() == 2
    assert desk.ears["group"].ids == [fire(1).id, "alarm_raised.flooded"]
    held = desk.rows(states=["held"])
    seven = desk.gateway.now.wall + 8 * HOUR
    assert [row.until for row in held] == [seven] * 3
    desk.gateway.clock.advance(8 * 3600 - 1)
    assert desk.deliver() == 0
    desk.gateway.clock.advance(1)
    assert desk.deliver() == 1
    morning = desk.ears["group"].got[-1].body
    assert (morning["kind"], morning["count"]) == ("digest", 3)
    assert desk.states() == {"sent": 3, "in_digest": 3}


def test_one_message_of_the_night_is_told_as_itself(house: Furnish) -> None:
    desk = house(channel("hook", ChannelKind.WEBHOOK, quiet=NIGHT))
    desk.gateway.clock.advance(14 * 3600)  # 02:00
    desk.post(notice(1))
    assert desk.deliver("hook") == 0
    desk.gateway.clock.advance(5 * 3600)
    assert desk.deliver("hook") == 1
    assert desk.ears["hook"].ids == ["alarm_raised.1"]


@pytest.mark.parametrize(
    ("hours", "held"), [(9.99, False), (10, True), (18.99, True), (19, False), (24, False)]
)
def test_when_it_is_night(house: Furnish, hours: float, held: bool) -> None:
    desk = house(channel(quiet=NIGHT))
    desk.gateway.clock.advance(hours * 3600)  # from noon
    desk.post(notice(1))
    assert desk.states() == {"held" if held else "waiting": 1}


def test_a_night_begun_with_a_wrong_clock_does_not_last_a_year(house: Furnish) -> None:
    desk = house(channel(quiet=NIGHT))
    desk.gateway.clock.step_wall(365 * 24 * 3600 + 11 * 3600)
    desk.post(notice(1))
    desk.gateway.clock.step_wall(-365 * 24 * 3600)
    desk.gateway.clock.reboot("boot-2")
    assert desk.deliver() == 1


def test_fire_goes_before_what_the_night_held_back_which_counts_as_a_message(
    house: Furnish,
) -> None:
    desk = house(channel(quiet=NIGHT))
    desk.gateway.clock.advance(14 * 3600)  # 02:00
    desk.post(*some(3))
    desk.gateway.clock.advance(5 * 3600)
    desk.post(fire(1), *(notice(number) for number in range(12)))
    desk.deliver()
    desk.gateway.clock.advance(1)
    desk.deliver()
    ids = desk.ears["group"].ids
    assert ids[0] == fire(1).id
    for _ in range(10):
        desk.gateway.clock.advance(15)
        desk.deliver()
    assert set(desk.states()) == {"sent", "in_digest"}
    for at in desk.ears["group"].at:
        assert sum(0 <= other.since(at) < MINUTE for other in desk.ears["group"].at) <= 13
