"""What is wrong with a plan although every key in it is known and of the right kind."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from dateutil.relativedelta import relativedelta

from gateway.files.documents import Finding, findings
from gateway.files.fields import instead
from gateway.model.point import PointKind
from rules.plans.calendar import rule_of
from rules.plans.plan import Per
from rules.plans.plan_document import CounterDocument, PlanDocument
from rules.rulebook_checks import KnownPoint

_RULE_KEYS = {"FREQ", "INTERVAL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST"}
_FREQUENCIES = {"YEARLY", "MONTHLY", "WEEKLY"}
_YEARS = 10
"""A rule that has no day in so many years has none."""
_HOURS_A_DAY = 24
_NOT_IDS = ("due", "year")


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a plan may name. None: not known here, and then nothing is blamed for naming it."""

    classes: Mapping[str, Mapping[str, Sequence[KnownPoint]]] | None
    areas: Collection[str] | None
    equipment: Collection[str] | None
    categories: Collection[str] | None


def check_plan(plan: PlanDocument, known: Known) -> Iterator[Finding]:
    """Everything that is wrong with ``plan``."""
    yield from findings(
        _id(plan),
        _category(plan, known),
        _scope(plan, known),
        _ways(plan),
        _anchor(plan),
        _rule(plan),
        _per_of_counters(plan),
        _times(plan),
        _doer(plan),
    )
    for at, counter in enumerate(plan.trigger.counters):
        for where, wrong, mend in findings(_counter(plan, counter, known)):
            yield ("trigger", "counters", at, *where), wrong, mend


def _id(plan: PlanDocument) -> Iterator[Finding]:
    if plan.plan in _NOT_IDS:
        yield ("plan",), f"{plan.plan!r} is the address of something else", "give it another id"


def _category(plan: PlanDocument, known: Known) -> Iterator[Finding]:
    if known.categories is not None and plan.category not in known.categories:
        mend = instead(plan.category, known.categories)
        yield ("category",), f"there is no category {plan.category!r}", mend


def _scope(plan: PlanDocument, known: Known) -> Iterator[Finding]:
    scope = plan.scope
    named = (
        ("classes", "class", scope.classes, known.classes),
        ("areas", "area", scope.areas, known.areas),
        ("equipment", "equipment", scope.equipment, known.equipment),
    )
    for key, word, given, there in named:
        for at, name in enumerate(given):
            if there is not None and name not in there:
                yield ("scope", key, at), f"there is no {word} {name!r}", instead(name, there)
    if scope.per is Per.EQUIPMENT and not (scope.classes or scope.equipment):
        yield ("scope",), "names no equipment", "add classes or equipment"
    if scope.per is Per.AREA and not (scope.classes or scope.areas or scope.equipment):
        yield ("scope",), "names no area", "add areas, or classes that are installed in them"


def _ways(plan: PlanDocument) -> Iterator[Finding]:
    ways = plan.trigger.ways
    if not ways:
        yield ("trigger",), "says nothing that makes it due", "add every, rrule, after or counters"
    by_schedule = [way for way in ways if way in ("every", "rrule")]
    if len(by_schedule) > 1 or (by_schedule and len(ways) > len(by_schedule)):
        wrong = f"{' and '.join(ways)}: a plan goes by schedule or from the last time on"
        yield ("trigger", ways[-1]), wrong, "keep every or rrule alone, or after with counters"


def _anchor(plan: PlanDocument) -> Iterator[Finding]:
    trigger = plan.trigger
    is_schedule = trigger.every is not None or trigger.rrule is not None
    if is_schedule and trigger.anchor is None:
        wrong = "is missing"
        yield ("trigger", "anchor"), wrong, "say from which day it counts, such as 2026-01-01"
    if not is_schedule and (trigger.anchor is not None or trigger.anchors):
        key = "anchor" if trigger.anchor is not None else "anchors"
        wrong = "belongs to every or rrule"
        yield ("trigger", key), wrong, "say with last_done when it was done last, or remove it"
    if is_schedule and trigger.last_done:
        wrong = "belongs to after or counters"
        yield ("trigger", "last_done"), wrong, "use anchors"


