"""Modbus TCP over real sockets: what a link does beside reading. Reading itself, and devices that
misbehave byte by byte: tests/unit/test_modbus_link.py; RTU framing: test_modbus_rtu.py."""

import asyncio
import socket
import struct
import time
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.clock import ManualClock
from gateway.modbus.link import FailureKind, ModbusSession, ReadFailure
from gateway.modbus.plan import Block
from gateway.modbus.poller import LinkPoller
from gateway.model.equipment import Equipment, ModbusLink
from gateway.model.moment import SECOND
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import Function, ModbusPlace, RegisterType
from gateway.model.quality import Quality

TWO = Block(function=Function.HOLDING, address=0, count=2)
NAME = Text(zh="表", en="Meter")


def right(request):
    """The reply to a read of registers: the address of each."""
    address, count = struct.unpack_from(">HH", request, 8)
    words = struct.pack(f">{count}H", *range(address, address + count))
    head = struct.pack(">HHHB", *struct.unpack_from(">HH", request), 3 + len(words), request[6])
    return head + bytes([request[7], len(words)]) + words


class Meter:
    """Answers rightly on connections that it takes; ``hold`` keeps a unit's replies back."""

    def __init__(self):
        self.units: list[int] = []
        self.times: list[float] = []
        self.open = self.most = self.connections = 0
        self.held: set[int] = set()

    async def serve(self, reader, writer):
        self.connections += 1
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            while request := await reader.read(300):
                self.units.append(request[6])
                self.times.append(time.monotonic())
                if request[6] not in self.held:
                    writer.write(right(request))
        except ConnectionError:
            pass
        finally:
            self.open -= 1
            writer.close()

    @asynccontextmanager
    async def listening(self, port=0):
        server = await asyncio.start_server(self.serve, "127.0.0.1", port)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


def link(port, **more):
    return ModbusLink(**{"id": "room", "host": "127.0.0.1", "port": port, "timeout": 2.0, **more})


def equipment(unit, *addresses):
    name = f"meter-{unit}"
    return Equipment(
        id=name,
        name=NAME,
        equipment_class="meter",
        profile="x",
        model=NAME,
        area="a",
        link="room",
        unit=unit,
        poll=SECOND,
        points=tuple(
            Point(id=f"{name}.p{a}", equipment=name, key=f"p{a}", name=NAME, kind=PointKind.NUMBER)
            for a in addresses
        ),
        modbus={
            f"p{a}": ModbusPlace(function=Function.HOLDING, address=a, type=RegisterType.UINT16)
            for a in addresses
        },
    )


async def polled(poller, now):
    polled = [own async for said in poller.poll(now) for own in said.each()]
    return {own.points[0]: own.columns for own in polled}


