"""What is wrong with a regime although every key in it is known and of the right kind."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from gateway.files.documents import Finding, findings
from gateway.files.fields import instead
from gateway.model.point import PointKind
from rules.inspections import periods, recurrence
from rules.inspections.calendar import twice_in_a_period
from rules.inspections.consequences import MISSED
from rules.inspections.item_checks import check_proving, is_of_starts
from rules.inspections.item_document import ItemDocument
from rules.inspections.regime import Answer, Level, LocalTime, Proof, Severity
from rules.inspections.regime_document import (
    RegimeDocument,
    ShiftWindowDocument,
    WindowDocument,
)
from rules.people.roles import GRANTS, Permission, Role
from rules.rulebook_checks import KnownPoint

_LONGEST = 31 * 24 * 60
"""Minutes from the day of a round to the end of its window."""
_LONGEST_OF_SHIFT = 36
"""Characters of the id of a regime of each shift."""
_DAY_KEYS: Mapping[Level, tuple[str, ...]] = {
    Level.WEEKLY: ("weekday",),
    Level.HALF_MONTHLY: ("day",),
    Level.MONTHLY: ("day",),
    Level.QUARTERLY: ("month", "day"),
    Level.HALF_YEARLY: ("month", "day"),
    Level.YEARLY: ("month", "day"),
}
"""What says the day of a round, where no rule does."""
_EXAMPLES = {"weekday": "monday", "month": "1", "day": "25"}


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a regime may name. None: not known here, and then nothing is blamed for naming it."""

    classes: Mapping[str, Mapping[str, Sequence[KnownPoint]]] | None
    """Class → point key → the points of that name."""
    areas: Collection[str] | None
    categories: Collection[str] | None
    cause_keys: Mapping[str, Collection[str]]
    """Class → those of its alarm rules."""


def check_regime(regime: RegimeDocument, known: Known) -> Iterator[Finding]:
    """Everything that is wrong with ``regime`` and its items."""
    yield from findings(
        _day(regime),
        _recurrence(regime),
        _looking_back(regime),
        _windows(regime, known),
        _names(regime),
        _consequences(regime),
        _roles(regime),
        _scope(regime, known),
        _category(("orders", "category"), regime.orders.category, known),
    )
    seen: set[str] = set()
    for at, section in enumerate(regime.sections):
        for place, item in enumerate(section.items):
            where = ("sections", at, "items", place)
            checks = findings(
                _twin(item, seen),
                _way(item),
                _automatic(item, known),
                _limits(item),
                _manual(item),
                _completion(item, regime),
                _cause(item, known),
                _category(("category",), item.category, known),
                check_proving(item, known.classes),
            )
            for deeper, wrong, mend in checks:
                yield (*where, *deeper), wrong, mend


def _day(regime: RegimeDocument) -> Iterator[Finding]:
    level = regime.level
    wanted = () if regime.rrule is not None else _DAY_KEYS.get(level, ())
    for key in ("weekday", "month", "day"):
        given = getattr(regime, key) is not None
        if given and key not in wanted:
            with_rule = regime.rrule is not None
            unfit = "says the same as rrule" if with_rule else f"does not fit level {level.value}"
            yield (key,), unfit, "remove it"
        elif key in wanted and not given:
            yield (key,), "is missing", f"say on which, such as {key}: {_EXAMPLES[key]}"
    longest = 16 if level is Level.HALF_MONTHLY else 31
    if regime.day is not None and not 1 <= regime.day <= longest:
        period = "half a month" if level is Level.HALF_MONTHLY else "a month"
        yield ("day",), f"{regime.day} is no day of {period}", f"use 1 to {longest}"
    months = periods.MONTHS.get(level, 12)
    if regime.month is not None and not 1 <= regime.month <= months:
        wrong = f"a {level.value} period has no month {regime.month}"
        yield ("month",), wrong, f"use 1 to {months}"


def _recurrence(regime: RegimeDocument) -> Iterator[Finding]:
    if regime.rrule is None:
        if regime.starts is not None:
            yield ("starts",), "belongs to rrule", "remove it"
        return
    wrong = list(recurrence.faults(regime.rrule, regime.starts))
    for said, mend in wrong:
        yield ("rrule",), said, mend
    recurs = regime.recurs
    if wrong or recurs is None:
        return
    try:
        period = twice_in_a_period(regime.level, recurs)
    except ValueError:
        yield ("rrule",), "never comes", "use days that there are"
        return
    if period is not None:
        said = f"comes twice in {period}: a period has one round"
        yield ("rrule",), said, "use a shorter level, or BYSETPOS"


def _looking_back(regime: RegimeDocument) -> Iterator[Finding]:
    if regime.looks_back and regime.level in (Level.SHIFT, Level.DAILY):
        yield ("looks_back",), f"a {regime.level.value} round is about its own day", "remove it"


