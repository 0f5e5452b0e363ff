"""Bytes out and in over a TCP connection or a serial line; what they mean, others judge.

A connection is opened by :func:`opened` and hands what arrives to its hearer; it is closed once
and never opened again.
"""

from __future__ import annotations

import asyncio
import os
import termios
from collections.abc import Callable
from typing import Protocol

import serial  # type: ignore[import-untyped]

from gateway.model.equipment import ModbusLink, SerialPort

Hear = Callable[[bytes], None]
Lost = Callable[[], None]

_OPENING = 3.0
"""Seconds that an opening may take at least: a first packet that got lost is sent again after one
(https://www.rfc-editor.org/rfc/rfc6298 2.1)."""

_LARGEST = 4096
"""Bytes taken from a serial line at once."""


class Connection(Protocol):
    """An open way to the devices of a link."""

    def send(self, data: bytes) -> None:
        """Raises OSError if the way does not take them."""

    def close(self) -> None:
        """At once; what is on its way arrives nowhere. May be called again."""


async def opened(link: ModbusLink, hear: Hear, lost: Lost) -> Connection:
    """A new connection; raises OSError, TimeoutError or ValueError. It is given three seconds where
    the link's timeout for a reply is shorter: what opens slowly need not answer slowly.

    ``lost`` is called when the other end closes it, not after :meth:`Connection.close`.
    """
    async with asyncio.timeout(max(link.timeout, _OPENING)):
        if link.serial is None:
            loop = asyncio.get_running_loop()
            _, made = await loop.create_connection(
                lambda: TcpConnection(hear, lost), link.host, link.port
            )
            return made
        return SerialConnection(await _open_port(link.serial), hear, lost)


class TcpConnection(asyncio.Protocol):
    def __init__(self, hear: Hear, lost: Lost) -> None:
        self.data_received = hear  # type: ignore[method-assign,assignment]  # a call a reply less
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closed:
            self._closed = True
            self._lost()

    def send(self, data: bytes) -> None:
        if self._transport is None:
            raise ConnectionError("not open")
        self._transport.write(data)

    def close(self) -> None:
        self._closed = True
        if self._transport is not None:
            self._transport.abort()


class SerialConnection:
    """``port``: open, not blocking."""

    def __init__(self, port: serial.Serial, hear: Hear, lost: Lost) -> None:
        self._port = port
        self._descriptor: int = port.fileno()
        self._hear = hear
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._descriptor, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, _LARGEST)
        except BlockingIOError:
            return
        except OSError:  # the adapter was pulled out
            data = b""
        if data:
            self._hear(data)
        else:
            self.close()
            self._lost()

    def send(self, data: bytes) -> None:
        if not self._port.is_open:
            raise ConnectionError("not open")
        if os.write(self._descriptor, data) != len(data):
            raise BlockingIOError("the serial line takes nothing")

    def close(self) -> None:
        if self._port.is_open:
            self._loop.remove_reader(self._descriptor)
            self._port.close()


async def _open_port(said: SerialPort) -> serial.Serial:
    """In a thread: an adapter may take its time. If nobody waits any more, it is closed again."""
    opening = asyncio.get_running_loop().run_in_executor(None, _port, said)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unwanted)
        raise


def _port(said: SerialPort) -> serial.Serial:
    try:
        return serial.Serial(
            said.device,
            baudrate=said.baud,
            parity=said.parity,
            stopbits=said.stop_bits,
            timeout=0,
            write_timeout=0,
            exclusive=True,
        )
    except termios.error as error:  # the device knows no such setting; it is no OSError
        raise OSError(*error.args) from None


def _close_unwanted(opening: asyncio.Future[serial.Serial]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
