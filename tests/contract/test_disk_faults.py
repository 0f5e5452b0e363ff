"""Experiment 32: while the disk takes nothing rules and page go on, and no number is used twice."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokers import BrokerProcess, mosquitto_broker
from gateway_house import (
    TOPIC,
    House,
    frames,
    in_order_and_whole,
    message,
    running,
    status,
    until,
)
from mqtt_ears import Publisher

import gateway.spool.files
import gateway.spool.pen
from gateway.model.events import GatewayEvent, GatewayEventKind, Record
from gateway.model.moment import SECOND


class Refusing:
    """A disk that refuses to take a record."""

    def __init__(self, _folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch

    def breaks(self) -> None:
        def refused(_file: int, _data: bytes) -> int:
            raise OSError(errno.EIO, "Input/output error")

        self._patch.setattr(gateway.spool.pen.os, "write", refused)

    def mends(self) -> None:
        self._patch.undo()


class Hanging:
    """A disk that does not answer."""

    def __init__(self, _folder: Path, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self._back = threading.Event()

    def breaks(self) -> None:
        flush = gateway.spool.pen._flush

        def stuck(file: int) -> None:
            self._back.wait(60)
            flush(file)

        self._patch.setattr(gateway.spool.pen, "_flush", stuck)

    def mends(self) -> None:
        self._back.set()


class Full:
    """A file system of its own that is full."""

    def __init__(self, folder: Path, _patch: pytest.MonkeyPatch) -> None:
        self._spool = folder / "spool"
        self._spool.mkdir()
        self._filler = self._spool / "filler"
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(self._spool)]
        if os.geteuid() != 0 or subprocess.run(command, check=False).returncode:
            pytest.skip("no file system can be mounted here")

    def breaks(self) -> None:
        with self._filler.open("wb", buffering=0) as file:
            for size in (4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError as error:
                    assert error.errno == errno.ENOSPC

    def mends(self) -> None:
        self._filler.unlink()


@pytest.fixture(params=[Refusing, Hanging, Full], ids=["refuses", "hangs", "full"])
def disk(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Refusing | Hanging | Full]:
    yield request.param(tmp_path, monkeypatch)
    if (tmp_path / "spool").is_mount():
        subprocess.run(["umount", "-l", str(tmp_path / "spool")], check=True)


def polled(records: list[Record]) -> list[Record]:
    return [r for r in records if frames([r]) and "pump-1.speed" in r.body.points]  # type: ignore[union-attr]


def kept(house: House) -> set[int]:
    return {time for name, time, _, _ in house.rows() if name == "pump-1.speed"}


def test_what_a_disk_does_not_take_is_told_and_kept_when_it_is_back(
    tmp_path: Path, disk: Refusing | Hanging | Full
) -> None:
    async def check() -> None:
        told: list[str] = []
        house = House(tmp_path)
        async with running(house), house.heard() as records:
            await until(lambda: len(polled(records)) >= 2)
            disk.breaks()
            await until(lambda: house.gateway.intake.disk_fails)
            lamp = status(house.clock.now().wall / SECOND, output=True)
            house.gateway.devices.hear(message(lamp, told, "lamp"))
            before = len(polled(records))
            await until(lambda: len(polled(records)) >= before + 3)
            await until(lambda: any("lamp-1.output" in frame.points for frame in frames(records)))
            # All of it was told, and what was not kept is neither in the history nor acknowledged.
            assert house.spool.newest > house.spool.synced
            assert len(kept(house)) < len(polled(records))
            assert told == []
            disk.mends()
            await until(lambda: told == ["lamp"])
            await until(lambda: not house.gateway.intake.disk_fails)
            after = len(polled(records))
            await until(lambda: len(polled(records)) > after)
        in_order_and_whole(house, records)
        assert kept(house) == {record.envelope.at.wall for record in polled(records)}
        assert (house.spool.torn, house.spool.dropped) == (0, 0)

    asyncio.run(check())


def test_killed_while_the_disk_fails_no_number_is_told_twice(
    tmp_path: Path, disk: Refusing | Hanging | Full
) -> None:
    if isinstance(disk, Hanging):
        pytest.skip("a thread that hangs cannot be killed within a test")

    async def check() -> None:
        house = House(tmp_path)
        async with house.heard() as records:
            await house.seconds(3)
            disk.breaks()
            await house.seconds(4)
            await until(lambda: len(polled(records)) == 7)
        told, safe = records[-1].envelope.seq, house.spool.synced
        walls = {record.envelope.seq: record.envelope.at.wall for record in polled(records)}
        lost = {wall for seq, wall in walls.items() if seq > safe}
        assert len(lost) >= 3
        house.die()
        house.start()
        # The disk still takes nothing: the restarted gateway tells all the same.
        async with house.heard((house.spool.epoch, told)) as again:
            await house.seconds(2)
            await until(lambda: len(polled(again)) == 2)
            assert min(record.envelope.seq for record in again) > told
            disk.mends()
            await house.seconds(2)
            await until(lambda: len(polled(again)) == 4)
            assert house.subscriber.lost == 0
        assert len(kept(house)) == 7 - len(lost) + 4
        assert not kept(house) & lost

    asyncio.run(check())


def test_a_gateway_that_cannot_reserve_numbers_tells_nothing_that_is_not_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the spool nor its mark can be written: better silent than a number twice."""

    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(2)
        house.die()

        def refused(*_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(gateway.spool.files.os, "pwrite", refused)
            patch.setattr(gateway.spool.pen.os, "write", refused)
            house.start()
            safe = house.spool.newest
            async with house.heard() as records:
                await house.seconds(2)
                await until(lambda: len(polled(records)) == 2)
                assert house.spool.newest > safe
                patch.undo()
                await house.seconds(1)
                await until(lambda: len(polled(records)) == 5)
            in_order_and_whole(house, records)

    asyncio.run(check())


def test_when_memory_is_full_the_oldest_polls_go_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        house = House(tmp_path)
        disk = Refusing(tmp_path, monkeypatch)
        async with house.heard() as records:
            await house.seconds(2)
            monkeypatch.setattr(house.spool._memory, "_waiting_bytes", 10_000)
            disk._patch = pytest.MonkeyPatch()
            disk.breaks()
            told: list[str] = []
            lamp = status(house.clock.now().wall / SECOND, output=True)
            house.gateway.devices.hear(message(lamp, told, "lamp"))
            await house.seconds(30)
            assert house.spool.waiting_size <= 10_000
            assert 10 < house.spool.dropped < 30
            disk.mends()
            await house.seconds(1)
            await house.gateway.watching.look(house.clock.now())
            await house.seconds(1)
            # Everybody who evaluates has had all of it.
            await until(lambda: len(polled(records)) == 34)
            await until(lambda: shed(records) != [])
        assert told == ["lamp"]
        assert shed(records) == [f"{house.spool.dropped} records, for want of room"]
        walls = sorted(record.envelope.at.wall for record in polled(records))
        gone = house.spool.dropped
        assert sorted(kept(house)) == walls[:2] + walls[2 + gone :]
        assert house.history.range("lamp-1.output", 0, 1 << 60, 9).value.tolist() == [1]

    asyncio.run(check())


def shed(records: list[Record]) -> list[str]:
    events = [record.body for record in records if isinstance(record.body, GatewayEvent)]
    return [event.detail for event in events if event.kind is GatewayEventKind.SHED]


def test_devices_of_a_broker_are_heard_while_the_disk_fails(
    tmp_path: Path, mosquitto: str, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By itself Mosquitto sends 20 messages that nobody acknowledges, and then none."""
    shipped = (Path(__file__).parents[2] / "deploy/compose/mosquitto.conf").read_text()
    line = next(line for line in shipped.splitlines() if line.startswith("max_inflight"))

    async def check(broker: BrokerProcess) -> None:
        house = House(tmp_path, broker.address)
        publisher = Publisher(broker.address)
        disk = Refusing(tmp_path, monkeypatch)

        def heard() -> list[float]:
            """The power that the lamp told, in its order."""
            rows = [frame for frame in frames(records) if "lamp-1.power" in frame.points]
            return [float(frame.value[frame.points.index("lamp-1.power")]) for frame in rows]

        async with running(house), house.heard() as records:
            session = house.gateway.devices.session
            assert session is not None
            await until(lambda: session.connected)
            disk.breaks()
            await until(lambda: house.gateway.intake.disk_fails)
            for number in range(60):
                publisher.say(status(house.clock.now().wall / SECOND, apower=float(number)), TOPIC)
            await until(lambda: heard() == list(range(60)))
            assert house.history.range("lamp-1.power", 0, 1 << 60, 99).value.tolist() == []
            disk.mends()
            await until(lambda: not house.gateway.intake.disk_fails)
        publisher.close()
        assert house.history.range("lamp-1.power", 0, 1 << 60, 99).value.tolist() == heard()

    with mosquitto_broker(mosquitto, tmp_path, free_port, settings=[line]) as broker:
        asyncio.run(check(broker))
