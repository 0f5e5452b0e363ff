"""What is installed: links, equipment, the site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from zoneinfo import ZoneInfo

from gateway.model.channels import Channel
from gateway.model.point import Point, Text
from gateway.model.profile import (
    Availability,
    Derived,
    ModbusPlace,
    MqttCommand,
    MqttPlace,
    ReadLimits,
    StatusRequest,
)


class Framing(StrEnum):
    """How a Modbus request lies on the wire."""

    TCP = "tcp"
    RTU = "rtu"
    """Unit, PDU and CRC: on a serial line, or through a converter that passes bytes on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SerialPort:
    device: str
    """Empty where it is behind a converter on the network."""
    baud: int = 9600
    parity: str = "N"
    """``N``, ``E`` or ``O``."""
    stop_bits: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class ModbusLink:
    """One Modbus connection or line; several units may sit behind it."""

    id: str
    host: str = ""
    """Empty on a serial line."""
    port: int = 0
    serial: SerialPort | None = None
    line: SerialPort | None = None
    """The serial line behind ``host``, where the site file says how fast it is."""
    framing: Framing = Framing.TCP
    timeout: float
    """Seconds to wait for one reply."""
    pause: float = 0.0
    """Seconds that the line is left in peace between a reply and the next request."""
    once: bool = False
    """Closed after each poll, for devices that want it so or serve others meanwhile."""
    name: Text | None = None
    """What people call it; None: its id."""

    @property
    def where(self) -> str:
        """As people write it."""
        return self.serial.device if self.serial else f"{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True, slots=True)
class MqttLink:
    """Devices that speak through the site's broker."""

    id: str
    name: Text | None = None


Link = ModbusLink | MqttLink


def link_name(link: Link) -> Text:
    return Text(zh=link.id, en=link.id) if link.name is None else link.name


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
class Twin:
    """What an equipment is compared with: another of its class that does the same work."""

    id: str
    points: tuple[Point, ...]


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
    """Where a message says when the device took the readings: seconds since 1970, or ISO 8601."""
    status_requests: tuple[StatusRequest, ...] = ()
    """What to say to it, when we are back, so that it tells all that it knows."""
    derived: Mapping[str, Derived] = field(default_factory=dict)
    """Point key → how it follows from others."""
    writes: Mapping[str, ModbusPlace | MqttCommand] = field(default_factory=dict)
    """Point key → how the device is told a value, for points that the profile lets be written."""
    limits: ReadLimits = field(default_factory=ReadLimits)
    parameters: Mapping[str, int] = field(default_factory=dict)
    topic: str | None = None
    """The device's own topic; None on a Modbus link."""
    supplied_by: str | None = None
    """The equipment that feeds it with power or water: without that one it stands still."""
    behind: str | None = None
    """The equipment that it is read through: without that one nothing is known of it."""
    twin: Twin | None = None


def is_life_safety(equipment_class: str) -> bool:
    """Whether it is fire or lift equipment: dutyroom writes nothing to it, whatever any file says,
    and asks it for nothing but what its profile names."""
    return equipment_class.lower().startswith(("fire", "lift"))


@dataclass(frozen=True, kw_only=True, slots=True)
class AllowedCommand:
    """An entry of the site's allowlist: what may be told to a device, and by whom."""

    equipment: str
    point: str
    """Key."""
    low: float
    high: float
    roles: tuple[str, ...]


class NotListedError(Exception):
    """The allowlist does not have it; the text says what is missing."""


def listed(
    commands: Iterable[AllowedCommand], equipment: str, point: str, role: str, value: float
) -> AllowedCommand:
    """The entry of an allowlist that lets ``role`` tell ``value``: a point may have several.

    Raises :class:`NotListedError`.
    """
    of_point = [one for one in commands if (one.equipment, one.point) == (equipment, point)]
    if not of_point:
        raise NotListedError(f"{equipment}.{point} is not on the site's allowlist")
    mine = [one for one in of_point if role in one.roles]
    if not mine:
        raise NotListedError(f"{equipment}.{point} is not for the role {role}")
    for one in mine:
        if one.low <= value <= one.high:
            return one
    spans = ", ".join(f"{one.low:.10g} to {one.high:.10g}" for one in mine)
    raise NotListedError(f"{value:.10g} is outside {spans}")


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
    channels: tuple[Channel, ...] = ()
    """By which people hear of notices."""
    allow: frozenset[str] = frozenset()
    """Hosts that messages may go to although they are none of the robots' own, or not public."""
    commands: tuple[AllowedCommand, ...] = ()
    """Empty: dutyroom writes to no device."""
    walks: Mapping[frozenset[str], float] = field(default_factory=dict)
    """Two areas → metres on foot from one to the other, as far as the site says."""
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
