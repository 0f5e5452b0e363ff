"""Profiles: one YAML file a device type, and how it is laid on an installed thing.

1. :func:`load_profiles` reads every ``*.yaml`` below the folders, the first folder first: a
   site's own profile takes the place of a shipped one with the same id. Any other file there is
   a mistake.
2. :class:`ProfileFile` lays the profile on an equipment: parameters move the registers, the
   equipment's topic fills in ``{topic}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gateway.documents import ConfigurationError, Problem, UnreadableError, salvage
from gateway.folders import documents, strays
from gateway.model.profile import Availability, ModbusPlace, MqttPlace, Profile
from gateway.profile_checks import problems_of
from gateway.profile_document import TOPIC, ProfileDocument

SHIPPED = Path(__file__).parent / "profiles"
"""The profiles that come with dutyroom."""


@dataclass(frozen=True, kw_only=True)
class ProfileFile:
    """A checked profile and what it takes to install it."""

    profile: Profile
    document: ProfileDocument = field(repr=False)
    text: str = field(repr=False)
    """The file as it was read: part of the site's fingerprint."""

    def shift(self, parameters: Mapping[str, int]) -> int:
        """Registers between the first and this instance of the profile on one device."""
        return sum(
            (parameters[name] - limits.low) * limits.stride
            for name, limits in self.document.parameters.items()
        )

    def modbus_places(self, parameters: Mapping[str, int]) -> Mapping[str, ModbusPlace]:
        """Point key → place; ``parameters`` must name every parameter of the profile."""
        start = self.shift(parameters) - self.document.first_register
        return {
            point.key: ModbusPlace(
                function=place.function,
                address=place.register_number + start,
                type=place.register_type,
                bit=place.bit,
                width=place.width,
                low_word_first=place.low_word_first,
                scale=place.scale,
                offset=place.offset,
                absent=place.absent,
            )
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

    def source_time(self, topic: str) -> MqttPlace | None:
        said = self.document.source_time
        return None if said is None else said.place(topic)


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


def _load(path: Path) -> tuple[ProfileFile | None, set[str], list[Problem]]:
    """The profile if it is right, the ids it may be known by, and what is wrong with it."""
    names = {path.stem}
    parsed, problems = salvage(path, ProfileDocument)
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
        points=tuple(point.point() for point in content.points),
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
