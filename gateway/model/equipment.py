"""What is installed: links, equipment, the site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

from gateway.model.point import Point, Text
from gateway.model.profile import Availability, ModbusPlace, MqttPlace


@dataclass(frozen=True, kw_only=True, slots=True)
class ModbusLink:
    """A Modbus TCP connection; several units may sit behind it."""

    id: str
    host: str
    port: int
    timeout: float
    """Seconds to wait for one reply."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MqttLink:
    """Devices that speak through the site's broker."""

    id: str


Link = ModbusLink | MqttLink


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerTls:
    """Files (PEM) of an encrypted way to the broker."""

    authorities: str | None = None
    """Whose signature on the broker's certificate is believed; None: those of the system."""
    certificate: str | None = None
    """Ours, where the broker asks for one; with ``key``."""
    key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Broker:
    host: str
    port: int
    username: str
    password: str
    tls: BrokerTls | None = None
    """None: not encrypted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Area:
    id: str
    name: Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Equipment:
    """An installed thing, its points with their places already resolved."""

    id: str
    name: Text
    equipment_class: str
    profile: str
    model: Text
    vendor: str = ""
    """Empty: of no maker in particular, or not known."""
    area: str
    link: str
    unit: int | None
    """Modbus unit; None on an MQTT link."""
    poll: int
    """µs between polls; on an MQTT link the longest silence that is normal."""
    points: tuple[Point, ...]
    modbus: Mapping[str, ModbusPlace] = field(default_factory=dict)
    """Point key → place, for equipment on a Modbus link."""
    mqtt: Mapping[str, MqttPlace] = field(default_factory=dict)
    """Point key → place, for equipment on an MQTT link."""
    availability: Availability | None = None
    source_time: MqttPlace | None = None
    """Where a message says when the device took the readings (seconds since 1970)."""
    parameters: Mapping[str, int] = field(default_factory=dict)
    supplied_by: str | None = None
    """The equipment that feeds it with power or water: without that one it stands still."""
    behind: str | None = None
    """The equipment that it is read through: without that one nothing is known of it."""


@dataclass(frozen=True, kw_only=True)
class Site:
    id: str
    name: Text
    gateway: str
    timezone: str
    links: Mapping[str, Link]
    areas: Mapping[str, Area]
    equipment: Mapping[str, Equipment]
    broker: Broker | None
    """The site's own broker; None: dutyroom starts one for itself."""
    webhooks: tuple[str, ...]
    """Addresses that hear of every notice."""
    rulebook: str | None = None
    """Folder of the site's own rulebook files; None: the shipped ones only."""
    scenario: str | None
    """A simulated site names its scenario here; a real one leaves it out."""
    fingerprint: str
    """Hash over the site file and every profile it uses: what is in force."""
    file: str

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def supplies(self) -> Mapping[str, tuple[str, ...]]:
        """Equipment → what it feeds at first hand."""
        fed = [thing for thing in self.equipment.values() if thing.supplied_by is not None]
        return {
            name: tuple(thing.id for thing in fed if thing.supplied_by == name)
            for name in self.equipment
        }

    @cached_property
    def points(self) -> Mapping[str, Point]:
        """Every point of the site by id."""
        return {point.id: point for thing in self.equipment.values() for point in thing.points}
