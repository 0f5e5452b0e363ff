"""One Modbus link: its connection, and one request at a time over it.

Every reply is checked by :mod:`gateway.modbus.framing`. What is not the expected reply, and every
timeout, closes the connection: a late reply then has nowhere to arrive. On RTU framing that is not
enough, for a converter hands it to the next connection and a serial line has none; there a unit
that still owes a reply is not asked until the reply can no longer come (see ``_owes``).
"""

from __future__ import annotations

import asyncio
import errno
import random
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from math import ceil

from gateway.modbus import pdu
from gateway.modbus.budget import silence
from gateway.modbus.decode import Registers
from gateway.modbus.figures import Traffic, UnitTally
from gateway.modbus.framing import Exchange, MbapExchange, RtuExchange, WrongReplyError
from gateway.modbus.line import ClosedError, Line, Turn
from gateway.modbus.plan import Block
from gateway.modbus.transport import opened
from gateway.model.equipment import Framing, ModbusLink
from gateway.model.profile import ModbusPlace
from gateway.model.reason import Reason

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 8.0
"""Seconds between attempts to connect, before up to a quarter is added at random: so a device that
is back is reached within 10 s."""

_DRAIN = 0.02
"""Seconds of silence by which a new connection of RTU framing is known to bring nothing old."""
_SHORT_WAIT = 0.1
"""Seconds that a request waits for a unit that owes a reply; if it takes longer, it fails."""


class FailureKind(StrEnum):
    NO_CONNECTION = "no_connection"
    NO_REPLY = "no_reply"
    """The unit is silent, by timeout or by the word of a gateway before it."""
    EXCEPTION = "exception"
    """The unit answered that it cannot."""
    WRONG_REPLY = "wrong_reply"
    """What came was not the reply, or the device closed the connection instead of answering."""
    HELD = "held"
    """Not asked, because the unit still owes the reply to an earlier request."""


