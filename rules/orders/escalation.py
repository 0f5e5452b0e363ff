"""Who hears of an order that nobody sees to, and when: 技工 → 领班 → 工程经理 → 项目经理.

A plan is a list of steps, each at a part of a clock; it only ever goes up. The first plan that
fits decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rules.orders.clock import ClockName
from rules.orders.limits import Selector
from rules.people.roles import Role
from rules.priority import Priority

LADDER = (Role.TECHNICIAN, Role.FOREMAN, Role.ENGINEERING_MANAGER, Role.PROJECT_MANAGER)
"""From the bottom to the top."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    clock: ClockName
    to: Role
    after: int | None = None
    """µs from the start of the clock."""
    share: int | None = None
    """Percent of what is allowed, before the end: 50 is half-way."""
    past: int | None = None
    """µs after the end; 0: at the end."""

    def counted(self, allowed: int) -> int:
        """µs that the clock has counted when the step is due."""
        if self.after is not None:
            return self.after
        if self.share is not None:
            return allowed - allowed * self.share // 100
        return allowed + (self.past or 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    selector: Selector
    steps: tuple[Step, ...]

    def of(self, clock: ClockName) -> tuple[Step, ...]:
        """The steps along one clock, in their order."""
        return tuple(step for step in self.steps if step.clock is clock)


@dataclass(frozen=True, kw_only=True, slots=True)
class Escalation:
    plans: tuple[Plan, ...] = ()

    def of(self, category: str, cause_key: str, priority: Priority) -> Plan | None:
        fitting = (one for one in self.plans if one.selector.fits(category, cause_key, priority))
        return next(fitting, None)


def mistakes(steps: Sequence[Step]) -> Iterator[tuple[int, str, str]]:
    """Place of a step, what is wrong with it, what would be right.

    Along one clock each step goes at least as high as the one before, and is not earlier.
    """
    last: dict[ClockName, tuple[int, Step]] = {}
    heard: dict[ClockName, set[Role]] = {}
    for at, step in enumerate(steps):
        before = last.get(step.clock)
        known = heard.setdefault(step.clock, set())
        if before is not None:
            former = before[1]
            if LADDER.index(step.to) < LADDER.index(former.to):
                way = "goes round in a circle" if step.to in known else "goes down"
                wrong = f"{way}: {step.to.value} comes after {former.to.value}"
                yield at, wrong, "each step goes at least as high as the one before"
            elif _is_earlier(step, former):
                yield at, "is earlier than the step before", "put the steps in their order"
        last[step.clock] = (at, step)
        known.add(step.to)


def _is_earlier(step: Step, former: Step) -> bool:
    """As far as that can be told without the limit."""
    if step.after is not None and former.after is not None:
        return step.after < former.after
    if step.share is not None:
        if former.share is not None:
            return step.share > former.share
        return former.past is not None
    if step.past is not None and former.past is not None:
        return step.past < former.past
    return False
