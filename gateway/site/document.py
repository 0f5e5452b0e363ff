"""What a site file may say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from gateway.files.documents import Document
from gateway.files.durations import Duration
from gateway.files.fields import ClassName, Line, PointKey, RoleName, Slug, Whole, Words


def _web_address(given: str) -> str:
    try:
        parts = urlsplit(given)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if not right:
        expected = {"expected": "http://host:port/path or https://…"}
        raise PydanticCustomError("web_address", "is no web address", expected)
    return given


def _minutes(given: object) -> int:
    said = given if isinstance(given, str) else ""
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", said)
    if found is None:
        expected = {"expected": 'a time of day such as "22:00"'}
        raise PydanticCustomError("time_of_day", "is no time of day", expected)
    return int(found[1]) * 60 + int(found[2])


def _host_name(given: str) -> str:
    if re.search(r"[/\s@?#*]|:\d+$", given) and not given.count(":") > 1:
        expected = {"expected": "a name or address alone, such as hooks.example.org"}
        raise PydanticCustomError("host_name", "is no host", expected)
    return given.strip("[]").rstrip(".").lower()


WebAddress = Annotated[Line, AfterValidator(_web_address)]

TimeOfDay = Annotated[int, BeforeValidator(_minutes)]
"""Written as text, held as minutes of the day."""

HostName = Annotated[Line, AfterValidator(_host_name)]


class SiteHead(Document):
    id: Slug
    name: Words
    timezone: Line
    profiles_folder: Line | None = None
    """The site's own profiles, relative to the site file; they go before the shipped ones."""
    rulebook_folder: Line | None = None
    """The site's own rulebook: a file of it stands in for the shipped one of the same name."""


class SimulationDocument(Document):
    scenario: Line


class TlsDocument(Document):
    """Files relative to the site file."""

    ca: Line | None = None
    certificate: Line | None = None
    key: Line | None = None


class BrokerDocument(Document):
    host: Line
    port: Whole = 1883
    username: str = ""
    password_file: Line | None = None
    password_env: Line | None = None
    tls: TlsDocument | None = None


class QuietDocument(Document):
    """Hours in which what is not urgent waits for the morning."""

    start: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")


class SmsDocument(Document):
    """How a gateway for text messages is spoken to."""

    method: Literal["GET", "POST"] = "POST"
    body: Line
    """With {phone}, {text} and {secret}; with GET it is the query."""
    format: Literal["json", "form"] = "json"
    authorization: Line | None = None
    """Header of that name; may have {secret}."""
    success: Line
    """``path=value``: keys into the JSON answer with dots between them."""


class ChannelDocument(Document):
    """One way by which people hear of notices."""

    id: Slug
    kind: Literal["webhook", "wecom", "dingtalk", "feishu", "email", "sms"]
    address: Line | None = None
    address_file: Line | None = None
    address_env: Line | None = None
    secret_file: Line | None = None
    secret_env: Line | None = None
    priorities: tuple[Literal["critical", "major", "minor", "info"], ...] | None = Field(
        default=None, min_length=1
    )
    people: Literal["all", "addressed"] = "all"
    quiet: QuietDocument | None = None
    digest_after: Whole | None = None
    """Routine messages a minute before the rest is gathered into one."""
    language: Literal["zh", "en", "both"] = "zh"
    to: tuple[Line, ...] = ()
    user: Line | None = None
    sender: Line | None = None
    sms: SmsDocument | None = None


class NoticesDocument(Document):
    channels: tuple[ChannelDocument, ...] = ()
    allow: tuple[HostName, ...] = ()
    """Hosts that messages may go to."""
    webhooks: tuple[WebAddress, ...] = ()
    """Older: addresses that hear of everything, unsigned."""


class AreaDocument(Document):
    id: Slug
    name: Words


class WalkDocument(Document):
    """How far it is on foot from one area to another, either way."""

    start: Slug = Field(alias="from")
    to: Slug
    metres: float = Field(gt=0, le=10_000)


class LinkDocument(Document):
    id: Slug
    name: Words | None = None
    """What people call it; its id if absent."""
    protocol: Literal["modbus-tcp", "modbus-rtu", "modbus-rtu-tcp", "mqtt"]
    """``modbus-rtu``: a serial line; ``modbus-rtu-tcp``: through a converter that passes bytes."""
    host: Line | None = None
    port: Whole | None = None
    device: Line | None = None
    """Of a serial line, such as /dev/ttyUSB0."""
    baud: Whole | None = None
    """Also of the line behind a converter or gateway on the network: what it can carry follows."""
    parity: Literal["N", "E", "O"] | None = None
    stop_bits: Literal[1, 2] | None = None
    timeout: Duration | None = None
    pause: Duration | None = None
    """Between a reply and the next request."""
    connection: Literal["kept", "each-poll"] | None = None


class EquipmentDocument(Document):
    id: Slug
    name: Words
    profile: Line
    equipment_class: ClassName | None = Field(default=None, alias="class")
    """What it stands for, where the profile leaves that open."""
    area: Line
    link: Line
    parameters: Mapping[PointKey, Whole] = Field(default_factory=dict)
    unit: Whole | None = None
    poll: Duration | None = None
    topic: Line | None = None
    silence: Duration | None = None
    supplied_by: Slug | None = None
    behind: Slug | None = None
    twin: Slug | None = None
    """Another of its class, with which rules compare it."""


class CommandDocument(Document):
    """What dutyroom may tell a device; without an entry it writes nothing."""

    equipment: Slug
    point: PointKey
    low: float = Field(allow_inf_nan=False)
    high: float = Field(allow_inf_nan=False)
    roles: tuple[RoleName, ...] = Field(min_length=1)


class SiteDocument(Document):
    site: SiteHead
    gateway: Slug
    simulation: SimulationDocument | None = None
    broker: BrokerDocument | None = None
    notices: NoticesDocument = Field(default_factory=NoticesDocument)
    areas: tuple[AreaDocument, ...] = Field(min_length=1)
    walk: tuple[WalkDocument, ...] = ()
    links: tuple[LinkDocument, ...] = Field(min_length=1)
    equipment: tuple[EquipmentDocument, ...] = Field(min_length=1)
    commands: tuple[CommandDocument, ...] = ()
