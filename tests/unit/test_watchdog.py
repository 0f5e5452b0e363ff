"""The watchdog outside: when it tells people, what it tells, and whom."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from api import watchdog
from api.watchdog import Watch
from gateway.clock import ManualClock, SystemClock
from gateway.model.moment import SECOND, Instant
from rules.notify.webhook import place

BEGAN = Instant(wall=0, mono=0, boot="b")
UNWELL = {"status": "failing", "checks": {"ledger": "ok", "gateway": "silent for 40 s"}}


def looks(*troubles: str | None, every: int = 5, after: int = 20) -> list[tuple[int, bool]]:
    """When which verdict came, in s."""
    watch = Watch(after * SECOND, BEGAN)
    found = []
    for number, trouble in enumerate(troubles):
        now = BEGAN.plus(number * every * SECOND)
        verdict = watch.look(trouble, now)
        if verdict is not None:
            found.append((number * every, verdict.well))
    return found


def test_only_what_lasts_is_told_and_once() -> None:
    assert looks(None, "x", "x", "x", None, None) == []
    assert looks(None, *["x"] * 10) == [(20, False)]
    assert looks(None, *["x"] * 6, None, None, "x", None) == [(20, False), (35, True)]
    assert looks(*["x"] * 6) == [(20, False)], "what was never well is told of too"


@given(st.lists(st.sampled_from([None, "x"]), max_size=40))
def test_good_and_bad_news_alternate(troubles: list[str | None]) -> None:
    verdicts = [well for _, well in looks(*troubles)]
    assert verdicts == [bool(number % 2) for number in range(len(verdicts))]


class Receiver:
    """A web server with answers that can be changed, and a memory."""

    def __init__(self) -> None:
        self.health: tuple[int, bytes] = (200, b"{}")
        self.refuse = 0
        self.got: list[dict[str, object]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = receiver.health
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.refuse -= 1
                self.send_response(503 if receiver.refuse >= 0 else 204)
                if receiver.refuse < 0:
                    receiver.got.append({**body, "path": self.path})
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@contextmanager
def watching(receiver: Receiver, **options: object) -> Iterator[None]:
    """A watchdog that looks every 20 ms, in a thread; the context ends it."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    settings = {
        "url": f"{receiver.address}/healthz",
        "webhooks": (f"{receiver.address}/hook",),
        "heartbeat": None,
        "every": 0.02,
        "after": 0.2,
        "clock": SystemClock(),
        **options,
    }
    thread = Thread(target=lambda: loop.run_until_complete(watchdog.run(**settings, stop=stop)))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        assert not thread.is_alive()
        loop.close()


def until(true: Callable[[], bool], seconds: float = 10) -> None:
    async def wait() -> None:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110  # it comes true in another thread
                await asyncio.sleep(0.01)

    asyncio.run(wait())


def test_people_are_told_what_is_wrong_and_when_it_is_well_again(receiver: Receiver) -> None:
    receiver.refuse = 2
    with watching(receiver):
        receiver.health = (503, json.dumps(UNWELL).encode())
        until(lambda: len(receiver.got) == 1)
        receiver.health = (200, b"{}")
        until(lambda: len(receiver.got) == 2)
    first, second = receiver.got
    assert (first["kind"], first["priority"]) == ("watchdog_unwell", "critical")
    assert "gateway: silent for 40 s" in str(first["title"])
    assert "ledger" not in str(first["title"])
    assert (second["kind"], second["priority"]) == ("watchdog_well", "info")
    assert first["id"] != second["id"]


def test_the_log_does_not_tell_who_may_post(receiver: Receiver) -> None:
    """The query of a chat robot's address is its secret; it went into the log whole."""
    receiver.refuse = 1
    address = f"{receiver.address}/p4th?key=s3cret"
    with capture_logs() as logged:
        assert not asyncio.run(watchdog.tell((address,), watchdog.of_unit("x.service", BEGAN)))
    assert [line["address"] for line in logged] == ["http://127.0.0.1"]
    assert "s3cret" not in str(logged)


def test_what_is_no_address_is_not_told_either() -> None:
    assert place("https://user:s3cret@robot.example/x") == "https://robot.example"
    for none in ("http://robot.example:x/s3cret", "robot.example/s3cret", "s3cret"):
        assert place(none) == "an address that is none"


@pytest.mark.parametrize(
    "health", [(503, b"["), (503, b"[]"), (500, b""), (302, b""), (404, b'{"checks": 3}')]
)
def test_any_other_answer_is_trouble_too(receiver: Receiver, health: tuple[int, bytes]) -> None:
    receiver.health = health
    with watching(receiver):
        until(lambda: len(receiver.got) == 1)
    assert f"HTTP {health[0]}" in str(receiver.got[0]["title"])


def test_nobody_answers(receiver: Receiver, free_port: int) -> None:
    with watching(receiver, url=f"http://127.0.0.1:{free_port}/healthz"):
        until(lambda: len(receiver.got) == 1)
    assert "no answer" in str(receiver.got[0]["title"])


def test_the_heartbeat_beats_while_all_is_well(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "HEARTBEAT_S", 0.05)

    def beats() -> int:
        return sum(one["kind"] == "watchdog_heartbeat" for one in receiver.got)

    with watching(receiver, heartbeat=f"{receiver.address}/beat"):
        until(lambda: beats() >= 3)
        receiver.health = (503, b"{}")
        until(lambda: any(one["kind"] == "watchdog_unwell" for one in receiver.got))
        before = beats()
        receiver.health = (200, b"{}")
        until(lambda: beats() > before)
    assert {one["path"] for one in receiver.got if one["kind"] == "watchdog_heartbeat"} == {"/beat"}


def test_what_systemd_tells(receiver: Receiver) -> None:
    body = watchdog.of_unit("dutyroom-gateway.service", ManualClock(0).now())
    assert asyncio.run(watchdog.tell([f"{receiver.address}/hook"], body))
    (got,) = receiver.got
    assert (got["kind"], got["subject"]) == ("watchdog_failed", "dutyroom-gateway.service")
    assert got["at"] == "1970-01-01T00:00:00.000+00:00"
    receiver.refuse = 1
    assert not asyncio.run(watchdog.tell([f"{receiver.address}/hook"], body))
