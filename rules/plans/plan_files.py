"""Files of ``plans/`` → plans, each checked against what the site and the rulebook know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.files.documents import Finding, Parsed, Problem, findings
from gateway.model.point import Text
from rules.plans.plan import CounterGoal, Plan, Schedule, SinceLast
from rules.plans.plan_checks import Known, check_plan
from rules.plans.plan_document import PlanDocument, TriggerDocument

_HOURS_A_DAY = 24.0


class PlanFiles:
    """The files in force, one after the other, with every problem."""

    def __init__(self) -> None:
        self._parsed: dict[str, Parsed[PlanDocument]] = {}

    def take(self, parsed: Parsed[PlanDocument], known: Known) -> list[Problem]:
        """Check a file; what is wrong with it."""
        found = findings(self._twin(parsed), check_plan(parsed.content, known))
        return [parsed.problem(*finding) for finding in found]

    def plans(self, categories: Mapping[str, Text]) -> dict[str, Plan]:
        """What was read; every check has been passed."""
        return {name: _plan(parsed, categories) for name, parsed in self._parsed.items()}

    def _twin(self, parsed: Parsed[PlanDocument]) -> Iterator[Finding]:
        twin = self._parsed.setdefault(parsed.content.plan, parsed)
        if twin is not parsed:
            yield ("plan",), f"is also the id of a plan in {twin.file}", "give it another id"


def _plan(parsed: Parsed[PlanDocument], categories: Mapping[str, Text]) -> Plan:
    content = parsed.content
    notice = content.advance_notice
    return Plan(
        id=content.plan,
        name=content.name.text(),
        category=content.category,
        category_name=categories[content.category],
        scope=content.scope.scope(),
        trigger=_trigger(content.trigger),
        days=content.days,
        at=content.at,
        allowed=content.allowed,
        grace=content.grace,
        postponed_at_most=content.postponed_at_most,
        advance=None if notice is None else notice.advance(),
        duration=content.duration,
        doer=content.done_by.doer(),
        materials=tuple(one.material() for one in content.materials),
        steps=tuple(one.step() for one in content.steps),
        source=content.source.text(),
        file=parsed.file,
    )


def _trigger(content: TriggerDocument) -> Schedule | SinceLast:
    if content.anchor is not None:
        return Schedule(
            anchor=content.anchor,
            anchors=content.anchors,
            every=content.every,
            rule=content.rrule,
        )
    return SinceLast(
        after=content.after,
        counters=tuple(
            CounterGoal(
                point=one.point,
                every=one.every,
                most_per_day=one.most_per_day or _HOURS_A_DAY,
                rollover=one.rollover,
            )
            for one in content.counters
        ),
        last_done=content.last_done,
    )
