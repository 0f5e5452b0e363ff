"""Maintenance plans as documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from api.models import LifecycleEvent
from api.models import plans as models
from api.models.orders import Material
from api.views import words
from gateway.latest import Current
from gateway.model.equipment import Site
from gateway.model.quality import Quality
from rules.ledger.plan_rows import Counted, PlanDue
from rules.ledger.plan_steps import Tick
from rules.plans.calendar import MOVED_AT_MOST, IsWorking, scheduled
from rules.plans.plan import Advance, CounterGoal, Doer, Plan, Schedule, Step
from rules.plans.plan import Material as PlannedMaterial
from rules.plans.subjects import Subject, subjects
from rules.rule import Rulebook
from rules.shifts.local_time import date_of

Counters = Mapping[tuple[str, str, str], Counted]
_LONGEST = timedelta(days=3660)
"""No interval of a plan is longer."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is needed to tell how something stands at ``now`` (µs UTC)."""

    site: Site
    rulebook: Rulebook
    counters: Counters
    currents: Mapping[str, Current]
    now: int
    is_working: IsWorking = lambda _: True


def due(found: PlanDue, known: Known) -> models.PlanDue:
    return models.PlanDue(**_due(found, known))


def whole(
    found: PlanDue, ticks: Mapping[int, Tick], events: list[LifecycleEvent], known: Known
) -> models.PlanDueWhole:
    content, plan = found.content, known.rulebook.plans.get(found.plan)
    return models.PlanDueWhole(
        **_due(found, known),
        steps=due_steps(content.steps, ticks, known.site.zone),
        unticked_why=found.unticked_why,
        materials=materials(content.materials),
        used=[Material.model_validate(one) for one in found.materials],
        duration_minutes=_minutes(content.duration),
        labour_minutes=found.labour_minutes,
        doer=_doer(content.doer),
        advance=_advance(content.advance),
        source=words.text(content.source),
        postponed_at_most=0 if plan is None else plan.postponed_at_most,
        events=events,
    )


def summary(plan: Plan, found: Sequence[PlanDue], known: Known) -> models.PlanSummary:
    """``found``: what is not over, what is due first first."""
    return models.PlanSummary(**_summary(plan, found, known))


def document(
    plan: Plan, waiting: Sequence[PlanDue], past: Sequence[PlanDue], known: Known
) -> models.Plan:
    return models.Plan(
        **_summary(plan, waiting, known),
        steps=_steps(plan.steps),
        materials=materials(plan.materials),
        duration_minutes=_minutes(plan.duration),
        doer=_doer(plan.doer),
        advance=_advance(plan.advance),
        past=[due(one, known) for one in past],
    )


def year(
    number: int, found: Sequence[PlanDue], planned: Collection[str], known: Known
) -> models.PlanYear:
    """``found``: all of that year. What is not ``planned`` (ids) yet is told from the calendar."""
    counted: dict[str, Counter[tuple[int, str]]] = {}
    today = date_of(known.now, known.site.zone)
    rows = {}
    for one in found:
        if one.day is not None:
            of_plan = counted.setdefault(one.plan, Counter())
            of_plan[one.day.month, one.state(known.now).value] += 1
            rows[one.plan] = (one.name, one.category, one.content.category_name)
    for plan in known.rulebook.plans.values():
        rows[plan.id] = (plan.name, plan.category, plan.category_name)
        first, last = max(today, date(number, 1, 1)), date(number, 12, 31)
        if not isinstance(plan.trigger, Schedule) or first > last:
            continue
        begin, end = around(number)
        of_plan = counted.setdefault(plan.id, Counter())
        for subject in subjects(plan, known.site):
            for ahead in scheduled(
                plan, subject.id, known.site.zone, known.is_working, first=begin, last=end
            ):
                day = ahead.day
                if ahead.id not in planned and day is not None and first <= day <= last:
                    of_plan[day.month, "planned"] += 1
    return models.PlanYear(
        year=number,
        rows=[
            models.PlanYearRow(
                plan=name,
                name=words.text(title),
                category=category,
                category_name=words.text(category_name),
                months=_months(counted.get(name, Counter())),
            )
            for name, (title, category, category_name) in sorted(
                rows.items(), key=lambda pair: (pair[1][1], pair[0])
            )
        ],
    )


def around(number: int) -> tuple[date, date]:
    """Whose own day lies within may be due in the year ``number``: one that is not worked moves."""
    return date(number, 1, 1) - MOVED_AT_MOST, date(number, 12, 31) + MOVED_AT_MOST


def _months(counted: Counter[tuple[int, str]]) -> list[models.PlanMonth]:
    by_month: dict[int, dict[str, int]] = {}
    for (month, state), number in counted.items():
        by_month.setdefault(month, {})[state] = number
    return [models.PlanMonth(month=month, **by_month[month]) for month in sorted(by_month)]


