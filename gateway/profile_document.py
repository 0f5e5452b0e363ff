"""What a profile file may say.

Registers are written as the manual writes them; ``first_register`` is the manual's number for
PDU address 0 (0, 1, 40001, …), so that a file can be compared with its manual line by line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from gateway.documents import Document
from gateway.file_fields import ClassName, Line, PointKey, Slug, Whole, Words
from gateway.model.point import PointKind
from gateway.model.profile import Function, MqttPlace, ProfilePoint, RegisterType

TOPIC = "{topic}"
"""Stands for the equipment's own topic."""


class ParameterDocument(Document):
    low: Whole
    high: Whole
    stride: Whole
    """Registers from one value of the parameter to the next."""


class ModbusDocument(Document):
    function: Function
    register_number: Whole = Field(alias="register")
    type: RegisterType | None = None
    bit: Whole | None = None
    width: Whole | None = None
    """Bits of the part of the register that begins at ``bit``; left out: that bit alone."""
    low_word_first: bool = False
    scale: float = Field(default=1.0, allow_inf_nan=False)
    offset: float = Field(default=0.0, allow_inf_nan=False)
    absent: tuple[Whole, ...] = ()
    """Raw values that mean "not available": of the part if ``width`` is given, else of the whole
    register or registers."""

    @property
    def register_type(self) -> RegisterType:
        """The type in force: a table of bits needs none, and a register is a uint16."""
        if self.type is not None:
            return self.type
        return RegisterType.BIT if self.function.is_bits else RegisterType.UINT16


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


class AvailabilityDocument(Document):
    topic: Line
    path: tuple[Line, ...] = ()
    online: Line
    offline: Line


class PointDocument(Document):
    key: PointKey
    name: Words
    kind: PointKind
    unit: str = ""
    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    decimals: Whole = Field(default=0, ge=0, le=6)
    states: Mapping[Whole, Words] = Field(default_factory=dict)
    source: Line
    modbus: ModbusDocument | None = None
    mqtt: MqttDocument | None = None

    def point(self) -> ProfilePoint:
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
    parameters: Mapping[PointKey, ParameterDocument] = Field(default_factory=dict)
    availability: AvailabilityDocument | None = None
    source_time: MqttDocument | None = None
    points: tuple[PointDocument, ...] = Field(min_length=1)