def _windows(regime: RegimeDocument, known: Known) -> Iterator[Finding]:
    of_shift = regime.level is Level.SHIFT
    unfit = ("window", "windows") if of_shift else ("in_shift",)
    for key in unfit:
        if getattr(regime, key):
            yield (key,), f"does not fit level {regime.level.value}", "remove it"
    if of_shift and regime.in_shift is None:
        yield ("in_shift",), "is missing", "say when in the shift: opens_after, due_before_end"
    if of_shift and regime.in_shift is not None:
        yield from _in_shift(regime.in_shift)
    if not of_shift and regime.window is None:
        yield ("window",), "is missing", "say when: opens, due, late_until"
    if regime.window is not None:
        yield from _window(("window",), regime.window)
    for area, window in regime.windows.items():
        yield from _window(("windows", area), window)
        if regime.scope.whole_site:
            yield ("windows", area), "one round for the whole site has one window", "remove it"
        elif known.areas is not None and area not in known.areas:
            yield ("windows", area), f"there is no area {area!r}", instead(area, known.areas)


def _in_shift(window: ShiftWindowDocument) -> Iterator[Finding]:
    after, before = window.opens_after, window.opens_before_end
    if (after is None) is (before is None):
        mend = "give one of opens_after and opens_before_end"
        yield ("in_shift",), "does not say in one way when it opens", mend
    if before is not None and before <= window.due_before_end:
        mend = "make it longer than due_before_end"
        yield ("in_shift", "opens_before_end"), "is not before it is due", mend


def _window(where: tuple[str, ...], window: WindowDocument) -> Iterator[Finding]:
    opens, due, late = map(_minutes, (window.opens, window.due, window.late_until))
    if due <= opens:
        yield (*where, "due"), "is not after opens", "make it later"
    if late <= due:
        yield (*where, "late_until"), "is not after due", "make it later"
    if late > _LONGEST:
        yield (*where, "late_until"), "is more than 31 days behind", "make it earlier"


def _names(regime: RegimeDocument) -> Iterator[Finding]:
    """The id of a round of a shift names the shift too, and has no more room than any other."""
    if regime.level is Level.SHIFT and len(regime.regime) > _LONGEST_OF_SHIFT:
        wrong = f"is longer than the {_LONGEST_OF_SHIFT} characters that a round of a shift takes"
        yield ("regime",), wrong, "use a shorter id"


def _consequences(regime: RegimeDocument) -> Iterator[Finding]:
    missed = regime.missed
    if missed is not None and not missed.tell and missed.finding is None:
        yield ("missed",), "says nothing that follows", "add tell or finding, or leave it out"
    if missed is not None and missed.tell and missed.finding is Severity.SERIOUS:
        yield ("missed", "tell"), "a serious finding is told of by itself", "remove it"


def _minutes(local: LocalTime) -> int:
    return local.days * 24 * 60 + local.minutes


def _roles(regime: RegimeDocument) -> Iterator[Finding]:
    yield from _may(("done_by",), regime.done_by, Permission.ENTER_ROUND)
    if regime.countersigned_by is not None:
        yield from _may(
            ("countersigned_by",), regime.countersigned_by, Permission.COUNTERSIGN_ROUND
        )


def _may(where: tuple[str], role: Role, permission: Permission) -> Iterator[Finding]:
    if permission not in GRANTS[role]:
        able = [other.value for other in Role if permission in GRANTS[other]]
        yield where, f"{role.value} may not do that", instead(role.value, able)


def _scope(regime: RegimeDocument, known: Known) -> Iterator[Finding]:
    for at, given in enumerate(regime.scope.classes):
        if known.classes is not None and given not in known.classes:
            wrong = f"there is no class {given!r}"
            yield ("scope", "classes", at), wrong, instead(given, known.classes)
    for at, area in enumerate(regime.scope.areas):
        if known.areas is not None and area not in known.areas:
            wrong = f"there is no area {area!r}"
            yield ("scope", "areas", at), wrong, instead(area, known.areas)


def _category(where: tuple[str, ...], given: str | None, known: Known) -> Iterator[Finding]:
    if given is not None and known.categories is not None and given not in known.categories:
        yield where, f"there is no category {given!r}", instead(given, known.categories)


def _twin(item: ItemDocument, seen: set[str]) -> Iterator[Finding]:
    if item.key == MISSED:
        yield ("key",), f"{MISSED!r} is the line of a round that was missed", "give it another key"
    if item.key in seen:
        yield ("key",), "is also the key of another item", "give it another key"
    seen.add(item.key)


