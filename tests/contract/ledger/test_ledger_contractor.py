"""A contractor's link and the photographs of an order, as rows: what holds under parallel writes,
and who hears of a link."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
from channel_house import Ear, channel, notice
from duty_room import SITE, person, site
from order_desk import OFFICER, OrderDesk
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from gateway.model.channels import ChannelKind
from gateway.model.moment import DAY
from rules.actions import attachments as attachment_actions
from rules.actions import contractor_links as actions
from rules.actions import orders as order_actions
from rules.actions.act import Act
from rules.actions.attachments import NewAttachment
from rules.attached_files import AttachedFile
from rules.contractor_link import Links, token_hash
from rules.ledger import attachments, dump
from rules.ledger import contractor_links as stored
from rules.ledger.attachments import AttachmentKind, SubjectKind
from rules.ledger.contractor_links import ContractorLink
from rules.ledger.store import Ledger
from rules.ledger.tables.outbox import outbox
from rules.notify import posting
from rules.notify.dispatch import Dispatcher
from rules.people import people
from rules.people.people import Person
from rules.people.roles import PROGRAM, Permission, Role, Via
from rules.refusals import ConflictError, NotFoundError

LINKS = Links(key=b"k" * 32, lasts=14 * DAY)
SMS = channel("sms", ChannelKind.SMS, priorities=frozenset({"critical", "major", "minor"}))


@pytest.fixture
def desk(ledger: Ledger) -> OrderDesk:
    """An order, a contractor who could take it, a text message that reaches only who is meant, one
    that reaches the duty room too, and a chat."""
    to_all = replace(SMS, id="sms-to-all", to=("13900000001",))
    here = site(channels=(SMS, to_all, channel("chat")))
    desk = OrderDesk(ledger, site=here)
    firm = Person(
        username="firm",
        display_name="电梯公司",
        role=Role.TECHNICIAN,
        contractor=True,
        can_log_in=False,
        phone="13900000007",
    )
    people.add(ledger, here, firm, actor=PROGRAM, now=desk.gateway.now)
    desk.heat()
    return desk


def given(desk: OrderDesk) -> str:
    """The token of the link that the contractor gets with the order."""
    desk.do("assign", OFFICER, to="firm", note=None, links=LINKS)
    with desk.ledger.read(SITE) as view:
        link = stored.of_order(view, desk.order().id)
    assert link is not None
    return LINKS.token(SITE, link.id)


def held(desk: OrderDesk, token: str) -> actions.Held:
    with desk.ledger.read(SITE) as view:
        return actions.held(view, token, desk.gateway.now.wall)


def test_whoever_was_sent_away_while_a_step_came_takes_none(desk: OrderDesk) -> None:
    """The link was good when the request came and is not in the transaction of the step."""
    token = given(desk)
    found = held(desk, token)
    now = desk.gateway.now
    admit = partial(actions.admit, token, now.wall)
    act = Act(desk.ledger, SITE, found.order.id, found.actor, now, None, admit)
    actions.revoke(replace(act, actor=OFFICER, admit=None))
    with pytest.raises(NotFoundError):
        order_actions.accept(act)
    assert desk.order().state == "assigned"
    assert "accept" not in desk.steps()


def test_an_order_has_one_link_that_counts(desk: OrderDesk) -> None:
    given(desk)
    with desk.ledger.read(SITE) as view:
        link = stored.of_order(view, desk.order().id)
    assert link is not None
    other = ContractorLink(
        id="another",
        order_id=link.order_id,
        username="firm",
        created_at=1,
        created_by="x",
        expires_at=2,
    )
    with pytest.raises(IntegrityError), desk.ledger.write(SITE) as entry:
        stored.add(entry, other, token_hash("another"))


def test_a_link_gives_no_right_beyond_the_work_and_the_one_area(desk: OrderDesk) -> None:
    actor = held(desk, given(desk)).actor
    assert actor.via is Via.LINK
    allowed = {one for one in Permission if replace(actor, role=Role.ADMIN).may(one)}
    assert allowed == {Permission.VIEW, Permission.ACCEPT_ORDER, Permission.COMPLETE_ORDER}
    assert not actor.may(Permission.COMPLETE_ORDER, "elsewhere")


def test_only_a_text_message_to_the_contractor_alone_has_the_link(desk: OrderDesk) -> None:
    token = given(desk)
    ears = {one.id: Ear() for one in desk.site.channels}
    dispatcher = Dispatcher(
        site=desk.site,
        ledger=desk.ledger,
        carriers=ears,
        clock=desk.gateway.clock,
        public_url="https://duty.example",
        link_key=LINKS.key,
    )
    for name in ears:
        while asyncio.run(dispatcher.deliver_one(name)):
            pass
    told = {
        name: [one.body for one in ear.got if one.body["kind"] == "order_assigned"]
        for name, ear in ears.items()
    }
    assert [body["link"] for body in told["sms"]] == [f"https://duty.example/c/{token}"]
    for others in ("sms-to-all", "chat"):
        assert [token in str(body) for body in told[others]] == [False]
    assert not any("contractor_link" in body for bodies in told.values() for body in bodies)
    with desk.ledger.reading() as connection:
        assert token not in str(connection.execute(select(outbox)).all())


def test_the_link_is_lost_in_no_digest(desk: OrderDesk) -> None:
    """A text of several was sent in its place, and the contractor had no way to the order."""
    token = given(desk)
    ear = Ear()
    ears = {one.id: Ear() for one in desk.site.channels} | {"sms": ear}
    dispatcher = Dispatcher(
        site=desk.site,
        ledger=desk.ledger,
        carriers=ears,
        clock=desk.gateway.clock,
        public_url="https://duty.example",
        link_key=LINKS.key,
    )
    with desk.ledger.write(SITE) as entry:
        for number in range(30):
            posting.post(entry, desk.site, notice(number, to=("firm",)), desk.gateway.now)
    # The night has held all of it back, the assignment too.
    with desk.ledger.writing() as connection:
        connection.execute(update(outbox).values(state="held"))
    for _ in range(10):
        while asyncio.run(dispatcher.deliver_one("sms")):
            pass
        desk.gateway.clock.advance(15)
    said = [(one.body["kind"], one.body.get("link")) for one in ear.got]
    assert said.count(("order_assigned", f"https://duty.example/c/{token}")) == 1
    assert any(kind == "digest" for kind, _ in said)
    assert len(said) < 10


def test_no_backup_brings_back_a_link(desk: OrderDesk) -> None:
    """One that was revoked since must let nobody in again."""
    token, lines = given(desk), []
    dump.dump(desk.ledger, lines.append, lambda _: None)
    whole = b"".join(lines)
    assert b'"contractor_link","columns"' not in whole
    assert token_hash(token).encode() not in whole


def test_of_many_photographs_at_once_an_order_takes_as_many_as_it_may(
    desk: OrderDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachment_actions, "MOST", 3)
    act = Act(desk.ledger, SITE, desk.order().id, person("li", Role.TECHNICIAN), desk.gateway.now)
    new = NewAttachment(kind=AttachmentKind.PHOTO)
    file = AttachedFile(
        media_type="image/jpeg", size=3, sha256="0" * 64, sent_size=4, sent_sha256="1" * 64
    )

    def add(number: int) -> bool:
        try:
            attachment_actions.attach(replace(act, key=f"k{number}"), new, file)
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(add, range(8)))
    assert sum(taken) == 3
    with desk.ledger.read(SITE) as view:
        assert len(attachments.of_subject(view, SubjectKind.ORDER, act.subject)) == 3
    assert attachments.hashes(desk.ledger) == ["0" * 64]
