"""The fault proxy itself: each fault is what it says, for a client that knows the right reply."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable

import pytest
from fault_proxy import Fault, FaultProxy, Kind, crc

PDU = bytes((4, 4, 0x12, 0x34, 0x56, 0x78))
REQUEST = struct.pack(">HHHBBHH", 7, 0, 6, 1, 4, 100, 2)
REPLY = struct.pack(">HHHB", 7, 0, len(PDU) + 1, 1) + PDU
RTU_REQUEST = bytes((1, 4, 0, 100, 0, 2)) + crc(bytes((1, 4, 0, 100, 0, 2)))
RTU_REPLY = b"\x01" + PDU + crc(b"\x01" + PDU)

Talk = Callable[[FaultProxy, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def through(talk: Talk, *, rtu: bool = False, limit: int | None = None) -> None:
    """``talk`` over a proxy before a device that gives the same right reply to everything."""

    async def device(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(64):
            writer.write(RTU_REPLY if rtu else REPLY)
        writer.close()

    async def scene() -> None:
        server = await asyncio.start_server(device, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with FaultProxy("127.0.0.1", port, rtu=rtu, limit=limit) as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            await talk(proxy, reader, writer)
            writer.close()
        server.close()

    asyncio.run(asyncio.wait_for(scene(), 20))


async def until(look: Callable[[], object]) -> None:
    deadline = asyncio.get_running_loop().time() + 5
    while not look():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.005)


def test_a_client_that_goes_while_the_device_is_mute_leaves_nothing_behind() -> None:
    async def scene() -> None:
        gone = asyncio.Event()

        async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            while await reader.read(64):
                pass
            gone.set()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        async with FaultProxy("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
            _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(REQUEST)
            await until(lambda: proxy.requests)
            writer.close()
            await asyncio.wait_for(gone.wait(), 5)
            await until(lambda: not proxy.open)
        server.close()

    asyncio.run(scene())


def test_without_a_fault_all_passes_in_both_framings() -> None:
    for rtu, request, reply in ((False, REQUEST, REPLY), (True, RTU_REQUEST, RTU_REPLY)):

        async def talk(proxy, reader, writer, request=request, reply=reply):
            for _ in range(3):
                writer.write(request)
                assert await reader.readexactly(len(reply)) == reply
            assert (proxy.requests, proxy.open, proxy.accepted) == (3, 1, 1)

        through(talk, rtu=rtu)


def mbap(pdu: bytes, transaction: int = 7, unit: int = 1) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        (Kind.TRANSACTION, mbap(PDU, 8)),
        (Kind.NO_TRANSACTION, mbap(PDU, 0)),
        (Kind.UNIT, mbap(PDU, unit=2)),
        (Kind.FUNCTION, mbap(b"\x03" + PDU[1:])),
        (Kind.SHORT, mbap(bytes((4, 2, 0x12, 0x34)))),
        (Kind.LONG, mbap(bytes((4, 6)) + PDU[2:] + b"\0\0")),
        (Kind.COUNT, mbap(bytes((4, 6)) + PDU[2:])),
        (Kind.EXCEPTION, mbap(bytes((0x84, 6)))),
        (Kind.GLUE, REPLY + REPLY),
        (Kind.SLICE, REPLY),
        (Kind.LATENCY, REPLY),
        (Kind.CLOSE, REPLY),
        (Kind.CUT, REPLY[:6]),
    ],
)
def test_a_wrong_reply_is_wrong_in_one_way_and_the_next_is_right(kind: Kind, reply: bytes) -> None:
    async def talk(proxy, reader, writer):
        proxy.inject(Fault(kind, seconds=0.05, code=6))
        writer.write(REQUEST)
        assert await reader.readexactly(len(reply)) == reply
        assert proxy.spoiled == {kind: 1}
        proxy.clear()
        if kind is Kind.CLOSE:
            assert await reader.read() == b""
        else:
            writer.write(REQUEST)
            assert await reader.readexactly(len(REPLY)) == REPLY

    through(talk)


def test_a_checksum_is_wrong_and_everything_else_right() -> None:
    async def talk(proxy, reader, writer):
        proxy.inject(Fault(Kind.CRC))
        writer.write(RTU_REQUEST)
        reply = await reader.readexactly(len(RTU_REPLY))
        assert reply[:-2] == RTU_REPLY[:-2]
        assert reply[-2:] != RTU_REPLY[-2:]
        proxy.inject(Fault(Kind.UNIT))
        writer.write(RTU_REQUEST)
        reply = await reader.readexactly(len(RTU_REPLY))
        assert reply[0] == 2
        assert reply[-2:] == crc(reply[:-2])

    through(talk, rtu=True)


@pytest.mark.parametrize("kind", [Kind.HOLD, Kind.DROP])
def test_what_is_held_never_comes(kind: Kind) -> None:
    async def talk(proxy, reader, writer):
        proxy.inject(Fault(kind))
        writer.write(REQUEST)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        proxy.clear()
        writer.write(REQUEST)
        assert await reader.readexactly(len(REPLY)) == REPLY

    through(talk)


def test_a_late_reply_is_overtaken() -> None:
    async def talk(proxy, reader, writer):
        proxy.inject(Fault(Kind.LATE, seconds=0.8))
        writer.write(REQUEST)
        await until(lambda: proxy.spoiled)
        proxy.clear()
        writer.write(REQUEST)
        assert await asyncio.wait_for(reader.readexactly(len(REPLY)), 0.7) == REPLY
        assert await reader.readexactly(len(REPLY)) == REPLY

    through(talk)


def test_a_reset_a_refusal_and_a_limit_end_the_connection() -> None:
    async def talk(proxy, reader, writer):
        writer.write(REQUEST)
        await reader.readexactly(len(REPLY))
        second, _ = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await second.read() == b""
        assert proxy.refused == 1
        proxy.inject(Fault(Kind.RESET))
        writer.write(REQUEST)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        await until(lambda: not proxy.open)
        proxy.inject(Fault(Kind.REFUSE))
        third, _ = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await third.read() == b""

    through(talk, limit=1)


def test_chance_follows_from_the_seed() -> None:
    def struck(seed: int) -> list[bytes]:
        replies = []

        async def talk(proxy, reader, writer):
            proxy._chance.seed(seed)
            proxy.inject(Fault(Kind.EXCEPTION, code=2, share=0.5))
            for _ in range(20):
                writer.write(REQUEST)
                head = await reader.readexactly(6)
                replies.append(await reader.readexactly(head[5]))

        through(talk)
        return replies

    assert struck(3) == struck(3)
    assert len(set(struck(3))) == 2
    assert struck(3) != struck(4)


def test_a_stopped_proxy_refuses_and_comes_back_on_its_port() -> None:
    async def talk(proxy, reader, writer):
        await proxy.stop()
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", proxy.port)
        await proxy.start()
        again, out = await asyncio.open_connection("127.0.0.1", proxy.port)
        out.write(REQUEST)
        assert await again.readexactly(len(REPLY)) == REPLY

    through(talk)
