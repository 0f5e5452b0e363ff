"""Telling a device a value: allowed, exact, read back, once, and in time or not at all.

Off until the site file's allowlist says otherwise, and never where fire or lift equipment could be
reached, whatever a file says. Every end has a name (:mod:`gateway.model.refusal`): what ends
before the wire left the device in peace; after it, nobody knows unless the device says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from gateway.bus.questions import SKEW, QuestionRefusedError
from gateway.clock import Clock
from gateway.commands.orders import (
    Job,
    Order,
    allowed,
    forbidden,
    guarded,
    order_of,
    payload,
    words,
)
from gateway.modbus.decode import Decoder, Registers
from gateway.modbus.link import FailureKind, ReadFailure
from gateway.modbus.plan import Block
from gateway.model.equipment import Equipment, ModbusLink, Site
from gateway.model.frame import Frame
from gateway.model.moment import MINUTE, SECOND, Instant
from gateway.model.profile import ModbusPlace, MqttCommand
from gateway.model.quality import Quality
from gateway.model.reason import Reason, code_of
from gateway.model.refusal import Refusal
from gateway.mqtt.connection import NotPublishedError
from gateway.mqtt.link import MqttMessage
from gateway.site.addresses import reached

_log = structlog.get_logger(__name__)

_REMEMBERED = 10 * MINUTE
"""µs for which a command that is asked for again is not carried out again."""
_MARGIN = SKEW + SECOND
"""µs before its asker goes away in which a command ends: clocks may differ, and the answer has a
way to go."""
_PATIENCE = 5.0
"""Seconds that a device has to show what it was told."""
_LOOK_AGAIN = 0.5
"""Seconds between two looks at a register."""
_JUST_BEFORE = SECOND
"""µs by which a device's clock may be behind ours in a reading that confirms."""
_ACKNOWLEDGE = 5
"""The exception by which a device says that it has begun, and that it takes its time."""
_OLD = (Reason.RETAINED, Reason.LATE)
"""Doubts of readings that are of before the command."""


class Writable(Protocol):
    """What is needed of a Modbus session."""

    async def read(self, unit: int, block: Block) -> Registers: ...

    async def write(
        self,
        unit: int,
        place: ModbusPlace,
        words: Sequence[int],
        *,
        on_wire: Callable[[], None],
    ) -> None: ...


