"""The gateway's flow: polled or heard, safe, told, kept; each reading once."""

from __future__ import annotations

import asyncio
import errno
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

import gateway.spool
from gateway.bus.memory import MemoryBus
from gateway.bus.stream import Subscriber
from gateway.clock import ManualClock, SystemClock
from gateway.history.base import HistoryUnavailableError
from gateway.history.embedded import EmbeddedHistory
from gateway.link_state import LinkState
from gateway.modbus.decode import Registers
from gateway.modbus.link import FailureKind, ReadFailure
from gateway.modbus.plan import Block
from gateway.modbus.poller import LinkPoller
from gateway.model.equipment import Broker, ModbusLink, Site
from gateway.model.events import GatewayEvent, Record
from gateway.model.frame import Frame
from gateway.model.moment import DAY, HOUR, SECOND
from gateway.model.quality import Quality
from gateway.mqtt.link import MqttMessage
from gateway.mqtt.mapping import UnreadableMessageError
from gateway.service import Gateway
from gateway.site import load, with_broker
from gateway.spool import Spool

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"
WALL = 1_795_000_000 * SECOND
TOPIC = "shellyplus1pm-lobby/events/rpc"


def _pumps_and_a_lamp(site: Site) -> Site:
    """Of the demonstration what is behind the one link that a test serves, and the lamp."""
    kept = ("booster-1", "pump-1", "pump-2", "pump-3", "lamp-1")
    return replace(
        site,
        links={name: site.links[name] for name in ("pump-room", "lighting")},
        equipment={name: site.equipment[name] for name in kept},
    )


class Device:
    """A unit that answers every register with a number that goes up by one each round."""

    def __init__(self) -> None:
        self.reads = 0
        self.failure: ReadFailure | None = None
        self.delay = 0.0

    async def read(self, unit: int, block: Block) -> Registers:
        await asyncio.sleep(self.delay)
        if self.failure is not None:
            raise self.failure
        self.reads += 1
        return np.full(block.count, self.reads, dtype=np.uint16)

    async def close(self) -> None:
        """Nothing is open."""


class House:
    """A gateway in a folder, which can be stopped dead and started again."""

    def __init__(self, folder: Path) -> None:
        nowhere = Broker(host="127.0.0.1", port=9, username="u", password="p")
        self.site: Site = with_broker(_pumps_and_a_lamp(load(DEMO)), nowhere)
        self.folder = folder
        self.device = Device()
        self.clock = ManualClock(WALL)
        self.start()

    def start(self) -> None:
        self.spool = Spool.open(self.folder / "spool")
        self.history = EmbeddedHistory(self.folder / "history.db")
        self.bus = MemoryBus()
        link = self.site.links["pump-room"]
        assert isinstance(link, ModbusLink)
        things = [t for t in self.site.equipment.values() if t.link == link.id]
        self.gateway = Gateway(
            site=self.site,
            spool=self.spool,
            history=self.history,
            bus=self.bus,
            clock=self.clock,
            pollers=[LinkPoller(link, things, self.device)],
        )

    def die(self) -> None:
        """Without a word: what was not synced is gone."""
        self.spool._buffer.clear()
        self.spool.close()
        self.history.close()

    async def seconds(self, count: int) -> None:
        for _ in range(count):
            await self.gateway.cycle(self.clock.advance(1))

    def rows(self) -> list[tuple[str, int, float | None, int]]:
        with sqlite3.connect(self.folder / "history.db") as connection:
            return connection.execute(
                "SELECT name, time, value, quality FROM readings JOIN points ON id = point "
                "ORDER BY name, time"
            ).fetchall()

    @asynccontextmanager
    async def heard(self, after: tuple[str, int] | None = None) -> AsyncIterator[list[Record]]:
        """What a consumer on the bus gets."""
        records: list[Record] = []
        subscriber = Subscriber(
            self.bus, self.site.id, self.site.gateway, "rules", after, retry=0.01
        )

        async def read() -> None:
            async for batch in subscriber.records():
                records.extend(record for _, record in batch)

        reading = asyncio.create_task(read())
        await asyncio.sleep(0)
        try:
            yield records
        finally:
            reading.cancel()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not true():  # noqa: ASYNC110  # some conditions are set by threads
            await asyncio.sleep(0.005)