def _rule(plan: PlanDocument) -> Iterator[Finding]:
    given, where = plan.trigger.rrule, ("trigger", "rrule")
    if given is None:
        return
    pairs = [pair.partition("=") for pair in given.split(";")]
    keys = {key for key, _, _ in pairs}
    if not keys <= _RULE_KEYS or not all(re.fullmatch(r"[A-Z0-9,+-]+", v) for _, _, v in pairs):
        mend = f"use {', '.join(sorted(_RULE_KEYS))}, such as FREQ=MONTHLY;BYMONTHDAY=15"
        yield where, "is no rule that a plan can have", mend
        return
    if {key: value for key, _, value in pairs}.get("FREQ") not in _FREQUENCIES:
        yield where, "FREQ is not one of YEARLY, MONTHLY, WEEKLY", "for days write every: 15d"
        return
    anchor = plan.trigger.anchor or date(2026, 1, 1)
    begin = datetime(anchor.year, anchor.month, anchor.day)
    try:
        found = rule_of(given, anchor).between(begin, begin + relativedelta(years=_YEARS))
    except ValueError as error:
        yield where, f"cannot be read: {error}", "see RFC 5545, 3.3.10"
        return
    if not found:
        yield where, f"has no day in {_YEARS} years", "look at BYMONTH and BYMONTHDAY"


def _per_of_counters(plan: PlanDocument) -> Iterator[Finding]:
    if plan.trigger.counters and plan.scope.per is not Per.EQUIPMENT:
        yield ("scope", "per"), "counters belong to equipment", "write per: equipment"
    points = [counter.point for counter in plan.trigger.counters]
    if len(set(points)) < len(points):
        yield ("trigger", "counters"), "names a point twice", "keep the lower of the two"


def _times(plan: PlanDocument) -> Iterator[Finding]:
    interval = plan.trigger.every or plan.trigger.after
    if interval is not None and plan.allowed >= interval.fewest_days:
        wrong = f"{plan.allowed}d is no less than the interval of {interval}"
        yield ("allowed",), wrong, "make it shorter: the order is raised so long before its day"
    notice = plan.advance_notice
    if notice is not None and plan.trigger.counters and plan.allowed < notice.before:
        wrong = f"leaves less time than the notice of {notice.before}d"
        yield ("allowed",), wrong, f"make it {notice.before}d or more: a counter says nothing ahead"


def _doer(plan: PlanDocument) -> Iterator[Finding]:
    if plan.done_by.contractor is not None and plan.done_by.team is not None:
        yield ("done_by", "team"), "goes with no contractor", "keep one of the two"


def _counter(plan: PlanDocument, counter: CounterDocument, known: Known) -> Iterator[Finding]:
    if known.classes is None:
        return
    named = [one for one in plan.scope.classes if one in known.classes]
    points = [point for one in named for point in known.classes[one].get(counter.point, ())]
    if not points:
        if named:
            there = {key for one in named for key in known.classes[one]}
            wrong = f"no {' or '.join(named)} has a point {counter.point!r}"
            yield ("point",), wrong, instead(counter.point, there)
        return
    if any(point.kind is PointKind.TEXT or point.states for point in points):
        yield ("point",), f"{counter.point!r} is no counter", "name a point that counts up"
    is_hours = all(point.unit == "h" for point in points)
    if counter.most_per_day is None and not is_hours:
        mend = "say how much it can grow in a day: more than that is a device that was replaced"
        yield ("most_per_day",), "is missing", mend
    if counter.most_per_day is not None and is_hours and counter.most_per_day > _HOURS_A_DAY:
        yield ("most_per_day",), "a day has 24 hours", "remove it"
