"""Messages: at least once, under one id, and never held up by another address."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2
import pytest
from duty_room import SITE, TEMPERATURE, Gateway, rulebook, site
from sqlalchemy import select
from structlog.testing import capture_logs

from gateway.model.moment import MINUTE, SECOND
from rules.ledger import outbox, tables
from rules.ledger.store import Ledger
from rules.notify.dispatch import CLAIM, Dispatcher, backoff
from rules.notify.webhook import Outcome, Webhook
from rules.rule import Priority
from rules.worker import Worker

GOOD, OTHER = "http://127.0.0.1:1/good", "http://127.0.0.1:1/other"
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
    gateway = Gateway()
    worker = Worker(site=site(webhooks=addresses), rulebook=rulebook(), ledger=ledger)
    worker.take(gateway.poll(11, {TEMPERATURE: 80}))
    worker.commit(gateway.now)
    return gateway


def dispatcher(ledger: Ledger, gateway: Gateway, handler: Handler, *addresses: str) -> Dispatcher:
    return Dispatcher(
        site=site(webhooks=addresses),
        ledger=ledger,
        webhook=Webhook(transport=httpx2.MockTransport(handler)),
        clock=gateway.clock,
    )


def states(ledger: Ledger) -> list[str]:
    with ledger.reading() as connection:
        return list(connection.execute(select(tables.work.outbox.c.state)).scalars())


def test_what_is_sent(ledger: Ledger) -> None:
    gateway, sink = hot_pump(ledger, GOOD), Sink()
    subject = dispatcher(ledger, gateway, sink, GOOD)
    assert asyncio.run(subject.deliver_one(GOOD))
    assert not asyncio.run(subject.deliver_one(GOOD)), "once"
    alarm = "pump-1.hot.20261121T040001-000000Z"
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
        assert asyncio.run(subject.deliver_one(GOOD))
        gateway.clock.advance(wait - 0.001)
        assert not asyncio.run(subject.deliver_one(GOOD))
        gateway.clock.advance(0.001)
    assert asyncio.run(subject.deliver_one(GOOD))
    assert [body["possibly_repeated"] for _, body in sink.got] == [False] * 3
    assert len({key for key, _ in sink.got}) == 1
    assert states(ledger) == ["sent"]


def test_the_log_does_not_tell_who_may_post(ledger: Ledger) -> None:
    """The query of a chat robot's address is its secret; it went into the log whole."""
    address = "https://robot.example:8443/send/p4th?key=s3cret"
    gateway = hot_pump(ledger, address)
    subject = dispatcher(ledger, gateway, Sink(500), address)
    with capture_logs() as logged:
        assert asyncio.run(subject.deliver_one(address))
    assert [line["address"] for line in logged] == ["https://robot.example"]
    assert "s3cret" not in str(logged)
    assert "p4th" not in str(logged)


def test_a_message_without_an_answer_may_be_a_repetition(ledger: Ledger) -> None:
    gateway, sink = hot_pump(ledger, GOOD), Sink(httpx2.ReadTimeout("nothing"), 500)
    subject = dispatcher(ledger, gateway, sink, GOOD)
    for _ in range(3):
        assert asyncio.run(subject.deliver_one(GOOD))
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
            asyncio.run(dispatcher(ledger, gateway, sink, GOOD).deliver_one(GOOD))
    assert states(ledger) == ["claimed"]
    successor = dispatcher(ledger, gateway, sink, GOOD)
    assert not asyncio.run(successor.deliver_one(GOOD)), "it might still be alive"
    gateway.clock.step_wall(3600)
    assert not asyncio.run(successor.deliver_one(GOOD)), "by the clock that cannot be stepped"
    gateway.clock.advance(CLAIM / SECOND)
    assert asyncio.run(successor.deliver_one(GOOD))
    assert not asyncio.run(successor.deliver_one(GOOD))
    first, second = sink.got
    assert first[0] == second[0]
    assert (first[1]["possibly_repeated"], second[1]["possibly_repeated"]) == (False, True)


