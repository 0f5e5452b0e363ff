"""What a change does to the ledger: the alarm, its order, the timers, the messages to people.

What can never be written (two things claim one id, a value that no column takes) is undone
alone and set aside, so that it does not hold up what comes behind it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from sqlalchemy.exc import DataError, IntegrityError

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.alarm_life import AlarmLife
from rules.alarms.conditions import Change, Turn
from rules.alarms.topology import Topology, link_id
from rules.ledger import alarms, conditions, order_clocks, order_proofs, proofs, timers
from rules.ledger.roster import calendar_of
from rules.ledger.store import Entry
from rules.ledger.timers import Timer, TimerKind
from rules.lifecycle import IllegalTransitionError
from rules.orders.proof import Proof
from rules.orders_due import OrdersDue
from rules.rule import OrderTerms, Rulebook
from rules.shifts.calendar import Calendar

_NEVER = (IntegrityError, DataError, IllegalTransitionError)
"""Errors that another attempt would meet again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SetAside:
    """Something that the ledger can never take."""

    what: str
    subject: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Effects:
    """The writing side of the rules within one transaction."""

    entry: Entry
    site: Site
    rulebook: Rulebook
    topology: Topology
    now: Instant
    set_aside: list[SetAside] = field(default_factory=list)

    def write(self, change: Change) -> None:
        """An alarm begins or ends; nothing happens where that was written before."""
        with self._apart("alarm", change.occurrence):
            if change.turn is Turn.RAISED:
                self._alarms.begin(change)
            else:
                self._alarms.end(change)

    def let_fall_due(self) -> None:
        """What has waited for its time: of alarms and of orders."""
        for timer in timers.take_due(self.entry, self.now):
            with self._apart(timer.kind, timer.subject):
                self._fall_due(timer)
        self._alarms.tests.see_to()

    def withdraw_others(self, judged: Collection[tuple[str, str]]) -> None:
        """Whatever is not one of ``judged`` (rule, equipment) is judged by nothing any more."""
        self._alarms.withdraw_others(judged)
        conditions.forget_others(self.entry, judged)
        proofs.forget_others(self.entry, judged, self.now)

    def reconsider_orders(self) -> None:
        """Time limits and calendar may have changed."""
        order_clocks.to_reckon_all(self.entry, self.now)

    def keep_proofs(self, found: Collection[Proof]) -> None:
        """What telemetry has shown of completed work; what it has shown enough of is good."""
        for order_id, shown in proofs.save(self.entry, found, self.now).items():
            with self._apart("proof", order_id):
                order_proofs.close(self.entry, order_id, self.now, why=proofs.said(shown))

    def finish(self) -> None:
        """Call it once, last."""
        self._alarms.finish()

    @cached_property
    def _alarms(self) -> AlarmLife:
        return AlarmLife(
            entry=self.entry,
            site=self.site,
            rulebook=self.rulebook,
            topology=self.topology,
            now=self.now,
            calendar=self._calendar,
            apart=self._apart,
        )

    @cached_property
    def _orders_due(self) -> OrdersDue:
        return OrdersDue(self.entry, self.site, self.now, book=self.rulebook.order_book)

    def _terms(self, rule: str, equipment: str) -> OrderTerms | None:
        """What the rule says of its order; None: it is not judged there any more."""
        found = self.rulebook.variants.get((rule, equipment)) or self.rulebook.rules.get(rule)
        thing = self.site.equipment.get(equipment)
        is_link = equipment in map(link_id, self.site.links)
        if found is None or found.order is None or (thing is None and not is_link):
            return None
        counted = found.order.cycles
        has = set() if thing is None else {point.key for point in thing.points}
        if counted is not None and counted.point not in has:
            return replace(found.order, cycles=None)
        return found.order

    def _calendar(self) -> Calendar:
        return self._days

    @cached_property
    def _days(self) -> Calendar:
        """Read once: in a flood hundreds of orders are made of it."""
        return calendar_of(self.entry, self.site)

    def _fall_due(self, timer: Timer) -> None:
        match timer.kind:
            case TimerKind.ACK_EXPIRES:
                self._alarms.expire(timer.subject)
            case TimerKind.LOOK:
                self._alarms.look(timer.subject)
            case TimerKind.ORDER:
                self._alarms.order_now(timer.subject)
            case TimerKind.PROVE:
                order_proofs.prove(self.entry, timer.subject, self._terms, self.now)
            case TimerKind.TELL:
                alarms.tell(self.entry, timer.subject, self.now)
            case TimerKind.SHELF_OVER:
                self._alarms.end_shelf(timer.subject)
            case TimerKind.SERVICE_OVER:
                self._alarms.end_service_break(timer.subject)
            case TimerKind.TEST_STARTS:
                self._alarms.tests.start(timer.subject)
            case TimerKind.TEST_ENDS:
                self._alarms.tests.end(timer.subject)
            case _:
                self._orders_due.fall_due(timer)

    @contextmanager
    def _apart(self, what: str, subject: str) -> Iterator[None]:
        try:
            with self.entry.apart(*_NEVER):
                yield
        except _NEVER as error:
            self.set_aside.append(SetAside(what=what, subject=subject, error=str(error)))
