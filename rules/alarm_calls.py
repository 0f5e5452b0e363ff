"""Calling people for an alarm: the messages, and the order that answers it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules import waiting_orders
from rules.ledger import order_rows, orders
from rules.ledger.alarms import Standing
from rules.ledger.rows import Alarm
from rules.ledger.store import Entry
from rules.ledger.view import View
from rules.notify.notice import of_alarm, of_alarm_again
from rules.notify.posting import post
from rules.orders.lifecycle import NOT_CLOSED, RUNNING
from rules.rule import Rule, Rulebook
from rules.shifts.calendar import Calendar


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmCalls:
    """The calls for the alarms of one site within one transaction."""

    entry: Entry
    site: Site
    rulebook: Rulebook
    now: Instant
    calendar: Callable[[], Calendar]
    apart: Callable[[str, str], AbstractContextManager[None]]
    """Undoes alone what can never be written."""

    def first(self, one: Standing, raised: Alarm, at: Instant) -> None:
        """``one`` is there for the first time; ``at``: when, by whoever saw it."""
        post(self.entry, self.site, of_alarm(raised), self.now)
        self.answer(one, at, came_back=True, alarm=raised)

    def again(self, one: Standing) -> None:
        post(self.entry, self.site, of_alarm_again(self._read(one), self.now.wall), self.now)

    def call(self, one: Standing) -> None:
        """Nobody was called for it, whatever became of it since."""
        if one.count > 1:
            self.again(one)
        else:
            post(self.entry, self.site, of_alarm(self._read(one)), self.now)
        self.answer(one, self.now, came_back=True)

    def answer(
        self,
        one: Standing,
        at: Instant,
        *,
        came_back: bool,
        alarm: Alarm | None = None,
        since: int | None = None,
    ) -> None:
        """See that an order answers it. ``came_back``: completed work was of no use. ``since``:
        from when on it may have waited for working time (µs UTC); None: from now."""
        rule = self.rule(one)
        if rule is None or rule.order is None:
            return
        if one.order_id is not None:
            row = order_rows.find(self.entry, one.order_id)
            enough = RUNNING if came_back else NOT_CLOSED
            if row is not None and row["state"] in enough:
                return
        if waiting_orders.waits(
            self.entry,
            one,
            rule,
            book=self.rulebook.order_book,
            calendar=self.calendar,
            since=since or self.now.wall,
            now=self.now,
        ):
            return
        # An alarm without its order is still better than no alarm.
        with self.apart("order", one.id):
            orders.answer(
                self.entry,
                alarm or self._read(one),
                rule.order,
                at=at,
                now=self.now,
                calendar=self.calendar(),
                book=self.rulebook.order_book,
            )

    def came_back(self, one: Standing) -> bool:
        """Whether it came up again, with nobody called, after its order was completed."""
        row = None if one.order_id is None else order_rows.find(self.entry, one.order_id)
        if row is None or row["completed_wall"] is None:
            return False
        return bool((one.last_raised_at or one.raised_at) > row["completed_wall"])

    def rule(self, one: Standing) -> Rule | None:
        """What has raised it, with the limits of the site's own; None: it is gone."""
        own = self.rulebook.variants.get((one.rule, one.equipment))
        return own or self.rulebook.rules.get(one.rule)

    def _read(self, one: Standing) -> Alarm:
        found = View(connection=self.entry.connection, site=self.entry.site).alarm(one.id)
        assert found is not None
        return found
