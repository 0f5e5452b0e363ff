"""The rules as a service over a spool and a bus, in this process and killed in their own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from duty_room import SITE, TEMPERATURE, Gateway, rulebook, site
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from staff import hire

from gateway.bus.memory import MemoryBus
from gateway.bus.stream import Publisher
from gateway.clock import ManualClock, SystemClock
from gateway.model.equipment import Site
from gateway.model.events import encode
from gateway.spool.queue import Spool
from rules import service
from rules.ledger import tables
from rules.ledger.rows import Alarm, WorkOrder
from rules.ledger.store import Ledger, open_ledger
from rules.people.roles import Role

CHILD = """
import asyncio, sys
from pathlib import Path
from test_ledger_service import serve
asyncio.run(serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
"""


class Sink(ThreadingHTTPServer):
    """A receiver of webhooks that keeps what it got."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        sink = self

        class Receive(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        super().__init__(("127.0.0.1", 0), Receive)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


@pytest.fixture
def sink() -> Iterator[Sink]:
    made = Sink()
    Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def recent() -> Gateway:
    """A gateway whose records are a minute old."""
    return Gateway(clock=ManualClock(SystemClock().now().wall - 60_000_000))


def write(spool: Spool, gateway: Gateway) -> None:
    for record in gateway.said[spool.next_seq - 1 :]:
        spool.append(record.envelope.seq, encode(record))
    spool.sync()


async def run(where: Site, ledger: Ledger, spool: Spool, stop: asyncio.Event) -> None:
    """The service beside a publisher that tells of new records."""
    bus = MemoryBus()
    publisher = Publisher(spool, bus, SITE, "gw-1")
    publisher.start()
    rules = asyncio.create_task(
        service.run(
            site=where,
            rulebook=rulebook(),
            bus=bus,
            ledger=ledger,
            clock=SystemClock(),
            stop=stop,
        )
    )
    while not rules.done():
        await publisher.publish()
        await asyncio.sleep(0.05)
    await publisher.close()
    rules.result()


async def serve(spool: Path, place: str, address: str) -> None:
    """What the killed process does, until it is killed."""
    await run(site(webhooks=(address,)), open_ledger(place), Spool.open(spool), asyncio.Event())


def rows(ledger: Ledger) -> tuple[list[Alarm], list[WorkOrder]]:
    with ledger.read(SITE) as view:
        return view.alarms(), view.orders()


def outbox(ledger: Ledger) -> list[str]:
    with ledger.reading() as connection:
        return list(connection.execute(select(tables.outbox.outbox.c.state)).scalars())


async def until(look: Callable[[], object], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not look():  # noqa: ASYNC110 (what is looked at is another process)
            await asyncio.sleep(0.02)


def test_from_the_spool_to_the_order_and_the_message(
    ledger: Ledger, tmp_path: Path, sink: Sink
) -> None:
    async def check() -> None:
        gateway, spool, stop = recent(), Spool.open(tmp_path / "spool"), asyncio.Event()
        gateway.epoch = spool.epoch
        hire(ledger, site(), "li", Role.TECHNICIAN, gateway.now)
        running = asyncio.create_task(run(site(webhooks=(sink.address,)), ledger, spool, stop))
        gateway.poll(5, {"pump-1.fault": 0})
        write(spool, gateway)
        gateway.poll(1, {"pump-1.fault": 1})
        write(spool, gateway)
        await until(lambda: rows(ledger)[1])
        await until(lambda: sink.got)
        await until(lambda: not spool.backlog("rules"))
        stop.set()
        await asyncio.wait_for(running, 5)

    asyncio.run(check())
    alarms, orders = rows(ledger)
    assert [alarm.rule for alarm in alarms] == ["fault"]
    assert len(orders) == len(sink.got) == 1


def test_what_came_up_just_before_the_end_is_committed(ledger: Ledger, tmp_path: Path) -> None:
    async def check() -> None:
        gateway, spool, stop = recent(), Spool.open(tmp_path / "spool"), asyncio.Event()
        gateway.epoch = spool.epoch
        gateway.poll(3, {"pump-1.speed": 1})
        write(spool, gateway)
        running = asyncio.create_task(run(site(), ledger, spool, stop))
        await until(lambda: not spool.backlog("rules"))
        gateway.poll(3, {"pump-1.speed": 1})
        write(spool, gateway)
        await asyncio.sleep(0.3)
        stop.set()
        await asyncio.wait_for(running, 5)
        assert not spool.backlog("rules"), "the cursor moved at the end"

    asyncio.run(check())


def test_a_ledger_out_of_reach_is_waited_for(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        gateway, spool, stop = recent(), Spool.open(tmp_path / "spool"), asyncio.Event()
        gateway.epoch = spool.epoch
        gateway.poll(1, {"pump-1.fault": 1})
        write(spool, gateway)
        failures = 0

        def fail(*_: object) -> None:
            nonlocal failures
            failures += 1
            raise OperationalError("COMMIT", {}, Exception("disk full"))

        with monkeypatch.context() as patch:
            patch.setattr("rules.worker.kept_conditions.save", fail)
            running = asyncio.create_task(run(site(), ledger, spool, stop))
            await until(lambda: failures > 1)
            assert rows(ledger) == ([], [])
        await until(lambda: rows(ledger)[1])
        stop.set()
        await asyncio.wait_for(running, 5)

    asyncio.run(check())
    assert [len(found) for found in rows(ledger)] == [1, 1]


def is_over(ledger: Ledger) -> bool:
    """The alarm has come and gone, and all was told."""
    alarms, orders = rows(ledger)
    gone = [alarm.state for alarm in alarms] == ["returned_unacknowledged"]
    return gone and bool(orders) and set(outbox(ledger)) == {"sent"}


@pytest.mark.slow
@pytest.mark.parametrize("point", ["before-commit", "after-commit", "between-send-and-mark"])
def test_killed_at_a_failpoint_and_started_again(
    place: str, tmp_path: Path, sink: Sink, point: str
) -> None:
    """kill -9 at each place of danger: one alarm, one order, at least one message."""
    ledger = open_ledger(place)
    gateway, spool = recent(), Spool.open(tmp_path / "spool")
    gateway.epoch = spool.epoch
    hire(ledger, site(), "li", Role.TECHNICIAN, gateway.now)
    gateway.poll(15, {TEMPERATURE: 80})
    gateway.poll(30, {TEMPERATURE: 60})
    write(spool, gateway)
    spool.close()
    here = Path(__file__)
    paths = [str(here.parent), str(here.parents[3]), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-c", CHILD, str(tmp_path / "spool"), place, sink.address]
    with subprocess.Popen(command, env={**environment, "DUTYROOM_FAILPOINT": point}) as killed:
        assert killed.wait(30) == -signal.SIGKILL
    if point == "before-commit":
        assert rows(ledger) == ([], [])
    with subprocess.Popen(command, env=environment) as again:
        try:
            asyncio.run(until(lambda: is_over(ledger), 30))
        finally:
            again.kill()
    (alarm,), (order,) = rows(ledger)
    ledger.close()
    assert alarm.state == "returned_unacknowledged"
    assert order.alarms == (alarm.id,)
    assert {notice["id"] for notice in sink.got} == {f"alarm_raised.{alarm.id}"}
    repeated = [notice["possibly_repeated"] for notice in sink.got]
    assert repeated == ([False, True] if point == "between-send-and-mark" else [False])
