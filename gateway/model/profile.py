"""A device type: its points and how each lies in registers or messages.

A profile says nothing of transport: host, port, unit and topic prefix are in the site file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.model.point import PointKind, Text


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
    FLOAT32 = "float32"

    @property
    def registers(self) -> int:
        """Registers taken (bits for ``BIT``)."""
        return 2 if self in (RegisterType.INT32, RegisterType.UINT32, RegisterType.FLOAT32) else 1


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
    low_word_first: bool = False
    scale: float = 1.0
    offset: float = 0.0
    """value = raw × scale + offset"""
    absent: tuple[int, ...] = ()
    """Raw values by which the device says "not available": of the part if ``width`` is given,
    else of the whole register (or both), ``bit`` or not."""

    @property
    def mask(self) -> int:
        """The bits that count, after the register was shifted right by ``bit``."""
        if self.bit is None:
            return (1 << (16 * self.type.registers)) - 1
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
    source: str
    """Where the fact comes from; ``[NV]`` where it is not verified."""


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
