"""A ledger with the maintenance plans of one pump."""

from __future__ import annotations

from dataclasses import dataclass, field

from duty_room import SITE, equipment, person, site
from inspections import at, current
from plan_book import plan
from sqlalchemy import select

from gateway.clock import ManualClock
from gateway.latest import Current
from gateway.model.moment import DAY, SECOND, Instant
from gateway.model.point import PointKind
from rules.actions import orders as order_actions
from rules.actions.act import Act
from rules.contractor_link import Links
from rules.ledger import plan_view
from rules.ledger.order_steps import Work
from rules.ledger.plan_rows import PlanDue
from rules.ledger.plan_view import Wanted
from rules.ledger.rows import WorkOrder
from rules.ledger.store import Ledger
from rules.ledger.tables.outbox import outbox
from rules.people.roles import Role
from rules.plans.plan import Plan
from rules.plans.upkeep import Upkeep
from rules.rule import Rulebook

PUMP = equipment("pump-1", "pump", run_hours=PointKind.NUMBER, starts=PointKind.NUMBER)
LINKS = Links(key=b"k" * 32, lasts=14 * DAY)
HERE = site(PUMP, webhooks=("http://127.0.0.1:1/hook",))


@dataclass
class Desk:
    """A ledger, its plans, and a clock that stands at 07:00 on 2026-11-01."""

    ledger: Ledger
    plans: tuple[Plan, ...] = (plan(),)
    clock: ManualClock = field(default_factory=lambda: ManualClock(at("2026-11-01 07:00")))

    @property
    def now(self) -> Instant:
        return self.clock.now()

    @property
    def rulebook(self) -> Rulebook:
        plans = {one.id: one for one in self.plans}
        return Rulebook(rules={}, fingerprint="by-hand", plans=plans)

    def go(self, when: str, **said: float | Current) -> None:
        """To a time; then what the service does, in a process that has just been started."""
        self.clock.advance((at(when) - self.now.wall) / SECOND)
        upkeep = Upkeep(site=HERE, rulebook=self.rulebook, ledger=self.ledger, links=LINKS)
        upkeep.plan(self.now)
        heard = {
            f"pump-1.{key}": one if isinstance(one, Current) else current(one, self.now)
            for key, one in said.items()
        }
        upkeep.count(self.now, heard)
        upkeep.keep(self.now, told=self.now.wall)

    def dues(self) -> list[PlanDue]:
        with self.ledger.read(SITE) as view:
            return plan_view.dues(view, Wanted())

    def states(self) -> dict[str, str]:
        """Without the plan's and the subject's name."""
        return {one.period: one.state(self.now.wall).value for one in self.dues()}

    def orders(self) -> list[WorkOrder]:
        with self.ledger.read(SITE) as view:
            return view.orders()

    def notices(self) -> list[str]:
        with self.ledger.reading() as connection:
            return sorted(connection.execute(select(outbox.c.notice)).scalars())

    def act(self, subject: str, by: str = "zhang", role: Role = Role.ENGINEERING_MANAGER) -> Act:
        return Act(self.ledger, SITE, subject, person(by, role), self.now)

    def complete(self, number: int = 0) -> None:
        order = self.orders()[number]
        order_actions.accept(self.act(order.id))
        order_actions.complete(self.act(order.id), Work(note="done"))

    def events(self, due: str) -> list[str]:
        with self.ledger.read(SITE) as view:
            return [one.event for one in plan_view.events(view, f"oil.pump-1.{due}")]