def _way(item: ItemDocument) -> Iterator[Finding]:
    ways = item.ways
    if len(ways) != 1:
        wrong = "an item has exactly one of point, count, completion, answer"
        yield (ways[-1],) if ways else (), wrong, "keep one" if ways else "add one"
    if item.point_key is not None and item.equipment_class is None:
        yield ("class",), "is missing", "say of which class the point is"
    if item.where_present and item.point_key is None:
        yield ("where_present",), "the item names no point", "remove it"


def _automatic(item: ItemDocument, known: Known) -> Iterator[Finding]:
    """The class has the point, of a kind, with a unit and with values that fit."""
    given, key = item.equipment_class, item.point_key
    if given is None or known.classes is None:
        return
    if given not in known.classes:
        yield ("class",), f"there is no class {given!r}", instead(given, known.classes)
        return
    if key is None:
        return
    where: tuple[str, ...] = ("point",) if item.count is None else ("count", "point")
    points = known.classes[given].get(key, ())
    if not points:
        wrong = f"no {given} has a point {key!r}"
        yield where, wrong, instead(key, known.classes[given])
        return
    if any(point.kind is PointKind.TEXT for point in points):
        yield where, f"{key!r} is a text", "name a point with a value"
    if item.count is not None:
        yield from _possible(("count", "equals"), item.count.equals, points)
    elif not is_of_starts(item):
        yield from _fits(item, points)


def _fits(item: ItemDocument, points: Sequence[KnownPoint]) -> Iterator[Finding]:
    check = item.check
    if check is None:
        return
    units = {point.unit for point in points}
    if check.unit not in units and (check.low is not None or check.high is not None):
        shown = ", ".join(sorted(unit or "none" for unit in units))
        wrong = f"the unit is {check.unit or 'missing'}, but the point's is {shown}"
        yield ("check", "unit"), wrong, f"give the limits in {shown}"
    if check.equals is not None:
        yield from _possible(("check", "equals"), check.equals, points)
    for key, limit in (("low", check.low), ("high", check.high)):
        if limit is not None and all(_never_fails(key, limit, point) for point in points):
            wrong = f"{limit:g} is never passed: it is at the end of what the point reports"
            yield ("check", key), wrong, "use a limit within the point's range"


def _never_fails(key: str, limit: float, point: KnownPoint) -> bool:
    if key == "low":
        return point.low is not None and limit <= point.low
    return point.high is not None and limit >= point.high


def _possible(
    where: tuple[str, ...], value: float, points: Sequence[KnownPoint]
) -> Iterator[Finding]:
    known = {code for point in points for code in point.states}
    if known and value not in known:
        mend = f"use one of {', '.join(map(str, sorted(known)))}"
        yield where, f"{points[0].key} is never {value:g}", mend


def _limits(item: ItemDocument) -> Iterator[Finding]:
    check = item.check
    if check is None:
        return
    if check.low is not None and check.high is not None and check.low > check.high:
        yield ("check", "low"), "is above high: nothing would pass", "exchange the two"
    if (check.low, check.high, check.equals) == (None, None, None):
        if item.answer is not Answer.NUMBER:
            yield ("check",), "has no limit", "add low, high or equals, or leave it out"
    elif item.answer not in (None, Answer.NUMBER):
        yield ("check",), "belongs to a point or a number", "remove it"


def _manual(item: ItemDocument) -> Iterator[Finding]:
    if item.answer is not Answer.CHOICE:
        if item.choices:
            yield ("choices",), "belongs to answer: choice", "remove it"
        return
    keys = [choice.key for choice in item.choices]
    if len(keys) < 2:
        yield ("choices",), "is not much of a choice", "give two or more"
    elif len(set(keys)) < len(keys):
        yield ("choices",), "has a key twice", "give each its own key"
    elif not any(choice.passes for choice in item.choices):
        yield ("choices",), "none passes", "say which of them passes"


def _completion(item: ItemDocument, regime: RegimeDocument) -> Iterator[Finding]:
    if item.proof is not Proof.COMPLETION:
        return
    if regime.level in (Level.SHIFT, Level.DAILY):
        yield ("completion",), "a day holds no daily rounds but its own", "remove it"
    if item.equipment_class is not None:
        yield ("class",), "does not fit a completion", "remove it"


def _cause(item: ItemDocument, known: Known) -> Iterator[Finding]:
    """A cause is an alarm's of that class. A site may have other alarms than the regime thought
    of, so only what looks like a slip of the pen is a mistake."""
    if item.cause_key is None or known.classes is None:
        return
    if item.equipment_class is None:
        yield ("cause_key",), "belongs to an item with a class", "remove it"
        return
    causes = known.cause_keys.get(item.equipment_class, ())
    near = get_close_matches(item.cause_key, causes, n=1, cutoff=0.8)
    if near and near != [item.cause_key]:
        wrong = f"no alarm of class {item.equipment_class} has the cause {item.cause_key!r}"
        yield ("cause_key",), wrong, f"did you mean {near[0]!r}?"
