"""A device type: its points and how each lies in registers or messages.

A profile says nothing of transport: host, port, unit and topic prefix are in the site file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.model.point import Point, PointKind, Text


class Function(StrEnum):
    """The Modbus table that a point is read from, with its function code."""

    COIL = "coil"
    DISCRETE = "discrete"
    HOLDING = "holding"
    INPUT = "input"

    @property
    def code(self) -> int:
        return {"coil": 1, "discrete": 2, "holding": 3, "input": 4}[self.value]

    @property
    def is_bits(self) -> bool:
        return self in (Function.COIL, Function.DISCRETE)


class RegisterType(StrEnum):
    BIT = "bit"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    """Beyond 2**53 the nearest float64."""
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BCD16 = "bcd16"
    """Four decimal digits, four bits each."""
    BCD32 = "bcd32"
    ASCII = "ascii"
    """Two characters a register; how many registers, the place says."""

    @property
    def registers(self) -> int:
        """Registers taken (bits for ``BIT``); 0 for ``ASCII``, where the place says it."""
        return _REGISTERS.get(self, 1)


_REGISTERS = {
    RegisterType.INT32: 2,
    RegisterType.UINT32: 2,
    RegisterType.FLOAT32: 2,
    RegisterType.BCD32: 2,
    RegisterType.INT64: 4,
    RegisterType.UINT64: 4,
    RegisterType.FLOAT64: 4,
    RegisterType.ASCII: 0,
}


class ByteOrder(StrEnum):
    """In which order the bytes of a value come over the wire, A the most significant.

    For eight bytes the pattern goes on: CDAB is GHEFCDAB, BADC is BADCFEHG. In a single register
    BADC and DCBA exchange its two bytes.
    """

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"

    @property
    def low_word_first(self) -> bool:
        return self in (ByteOrder.CDAB, ByteOrder.DCBA)

    @property
    def low_byte_first(self) -> bool:
        """Within each register."""
        return self in (ByteOrder.BADC, ByteOrder.DCBA)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModbusPlace:
    """Where a point lies, as a PDU (0-based) address after the profile's base was added."""

    function: Function
    address: int
    type: RegisterType
    bit: int | None = None
    """A bit of a 16-bit register, 0 = least significant; of a part, its lowest bit."""
    width: int | None = None
    """Bits of a part of the register, a whole number without sign; None: ``bit`` alone."""
    order: ByteOrder = ByteOrder.ABCD
    length: int | None = None
    """Registers of an ``ASCII`` text."""
    scale: float = 1.0
    offset: float = 0.0
    """value = raw × scale + offset"""
    absent: tuple[int, ...] = ()
    """Raw values by which the device says "not available": of ``absent_in``, else of the part if
    ``width`` is given, else of the whole register (or both), ``bit`` or not."""
    absent_in: tuple[int, int] | None = None
    """Lowest bit and width of the part of the register in which it says so."""
    while_bit: int | None = None
    """The part says something only while this bit of its register is set, and is 0 else."""

    @property
    def registers(self) -> int:
        """Registers taken (bits for ``BIT``)."""
        return self.length or self.type.registers

    @property
    def mask(self) -> int:
        """The bits that count, after the register was shifted right by ``bit``."""
        if self.bit is None:
            return (1 << (16 * self.registers)) - 1
        return (1 << (self.width or 1)) - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class MqttPlace:
    """Where a point lies in a message."""

    topic: str
    """Full topic, the equipment's prefix already put in."""
    path: tuple[str, ...]
    """Keys into the JSON document; empty when the payload itself is the value."""
    codes: Mapping[str, float] = field(default_factory=dict)
    """Text → value, e.g. ``{"ON": 1, "OFF": 0}``; JSON true and false need no entry."""
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Availability:
    """The topic on which the device, or its last will, says whether it is there."""

    topic: str
    online: str
    offline: str
    path: tuple[str, ...] = ()
    """Keys into the JSON document; empty when the payload itself is the word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MqttCommand:
    """How a device is told a value by a message."""

    topic: str
    payload: str
    """``{value}`` stands for the value, or for its word in ``codes``."""
    codes: Mapping[float, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class MessagePart:
    """The part of a topic's messages that lies below some keys."""

    topic: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusRequest:
    """A message that makes a device say all that it knows."""

    topic: str
    payload: str
    answer: MessagePart | None = None
    """Where the answer comes; None: where the device's other messages come."""
    like: MessagePart | None = None
    """What other messages hold here, the answer holds below its own keys."""

    def answer_for(self, place: MqttPlace) -> MqttPlace | None:
        """Where the answer holds what other messages hold at ``place``; None if it does not."""
        if self.answer is None or self.like is None or place.topic != self.like.topic:
            return None
        keys = len(self.like.path)
        if place.path[:keys] != self.like.path:
            return None
        path = self.answer.path + place.path[keys:]
        return replace(place, topic=self.answer.topic, path=path)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadLimits:
    """What one read request to the device may ask for at most."""

    registers: int = 125
    bits: int = 2000
    gap: int = 8
    """Registers that nobody asked for and that may be read along; bits count a sixteenth."""


class DerivedKind(StrEnum):
    RUN_HOURS = "run_hours"
    """Hours for which a flag was 1."""
    STARTS = "starts"
    """How often a flag went from 0 to 1."""
    DELTA = "delta"
    """Growth of a counter since the reading before, with rollover and reset."""
    DIFFERENCE = "difference"
    """The first point less the second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Derived:
    """How a point follows from others of the same equipment."""

    kind: DerivedKind
    of: tuple[str, ...]
    """Keys: two for a difference, else one."""
    rollover: float | None = None
    """Where the counter of a delta begins again, in the point's unit; None: it does not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfilePoint:
    """A point as the profile describes it, before it is installed anywhere."""

    key: str
    name: Text
    kind: PointKind
    unit: str
    low: float | None
    high: float | None
    decimals: int
    states: Mapping[int, Text]
    every: int = 1
    """Read with every so many polls of the equipment."""
    deadband: float | None = None
    keep_every: int | None = None
    source: str
    """Where the fact comes from; ``[NV]`` where it is not verified."""

    def installed(self, equipment: str, *, poll: int, stale_after: int) -> Point:
        """The point on ``equipment``, which is polled every ``poll`` µs and stale after
        ``stale_after`` µs."""
        return Point(
            id=f"{equipment}.{self.key}",
            equipment=equipment,
            key=self.key,
            name=self.name,
            kind=self.kind,
            unit=self.unit,
            low=self.low,
            high=self.high,
            decimals=self.decimals,
            states=self.states,
            interval=poll * self.every,
            deadband=self.deadband,
            keep_every=self.keep_every,
            stale_after=stale_after * self.every,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    id: str
    equipment_class: str
    generic: tuple[str, ...] = ()
    """Classes that a site may install it as instead; not empty: the site must say."""
    vendor: str = ""
    """Empty: of no maker in particular, or not known."""
    model: Text
    source: str
    verified: str
    """``device``, ``manual``, ``code`` or ``unverified``: what the map was checked against."""
    protocol: str
    """``modbus`` or ``mqtt``."""
    points: tuple[ProfilePoint, ...]
    file: str
