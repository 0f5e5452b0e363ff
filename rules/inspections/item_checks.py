"""What is wrong with what an item asks for beside an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gateway.files.documents import Finding
from gateway.files.fields import instead
from gateway.model.moment import DAY, MINUTE
from gateway.model.point import PointKind
from rules.inspections.item_document import ItemDocument
from rules.inspections.proving import By
from rules.inspections.regime import Answer
from rules.rulebook_checks import KnownPoint

_SHORTEST, _LONGEST = 10 * MINUTE, 7 * DAY
"""Of a window, µs: less says little, and more takes long to read."""

Classes = Mapping[str, Mapping[str, Sequence[KnownPoint]]]


def is_of_starts(item: ItemDocument) -> bool:
    """Its limits are of a count, not of the point."""
    return item.over is not None and item.judged_by is By.STARTS


def check_proving(item: ItemDocument, classes: Classes | None) -> Iterator[Finding]:
    """``classes``: class → point key → its points; None: not known here."""
    yield from _window(item, classes)
    if item.confirm and item.point is None:
        yield ("confirm",), "the item names no point whose value could be proposed", "remove it"
    if item.evidence and item.answer is None and not item.confirm:
        mend = "use answer or confirm: true, or remove it"
        yield ("evidence",), "nobody is there where telemetry answers", mend
    if len(set(item.evidence)) < len(item.evidence):
        yield ("evidence",), "says the same twice", "say it once"
    yield from _compare(item, classes)


def _window(item: ItemDocument, classes: Classes | None) -> Iterator[Finding]:
    if item.over is None:
        for key in ("by", "share"):
            if getattr(item, key) is not None:
                yield (key,), "belongs to an item with over", "add over, such as over: 24h"
        return
    if item.point is None:
        yield ("over",), "belongs to an item with a point", "remove it"
        return
    if not _SHORTEST <= item.over <= _LONGEST:
        yield ("over",), "is no time that is judged", "use 10m to 7d"
    if (item.share is not None) is not (item.judged_by is By.SHARE):
        mend = "give share in percent, such as by: share and share: 95"
        yield ("share",) if item.share is not None else ("by",), "does not fit by", mend
    limits = item.check is not None and (item.check.low, item.check.high, item.check.equals)
    if item.judged_by is By.SHARE and (not limits or limits == (None, None, None)):
        yield ("by",), "has no limits to be within", "add check with low, high or equals"
    if item.judged_by is By.STARTS and not _is_of_states(item, classes):
        yield ("by",), "starts are counted of a point with states", "name such a point"


def _is_of_states(item: ItemDocument, classes: Classes | None) -> bool:
    if classes is None:
        return True
    points = classes.get(item.equipment_class or "", {}).get(item.point or "", ())
    return all(point.kind in (PointKind.FLAG, PointKind.STATE) for point in points)


def _compare(item: ItemDocument, classes: Classes | None) -> Iterator[Finding]:
    compare = item.compare
    if compare is None:
        return
    if item.answer is not Answer.NUMBER and not item.confirm:
        yield ("compare",), "belongs to a number that a person enters", "remove it"
    if item.equipment_class is None:
        yield ("compare",), "needs the class whose point it is", "add class"
        return
    points = None if classes is None else classes.get(item.equipment_class)
    if points is not None and compare.point not in points:
        wrong = f"no {item.equipment_class} has a point {compare.point!r}"
        yield ("compare", "point"), wrong, instead(compare.point, points)