def test_two_senders_never_send_the_same_message(ledger: Ledger) -> None:
    gateway, sink = hot_pump(ledger, GOOD), Sink()
    pair = [dispatcher(ledger, gateway, sink, GOOD) for _ in range(2)]

    async def both() -> list[bool]:
        return await asyncio.gather(*(one.deliver_one(GOOD) for one in pair))

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

    def post(notice: str, priority: Priority) -> None:
        with ledger.write(SITE) as entry:
            now = gateway.clock.advance(0.001)
            outbox.post(entry, notice, {}, [GOOD], priority=priority, now=now)

    post("fire", Priority.CRITICAL)
    assert asyncio.run(subject.deliver_one(GOOD)), "refused"
    for number in range(3):
        post(f"dust-{number}", Priority.MINOR)
    post("pump", Priority.MAJOR)
    assert asyncio.run(subject.deliver_one(GOOD)), "the refused one holds up nobody"
    gateway.clock.advance(1)
    while asyncio.run(subject.deliver_one(GOOD)):
        pass
    got = [key for key, _ in sink.got]
    assert got == ["fire", "pump", "fire", "dust-0", "dust-1", "dust-2"]


def test_a_wait_begun_while_the_clock_was_a_year_ahead_does_not_last_a_year(
    ledger: Ledger,
) -> None:
    gateway = Gateway()
    gateway.clock.step_wall(365 * 24 * 3600)
    worker = Worker(site=site(webhooks=(GOOD,)), rulebook=rulebook(), ledger=ledger)
    worker.take(gateway.poll(11, {TEMPERATURE: 80}))
    worker.commit(gateway.now)
    sink = Sink(500, 500)
    subject = dispatcher(ledger, gateway, sink, GOOD)
    assert asyncio.run(subject.deliver_one(GOOD))
    worker.tick(gateway.now)
    worker.commit(gateway.now)
    gateway.clock.step_wall(-365 * 24 * 3600)
    worker.tick(gateway.now)
    worker.commit(gateway.now)
    gateway.clock.reboot("boot-2")
    assert not asyncio.run(subject.deliver_one(GOOD)), "it waits for its second"
    gateway.clock.advance(1)
    assert asyncio.run(subject.deliver_one(GOOD))
    # A restart may also set the clock back, and then nobody has seen it step.
    gateway.clock.reboot("boot-3")
    gateway.clock.step_wall(-8 * 3600)
    assert asyncio.run(subject.deliver_one(GOOD))
    assert states(ledger) == ["sent"]


def test_backoff_grows_to_five_minutes() -> None:
    assert [backoff(n) // SECOND for n in (1, 2, 3, 9, 10, 1000)] == [1, 2, 4, 256, 300, 300]
    assert backoff(50) == 5 * MINUTE


# The wire itself


@asynccontextmanager
async def server(reply: bytes, *, then_hang: bool = False) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(reply)
            await writer.drain()
            if then_hang:
                await asyncio.sleep(60)
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/hook"
    finally:
        listening.close()


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", Outcome.DELIVERED),
        (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n", Outcome.REFUSED),
        (b"HTTP/1.1 429 Slow Down\r\nContent-Length: 0\r\n\r\n", Outcome.REFUSED),
        (b"garbage\r\n\r\n", Outcome.DOUBTFUL),
        (b"", Outcome.DOUBTFUL),
    ],
)
def test_what_an_answer_on_the_wire_means(reply: bytes, outcome: Outcome) -> None:
    async def send() -> Outcome:
        async with server(reply) as address, Webhook() as webhook:
            return (await webhook.send(address, "k", {})).outcome

    assert asyncio.run(send()) is outcome


def test_an_answer_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rules.notify.webhook.TIMEOUT_S", 0.2)
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 10_000

    async def send(reply: bytes) -> Outcome:
        async with server(reply, then_hang=True) as address, Webhook() as webhook:
            return (await webhook.send(address, "k", {})).outcome

    assert asyncio.run(send(endless)) is Outcome.DELIVERED, "the status is the answer"
    assert asyncio.run(send(b"HTTP/1.1")) is Outcome.DOUBTFUL


def test_nobody_there_is_refused(free_port: int) -> None:
    async def send() -> Outcome:
        async with Webhook() as webhook:
            return (await webhook.send(f"http://127.0.0.1:{free_port}/", "k", {})).outcome

    assert asyncio.run(send()) is Outcome.REFUSED
