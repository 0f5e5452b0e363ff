"""A duty room for the API: the demonstration site on a real ledger and a real history."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np
import orjson
from fastapi import FastAPI
from starlette.testclient import TestClient

from api import service
from api.app import create_app
from api.demo import Demo
from api.tls.in_force import Tls
from gateway.bus.chunk import Chunk
from gateway.bus.chunk import encode as encode_chunk
from gateway.bus.memory import MemoryBus
from gateway.bus.questions import Questions
from gateway.bus.stream import Topics
from gateway.clock import ManualClock
from gateway.history.base import Cursor
from gateway.history.embedded import EmbeddedHistory
from gateway.latest import Latest
from gateway.model.equipment import Site
from gateway.model.events import Envelope, Record
from gateway.model.events import encode as encode_record
from gateway.model.frame import Frame
from gateway.model.quality import Quality
from rules.attached_files import AttachedFiles
from rules.ledger.store import Ledger
from rules.rule import Rulebook
from rules.worker import Worker

PASSWORD = "correct horse"
HOT = "pump-2.motor_temperature"
EPOCH = "e1"
LINK_KEY = b"k" * 32


@dataclass(kw_only=True)
class Room:
    """The parts behind the API, moved by hand."""

    site: Site
    rulebook: Rulebook
    ledger: Ledger
    history: EmbeddedHistory
    latest: Latest
    clock: ManualClock
    worker: Worker
    attached: AttachedFiles
    bus: MemoryBus = field(default_factory=MemoryBus)
    demo: Demo | None = None
    seq: int = 0
    records: list[Record] = field(default_factory=list)

    def record(self, values: Mapping[str, float | None], *, reason: str | None = None) -> Record:
        """A frame received now; None: no value, for ``reason``."""
        self.seq += 1
        now = self.clock.now()
        rows = range(len(values))
        value = np.array([math.nan if v is None else v for v in values.values()], dtype=np.float64)
        bad = np.isnan(value)
        record = Record(
            envelope=Envelope(
                site=self.site.id, gateway=self.site.gateway, epoch=EPOCH, seq=self.seq, at=now
            ),
            body=Frame(
                points=tuple(values),
                value=value,
                quality=np.where(bad, Quality.BAD, Quality.GOOD).astype(np.uint8),
                source_time=np.full(len(values), now.wall, dtype=np.int64),
                reason={row: reason or "timeout" for row in rows if bad[row]},
            ),
        )
        self.records.append(record)
        return record

    def chunk(self, after: int, question: str = "") -> Chunk:
        """All that the gateway has said behind ``after``, as its bus carries it."""
        said = [(r.envelope.seq, encode_record(r)) for r in self.records]
        return Chunk(
            epoch=EPOCH,
            after=after,
            through=self.seq,
            head=self.seq,
            records=tuple((seq, data) for seq, data in said if seq > after),
            question=question,
        )

    def answer_on(self, bus: MemoryBus) -> None:
        """Answer what is asked for again, as a gateway does."""
        topics = Topics(self.site.id, self.site.gateway)
        tasks: set[asyncio.Task[None]] = set()

        def replay(_topic: str, payload: bytes) -> None:
            asked = orjson.loads(payload)
            after = asked["after"] if asked["epoch"] == EPOCH else 0
            answer = encode_chunk(self.chunk(after, asked["question"]))
            task = asyncio.get_running_loop().create_task(
                bus.publish(topics.answer(asked["consumer"]), answer)
            )
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        bus.subscribe(topics.replay, replay)

    def receive(self, values: Mapping[str, float | None], *, reason: str | None = None) -> Record:
        """A frame that reaches the screen, the rules and the history."""
        record = self.record(values, reason=reason)
        self.latest.take(record, self.clock.now())
        self.worker.take([record])
        self.worker.commit(self.clock.now())
        self.history.write([record], Cursor(EPOCH, self.seq))
        return record

    def hold(self, values: Mapping[str, float | None], seconds: int) -> None:
        """The same frame every second for so long."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.receive(values)

    def raise_alarm(self, equipment: str = "pump-2") -> str:
        """Let the motor run hot until the alarm is a row; its id."""
        before = self.alarm_ids()
        self.hold({f"{equipment}.motor_temperature": 80.0}, 12)
        (made,) = self.alarm_ids() - before
        return made

    def clear_alarm(self, equipment: str = "pump-2") -> None:
        self.hold({f"{equipment}.motor_temperature": 40.0}, 22)

    def alarm_ids(self) -> set[str]:
        with self.ledger.read(self.site.id) as view:
            return {alarm.id for alarm in view.alarms()}

    @property
    def questions(self) -> Questions:
        """To a gateway that is not there, unless a test answers on ``bus``."""
        made = Questions(self.bus, self.site.id, self.site.gateway, clock=self.clock)
        made.start()
        return made

    def app(
        self, *, secure: bool = False, static: Path | None = None, tls: Tls | None = None
    ) -> FastAPI:
        return create_app(
            site=self.site,
            rulebook=self.rulebook,
            ledger=self.ledger,
            history=self.history,
            latest=self.latest,
            clock=self.clock,
            questions=self.questions,
            secure=secure,
            static=static or Path("/nowhere"),
            attached=self.attached,
            link_key=LINK_KEY,
            demo=self.demo,
            tls=tls,
            plain_port=8000,
            tls_port=8443,
        )


def log_in(client: TestClient | httpx2.Client) -> None:
    answer = client.post("/api/v1/login", json={"username": "admin", "password": PASSWORD})
    assert answer.status_code == 200, answer.text


@dataclass(kw_only=True)
class Served:
    """The room behind a real server on a loopback port."""

    room: Room
    url: str
    bus: MemoryBus
    loop: asyncio.AbstractEventLoop
    thread: threading.Thread
    stop: asyncio.Event

    def end(self) -> None:
        """Ask the service to end."""
        self.loop.call_soon_threadsafe(self.stop.set)

    @contextmanager
    def client(self) -> Iterator[httpx2.Client]:
        """Somebody who is logged in."""
        with httpx2.Client(base_url=self.url, timeout=10) as client:
            log_in(client)
            yield client


@contextmanager
def serving(
    room: Room, port: int, *, tls: Tls | None = None, tls_port: int = 0
) -> Iterator[Served]:
    """``service.run`` in a thread of its own, until the block ends."""
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    bus = MemoryBus()
    room.answer_on(bus)
    failures: list[BaseException] = []

    def serve() -> None:
        try:
            loop.run_until_complete(
                service.run(
                    site=room.site,
                    rulebook=room.rulebook,
                    ledger=room.ledger,
                    history=room.history,
                    bus=bus,
                    clock=room.clock,
                    host="127.0.0.1",
                    port=port,
                    stop=stop,
                    attached=room.attached,
                    link_key=LINK_KEY,
                    tls=tls,
                    tls_port=tls_port,
                )
            )
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    url = f"http://127.0.0.1:{port}"

    def is_up() -> bool:
        assert not failures, failures
        try:
            return httpx2.get(f"{url}/healthz").status_code in (200, 503)
        except httpx2.TransportError:
            return False

    found = Served(room=room, url=url, bus=bus, loop=loop, thread=thread, stop=stop)
    try:
        wait_for(is_up)
        yield found
    finally:
        found.end()
        thread.join(timeout=10)
        assert not thread.is_alive(), "the server does not end"
        loop.close()
    assert not failures, failures


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
