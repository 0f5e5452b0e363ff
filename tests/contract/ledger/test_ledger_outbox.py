"""Messages: at least once, under one id, and never held up by another channel."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import httpx2
import pytest
from duty_room import SITE, Gateway, site
from sqlalchemy import select
from structlog.testing import capture_logs

from gateway.model.channels import plain_webhook_id
from gateway.model.equipment import Site
from gateway.model.moment import MINUTE, SECOND, Instant
from gateway.model.point import Text
from rules.ledger import outbox, tables, timers
from rules.ledger.store import Ledger
from rules.notify import posting
from rules.notify.carrier import Carrier
from rules.notify.dispatch import CLAIM, Dispatcher, backoff
from rules.notify.notice import Notice, NoticeKind
from rules.notify.webhook import Webhook
from rules.notify.wire import Wire
from rules.rule import Priority

GOOD, OTHER = "http://127.0.0.1:1/good", "http://127.0.0.1:1/other"
GOOD_ID = plain_webhook_id(GOOD)
Handler = Callable[[httpx2.Request], Awaitable[httpx2.Response]]


class Sink:
    """A receiver that answers as told and keeps what it was sent."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.got: list[tuple[str, dict[str, object]]] = []

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.got.append((request.headers["Idempotency-Key"], json.loads(request.content)))
        answer = self.answers.pop(0) if self.answers else 204
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer, headers={"Location": OTHER})


def hot_pump(ledger: Ledger, *addresses: str) -> Gateway:
    """Eleven seconds after noon it is told that pump 1 is too hot."""
    gateway = Gateway()
    gateway.clock.advance(11)
    post(ledger, gateway, hot(gateway.now), site(webhooks=addresses))
    return gateway


def hot(now: Instant) -> Notice:
    return Notice(
        id="alarm_raised.hot-1",
        kind=NoticeKind.ALARM_RAISED,
        at=now.wall,
        subject="hot-1",
        title=Text(zh="设备 pump-1 规则 hot", en="Thing pump-1: Rule hot"),
        priority=Priority.MAJOR,
        area="b1",
        equipment=Text(zh="设备 pump-1", en="Thing pump-1"),
        guidance=Text(zh="看", en="look"),
    )


def post(ledger: Ledger, gateway: Gateway, notice: Notice, here: Site) -> None:
    with ledger.write(SITE) as entry:
        posting.post(entry, here, notice, gateway.now)


def dispatcher(ledger: Ledger, gateway: Gateway, handler: Handler, *addresses: str) -> Dispatcher:
    """By the channels that ``addresses`` stand for; ``handler`` answers all of them."""
    here = site(webhooks=addresses)
    carriers: dict[str, Carrier] = {}
    for channel in here.channels:
        wire = Wire(
            allow=frozenset({channel.host}),
            resolve=anywhere,
            transport=httpx2.MockTransport(handler),
        )
        carriers[channel.id] = Webhook(wire, channel.address, "", gateway.clock)
    return Dispatcher(site=here, ledger=ledger, carriers=carriers, clock=gateway.clock)


async def anywhere(_host: str, _port: int) -> list[str]:
    return ["192.0.2.1"]


def states(ledger: Ledger) -> list[str]:
    with ledger.reading() as connection:
        return list(connection.execute(select(tables.outbox.outbox.c.state)).scalars())


def test_what_is_sent(ledger: Ledger) -> None:
    gateway, sink = hot_pump(ledger, GOOD), Sink()
    subject = dispatcher(ledger, gateway, sink, GOOD)
    assert asyncio.run(subject.deliver_one(GOOD_ID))
    assert not asyncio.run(subject.deliver_one(GOOD_ID)), "once"
    alarm = "hot-1"
    assert sink.got == [
        (
            f"alarm_raised.{alarm}",
            {
                "id": f"alarm_raised.{alarm}",
                "kind": "alarm_raised",
                "at": "2026-11-21T12:00:11.000+08:00",
                "subject": alarm,
                "title": {"zh": "设备 pump-1 规则 hot", "en": "Thing pump-1: Rule hot"},
                "priority": "major",
                "life_safety": False,
                "site": {"id": SITE, "zh": "锦绣花园", "en": "Brocade Garden"},
                "area": {"id": "b1", "zh": "B1", "en": "B1"},
                "equipment": {"zh": "设备 pump-1", "en": "Thing pump-1"},
                "guidance": {"zh": "看", "en": "look"},
                "possibly_repeated": False,
            },
        )
    ]
    assert states(ledger) == ["sent"]


@pytest.mark.parametrize("answer", [500, 404, 301, httpx2.ConnectError("refused")])
def test_a_refused_message_comes_again_later_and_is_no_repetition(
    ledger: Ledger, answer: int | Exception
) -> None:
    gateway, sink = hot_pump(ledger, GOOD), Sink(answer, answer)
    subject = dispatcher(ledger, gateway, sink, GOOD)
    for wait in (1, 2):
        assert asyncio.run(subject.deliver_one(GOOD_ID))
        gateway.clock.advance(wait - 0.001)
        assert not asyncio.run(subject.deliver_one(GOOD_ID))
        gateway.clock.advance(0.001)
    assert asyncio.run(subject.deliver_one(GOOD_ID))
    assert [body["possibly_repeated"] for _, body in sink.got] == [False] * 3
    assert len({key for key, _ in sink.got}) == 1
    assert states(ledger) == ["sent"]


