"""Order and completeness above any bus: every record once, in order, or counted as lost.

The bus is a consumer of the spool like any other. Topics under ``dutyroom/<site>/<gateway>/``:

``events``              chunks as they are spooled, and an empty one every 2 s (gateway → all)
``replay``              "send me what comes after" (consumer → gateway)
``events/<consumer>``   the answer to it: one chunk a request, so that the consumer sets the pace
``cursor/<consumer>``   how far the consumer has committed, retained (consumer → gateway)

A consumer that sees a hole, or does not know where the gateway is, asks, and repeats the
question until it is answered. Nothing here needs a message to arrive.

A consumer is named when the spool is opened, and the spool keeps what it has not committed. A
screen is none: under a name of its own (:func:`screen`) it is answered like one, from what there
happens to be.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import orjson
import structlog

from gateway.bus.base import Bus
from gateway.bus.chunk import Chunk, Place, UnreadableChunkError, decode, encode
from gateway.model import events
from gateway.model.events import Record, UnreadableRecordError
from gateway.spool.queue import Spool

_log = structlog.get_logger(__name__)

_CHUNK_RECORDS = 500
_CHUNK_BYTES = 256 * 1024
"""Small enough for every broker's default, large enough that the header does not matter."""
_WAITING_BYTES = 32 * 1024 * 1024
"""What a slow consumer may have waiting in memory; the rest waits in the spool."""

_SCREEN = re.compile(r"screen-[0-9a-f]{8}")

Batch = list[tuple[int, Record]]


def screen() -> str:
    """A name under which one that only shows may ask; the spool keeps nothing for it."""
    return f"screen-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one gateway; ids are slugs, so no level holds a wildcard."""

    site: str
    gateway: str

    @property
    def _root(self) -> str:
        return f"dutyroom/{self.site}/{self.gateway}"

    @property
    def events(self) -> str:
        return f"{self._root}/events"

    @property
    def replay(self) -> str:
        return f"{self._root}/replay"

    def answer(self, consumer: str) -> str:
        return f"{self._root}/events/{consumer}"

    def cursor(self, consumer: str) -> str:
        return f"{self._root}/cursor/{consumer}"


class Publisher:
    """The gateway's end: says what is spooled, answers what is asked, lets the spool go.

    ``threads``: where the spool is read; None: the event loop's own.
    """

    def __init__(
        self, spool: Spool, bus: Bus, site: str, gateway: str, threads: Executor | None = None
    ) -> None:
        self._threads = threads
        self._spool = spool
        self._bus = bus
        self._topics = Topics(site, gateway)
        self._published = 0
        self._stop: list[Callable[[], None]] = []
        self._answers: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """From now on: what is already spooled is left to those who ask for it."""
        self._published = self._spool.synced
        self._stop = [
            self._bus.subscribe(self._topics.replay, self._on_replay),
            self._bus.subscribe(self._topics.cursor("+"), self._on_cursor),
        ]

    async def publish(self, *, ahead: bool = False) -> None:
        """Send every record synced since the last call; with none, tell where we are.

        ``ahead``: the disk takes nothing at the moment, so send what waits for it too.
        """
        up_to = self._spool.newest if ahead else self._published
        while True:
            chunk = await self._stretch(self._published, up_to)
            await self._bus.publish(self._topics.events, encode(chunk))
            self._published = chunk.through
            if chunk.through >= chunk.head:
                return

    async def close(self) -> None:
        for stop in self._stop:
            stop()
        for answer in self._answers:
            answer.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)

    async def _stretch(self, after: int, up_to: int) -> Chunk:
        asked = {"limit": _CHUNK_RECORDS, "max_bytes": _CHUNK_BYTES, "up_to": up_to}
        found = self._spool.read_memory(after, **asked)
        if found is None:
            # A read may have to index a whole segment, so it does not run on the event loop.
            read = partial(self._spool.read, after, **asked)
            found = await asyncio.get_running_loop().run_in_executor(self._threads, read)
        return Chunk(
            epoch=self._spool.epoch,
            after=after,
            through=found.through,
            head=found.head,
            records=found.records,
            unused=found.unused,
        )

    def _on_replay(self, _topic: str, payload: bytes) -> None:
        asked = orjson.loads(payload)
        consumer, question = str(asked["consumer"]), str(asked["question"])
        if consumer not in self._spool.consumers and not _SCREEN.fullmatch(consumer):
            _log.warning("replay asked by a stranger", consumer=consumer)
            return
        after = int(asked["after"]) if asked["epoch"] == self._spool.epoch else 0
        if after > self._spool.newest:
            self._spool.skip_to(after + 1, consumer)
        task = asyncio.create_task(self._answer(consumer, question, after))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answer(self, consumer: str, question: str, after: int) -> None:
        try:
            chunk = await self._stretch(after, self._published)
        except OSError as error:
            # The consumer asks again.
            _log.error("replay failed", consumer=consumer, after=after, error=str(error))
            return
        await self._bus.publish(
            self._topics.answer(consumer), encode(replace(chunk, question=question))
        )

    def _on_cursor(self, topic: str, payload: bytes) -> None:
        if not payload:
            return
        cursor = orjson.loads(payload)
        if cursor["epoch"] == self._spool.epoch:
            self._spool.release(topic.rsplit("/", 1)[1], int(cursor["seq"]))