def test_coils_and_registers_are_written_to_a_real_server(free_port):
    async def run():
        device = SimDevice(
            1,
            simdata=(
                [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
                [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
                [SimData(0, values=[0] * 8, datatype=DataType.REGISTERS)],
                [SimData(0, values=[0] * 8, datatype=DataType.REGISTERS)],
            ),
        )
        server = ModbusTcpServer([device], address=("127.0.0.1", free_port))
        await server.serve_forever(background=True)
        session = ModbusSession(link(free_port))
        coil = ModbusPlace(function=Function.COIL, address=3, type=RegisterType.BIT)
        one = ModbusPlace(function=Function.HOLDING, address=2, type=RegisterType.UINT16)
        two = ModbusPlace(function=Function.HOLDING, address=4, type=RegisterType.FLOAT32)
        await session.write(1, coil, [1])
        await session.write(1, one, [500])
        await session.write(1, two, [0x42C8, 0])
        coils = await session.read(1, Block(function=Function.COIL, address=0, count=5))
        assert list(coils) == [False, False, False, True, False]
        registers = await session.read(1, Block(function=Function.HOLDING, address=0, count=8))
        assert list(registers) == [0, 0, 500, 0, 0x42C8, 0, 0, 0]
        await session.write(1, coil, [0])
        assert not (await session.read(1, Block(function=Function.COIL, address=3, count=1)))[0]
        measured = ModbusPlace(function=Function.INPUT, address=0, type=RegisterType.UINT16)
        with pytest.raises(ValueError, match="cannot be written"):
            await session.write(1, measured, [1])
        assert session.connected
        await session.close()
        await server.shutdown()

    asyncio.run(run())


def test_a_device_of_one_connection_is_left_after_each_poll():
    async def run():
        meter, clock = Meter(), ManualClock(1_800_000_000 * SECOND)
        async with meter.listening() as port:
            poller = LinkPoller(link(port, once=True), [equipment(1, 0, 500)])
            for _ in range(5):
                told = await polled(poller, clock.advance(1))
                assert list(told["meter-1.p0"].value) == [0, 500]
                assert not poller.session.connected
            assert meter.connections == 5
            assert meter.most == 1
            assert len(meter.units) == 10, "both blocks over one connection"

    asyncio.run(run())


def test_a_pause_lies_between_a_reply_and_the_next_request():
    async def run():
        meter = Meter()
        async with meter.listening() as port:
            session = ModbusSession(link(port, pause=0.05))
            for _ in range(4):
                await session.read(1, TWO)
            await session.close()
        assert all(b - a >= 0.05 for a, b in pairwise(meter.times))

    asyncio.run(run())


def test_a_device_off_for_ten_minutes_is_back_within_ten_seconds(free_port):
    """Experiment A8, the clock turned by hand and the worst of chances."""

    async def run():
        clock = ManualClock(1_800_000_000 * SECOND)
        settings = link(free_port)
        session = ModbusSession(
            settings, monotonic=lambda: clock.now().mono / SECOND, chance=lambda: 1.0
        )
        poller = LinkPoller(settings, [equipment(1, 0)], session)
        for _ in range(600):
            told = await polled(poller, clock.advance(1))
            assert told["meter-1.p0"].quality[0] == Quality.BAD
        assert session.traffic.attempts < 600 / 8
        meter = Meter()
        async with meter.listening(free_port):
            told = [await polled(poller, clock.advance(1)) for _ in range(10)]
            assert told[-1]["meter-1.p0"].quality[0] == Quality.GOOD
            assert meter.connections == 1
            await poller.close()

    asyncio.run(run())


def test_a_reset_at_every_request_is_met_with_ever_longer_waits():
    """Experiment A7."""

    async def run():
        clock = ManualClock(1_800_000_000 * SECOND)
        attempts = []

        async def serve(reader, writer):
            attempts.append(clock.now().mono / SECOND)
            await reader.read(300)
            raw = writer.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        session = ModbusSession(
            link(port), monotonic=lambda: clock.now().mono / SECOND, chance=lambda: 0.5
        )
        for _ in range(400):
            clock.advance(0.1)
            with pytest.raises(ReadFailure) as failed:
                await session.read(1, TWO)
            assert failed.value.kind in (FailureKind.WRONG_REPLY, FailureKind.NO_CONNECTION)
        waits = [round(b - a, 1) for a, b in pairwise(attempts)]
        assert waits == [pytest.approx(1.125 * wait, abs=0.11) for wait in (1, 2, 4, 8, 8, 8)]
        await session.close()
        server.close()

    asyncio.run(run())


def test_a_device_that_takes_a_connection_and_leaves_is_not_waited_for():
    async def run():
        async def serve(reader, writer):
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        clock = ManualClock(1_800_000_000 * SECOND)
        session = ModbusSession(
            link(server.sockets[0].getsockname()[1], timeout=60.0),
            monotonic=lambda: clock.now().mono / SECOND,
        )
        async with asyncio.timeout(20):
            for _ in range(10):
                clock.advance(60)
                with pytest.raises(ReadFailure) as failed:
                    await session.read(1, TWO)
                assert failed.value.reason == "wrong_reply: closed"
        await session.close()
        server.close()

    asyncio.run(run())


def test_a_unit_whose_replies_are_held_back_is_bad_at_once_and_its_neighbours_go_on():
    """Experiment A1, on one link: a dead unit costs one timeout a round at most."""

    async def run():
        meter, clock = Meter(), ManualClock(1_800_000_000 * SECOND)
        meter.held = {1}
        async with meter.listening() as port:
            units = [equipment(unit, 0) for unit in range(1, 6)]
            poller = LinkPoller(link(port, timeout=0.05), units)
            bad, good = 0, 0
            for _ in range(24):
                begun = time.monotonic()
                told = await polled(poller, clock.advance(1))
                assert time.monotonic() - begun < 0.05 + 1.0
                bad += "meter-1.p0" in told and told["meter-1.p0"].quality[0] == Quality.BAD
                good += sum(
                    told[f"meter-{unit}.p0"].quality[0] == Quality.GOOD for unit in range(2, 6)
                )
            assert (bad, good) == (5, 96)
            assert meter.units.count(1) == 5, "probed slowly"
            figures = poller.figures()
            assert figures.silent == (1,)
            assert figures.counts.timeouts == 5
            assert figures.plain()["units"][0]["timeouts"] == 5
            await poller.close()

    asyncio.run(run())


def test_every_wrong_reply_is_counted_by_unit():
    async def run():
        async def serve(reader, writer):
            while request := await reader.read(300):
                writer.write(b"\0\0" + right(request)[2:])

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        session = ModbusSession(link(server.sockets[0].getsockname()[1]))
        with pytest.raises(ReadFailure, match="wrong_reply: transaction 0 ≠ 1"):
            await session.read(3, TWO)
        tally = session.traffic.unit(3)
        assert (tally.requests, tally.wrong, tally.replies) == (1, 1, 0)
        assert session.traffic.reason == "wrong_reply: transaction 0 ≠ 1"
        await session.close()
        server.close()

    asyncio.run(run())


def test_bytes_that_nobody_asked_for_end_the_connection():
    """What comes unasked would be taken for the next answer by who does not look at its number."""

    async def run():
        async def serve(reader, writer):
            while request := await reader.read(300):
                writer.write(right(request))
                await asyncio.sleep(0.05)
                writer.write(right(request))

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        session = ModbusSession(link(server.sockets[0].getsockname()[1]))
        assert list(await session.read(1, TWO)) == [0, 1]
        async with asyncio.timeout(5):
            while session.connected:  # noqa: ASYNC110  # nobody tells
                await asyncio.sleep(0.01)
        assert session.traffic.strays == 1
        assert list(await session.read(1, TWO)) == [0, 1]
        assert session.traffic.attempts == 2
        await session.close()
        server.close()

    asyncio.run(run())


THREE = [(unit, TWO) for unit in (1, 2, 3)]


def in_a_row(serve, *, within=1.0, timeout=2.0):
    """(replies, failure, session) of reading three units of a device that serves so."""

    async def run():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        session = ModbusSession(link(server.sockets[0].getsockname()[1], timeout=timeout))
        replies, failure = await session.read_each(THREE, within)
        connected = session.connected
        await session.close()
        server.close()
        return replies, failure, connected, session.traffic

    return asyncio.run(run())


def answering(turn):
    """Serves by ``turn(n, request)``: what is sent for the n-th request."""

    async def serve(reader, writer):
        number = 0
        while request := await reader.read(300):
            number += 1
            answer = await turn(number, request)
            if answer is None:
                writer.close()
                return
            writer.write(answer)

    return serve


def test_units_are_read_in_a_row_each_with_its_own_figures():
    async def turn(number, request):
        return right(request)

    replies, failure, connected, traffic = in_a_row(answering(turn))
    assert ([reply[2:] for reply in replies], failure, connected) == ([b"\0\0\0\1"] * 3, None, True)
    assert [(u, t.requests, t.replies) for u, t in sorted(traffic.units.items())] == [
        (1, 1, 1),
        (2, 1, 1),
        (3, 1, 1),
    ]


def test_nothing_more_is_asked_of_a_slow_line():
    async def turn(number, request):
        await asyncio.sleep(0.05)
        return right(request)

    replies, failure, connected, traffic = in_a_row(answering(turn), within=0.02)
    assert (len(replies), failure, connected) == (1, None, True)
    assert 2 not in traffic.units


def refusing(request):
    return request[:4] + b"\0\3" + request[6:7] + bytes((request[7] | 0x80, 2))


@pytest.mark.parametrize(
    ("second", "kind", "connected"),
    [
        (refusing, FailureKind.EXCEPTION, True),
        (lambda request: b"\0\0" + right(request)[2:], FailureKind.WRONG_REPLY, False),
        (lambda request: right(request) + b"\0", FailureKind.WRONG_REPLY, False),
        (lambda request: right(request)[:9], FailureKind.NO_REPLY, False),
    ],
    ids=["refused", "wrong number", "too long", "silent"],
)
def test_what_goes_wrong_in_a_row_ends_it_there(second, kind, connected):
    async def turn(number, request):
        return second(request) if number == 2 else right(request)

    replies, failure, still, traffic = in_a_row(answering(turn), timeout=0.2)
    assert [reply[2:] for reply in replies] == [b"\0\0\0\1"]
    assert (failure.kind, still) == (kind, connected)
    assert traffic.unit(1).replies == 1
    assert traffic.unit(2).requests == 1
    assert 3 not in traffic.units


def test_bug_a_first_packet_that_got_lost_was_a_device_that_is_not_there():
    """It is sent again after a second; no longer was given to the opening."""

    async def run():
        listener = socket.create_server(("127.0.0.1", 0), backlog=0)
        port = listener.getsockname()[1]
        # Its queue is full: who knocks now is not heard.
        waiting = socket.create_connection(("127.0.0.1", port))
        session = ModbusSession(link(port, timeout=0.5))
        read = asyncio.create_task(session.read_each(THREE, 1.0))
        await asyncio.sleep(0.3)
        assert not read.done()
        listener.accept()[0].close()
        waiting.close()
        server = await asyncio.start_server(Meter().serve, sock=listener)
        replies, failure = await read
        assert (len(replies), failure) == (3, None)
        await session.close()
        server.close()

    asyncio.run(run())


def test_a_device_that_closes_after_each_reply_is_asked_again():
    """What was asked right behind the reply, before the close was heard of, is no failure."""

    async def run():
        async def serve(reader, writer):
            writer.write(right(await reader.read(300)))
            await reader.read(300)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        session = ModbusSession(link(server.sockets[0].getsockname()[1]))
        for _ in range(3):
            replies, failure = await session.read_each(THREE, 1.0)
            assert (len(replies), failure) == (1, None)
        assert session.traffic.unit(2).requests == 0
        await session.close()
        server.close()

    asyncio.run(run())