def _summary(plan: Plan, found: Sequence[PlanDue], known: Known) -> dict[str, object]:
    trigger = plan.trigger
    by_schedule = trigger if isinstance(trigger, Schedule) else None
    since_last = None if isinstance(trigger, Schedule) else trigger
    every = None if by_schedule is None else by_schedule.every
    after = None if since_last is None else since_last.after
    next_of: dict[str, PlanDue] = {}
    for one in found:
        if one.plan == plan.id:
            next_of.setdefault(one.subject, one)
    return {
        "id": plan.id,
        "name": words.text(plan.name),
        "category": plan.category,
        "category_name": words.text(plan.category_name),
        "every": None if every is None else str(every),
        "rrule": None if by_schedule is None else by_schedule.rule,
        "anchor": None if by_schedule is None else by_schedule.anchor,
        "after": None if after is None else str(after),
        "counters": [goal.point for goal in plan.goals],
        "allowed_days": plan.allowed,
        "grace_days": plan.grace,
        "notice_days": None if plan.advance is None else plan.advance.days,
        "source": words.text(plan.source),
        "subjects": [
            _subject(plan, subject, next_of.get(subject.id), known)
            for subject in subjects(plan, known.site)
        ],
    }


def _subject(
    plan: Plan, subject: Subject, found: PlanDue | None, known: Known
) -> models.PlanSubject:
    return models.PlanSubject(
        id=subject.id,
        name=words.text(subject.name),
        area=subject.area,
        equipment=subject.equipment,
        next=None if found is None else due(found, known),
        next_day=_ahead(plan, subject, known) if found is None else found.day,
    )


def _ahead(plan: Plan, subject: Subject, known: Known) -> date | None:
    """The next day that the calendar will bring, of what is not planned yet."""
    zone = known.site.zone
    today = date_of(known.now, zone)
    last = today + _LONGEST
    days = scheduled(plan, subject.id, zone, known.is_working, first=today, last=last)
    return next((one.day for one in days if one.day is not None and one.day > today), None)


def _due(found: PlanDue, known: Known) -> dict[str, object]:
    zone, facts = known.site.zone, found.facts
    return {
        "id": found.id,
        "plan": found.plan,
        "name": words.text(found.name),
        "category": found.category,
        "subject": found.subject,
        "subject_name": words.text(found.subject_name),
        "area": found.area,
        "equipment": found.equipment,
        "trigger": found.trigger.value,
        "day": found.day,
        "original_day": found.original_day,
        "state": found.state(known.now).value,
        "opens_at": words.moment_if(facts.opens_at, zone),
        "due_at": words.moment_if(facts.due_at, zone),
        "overdue_at": words.moment_if(facts.overdue_at, zone),
        "notice_at": words.moment_if(found.notice_at, zone),
        "noticed_at": words.moment_if(found.noticed_at, zone),
        "opened_at": words.moment_if(facts.opened_at, zone),
        "order": None if found.order is None else found.order.id,
        "order_number": None if found.order is None else found.order.number,
        "postponed": found.postponed,
        "done_at": words.moment_if(facts.done_at, zone),
        "done_by": found.done_by,
        "done_note": found.done_note,
        "void_by": found.void_by,
        "counters": [] if found.is_over else _counters(found, known),
    }


def _counters(found: PlanDue, known: Known) -> list[models.PlanCounter]:
    plan = known.rulebook.plans.get(found.plan)
    goals = () if plan is None else plan.goals
    return [_counter(found, goal, known) for goal in goals]


def _counter(found: PlanDue, goal: CounterGoal, known: Known) -> models.PlanCounter:
    """What was counted for the one before is nothing of this one."""
    name = f"{found.subject}.{goal.point}"
    point, current = known.site.points.get(name), known.currents.get(name)
    counted = known.counters.get((found.plan, found.subject, goal.point))
    count = None if counted is None else counted.count
    is_good = current is not None and current.reading.quality is Quality.GOOD
    last = None if count is None else count.last
    return models.PlanCounter(
        point=name,
        name=words.same(goal.point) if point is None else words.text(point.name),
        unit="" if point is None else point.unit,
        grown=count.grown if count is not None and counted and counted.due == found.id else 0.0,
        every=goal.every,
        last=last,
        last_at=words.moment_if(None if count is None else count.last_at, known.site.zone),
        stand="counting" if is_good else "never_heard" if last is None else "stale",
        turns=0 if count is None else count.turns,
    )


def _steps(steps: Sequence[Step]) -> list[models.PlanStep]:
    return [
        models.PlanStep(
            name=words.text(one.name), source=words.text(one.source), required=one.required
        )
        for one in steps
    ]


def due_steps(
    steps: Sequence[Step], ticks: Mapping[int, Tick], zone: ZoneInfo
) -> list[models.PlanDueStep]:
    found = []
    for number, one in enumerate(_steps(steps), start=1):
        tick = ticks.get(number)
        done_at = words.moment_if(None if tick is None else tick.at, zone)
        by = None if tick is None else tick.by
        found.append(
            models.PlanDueStep(**one.model_dump(), number=number, done_at=done_at, done_by=by)
        )
    return found


def materials(planned: Sequence[PlannedMaterial]) -> list[models.PlanMaterial]:
    return [
        models.PlanMaterial(name=words.text(one.name), quantity=one.quantity, unit=one.unit)
        for one in planned
    ]


def _doer(doer: Doer) -> models.PlanDoer:
    return models.PlanDoer(contractor=doer.contractor, team=doer.team, skill=doer.skill)


def _advance(advance: Advance | None) -> models.PlanAdvance | None:
    if advance is None:
        return None
    text, source = words.text(advance.text), words.text(advance.source)
    return models.PlanAdvance(days=advance.days, text=text, source=source)


def _minutes(duration: int | None) -> int | None:
    return None if duration is None else duration // 60_000_000