def frames(records: list[Record]) -> list[Frame]:
    return [record.body for record in records if isinstance(record.body, Frame)]


def events(records: list[Record]) -> list[tuple[str, str]]:
    found = [record.body for record in records if isinstance(record.body, GatewayEvent)]
    return [(event.kind.value, event.subject) for event in found]


def test_every_poll_is_in_the_history_and_on_the_bus_once(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        async with house.heard() as records:
            await house.seconds(5)
            await until(lambda: len(frames(records)) == 5)
        assert [record.envelope.seq for record in records] == list(range(1, len(records) + 1))
        assert events(records) == [("started", "gw-1"), ("link_up", "pump-room")]
        points = frames(records)[0].points
        rows = house.rows()
        assert len(rows) == 5 * len(points)
        assert {time for _, time, _, _ in rows} == {WALL + n * SECOND for n in range(1, 6)}
        found = house.history.range("pump-1.current", 0, 1 << 60, 99)
        assert len(set(found.value.tolist())) == 5

    asyncio.run(check())


def test_a_gateway_that_died_goes_on_behind_what_was_synced(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(3)
        before = house.rows()
        # Spooled and synced, and then dead before bus and history heard of it.
        async for points, columns in house.gateway._pollers[0].poll(house.clock.advance(1)):
            house.gateway._take_poll("pump-room", points, columns, house.clock.now())
        house.spool.sync()
        house.die()
        house.start()
        async with house.heard() as records:
            await house.seconds(1)
            await until(lambda: len(frames(records)) == 5)
        times = sorted({time for _, time, _, _ in house.rows()})
        assert times == [WALL + n * SECOND for n in range(1, 6)]
        assert len(house.rows()) == len(before) // 3 * 5
        assert [row for row in house.rows() if row[1] <= WALL + 3 * SECOND] == before
        seqs = [record.envelope.seq for record in records]
        assert seqs == list(range(1, len(seqs) + 1))

    asyncio.run(check())


def test_a_history_that_is_away_stops_nothing_and_gets_everything_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(2)

        def away(*_: object) -> None:
            raise HistoryUnavailableError("away")

        async with house.heard() as records:
            with monkeypatch.context() as patch:
                patch.setattr(house.history, "write", away)
                await house.seconds(60)
                await until(lambda: len(frames(records)) == 62)
            assert len({time for _, time, _, _ in house.rows()}) == 2
            assert house.spool.backlog("history") >= 60
            await house.seconds(1)
        assert len({time for _, time, _, _ in house.rows()}) == 63
        assert house.spool.backlog("history") == 0

    asyncio.run(check())


def test_a_dead_device_is_bad_readings_with_a_reason_and_a_link_event(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        async with house.heard() as records:
            await house.seconds(1)
            house.device.failure = ReadFailure(FailureKind.NO_REPLY, "unit 1 did not answer")
            await house.seconds(2)
            house.device.failure = None
            await house.seconds(1)
            await until(lambda: len(frames(records)) == 4)
        kinds = [kind for kind, _ in events(records)]
        assert kinds == ["started", "link_up", "link_down", "link_up"]
        dead = frames(records)[1]
        assert (dead.quality == Quality.BAD).all()
        assert np.isnan(dead.value).all()
        assert set(dead.reason.values()) == {"unit 1 did not answer"}
        found = house.history.range("pump-1.speed", 0, 1 << 60, 99)
        assert found.quality.tolist() == [0, Quality.BAD, Quality.BAD, 0]
        assert np.isnan(found.value).tolist() == [False, True, True, False]

    asyncio.run(check())


def test_a_step_of_the_wall_clock_is_an_event_and_stops_no_poll(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        async with house.heard() as records:
            await house.seconds(1)
            house.clock.step_wall(1.5)
            await house.seconds(1)
            house.clock.step_wall(-3600)
            await house.seconds(2)
            await until(lambda: len(frames(records)) == 4)
        steps = [r.body for r in records if isinstance(r.body, GatewayEvent)][2:]
        assert [(step.kind.value, step.detail.split(",")[0]) for step in steps] == [
            ("clock_step", "-3600.000 s")
        ]

    asyncio.run(check())


def seconds_kept(house: House) -> list[int]:
    return sorted({(time - WALL) // SECOND for _, time, _, _ in house.rows()})


def test_history_is_trimmed_unless_the_clock_was_moved_far(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(3)
        house.clock.advance(30 * DAY / SECOND - 2)
        await house.seconds(1)
        await house.gateway._trim(house.clock.now())
        assert seconds_kept(house) == [2, 3, 30 * DAY // SECOND + 2]
        house.clock.step_wall(365 * DAY / SECOND)
        await house.seconds(1)
        house.clock.advance(2 * HOUR / SECOND)
        await house.seconds(1)
        await house.gateway._trim(house.clock.now())
        assert {2, 3} < set(seconds_kept(house))

    asyncio.run(check())


def test_a_clock_that_is_a_year_ahead_at_start_deletes_nothing(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(3)
        house.die()
        house.clock.reboot("boot-2")
        house.clock.step_wall(365 * DAY / SECOND)
        house.start()
        await house.gateway._trim(house.clock.now())
        # Hours of new readings make it no better.
        for _ in range(5):
            house.clock.advance(HOUR / SECOND)
            await house.seconds(1)
            await house.gateway._trim(house.clock.now())
        assert {1, 2, 3} < set(seconds_kept(house))
        # By now they are old by any clock.
        house.clock.advance(30 * DAY / SECOND)
        await house.seconds(1)
        await house.gateway._trim(house.clock.now())
        assert len(seconds_kept(house)) == 1

    asyncio.run(check())


def test_history_is_not_trimmed_in_the_first_hour_nor_when_it_gets_nothing_new(
    tmp_path: Path,
) -> None:
    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(3)
        # Written in good order, and old because the gateway has kept on running.
        house.gateway._retention._keep = 10 * SECOND
        house.clock.advance(HOUR / SECOND - 10)
        await house.seconds(1)
        await house.gateway._trim(house.clock.now())
        assert len(seconds_kept(house)) == 4
        house.clock.advance(2 * DAY / SECOND)
        await house.gateway._trim(house.clock.now())
        assert len(seconds_kept(house)) == 4
        await house.seconds(1)
        await house.gateway._trim(house.clock.now())
        assert len(seconds_kept(house)) == 1

    asyncio.run(check())


def status(at: float, **switch: object) -> bytes:
    return orjson.dumps({"method": "NotifyStatus", "params": {"ts": at, "switch:0": switch}})


def message(
    payload: bytes, told: list[str], name: str, topic: str = TOPIC, *, again: bool = False
) -> MqttMessage:
    return MqttMessage(
        topic=topic, payload=payload, retained=False, again=again, ack=lambda: told.append(name)
    )


def test_a_message_is_acknowledged_when_it_is_safe_and_never_taken_twice(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        told: list[str] = []
        await house.seconds(1)
        first = status(WALL / SECOND, output=True, apower=40.0)
        second = status(WALL / SECOND + 0.5, apower=41.0)
        house.gateway.hear(message(first, told, "first"))
        house.gateway.hear(message(second, told, "second"))
        assert told == []
        # Safe, and dead before the broker was told.
        house.spool.sync()
        house.die()
        house.start()
        await house.seconds(1)
        for payload, name in ((first, "first again"), (second, "second again")):
            house.gateway.hear(message(payload, told, name, again=True))
        third = status(WALL / SECOND + 1, apower=41.0)
        house.gateway.hear(message(third, told, "third"))
        await house.seconds(1)
        assert told == ["first again", "second again", "third"]
        found = house.history.range("lamp-1.power", 0, 1 << 60, 99)
        assert found.value.tolist() == [40, 41, 41]
        assert len(house.history.range("lamp-1.output", 0, 1 << 60, 99).value) == 1

    asyncio.run(check())


def outputs(house: House) -> list[float]:
    return house.history.range("lamp-1.output", 0, 1 << 60, 99).value.tolist()


def test_on_off_on_within_one_tick_of_the_devices_clock_ends_on(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        told: list[str] = []
        await house.seconds(1)
        on, off = (status(WALL / SECOND, output=output) for output in (True, False))
        for number, payload in enumerate((on, off, on)):
            house.gateway.hear(message(payload, told, str(number)))
        await house.seconds(1)
        assert (outputs(house), told) == ([1, 0, 1], ["0", "1", "2"])

    asyncio.run(check())


@pytest.mark.parametrize(
    ("again", "end"),
    [
        # Delivered again: what was not acknowledged, which is the end of what was taken.
        (["on", "off"], []),
        (["off"], []),
        # A third message, that was on its way when the connection was lost.
        (["on", "off", "on"], [1]),
        (["off", "on"], [1]),
        # Both were acknowledged: it can only be the third.
        (["on"], [1]),
    ],
)
def test_what_comes_again_is_told_from_the_same_words_said_again(
    tmp_path: Path, again: list[str], end: list[float]
) -> None:
    async def check() -> None:
        house = House(tmp_path)
        told: list[str] = []
        await house.seconds(1)
        said = {word: status(WALL / SECOND, output=word == "on") for word in ("on", "off")}
        for word in ("on", "off"):
            house.gateway.hear(message(said[word], told, word))
        await house.seconds(1)
        house.die()
        house.start()
        await house.seconds(1)
        told.clear()
        for word in again:
            house.gateway.hear(message(said[word], told, word, again=True))
        await house.seconds(3)
        assert outputs(house) == [1, 0, *end]
        assert told == again

    asyncio.run(check())


def test_a_message_without_readings_is_acknowledged_and_rubbish_raises(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        told: list[str] = []
        house.gateway.hear(message(b"true", told, "online", "shellyplus1pm-lobby/online"))
        assert told == ["online"]
        with pytest.raises(UnreadableMessageError):
            house.gateway.hear(message(b"\xff\xfe", told, "rubbish"))
        assert house.spool.next_seq == 1

    asyncio.run(check())


def test_a_message_for_which_there_is_no_room_is_left_with_the_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        house = House(tmp_path)
        told: list[str] = []
        await house.seconds(1)
        payload = status(WALL / SECOND, apower=1.0)
        with monkeypatch.context() as patch:
            patch.setattr(gateway.spool, "_UNSYNCED_BYTES", 1)
            house.gateway.hear(message(payload, told, "refused"))
        await house.seconds(1)
        assert told == []
        house.gateway.hear(message(payload, told, "taken"))
        await house.seconds(1)
        assert told == ["taken"]
        assert house.history.range("lamp-1.power", 0, 1 << 60, 99).value.tolist() == [1]

    asyncio.run(check())


def test_a_history_that_is_ahead_of_the_spool_pushes_the_numbers_on(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(1)
        shutil.copytree(tmp_path / "spool", tmp_path / "backup")
        await house.seconds(8)
        seen = house.spool.synced
        house.die()
        shutil.rmtree(tmp_path / "spool")
        (tmp_path / "backup").rename(tmp_path / "spool")
        house.start()
        assert house.spool.synced < seen
        await house.seconds(2)
        assert house.spool.read(seen, limit=99).records
        assert len({time for _, time, _, _ in house.rows()}) >= 10

    asyncio.run(check())


# -- the running service ----------------------------------------------------------------------


@asynccontextmanager
async def running(house: House) -> AsyncIterator[asyncio.Event]:
    house.clock = SystemClock()  # type: ignore[assignment]
    house.die()
    house.start()
    stop = asyncio.Event()
    run = asyncio.create_task(house.gateway.run(stop))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(8):
            await run


def test_it_runs_and_stops_with_everything_written(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        async with running(house):
            async with house.heard() as records:
                await until(lambda: len(frames(records)) >= 3)
            begun = time.monotonic()
        assert time.monotonic() - begun < 5
        assert house.spool.synced == house.spool.next_seq - 1
        cursor = house.history.cursor("gw-1")
        assert cursor == (house.spool.epoch, house.spool.synced)
        polls = len({t for name, t, _, _ in house.rows() if name == "pump-1.speed"})
        assert polls == house.device.reads // len(house.gateway._pollers[0].units[0].decoder.blocks)

    asyncio.run(check())


def test_a_disk_that_refuses_for_a_while_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        house = House(tmp_path)
        refused: list[int] = []

        def full(_file: int, data: bytes) -> int:
            refused.append(len(data))
            raise OSError(errno.ENOSPC, "No space left on device")

        async with running(house), house.heard() as records:
            await until(lambda: len(frames(records)) >= 1)
            with monkeypatch.context() as patch:
                patch.setattr(gateway.spool.os, "write", full)
                await until(lambda: len(refused) >= 2)
            await until(lambda: len(frames(records)) >= 4)
        polls = len({t for name, t, _, _ in house.rows() if name == "pump-1.speed"})
        assert polls == house.device.reads // len(house.gateway._pollers[0].units[0].decoder.blocks)

    asyncio.run(check())


def test_a_slow_link_delays_only_itself(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        link = house.site.links["pump-room"]
        assert isinstance(link, ModbusLink)
        one, *others = [t for t in house.site.equipment.values() if t.link == link.id]
        slow = Device()
        slow.delay = 60
        house.clock = SystemClock()  # type: ignore[assignment]
        quick = LinkPoller(link, others, house.device)
        stuck = LinkPoller(link, [one], slow)
        house.gateway = Gateway(
            site=house.site,
            spool=house.spool,
            history=house.history,
            bus=house.bus,
            clock=house.clock,
            pollers=[stuck, quick],
        )
        stop = asyncio.Event()
        run = asyncio.create_task(house.gateway.run(stop))
        await until(lambda: house.spool.synced >= 4)
        stop.set()
        async with asyncio.timeout(8):
            await run
        assert slow.reads == 0

    asyncio.run(check())


_KILLED = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_gateway_service import House
async def main():
    house = House(Path(sys.argv[1]))
    print(house.spool.epoch, flush=True)
    await house.seconds(6)
asyncio.run(main())
"""


@pytest.mark.slow
def test_killed_between_spool_and_bus_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path), str(Path(__file__).parent)],
        env={"DUTYROOM_FAILPOINT": "after-spool:4", "PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert killed.returncode == -9

    async def check() -> None:
        house = House(tmp_path)
        assert house.spool.epoch == killed.stdout.split()[0]
        assert {t - WALL for _, t, _, _ in house.rows()} == {n * SECOND for n in (1, 2, 3)}
        async with house.heard() as records:
            house.clock.advance(4)
            await house.seconds(1)
            await until(lambda: len(frames(records)) == 5)
        assert {t - WALL for _, t, _, _ in house.rows()} == {n * SECOND for n in (1, 2, 3, 4, 5)}
        assert [r.envelope.seq for r in records] == list(range(1, len(records) + 1))

    asyncio.run(check())


def test_a_link_is_down_only_when_all_its_units_are() -> None:
    state = LinkState("l", 2)
    assert state.hear(1, False, "timeout") is None
    assert state.up is None
    up = state.hear(2, True)
    assert up is not None
    assert up.kind.value == "link_up"
    assert state.hear(2, True) is None
    down = state.hear(2, False, "timeout")
    assert down is not None
    assert (down.kind.value, down.detail) == ("link_down", "timeout")
    assert state.hear(1, False, "timeout") is None