def test_the_log_does_not_tell_who_may_post(ledger: Ledger) -> None:
    """The query of a chat robot's address is its secret; it went into the log whole."""
    address = "https://robot.example:8443/send/p4th?key=s3cret"
    gateway = hot_pump(ledger, address)
    subject = dispatcher(ledger, gateway, Sink(500), address)
    with capture_logs() as logged:
        assert asyncio.run(subject.deliver_one(plain_webhook_id(address)))
    assert [line["host"] for line in logged] == ["robot.example"]
    assert "s3cret" not in str(logged)
    assert "p4th" not in str(logged)


def test_a_message_without_an_answer_may_be_a_repetition(ledger: Ledger) -> None:
    gateway, sink = hot_pump(ledger, GOOD), Sink(httpx2.ReadTimeout("nothing"), 500)
    subject = dispatcher(ledger, gateway, sink, GOOD)
    for _ in range(3):
        assert asyncio.run(subject.deliver_one(GOOD_ID))
        gateway.clock.advance(10)
    assert [body["possibly_repeated"] for _, body in sink.got] == [False, True, True]


def test_a_sender_that_died_between_sending_and_marking(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, sink = hot_pump(ledger, GOOD), Sink()

    class PowerCutError(BaseException):
        pass

    def die(_name: str) -> None:
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr("rules.notify.dispatch.failpoint.reach", die)
        with pytest.raises(PowerCutError):
            asyncio.run(dispatcher(ledger, gateway, sink, GOOD).deliver_one(GOOD_ID))
    assert states(ledger) == ["claimed"]
    successor = dispatcher(ledger, gateway, sink, GOOD)
    assert not asyncio.run(successor.deliver_one(GOOD_ID)), "it might still be alive"
    gateway.clock.step_wall(3600)
    assert not asyncio.run(successor.deliver_one(GOOD_ID)), "by the clock that cannot be stepped"
    gateway.clock.advance(CLAIM / SECOND)
    assert asyncio.run(successor.deliver_one(GOOD_ID))
    assert not asyncio.run(successor.deliver_one(GOOD_ID))
    first, second = sink.got
    assert first[0] == second[0]
    assert (first[1]["possibly_repeated"], second[1]["possibly_repeated"]) == (False, True)


def test_two_senders_never_send_the_same_message(ledger: Ledger) -> None:
    gateway, sink = hot_pump(ledger, GOOD), Sink()
    pair = [dispatcher(ledger, gateway, sink, GOOD) for _ in range(2)]

    async def both() -> list[bool]:
        return await asyncio.gather(*(one.deliver_one(GOOD_ID) for one in pair))

    assert sorted(asyncio.run(both())) == [False, True]
    assert len(sink.got) == 1


def test_a_hanging_address_holds_up_no_other(ledger: Ledger) -> None:
    gateway = hot_pump(ledger, OTHER, GOOD)
    got = asyncio.Event()
    stop = asyncio.Event()

    async def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/other":
            await stop.wait()
        got.set()
        return httpx2.Response(204)

    async def scenario() -> None:
        subject = dispatcher(ledger, gateway, handler, OTHER, GOOD)
        running = asyncio.create_task(subject.run(stop))
        async with asyncio.timeout(10):
            await got.wait()
            stop.set()
            await running

    asyncio.run(scenario())
    assert states(ledger) == ["sent", "sent"]


def test_the_most_urgent_message_goes_first_then_the_oldest(ledger: Ledger) -> None:
    gateway, sink = Gateway(), Sink(500)
    subject = dispatcher(ledger, gateway, sink, GOOD)

    def put(notice: str, priority: Priority) -> None:
        with ledger.write(SITE) as entry:
            now = gateway.clock.advance(0.001)
            outbox.post(entry, notice, {"kind": "x"}, GOOD_ID, rank=priority.rank, now=now)

    put("fire", Priority.CRITICAL)
    assert asyncio.run(subject.deliver_one(GOOD_ID)), "refused"
    for number in range(3):
        put(f"dust-{number}", Priority.MINOR)
    put("pump", Priority.MAJOR)
    assert asyncio.run(subject.deliver_one(GOOD_ID)), "the refused one holds up nobody"
    gateway.clock.advance(1)
    while asyncio.run(subject.deliver_one(GOOD_ID)):
        pass
    got = [key for key, _ in sink.got]
    assert got == ["fire", "pump", "fire", "dust-0", "dust-1", "dust-2"]


def test_a_wait_begun_while_the_clock_was_a_year_ahead_does_not_last_a_year(
    ledger: Ledger,
) -> None:
    gateway = Gateway()
    gateway.clock.step_wall(365 * 24 * 3600)
    post(ledger, gateway, hot(gateway.now), site(webhooks=(GOOD,)))
    sink = Sink(500, 500)
    subject = dispatcher(ledger, gateway, sink, GOOD)
    assert asyncio.run(subject.deliver_one(GOOD_ID))
    gateway.clock.step_wall(-365 * 24 * 3600)
    with ledger.write(SITE) as entry:
        timers.anchor_again(entry, gateway.now)
    gateway.clock.reboot("boot-2")
    assert not asyncio.run(subject.deliver_one(GOOD_ID)), "it waits for its second"
    gateway.clock.advance(1)
    assert asyncio.run(subject.deliver_one(GOOD_ID))
    # A restart may also set the clock back, and then nobody has seen it step.
    gateway.clock.reboot("boot-3")
    gateway.clock.step_wall(-8 * 3600)
    assert asyncio.run(subject.deliver_one(GOOD_ID))
    assert states(ledger) == ["sent"]


def test_backoff_grows_to_five_minutes() -> None:
    assert [backoff(n) // SECOND for n in (1, 2, 3, 9, 10, 1000)] == [1, 2, 4, 256, 300, 300]
    assert backoff(50) == 5 * MINUTE
