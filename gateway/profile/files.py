"""Profiles: one YAML file a device type, and how it is laid on an installed thing.

1. :func:`load_profiles` reads every ``*.yaml`` below the folders, the first folder first: a
   site's own profile takes the place of a shipped one with the same id. Any other file there is
   a mistake.
2. :class:`ProfileFile` lays the profile on an equipment: parameters move the registers, the
   equipment's topic fills in ``{topic}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from gateway.files.documents import ConfigurationError, Problem, UnreadableError, read, salvage_text
from gateway.files.folders import documents, strays
from gateway.model.profile import (
    Availability,
    Derived,
    ModbusPlace,
    MqttCommand,
    MqttPlace,
    Profile,
    ReadLimits,
    StatusRequest,
)
from gateway.profile.checks import problems_of
from gateway.profile.document import TOPIC, ModbusDocument, PackDocument, ProfileDocument

SHIPPED = Path(__file__).parents[1] / "profiles"
"""The profiles that come with dutyroom."""


_KNOWN = 256
"""Files whose profiles are remembered by their text: a site is looked through several times before
it runs, and most of its files are those that were shipped."""


@dataclass(frozen=True, kw_only=True)
class ProfileFile:
    """A checked profile and what it takes to install it."""

    profile: Profile
    document: ProfileDocument = field(repr=False)
    text: str = field(repr=False)
    """The file as it was read: part of the site's fingerprint."""

    def instance(self, parameters: Mapping[str, int]) -> tuple[int, int]:
        """Which of its instances on one device: registers, and shares of a register, onward from
        the first. ``parameters`` must name every parameter of the profile."""
        registers = shares = 0
        for name, limits in self.document.parameters.items():
            steps = parameters[name] - limits.low
            if limits.pack is None:
                registers += steps * (limits.stride or 0)
            else:
                shares += steps
        return registers, shares

    def modbus_places(self, parameters: Mapping[str, int]) -> Mapping[str, ModbusPlace]:
        """Point key → place; ``parameters`` must name every parameter of the profile."""
        registers, shares = self.instance(parameters)
        start = registers - self.document.first_register
        limits = self.document.parameters.values()
        pack = next((one.pack for one in limits if one.pack is not None), None)
        return {
            point.key: _placed(place, pack, start, shares)
            for point in self.document.points
            if (place := point.modbus) is not None
        }

    def mqtt_places(self, topic: str) -> Mapping[str, MqttPlace]:
        """Point key → place for a device that publishes below ``topic``."""
        return {
            point.key: point.mqtt.place(topic)
            for point in self.document.points
            if point.mqtt is not None
        }

    def derived(self) -> Mapping[str, Derived]:
        """Point key → how it follows from others."""
        points = self.document.points
        return {p.key: p.derived.derived() for p in points if p.derived is not None}

    def writes(
        self, parameters: Mapping[str, int], topic: str
    ) -> Mapping[str, ModbusPlace | MqttCommand]:
        """Point key → how the device is told a value, for the points that may be written."""
        places = self.modbus_places(parameters) if self.profile.protocol == "modbus" else {}
        return {
            point.key: places[point.key] if places else point.write.command(topic)
            for point in self.document.points
            if point.write is not None
        }

    def limits(self) -> ReadLimits:
        said = self.document.limits
        return ReadLimits(registers=said.registers, bits=said.bits, gap=said.gap)

    def availability(self, topic: str) -> Availability | None:
        said = self.document.availability
        if said is None:
            return None
        return Availability(
            topic=said.topic.replace(TOPIC, topic),
            path=said.path,
            online=said.online,
            offline=said.offline,
        )

    def status_requests(self, topic: str) -> tuple[StatusRequest, ...]:
        return tuple(request.request(topic) for request in self.document.status_requests)

    def source_time(self, topic: str) -> MqttPlace | None:
        said = self.document.source_time
        return None if said is None else said.place(topic)


