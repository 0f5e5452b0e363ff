"""The stream above any bus: each record once, in order, or counted as lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from gateway.bus import chunk
from gateway.bus.base import Bus, Handler
from gateway.bus.chunk import Chunk, Place, UnreadableChunkError
from gateway.bus.memory import MemoryBus
from gateway.bus.stream import Publisher, Subscriber, screen
from gateway.model.events import Envelope, GatewayEvent, GatewayEventKind, Record, encode
from gateway.model.moment import Instant
from gateway.spool.queue import Spool


def record(spool: Spool, seq: int) -> Record:
    return Record(
        envelope=Envelope(
            site="s",
            gateway="g",
            epoch=spool.epoch,
            seq=seq,
            at=Instant(wall=seq, mono=seq, boot="b"),
        ),
        body=GatewayEvent(kind=GatewayEventKind.LINK_UP, subject=f"link-{seq}"),
    )


def fill(spool: Spool, count: int) -> None:
    for _ in range(count):
        seq = spool.next_seq
        spool.append(seq, encode(record(spool, seq)))
    spool.sync()


class Wild:
    """A bus that drops, doubles and holds back (so reorders) what passes, from a fixed seed."""

    def __init__(self, inner: Bus, seed: int) -> None:
        self._inner = inner
        self._chance = random.Random(seed)
        self._held: list[tuple[str, bytes]] = []
        self.calm = False
        self.dead = False

    async def start(self) -> None:
        await self._inner.start()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        fate = 1.0 if self.calm else self._chance.random()
        if fate < 0.2 or self.dead:
            return
        if fate < 0.4:
            self._held.append((topic, payload))
            return
        for _ in range(2 if fate < 0.6 else 1):
            await self._inner.publish(topic, payload, retain=retain)
        if self._held and self._chance.random() < 0.5:
            await self._inner.publish(*self._held.pop(self._chance.randrange(len(self._held))))

    def subscribe(self, topic_filter: str, handler: Handler) -> Callable[[], None]:
        return self._inner.subscribe(topic_filter, handler)

    async def close(self) -> None:
        await self._inner.close()


@asynccontextmanager
async def gateway(spool: Spool, bus: Bus) -> AsyncIterator[Publisher]:
    publisher = Publisher(spool, bus, "s", "g")
    publisher.start()
    try:
        yield publisher
    finally:
        await publisher.close()


async def collect(
    subscriber: Subscriber, into: list[int], until: int, *, seconds: float = 30
) -> None:
    """Batches until ``until`` came; every record is checked against its number."""
    stream = subscriber.records()
    async with asyncio.timeout(seconds):
        async for batch in stream:
            for seq, got in batch:
                assert got.envelope.seq == seq
                assert isinstance(got.body, GatewayEvent)
                assert got.body.subject == f"link-{seq}"
                into.append(seq)
            if into[-1] >= until:
                break
    await stream.aclose()


def test_replay_then_live_over_every_bus(
    make_bus: Callable[[str], Bus], tmp_path: Path, until
) -> None:
    async def check() -> None:
        spool = Spool.open(tmp_path / "spool", segment_bytes=4000)
        fill(spool, 1234)
        theirs, ours = make_bus("gateway"), make_bus("rules")
        await theirs.start()
        await ours.start()
        got: list[int] = []
        subscriber = Subscriber(ours, "s", "g", "rules", (spool.epoch, 200), retry=0.5)
        async with gateway(spool, theirs) as publisher:
            reading = asyncio.create_task(collect(subscriber, got, until=1400))
            while spool.synced < 1400:
                fill(spool, 1)
                await publisher.publish()
            while not reading.done():
                await publisher.publish()
                await asyncio.sleep(0.05)
            await reading
            assert got == list(range(201, 1401))
            assert subscriber.lost == subscriber.unreadable == 0
            await subscriber.committed(spool.epoch, 1400)
            await until(lambda: not spool.backlog("rules"))
        await theirs.close()
        await ours.close()

    asyncio.run(check())


@pytest.mark.parametrize("seed", range(12))
def test_a_bus_that_drops_doubles_and_reorders_changes_nothing(tmp_path: Path, seed: int) -> None:
    async def check() -> None:
        spool = Spool.open(tmp_path, segment_bytes=3000)
        fill(spool, 100)
        bus = Wild(MemoryBus(), seed)
        subscriber = Subscriber(bus, "s", "g", "rules", retry=0.01)
        got: list[int] = []
        async with gateway(spool, bus) as publisher:
            reading = asyncio.create_task(collect(subscriber, got, until=700))
            while spool.synced < 700:
                fill(spool, random.Random(seed).randint(1, 9))
                await publisher.publish()
                await asyncio.sleep(0)
            while not reading.done():
                await publisher.publish()
                await asyncio.sleep(0.005)
            await reading
        assert got[:700] == list(range(1, 701))
        assert subscriber.lost == 0

    asyncio.run(check())


@pytest.mark.parametrize("seed", range(4))
def test_consumer_and_gateway_killed_again_and_again(tmp_path: Path, seed: int) -> None:
    """The consumer goes on from what it committed, the gateway from what it synced."""

    async def check() -> None:
        chance = random.Random(seed)
        committed: list[int] = []
        cursor: tuple[str, int] | None = None
        for _ in range(8):
            spool = Spool.open(tmp_path, segment_bytes=2000)
            bus = Wild(MemoryBus(), seed)
            async with gateway(spool, bus) as publisher:
                for _ in range(3):
                    subscriber = Subscriber(bus, "s", "g", "rules", cursor, retry=0.01)
                    got: list[int] = []
                    goal = spool.synced + chance.randint(1, 80)
                    reading = asyncio.create_task(collect(subscriber, got, until=goal))
                    while not reading.done():
                        if spool.synced < goal:
                            fill(spool, 1)
                        await publisher.publish()
                        await asyncio.sleep(0.001)
                    await reading
                    # It dies here having committed only a part of what it was given.
                    part = got[: chance.randint(0, len(got))]
                    committed += part
                    if part:
                        cursor = (spool.epoch, part[-1])
                        await subscriber.committed(*cursor)
            spool.close()
        assert committed == list(range(1, len(committed) + 1))
        assert committed

    asyncio.run(check())


def test_a_lost_tail_is_noticed_without_a_new_record(tmp_path: Path, until) -> None:
    async def check() -> None:
        spool = Spool.open(tmp_path)
        inner = MemoryBus()
        bus = Wild(inner, 1)
        bus.calm = True
        got: list[int] = []
        async with gateway(spool, bus) as publisher:
            subscriber = Subscriber(inner, "s", "g", "rules", retry=0.01)
            reading = asyncio.create_task(collect(subscriber, got, until=3))
            fill(spool, 2)
            await until(lambda: subscriber.place.certain)
            await publisher.publish()
            await until(lambda: got == [1, 2])
            fill(spool, 1)
            bus.dead = True
            await publisher.publish()
            bus.dead = False
            await publisher.publish()
            await reading
        assert got == [1, 2, 3]

    asyncio.run(check())


def test_a_question_is_repeated_until_it_is_answered(tmp_path: Path, until) -> None:
    async def check() -> None:
        spool = Spool.open(tmp_path)
        fill(spool, 5)
        bus = MemoryBus()
        asked: list[dict[str, object]] = []
        bus.subscribe("dutyroom/s/g/replay", lambda _t, p: asked.append(orjson.loads(p)))
        got: list[int] = []
        subscriber = Subscriber(bus, "s", "g", "rules", (spool.epoch, 2), retry=0.02)
        reading = asyncio.create_task(collect(subscriber, got, until=5))
        await until(lambda: len(asked) >= 3)
        assert {tuple(question.items()) for question in asked} == {tuple(asked[0].items())}
        assert (asked[0]["epoch"], asked[0]["after"]) == (spool.epoch, 2)
        async with gateway(spool, bus):
            await reading
        assert got == [3, 4, 5]

    asyncio.run(check())


def test_a_new_epoch_is_followed_from_its_first_record(tmp_path: Path, until) -> None:
    async def check() -> None:
        old, new = Spool.open(tmp_path / "old"), Spool.open(tmp_path / "new")
        bus = MemoryBus()
        fill(old, 5)
        fill(new, 3)
        subscriber = Subscriber(bus, "s", "g", "rules", (old.epoch, 5), retry=0.01)
        got: list[tuple[str, int]] = []

        async def read() -> None:
            stream = subscriber.records()
            async for batch in stream:
                got.extend((r.envelope.epoch, seq) for seq, r in batch)
                if len(got) == 4:
                    break
            await stream.aclose()

        async with gateway(new, bus) as publisher, asyncio.timeout(5):
            reading = asyncio.create_task(read())
            await until(lambda: len(got) == 3)
            # A message of the old epoch that was long on its way changes nothing.
            late = Chunk(epoch=old.epoch, after=5, through=6, head=6, records=((6, b"late"),))
            await bus.publish("dutyroom/s/g/events", chunk.encode(late))
            fill(new, 1)
            await publisher.publish()
            await reading
        assert got == [(new.epoch, seq) for seq in (1, 2, 3, 4)]

    asyncio.run(check())


def test_what_the_spool_no_longer_has_is_counted_as_lost(tmp_path: Path) -> None:
    async def check() -> None:
        spool = Spool.open(tmp_path, segment_bytes=1, recent_bytes=0)
        for _ in range(10):
            fill(spool, 1)
        spool.release("rules", 6)
        spool.release("history", 6)
        spool.sync()
        bus = MemoryBus()
        subscriber = Subscriber(bus, "s", "g", "rules", (spool.epoch, 2), retry=0.01)
        got: list[int] = []
        async with gateway(spool, bus):
            await collect(subscriber, got, until=10)
        assert got == [7, 8, 9, 10]
        assert subscriber.lost == 4

    asyncio.run(check())


def test_a_gateway_restored_from_a_backup_uses_no_number_twice(tmp_path: Path, until) -> None:
    async def check() -> None:
        spool = Spool.open(tmp_path)
        fill(spool, 5)
        bus = MemoryBus()
        subscriber = Subscriber(bus, "s", "g", "rules", (spool.epoch, 50), retry=0.01)
        got: list[int] = []
        async with gateway(spool, bus) as publisher:
            reading = asyncio.create_task(collect(subscriber, got, until=51))
            await until(lambda: spool.next_seq == 51)
            fill(spool, 1)
            await publisher.publish()
            await reading
        assert got == [51]

    asyncio.run(check())


def test_a_screen_is_answered_and_the_spool_keeps_nothing_for_it(tmp_path: Path) -> None:
    async def check() -> None:
        spool = Spool.open(tmp_path)
        fill(spool, 10)
        bus = MemoryBus()
        subscriber = Subscriber(
            bus, "s", "g", screen(), (spool.epoch, 4), retry=0.01, patience=5, at_most=1000
        )
        got: list[int] = []
        async with gateway(spool, bus) as publisher:
            reading = asyncio.create_task(collect(subscriber, got, until=12, seconds=5))
            while not got:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            fill(spool, 1)
            await publisher.publish()
            # A message that the bus loses: the hole is filled from the spool.
            fill(spool, 1)
            publisher._published = spool.synced
            await publisher.publish()
            await reading
        assert got == list(range(5, 13))
        assert subscriber.lost == 0
        assert set(spool.consumers) == {"history", "rules"}

    asyncio.run(check())


def test_a_screen_does_not_wait_for_ever_for_the_past(tmp_path: Path) -> None:
    async def check() -> None:
        bus = MemoryBus()
        spool = Spool.open(tmp_path)
        fill(spool, 9)
        subscriber = Subscriber(bus, "s", "g", screen(), retry=0.01, patience=0.05)
        stream = subscriber.records()
        got: list[int] = []
        lost: list[int] = []
        async with asyncio.timeout(5):
            batch = asyncio.create_task(anext(stream))
            while len(got) < 2:
                # Nobody answers; what is said lives is heard after a while.
                (seq, data) = spool.read(7, limit=1).records[0]
                live = Chunk(epoch=spool.epoch, after=7, through=8, head=8, records=((seq, data),))
                await bus.publish("dutyroom/s/g/events", chunk.encode(live))
                await asyncio.sleep(0.01)
                if batch.done():
                    got += [seq for seq, _ in batch.result()] or [-1]
                    lost.append(subscriber.lost)
                    batch = asyncio.create_task(anext(stream))
                    hole = Chunk(epoch=spool.epoch, after=9, through=9, head=9)
                    await bus.publish("dutyroom/s/g/events", chunk.encode(hole))
            batch.cancel()
        # The second is empty: it only tells that number 9 will not come.
        assert (got, lost) == ([8, -1], [7, 8])

    asyncio.run(check())


def test_of_a_long_past_a_screen_takes_the_end(tmp_path: Path) -> None:
    async def check() -> None:
        spool = Spool.open(tmp_path)
        fill(spool, 2000)
        bus = MemoryBus()
        subscriber = Subscriber(bus, "s", "g", screen(), retry=0.01, patience=5, at_most=100)
        got: list[int] = []
        async with gateway(spool, bus):
            await collect(subscriber, got, until=2000, seconds=5)
        assert got == [*range(1, 501), *range(1901, 2001)]
        assert subscriber.lost == 1400

    asyncio.run(check())


def test_a_stranger_is_not_answered(tmp_path: Path) -> None:
    async def check() -> None:
        spool = Spool.open(tmp_path)
        fill(spool, 5)
        bus = MemoryBus()
        answers: list[str] = []
        bus.subscribe("dutyroom/s/g/events/#", lambda topic, _payload: answers.append(topic))
        async with gateway(spool, bus):
            for consumer in ("rules", "+/#", "nobody"):
                asked = {"consumer": consumer, "epoch": spool.epoch, "after": 2, "question": "q"}
                await bus.publish("dutyroom/s/g/replay", orjson.dumps(asked))
            await asyncio.sleep(0.1)
        assert answers == ["dutyroom/s/g/events/rules"]

    asyncio.run(check())


def test_a_slow_consumer_holds_a_bounded_amount_and_still_gets_everything(tmp_path: Path) -> None:
    async def check() -> None:
        spool = Spool.open(tmp_path)
        bus = MemoryBus()
        subscriber = Subscriber(bus, "s", "g", "rules", retry=0.01, waiting_bytes=2000)
        got: list[int] = []
        async with gateway(spool, bus) as publisher:
            stream = subscriber.records()
            first = asyncio.create_task(anext(stream))
            while not first.done():
                fill(spool, 1)
                await publisher.publish()
                await asyncio.sleep(0)
            for _ in range(300):
                fill(spool, 1)
                await publisher.publish()
            assert sum(len(p) for new in subscriber._waiting for _, p in new) < 3000
            got += [seq for seq, _ in first.result()]
            async with asyncio.timeout(5):
                while got[-1] < spool.synced:
                    got += [seq for seq, _ in await anext(stream)]
            await stream.aclose()
        assert got == list(range(1, spool.synced + 1))

    asyncio.run(check())


def test_rubbish_on_the_topics_is_counted_and_harmless(tmp_path: Path) -> None:
    async def check() -> None:
        spool = Spool.open(tmp_path)
        bus = MemoryBus()
        subscriber = Subscriber(bus, "s", "g", "rules", retry=0.01)
        got: list[int] = []
        async with gateway(spool, bus) as publisher:
            reading = asyncio.create_task(collect(subscriber, got, until=3))
            await asyncio.sleep(0.02)
            for rubbish in (b"", b"\xff" * 40, b"{}", b"DC01\x02\x00\x00\x00{}"):
                for topic in ("events", "replay", "events/rules", "cursor/rules"):
                    await bus.publish(f"dutyroom/s/g/{topic}", rubbish)
            seq = spool.next_seq
            spool.append(seq, b"no record of ours")
            fill(spool, 2)
            await publisher.publish()
            await reading
        assert got == [2, 3]
        assert subscriber.unreadable == 9

    asyncio.run(check())


def test_chunks_survive_encoding_and_cut_ones_are_refused() -> None:
    whole = Chunk(
        epoch="e", after=3, through=9, head=12, records=((4, b"x"), (7, b"\x00")), question="q"
    )
    data = chunk.encode(whole)
    assert chunk.decode(data) == whole
    for cut in range(len(data)):
        with pytest.raises(UnreadableChunkError):
            chunk.decode(data[:cut])


def test_a_place_passes_over_what_it_already_has() -> None:
    place = Place(epoch="e", seq=5, certain=True)
    overlapping = Chunk(epoch="e", after=3, through=7, head=7, records=((4, b"4"), (6, b"6")))
    assert place.follow(overlapping) == [(6, b"6")]
    assert (place.seq, place.lost, place.behind) == (7, 1, False)
    assert place.follow(overlapping) == []
    assert place.follow(Chunk(epoch="e", after=9, through=10, head=10, records=((10, b""),))) == []
    assert (place.seq, place.lost, place.behind) == (7, 1, True)
