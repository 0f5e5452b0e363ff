"""What a site file may say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from gateway.documents import Document
from gateway.durations import Duration
from gateway.file_fields import ClassName, Line, PointKey, Slug, Whole, Words


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


WebAddress = Annotated[Line, AfterValidator(_web_address)]


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


class NoticesDocument(Document):
    webhooks: tuple[WebAddress, ...] = ()


class AreaDocument(Document):
    id: Slug
    name: Words


class LinkDocument(Document):
    id: Slug
    protocol: Literal["modbus-tcp", "mqtt"]
    host: Line | None = None
    port: Whole | None = None
    timeout: Duration | None = None


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


class SiteDocument(Document):
    site: SiteHead
    gateway: Slug
    simulation: SimulationDocument | None = None
    broker: BrokerDocument | None = None
    notices: NoticesDocument = Field(default_factory=NoticesDocument)
    areas: tuple[AreaDocument, ...] = Field(min_length=1)
    links: tuple[LinkDocument, ...] = Field(min_length=1)
    equipment: tuple[EquipmentDocument, ...] = Field(min_length=1)
