"""The link against a real pymodbus server, and against devices that misbehave byte by byte."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.modbus.link import FailureKind, ModbusSession, ReadFailure
from gateway.modbus.plan import Block
from gateway.model.equipment import ModbusLink
from gateway.model.profile import Function

TWO = Block(function=Function.INPUT, address=400, count=2)
Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


def link(port, timeout=1.0):
    return ModbusLink(id="room", host="127.0.0.1", port=port, timeout=timeout)


def frame(request, pdu, transaction=None):
    """``pdu`` (hex) as the reply to ``request``."""
    body = bytes.fromhex(pdu)
    number = struct.unpack(">H", request[:2])[0] if transaction is None else transaction
    return struct.pack(">HHHB", number, 0, len(body) + 1, request[6]) + body


class Device:
    """A device that does with each request what the test says."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.connections = 0
        self.requests: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while request := await reader.read(300):
                self.requests.append(request)
                await self.answer(request, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


def answering(*pdus: str) -> Answer:
    """A device whose n-th reply is the n-th of ``pdus``, the last one for ever."""
    left = list(pdus)

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(frame(request, left.pop(0) if len(left) > 1 else left[0]))

    return answer


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def failure(session: ModbusSession, block=TWO, unit=1) -> ReadFailure:
    with pytest.raises(ReadFailure) as caught:
        await session.read(unit, block)
    return caught.value


@asynccontextmanager
async def pymodbus_server(port, *devices: SimDevice):
    server = ModbusTcpServer(list(devices), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield server
    finally:
        await server.shutdown()


def test_every_table_of_a_real_server(free_port):
    async def run():
        device = SimDevice(
            1,
            simdata=(
                [SimData(0, values=[True, False] * 8, datatype=DataType.BITS)],
                [SimData(0, values=[False, True, True] + [False] * 13, datatype=DataType.BITS)],
                [SimData(0, values=[11, 12], datatype=DataType.REGISTERS)],
                [SimData(400, values=[0x1234, 0xFFFF], datatype=DataType.REGISTERS)],
            ),
        )
        async with pymodbus_server(free_port, device):
            session = ModbusSession(link(free_port))
            assert not session.connected
            got = [
                await session.read(1, Block(function=function, address=address, count=count))
                for function, address, count in [
                    (Function.COIL, 0, 3),
                    (Function.DISCRETE, 1, 9),
                    (Function.HOLDING, 0, 2),
                    (Function.INPUT, 400, 2),
                ]
            ]
            assert [list(part) for part in got] == [
                [True, False, True],
                [True, True, False, False, False, False, False, False, False],
                [11, 12],
                [0x1234, 0xFFFF],
            ]
            assert [part.dtype for part in got] == [np.bool_, np.bool_, np.uint16, np.uint16]
            assert session.connected
            await session.close()
            assert not session.connected

    asyncio.run(run())


def test_a_busy_device_is_a_reason_and_no_value(free_port):
    async def busy(*_args):
        return ExcCodes.DEVICE_BUSY

    async def run():
        registers = [SimData(400, values=[1, 2], datatype=DataType.REGISTERS)]
        device = SimDevice(1, simdata=registers, action=busy)
        async with pymodbus_server(free_port, device):
            session = ModbusSession(link(free_port))
            refused = await failure(session)
            assert (refused.kind, refused.code) == (FailureKind.EXCEPTION, 6)
            assert refused.reason == "device_exception: 6 device busy"
            assert session.connected
            await session.close()

    asyncio.run(run())


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5, 6, 10, 11, 99])
def test_every_exception_has_its_name_and_keeps_the_connection(code):
    async def run():
        device = Device(answering(f"84 {code:02x}", "04 04 0001 0002"))
        async with device.listening() as port:
            session = ModbusSession(link(port))
            refused = await failure(session)
            silent = code in (10, 11)
            assert (refused.kind is FailureKind.NO_REPLY) == silent
            assert refused.code == code
            reason = f"no_reply: unit 1, {code}" if silent else f"device_exception: {code}"
            assert refused.reason.startswith(reason)
            assert list(await session.read(1, TWO)) == [1, 2]
            assert device.connections == 1
            await session.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("pdu", "reason"),
    [
        ("04 02 0001", "bytes 2 ≠ 4"),
        ("04 06 0001 0002 0003", "bytes 6 ≠ 4"),
        ("04 05 0001 0002 00", "bytes 5 ≠ 4"),
        ("03 04 0001 0002", "function 3 ≠ 4"),
        ("04 04 0001 0002 0003", "length 9 ≠ 7"),
        ("2b 00", "function 43 ≠ 4"),
    ],
)
def test_a_wrong_reply_is_rejected_whole_and_the_next_one_is_right(pdu, reason):
    async def run():
        device = Device(answering("04 04 0007 0008", pdu, "04 04 0001 0002"))
        async with device.listening() as port:
            session = ModbusSession(link(port))
            assert list(await session.read(1, TWO)) == [7, 8]
            wrong = await failure(session)
            assert (wrong.kind, wrong.reason) == (FailureKind.WRONG_REPLY, f"wrong_reply: {reason}")
            assert list(await session.read(1, TWO)) == [1, 2]
            await session.close()

    asyncio.run(run())


