"""What a profile file may say.

Registers are written as the manual writes them; ``first_register`` is the manual's number for
PDU address 0 (0, 1, 40001, …), so that a file can be compared with its manual line by line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from gateway.files.documents import Document
from gateway.files.durations import Duration
from gateway.files.fields import ClassName, Line, PointKey, Slug, Whole, Words
from gateway.model.point import PointKind
from gateway.model.profile import (
    ByteOrder,
    Derived,
    DerivedKind,
    Function,
    MessagePart,
    MqttCommand,
    MqttPlace,
    ProfilePoint,
    RegisterType,
    StatusRequest,
)

TOPIC = "{topic}"
"""Stands for the equipment's own topic."""


class PackDocument(Document):
    """Several values of a parameter share a register."""

    bits: Literal[1, 2, 4, 8]
    """From one value of the parameter to the next; then the next register."""
    order: Literal["ascending", "descending"] = "ascending"
    """Descending: the next value lies below, and the next register begins at its top."""

    def moved(self, bit: int, steps: int) -> tuple[int, int]:
        """Registers onward, and the bit there, of what lies at ``bit`` for the first value, for
        the value that is ``steps`` later."""
        slots = 16 // self.bits
        slot, within = divmod(bit, self.bits)
        if self.order == "descending":
            registers, turned = divmod(slots - 1 - slot + steps, slots)
            slot = slots - 1 - turned
        else:
            registers, slot = divmod(slot + steps, slots)
        return registers, slot * self.bits + within


class ParameterDocument(Document):
    """``stride`` or ``pack``."""

    low: Whole
    high: Whole
    stride: Whole | None = None
    """Registers from one value of the parameter to the next."""
    pack: PackDocument | None = None


class PartDocument(Document):
    """A part of a register."""

    bit: Whole
    width: Whole


class ModbusDocument(Document):
    function: Function
    register_number: Whole = Field(alias="register")
    type: RegisterType | None = None
    bit: Whole | None = None
    width: Whole | None = None
    """Bits of the part of the register that begins at ``bit``; left out: that bit alone."""
    order: ByteOrder = ByteOrder.ABCD
    length: Whole | None = None
    """Registers of a text."""
    scale: float = Field(default=1.0, allow_inf_nan=False)
    offset: float = Field(default=0.0, allow_inf_nan=False)
    absent: tuple[Whole, ...] = ()
    """Raw values that mean "not available": of ``absent_in``, else of the part if ``width`` is
    given, else of the whole register or registers."""
    absent_in: PartDocument | None = None
    while_bit: Whole | None = None
    """The part of a state says something only while this bit of its register is set: else 0."""

    @property
    def register_type(self) -> RegisterType:
        """The type in force: a table of bits needs none, and a register is a uint16."""
        if self.type is not None:
            return self.type
        return RegisterType.BIT if self.function.is_bits else RegisterType.UINT16

    @property
    def registers(self) -> int:
        """Registers (or bits) taken; 0 for a text that does not say it."""
        return self.length or self.register_type.registers


class MqttDocument(Document):
    topic: Line
    path: tuple[Line, ...] = ()
    codes: Mapping[str, float] = Field(default_factory=dict)
    scale: float = Field(default=1.0, allow_inf_nan=False)
    offset: float = Field(default=0.0, allow_inf_nan=False)

    def place(self, topic: str) -> MqttPlace:
        return MqttPlace(
            topic=self.topic.replace(TOPIC, topic),
            path=self.path,
            codes=dict(self.codes),
            scale=self.scale,
            offset=self.offset,
        )


class WriteDocument(Document):
    """That the point may be written at all; on MQTT also how. The site's allowlist decides."""

    topic: Line | None = None
    payload: Line | None = None
    """``{value}`` stands for the value, or for its word in ``codes``; ``{topic}`` for the
    equipment's own topic."""
    codes: Mapping[Whole, Line] = Field(default_factory=dict)

    def command(self, topic: str) -> MqttCommand:
        return MqttCommand(
            topic=(self.topic or "").replace(TOPIC, topic),
            payload=(self.payload or "").replace(TOPIC, topic),
            codes={float(value): word for value, word in self.codes.items()},
        )


