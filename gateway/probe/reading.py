"""Reading a device once before it goes live: is the register map right?

1. :func:`probe` reads the blocks that the planner makes of the profile's points. A block that the
   device refuses is halved until the addresses that it does not have are named.
2. If a value is implausible, one register more on both sides of every point is read where the
   device has it; :mod:`gateway.probe.plausible` says what change of the profile would explain it.
3. The values are those of the gateway's own decoder: as they would be live.

Of fire and lift equipment nothing is asked but the profile's own addresses.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from gateway.modbus.decode import Columns, Decoder, Registers
from gateway.modbus.link import FailureKind, ReadFailure
from gateway.modbus.plan import Block, plan
from gateway.model.equipment import is_life_safety
from gateway.model.moment import SECOND
from gateway.model.point import PointKind
from gateway.model.profile import Function, ModbusPlace, ProfilePoint, ReadLimits
from gateway.model.quality import Quality
from gateway.model.reason import Reason
from gateway.probe.plausible import Hint, Judgement, Verdict, judge, raw_of
from gateway.profile.files import ProfileFile

_ADDRESS_REFUSED = (2, 3, 4)
"""Exceptions by which devices say that they do not have an address; 4 is the sloppy ones' word."""
_FUNCTION_REFUSED = 1
_UNHEARD = 4
"""Requests without an answer after which nobody is there."""
_PATIENCE = 12
"""Requests without an answer after which a device that did answer is asked no more."""
_MOST_REQUESTS = 500
_MOST_BESIDE = 60
_LAST_ADDRESS = 0xFFFF
_PROBED = "probed"
"""Stands for the equipment, which the site does not have yet."""

Told = Callable[[int, int], None]
"""Requests done, and how many there will be as far as is known."""


class Reader(Protocol):
    """What a probe needs of a connection."""

    async def read(self, unit: int, block: Block) -> Registers: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request; ``outcome`` is ``ok`` or a reason line."""

    block: Block
    outcome: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Probed:
    """One point as it was read."""

    point: ProfilePoint
    place: ModbusPlace
    register: int
    """As the manual numbers it."""
    value: float | None
    text: str | None
    quality: Quality
    reason: str | None
    raw: tuple[int, ...]
    """Empty if it was not read."""
    verdict: Verdict | None
    """None: not read."""
    hints: tuple[Hint, ...]

    @property
    def is_right(self) -> bool:
        return self.verdict in (Verdict.GOOD, Verdict.ABSENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    profile: str
    unit: int
    points: tuple[Probed, ...]
    dead: tuple[tuple[Block, str], ...]
    """Addresses that the device does not have, each with the reason line."""
    asked: tuple[Asked, ...]
    silence: str | None
    """Reason line, if nothing was heard of the device at all."""
    restricted: bool
    """Nothing but the profile's own addresses was asked."""


async def probe(
    session: Reader,
    unit: int,
    file: ProfileFile,
    parameters: Mapping[str, int],
    *,
    restricted: bool = False,
    rest: float = 1.5,
    told: Told = lambda done, total: None,
) -> Report:
    """Read every point of the Modbus profile ``file`` once from ``unit``.

    ``parameters`` must name every parameter of the profile. ``restricted``: as for fire and lift
    equipment, whatever the class of the profile. ``rest``: seconds to leave the line alone where it
    does not take the next request yet. A failure of the device is no exception here.
    """
    profile = file.profile
    restricted = restricted or any(
        is_life_safety(one) for one in (profile.equipment_class, *profile.generic)
    )
    places = file.modbus_places(parameters)
    points = {point.key: point for point in profile.points if point.key in places}
    reading = _Reading(
        session, unit, places, file.limits(), restricted=restricted, rest=rest, told=told
    )
    await reading.read_all()
    judged = judge(points, places, reading.words)
    if not restricted and any(one.verdict is Verdict.IMPLAUSIBLE for one in judged.values()):
        await reading.read_beside()
        judged = judge(points, places, reading.words)
    rows = _rows(points, places, reading, judged, file.document.first_register)
    return Report(
        profile=profile.id,
        unit=unit,
        points=rows,
        dead=() if reading.silence else tuple(sorted(reading.dead.items())),
        asked=tuple(reading.asked),
        silence=reading.silence,
        restricted=restricted,
    )


