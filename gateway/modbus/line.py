"""One connection from opened to broken, and what is being asked over it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from gateway.modbus.figures import Traffic
from gateway.modbus.framing import Exchange, WrongReplyError
from gateway.modbus.pdu import EXCEPTION_BIT
from gateway.modbus.transport import Connection


class ClosedError(Exception):
    """The other end closed the connection."""


class Turn:
    """Exchanges that follow on one another, and how far they have come. Seconds of the loop.

    ``exchanges``: one at least; each is made when it is its turn. ``timeout``: for each reply.
    ``within``: after which nothing more is asked.
    """

    __slots__ = ("_exchanges", "asked", "replies", "timeout", "times", "until")

    def __init__(
        self, exchanges: Iterator[Exchange], *, begun: float, timeout: float, within: float
    ) -> None:
        self._exchanges = exchanges
        self.asked = next(exchanges)
        """That which waits for its reply."""
        self.replies: list[bytes] = []
        self.times = [begun]
        """When it began, and when each reply had come."""
        self.timeout = timeout
        self.until = begun + within

    def replied(self, reply: bytes, now: float) -> bool:
        """``reply`` has come; whether another one is to be asked. An exception ends it."""
        self.replies.append(reply)
        self.times.append(now)
        if now > self.until or reply[0] & EXCEPTION_BIT:
            return False
        following = next(self._exchanges, None)
        self.asked = following or self.asked
        return following is not None


class Line:
    """One connection, and the turn that is on it.

    ``strict``: bytes that nobody asked for break it; otherwise they are dropped.
    """

    def __init__(self, traffic: Traffic, *, strict: bool) -> None:
        self.connection: Connection | None = None
        self.broken = False
        """The other end closed it, or it brought what it should not."""
        self.ended = False
        """The other end closed it."""
        self.proven = False
        """Whether a valid reply ever came over it."""
        self.active_at = 0.0
        """When bytes were last heard, or a request was given up (seconds of the loop)."""
        self._loop = asyncio.get_running_loop()
        self._traffic = traffic
        self._strict = strict
        self._turn: Turn | None = None
        self._over: asyncio.Future[None] | None = None
        self._heard = b""
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def has_begun(self) -> bool:
        """A part of a reply was heard."""
        return bool(self._heard)

    async def take(self, turn: Turn) -> None:
        """Carry ``turn`` out. The next request is sent from where the reply before it is heard:
        nobody has to be woken for it.

        Raises WrongReplyError, TimeoutError or ClosedError for the request that has no reply yet;
        the line is then to be closed.
        """
        if self.connection is None or self.ended:
            raise ClosedError
        over: asyncio.Future[None] = self._loop.create_future()
        self._turn, self._over, self._heard = turn, over, b""
        self._deadline = turn.times[0] + turn.timeout
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._expire)
        try:
            self.connection.send(turn.asked.sent)
            await over
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise ClosedError from error
        finally:
            self._turn = None

    def hear(self, data: bytes) -> None:
        now = self.active_at = self._loop.time()
        turn = self._turn
        if turn is None:
            self._traffic.strays += 1
            self.broken = self.broken or self._strict
            return
        heard = self._heard + data if self._heard else data
        try:
            reply = turn.asked.reply(heard)
        except WrongReplyError as wrong:
            self.broken = True
            self._fail(wrong)
            return
        if reply is None:
            self._heard = heard
            return
        self._heard = b""
        if turn.replied(reply, now):
            self._go_on(turn, now)
            return
        self._turn = None
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _go_on(self, turn: Turn, now: float) -> None:
        self._deadline = now + turn.timeout
        assert self.connection is not None
        try:
            self.connection.send(turn.asked.sent)
        except OSError:
            self._fail(ClosedError())

    def lost(self) -> None:
        self.broken = self.ended = True
        self._fail(ClosedError())

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.connection is not None:
            self.connection.close()
        self._fail(ClosedError())

    def _expire(self) -> None:
        """One timer serves many requests: it is set again only when it rings too early."""
        self._timer = None
        if self._turn is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._expire)
        else:
            self._fail(TimeoutError(len(self._heard)))

    def _fail(self, error: Exception) -> None:
        if self._turn is not None and self._over is not None and not self._over.done():
            self._turn = None
            self._over.set_exception(error)
