"""RTU framing on a line that misbehaves: through a converter on TCP, and on a serial device.

Experiments A2 to A8 of deploy/docs/faults.md, as far as they are about framing and line.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from modbus_line import Answer, Asked, Line, framed

from gateway.modbus.link import FailureKind, ModbusSession, ReadFailure
from gateway.modbus.plan import Block
from gateway.model.equipment import Framing, ModbusLink, SerialPort
from gateway.model.profile import Function, ModbusPlace, RegisterType

WAYS = ["converter", "terminal"]
T = 0.25
"""Seconds of timeout of those that wait for it."""


def holding(address: int, count: int = 2) -> Block:
    return Block(function=Function.HOLDING, address=address, count=count)


@asynccontextmanager
async def session_on(
    line: Line,
    way: str,
    *,
    timeout: float = 2.0,  # noqa: ASYNC109  # a device's
    pause: float = 0.0,
) -> AsyncIterator[ModbusSession]:
    """A session over ``line``."""
    if way == "terminal":
        async with line.terminal() as device:
            port = SerialPort(device=device, baud=115_200)
            link = ModbusLink(
                id="bus", serial=port, framing=Framing.RTU, timeout=timeout, pause=pause
            )
            session = ModbusSession(link)
            yield session
            await session.close()
    else:
        async with line.converter() as port_number:
            link = ModbusLink(
                id="bus",
                host="127.0.0.1",
                port=port_number,
                framing=Framing.RTU,
                timeout=timeout,
                pause=pause,
            )
            session = ModbusSession(link)
            yield session
            await session.close()


async def failure(session: ModbusSession, unit: int, block: Block) -> ReadFailure:
    with pytest.raises(ReadFailure) as caught:
        await session.read(unit, block)
    return caught.value


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110  # nobody tells
            await asyncio.sleep(0.005)


def first(wrong: Answer) -> Answer:
    """The first request is answered by ``wrong``, every later one rightly."""

    async def answer(line: Line, asked: Asked) -> None:
        if asked.number == 0:
            await wrong(line, asked)
        else:
            line.say(asked.reply())

    return answer


async def after_the_owed_reply(session: ModbusSession, unit: int, block: Block) -> list[int]:
    """The registers, as soon as the unit may be asked again."""
    async with asyncio.timeout(10):
        while True:
            try:
                return list(await session.read(unit, block))
            except ReadFailure as held:
                assert held.kind is FailureKind.HELD, held.reason
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("way", WAYS)
def test_registers_and_bits_of_several_units(way):
    async def answer(line: Line, asked: Asked) -> None:
        if asked.function < 3:
            line.say(framed(bytes([asked.unit, asked.function, 1, 0b101])))
        else:
            line.say(asked.reply())

    async def run():
        async with session_on(Line(answer), way) as session:
            assert list(await session.read(1, holding(2000))) == [2000, 2001]
            assert list(await session.read(247, holding(5, 125))) == list(range(5, 130))
            coils = Block(function=Function.COIL, address=0, count=3)
            assert list(await session.read(2, coils)) == [True, False, True]
            assert session.connected
            figures = session.traffic.units
            assert [figures[unit].replies for unit in (1, 2, 247)] == [1, 1, 1]

    asyncio.run(run())


@pytest.mark.parametrize("way", WAYS)
def test_a_late_reply_is_never_stored_under_another_address(way):
    """Experiment A2, on the line itself: the converter hands the reply to the new connection."""

    async def late(line: Line, asked: Asked) -> None:
        await asyncio.sleep(1.5 * T)
        line.say(asked.reply())

    async def run():
        line = Line(first(late))
        async with session_on(line, way, timeout=T) as session:
            silent = await failure(session, 1, holding(2000))
            assert (silent.kind, silent.reason) == (
                FailureKind.NO_REPLY,
                f"no_reply: unit 1, {T:g} s",
            )
            assert not session.connected
            assert (await failure(session, 1, holding(1000))).kind is FailureKind.HELD
            assert await after_the_owed_reply(session, 1, holding(1000)) == [1000, 1001]
            assert len(line.requests) == 2
            assert session.traffic.unit(1).timeouts == 1

    asyncio.run(run())


@pytest.mark.parametrize("way", WAYS)
def test_a_late_reply_costs_a_neighbour_one_read_at_most(way):
    async def answer(line: Line, asked: Asked) -> None:
        if asked.number == 0:
            await asyncio.sleep(1.5 * T)
        line.say(asked.reply())

    async def run():
        async with session_on(Line(answer), way, timeout=T) as session:
            await failure(session, 1, holding(2000))
            wrong = 0
            for _ in range(40):
                try:
                    assert list(await session.read(2, holding(1000))) == [1000, 1001]
                except ReadFailure as failed:
                    wrong += failed.kind is FailureKind.WRONG_REPLY
                await asyncio.sleep(0.01)
            assert wrong <= 1

    asyncio.run(run())


@pytest.mark.parametrize("way", WAYS)
def test_whatever_comes_late_every_value_is_of_its_own_address(way):
    """A line on which of three replies one comes late."""
    chance = random.Random(4)
    # Of a reply that is late by more than the limit nobody can tell: what a busy machine makes
    # later than it was meant to be is lost instead.
    limit = 0.2

    async def answer(line: Line, asked: Asked) -> None:
        began = time.monotonic()
        slow = chance.random() < 0.3
        await asyncio.sleep(chance.uniform(0.8, 1.5) * limit if slow else 0)
        if time.monotonic() - began < 1.6 * limit:
            line.say(asked.reply())

    async def run():
        read = failed = 0
        async with session_on(Line(answer), way, timeout=limit) as session, asyncio.timeout(60):
            while read < 60:
                unit, address = chance.randrange(1, 4), chance.randrange(0, 60000)
                try:
                    got = await session.read(unit, holding(address))
                except ReadFailure:
                    failed += 1
                    await asyncio.sleep(0.005)
                    continue
                assert list(got) == [address, address + 1]
                read += 1
        assert failed > 10

    asyncio.run(run())


async def _wrong_unit(line: Line, asked: Asked) -> None:
    line.say(Asked(9, asked.function, asked.address, asked.count, 0).reply())


async def _wrong_function(line: Line, asked: Asked) -> None:
    line.say(Asked(asked.unit, 4, asked.address, asked.count, 0).reply())


async def _short(line: Line, asked: Asked) -> None:
    line.say(asked.reply(7))


async def _long(line: Line, asked: Asked) -> None:
    line.say(asked.reply(7, 8, 9))


async def _bad_crc(line: Line, asked: Asked) -> None:
    line.say(asked.reply()[:-1] + b"\x00\x00"[:1])


async def _glued(line: Line, asked: Asked) -> None:
    line.say(2 * asked.reply())


async def _garbage(line: Line, _asked: Asked) -> None:
    line.say(b"\xde\xad\xbe\xef" * 40)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (_wrong_unit, "unit 9 ≠ 1"),
        (_wrong_function, "function 4 ≠ 3"),
        (_short, "bytes 2 ≠ 4"),
        (_long, "bytes 6 ≠ 4"),
        (_bad_crc, "CRC "),
        (_glued, "9 bytes after the reply"),
        (_garbage, "unit 222 ≠ 1"),
    ],
)
def test_a_wrong_reply_is_rejected_named_counted_and_the_next_is_right(way, wrong, reason):
    async def run():
        async with session_on(Line(first(wrong)), way, timeout=T) as session:
            rejected = await failure(session, 1, holding(2000))
            assert rejected.kind is FailureKind.WRONG_REPLY
            assert rejected.reason.startswith(f"wrong_reply: {reason}")
            tally = session.traffic.unit(1)
            damaged = wrong is _bad_crc
            assert (tally.wrong, tally.damaged) == (not damaged, damaged)
            assert await after_the_owed_reply(session, 1, holding(1000)) == [1000, 1001]

    asyncio.run(run())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 10, 11])
def test_every_exception_is_a_reason_and_no_value(way, code):
    async def refuse(line: Line, asked: Asked) -> None:
        line.say(framed(bytes([asked.unit, asked.function | 0x80, code])))

    async def run():
        async with session_on(Line(first(refuse)), way) as session:
            refused = await failure(session, 1, holding(0))
            assert refused.code == code
            assert refused.reason.startswith(("device_exception: ", "no_reply: unit 1, "))
            assert session.traffic.unit(1).exceptions == {code: 1}
            assert list(await session.read(1, holding(0))) == [0, 1]

    asyncio.run(run())


@pytest.mark.parametrize("way", WAYS)
def test_bytes_one_by_one_are_a_reply_and_half_a_reply_is_none(way):
    async def answer(line: Line, asked: Asked) -> None:
        reply = asked.reply()
        for at in range(len(reply) if asked.number == 0 else 5):
            line.say(reply[at : at + 1])
            await asyncio.sleep(0.002)

    async def run():
        async with session_on(Line(answer), way, timeout=T) as session:
            assert list(await session.read(1, holding(2000))) == [2000, 2001]
            half = await failure(session, 1, holding(2000))
            assert half.kind is FailureKind.NO_REPLY
            assert half.reason == f"no_reply: unit 1, {T:g} s, 5 bytes"

    asyncio.run(run())


@pytest.mark.parametrize("way", WAYS)
def test_what_nobody_asked_for_is_dropped(way):
    async def run():
        line = Line()
        async with session_on(line, way) as session:
            assert list(await session.read(1, holding(0))) == [0, 1]
            line.say(Asked(1, 3, 2000, 2, 0).reply())
            await until(lambda: session.traffic.strays)
            assert list(await session.read(1, holding(7))) == [7, 8]

    asyncio.run(run())


@pytest.mark.parametrize("way", WAYS)
def test_a_pause_lies_between_a_reply_and_the_next_request(way):
    async def run():
        times = []
        loop = asyncio.get_running_loop()

        async def answer(line: Line, asked: Asked) -> None:
            times.append(loop.time())
            line.say(asked.reply())

        async with session_on(Line(answer), way, pause=0.05) as session:
            for _ in range(4):
                await session.read(1, holding(0))
        assert all(b - a >= 0.05 for a, b in pairwise(times))

    asyncio.run(run())


@pytest.mark.parametrize("way", WAYS)
def test_a_register_is_written_and_the_echo_checked(way):
    async def answer(line: Line, asked: Asked) -> None:
        echo = line.requests[-1]
        line.say(echo if asked.number == 0 else framed(echo[:4] + b"\0\0"))

    async def run():
        place = ModbusPlace(function=Function.HOLDING, address=16, type=RegisterType.UINT16)
        line = Line(answer)
        async with session_on(line, way, timeout=T) as session:
            await session.write(1, place, [500])
            assert line.requests[0][:6] == bytes.fromhex("01 06 0010 01F4")
            with pytest.raises(ReadFailure, match="wrong_reply: echo"):
                await session.write(1, place, [500])

    asyncio.run(run())


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("way", WAYS)
def test_a_dead_line_is_reopened_after_every_timeout_and_descriptors_stay_flat(way):
    async def mute(_line: Line, _asked: Asked) -> None:
        """No answer."""

    async def run():
        line = Line(mute)
        async with session_on(line, way, timeout=0.02) as session:
            counts = []
            for unit in range(1, 30):
                session._not_before = 0.0  # as if a second had passed
                assert (await failure(session, unit, holding(0))).kind is FailureKind.NO_REPLY
                assert not session.connected
                counts.append(descriptors())
            # The converter closes its end a moment later.
            assert max(counts) <= min(counts) + 3
            assert session.traffic.attempts == 29
            before = session.traffic.attempts
            for _ in range(5):
                assert (await failure(session, 99, holding(0))).kind in (
                    FailureKind.NO_CONNECTION,
                    FailureKind.NO_REPLY,
                )
            assert session.traffic.attempts <= before + 1, "once a second at most"

    asyncio.run(run())


def test_a_serial_device_that_is_not_there_is_named_and_tried_again(tmp_path):
    async def run():
        now = 0.0
        path = tmp_path / "ttyUSB0"
        link = ModbusLink(
            id="bus", serial=SerialPort(device=str(path)), framing=Framing.RTU, timeout=1.0
        )
        session = ModbusSession(link, monotonic=lambda: now, chance=lambda: 0.0)
        missing = await failure(session, 1, holding(0))
        assert (missing.kind, missing.reason) == (
            FailureKind.NO_CONNECTION,
            f"no_connection: {path}, ENOENT",
        )
        async with Line().terminal() as device:
            path.symlink_to(device)
            assert (await failure(session, 1, holding(0))).reason.endswith("ENOENT; 1 s")
            now += 1.0
            assert list(await session.read(1, holding(0))) == [0, 1]
            await session.close()

    asyncio.run(run())


def test_an_adapter_that_is_pulled_out_is_a_closed_connection():
    async def run():
        line = Line()
        async with session_on(line, "terminal") as session:
            assert list(await session.read(1, holding(0))) == [0, 1]
            line.unplug()
            await until(lambda: not session.connected)

    asyncio.run(run())


def test_a_serial_line_has_silence_of_three_and_a_half_characters():
    async def run():
        times = []
        loop = asyncio.get_running_loop()

        async def answer(line: Line, asked: Asked) -> None:
            times.append(loop.time())
            line.say(asked.reply())

        line = Line(answer)
        async with line.terminal() as device:
            port = SerialPort(device=device, baud=1200, parity="E")
            link = ModbusLink(id="bus", serial=port, framing=Framing.RTU, timeout=2.0)
            session = ModbusSession(link)
            for _ in range(4):
                await session.read(1, holding(0))
            await session.close()
        assert all(b - a >= 3.5 * 11 / 1200 for a, b in pairwise(times))

    asyncio.run(run())
