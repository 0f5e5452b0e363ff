"""What is wrong with the allowlist of a site file: what dutyroom may tell to devices.

Which roles there are is known to who asks for a command; a role that nobody has allows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from gateway.files.documents import Finding, UnreadableError, findings
from gateway.files.fields import instead
from gateway.model.equipment import is_life_safety
from gateway.model.profile import ProfilePoint
from gateway.profile.files import ProfileFile, Profiles
from gateway.site.document import CommandDocument, EquipmentDocument, SiteDocument


def command_findings(content: SiteDocument, profiles: Profiles) -> Iterator[Finding]:
    """What is wrong with ``commands`` of the site file."""
    if not content.commands:
        return
    installed: dict[str, EquipmentDocument] = {}
    complete = True
    for thing in content.equipment:
        try:
            installed.setdefault(thing.id, thing)
        except UnreadableError:
            complete = False
    guards = _guards(installed, profiles)
    for at, said in enumerate(content.commands):
        for where, wrong, mend in findings(
            _range(said),
            _equipment(said, installed) if complete else (),
            _target(said, installed, profiles),
            _line(said, installed, guards),
            _again(said, content.commands[:at]),
        ):
            yield ("commands", at, *where), wrong, mend


def _range(said: CommandDocument) -> Iterator[Finding]:
    if said.low > said.high:
        yield ("low",), f"{said.low:g} is above high ({said.high:g})", "exchange the two"


def _again(said: CommandDocument, earlier: Sequence[CommandDocument]) -> Iterator[Finding]:
    """No entry says what another says already."""
    for other in earlier:
        with suppress(UnreadableError):
            both = sorted({*said.roles} & {*other.roles})
            same = (said.equipment, said.point) == (other.equipment, other.point)
            within = other.low <= said.low <= said.high <= other.high
            around = said.low <= other.low <= other.high <= said.high
            if same and both and (within or around):
                wrong = f"an earlier entry has {said.point} of {said.equipment} for {both[0]} too"
                yield ("roles",), wrong, "keep one, or give each its own range"
                return


def _guards(installed: Mapping[str, EquipmentDocument], profiles: Profiles) -> Mapping[str, str]:
    """Modbus link → fire or lift equipment on it."""
    found: dict[str, str] = {}
    for thing in installed.values():
        with suppress(UnreadableError):
            profile = profiles.found.get(thing.profile)
            if profile is None or profile.profile.protocol != "modbus":
                continue
            if is_life_safety(thing.equipment_class or profile.profile.equipment_class):
                found.setdefault(thing.link, thing.id)
    return found


def _line(
    said: CommandDocument, installed: Mapping[str, EquipmentDocument], guards: Mapping[str, str]
) -> Iterator[Finding]:
    """Nothing is written on a line that fire or lift equipment is on, nor to all at once."""
    thing = installed.get(said.equipment)
    if thing is None:
        return
    guard = guards.get(thing.link)
    if guard is not None and guard != thing.id:
        wrong = f"{guard} is on link {thing.link!r} too, and nothing is written on its line"
        yield ("equipment",), wrong, "give fire and lift equipment a line of its own"
    if thing.unit == 0:
        wrong = f"{thing.id} has unit 0: every device on the line would obey"
        yield ("equipment",), wrong, "give it its own unit"


def _equipment(
    said: CommandDocument, installed: Mapping[str, EquipmentDocument]
) -> Iterator[Finding]:
    if said.equipment not in installed:
        wrong = f"there is no equipment {said.equipment!r}"
        yield ("equipment",), wrong, instead(said.equipment, installed)


def _target(
    said: CommandDocument, installed: Mapping[str, EquipmentDocument], profiles: Profiles
) -> Iterator[Finding]:
    """The equipment may be told something, and the point is one that may be written."""
    thing = installed.get(said.equipment)
    profile = None if thing is None else profiles.found.get(thing.profile)
    if thing is None or profile is None:
        return
    with suppress(UnreadableError):
        equipment_class = thing.equipment_class or profile.profile.equipment_class
        if is_life_safety(equipment_class):
            wrong = f"{thing.id} is of class {equipment_class}, which is never commanded"
            yield ("equipment",), wrong, "remove the entry"
            return
    yield from findings(_point(said, profile), _possible(said, profile))


def _point(said: CommandDocument, profile: ProfileFile) -> Iterator[Finding]:
    points = {point.key: point for point in profile.document.points}
    writable = [key for key, point in points.items() if point.write is not None]
    if said.point not in points:
        wrong = f"profile {profile.profile.id!r} has no point {said.point!r}"
        yield ("point",), wrong, instead(said.point, writable or points)
    elif said.point not in writable:
        wrong = f"profile {profile.profile.id!r} does not let {said.point} be written"
        mend = f"it lets be written: {', '.join(writable)}" if writable else "remove the entry"
        yield ("point",), wrong, mend


def _possible(said: CommandDocument, profile: ProfileFile) -> Iterator[Finding]:
    """The range lies within what the point can be."""
    point = next((one for one in profile.profile.points if one.key == said.point), None)
    if point is None:
        return
    low, high = _bounds(point)
    for key, given in (("low", said.low), ("high", said.high)):
        if (low is not None and given < low) or (high is not None and given > high):
            span = f"{'' if low is None else f'{low:g}'}…{'' if high is None else f'{high:g}'}"
            wrong = f"{given:g} is outside what {said.point} can be ({span} {point.unit}".rstrip()
            yield (key,), f"{wrong})", "stay within it"


def _bounds(point: ProfilePoint) -> tuple[float | None, float | None]:
    if point.states:
        return float(min(point.states)), float(max(point.states))
    return point.low, point.high
