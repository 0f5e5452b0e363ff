"""Documents of the way to the devices: links, profiles, probes, commands."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.models.base import Document, Moment, Number, PointKindWord, Text, example

ProtocolWord = Literal["modbus", "mqtt"]
VerifiedWord = Literal["device", "manual", "code", "unverified"]
CommandStateWord = Literal["proposed", "sent", "done", "refused", "unknown"]
Reason = Annotated[
    str,
    Field(
        description="`code` or `code: detail`; empty where there is none.",
        examples=["no_reply: unit 3, 1 s"],
    ),
]


class Latency(Document):
    """Milliseconds from a request to its reply."""

    mean: float
    p99: float


class UnitFigures(Document):
    """One Modbus unit behind a link; counts are since the gateway's start."""

    unit: int = Field(examples=[3])
    equipment: list[str] = Field(examples=[["pump-1", "pump-2"]])
    silent: bool = Field(description="It has not answered for some polls and is only probed.")
    requests: int
    replies: int
    timeouts: int
    wrong_replies: int
    crc_errors: int
    exceptions: dict[str, int] = Field(description="Modbus exception code → how often.")
    latency_ms: Latency | None


class DeadAddress(Document):
    """An address that a profile names and the device has been found not to have."""

    unit: int
    function: str = Field(examples=["holding"])
    address: int = Field(description="As a PDU address, from 0.")
    reason: Reason


class Budget(Document):
    """Whether the line can carry what is asked of it, computed from the site file."""

    seconds_per_second: float = Field(description="Of the line's time; above 1 it cannot.")
    requests: int = Field(description="Of one round over all its units.")
    keeps: bool
    text: str


class Link(Document):
    """How a link is doing, as its gateway tells; counts are since the gateway's start."""

    id: str = Field(examples=["pump-room"])
    name: Text
    protocol: ProtocolWord
    where: str = Field(examples=["10.0.0.7:502"])
    connected: bool
    reason: Reason
    equipment: list[str]
    requests: int | None = Field(description="This and what follows: null on MQTT.")
    replies: int | None
    timeouts: int | None
    wrong_replies: int | None
    crc_errors: int | None
    exceptions: dict[str, int] | None
    latency_ms: Latency | None
    busy: float | None = Field(description="Share of the time in which the line is in use.")
    budget: Budget | None
    units: list[UnitFigures]
    dead_addresses: list[DeadAddress]
    heard: int | None = Field(description="Messages; this and what follows: null on Modbus.")
    lost: int | None = Field(description="Connections lost.")
    dropped: int | None = Field(
        description="Messages that the broker dropped, of all its clients, as far as it tells."
    )


class QuarantineEntry(Document):
    """Messages on one topic that could not be read."""

    topic: str
    count: int
    reason: Reason
    sample: str = Field(description="The beginning of the last one.")
    at: Moment


class Quarantine(Document):
    count: int
    entries: list[QuarantineEntry]


class SpoolFigures(Document):
    """The durable queue between the devices and everything behind it."""

    head: int
    bytes: int
    backlog: dict[str, int] = Field(description="Consumer → records that it has not taken.")
    torn: int = Field(description="Records found damaged.")
    shed: int = Field(description="Records deleted unread because there was no room.")
    disk_failing_since: Moment | None


class ParkedReason(Document):
    reason: str
    count: int


class HistoryFigures(Document):
    behind_s: float
    parked: int = Field(description="Readings that the history's server refused for good.")
    parked_reasons: list[ParkedReason]


class Links(Document):
    gateway: str
    items: list[Link]
    quarantine: Quarantine
    spool: SpoolFigures
    history: HistoryFigures


class ProfileSummary(Document):
    """A device type that equipment of the site may be of."""

    id: str = Field(examples=["eastron-sdm630"])
    equipment_class: str = Field(alias="class", examples=["meter"])
    vendor: str
    model: Text
    protocol: ProtocolWord
    verified: VerifiedWord = Field(description="What the register map was checked against.")
    source: str
    points: int
    equipment: list[str] = Field(description="Ids of the site's equipment of this type.")


class Profiles(Document):
    items: list[ProfileSummary]


class ProfilePoint(Document):
    key: str
    name: Text
    kind: PointKindWord
    unit: str
    low: float | None
    high: float | None
    decimals: int
    source: str
    place: str = Field(
        description="Where it lies, in the manual's own numbers, or the message and the way in it.",
        examples=["input 30001 float32"],
    )
    writable: bool


class Parameter(Document):
    """A number that the site gives for each equipment of the profile."""

    name: str = Field(examples=["pump"])
    low: int
    high: int


class Profile(ProfileSummary):
    parameters: list[Parameter]
    point_list: list[ProfilePoint]


class ProbeRequest(Document):
    model_config = example({"unit": 3, "profile": "eastron-sdm630", "parameters": {}})

    unit: int = Field(ge=0, le=255)
    profile: str = Field(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")
    parameters: dict[str, int] = Field(default_factory=dict, max_length=8)


class ProbedPoint(Document):
    key: str
    name: Text
    value: Number
    text: str | None
    unit: str
    quality: Literal["good", "uncertain", "stale", "bad"]
    reason: str | None
    raw: list[str] = Field(description="The words read, in hexadecimal.", examples=[["0x4366"]])
    hint: Text | None = Field(description="What in the profile would make it plausible.")


class Probe(Document):
    """What a device said when every point of a profile was read from it once."""

    link: str
    unit: int
    profile: str
    points: list[ProbedPoint]
    dead_addresses: list[DeadAddress]
    requests: int


class CommandProposal(Document):
    model_config = example({"point": "output", "value": 1})

    point: str = Field(max_length=64, pattern=r"^[a-z][a-z0-9_]*$")
    value: float = Field(allow_inf_nan=False)


class Command(Document):
    """Something that a device is to be told; it is sent when who proposed it confirms it."""

    id: str
    equipment: str
    equipment_name: Text
    point: str = Field(examples=["lamp-1.output"])
    point_name: Text
    unit: str
    value: float
    before: Number = Field(description="What it read when this was proposed; null: nothing good.")
    state: CommandStateWord
    by: str
    by_name: str | None
    proposed_at: Moment
    confirm_until: Moment
    sent_at: Moment | None
    ended_at: Moment | None
    read_back: Number = Field(description="What the device said afterwards.")
    why: str | None = Field(examples=["not_confirmed"])
    detail: str | None


class Commands(Document):
    items: list[Command]


class AllowedCommand(Document):
    """What the site's allowlist lets this person tell the equipment."""

    point: str = Field(examples=["lamp-1.output"])
    name: Text
    kind: PointKindWord
    unit: str
    low: float
    high: float
    states: dict[str, Text] = Field(description="Value → what it means, of a flag or a state.")


class AllowedCommands(Document):
    items: list[AllowedCommand]
