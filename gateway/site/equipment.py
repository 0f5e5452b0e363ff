"""One equipment of a site file → a typed equipment, checked against what it names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from gateway.files.documents import Finding, UnreadableError, findings
from gateway.files.durations import write
from gateway.files.fields import instead
from gateway.model.equipment import Equipment, is_life_safety
from gateway.model.moment import DAY, SECOND
from gateway.profile.checks import OWN_TOPICS
from gateway.profile.files import ProfileFile, Profiles
from gateway.site.document import EquipmentDocument, LinkDocument

_POLL = (SECOND // 10, DAY)
_SILENCE = (SECOND, 30 * DAY)
_POLLS_UNTIL_STALE = 3
_LAST_UNIT = 247
"""On a serial line (MODBUS over Serial Line V1.02 §2.2)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """Where an equipment's readings come from: no two may share it."""

    link: str
    profile: str
    place: int | str | None
    """Unit or topic."""
    instance: tuple[int, int]


class EquipmentChecks:
    """What is wrong with the equipment of one site, one equipment after the other.

    ``links`` and ``areas`` are None if it cannot be told which there are; whatever names one of
    them is then not blamed for it, and neither is what names a profile that is broken.
    """

    def __init__(
        self,
        links: Mapping[str, LinkDocument] | None,
        areas: Collection[str] | None,
        profiles: Profiles,
    ) -> None:
        self._links = links
        self._areas = areas
        self._profiles = profiles
        self._sources: dict[_Source, str] = {}
        self._hearers: dict[str, tuple[str, bool]] = {}
        """Topic → who hears it first, and whether that is fire or lift equipment."""

    def of(self, thing: EquipmentDocument) -> Iterator[Finding]:
        """What is wrong with ``thing``, at places below it."""
        yield from findings(
            self._area(thing),
            self._link(thing),
            self._profile(thing),
            _unit(thing),
            _topic(thing),
            _in_bounds("poll", thing, _POLL),
            _in_bounds("silence", thing, _SILENCE),
            self._installation(thing),
        )

    def _area(self, thing: EquipmentDocument) -> Iterator[Finding]:
        if self._areas is not None and thing.area not in self._areas:
            yield ("area",), f"there is no area {thing.area!r}", instead(thing.area, self._areas)

    def _link(self, thing: EquipmentDocument) -> Iterator[Finding]:
        if self._links is not None and thing.link not in self._links:
            yield ("link",), f"there is no link {thing.link!r}", instead(thing.link, self._links)

    def _profile(self, thing: EquipmentDocument) -> Iterator[Finding]:
        given, found = thing.profile, self._profiles.found
        if self._profiles.complete and given not in {*found, *self._profiles.broken}:
            yield ("profile",), f"there is no profile {given!r}", instead(given, found)

    def _installation(self, thing: EquipmentDocument) -> Iterator[Finding]:
        """How profile and link go together, and what the profile wants to know."""
        profile = self._profiles.found.get(thing.profile)
        if profile is None:
            return
        with suppress(UnreadableError):
            link = (self._links or {}).get(thing.link)
            if link is not None and link.protocol.split("-")[0] != profile.profile.protocol:
                wrong = (
                    f"{link.id!r} speaks {link.protocol}, but profile {thing.profile!r} "
                    f"is for {profile.profile.protocol}"
                )
                yield ("link",), wrong, "use a link of the profile's protocol"
                return  # nobody can say which of the two is meant
        yield from findings(
            _class(thing, profile),
            _parameters(thing, profile),
            _address(thing, profile),
            self._rtu_unit(thing),
        )
        yield from self._own_source(thing, profile)
        yield from self._own_topics(thing, profile)

    def _rtu_unit(self, thing: EquipmentDocument) -> Iterator[Finding]:
        """On a line 0 is every device at once, and from 248 on nothing is defined."""
        link, unit = (self._links or {}).get(thing.link), thing.unit
        if link is None or unit is None or not link.protocol.startswith("modbus-rtu"):
            return
        if unit == 0 or _LAST_UNIT < unit <= 255:
            yield ("unit",), f"{unit} is no device on a line", f"use 1 to {_LAST_UNIT}"

    def _own_topics(self, thing: EquipmentDocument, profile: ProfileFile) -> Iterator[Finding]:
        """Nothing else hears what fire or lift equipment says: by the other name somebody could
        tell it something."""
        if profile.profile.protocol != "mqtt" or thing.topic is None:
            return
        guarded = is_life_safety(thing.equipment_class or profile.profile.equipment_class)
        topics = {thing.topic, *(one.topic for one in profile.mqtt_places(thing.topic).values())}
        for topic in sorted(topics):
            owner, of_guarded = self._hearers.setdefault(topic, (thing.id, guarded))
            if guarded != of_guarded:
                which = thing.id if guarded else owner
                wrong = f"hears {topic} as {owner!r} does, and {which!r} is fire or lift equipment"
                yield ("topic",), wrong, "give it its own topic"
                return

    def _own_source(self, thing: EquipmentDocument, profile: ProfileFile) -> Iterator[Finding]:
        if thing.parameters.keys() != profile.document.parameters.keys():
            return
        modbus = profile.profile.protocol == "modbus"
        source = _Source(
            link=thing.link,
            profile=thing.profile,
            place=thing.unit if modbus else thing.topic,
            instance=profile.instance(thing.parameters),
        )
        owner = thing.id if source.place is None else self._sources.setdefault(source, thing.id)
        if owner == thing.id:
            return
        if modbus:
            mend = "give it another unit, parameter or link"
            yield ("unit",), f"reads the very registers of {owner!r}", mend
        else:
            yield ("topic",), f"hears the very topic of {owner!r}", "give it its own topic"


