"""Maintenance plans built by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from gateway.model.point import Text
from rules.plans.interval import parse
from rules.plans.plan import (
    CounterGoal,
    Days,
    Doer,
    Per,
    Plan,
    Schedule,
    Scope,
    SinceLast,
    Step,
)

HOURS = CounterGoal(point="run_hours", every=2000, most_per_day=24)


def text(words: str) -> Text:
    return Text(zh=words, en=words)


def every(interval: str, anchor: str = "2026-11-01") -> Schedule:
    return Schedule(anchor=date.fromisoformat(anchor), every=parse(interval))


def since_last(after: str | None = None, *counters: CounterGoal) -> SinceLast:
    return SinceLast(after=None if after is None else parse(after), counters=counters)


def plan(name: str = "oil", trigger: Schedule | SinceLast | None = None, **other: object) -> Plan:
    """Of each pump, every 15 days; its order is raised 3 days before, 2 days of grace."""
    plain = Plan(
        id=name,
        name=text(name),
        category="water_supply",
        category_name=text("water"),
        scope=Scope(per=Per.EQUIPMENT, classes=("pump",)),
        trigger=trigger or every("15d"),
        days=Days.ALL,
        at=8 * 60,
        allowed=3,
        grace=2,
        postponed_at_most=30,
        advance=None,
        duration=None,
        doer=Doer(),
        materials=(),
        steps=(Step(name=text("oil it"), source=text("[NV]")),),
        source=text("[NV]"),
        file="by-hand",
    )
    return replace(plain, **other)  # type: ignore[arg-type]
