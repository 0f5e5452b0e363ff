"""One equipment of a site file → a typed equipment, checked against what it names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from gateway.documents import Where
from gateway.durations import write
from gateway.file_fields import instead
from gateway.model.equipment import Equipment
from gateway.model.moment import DAY, SECOND
from gateway.model.point import Point
from gateway.profile_files import ProfileFile, Profiles
from gateway.site_document import EquipmentDocument, LinkDocument

_POLL = (SECOND // 10, DAY)
_SILENCE = (SECOND, 30 * DAY)
_POLLS_UNTIL_STALE = 3
_OWN_TOPICS = "dutyroom"
"""First level of the topics that dutyroom itself uses on the broker."""

Note = Callable[[Where, str, str], None]
"""Takes a problem: place in the site file, what is wrong, what would be right."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """Where an equipment's readings come from: no two may share it."""

    link: str
    profile: str
    unit: int | None
    shift: int
    topic: str


class EquipmentReader:
    """Reads the equipment of one site, noting every problem.

    ``lost``: key of a list of the site file → ids of its items that are there but wrong; what
    names one of them is not blamed for it.
    """

    def __init__(
        self,
        note: Note,
        links: Mapping[str, LinkDocument],
        areas: Collection[str],
        profiles: Profiles,
        lost: Mapping[str, frozenset[str]],
    ) -> None:
        self._note = note
        self._links = links
        self._profiles = profiles
        self._known = {
            "area": (frozenset(areas), lost.get("areas", frozenset())),
            "link": (frozenset(links), lost.get("links", frozenset())),
            "profile": (frozenset(profiles.found), profiles.broken),
        }
        self._sources: dict[_Source, str] = {}

    def read(self, at: int, thing: EquipmentDocument) -> Equipment | None:
        """``thing``, the ``at``-th equipment of the file; None if there is a problem with it."""
        where: Where = ("equipment", at)
        named = [
            self._is_known(where, "area", thing.area),
            self._is_known(where, "link", thing.link),
            self._is_known(where, "profile", thing.profile),
        ]
        profile, link = self._profiles.found.get(thing.profile), self._links.get(thing.link)
        if profile is None or link is None:
            return None
        protocol = profile.profile.protocol
        if link.protocol.split("-")[0] != protocol:
            self._note(
                (*where, "link"),
                f"{link.id!r} speaks {link.protocol}, "
                f"but profile {thing.profile!r} is for {protocol}",
                "use a link of the profile's protocol",
            )
            return None
        right = [
            *named,
            self._parameters_are_right(where, thing, profile),
            self._address_is_right(where, thing, protocol),
        ]
        if not all(right):
            return None
        self._own_source(where, thing, profile)
        return _installed(thing, profile)

    def _is_known(self, where: Where, what: str, given: str) -> bool:
        known, lost = self._known[what]
        if given in known:
            return True
        if given not in lost:
            self._note((*where, what), f"there is no {what} {given!r}", instead(given, known))
        return False

    def _parameters_are_right(
        self, where: Where, thing: EquipmentDocument, profile: ProfileFile
    ) -> bool:
        asked = profile.document.parameters
        wrong: list[tuple[str, str, str]] = []
        for name in thing.parameters:
            if name not in asked:
                mend = instead(name, asked) if asked else "remove it"
                wrong.append((name, f"profile {thing.profile!r} has no such parameter", mend))
        for name, limits in asked.items():
            value = thing.parameters.get(name)
            span = f"{limits.low} to {limits.high}"
            if value is None:
                wrong.append((name, "is missing", f"add parameters: {{{name}: …}} with {span}"))
            elif not limits.low <= value <= limits.high:
                wrong.append((name, f"{value} is out of range", f"use {span}"))
        for name, what, mend in wrong:
            self._note((*where, "parameters", name), what, mend)
        return not wrong

    def _address_is_right(self, where: Where, thing: EquipmentDocument, protocol: str) -> bool:
        modbus, mqtt = ("unit", "poll"), ("topic", "silence")
        needed, foreign = (modbus, mqtt) if protocol == "modbus" else (mqtt, modbus)
        wrong: list[tuple[str, str, str]] = []
        for key in foreign:
            if getattr(thing, key) is not None:
                wrong.append((key, f"does not fit protocol {protocol}", "remove it"))
        for key in needed:
            if getattr(thing, key) is None:
                wrong.append((key, "is missing", _MISSING[key]))
        if thing.unit is not None and not 0 <= thing.unit <= 255:
            wrong.append(("unit", f"{thing.unit} is no Modbus unit", "use 0 to 255"))
        for key, duration, bounds in (
            ("poll", thing.poll, _POLL),
            ("silence", thing.silence, _SILENCE),
        ):
            if duration is not None:
                wrong.extend((key, what, mend) for what, mend in out_of_bounds(duration, bounds))
        if thing.topic is not None:
            wrong.extend(("topic", what, mend) for what, mend in _topic_faults(thing.topic))
        for key, what, mend in wrong:
            self._note((*where, key), what, mend)
        return not wrong

    def _own_source(self, where: Where, thing: EquipmentDocument, profile: ProfileFile) -> None:
        source = _Source(
            link=thing.link,
            profile=thing.profile,
            unit=thing.unit,
            shift=profile.shift(thing.parameters),
            topic=thing.topic or "",
        )
        owner = self._sources.setdefault(source, thing.id)
        if owner == thing.id:
            return
        if thing.topic is None:
            mend = "give it another unit, parameter or link"
            self._note((*where, "unit"), f"reads the very registers of {owner!r}", mend)
        else:
            mend = "give it its own topic"
            self._note((*where, "topic"), f"hears the very topic of {owner!r}", mend)


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


def _topic_faults(topic: str) -> Iterator[tuple[str, str]]:
    levels = topic.split("/")
    if "+" in topic or "#" in topic:
        yield "is a filter for several topics", "name the device's own topic"
    if "" in levels or "\0" in topic:
        yield "has an empty level", "write it without a slash at either end"
    if levels[0] == _OWN_TOPICS or topic.startswith("$"):
        yield f"begins with {levels[0]!r}, which is not a device's", "use the device's own topic"


def _installed(thing: EquipmentDocument, file: ProfileFile) -> Equipment:
    """``thing`` with its points and their places; every check has been passed."""
    profile = file.profile
    modbus = profile.protocol == "modbus"
    topic = thing.topic or ""
    poll = (thing.poll if modbus else thing.silence) or 0
    stale_after = _POLLS_UNTIL_STALE * poll if modbus else poll
    return Equipment(
        id=thing.id,
        name=thing.name.text(),
        equipment_class=profile.equipment_class,
        profile=profile.id,
        model=profile.model,
        vendor=profile.vendor,
        area=thing.area,
        link=thing.link,
        unit=thing.unit,
        poll=poll,
        points=tuple(
            Point(
                id=f"{thing.id}.{point.key}",
                equipment=thing.id,
                key=point.key,
                name=point.name,
                kind=point.kind,
                unit=point.unit,
                low=point.low,
                high=point.high,
                decimals=point.decimals,
                states=point.states,
                stale_after=stale_after,
            )
            for point in profile.points
        ),
        modbus=file.modbus_places(thing.parameters) if modbus else {},
        mqtt={} if modbus else file.mqtt_places(topic),
        availability=None if modbus else file.availability(topic),
        source_time=None if modbus else file.source_time(topic),
        parameters=dict(thing.parameters),
    )
