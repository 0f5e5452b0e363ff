"""The data of work orders: time limits, escalation, skills, the words of a completion and what a
month is measured by, from the files ``time_limits.yaml``, ``escalation.yaml``, ``skills.yaml``,
``order_codes.yaml`` and ``order_targets.yaml`` of a rulebook."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from gateway.files.documents import Document, Finding, Parsed, Problem, findings, salvage
from gateway.files.durations import Duration, parse
from gateway.files.fields import Line, PointKey, Slug, Words, instead
from gateway.model.point import Text
from rules.book_folders import in_force
from rules.order_targets import FILE as TARGETS
from rules.order_targets import OrderTargetsDocument, check_targets
from rules.orders.book import OrderBook
from rules.orders.clock import CalendarKind, ClockName
from rules.orders.escalation import LADDER, Escalation, Plan, Step, mistakes
from rules.orders.limits import CountedFrom, Limit, LimitRow, Selector, TimeLimits
from rules.orders.raising import CAN_WAIT, OnReturn, RaisedWhen, Raising, RaisingTable
from rules.orders.targets import Targets
from rules.people.roles import Role
from rules.priority import Priority

TIME_LIMITS = "time_limits.yaml"
ESCALATION = "escalation.yaml"
ORDER_CODES = "order_codes.yaml"
SKILLS = "skills.yaml"
FILES = (TIME_LIMITS, ESCALATION, ORDER_CODES, SKILLS, TARGETS)

_AT = re.compile(r"-(?P<share>[1-9][0-9]?)%|0|\+(?P<past>[0-9]+(?:ms|s|m|h|d))")

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class OrderFiles:
    book: OrderBook
    """Empty if there is a problem."""
    problems: Sequence[Problem]
    texts: Sequence[str]
    """Of every file, as it lies there."""


class SelectorDocument(Document):
    category: PointKey | None = None
    cause_key: Slug | None = None
    priority: Priority | None = None

    def selector(self) -> Selector:
        return Selector(category=self.category, cause_key=self.cause_key, priority=self.priority)


class LimitDocument(Document):
    within: Duration = Field(gt=0)
    counted_from: CountedFrom = Field(default=CountedFrom.CREATED, alias="from")
    calendar: CalendarKind = CalendarKind.ALWAYS
    source: Line

    def limit(self) -> Limit:
        return Limit(
            within=self.within,
            counted_from=self.counted_from,
            calendar=self.calendar,
            source=self.source,
        )


class LimitRowDocument(SelectorDocument):
    respond: LimitDocument | None = None
    arrive: LimitDocument | None = None
    complete: LimitDocument | None = None

    @property
    def given(self) -> dict[ClockName, LimitDocument]:
        pairs = [(name, getattr(self, name.value)) for name in ClockName]
        return {name: limit for name, limit in pairs if limit is not None}


class RaisingDocument(Document):
    when: RaisedWhen
    on_return: OnReturn = OnReturn.CANCEL
    source: Line


class TimeLimitsDocument(Document):
    raised: Mapping[Priority, RaisingDocument] = Field(default={})
    """When an alarm becomes its order; without a word at once."""
    limits: tuple[LimitRowDocument, ...] = Field(min_length=1)
    contractor_link: Duration = Field(default=OrderBook().contractor_link, gt=0)


def _moment(given: str) -> str:
    match = _AT.fullmatch(given.strip())
    if match is None:
        expected = {"expected": '"-50%" (before the end), "0" (at the end) or "+15m" (after it)'}
        raise PydanticCustomError("moment", "is no moment of a clock", expected)
    return given.strip()


class StepDocument(Document):
    clock: ClockName
    to: Role
    at: Annotated[str, Field(strict=True), AfterValidator(_moment)] | None = None
    after: Duration | None = Field(default=None, gt=0)

    def step(self) -> Step:
        """The step of a document with one of ``at`` and ``after``."""
        if self.at is None:
            return Step(clock=self.clock, to=self.to, after=self.after)
        match = _AT.fullmatch(self.at)
        assert match is not None
        if match["share"] is not None:
            return Step(clock=self.clock, to=self.to, share=int(match["share"]))
        past = 0 if match["past"] is None else parse(match["past"])
        return Step(clock=self.clock, to=self.to, past=past)


class PlanDocument(SelectorDocument):
    steps: tuple[StepDocument, ...] = Field(min_length=1)
    source: Line


class EscalationDocument(Document):
    plans: tuple[PlanDocument, ...] = Field(min_length=1)


class OrderCodesDocument(Document):
    causes: Mapping[PointKey, Words] = Field(min_length=1)
    remedies: Mapping[PointKey, Words] = Field(min_length=1)


class SkillsDocument(Document):
    skills: Mapping[PointKey, tuple[Line, ...]] = Field(min_length=1)


def read_order_book(
    folders: Sequence[Path], categories: Mapping[str, Words], causes: Collection[str] = ()
) -> OrderFiles:
    """The files in ``folders`` that are in force, with every problem of all of them.

    ``categories``, ``causes``: all that there are; empty if they are not known, so that no row is
    blamed for the one it names.
    """
    reader = _Reader()
    limits = reader.document(folders, TIME_LIMITS, TimeLimitsDocument)
    if limits is not None:
        reader.note(limits, _check_limits(limits.content, categories, causes))
        reader.note(limits, _check_raising(limits.content))
    plans = reader.document(folders, ESCALATION, EscalationDocument)
    if plans is not None:
        reader.note(plans, _check_plans(plans.content, categories, causes))
        if limits is not None:
            reader.note(plans, _check_clocks(plans.content, limits.content))
    codes = reader.document(folders, ORDER_CODES, OrderCodesDocument)
    skills = reader.document(folders, SKILLS, SkillsDocument)
    if skills is not None:
        reader.note(skills, _check_skills(skills.content, categories))
    targets = reader.document(folders, TARGETS, OrderTargetsDocument)
    if targets is not None:
        reader.note(targets, check_targets(targets.content))
    book = OrderBook()
    if not reader.problems:
        book = OrderBook(
            time_limits=TimeLimits() if limits is None else _limits(limits.content),
            escalation=Escalation() if plans is None else _escalation(plans.content),
            raising=RaisingTable() if limits is None else _raising(limits.content),
            targets=Targets() if targets is None else targets.content.read(),
            causes={} if codes is None else _texts(codes.content.causes),
            remedies={} if codes is None else _texts(codes.content.remedies),
            categories=_texts(categories),
            contractor_link=OrderBook().contractor_link
            if limits is None
            else limits.content.contractor_link,
            skills={} if skills is None else skills.content.skills,
        )
    return OrderFiles(book=book, problems=reader.problems, texts=reader.texts)


def _check_skills(content: SkillsDocument, categories: Mapping[str, Words]) -> Iterator[Finding]:
    for category in content.skills:
        if categories and category not in categories:
            wrong = f"there is no category {category!r}"
            yield ("skills", category), wrong, instead(category, categories)


class _Reader:
    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.texts: list[str] = []

    def document(self, folders: Sequence[Path], name: str, model: type[M]) -> Parsed[M] | None:
        """The file of that name; None where no folder has one, or it is no document."""
        for path in in_force(folders, name):
            parsed, problems = salvage(path, model)
            self.problems += problems
            if parsed is not None:
                self.texts.append(parsed.text)
            return parsed
        return None

    def note(self, parsed: Parsed[M], check: Iterator[Finding]) -> None:
        self.problems += [parsed.problem(*finding) for finding in findings(check)]


def _check_limits(
    content: TimeLimitsDocument, categories: Mapping[str, Words], causes: Collection[str]
) -> Iterator[Finding]:
    for at, row in enumerate(content.limits):
        yield from findings(
            _check_category(("limits", at), row, categories),
            _check_cause(("limits", at), row, causes),
            _check_given(at, row),
            _check_reached(content, at, row),
        )


def _check_raising(content: TimeLimitsDocument) -> Iterator[Finding]:
    for priority, raising in content.raised.items():
        if raising.when is RaisedWhen.WORKING_TIME and priority not in CAN_WAIT:
            wrong = f"an order of priority {priority.value} does not wait for working time"
            yield ("raised", priority.value, "when"), wrong, "use at_once, or remove it"


def _check_given(at: int, row: LimitRowDocument) -> Iterator[Finding]:
    if not row.given:
        yield ("limits", at), "has no limit", "add respond, arrive or complete, or remove the row"
    for name, limit in row.given.items():
        if name is ClockName.RESPOND and limit.counted_from is CountedFrom.ACCEPTED:
            where = ("limits", at, name.value, "from")
            yield where, "ends with the acceptance that it is counted from", "use created"


def _check_reached(
    content: TimeLimitsDocument, at: int, row: LimitRowDocument
) -> Iterator[Finding]:
    """The first row that fits decides, so one that is behind a wider one says nothing."""
    left = set(row.given)
    for former in content.limits[:at]:
        if former.selector().covers(row.selector()):
            left -= set(former.given)
    if row.given and not left:
        yield ("limits", at), "is never reached: a row before it fits too", "put it before that row"


def _check_plans(
    content: EscalationDocument, categories: Mapping[str, Words], causes: Collection[str]
) -> Iterator[Finding]:
    for at, plan in enumerate(content.plans):
        yield from findings(
            _check_category(("plans", at), plan, categories),
            _check_cause(("plans", at), plan, causes),
            _check_plan_reached(content, at, plan),
            _check_steps(at, plan),
        )


def _check_plan_reached(
    content: EscalationDocument, at: int, plan: PlanDocument
) -> Iterator[Finding]:
    if any(former.selector().covers(plan.selector()) for former in content.plans[:at]):
        yield ("plans", at), "is never reached: a plan before it fits too", "put it before that"


def _check_steps(at: int, plan: PlanDocument) -> Iterator[Finding]:
    wrong = False
    for place, step in enumerate(plan.steps):
        where = ("plans", at, "steps", place)
        if (step.at is None) == (step.after is None):
            wrong = True
            yield where, "has exactly one of at and after", "keep one of the two"
        if step.to not in LADDER:
            wrong = True
            names = ", ".join(role.value for role in LADDER)
            yield (*where, "to"), f"{step.to.value} is nobody to escalate to", f"use one of {names}"
    if wrong:
        return
    for place, what, mend in mistakes([step.step() for step in plan.steps]):
        yield ("plans", at, "steps", place), what, mend


def _check_clocks(content: EscalationDocument, limits: TimeLimitsDocument) -> Iterator[Finding]:
    """An order of the plan can have the clock that a step waits for."""
    for at, plan in enumerate(content.plans):
        for place, step in enumerate(plan.steps):
            if step.clock is ClockName.COMPLETE:
                continue
            if not any(step.clock in row.given and _meet(row, plan) for row in limits.limits):
                where = ("plans", at, "steps", place, "clock")
                wrong = f"no order of this plan has a limit to {step.clock.value}"
                yield where, wrong, f"add one to {TIME_LIMITS}, or use another clock"


def _meet(one: SelectorDocument, other: SelectorDocument) -> bool:
    """Whether both may be for one order."""
    pairs = (
        (one.category, other.category),
        (one.cause_key, other.cause_key),
        (one.priority, other.priority),
    )
    return all(a is None or b is None or a == b for a, b in pairs)


def _check_category(
    where: tuple[str | int, ...], row: SelectorDocument, categories: Mapping[str, Words]
) -> Iterator[Finding]:
    category = row.category
    if category is not None and categories and category not in categories:
        wrong = f"there is no category {category!r}"
        yield (*where, "category"), wrong, instead(category, categories)


def _check_cause(
    where: tuple[str | int, ...], row: SelectorDocument, causes: Collection[str]
) -> Iterator[Finding]:
    cause = row.cause_key
    if cause is not None and causes and cause not in causes:
        yield (*where, "cause_key"), f"no rule has the cause {cause!r}", instead(cause, causes)


def _limits(content: TimeLimitsDocument) -> TimeLimits:
    return TimeLimits(
        rows=tuple(
            LimitRow(
                selector=row.selector(),
                limits={name: limit.limit() for name, limit in row.given.items()},
            )
            for row in content.limits
        )
    )


def _raising(content: TimeLimitsDocument) -> RaisingTable:
    return RaisingTable(
        by_priority={
            priority: Raising(when=one.when, on_return=one.on_return)
            for priority, one in content.raised.items()
        }
    )


def _escalation(content: EscalationDocument) -> Escalation:
    return Escalation(
        plans=tuple(
            Plan(selector=plan.selector(), steps=tuple(step.step() for step in plan.steps))
            for plan in content.plans
        )
    )


def _texts(words: Mapping[str, Words]) -> dict[str, Text]:
    return {key: value.text() for key, value in words.items()}