def _class(thing: EquipmentDocument, profile: ProfileFile) -> Iterator[Finding]:
    """A generic device says what it stands for: by its class its alarms are judged."""
    given = thing.equipment_class
    own, others = profile.profile.equipment_class, profile.profile.generic
    if given is None and others:
        known = ", ".join((*others, own))
        wrong = f"is missing: profile {thing.profile!r} can stand for many things"
        yield ("class",), wrong, f"say which: {known}"
    elif given is not None and not others:
        wrong = f"is settled by profile {thing.profile!r}: {own}"
        yield ("class",), wrong, "remove it; class is for generic profiles"
    elif given is not None and given not in (*others, own):
        wrong = f"profile {thing.profile!r} cannot stand for {given!r}"
        yield ("class",), wrong, instead(given, (*others, own))


def _parameters(thing: EquipmentDocument, profile: ProfileFile) -> Iterator[Finding]:
    asked = profile.document.parameters
    for name in thing.parameters:
        if name not in asked:
            mend = instead(name, asked) if asked else "remove it"
            wrong = f"profile {thing.profile!r} has no such parameter"
            yield ("parameters", name), wrong, mend
    for name, limits in asked.items():
        value = thing.parameters.get(name)
        span = f"{limits.low} to {limits.high}"
        if value is None:
            mend = f"add parameters: {{{name}: …}} with {span}"
            yield ("parameters", name), "is missing", mend
        elif not limits.low <= value <= limits.high:
            yield ("parameters", name), f"{value} is out of range", f"use {span}"


def _address(thing: EquipmentDocument, profile: ProfileFile) -> Iterator[Finding]:
    """The equipment has what its profile's protocol needs, and nothing of the other's."""
    protocol = profile.profile.protocol
    modbus, mqtt = ("unit", "poll"), ("topic", "silence")
    needed, foreign = (modbus, mqtt) if protocol == "modbus" else (mqtt, modbus)
    for key in foreign + needed:
        with suppress(UnreadableError):
            given = getattr(thing, key) is not None
            if key in foreign and given:
                yield (key,), f"does not fit protocol {protocol}", "remove it"
            elif key in needed and not given:
                yield (key,), "is missing", _MISSING[key]


def _unit(thing: EquipmentDocument) -> Iterator[Finding]:
    if thing.unit is not None and not 0 <= thing.unit <= 255:
        yield ("unit",), f"{thing.unit} is no Modbus unit", "use 0 to 255"


def _in_bounds(key: str, thing: EquipmentDocument, bounds: tuple[int, int]) -> Iterator[Finding]:
    duration = getattr(thing, key)
    if duration is not None:
        for wrong, mend in out_of_bounds(duration, bounds):
            yield (key,), wrong, mend


def out_of_bounds(duration: int, bounds: tuple[int, int]) -> Iterator[tuple[str, str]]:
    """What is wrong and what would be right, if ``duration`` (µs) is outside ``bounds``."""
    low, high = bounds
    if not low <= duration <= high:
        yield f"{write(duration)} is out of range", f"use {write(low)} to {write(high)}"


_MISSING = {
    "unit": "give the device's Modbus unit, such as 1",
    "poll": "say how often to read it, such as 1s",
    "topic": "give the topic that the device publishes below",
    "silence": "say the longest silence that is normal, such as 60s",
}


def _topic(thing: EquipmentDocument) -> Iterator[Finding]:
    if thing.topic is None:
        return
    levels = thing.topic.split("/")
    if "+" in thing.topic or "#" in thing.topic:
        yield ("topic",), "is a filter for several topics", "name the device's own topic"
    if "" in levels or "\0" in thing.topic:
        yield ("topic",), "has an empty level", "write it without a slash at either end"
    if levels[0] == OWN_TOPICS or thing.topic.startswith("$"):
        wrong = f"begins with {levels[0]!r}, which is not a device's"
        yield ("topic",), wrong, "use the device's own topic"


def installed(thing: EquipmentDocument, file: ProfileFile) -> Equipment:
    """``thing`` with its points and their places; every check has been passed."""
    profile = file.profile
    modbus = profile.protocol == "modbus"
    topic = thing.topic or ""
    poll = (thing.poll if modbus else thing.silence) or 0
    stale_after = _POLLS_UNTIL_STALE * poll if modbus else poll
    return Equipment(
        id=thing.id,
        name=thing.name.text(),
        equipment_class=thing.equipment_class or profile.equipment_class,
        profile=profile.id,
        model=profile.model,
        vendor=profile.vendor,
        area=thing.area,
        link=thing.link,
        unit=thing.unit,
        poll=poll,
        points=tuple(
            point.installed(thing.id, poll=poll, stale_after=stale_after)
            for point in profile.points
        ),
        modbus=file.modbus_places(thing.parameters) if modbus else {},
        mqtt={} if modbus else file.mqtt_places(topic),
        availability=None if modbus else file.availability(topic),
        source_time=None if modbus else file.source_time(topic),
        status_requests=() if modbus else file.status_requests(topic),
        derived=file.derived(),
        writes=file.writes(thing.parameters, topic),
        limits=file.limits(),
        parameters=dict(thing.parameters),
        topic=None if modbus else topic,
        supplied_by=thing.supplied_by,
        behind=thing.behind,
    )
