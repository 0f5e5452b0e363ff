"""Faults that somebody asks for while a demonstration plays, beside those of its scenario. Pure.

A wish is one line of a file (:mod:`simulators.wishes`); what came of it is part of the world, so
that a kill neither loses nor doubles one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.model.equipment import Equipment, ModbusLink, Site
from simulators.cast import FAULTS
from simulators.device_fault import DeviceFault, DeviceFaultKind
from simulators.model import Fault

LINK_CUT = "link-cut"
"""Nothing that is read over the link answers any more."""
OFFERED = ("dry-run", "entrapment", "detector-fire", "burnt-out", "supply-loss", LINK_CUT)
_KEPT = 1800.0
"""s for which one that is over is still told of."""
_KEPT_AT_MOST = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """Somebody wants a fault to begin, or one that they began to end."""

    id: str
    """Of the fault; the same one again changes nothing."""
    kind: str = ""
    """One of :data:`OFFERED`; empty: end it."""
    subject: str = ""
    """Id of the equipment, or of the link."""
    lasts: float = 0.0
    """s."""
    at: int = 0
    """µs UTC, when it was asked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Injection:
    """A fault that was asked for. Times in s since the world began, but for ``at``."""

    id: str
    kind: str
    subject: str
    begins: float
    ends: float
    at: int

    def is_on(self, elapsed: float) -> bool:
        return self.begins <= elapsed < self.ends


Injections = tuple[Injection, ...]


def offers(site: Site) -> Mapping[str, Sequence[str]]:
    """Kind → what of ``site`` it can befall; kinds that nothing there can suffer are left out."""
    found = {kind: list(_subjects(site, kind)) for kind in OFFERED}
    return {kind: subjects for kind, subjects in found.items() if subjects}


def _subjects(site: Site, kind: str) -> Iterator[str]:
    if kind == LINK_CUT:
        yield from (link.id for link in site.links.values() if isinstance(link, ModbusLink))
        return
    befalls = FAULTS[kind].befalls
    yield from (thing.id for thing in site.equipment.values() if thing.equipment_class in befalls)


def taken(before: Injections, wishes: Sequence[Wish], then: float) -> Injections:
    """``before`` with ``wishes`` from ``then`` on (s); one that is known already does nothing."""
    known = {one.id: one for one in before}
    for wish in wishes:
        old = known.get(wish.id)
        if wish.kind and old is None:
            known[wish.id] = Injection(
                id=wish.id,
                kind=wish.kind,
                subject=wish.subject,
                begins=then,
                ends=round(then + wish.lasts, 3),
                at=wish.at,
            )
        elif not wish.kind and old is not None and then < old.ends:
            known[wish.id] = replace(old, ends=then)
    young = [one for one in known.values() if then < one.ends + _KEPT]
    return tuple(young[-_KEPT_AT_MOST:])


def process_faults(injections: Injections, elapsed: float) -> Iterator[Fault]:
    """What befalls the things that are measured at ``elapsed``."""
    for one in injections:
        if one.kind != LINK_CUT and one.is_on(elapsed):
            yield Fault(
                equipment=one.subject, kind=one.kind, begins=one.begins, ends=one.ends, rise=0.0
            )


def device_faults(
    injections: Injections, things: Sequence[Equipment], elapsed: float
) -> Iterator[DeviceFault]:
    """What befalls their devices at ``elapsed``."""
    cut = {one.subject: one for one in injections if one.kind == LINK_CUT and one.is_on(elapsed)}
    for thing in things:
        if thing.link in cut:
            one = cut[thing.link]
            yield DeviceFault(
                equipment=thing.id, kind=DeviceFaultKind.MUTE, begins=one.begins, ends=one.ends
            )


def restored(plain: Mapping[str, Any]) -> Injection:
    """The inverse of ``asdict``. Raises KeyError, TypeError or ValueError for what is none."""
    return Injection(
        id=str(plain["id"]),
        kind=str(plain["kind"]),
        subject=str(plain["subject"]),
        begins=float(plain["begins"]),
        ends=float(plain["ends"]),
        at=int(plain["at"]),
    )