def _placed(
    place: ModbusDocument, pack: PackDocument | None, start: int, shares: int
) -> ModbusPlace:
    """``place`` moved by ``start`` registers, and by ``shares`` of a register if it is packed."""
    onward, bit = 0, place.bit
    if pack is not None and bit is not None:
        onward, bit = pack.moved(bit, shares)
    return ModbusPlace(
        function=place.function,
        address=place.register_number + start + onward,
        type=place.register_type,
        bit=bit,
        width=place.width,
        order=place.order,
        length=place.length,
        scale=place.scale,
        offset=place.offset,
        absent=place.absent,
        absent_in=None if place.absent_in is None else (place.absent_in.bit, place.absent_in.width),
        while_bit=place.while_bit,
    )


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """What was found below some folders."""

    found: Mapping[str, ProfileFile]
    problems: Sequence[Problem]
    broken: frozenset[str]
    """Ids of profiles that are there but wrong."""
    complete: bool
    """Whether every folder was there; if not, there may be more profiles."""


def load_profiles(folders: Sequence[Path]) -> Mapping[str, ProfileFile]:
    """Every profile below ``folders`` by id; of two with one id the earlier folder's counts.

    Raises :class:`ConfigurationError` with every problem of every file.
    """
    profiles = scan_profiles(folders)
    if profiles.problems:
        raise ConfigurationError(profiles.problems)
    return profiles.found


def load_profile(path: Path) -> tuple[ProfileFile | None, Sequence[Problem]]:
    """The one profile at ``path``; None with what is wrong with it."""
    loaded, _, problems = _load(path)
    return loaded, problems


def scan_profiles(folders: Sequence[Path]) -> Profiles:
    """As :func:`load_profiles`, with the problems beside what is right."""
    found: dict[str, ProfileFile] = {}
    problems: list[Problem] = []
    broken: set[str] = set()
    for folder in folders:
        here: dict[str, ProfileFile] = {}
        paths = documents(folder, "**/*.yaml")
        for stray in strays(folder, paths, "name it <profile>.yaml, or move it out of the folder"):
            problems.append(stray)
            broken.add(Path(stray.file).stem)
        for path in paths:
            loaded, names, wrong = _load(path)
            problems.extend(wrong)
            if loaded is None:
                broken |= names
                continue
            twin = here.setdefault(loaded.profile.id, loaded)
            if twin is not loaded:
                problems.append(_twice(loaded, twin))
        found = here | found
    return Profiles(
        found=found,
        problems=problems,
        broken=frozenset(broken),
        complete=all(folder.is_dir() for folder in folders),
    )


def _load(path: Path) -> tuple[ProfileFile | None, Set[str], Sequence[Problem]]:
    """The profile if it is right, the ids it may be known by, and what is wrong with it."""
    text, problems = read(path)
    return (None, {path.stem}, problems) if text is None else _made(path, text)


@lru_cache(maxsize=_KNOWN)
def _made(path: Path, text: str) -> tuple[ProfileFile | None, Set[str], Sequence[Problem]]:
    names = {path.stem}
    parsed, problems = salvage_text(str(path), text, ProfileDocument)
    if parsed is None:
        return None, names, problems
    problems = [*problems, *problems_of(parsed)]
    content = parsed.content
    with suppress(UnreadableError):
        names.add(content.profile)
        if content.profile != path.stem:
            wrong = f"{content.profile!r} is not the name of the file"
            mend = f"write {path.stem!r}, or rename the file to {content.profile}.yaml"
            problems.append(parsed.problem(("profile",), wrong, mend))
    if problems:
        return None, names, problems
    profile = Profile(
        id=content.profile,
        equipment_class=content.equipment_class,
        generic=content.generic,
        vendor=content.vendor,
        model=content.model.text(),
        source=content.source,
        verified=content.verified,
        protocol=content.protocol,
        points=content.profile_points(),
        file=parsed.file,
    )
    return ProfileFile(profile=profile, document=content, text=parsed.text), names, []


def _twice(loaded: ProfileFile, twin: ProfileFile) -> Problem:
    return Problem(
        file=loaded.profile.file,
        line=1,
        name=f"profile {loaded.profile.id}",
        wrong=f"is also in {twin.profile.file}",
        mend="keep one of the two",
    )
