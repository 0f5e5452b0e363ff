"""What is wrong with a profile's points beyond where they lie: how often they are read and kept,
how they follow from others, and whether they may be written.

Each check ends where it would need a field that is wrong in itself; see
:func:`gateway.files.documents.findings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from gateway.files.documents import Finding, UnreadableError, findings
from gateway.files.durations import write
from gateway.files.fields import instead
from gateway.model.equipment import is_life_safety
from gateway.model.moment import DAY, SECOND
from gateway.model.point import PointKind
from gateway.model.profile import DerivedKind
from gateway.profile.document import (
    DerivedDocument,
    PointDocument,
    ProfileDocument,
    WriteDocument,
)

_KEPT = (SECOND, DAY)
_VALUE = "{value}"

_WANTED = {
    DerivedKind.RUN_HOURS: PointKind.FLAG,
    DerivedKind.STARTS: PointKind.FLAG,
    DerivedKind.DELTA: PointKind.NUMBER,
    DerivedKind.DIFFERENCE: PointKind.NUMBER,
}
"""What each kind of derived point is made of."""


def point_findings(content: ProfileDocument, point: PointDocument) -> Iterator[Finding]:
    """What is wrong with ``point``, at places below it."""
    yield from findings(
        _group(content, point),
        _deadband(point),
        _keep_every(point),
        _derived(content, point),
        _write(content, point),
    )


def _group(content: ProfileDocument, point: PointDocument) -> Iterator[Finding]:
    if point.group is None:
        return
    if content.protocol != "modbus":
        yield ("group",), "does not fit protocol mqtt: the device speaks when it will", "remove it"
    elif point.derived is not None:
        yield ("group",), "does not fit a derived point", "remove it: it follows its sources"
    elif point.group not in content.groups:
        yield ("group",), f"there is no group {point.group!r}", instead(point.group, content.groups)


def _deadband(point: PointDocument) -> Iterator[Finding]:
    if point.deadband is not None and point.kind is not PointKind.NUMBER:
        yield ("deadband",), f"does not fit a {point.kind.value}", "remove it"


def _keep_every(point: PointDocument) -> Iterator[Finding]:
    low, high = _KEPT
    if point.keep_every is not None and not low <= point.keep_every <= high:
        wrong = f"{write(point.keep_every)} is out of range"
        yield ("keep_every",), wrong, f"use {write(low)} to {write(high)}"


# -- derived points -----------------------------------------------------------------------------


def _derived(content: ProfileDocument, point: PointDocument) -> Iterator[Finding]:
    said = point.derived
    if said is None:
        return
    for where, wrong, mend in findings(
        _one_way(said),
        _rollover(said),
        _sources(content, point, said),
    ):
        yield ("derived", *where), wrong, mend
    for key in ("modbus", "mqtt", "write"):
        with suppress(UnreadableError):
            if getattr(point, key) is not None:
                yield (key,), "is given for a derived point", f"keep one of {key} and derived"
    if point.kind is not PointKind.NUMBER:
        yield ("kind",), f"{point.kind.value} does not fit a derived point", "use kind: number"


def _ways(said: DerivedDocument) -> list[DerivedKind]:
    return [kind for kind in DerivedKind if getattr(said, kind.value) is not None]


def _one_way(said: DerivedDocument) -> Iterator[Finding]:
    ways = _ways(said)
    if not ways:
        known = ", ".join(kind.value for kind in DerivedKind)
        yield (), "does not say how", f"use one of {known}"
    for way in ways[1:]:
        yield (way.value,), f"is given beside {ways[0].value}", "keep one of the two"


def _rollover(said: DerivedDocument) -> Iterator[Finding]:
    if said.rollover is None:
        return
    if said.delta is None:
        yield ("rollover",), "is only for a delta", "remove it"
    elif said.rollover <= 0:
        mend = "write the value at which the counter begins again, such as 65536"
        yield ("rollover",), f"is {said.rollover:g}", mend


def _sources(
    content: ProfileDocument, point: PointDocument, said: DerivedDocument
) -> Iterator[Finding]:
    known = _by_key(content)
    for kind in _ways(said):
        given = getattr(said, kind.value)
        keys = given if isinstance(given, tuple) else (given,)
        for key in keys:
            for wrong, mend in _source(known, key, _WANTED[kind]):
                yield (kind.value,), wrong, mend
        yield from findings(_units(known, point, kind, keys), _digits(known, point, kind, keys))


def _by_key(content: ProfileDocument) -> Mapping[str, PointDocument]:
    known: dict[str, PointDocument] = {}
    for point in content.points:
        with suppress(UnreadableError):
            known.setdefault(point.key, point)
    return known


def _source(
    known: Mapping[str, PointDocument], key: str, wanted: PointKind
) -> Iterator[tuple[str, str]]:
    source = known.get(key)
    if source is None:
        read = [name for name, point in known.items() if _is(point, wanted)]
        yield f"there is no point {key!r}", instead(key, read)
        return
    with suppress(UnreadableError):
        if source.derived is not None:
            yield f"{key} is itself derived", "name a point that is read"
    with suppress(UnreadableError):
        if source.kind is not wanted:
            yield f"{key} is a {source.kind.value}", f"name a {wanted.value}"


def _is(point: PointDocument, wanted: PointKind) -> bool:
    with suppress(UnreadableError):
        return point.derived is None and point.kind is wanted
    return False


def _units(
    known: Mapping[str, PointDocument], point: PointDocument, kind: DerivedKind, keys: Sequence[str]
) -> Iterator[Finding]:
    """Hours are hours, and what grows or differs has the unit of what it is made of."""
    if kind is DerivedKind.RUN_HOURS and point.unit != "h":
        yield (kind.value,), f"is in hours, and unit is {point.unit!r}", "write unit: h"
    if kind not in (DerivedKind.DELTA, DerivedKind.DIFFERENCE):
        return
    if len(set(keys)) < len(keys):
        yield (kind.value,), f"is {keys[0]} less itself", "name two points"
    for key in dict.fromkeys(keys):
        if key in known and known[key].unit != point.unit:
            wrong = f"{key} has unit {known[key].unit!r}, and this point {point.unit!r}"
            yield (kind.value,), wrong, "name what has this point's unit, or mend the unit"


def _digits(
    known: Mapping[str, PointDocument], point: PointDocument, kind: DerivedKind, keys: Sequence[str]
) -> Iterator[Finding]:
    """Growth is rounded with every reading: what is finer than the digits would be lost."""
    source = known.get(keys[0])
    if kind is DerivedKind.DELTA and source is not None and source.decimals > point.decimals:
        wrong = f"{source.key} has {source.decimals} decimals, and this point {point.decimals}"
        yield (kind.value,), wrong, f"write decimals: {source.decimals}"


# -- points that may be written -----------------------------------------------------------------


def _write(content: ProfileDocument, point: PointDocument) -> Iterator[Finding]:
    said = point.write
    if said is None or point.derived is not None:
        return
    if content.protocol == "modbus":
        ways = findings(_no_message(said), _register(point))
    else:
        ways = _message(said)
    for where, wrong, mend in findings(_class(content), ways, _no_text(point)):
        yield ("write", *where), wrong, mend


def _class(content: ProfileDocument) -> Iterator[Finding]:
    for name in (content.equipment_class, *content.generic):
        if is_life_safety(name):
            yield (), f"is never allowed for class {name}", "remove it"


def _no_text(point: PointDocument) -> Iterator[Finding]:
    if point.kind is PointKind.TEXT:
        yield (), "does not fit a text", "remove it"


def _no_message(said: WriteDocument) -> Iterator[Finding]:
    for key in ("topic", "payload", "codes"):
        with suppress(UnreadableError):
            if getattr(said, key):
                wrong = "does not fit protocol modbus"
                yield (key,), wrong, "write {}: the point is written where it is read"


def _register(point: PointDocument) -> Iterator[Finding]:
    place = point.modbus
    if place is None:
        return
    if place.function.value not in ("coil", "holding"):
        wrong = f"does not fit the {place.function.value} table, which is for reading only"
        yield (), wrong, "remove it, or read the point from the coils or holding registers"
    if place.bit is not None:
        wrong = "would overwrite the rest of the register"
        yield (), wrong, "remove it: only whole registers and coils are written"


def _message(said: WriteDocument) -> Iterator[Finding]:
    for key, mend in (
        ("topic", "name the topic on which the device takes it"),
        ("payload", f"write the message, with {_VALUE} for the value"),
    ):
        with suppress(UnreadableError):
            if getattr(said, key) is None:
                yield (key,), "is missing", mend
    with suppress(UnreadableError):
        if said.payload is not None and _VALUE not in said.payload:
            yield ("payload",), f"has no {_VALUE}", f"put {_VALUE} where the value goes"