class _Reading:
    """The requests of one probe, one after the other."""

    def __init__(
        self,
        session: Reader,
        unit: int,
        places: Mapping[str, ModbusPlace],
        limits: ReadLimits,
        *,
        restricted: bool,
        rest: float,
        told: Told,
    ) -> None:
        self.words: dict[tuple[Function, int], int] = {}
        self.replies: dict[Block, Registers] = {}
        self.failures: dict[Block, str] = {}
        self.dead: dict[Block, str] = {}
        self.asked: list[Asked] = []
        self._session, self._unit, self._places, self._told = session, unit, places, told
        self._tight = replace(limits, gap=0)
        self._limits = self._tight if restricted else limits
        self._rest = rest
        self._heard = False
        self._unheard = 0
        self._once_more: set[Block] = set()
        self._no_function: dict[Function, str] = {}

    @property
    def silence(self) -> str | None:
        if self._heard:
            return None
        return self.asked[0].outcome if self.asked else next(iter(self.failures.values()))

    async def read_all(self) -> None:
        """Every block of the plan; a refused one in halves, as far down as single values."""
        left = deque(plan(self._places, self._limits))
        while left:
            block = left.popleft()
            hopeless = self._hopeless(block)
            if hopeless is not None:
                self.failures[block] = hopeless
                continue
            try:
                self._take(block, await self._read(block, len(left)))
            except ReadFailure as failure:
                instead = self._after(block, failure)
                if self._heard:
                    left.extendleft(reversed(instead))
                else:  # whatever else it may answer is tried first
                    left.extend(instead)

    async def read_beside(self) -> None:
        """One register on both sides of every point, where the device has it."""
        wanted = {
            (place.function, address)
            for place in self._places.values()
            if not place.function.is_bits
            for address in (place.address - 1, place.address + place.registers)
            if 0 <= address <= _LAST_ADDRESS
        }
        dead = {
            (block.function, address)
            for block in self.dead
            for address in range(block.address, block.end)
        }
        blocks = _runs(wanted - self.words.keys() - dead)[:_MOST_BESIDE]
        for at, block in enumerate(blocks):
            try:
                reply = await self._read(block, len(blocks) - at - 1)
            except ReadFailure as failure:
                if failure.kind is not FailureKind.EXCEPTION:
                    return  # it may be worse than silent about addresses that it does not have
                continue
            self._note(block, reply)

    def _hopeless(self, block: Block) -> str | None:
        """The reason why it is no use to ask for ``block``, if it is none."""
        if block.function in self._no_function:
            return self._no_function[block.function]
        if self._unheard >= (_PATIENCE if self._heard else _UNHEARD):
            return next(reversed(self.failures.values()), Reason.NOT_READ.told())
        return Reason.NOT_READ.told() if len(self.asked) >= _MOST_REQUESTS else None

    async def _read(self, block: Block, left: int) -> Registers:
        """Asks once; once more after a rest where the session would not ask yet."""
        try:
            return await self._ask(block, left)
        except ReadFailure as failure:
            resting = failure.kind is FailureKind.NO_CONNECTION and self._unheard > 0
            if failure.kind is not FailureKind.HELD and not resting:
                raise
        await asyncio.sleep(self._rest)
        return await self._ask(block, left)

    async def _ask(self, block: Block, left: int) -> Registers:
        try:
            reply = await self._session.read(self._unit, block)
        except ReadFailure as failure:
            if failure.kind is not FailureKind.HELD:  # then nothing was asked
                self._done(block, failure.reason, left)
            raise
        self._done(block, "ok", left)
        return reply

    def _done(self, block: Block, outcome: str, left: int) -> None:
        self.asked.append(Asked(block=block, outcome=outcome))
        self._told(len(self.asked), len(self.asked) + left)

    def _take(self, block: Block, reply: Registers) -> None:
        self._heard = True
        self.replies[block] = reply
        self._note(block, reply)

    def _note(self, block: Block, reply: Registers) -> None:
        for address, word in enumerate(reply.tolist(), block.address):
            self.words[block.function, address] = int(word)

    def _after(self, block: Block, failure: ReadFailure) -> list[Block]:
        """What is asked instead of a block that failed; nothing: its values stay unread."""
        if failure.kind is FailureKind.EXCEPTION:
            self._heard = True
        if failure.kind is FailureKind.NO_CONNECTION and not self._heard:
            self._unheard = _UNHEARD
        elif failure.code == _FUNCTION_REFUSED:
            self._no_function[block.function] = failure.reason
        elif failure.code in _ADDRESS_REFUSED or failure.kind is FailureKind.NO_REPLY:
            self._unheard += failure.kind is FailureKind.NO_REPLY
            halves = self._halves(block)
            if halves:
                return halves
            if failure.kind is FailureKind.EXCEPTION or block in self._once_more:
                self.dead[block] = failure.reason
            else:
                return self._again(block)
        elif block not in self._once_more:
            self._unheard += failure.kind is FailureKind.NO_CONNECTION
            return self._again(block)
        self.failures[block] = failure.reason
        return []

    def _again(self, block: Block) -> list[Block]:
        self._once_more.add(block)
        return [block]

    def _halves(self, block: Block) -> list[Block]:
        """``block`` without what nobody asked for, or else its values in two halves."""
        inside = {key: place for key, place in self._places.items() if block.holds(place)}
        tight = list(plan(inside, self._tight))
        if tight != [block]:
            return tight
        spans = sorted({(place.address, place.registers) for place in inside.values()})
        cut = spans[len(spans) // 2][0]
        if len(spans) < 2:
            return []
        low = {key: place for key, place in inside.items() if place.address < cut}
        high = {key: place for key, place in inside.items() if place.address >= cut}
        return [*plan(low, self._tight), *plan(high, self._tight)]


def _runs(addresses: Iterable[tuple[Function, int]]) -> list[Block]:
    """Neighbouring addresses as one block each."""
    ordered = sorted(addresses)
    if not ordered:
        return []
    starts = [0]
    for at, ((function, before), (other, address)) in enumerate(pairwise(ordered), 1):
        if function is not other or address != before + 1:
            starts.append(at)
    ends = [*starts[1:], len(ordered)]
    return [
        Block(function=ordered[start][0], address=ordered[start][1], count=end - start)
        for start, end in zip(starts, ends, strict=True)
    ]


def _rows(
    points: Mapping[str, ProfilePoint],
    places: Mapping[str, ModbusPlace],
    reading: _Reading,
    judged: Mapping[str, Judgement],
    first_register: int,
) -> tuple[Probed, ...]:
    columns = _decoded(points, places, reading)
    rows = []
    for row, (key, point) in enumerate(points.items()):
        quality = Quality(int(columns.quality[row]))
        number = float(columns.value[row])
        value = None if quality is Quality.BAD or point.kind is PointKind.TEXT else number
        judgement = judged.get(key)
        rows.append(
            Probed(
                point=point,
                place=places[key],
                register=places[key].address + first_register,
                value=value,
                text=_text(point, value, columns.text.get(row)),
                quality=quality,
                reason=columns.reason.get(row),
                raw=raw_of(places[key], reading.words) or (),
                verdict=None if judgement is None else judgement.verdict,
                hints=() if judgement is None else judgement.hints,
            )
        )
    return tuple(rows)


def _decoded(
    points: Mapping[str, ProfilePoint], places: Mapping[str, ModbusPlace], reading: _Reading
) -> Columns:
    """One row a point, as the gateway would read them."""
    described = [
        point.installed(_PROBED, poll=SECOND, stale_after=SECOND) for point in points.values()
    ]
    own = {point.id: places[point.key] for point in described}
    blocks = (*reading.replies, *reading.failures)
    return Decoder(described, own, blocks).decode(reading.replies, reading.failures)


def _text(point: ProfilePoint, value: float | None, text: str | None) -> str | None:
    """The words of a state or flag in both languages, or the text that the point is."""
    state = None if value is None else point.states.get(int(value))
    if state is None:
        return text
    return state.zh if state.zh == state.en else f"{state.zh} / {state.en}"