class Subscriber:
    """A consumer's end: the records of one gateway, each once, in order.

    ``after``: (epoch, seq) of the last record committed; None: from the beginning of the spool.
    ``patience``: seconds for which an answer is waited for, then holes are passed over, counted,
    and what comes from now on is taken: for a screen. None: for ever.
    ``at_most``: records that are still worth having; of a longer past only the last are taken,
    the rest is counted as lost.
    ``retry``: seconds after which a question is asked again.
    """

    def __init__(
        self,
        bus: Bus,
        site: str,
        gateway: str,
        consumer: str,
        after: tuple[str, int] | None = None,
        *,
        patience: float | None = None,
        at_most: int | None = None,
        retry: float = 2.0,
        waiting_bytes: int = _WAITING_BYTES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        epoch, seq = after or ("", 0)
        self.place = Place(epoch=epoch, seq=seq)
        self.unreadable = 0
        """Chunks and records that could not be decoded."""
        self._bus = bus
        self._topics = Topics(site, gateway)
        self._consumer = consumer
        self._patience = patience
        self._at_most = at_most
        self._retry = retry
        self._waiting: deque[list[tuple[int, bytes]]] = deque()
        self._room = waiting_bytes
        self._arrived = asyncio.Event()
        self._question = secrets.token_hex(8)
        self._asked: float | None = None
        self._behind_since: float | None = None
        """Since when no answer has brought us on, though we asked."""

    @property
    def lost(self) -> int:
        """Records that the gateway no longer had, or that were passed over."""
        return self.place.lost

    async def records(self) -> AsyncIterator[Batch]:
        """Batches of (seq, record), for ever; end it by ``aclose()`` or by cancelling. Use it
        once. Never empty, but where ``patience`` is given and records were lost: then ``lost``
        tells of all that are missing from the batches up to this one."""
        told = 0
        stop = [
            self._bus.subscribe(self._topics.events, self._on_event),
            self._bus.subscribe(self._topics.answer(self._consumer), self._on_answer),
        ]
        try:
            while True:
                batch = self._take()
                if batch or (self._patience is not None and self.lost > told):
                    told = self.lost
                    yield batch
                    continue
                self._arrived.clear()
                await self._ask_if_behind()
                await self._wait()
        finally:
            for end in stop:
                end()

    async def committed(self, epoch: str, seq: int) -> None:
        """Tell the gateway that this consumer will never ask for ``seq`` or earlier again."""
        payload = orjson.dumps({"epoch": epoch, "seq": seq})
        await self._bus.publish(self._topics.cursor(self._consumer), payload, retain=True)

    def _take(self) -> Batch:
        batch: Batch = []
        while self._waiting:
            for seq, payload in self._waiting.popleft():
                self._room += len(payload)
                try:
                    batch.append((seq, events.decode(payload)))
                except UnreadableRecordError as error:
                    self.unreadable += 1
                    self.place.lost += 1
                    _log.error("unreadable record", seq=seq, error=str(error))
        return batch

    async def _ask_if_behind(self) -> None:
        """Ask unless a question is still fresh; a stale one is repeated under the same id."""
        now = self._monotonic()
        if not self.place.behind:
            self._behind_since = None
            return
        if self._behind_since is None:
            self._behind_since = now
        if self._asked is not None and now - self._asked < self._retry:
            return
        self._asked = now
        question = {
            "consumer": self._consumer,
            "epoch": self.place.epoch,
            "after": self.place.seq,
            "question": self._question,
        }
        await self._bus.publish(self._topics.replay, orjson.dumps(question))

    async def _wait(self) -> None:
        patience = None
        if self._asked is not None:
            patience = max(0.0, self._asked + self._retry - self._monotonic())
        try:
            async with asyncio.timeout(patience):
                await self._arrived.wait()
        except TimeoutError:
            pass

    def _on_event(self, _topic: str, payload: bytes) -> None:
        self._hear(payload, self.place.join if self._is_impatient() else self.place.follow)

    def _is_impatient(self) -> bool:
        if self._patience is None or self._behind_since is None:
            return False
        return self._monotonic() - self._behind_since > self._patience

    def _on_answer(self, _topic: str, payload: bytes) -> None:
        self._hear(payload, self._answered)

    def _answered(self, chunk: Chunk) -> list[tuple[int, bytes]]:
        if chunk.question != self._question:
            return self.place.follow(chunk)
        self._question, self._asked = secrets.token_hex(8), None
        self._behind_since = None
        new = self.place.answer(chunk)
        if self._at_most is not None:
            self.place.skip_to_last(self._at_most)
        return new

    def _hear(self, payload: bytes, take: Callable[[Chunk], list[tuple[int, bytes]]]) -> None:
        if self._room <= 0:
            # Dropped, and asked for again as soon as there is room.
            self.place.certain = False
            return
        try:
            new = take(decode(payload))
        except UnreadableChunkError as error:
            self.unreadable += 1
            _log.warning("unreadable chunk", error=str(error))
            return
        if new:
            self._waiting.append(new)
            self._room -= sum(len(record) for _, record in new)
        self._arrived.set()
