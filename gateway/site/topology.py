"""Who feeds whom, and what is read through what: checks on the whole of a site's equipment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from gateway.files.documents import Finding, UnreadableError
from gateway.files.fields import instead
from gateway.site.document import EquipmentDocument

_RELATIONS = {"supplied_by": "is supplied by", "behind": "is behind"}
"""Key → how it reads, from the equipment that has the key to the one it names."""


def topology(things: Sequence[EquipmentDocument]) -> Iterator[Finding]:
    """Every relation that leads nowhere, to the thing itself, or round in a circle."""
    known: set[str] | None = None
    with suppress(UnreadableError):
        known = {thing.id for thing in things}
    for key, reads in _RELATIONS.items():
        leads = _leads(things, key)
        for at, thing in enumerate(things):
            with suppress(UnreadableError):
                named, where = leads.get(thing.id), ("equipment", at, key)
                if named is None:
                    continue
                if named == thing.id:
                    yield where, f"{thing.id!r} {reads} itself", "name another equipment"
                elif known is not None and named not in known:
                    mend = instead(named, known - {thing.id})
                    yield where, f"there is no equipment {named!r}", mend
        for circle in _circles(leads):
            at = next(at for at, thing in enumerate(things) if thing.id == circle[0])
            way = " → ".join((*circle, circle[0]))
            mend = "take it out where it does not belong"
            yield ("equipment", at, key), f"goes round in a circle: {way}", mend


def _leads(things: Sequence[EquipmentDocument], key: str) -> Mapping[str, str]:
    """Id → the id that it names by ``key``; what cannot be read leads nowhere."""
    leads: dict[str, str] = {}
    for thing in things:
        with suppress(UnreadableError):
            named = getattr(thing, key)
            if named is not None:
                leads.setdefault(thing.id, named)
    return leads


def _circles(leads: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Each circle of two or more once, beginning with the one that comes first in ``leads``."""
    done: set[str] = set()
    for start in leads:
        way: list[str] = []
        here: str | None = start
        while here is not None and here not in done and here not in way:
            way.append(here)
            here = leads.get(here)
        if here in way:
            circle = way[way.index(here) :]
            first = min(circle, key=list(leads).index)
            turn = circle.index(first)
            if len(circle) > 1:
                yield (*circle[turn:], *circle[:turn])
        done.update(way)
