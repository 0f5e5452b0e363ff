"""A ledger with its rounds, kept by hand as the service keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from duty_room import SITE, site
from inspections import at, currents, regime, rulebook
from sqlalchemy import select

from gateway.clock import ManualClock
from gateway.latest import Current
from gateway.model.moment import SECOND, Instant
from rules.inspections.lifecycle import RoundState
from rules.inspections.regime import Regime
from rules.inspections.upkeep import Upkeep
from rules.ledger import round_view
from rules.ledger.round_rows import KeptItem, Round
from rules.ledger.round_view import Wanted
from rules.ledger.rows import WorkOrder
from rules.ledger.store import Ledger
from rules.ledger.tables.outbox import outbox
from rules.orders.book import OrderBook

HOOK = "http://127.0.0.1:1/hook"
HERE = site(webhooks=(HOOK,))
TODAY = "daily-pumps.b1.2026-11-21"
Said = Mapping[str, float | Current]


@dataclass
class Desk:
    """A ledger, its rounds and a clock that stands at 07:00 on 2026-11-21."""

    ledger: Ledger
    regimes: tuple[Regime, ...] = (regime(),)
    clock: ManualClock = field(default_factory=lambda: ManualClock(at("2026-11-21 07:00")))
    told: int = 0
    book: OrderBook = field(default_factory=OrderBook)
    history: Any = None

    @property
    def now(self) -> Instant:
        return self.clock.now()

    def go(self, when: str) -> Instant:
        return self.clock.advance((at(when) - self.now.wall) / SECOND)

    def tick(self, said: Said | None = None, *, silent: bool = False) -> int:
        """What the service does, in a process that has just been started."""
        known = replace(rulebook(*self.regimes), order_book=self.book)
        upkeep = Upkeep(site=HERE, rulebook=known, ledger=self.ledger, history=self.history)
        upkeep.plan(self.now)
        readings = {} if silent else currents(self.now, HERE, said)
        soonest = upkeep.keep(self.now, readings, told=self.told or self.now.wall)
        self.told = self.now.wall
        return soonest

    def plan(self) -> None:
        """What a process does that dies before it has opened anything."""
        Upkeep(site=HERE, rulebook=rulebook(*self.regimes), ledger=self.ledger).plan(self.now)

    def all(self, **wanted: RoundState) -> list[Round]:
        with self.ledger.read(SITE) as view:
            return round_view.rounds(view, Wanted(**wanted), now=self.now.wall)

    def states(self) -> dict[str, str]:
        return {found.id: found.state(self.now.wall).value for found in self.all()}

    def items(self, round_id: str = TODAY) -> dict[str, KeptItem]:
        with self.ledger.read(SITE) as view:
            return {kept.item.key: kept for kept in round_view.items(view, round_id)}

    def events(self, round_id: str = TODAY) -> list[tuple[str, str, str]]:
        with self.ledger.read(SITE) as view:
            found = round_view.round_events(view, round_id)
        return [(step.event, step.from_state, step.to_state) for step in found]

    def orders(self) -> list[WorkOrder]:
        with self.ledger.read(SITE) as view:
            return view.orders()

    def notices(self) -> list[str]:
        """Oldest first: without an order PostgreSQL gives back what was changed last, last."""
        query = select(outbox.c.notice).order_by(outbox.c.created_at, outbox.c.notice)
        with self.ledger.reading() as connection:
            return list(connection.execute(query).scalars())
