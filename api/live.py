"""The live stream: one reader of the ledger and of the latest readings for every open page.

Nothing is queued for a page. Each stream knows the last change and the last round of readings
that it has sent, and takes what came after from what :class:`Live` keeps for all:

1. every 200 ms the ledger is asked for new changes; what they changed is loaded and encoded
   once for people (and once for each that sees less, ``api.seeing``), and kept in a ring of
   bounded length,
2. as often it is looked whether there are other alarms than before that are up and not in the
   ledger, or whether the ledger works no more, or works again,
3. every second the readings that changed, in value, quality or age, are encoded once,
4. every five seconds a heartbeat is made, and every session is looked at again.

Each goes on when another fails. A stream that was opened while the ledger did not answer gets
its rows as soon as it does. A reader that is slow gets fewer and larger rounds of readings;
one that falls out of the ring is cut, and its browser comes back with ``Last-Event-ID``.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api import messages, models
from api.auth import Sessions, Visitor
from api.desk import Desk
from api.metrics import LIVE_FAILURES, STREAMS, STREAMS_CUT
from api.seeing import EVERYTHING, Seeing
from api.views.readings import Readings
from gateway.latest import Mark
from rules.ledger.rows import Alarm

CHANGES_EVERY = 0.2
PROVISIONAL_EVERY = 0.2
READINGS_EVERY = 1.0
HEARTBEAT_EVERY = 5.0
SESSIONS_EVERY = 5.0
RING = 2000
"""Changes kept encoded; a stream that is further behind is cut."""
STREAMS_AT_MOST = 500
_UNREAD_TOLD = 3
"""Looks into the ledger that must fail in a row before pages are told that it is down."""

log = structlog.get_logger(__name__)


class StreamsFullError(Exception):
    """As many streams are open as this process serves."""


class _Encoded:
    """One message, encoded once for each way of seeing that there is among the streams."""

    def __init__(self, everything: bytes, encode: Callable[[Seeing], bytes]) -> None:
        self._encode = encode
        self._known = {EVERYTHING: everything}

    def seen(self, seeing: Seeing) -> bytes:
        """Empty: there is nothing in it to see."""
        if seeing not in self._known:
            self._known[seeing] = self._encode(seeing)
        return self._known[seeing]


_NOTHING = _Encoded(b"", lambda _: b"")


@dataclass(frozen=True, slots=True)
class _Delta:
    change: int
    message: _Encoded


@dataclass(frozen=True, kw_only=True, slots=True)
class _Snapshot:
    """What is open, as of one change and one round of provisional alarms."""

    through: int
    provisional: int
    message: _Encoded


@dataclass(slots=True, eq=False)
class Stream:
    """What is known of one open page."""

    visitor: Visitor
    last_event_id: int | None
    change: int | None
    """The change sent last; None: the ledger has not answered since it was opened."""
    provisional: int
    """The round of provisional alarms sent last."""
    round: int
    """The round of readings sent last."""
    beat: int
    first: list[bytes] = field(repr=False)
    """What it gets before anything new."""
    is_over: bool = False


class Live:
    """See the module's description. Everything here happens on one event loop."""

    def __init__(self, desk: Desk, sessions: Sessions) -> None:
        self._desk = desk
        self._sessions = sessions
        self._streams: set[Stream] = set()
        self._opening = 0
        self._news = asyncio.Event()
        self._ring: deque[_Delta] = deque()
        self._floor = 0
        """Every change after this one is in the ring."""
        self._change: int | None = None
        """The change taken last; None until the ledger has answered."""
        self._unread = 0
        """Looks into the ledger that have failed since the last good one."""
        self._pending_version: tuple[int, models.LedgerState] = (0, "ok")
        self._pending_round = 0
        self._pending = _NOTHING
        self._round = 0
        self._mark: Mark | None = None
        self._changed_readings = _NOTHING
        # For the streams that are opened within one second: after a restart all pages come back.
        self._every_reading: _Encoded | None = None
        self._snapshot: _Snapshot | None = None
        self._beat = 0
        self._heartbeat = b""

    async def run(self) -> None:
        """Read and encode until cancelled; no failure ends it."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_repeat("changes", CHANGES_EVERY, self._take_changes))
            tasks.create_task(_repeat("provisional", PROVISIONAL_EVERY, self._take_provisional))
            tasks.create_task(_repeat("readings", READINGS_EVERY, self._take_readings))
            tasks.create_task(_repeat("heartbeat", HEARTBEAT_EVERY, self._take_heartbeat))
            tasks.create_task(_repeat("sessions", SESSIONS_EVERY, self._check_sessions))

    async def open(self, visitor: Visitor, last_event_id: int | None) -> Stream:
        """A stream with its first messages.

        All readings; then, where ``last_event_id`` is still known, the changes missed, otherwise
        a snapshot of what is open, without rows while the ledger does not answer. Raises
        :class:`StreamsFullError`.
        """
        if len(self._streams) + self._opening >= STREAMS_AT_MOST:
            raise StreamsFullError
        self._opening += 1
        try:
            start = await self._start(last_event_id)
        except SQLAlchemyError:
            start = messages.UNREAD
        finally:
            self._opening -= 1
        return Stream(
            visitor=visitor,
            last_event_id=last_event_id,
            change=start.through,
            provisional=self._pending_round,
            round=self._round,
            beat=self._beat,
            first=self._first(start, visitor.seeing),
        )

    async def follow(self, stream: Stream) -> AsyncGenerator[bytes, None]:
        """Everything that ``stream`` has to send, message by message, until it is over."""
        self._streams.add(stream)
        STREAMS.inc()
        try:
            due, stream.first = deque(stream.first), []
            while not stream.is_over:
                news = self._news
                if due:
                    yield due.popleft()
                else:
                    due = await self._begun(stream) or self._due(stream)
                    if not due:
                        await news.wait()
        finally:
            self._streams.discard(stream)
            STREAMS.dec()

    def end(self, token: str | None = None) -> None:
        """End the streams of one session (at log-out), or all of them (at shutdown)."""
        for stream in self._streams:
            if token is None or stream.visitor.token == token:
                stream.is_over = True
        self._tell()

    async def _start(
        self, last_event_id: int | None
    ) -> messages.Missed | messages.Everything | _Snapshot:
        known = self._snapshot
        if known is not None and known.provisional != self._pending_round:
            known = None
        change = None if known is None else known.through
        start = await self._desk.read(lambda view: messages.opening(view, last_event_id, change))
        if not isinstance(start, int):
            return start
        assert known is not None, "only what is known is told to be the same"
        if known.provisional == self._pending_round:
            return known
        return await self._start(last_event_id)

    def _first(
        self, start: messages.Missed | messages.Everything | _Snapshot, seeing: Seeing
    ) -> list[bytes]:
        """The first messages of a stream."""
        every = self._all_readings(seeing)
        if isinstance(start, messages.Missed):
            pending, readings = self._now_pending(), self._desk.readings()
            return [every, *messages.missed_messages(start, pending, readings, seeing)]
        if isinstance(start, _Snapshot):
            return [every, start.message.seen(seeing)]
        encode = partial(
            messages.snapshot_message, start, self._now_pending(), self._desk.readings()
        )
        message = _Encoded(encode(), encode)
        if start.through is not None:
            self._snapshot = _Snapshot(
                through=start.through, provisional=self._pending_round, message=message
            )
        return [every, message.seen(seeing)]

    async def _begun(self, stream: Stream) -> deque[bytes]:
        """The rows for a stream that was opened without, once the ledger answers."""
        if stream.change is not None or self._unread:
            return deque()
        try:
            start = await self._start(stream.last_event_id)
        except SQLAlchemyError:
            return deque()
        stream.change, stream.provisional = start.through, self._pending_round
        return deque(self._first(start, stream.visitor.seeing))

    def _due(self, stream: Stream) -> deque[bytes]:
        """What ``stream`` has not had yet; it counts as sent."""
        due: deque[bytes] = deque()
        seeing = stream.visitor.seeing
        if stream.change is not None:
            if stream.change < self._floor:
                stream.is_over = True
                STREAMS_CUT.labels("behind").inc()
                return deque()
            for delta in self._ring:
                if delta.change > stream.change:
                    due.append(delta.message.seen(seeing))
                    stream.change = delta.change
        # Behind the rows: an alarm that has become one does not blink.
        if stream.provisional < self._pending_round:
            due.append(self._pending.seen(seeing.places))
            stream.provisional = self._pending_round
        if stream.round < self._round:
            in_step = stream.round == self._round - 1
            due.append(
                self._changed_readings.seen(seeing.places)
                if in_step
                else self._all_readings(seeing)
            )
            stream.round = self._round
        if stream.beat < self._beat:
            due.append(self._heartbeat)
            stream.beat = self._beat
        return deque(data for data in due if data)

    def _all_readings(self, seeing: Seeing) -> bytes:
        if self._every_reading is None:
            encode = partial(messages.every_reading_message, self._desk.readings())
            self._every_reading = _Encoded(encode(), encode)
        return self._every_reading.seen(seeing.places)

    async def _take_changes(self) -> None:
        provisional = self._desk.provisional
        named_no_more = provisional.leaving()
        try:
            await self._read_changes()
        except SQLAlchemyError:
            self._unread += 1
            raise
        if self._unread:
            self._unread = 0
            self._tell()
        provisional.let_go(named_no_more)

    async def _read_changes(self) -> None:
        if self._change is None:
            self._change = self._floor = await self._desk.read(lambda view: view.last_change_id())
        while True:
            after = self._change
            through, changed = await self._desk.read(partial(messages.changes, after=after))
            if through == after:
                return
            readings = self._desk.readings()
            for one in changed:
                self._ring.append(_Delta(one.change, self._encoded(one, readings)))
            while len(self._ring) > RING:
                self._floor = self._ring.popleft().change
            self._change = through
            self._desk.provisional.are_rows(
                one.subject.id for one in changed if isinstance(one.subject, Alarm)
            )
            self._tell()

    def _encoded(self, changed: messages.Changed, readings: Readings) -> _Encoded:
        # For who sees less it is encoded with the readings of then: two thousand in the ring must
        # not each hold on to the readings of their own moment.
        return _Encoded(
            messages.changed_message(changed, readings),
            lambda seeing: messages.changed_message(changed, self._desk.readings(), seeing),
        )

    async def _take_provisional(self) -> None:
        pending, version = self._now_pending(), self._desk.provisional.version
        if (version, pending.ledger) == self._pending_version:
            return
        self._pending_version = version, pending.ledger
        encode = partial(messages.provisional_message, pending, self._desk.readings())
        self._pending = _Encoded(encode(), encode)
        self._pending_round += 1
        self._tell()

    def _now_pending(self) -> messages.Pending:
        provisional = self._desk.provisional
        works = self._unread < _UNREAD_TOLD and provisional.ledger_takes
        return messages.Pending(alarms=provisional.alarms(), ledger="ok" if works else "down")

    async def _take_readings(self) -> None:
        self._every_reading = self._snapshot = None
        if not self._streams:
            self._mark = None
            return
        now = self._desk.clock.now()
        currents, self._mark = self._desk.latest.changed(self._mark, now)
        if not currents:
            return
        readings = Readings(site=self._desk.site, currents=currents, now=now)
        encode = partial(messages.readings_message, readings, currents)
        self._changed_readings = _Encoded(encode(), encode)
        self._round += 1
        self._tell()

    async def _take_heartbeat(self) -> None:
        self._heartbeat = messages.heartbeat_message(
            self._desk.site, self._desk.clock.now(), self._desk.latest.received
        )
        self._beat += 1
        self._tell()

    async def _check_sessions(self) -> None:
        """End the streams whose session is over, or can no longer be believed.

        An open page counts as use: a wall display is not logged out for being watched.
        """
        for token in {stream.visitor.token for stream in self._streams}:
            try:
                visitor = await self._sessions.visitor(token)
            except SQLAlchemyError:
                visitor = None
            if visitor is None:
                self.end(token)

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


async def _repeat(name: str, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
    """``step`` for ever; a failure is counted, its first of a row logged, and it is tried again."""
    failing = False
    while True:
        try:
            await step()
            failing = False
        except Exception as error:
            LIVE_FAILURES.inc()
            if not failing:
                log.warning("live stream falls behind", part=name, error=str(error))
            failing = True
        await asyncio.sleep(seconds)