class Publishing(Protocol):
    """What is needed of an MQTT session."""

    async def publish(self, topic: str, payload: bytes, within: float) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    value: float
    quality: Quality


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Asked:
    order: Order
    at: Instant
    answer: asyncio.Task[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listening:
    since: int
    """µs UTC."""
    seen: asyncio.Queue[_Seen] = field(default_factory=asyncio.Queue)


class _Attempt:
    """How far a command has come. ``due``: when it ends."""

    def __init__(self, job: Job, clock: Clock, due: Instant) -> None:
        self.job = job
        self._clock = clock
        self._due = due
        self.on_wire = False
        """Whether the device may have been told."""
        self.shown = ""
        """What the device showed last instead of the value."""

    @property
    def left(self) -> float:
        """Seconds."""
        return self._due.since(self._clock.now()) / SECOND

    def begin(self) -> None:
        """Right before the wire."""
        if self.left <= 0:
            raise self.ended()
        self.on_wire = True

    def ended(self) -> QuestionRefusedError:
        """What it is called that the time is over."""
        if not self.on_wire:
            detail = f"{self.job.point.id} could not be told in time"
            return QuestionRefusedError(Refusal.TOO_LATE, detail)
        if not self.shown:
            detail = f"{self.job.point.id} was not heard"
            return QuestionRefusedError(Refusal.NO_REPLY, detail)
        detail = f"told {self.job.value:.10g}, read {self.shown}"
        return QuestionRefusedError(Refusal.NOT_CONFIRMED, detail)


class Commands:
    """Answers the question ``write``.

    Body: ``{"equipment", "point" (key), "value" (number), "role", "by", "command" (id), "until"
    (µs UTC)}``; the answer ``{"read_back": number, "quality": "good" | "uncertain"}``. Refuses by
    :class:`QuestionRefusedError` with a code of :class:`Refusal`, well before ``until``.

    ``sessions``: link id → session of a Modbus link; ``mqtt``: the session of all MQTT links.
    """

    def __init__(
        self,
        site: Site,
        sessions: Mapping[str, Writable],
        mqtt: Publishing | None,
        *,
        clock: Clock,
    ) -> None:
        self._site = site
        self._sessions = sessions
        self._mqtt = mqtt
        self._clock = clock
        self._asked: dict[str, _Asked] = {}
        self._turns: dict[str, asyncio.Lock] = {}
        """Point id → held while it is told something."""
        self._waiting: dict[str, _Listening] = {}
        """Point id → what messages say of it meanwhile."""
        self._away: set[str] = set()
        """Equipment that said, or whose last will said, that it left."""

    async def __call__(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Carry out the order in ``body``, once within ten minutes: the same question gets the
        same answer."""
        order, now = order_of(body), self._clock.now()
        for command, old in list(self._asked.items()):
            if old.answer.done() and now.since(old.at) > _REMEMBERED:
                del self._asked[command]
        asked = self._asked.get(order.command)
        if asked is None:
            due = now.plus(_until(body) - _MARGIN - now.wall)
            # A task of its own: who asked may go away, and the device is told all the same.
            answer = asyncio.create_task(self._carry_out(order, due))
            asked = self._asked[order.command] = _Asked(order=order, at=now, answer=answer)
        elif asked.order != order:
            raise QuestionRefusedError(
                Refusal.COMMAND_REUSED, f"{order.command} was another command"
            )
        return await asyncio.shield(asked.answer)

    def hear(self, message: MqttMessage, frame: Frame | None, received: int) -> None:
        """A message and its readings, ``received`` (µs UTC): one of them may be what a device was
        told, and it may say that a device left or is back."""
        live = not (message.retained or message.backlog)
        self._hear_of_presence(message.topic, frame, live)
        if frame is None or not live or not self._waiting:
            return
        for row, point in enumerate(frame.points):
            waiting = self._waiting.get(point)
            quality = Quality(frame.quality[row])
            if waiting is None or quality is Quality.BAD:
                continue
            taken = int(frame.source_time[row])
            # A time of the device's own, unless it is the moment of receiving.
            early = taken != received and taken < waiting.since - _JUST_BEFORE
            if not early and code_of(frame.reason.get(row, "")) not in _OLD:
                waiting.seen.put_nowait(_Seen(value=float(frame.value[row]), quality=quality))

    def _hear_of_presence(self, topic: str, frame: Frame | None, live: bool) -> None:
        points = self._site.points
        if self._away:
            self._away -= {name for name in self._away if self._says_presence(name, topic)}
        if frame is None:
            return
        if self._away and live:
            good = (
                name for row, name in enumerate(frame.points) if frame.quality[row] < Quality.BAD
            )
            self._away -= {points[name].equipment for name in good if name in points}
        for row, reason in frame.reason.items():
            if code_of(reason) == Reason.OFFLINE and frame.points[row] in points:
                self._away.add(points[frame.points[row]].equipment)

    def _says_presence(self, equipment: str, topic: str) -> bool:
        said = self._site.equipment[equipment].availability
        return said is not None and said.topic == topic

    async def _carry_out(self, order: Order, due: Instant) -> Mapping[str, Any]:
        say = _log.bind(**{name: getattr(order, name) for name in Order.__slots__})
        try:
            attempt = _Attempt(allowed(self._site, order), self._clock, due)
            seen = await self._in_time(attempt)
        except QuestionRefusedError as refusal:
            say.warning("command refused", code=refusal.code, detail=refusal.detail)
            raise
        say.info("command carried out", read_back=seen.value)
        return {"read_back": seen.value, "quality": seen.quality.word}

    async def _in_time(self, attempt: _Attempt) -> _Seen:
        try:
            async with asyncio.timeout(max(0.0, attempt.left)):
                async with self._turns.setdefault(attempt.job.point.id, asyncio.Lock()):
                    return await self._tell(attempt)
        except TimeoutError:
            raise attempt.ended() from None

    async def _tell(self, attempt: _Attempt) -> _Seen:
        """Say it, and look until it is so; the last look if it is not is in the refusal."""
        how = attempt.job.how
        if isinstance(how, MqttCommand):
            return await self._tell_by_message(attempt, how)
        return await self._write(attempt, how)

    # -- Modbus ---------------------------------------------------------------------------------

    async def _write(self, attempt: _Attempt, place: ModbusPlace) -> _Seen:
        job = attempt.job
        session, unit = self._sessions.get(job.thing.link), job.thing.unit
        if session is None or unit is None:
            raise QuestionRefusedError(Refusal.NO_CONNECTION, f"link {job.thing.link} is not open")
        told = words(place, job)
        await self._check_address(job.thing)
        try:
            await session.write(unit, place, told, on_wire=attempt.begin)
        except ReadFailure as failure:
            if not attempt.on_wire:
                raise QuestionRefusedError(Refusal.NO_CONNECTION, failure.reason) from None
            if failure.code != _ACKNOWLEDGE:
                refused = failure.kind is FailureKind.EXCEPTION
                code = Refusal.DEVICE_REFUSED if refused else Refusal.NO_REPLY
                raise QuestionRefusedError(code, failure.reason) from None
        return await self._look(attempt, session, unit)

    async def _check_address(self, thing: Equipment) -> None:
        """No other name leads to a line that fire or lift equipment is on."""
        own = self._site.links.get(thing.link)
        guards = {one.link: one for one in guarded(self._site)}
        if not isinstance(own, ModbusLink):
            return
        for name, guard in guards.items():
            link = self._site.links.get(name)
            if not isinstance(link, ModbusLink):
                continue
            try:
                meet = await reached(own) & await reached(link)
            except OSError as error:
                raise forbidden(guard, f", and nobody can say where it is: {error}") from None
            if meet:
                raise forbidden(guard, f", and at {min(meet)} too")

    async def _look(self, attempt: _Attempt, session: Writable, unit: int) -> _Seen:
        """Read the register until it holds the value."""
        job = attempt.job
        place = job.thing.modbus[job.point.key]
        block = Block(function=place.function, address=place.address, count=place.registers)
        decoder = Decoder([job.point], {job.point.id: place}, [block])
        begun = self._clock.now()
        while True:
            try:
                columns = decoder.decode({block: await session.read(unit, block)}, {})
            except ReadFailure as failure:
                attempt.shown = failure.reason
            else:
                seen = _Seen(value=float(columns.value[0]), quality=Quality(columns.quality[0]))
                if _same(seen, job):
                    return seen
                attempt.shown = columns.reason.get(0, f"{seen.value:.10g}")
            if self._clock.now().since(begun) >= _PATIENCE * SECOND or attempt.left <= 0:
                raise attempt.ended()
            await self._clock.sleep(_LOOK_AGAIN)

    # -- MQTT -----------------------------------------------------------------------------------

    async def _tell_by_message(self, attempt: _Attempt, how: MqttCommand) -> _Seen:
        job = attempt.job
        if self._mqtt is None:
            raise QuestionRefusedError(Refusal.NO_CONNECTION, "there is no session with the broker")
        if job.thing.id in self._away:
            raise QuestionRefusedError(Refusal.OFFLINE, f"{job.thing.id} said that it left")
        said = payload(how, job)
        attempt.begin()
        waiting = _Listening(since=self._clock.now().wall)
        self._waiting[job.point.id] = waiting
        try:
            await self._publish(attempt, self._mqtt, how.topic, said)
            # A device that tells only what changes says nothing if it was so already.
            with suppress(NotPublishedError):
                for request in job.thing.status_requests:
                    await self._mqtt.publish(request.topic, request.payload.encode(), _PATIENCE)
            return await self._listen(attempt, waiting.seen)
        finally:
            del self._waiting[job.point.id]

    async def _publish(self, attempt: _Attempt, mqtt: Publishing, topic: str, said: bytes) -> None:
        try:
            await mqtt.publish(topic, said, _PATIENCE)
        except NotPublishedError as error:
            attempt.on_wire = not error.never_sent
            code = Refusal.NO_REPLY if attempt.on_wire else Refusal.NO_CONNECTION
            raise QuestionRefusedError(code, error.reason) from None

    async def _listen(self, attempt: _Attempt, heard: asyncio.Queue[_Seen]) -> _Seen:
        """Wait for a reading that has the value; others may have been on their way."""
        job = attempt.job
        try:
            async with asyncio.timeout(min(_PATIENCE, job.thing.poll / SECOND)):
                while True:
                    seen = await heard.get()
                    if _same(seen, job):
                        return seen
                    attempt.shown = f"{seen.value:.10g}"
        except TimeoutError:
            raise attempt.ended() from None


def _until(body: Mapping[str, Any]) -> int:
    until = body.get("until")
    if type(until) is not int:
        raise QuestionRefusedError(Refusal.BAD_QUESTION, "until is missing or no number")
    return until


def _same(seen: _Seen, job: Job) -> bool:
    tolerance = 0.5 * 10.0**-job.point.decimals
    return seen.quality is not Quality.BAD and abs(seen.value - job.value) < tolerance
