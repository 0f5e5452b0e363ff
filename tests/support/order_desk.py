"""A duty room with a hot pump, time limits and an escalation, for tests of orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from duty_room import HOT, SITE, TEMPERATURE, Gateway, person, rulebook, site
from sqlalchemy import select

from gateway.model.equipment import Site
from gateway.model.moment import MINUTE
from rules.actions import order_ends
from rules.actions import orders as order_actions
from rules.actions.act import Act
from rules.ledger.order_steps import Work
from rules.ledger.rows import LifecycleEvent, WorkOrder
from rules.ledger.store import Ledger
from rules.ledger.tables.outbox import outbox
from rules.orders.book import OrderBook
from rules.orders.clock import CalendarKind, ClockName
from rules.orders.escalation import Escalation, Plan, Step
from rules.orders.limits import CountedFrom, Limit, LimitRow, Selector, TimeLimits
from rules.people.roles import Actor, Role
from rules.rule import Rule, Rulebook
from rules.worker import Worker

WELL = {"motor_temperature": 60.0}
HOOK = "http://127.0.0.1:9/hook"


def limit(
    within: int,
    *,
    counted_from: CountedFrom = CountedFrom.CREATED,
    calendar: CalendarKind = CalendarKind.ALWAYS,
) -> Limit:
    return Limit(
        within=within, counted_from=counted_from, calendar=calendar, source="[site setting]"
    )


def limits(**named: Limit) -> TimeLimits:
    row = LimitRow(
        selector=Selector(), limits={ClockName(name): one for name, one in named.items()}
    )
    return TimeLimits(rows=(row,))


def escalation(*steps: Step) -> Escalation:
    return Escalation(plans=(Plan(selector=Selector(), steps=steps),))


BOOK = OrderBook(
    time_limits=limits(respond=limit(10 * MINUTE), arrive=limit(30 * MINUTE)),
)


@dataclass
class OrderDesk:
    """Pump 1 gets hot when told; ``tick`` lets the rules commit."""

    ledger: Ledger
    book: OrderBook = BOOK
    rules: Sequence[Rule] = (HOT,)
    gateway: Gateway = field(default_factory=Gateway)
    site: Site = field(default_factory=lambda: site(webhooks=(HOOK,)))

    def __post_init__(self) -> None:
        self.restart()

    def restart(self, book: OrderBook | None = None) -> None:
        """Another process, perhaps after the files were changed."""
        self.book = book or self.book
        rules: Rulebook = replace(rulebook(*self.rules), order_book=self.book)
        self.worker = Worker(site=self.site, rulebook=rules, ledger=self.ledger)
        self.worker.load()

    def heat(self, temperature: float = 80) -> WorkOrder:
        """Eleven seconds of it, and a commit; the order there is then."""
        self.worker.take(self.gateway.poll(11, {TEMPERATURE: temperature}))
        self.worker.commit(self.gateway.now)
        return self.order()

    def cool(self) -> None:
        self.worker.take(self.gateway.poll(21, {TEMPERATURE: 60}))
        self.worker.commit(self.gateway.now)

    def run(self, seconds: float, **readings: float) -> WorkOrder:
        """So long pump 1 is polled every second; 60 ℃ and well if nothing else is said. A reading
        of NaN is a bad one. The rules commit once, at the end."""
        said = {f"pump-1.{key}": value for key, value in {**WELL, **readings}.items()}
        good = {point: value for point, value in said.items() if value == value}
        bad = {point: "timeout" for point in said if point not in good}
        self.worker.take(self.gateway.poll(seconds, good, bad=bad))
        return self.tick()

    def tick(self, seconds: float = 0) -> WorkOrder:
        """So much later the rules commit."""
        self.worker.commit(self.gateway.clock.advance(seconds))
        return self.order()

    def wait(self, seconds: int, every: int = 60) -> WorkOrder:
        """The rules commit all the while."""
        for _ in range(seconds // every):
            self.worker.commit(self.gateway.clock.advance(every))
        return self.order()

    def order(self) -> WorkOrder:
        with self.ledger.read(SITE) as view:
            return view.orders()[0]

    def events(self) -> list[LifecycleEvent]:
        with self.ledger.read(SITE) as view:
            return view.order_events(view.orders()[0].id)

    def steps(self) -> list[str]:
        return [event.event for event in self.events()]

    def do(
        self,
        name: str,
        by: str | Actor = "li",
        *,
        key: str | None = None,
        book: OrderBook | None = None,
        **said: Any,
    ) -> WorkOrder:
        """A step of the newest order."""
        actor = person(by, Role.TECHNICIAN) if isinstance(by, str) else by
        module = order_ends if hasattr(order_ends, name) else order_actions
        take: Callable[..., WorkOrder] = getattr(module, name)
        act = Act(self.ledger, SITE, self.order().id, actor, self.gateway.now, key)
        if name == "assign":
            return take(act, self.site, **said)
        if name == "complete":
            return take(act, Work(**said), book)
        return take(act, **said)

    def notices(self) -> list[tuple[str, tuple[str, ...]]]:
        """Kind and people of the messages about orders, in the order of their time."""
        with self.ledger.reading() as connection:
            query = select(outbox).order_by(outbox.c.created_at, outbox.c.notice)
            rows = connection.execute(query).mappings().all()
        told = [(row["notice"].split(".", 1)[0], tuple(row["people"])) for row in rows]
        return [one for one in told if not one[0].startswith("alarm")]


BOSS = person("chen", Role.ENGINEERING_MANAGER)
FOREMAN = person("zhou", Role.FOREMAN)
OFFICER = person("qian", Role.OFFICER)
