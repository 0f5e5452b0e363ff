"""Planned tests as documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from api.models import planned_tests as models
from api.models.base import Text
from api.views import words
from gateway.model.equipment import Site
from rules.actions.planned_tests import Plan, Tested
from rules.ledger.planned_test_view import PlannedTest
from rules.ledger.rows import LifecycleEvent
from rules.rule import Rulebook

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def document(
    test: PlannedTest,
    site: Site,
    rulebook: Rulebook,
    names: Mapping[str, str],
    steps: list[LifecycleEvent] | None = None,
) -> models.PlannedTest:
    """``names``: user name → how they are called; ``steps`` where they were asked for."""
    zone = site.zone
    return models.PlannedTest(
        id=test.id,
        name=test.name,
        area=test.area,
        tester=test.tester,
        tester_name=names.get(test.tester, test.tester),
        starts_at=words.moment(test.starts_at, zone),
        ends_at=words.moment(test.ends_at, zone),
        state=test.state.value,
        created_at=words.moment(test.created_at, zone),
        created_by=test.created_by,
        started_at=words.moment_if(test.started_at, zone),
        ended_at=words.moment_if(test.ended_at, zone),
        note=test.note,
        expected=len(test.sheet),
        came=sum(row.came_at is not None for row in test.sheet),
        equipment=[
            _under_test(test, one, site) for one in dict.fromkeys(r.equipment for r in test.sheet)
        ],
        sheet=[
            models.SheetRow(
                equipment=row.equipment,
                equipment_name=_name(row.equipment, site),
                rule=row.rule,
                rule_name=_rule_name(row.rule, rulebook),
                life_safety=row.rule in rulebook.rules and rulebook.rules[row.rule].life_safety,
                came_at=words.moment_if(row.came_at, zone),
                alarm=row.alarm,
            )
            for row in test.sheet
        ],
        events=None if steps is None else words.events(steps, zone),
    )


def plan(body: models.PlannedTestNew) -> Plan:
    return Plan(
        name=body.name,
        area=body.area,
        tester=body.tester,
        starts_at=_wall(body.starts_at),
        ends_at=_wall(body.ends_at),
        note=body.note,
        tested=[
            Tested(equipment=one.equipment, rules=None if one.rules is None else tuple(one.rules))
            for one in body.equipment
        ],
    )


def _under_test(test: PlannedTest, equipment: str, site: Site) -> models.TestedEquipment:
    now, zone = test.under_test.get(equipment), site.zone
    return models.TestedEquipment(
        equipment=equipment,
        equipment_name=_name(equipment, site),
        held_until=None if now is None else words.moment_if(now.held_until, zone),
        confirmed_at=None if now is None else words.moment_if(now.confirmed_at, zone),
        confirmed_by=None if now is None else now.confirmed_by,
    )


def _name(equipment: str, site: Site) -> Text:
    thing = site.equipment.get(equipment)
    return words.same(equipment) if thing is None else words.text(thing.name)


def _rule_name(rule: str, rulebook: Rulebook) -> Text:
    known = rulebook.rules.get(rule)
    return words.same(rule) if known is None else words.text(known.name)


def _wall(moment: datetime) -> int:
    """µs UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
