"""One Modbus TCP connection: the only file of the gateway that imports pymodbus.

pymodbus connects, numbers and encodes; whether a reply is *the* reply is decided by
:mod:`gateway.modbus.reply` before pymodbus sees the bytes. Whatever is not the expected reply,
and every timeout, closes the connection: a late reply then has nowhere to arrive.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from enum import StrEnum

import numpy as np
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

from gateway.modbus.decode import Registers
from gateway.modbus.plan import Block
from gateway.modbus.reply import Asked, asked_by, fault_in
from gateway.model.equipment import ModbusLink
from gateway.model.profile import Function

# Every failure is raised with its reason; pymodbus would print each a second time.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 8.0
"""Seconds between attempts to connect, before up to a quarter is added at random."""

_REQUESTS: dict[Function, Callable[..., ModbusPDU]] = {
    Function.COIL: ReadCoilsRequest,
    Function.DISCRETE: ReadDiscreteInputsRequest,
    Function.HOLDING: ReadHoldingRegistersRequest,
    Function.INPUT: ReadInputRegistersRequest,
}

_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    7: "negative acknowledge",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not answer",
}
_UNREACHED = (10, 11)
"""Exceptions by which a gateway says that the unit behind it is silent."""


class FailureKind(StrEnum):
    NO_CONNECTION = "no_connection"
    NO_REPLY = "no_reply"
    """The unit is silent, by timeout or by the word of a gateway before it."""
    EXCEPTION = "exception"
    """The unit answered that it cannot."""
    WRONG_REPLY = "wrong_reply"
    """What came was not the reply, or the device closed the connection instead of answering."""


class ReadFailure(Exception):  # noqa: N818  # a failure of the device, not an error of ours
    """A block was not read; ``code`` is the device's exception code, if it sent one."""

    def __init__(self, kind: FailureKind, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.code = code


class _Connection:
    """One TCP connection from made to broken; it is never made again."""

    def __init__(self, link: ModbusLink) -> None:
        self.proven = False
        """Whether a valid reply ever came over it."""
        self.asked: Asked | None = None
        """The request in flight."""
        self.answer: ModbusPDU | None = None
        """Its reply."""
        self.broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Set, with the reason, when the connection can no longer be trusted."""
        self.client = AsyncModbusTcpClient(
            link.host,
            port=link.port,
            timeout=link.timeout,
            retries=0,
            reconnect_delay=0,
            trace_packet=self._packet,
            trace_pdu=self._pdu,
            trace_connect=self._connect,
        )

    def _packet(self, sending: bool, data: bytes) -> bytes:
        if sending:
            self.asked, self.answer = asked_by(data), None
            return data
        fault = fault_in(data, self.asked)
        if fault is None:
            return data
        self._break(fault)
        return b""

    def _pdu(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        if not sending:
            self.answer = pdu
        return pdu

    def _connect(self, connected: bool) -> None:
        if not connected:
            self._break("the device closed the connection")

    def _break(self, reason: str) -> None:
        if not self.broken.done():
            self.broken.set_result(reason)


class ModbusSession:
    """Reads blocks over one link, one request at a time.

    Building it does not connect: the first read does. After a failed attempt the next one waits
    1, 2, 4, 8, 8, … s (and up to a quarter more at random); reads meanwhile fail at once.
    """

    def __init__(
        self,
        link: ModbusLink,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.link = link
        self._monotonic = monotonic
        self._chance = chance
        self._lock = asyncio.Lock()
        self._connection: _Connection | None = None
        self._failures = 0
        self._not_before = 0.0

    @property
    def connected(self) -> bool:
        return self._connection is not None and not self._connection.broken.done()

    async def read(self, unit: int, block: Block) -> Registers:
        """The ``block.count`` registers or bits of ``block``.

        Raises :class:`ReadFailure`; then no part of the block is to be used.
        """
        async with self._lock:
            connection = await self._ready()
            try:
                reply = await self._exchange(connection, unit, block)
            except BaseException:
                # Cancelled in flight, too: the reply would meet the next request.
                if connection.asked is not None:
                    self._drop(connection)
                raise
        connection.proven = True
        self._failures = 0
        if reply.isError():
            raise _refused(reply.exception_code)
        if block.function.is_bits:
            return np.array(reply.bits[: block.count], dtype=np.bool_)
        return np.array(reply.registers, dtype=np.uint16)

    async def close(self) -> None:
        """Close the connection; a later read opens a new one."""
        if self._connection is not None:
            self._connection.client.close()
            self._connection = None

    async def _ready(self) -> _Connection:
        held = self._connection
        if held is not None:
            if not held.broken.done():
                return held
            self._drop(held)
        where = f"{self.link.host}:{self.link.port}"
        wait = self._not_before - self._monotonic()
        if wait > 0:
            raise ReadFailure(
                FailureKind.NO_CONNECTION, f"no connection to {where}; next attempt in {wait:.0f} s"
            )
        made = _Connection(self.link)
        try:
            connected = await made.client.connect()
        except ValueError:  # a host name that cannot be encoded
            connected = False
        if not connected:
            made.client.close()
            self._back_off()
            raise ReadFailure(FailureKind.NO_CONNECTION, f"cannot connect to {where}")
        self._connection = made
        return made

    async def _exchange(self, connection: _Connection, unit: int, block: Block) -> ModbusPDU:
        """Send one request and wait for its reply; ``asked`` is set as long as it is in flight."""
        request = _REQUESTS[block.function](address=block.address, count=block.count, dev_id=unit)
        sent = asyncio.ensure_future(connection.client.execute(False, request))
        try:
            await asyncio.wait((sent, connection.broken), return_when=asyncio.FIRST_COMPLETED)
            # Some devices close right after they answered: the answer counts.
            reply = connection.answer
            if reply is None and connection.broken.done():
                raise ReadFailure(FailureKind.WRONG_REPLY, connection.broken.result())
            if reply is None:
                sent.result()
                raise RuntimeError("a request ended without reply and without failure")
        except ModbusException:
            raise ReadFailure(
                FailureKind.NO_REPLY, f"unit {unit} did not answer in {self.link.timeout:g} s"
            ) from None
        finally:
            sent.cancel()
        connection.asked = None
        return reply

    def _drop(self, connection: _Connection) -> None:
        """Close for good; back off if the connection broke before it ever served."""
        connection.client.close()
        if connection is self._connection:
            self._connection = None
        if connection.broken.done() and not connection.proven:
            self._back_off()

    def _back_off(self) -> None:
        wait = min(_FIRST_WAIT * 2**self._failures, _LONGEST_WAIT)
        self._failures = min(self._failures + 1, 16)
        self._not_before = self._monotonic() + wait * (1 + self._chance() / 4)


def _refused(code: int) -> ReadFailure:
    kind = FailureKind.NO_REPLY if code in _UNREACHED else FailureKind.EXCEPTION
    return ReadFailure(kind, f"exception {code}: {_EXCEPTIONS.get(code, 'unknown')}", code)