@pytest.mark.parametrize("transaction", [0, 9])
def test_a_reply_to_another_transaction_is_rejected_at_once(transaction):
    async def run():
        async def answer(request, writer):
            writer.write(frame(request, "04 04 0001 0002", transaction))

        async with Device(answer).listening() as port:
            session = ModbusSession(link(port, timeout=20))
            async with asyncio.timeout(5):
                wrong = await failure(session)
            assert wrong.reason == f"wrong_reply: transaction {transaction} ≠ 1"
            await session.close()

    asyncio.run(run())


def test_a_reply_from_another_unit_is_rejected():
    async def run():
        async def answer(request, writer):
            writer.write(frame(request[:6] + b"\x02", "04 04 0001 0002"))

        async with Device(answer).listening() as port:
            session = ModbusSession(link(port))
            assert (await failure(session)).reason == "wrong_reply: unit 2 ≠ 1"
            await session.close()

    asyncio.run(run())


def test_a_late_reply_is_never_taken_for_the_next_answer():
    """The first reply comes after its timeout, with the transaction number of the second."""

    async def run():
        late = asyncio.Event()
        writers = []

        async def answer(request, writer):
            writers.append(writer)
            if len(writers) == 1:
                await late.wait()
                writer.write(frame(request, "04 04 0bad 0bad"))
                await asyncio.sleep(0.05)
            else:
                late.set()
                await asyncio.sleep(0.1)
                writer.write(frame(request, "04 04 0001 0002"))

        device = Device(answer)
        async with device.listening() as port:
            session = ModbusSession(link(port, timeout=0.5))
            silent = await failure(session)
            assert silent.kind is FailureKind.NO_REPLY
            assert silent.reason == "no_reply: unit 1, 0.5 s"
            assert not session.connected
            assert list(await session.read(1, TWO)) == [1, 2]
            assert device.connections == 2
            await session.close()

    asyncio.run(run())


def test_bytes_one_by_one_are_a_reply():
    async def run():
        async def answer(request, writer):
            for byte in frame(request, "04 04 0001 0002"):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.002)

        async with Device(answer).listening() as port:
            session = ModbusSession(link(port))
            assert list(await session.read(1, TWO)) == [1, 2]
            await session.close()

    asyncio.run(run())


