"""What a plan is about at a site: equipment, areas, or the site itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.model.equipment import Equipment, Site
from gateway.model.point import Text
from rules.plans.plan import Per, Plan, Scope


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What one order is about."""

    id: str
    """Of the equipment, the area or the site."""
    name: Text
    area: str | None
    """None: the whole site."""
    equipment: str | None


def subjects(plan: Plan, site: Site) -> list[Subject]:
    """Each has its own orders; in the order of the site file. Of counters only equipment that
    has all of them."""
    things = [one for one in site.equipment.values() if _is_meant(plan.scope, one)]
    match plan.scope.per:
        case Per.EQUIPMENT:
            goals = {goal.point for goal in plan.goals}
            return [
                Subject(id=one.id, name=one.name, area=one.area, equipment=one.id)
                for one in things
                if goals <= {point.key for point in one.points}
            ]
        case Per.AREA:
            found = {one.area for one in things}
            if not plan.scope.classes and not plan.scope.equipment:
                found = set(plan.scope.areas)
            return [
                Subject(id=area.id, name=area.name, area=area.id, equipment=None)
                for area in site.areas.values()
                if area.id in found
            ]
        case Per.SITE:
            if plan.scope.classes and not things:
                return []
            return [Subject(id=site.id, name=site.name, area=None, equipment=None)]


def _is_meant(scope: Scope, thing: Equipment) -> bool:
    return (
        (not scope.classes or thing.equipment_class in scope.classes)
        and (not scope.areas or thing.area in scope.areas)
        and (not scope.equipment or thing.id in scope.equipment)
    )