class DerivedDocument(Document):
    """Exactly one of the first four."""

    run_hours: PointKey | None = None
    starts: PointKey | None = None
    delta: PointKey | None = None
    difference: tuple[PointKey, PointKey] | None = None
    rollover: float | None = Field(default=None, allow_inf_nan=False)

    def derived(self) -> Derived:
        kind = next(kind for kind in DerivedKind if getattr(self, kind.value) is not None)
        of = getattr(self, kind.value)
        return Derived(kind=kind, of=of if isinstance(of, tuple) else (of,), rollover=self.rollover)


class GroupDocument(Document):
    """Points that change slowly need not be read with every poll."""

    every: Whole = Field(ge=1, le=1000)
    """Polls of the equipment."""


class LimitsDocument(Document):
    """What the device takes in one read request; left out: what the protocol allows."""

    registers: Whole = Field(default=125, ge=1, le=125)
    bits: Whole = Field(default=2000, ge=1, le=2000)
    gap: Whole = Field(default=8, ge=0, le=124)
    """Registers that nobody asked for and that may be read along."""


class AvailabilityDocument(Document):
    topic: Line
    path: tuple[Line, ...] = ()
    online: Line
    offline: Line


class MessagePartDocument(Document):
    topic: Line
    path: tuple[Line, ...] = ()

    def part(self, topic: str) -> MessagePart:
        return MessagePart(topic=self.topic.replace(TOPIC, topic), path=self.path)


class StatusRequestDocument(Document):
    """What to say to the device so that it tells all that it knows."""

    topic: Line
    payload: str
    """``{topic}`` stands for the equipment's own topic."""
    answer: MessagePartDocument | None = None
    """Left out where the answer is like the device's other messages."""
    like: MessagePartDocument | None = None
    """The answer holds below its keys what other messages hold here."""

    def request(self, topic: str) -> StatusRequest:
        return StatusRequest(
            topic=self.topic.replace(TOPIC, topic),
            payload=self.payload.replace(TOPIC, topic),
            answer=None if self.answer is None else self.answer.part(topic),
            like=None if self.like is None else self.like.part(topic),
        )


class PointDocument(Document):
    key: PointKey
    name: Words
    kind: PointKind
    unit: str = ""
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    decimals: Whole = Field(default=0, ge=0, le=6)
    states: Mapping[Whole, Words] = Field(default_factory=dict)
    group: Slug | None = None
    deadband: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """The history leaves out what differs by no more; rules see every reading."""
    keep_every: Duration | None = None
    """The history keeps a reading at least this often."""
    source: Line
    modbus: ModbusDocument | None = None
    mqtt: MqttDocument | None = None
    derived: DerivedDocument | None = None
    write: WriteDocument | None = None

    def point(self, every: int) -> ProfilePoint:
        """``every``: how many polls of the equipment there are to one reading of it."""
        flag = self.kind is PointKind.FLAG
        return ProfilePoint(
            key=self.key,
            name=self.name.text(),
            kind=self.kind,
            unit=self.unit,
            low=0.0 if flag else self.low,
            high=1.0 if flag else self.high,
            decimals=self.decimals,
            states={code: words.text() for code, words in self.states.items()},
            every=every,
            deadband=self.deadband,
            keep_every=self.keep_every,
            source=self.source,
        )


class ProfileDocument(Document):
    profile: Slug
    equipment_class: ClassName = Field(alias="class")
    generic: tuple[ClassName, ...] = ()
    """What else a site may install it as, for a device that can stand for many things."""
    vendor: Line = ""
    """Left out where the device is of no maker in particular, or the maker is not known."""
    model: Words
    protocol: Literal["modbus", "mqtt"]
    verified: Literal["device", "manual", "code", "unverified"]
    source: Line
    first_register: Whole = Field(default=0, ge=0)
    limits: LimitsDocument = LimitsDocument()
    groups: Mapping[Slug, GroupDocument] = Field(default_factory=dict)
    parameters: Mapping[PointKey, ParameterDocument] = Field(default_factory=dict)
    availability: AvailabilityDocument | None = None
    source_time: MqttDocument | None = None
    status_requests: tuple[StatusRequestDocument, ...] = ()
    points: tuple[PointDocument, ...] = Field(min_length=1)

    def profile_points(self) -> tuple[ProfilePoint, ...]:
        """The points; every check has been passed."""
        read = {
            point.key: 1 if point.group is None else self.groups[point.group].every
            for point in self.points
        }
        return tuple(
            point.point(
                read[point.key]
                if point.derived is None
                # Made whenever one of its sources is read, and as old as the slowest of them.
                else max(read[key] for key in point.derived.derived().of)
            )
            for point in self.points
        )