@pytest.mark.parametrize("noise", [b"\xde\xad\xbe\xef" * 40, b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_after_garbage_and_glued_frames_in_step_again(noise):
    async def run():
        count = 0

        async def answer(request, writer):
            nonlocal count
            count += 1
            reply = frame(request, "04 04 0001 0002")
            writer.write({2: noise, 4: reply + reply}.get(count, reply))

        async with Device(answer).listening() as port:
            session = ModbusSession(link(port))
            assert list(await session.read(1, TWO)) == [1, 2]
            assert (await failure(session)).kind is FailureKind.WRONG_REPLY
            assert list(await session.read(1, TWO)) == [1, 2]
            assert (await failure(session)).reason == "wrong_reply: 13 bytes after the reply"
            assert list(await session.read(1, TWO)) == [1, 2]
            await session.close()

    asyncio.run(run())


def test_a_device_that_closes_after_each_reply_is_read_each_time():
    async def run():
        async def answer(request, writer):
            writer.write(frame(request, "04 04 0001 0002"))
            writer.close()

        device = Device(answer)
        async with device.listening() as port:
            session = ModbusSession(link(port))
            for _ in range(20):
                assert list(await session.read(1, TWO)) == [1, 2]
                await asyncio.sleep(0.01)
            assert device.connections == 20
            await session.close()

    asyncio.run(run())


def test_a_device_that_accepts_and_closes_is_tried_at_most_once_a_second():
    async def run():
        now = 100.0

        async def answer(_request, writer):
            writer.close()

        device = Device(answer)
        async with device.listening() as port:
            session = ModbusSession(link(port), monotonic=lambda: now, chance=lambda: 0.0)
            reasons, times = [], []
            for _ in range(120):
                before = device.connections
                reasons.append((await failure(session)).reason)
                if device.connections > before:
                    times.append(now)
                now += 0.25
            waits = [round(b - a, 1) for a, b in pairwise(times)]
            assert waits == [1, 2, 4, 8, 8]
            assert reasons[0] == "wrong_reply: closed"
            assert reasons[1] == f"no_connection: 127.0.0.1:{port}; 1 s"
            await session.close()

    asyncio.run(run())


def test_nobody_listens_then_somebody_does(free_port):
    async def run():
        now = 0.0
        session = ModbusSession(link(free_port), monotonic=lambda: now, chance=lambda: 1.0)
        refused = await failure(session)
        assert refused.kind is FailureKind.NO_CONNECTION
        assert refused.reason == f"no_connection: 127.0.0.1:{free_port}, ECONNREFUSED"
        for _ in range(10):
            now += 10.0
            await failure(session)
        device = Device(answering("04 04 0001 0002"))
        server = await asyncio.start_server(device.serve, "127.0.0.1", free_port)
        now += 9.9
        assert (await failure(session)).reason.endswith(", ECONNREFUSED; 1 s")
        now += 0.2
        assert list(await session.read(1, TWO)) == [1, 2]
        await session.close()
        server.close()

    asyncio.run(run())


def test_a_read_given_up_by_the_caller_leaves_no_reply_behind():
    async def run():
        replies = []

        async def answer(request, writer):
            replies.append(request)
            if len(replies) == 1:
                await asyncio.sleep(0.1)
            writer.write(frame(request, f"04 04 000{len(replies)} 0000"))

        async with Device(answer).listening() as port:
            session = ModbusSession(link(port, timeout=5))
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await session.read(1, TWO)
            assert not session.connected
            assert list(await session.read(1, TWO)) == [2, 0]
            await session.close()

    asyncio.run(run())


def test_two_readers_take_turns():
    async def run():
        async def answer(request, writer):
            await asyncio.sleep(0.01)
            address = request[8:10].hex()
            writer.write(frame(request, f"04 02 {address}"))

        async with Device(answer).listening() as port:
            session = ModbusSession(link(port))
            blocks = [Block(function=Function.INPUT, address=n, count=1) for n in range(20)]
            got = await asyncio.gather(*(session.read(1, block) for block in blocks))
            assert [int(part[0]) for part in got] == list(range(20))
            await session.close()

    asyncio.run(run())


def test_descriptors_stay_flat():
    async def run():
        async def answer(_request, writer):
            writer.transport.abort()

        async with Device(answer).listening() as port:
            now = 0.0
            session = ModbusSession(link(port), monotonic=lambda: now)
            counts = []
            for _ in range(50):
                now += 100
                await failure(session)
                await asyncio.sleep(0.005)
                counts.append(descriptors())
            assert counts[-1] <= counts[5]

    asyncio.run(run())
