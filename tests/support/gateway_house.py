"""A gateway of two links in a folder, driven by hand or by itself, and killed at will."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
from in_a_row import InARow
from spools import kill

from gateway.bus.memory import MemoryBus
from gateway.bus.stream import Subscriber
from gateway.clock import ManualClock, SystemClock
from gateway.history.embedded import EmbeddedHistory
from gateway.modbus.decode import Registers
from gateway.modbus.link import ReadFailure
from gateway.modbus.plan import Block
from gateway.modbus.poller import LinkPoller
from gateway.model.equipment import Broker, ModbusLink, Site
from gateway.model.events import GatewayEvent, Record
from gateway.model.frame import Frame
from gateway.model.moment import SECOND
from gateway.mqtt.link import MqttMessage
from gateway.service import Gateway
from gateway.site.files import load, with_broker
from gateway.spool.queue import CONSUMERS, Spool
from gateway.tally import CONSUMER as TALLY

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"
WALL = 1_795_000_000 * SECOND
NOWHERE = Broker(host="127.0.0.1", port=9, username="u", password="p")
TOPIC = "shellyplus1pm-lobby/events/rpc"


def _pumps_and_a_lamp(site: Site) -> Site:
    """Of the demonstration what is behind the one link that a test serves, and the lamp; all is
    read at every poll, and all of it kept."""
    kept = ("booster-1", "pump-1", "pump-2", "pump-3", "lamp-1")
    things = {name: site.equipment[name] for name in kept}
    for name, thing in things.items():
        points = tuple(
            replace(point, interval=thing.poll, deadband=None, keep_every=None)
            for point in thing.points
        )
        things[name] = replace(thing, points=points)
    links = {name: site.links[name] for name in ("pump-room", "lighting")}
    return replace(site, links=links, equipment=things)


class Device(InARow):
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

    def __init__(self, folder: Path, broker: Broker = NOWHERE) -> None:
        self.site: Site = with_broker(_pumps_and_a_lamp(load(DEMO)), broker)
        self.folder = folder
        self.device = Device()
        self.clock = ManualClock(WALL)
        self.start()

    def start(self) -> None:
        self.spool = Spool.open(self.folder / "spool", consumers=(*CONSUMERS, TALLY))
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
        kill(self.spool)
        self.history.close()

    async def seconds(self, count: int) -> None:
        for _ in range(count):
            await self.gateway.cycle(self.clock.advance(1))

    def rows(self) -> list[tuple[str, int, float | None, int]]:
        found = {name: self.history.range(name, 0, 1 << 60, 1 << 30) for name in self.site.points}
        return sorted(
            (name, time, None if np.isnan(value) else value, quality)
            for name, series in found.items()
            for time, value, quality in zip(
                series.time.tolist(), series.value.tolist(), series.quality.tolist(), strict=True
            )
        )

    @asynccontextmanager
    async def heard(self, after: tuple[str, int] | None = None) -> AsyncIterator[list[Record]]:
        """What a consumer on the bus gets."""
        records: list[Record] = []
        subscriber = Subscriber(
            self.bus, self.site.id, self.site.gateway, "rules", after, retry=0.01
        )
        self.subscriber = subscriber

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


def in_order_and_whole(house: House, records: list[Record]) -> None:
    """No number twice, and none lost, though numbers were passed over after a kill."""
    seqs = [record.envelope.seq for record in records]
    assert seqs == sorted(set(seqs))
    assert house.subscriber.lost == 0


def frames(records: list[Record]) -> list[Frame]:
    return [record.body for record in records if isinstance(record.body, Frame)]


def events(records: list[Record]) -> list[tuple[str, str]]:
    found = [record.body for record in records if isinstance(record.body, GatewayEvent)]
    return [(event.kind.value, event.subject) for event in found]


def status(at: float, **switch: object) -> bytes:
    return orjson.dumps({"method": "NotifyStatus", "params": {"ts": at, "switch:0": switch}})


def message(
    payload: bytes, told: list[str], name: str, topic: str = TOPIC, *, again: bool = False
) -> MqttMessage:
    return MqttMessage(
        topic=topic, payload=payload, retained=False, again=again, ack=lambda: told.append(name)
    )


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
