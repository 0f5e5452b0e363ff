"""Which equipment of a site is compared with which other one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from gateway.files.documents import Finding, UnreadableError
from gateway.files.fields import instead
from gateway.model.equipment import Equipment, Twin
from gateway.profile.files import Profiles
from gateway.site.document import EquipmentDocument


def twin_findings(things: Sequence[EquipmentDocument], profiles: Profiles) -> Iterator[Finding]:
    """Every twin that is not there, is the thing itself, or is of another class.

    That one names another says nothing of the other: three pumps may all be compared with the
    first, and that one with the second.
    """
    known: set[str] | None = None
    with suppress(UnreadableError):
        known = {thing.id for thing in things}
    classes = _classes(things, profiles)
    for at, thing in enumerate(things):
        with suppress(UnreadableError):
            named, where = thing.twin, ("equipment", at, "twin")
            if named is None:
                continue
            own, other = classes.get(thing.id), classes.get(named)
            if named == thing.id:
                mend = "name another equipment of its class"
                yield where, f"{named!r} would be compared with itself", mend
            elif known is not None and named not in known:
                alike = {one for one, of in classes.items() if of == own} or known
                mend = instead(named, alike - {thing.id})
                yield where, f"there is no equipment {named!r}", mend
            elif own is not None and other is not None and own != other:
                wrong = f"{named!r} is of class {other}, and {thing.id!r} of {own}"
                yield where, wrong, f"name another {own}, or take it out"


def _classes(things: Sequence[EquipmentDocument], profiles: Profiles) -> Mapping[str, str]:
    """Id → class, where it can be told."""
    classes: dict[str, str] = {}
    for thing in things:
        with suppress(UnreadableError):
            profile = profiles.found.get(thing.profile)
            if profile is not None:
                given = thing.equipment_class or profile.profile.equipment_class
                classes.setdefault(thing.id, given)
    return classes


def with_twins(
    installed: Mapping[str, Equipment], things: Sequence[EquipmentDocument]
) -> Mapping[str, Equipment]:
    """``installed``, each with the twin that its document names; every check has been passed."""
    return {
        thing.id: replace(installed[thing.id], twin=_twin(installed, thing.twin))
        for thing in things
    }


def _twin(installed: Mapping[str, Equipment], named: str | None) -> Twin | None:
    return None if named is None else Twin(id=named, points=installed[named].points)
