"""A site with channels, an ear at each, and what is said on them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from duty_room import SITE, Gateway, site

from gateway.clock import ManualClock
from gateway.model.channels import Channel, ChannelKind, Quiet
from gateway.model.equipment import Site
from gateway.model.moment import Instant
from gateway.model.point import Text
from rules.ledger import outbox_view
from rules.ledger.outbox_view import Posted
from rules.ledger.store import Ledger
from rules.notify import posting
from rules.notify.carrier import Answer, Message, Outcome
from rules.notify.dispatch import Dispatcher
from rules.notify.notice import Notice, NoticeKind
from rules.rule import Priority

NIGHT = Quiet(start=22 * 60, end=7 * 60)
ALL = frozenset(one.value for one in Priority)
TAKEN = Answer(outcome=Outcome.DELIVERED)
PASSWORD = "pässwort"
TOO_FAST = Answer(outcome=Outcome.THROTTLED, detail="errcode 130101: send too fast")


def channel(name: str = "group", kind: ChannelKind = ChannelKind.WECOM, **more: object) -> Channel:
    terms: dict[str, object] = {"address": "https://robot.example/", "priorities": ALL}
    if kind is not ChannelKind.WEBHOOK:
        terms["digest_after"] = 12
    return Channel(id=name, kind=kind, **(terms | more))  # type: ignore[arg-type]


@dataclass
class Ear:
    """A carrier that answers as told, and else takes everything."""

    answers: list[Answer] = field(default_factory=list)
    always: Answer = TAKEN
    got: list[Message] = field(default_factory=list)
    at: list[Instant] = field(default_factory=list)
    clock: ManualClock | None = None

    async def send(self, message: Message) -> Answer:
        self.got.append(message)
        if self.clock is not None:
            self.at.append(self.clock.now())
        return self.answers.pop(0) if self.answers else self.always

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.got]


@dataclass
class House:
    """A site with channels and an ear at each."""

    ledger: Ledger
    here: Site
    gateway: Gateway
    ears: dict[str, Ear]
    dispatcher: Dispatcher

    def post(self, *notices: Notice) -> None:
        with self.ledger.write(SITE) as entry:
            for notice in notices:
                posting.post(entry, self.here, notice, self.gateway.now)

    def deliver(self, name: str = "group") -> int:
        """Everything that may go now; how many messages that were."""
        sent = 0
        while asyncio.run(self.dispatcher.deliver_one(name)):
            sent += 1
        return sent

    def rows(self, **wanted: object) -> list[Posted]:
        with self.ledger.read(SITE) as view:
            return outbox_view.posted(view, limit=20_000, **wanted)  # type: ignore[arg-type]

    def states(self) -> Counter[str]:
        return Counter(row.state for row in self.rows())


Furnish = Callable[..., House]


def furnished(ledger: Ledger) -> Furnish:
    """Makes houses on this ledger."""

    def furnish(*channels: Channel, public_url: str = "") -> House:
        gateway, here = Gateway(), site(channels=channels)
        ears = {one.id: Ear(clock=gateway.clock) for one in channels}
        dispatcher = Dispatcher(
            site=here, ledger=ledger, carriers=ears, clock=gateway.clock, public_url=public_url
        )
        return House(ledger, here, gateway, ears, dispatcher)

    return furnish


def notice(
    number: int | str,
    priority: Priority = Priority.MAJOR,
    *,
    to: tuple[str, ...] = (),
    life_safety: bool = False,
) -> Notice:
    return Notice(
        id=f"alarm_raised.{number}",
        kind=NoticeKind.ALARM_RAISED,
        at=0,
        subject=str(number),
        title=Text(zh=f"报警 {number}", en=f"Alarm {number}"),
        priority=priority,
        to=to,
        life_safety=life_safety,
    )


def fire(number: int | str) -> Notice:
    return notice(f"fire-{number}", Priority.CRITICAL, life_safety=True)


def some(count: int) -> Iterable[Notice]:
    return (notice(f"{number:05d}", Priority.MINOR) for number in range(count))
