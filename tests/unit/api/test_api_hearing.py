"""What the screen knows after a kill, a lost message, or a hole that nobody can fill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from api_room import EPOCH, HOT, Room
from spools import kill

from api import service
from gateway.bus.memory import MemoryBus
from gateway.bus.stream import Publisher
from gateway.history.base import Cursor
from gateway.latest import Latest
from gateway.model.events import Envelope, Record, encode
from gateway.model.frame import Frame
from gateway.spool.queue import Spool


class Gateway:
    """A spool and its publisher for the site of ``room``."""

    def __init__(self, room: Room, folder: Path, bus: MemoryBus) -> None:
        self.room = room
        self.spool = Spool.open(folder, segment_bytes=1, recent_bytes=0)
        self.publisher = Publisher(self.spool, bus, room.site.id, room.site.gateway)

    def keep(self, value: float) -> Record:
        """A reading is safe, and nobody has heard of it."""
        now, seq = self.room.clock.now(), self.spool.next_seq
        record = Record(
            envelope=Envelope(
                site=self.room.site.id,
                gateway=self.room.site.gateway,
                epoch=self.spool.epoch,
                seq=seq,
                at=now,
            ),
            body=Frame(
                points=(HOT,),
                value=np.array([value]),
                quality=np.zeros(1, dtype=np.uint8),
                source_time=np.array([now.wall]),
            ),
        )
        self.spool.append(seq, encode(record))
        self.spool.sync()
        return record

    async def lose(self, value: float) -> None:
        """A reading whose message the bus loses."""
        self.keep(value)
        self.publisher._published = self.spool.synced


@asynccontextmanager
async def hearing(room: Room, bus: MemoryBus, after: Cursor | None) -> AsyncIterator[Latest]:
    latest = Latest(room.site)
    task = asyncio.create_task(service.hear(room.site, bus, latest, room.clock, after))
    await asyncio.sleep(0)
    try:
        yield latest
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  # the spool is read in a thread
            await asyncio.sleep(0.005)


def shown(room: Room, latest: Latest) -> tuple[float | None, str] | None:
    current = latest.at(room.clock.now()).get(HOT)
    return None if current is None else (current.reading.value, current.reading.quality.word)


def test_what_was_spooled_before_a_kill_and_not_in_the_history_is_shown(
    room: Room, tmp_path: Path
) -> None:
    async def check() -> None:
        bus = MemoryBus()
        gateway = Gateway(room, tmp_path / "spool", bus)
        first = gateway.keep(40.0)
        cursor = Cursor(gateway.spool.epoch, 1)
        room.history.write([first], cursor)
        gateway.keep(41.0)
        gateway.publisher.start()
        async with hearing(room, bus, cursor) as latest:
            await until(lambda: shown(room, latest) == (41.0, "good"))
        await gateway.publisher.close()

    asyncio.run(check())


def test_numbers_passed_over_after_a_kill_make_nothing_stale(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        bus = MemoryBus()
        gateway = Gateway(room, tmp_path / "spool", bus)
        gateway.keep(40.0)
        gateway.publisher.start()
        doubts: list[int] = []
        async with hearing(room, bus, None) as latest:
            await until(lambda: shown(room, latest) == (40.0, "good"))
            monkeypatch.setattr(latest, "doubt", lambda: doubts.append(1))
            await gateway.publisher.close()
            kill(gateway.spool)
            again = Gateway(room, tmp_path / "spool", bus)
            again.publisher.start()
            await again.publisher.publish()
            again.keep(41.0)
            await again.publisher.publish()
            await until(lambda: shown(room, latest) == (41.0, "good"))
        await again.publisher.close()
        assert again.spool.newest > 1000
        assert doubts == []

    asyncio.run(check())


def test_a_lost_message_is_asked_for_and_shown(room: Room, tmp_path: Path) -> None:
    async def check() -> None:
        bus = MemoryBus()
        gateway = Gateway(room, tmp_path / "spool", bus)
        gateway.keep(40.0)
        gateway.publisher.start()
        async with hearing(room, bus, None) as latest:
            await until(lambda: shown(room, latest) == (40.0, "good"))
            await gateway.lose(41.0)
            # The device says nothing more: the gateway only tells where it is.
            await gateway.publisher.publish()
            await until(lambda: shown(room, latest) == (41.0, "good"))
        await gateway.publisher.close()

    asyncio.run(check())


def test_a_hole_that_cannot_be_filled_makes_everything_stale(room: Room, tmp_path: Path) -> None:
    async def check() -> None:
        bus = MemoryBus()
        gateway = Gateway(room, tmp_path / "spool", bus)
        gateway.keep(40.0)
        gateway.publisher.start()
        async with hearing(room, bus, None) as latest:
            await until(lambda: shown(room, latest) == (40.0, "good"))
            await gateway.lose(41.0)
            for path in (tmp_path / "spool").glob("*.segment"):
                path.unlink()
            await gateway.publisher.publish()
            await until(lambda: shown(room, latest) == (40.0, "stale"))
            gateway.keep(42.0)
            await gateway.publisher.publish()
            await until(lambda: shown(room, latest) == (42.0, "good"))
        await gateway.publisher.close()

    asyncio.run(check())


def test_without_an_answer_live_values_are_shown_after_a_while(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        bus = MemoryBus()
        gateway = Gateway(room, tmp_path / "spool", bus)
        monkeypatch.setattr(service, "_PATIENCE_S", 0.1)
        gateway.keep(40.0)
        await gateway.lose(40.0)
        # It says what is new and hears no question.
        async with hearing(room, bus, Cursor(EPOCH, 9)) as latest, asyncio.timeout(10):
            while shown(room, latest) != (41.0, "good"):
                gateway.keep(41.0)
                await gateway.publisher.publish()
                await asyncio.sleep(0.02)

    asyncio.run(check())