class ReadFailure(Exception):  # noqa: N818  # a failure of the device, not an error of ours
    """A block was not read, or a value not written; ``code`` is the device's exception code, if it
    sent one. ``reason`` is a line of :mod:`gateway.model.reason`."""

    def __init__(self, kind: FailureKind, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.code = code


class ModbusSession:
    """Reads blocks and writes values over one link, one request at a time.

    Building it does not connect: the first request does. After a failed attempt the next one waits
    1, 2, 4, 8, 8, … s (and up to a quarter more at random); requests meanwhile fail at once.
    ``traffic`` counts what it does.
    """

    def __init__(
        self,
        link: ModbusLink,
        *,
        traffic: Traffic | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.link = link
        self.traffic = Traffic() if traffic is None else traffic
        self._monotonic = monotonic
        self._chance = chance
        self._lock = asyncio.Lock()
        self._line: Line | None = None
        self._is_rtu = link.framing is Framing.RTU
        self._pause = link.pause if link.serial is None else max(link.pause, silence(link.serial))
        self._transaction = 0
        self._owes: dict[int, float] = {}
        """Unit → when a reply that it has not given can no longer come (seconds of the loop). A
        reply late by more than the timeout is beyond what anybody can tell from the next one."""
        self._failures = 0
        self._unproven = 0
        """Connections in a row over which no reply came."""
        self._not_before = 0.0
        self._opened_at = 0.0
        self._cause = ""
        """Of the last failure to connect, in a word."""

    @property
    def connected(self) -> bool:
        return self._line is not None and not self._line.broken

    async def read(self, unit: int, block: Block) -> Registers:
        """The ``block.count`` registers or bits of ``block``.

        Raises :class:`ReadFailure`; then no part of the block is to be used.
        """
        reply = await self._one(unit, pdu.read(block.function, block.address, block.count))
        if block.function.is_bits:
            return pdu.bits(reply, block.count)
        return pdu.registers(reply)

    async def read_each(
        self, wanted: Sequence[tuple[int, Block]], within: float
    ) -> tuple[list[bytes], ReadFailure | None]:
        """The whole replies to the first of ``wanted`` (unit, block), each asked as soon as the one
        before has answered; and why the next one of them was not read, if that ended it.

        ``within``: seconds after which nothing more is asked. One at least is asked; over RTU, and
        where a device wants a pause, no more than that.
        """
        requests = [
            (unit, pdu.read(block.function, block.address, block.count)) for unit, block in wanted
        ]
        return await self._exchange(requests, within)

    async def write(
        self,
        unit: int,
        place: ModbusPlace,
        words: Sequence[int],
        *,
        on_wire: Callable[[], None] = lambda: None,
    ) -> None:
        """Tell ``unit`` to take ``words`` at ``place``: a coil, one register, or several.

        ``on_wire`` is called right before they are sent, after every wait for the line; what it
        raises stops it. Once it was called, the device may have taken them whatever is raised.
        Raises :class:`ReadFailure`; :class:`ValueError` for what cannot be written.
        """
        if unit == 0:
            raise ValueError("unit 0 is every device on the line")
        await self._one(unit, pdu.write(place.function, place.address, words), on_wire)

    async def rest(self) -> None:
        """A poll is done: a link of ``once`` is closed until the next one."""
        if self.link.once:
            async with self._lock:
                await self.close()

    async def close(self) -> None:
        """Close the connection; a later request opens a new one."""
        line, self._line = self._line, None
        self.traffic.connected = False
        if line is not None:
            line.close()
            await asyncio.sleep(0)  # the loop closes the socket in its next turn

    async def _one(
        self, unit: int, request: pdu.Request, on_wire: Callable[[], None] | None = None
    ) -> bytes:
        replies, failure = await self._exchange([(unit, request)], 0.0, on_wire)
        if failure is not None:
            raise failure
        return replies[0]

    async def _exchange(
        self,
        requests: Sequence[tuple[int, pdu.Request]],
        within: float,
        on_wire: Callable[[], None] | None = None,
    ) -> tuple[list[bytes], ReadFailure | None]:
        replies: list[bytes] = []
        try:
            async with self._lock:
                line = self._line
                if line is None or line.broken:
                    line = await self._reopened()
                if self._pause or self._is_rtu:
                    requests = requests[:1]
                    await self._wait_for_silence(line, requests[0][0])
                    if line.broken:
                        line = await self._reopened()
                if on_wire is not None:
                    on_wire()
                await self._ask(line, requests, within, replies)
        except ReadFailure as failure:
            return replies, failure
        try:
            pdu.check_taken(replies[-1])
        except pdu.RefusedError as refused:
            replies.pop()
            unit = requests[len(replies)][0]
            self.traffic.unit(unit).exceptions[refused.code] += 1
            return replies, _refused(unit, refused)
        return replies, None

    async def _ask(
        self,
        line: Line,
        requests: Sequence[tuple[int, pdu.Request]],
        within: float,
        replies: list[bytes],
    ) -> None:
        """Requests one after the other, and their ``replies``; whatever else happens, the line is
        closed."""
        turn = Turn(
            (self._framed(unit, request) for unit, request in requests),
            begun=asyncio.get_running_loop().time(),
            timeout=self.link.timeout,
            within=within,
        )
        try:
            await self._carry(line, turn, requests, replies)
        except WrongReplyError as wrong:
            tally, unit, begun = self._unanswered(turn, requests)
            if wrong.damaged:
                tally.damaged += 1
            else:
                tally.wrong += 1
                self._doubt(unit, begun)
            raise self._broken(line, FailureKind.WRONG_REPLY, str(wrong)) from None
        except TimeoutError as silent:
            tally, unit, begun = self._unanswered(turn, requests)
            tally.timeouts += 1
            self._doubt(unit, begun)
            raise self._silent(line, unit, silent.args[0]) from None
        except ClosedError:
            if turn.replies and not line.has_begun:
                # Some devices close after each reply. What was asked meanwhile is asked again.
                self._drop(line)
                return
            tally, _, _ = self._unanswered(turn, requests)
            tally.wrong += 1
            raise self._broken(line, FailureKind.WRONG_REPLY, "closed") from None
        except BaseException:  # given up by the caller: the reply would meet the next request
            _, unit, begun = self._unanswered(turn, requests)
            self._doubt(unit, begun)
            self._drop(line)
            raise

    async def _carry(
        self,
        line: Line,
        turn: Turn,
        requests: Sequence[tuple[int, pdu.Request]],
        replies: list[bytes],
    ) -> None:
        """Carry ``turn`` out, and count what came of it, however it ends."""
        try:
            await line.take(turn)
        finally:
            replies += turn.replies
            self._count(turn, requests)
            if turn.replies and not line.proven:
                line.proven = True
                self._failures = self._unproven = 0
                self.traffic.reason = ""

    def _framed(self, unit: int, request: pdu.Request) -> Exchange:
        if self._is_rtu:
            return RtuExchange(unit, request)
        self._transaction = self._transaction % 0xFFFF + 1
        return MbapExchange(self._transaction, unit, request)

    def _unanswered(
        self, turn: Turn, requests: Sequence[tuple[int, pdu.Request]]
    ) -> tuple[UnitTally, int, float]:
        """Of the request that has no reply: its unit's tally, the unit, and when it was sent. Who
        gives up a turn that is just over doubts its last."""
        unit, _ = requests[min(len(turn.replies), len(requests) - 1)]
        tally = self.traffic.unit(unit)
        tally.requests += 1
        return tally, unit, turn.times[-1]

    def _count(self, turn: Turn, requests: Sequence[tuple[int, pdu.Request]]) -> None:
        begun = turn.times[0]
        for (unit, _), ended in zip(requests, turn.times[1:], strict=False):
            tally = self.traffic.unit(unit)
            tally.requests += 1
            tally.replied(ended - begun)
            begun = ended
        self.traffic.use(turn.times[0], asyncio.get_running_loop().time())

    def _doubt(self, unit: int, asked_at: float) -> None:
        """The reply to the request of ``asked_at`` may still be on its way."""
        now, patience = asyncio.get_running_loop().time(), self.link.timeout
        self._owes[unit] = max(asked_at + 2 * patience, now + patience)

    async def _wait_for_silence(self, line: Line, unit: int) -> None:
        """Until the pause after the last reply is over, and no old reply can come from ``unit``."""
        now = asyncio.get_running_loop().time()
        if self._is_rtu and unit in self._owes:
            wait = self._owes[unit] - now
            if wait > _SHORT_WAIT:
                detail = f"unit {unit}, {self.link.timeout:g} s"
                raise ReadFailure(FailureKind.HELD, Reason.NO_REPLY.told(detail))
            if wait > 0:
                await asyncio.sleep(wait)
            del self._owes[unit]
        pause = line.active_at + self._pause - now
        if pause > 0:
            await asyncio.sleep(pause)

    # -- connecting -------------------------------------------------------------------------------

    async def _reopened(self) -> Line:
        if self._line is not None:
            self._drop(self._line)
        where = self.link.where
        wait = self._not_before - self._monotonic()
        if wait > 0:
            detail = f"{where}{self._cause}; {ceil(wait)} s"
            raise ReadFailure(FailureKind.NO_CONNECTION, Reason.NO_CONNECTION.told(detail))
        self.traffic.attempts += 1
        line = Line(self.traffic, strict=not self._is_rtu)
        began = self._monotonic()
        try:
            line.connection = await opened(self.link, line.hear, line.lost)
        except (OSError, ValueError) as error:  # ValueError: a host name that cannot be encoded
            self._back_off()
            self._cause = _cause(error)
            raise self._failed(FailureKind.NO_CONNECTION, where + self._cause) from None
        self._line = line
        self._opened_at, self._cause = began, ""
        self.traffic.connected = True
        if self._is_rtu:
            await self._drain(line)
        return line

    async def _drain(self, line: Line) -> None:
        """What a new connection brings unasked is the reply to an old request."""
        loop = asyncio.get_running_loop()
        quiet = max(_DRAIN, self._pause)
        latest = loop.time() + self.link.timeout
        line.active_at = max(line.active_at, loop.time())
        while (wait := line.active_at + quiet - loop.time()) > 0:
            if loop.time() > latest:
                raise self._broken(line, FailureKind.WRONG_REPLY, "unasked bytes")
            await asyncio.sleep(wait)
        if line.broken:
            raise self._broken(line, FailureKind.WRONG_REPLY, "closed")

    def _silent(self, line: Line, unit: int, heard: int) -> ReadFailure:
        self._drop(line)
        part = f", {heard} bytes" if heard else ""
        detail = f"unit {unit}, {self.link.timeout:g} s{part}"
        return ReadFailure(FailureKind.NO_REPLY, Reason.NO_REPLY.told(detail))

    def _broken(self, line: Line, kind: FailureKind, detail: str) -> ReadFailure:
        line.broken = True
        self._drop(line)
        return self._failed(kind, detail)

    def _failed(self, kind: FailureKind, detail: str) -> ReadFailure:
        reason = Reason(kind.value).told(detail)
        self.traffic.reason = reason
        return ReadFailure(kind, reason)

    def _drop(self, line: Line) -> None:
        """Close for good; back off if the connection broke before it ever served."""
        line.close()
        if line is self._line:
            self._line = None
            self.traffic.connected = False
        if line.proven:
            return
        self._unproven += 1
        if line.ended or (line.broken and not self._is_rtu):
            self._back_off()
        elif self._unproven > 1:
            # The first to be asked may be a dead unit, or the first heard a late one: its
            # neighbours shall not wait for it. But nothing is opened twice a second for ever.
            self._not_before = max(self._not_before, self._opened_at + _FIRST_WAIT)

    def _back_off(self) -> None:
        wait = min(_FIRST_WAIT * 2**self._failures, _LONGEST_WAIT)
        self._failures = min(self._failures + 1, 16)
        self._not_before = self._monotonic() + wait * (1 + self._chance() / 4)


def _cause(error: Exception) -> str:
    code = errno.errorcode.get(getattr(error, "errno", None) or 0)
    if code is None and isinstance(error, TimeoutError):
        code = "ETIMEDOUT"
    return f", {code}" if code else ""


def _refused(unit: int, refused: pdu.RefusedError) -> ReadFailure:
    unreached = refused.code in pdu.UNREACHED
    kind = FailureKind.NO_REPLY if unreached else FailureKind.EXCEPTION
    reason = Reason.NO_REPLY if unreached else Reason.DEVICE_EXCEPTION
    detail = f"unit {unit}, {refused}" if unreached else str(refused)
    return ReadFailure(kind, reason.told(detail), refused.code)
