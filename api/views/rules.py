"""Rules, the site's own limits and replays as documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import Any

from api import models as documents
from api.models import rules as models
from api.views import words
from gateway.model.equipment import Equipment, Site
from gateway.model.moment import SECOND
from rules.alarms.links import link_equipment
from rules.book_folders import SHIPPED
from rules.ledger.jobs import Job
from rules.overrides import LimitOverride, applied
from rules.replay.outcome import RuleOutcome
from rules.replay.work import Report
from rules.rule import Comparison, Rule, Rulebook
from rules.rule_words import condition_words
from rules.rulebook import Classes
from rules.rulebook_checks import KnownPoint
from rules.twins import is_of_twin, points_by_name

_MOST = 100
"""Alarms of a kind that are told one by one."""


@dataclass(frozen=True, kw_only=True)
class RuleViews:
    """The rulebook of a site with what the site has set."""

    site: Site
    rulebook: Rulebook
    classes: Classes
    tests: Mapping[str, int]
    """Rule → how many tests say something of it."""
    overrides: Sequence[LimitOverride]

    def rules(self, equipment_class: str | None) -> models.Rules:
        items = [
            self._summary(rule)
            for rule in self.rulebook.rules.values()
            if equipment_class in (None, rule.equipment_class)
        ]
        return models.Rules(
            fingerprint=self.rulebook.fingerprint,
            items=[models.RuleSummary(**item) for item in items],
        )

    def rule(self, rule: Rule) -> models.RuleDetails:
        in_force = applied(self.rulebook, self.site, self.overrides)
        return models.RuleDetails(
            **self._summary(rule),
            guidance=documents.Guidance(zh=list(rule.guidance.zh), en=list(rule.guidance.en)),
            cause_key=rule.cause_key,
            judged_on=[
                self._judged(in_force, rule, thing)
                for thing in self._things(rule)
                if thing.id in self.site.equipment
            ],
            without_twin=[
                words.text(thing.name)
                for thing in self.site.equipment.values()
                if _compares(rule)
                and thing.equipment_class == rule.equipment_class
                and thing.twin is None
            ],
        )

    def override(self, one: LimitOverride) -> models.RuleOverride:
        in_force = applied(self.rulebook, self.site, [one])
        thing = self.site.equipment.get(one.equipment)
        return models.RuleOverride(
            rule=one.rule,
            equipment=one.equipment,
            equipment_name=words.same(one.equipment) if thing is None else words.text(thing.name),
            limit=one.limit,
            delay_s=None if one.delay is None else one.delay / SECOND,
            reason=one.reason,
            by=one.by,
            at=words.moment(one.at, self.site.zone),
            in_force=bool(in_force.variants),
        )

    def _judged(self, in_force: Rulebook, rule: Rule, thing: Equipment) -> models.RuleEquipment:
        here = in_force.variants.get((rule.id, thing.id), rule)
        own = [one for one in self.overrides if (one.rule, one.equipment) == (rule.id, thing.id)]
        return models.RuleEquipment(
            id=thing.id,
            name=words.text(thing.name),
            area=thing.area,
            twin=self._twin(rule, thing),
            limit=here.limit,
            delay_s=here.delay / SECOND,
            override=self.override(own[0]) if own else None,
        )

    def _summary(self, rule: Rule) -> dict[str, Any]:
        points = self._points(rule)
        point, file = points.get(rule.point), Path(rule.file)
        ordered = (Comparison.ABOVE, Comparison.BELOW)
        return {
            "id": rule.id,
            "equipment_class": rule.equipment_class,
            "name": words.text(rule.name),
            "priority": rule.priority.value,
            "life_safety": rule.life_safety,
            "point": rule.point,
            "condition": words.text(condition_words(rule, points)),
            "limit": rule.limit,
            "unit": rule.unit("" if point is None else point.unit),
            "adjustable": rule.limit is not None and rule.condition.comparison in ordered,
            "delay_s": rule.delay / SECOND,
            "clear_after_s": rule.clear_after / SECOND,
            "has_order": rule.order is not None,
            "source": words.text(rule.source),
            "file": f"{file.parent.name}/{file.name}",
            "of": "shipped" if file.is_relative_to(SHIPPED) else "site",
            "tests": self.tests.get(rule.id, 0),
            "equipment": len(self._things(rule)),
            "overrides": sum(one.rule == rule.id for one in self.overrides),
        }

    def _points(self, rule: Rule) -> Mapping[str, KnownPoint]:
        known = self.classes.get(rule.equipment_class, {})
        return {key: points[0] for key, points in known.items()}

    def _twin(self, rule: Rule, thing: Equipment) -> documents.Text | None:
        if thing.twin is None or not _compares(rule):
            return None
        return words.text(self.site.equipment[thing.twin.id].name)

    def _things(self, rule: Rule) -> list[Equipment]:
        """What it is judged on; a link counts as a thing."""
        return [
            thing
            for thing in (*self.site.equipment.values(), *link_equipment(self.site))
            if thing.equipment_class == rule.equipment_class
            and points_by_name(thing).keys() >= rule.points
        ]


def _compares(rule: Rule) -> bool:
    """Whether it is about a twin."""
    return any(map(is_of_twin, rule.points))


def replay(job: Job, zone: tzinfo) -> models.Replay:
    params, delay = job.params, job.params["delay"]
    return models.Replay(
        id=job.id,
        state=job.state.value,
        progress=job.progress,
        cancelling=job.cancel and job.ended_at is None,
        trial=models.ReplayTrial(
            rule=params["rule"],
            equipment=params["equipment"],
            limit=params["limit"],
            delay_s=None if delay is None else delay / SECOND,
            from_=words.moment(params["from"], zone),
            to=words.moment(params["to"], zone),
        ),
        by=job.by,
        created_at=words.moment(job.created_at, zone),
        ended_at=words.moment_if(job.ended_at, zone),
        detail=job.detail,
        result=None if job.result is None else models.ReplayResult(**job.result),
    )


def replay_result(report: Report, zone: tzinfo) -> models.ReplayResult:
    return models.ReplayResult(
        from_=words.moment(report.start, zone),
        to=words.moment(report.end, zone),
        readings=report.readings,
        moments=report.moments,
        rules=[_outcome(one, zone) for one in report.rules],
    )


def _outcome(one: RuleOutcome, zone: tzinfo) -> models.RuleReplay:
    return models.RuleReplay(
        rule=one.rule,
        before=one.before,
        after=one.after,
        removed=len(one.removed),
        removed_with_order=len(one.removed_with_order),
        new=len(one.new),
        delayed=one.delayed,
        longest_delay_s=one.longest_delay / SECOND,
        removed_alarms=[
            models.RemovedAlarm(
                id=was.id,
                equipment=was.equipment,
                raised_at=words.moment(was.raised_at, zone),
                cleared_at=words.moment_if(was.cleared_at, zone),
                order=None
                if was.order is None
                else documents.OrderRef(id=was.order, number=was.order_number or 0),
            )
            # Those that led to an order first: they are what a changed limit would have cost.
            for was in sorted(one.removed, key=lambda was: was.order is None)[:_MOST]
        ],
        new_alarms=[
            models.ReplayedAlarm(
                equipment=would.equipment,
                raised_at=words.moment(would.raised_at, zone),
                cleared_at=words.moment_if(would.cleared_at, zone),
                value=would.value,
            )
            for would in one.new[:_MOST]
        ],
    )
