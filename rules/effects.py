"""What a change does to the ledger: the alarm, its order, the timers, the messages to people.

What can never be written (two things claim one id, a value that no column takes) is undone
alone and set aside, so that it does not hold up what comes behind it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.exc import DataError, IntegrityError

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from gateway.model.point import Text
from rules.alarms.conditions import Change, Turn
from rules.alarms.lifecycle import AlarmState
from rules.alarms.occurrence import alarm_of
from rules.ledger import alarms, conditions, orders, outbox, timers
from rules.ledger.roster import calendar_of
from rules.ledger.store import Entry
from rules.ledger.timers import Timer, TimerKind
from rules.lifecycle import IllegalTransitionError
from rules.notify.notice import Notice, of_alarm, of_breach
from rules.rule import Priority
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
    now: Instant
    set_aside: list[SetAside] = field(default_factory=list)

    def write(self, change: Change) -> None:
        """An alarm begins or ends; nothing happens where that was written before."""
        with self._apart("alarm", change.occurrence):
            if change.turn is Turn.RAISED:
                self._begin(change)
            elif alarms.clear(self.entry, change.occurrence, change.at.wall):
                self._wait_for_close(change.occurrence)

    def let_fall_due(self) -> None:
        """Close and breach the orders whose time has come."""
        for timer in timers.take_due(self.entry, self.now, self._calendar):
            with self._apart(timer.kind, timer.subject):
                self._fall_due(timer)

    def withdraw_others(self, judged: Collection[tuple[str, str]]) -> None:
        """Whatever is not one of ``judged`` (rule, equipment) is judged by nothing any more."""
        for alarm in alarms.present(self.entry):
            rule, equipment = alarm["rule"], alarm["equipment"]
            if (rule, equipment) in judged:
                continue
            why = f"rule {rule} is no longer in force for {equipment}"
            if equipment not in self.site.equipment:
                why = f"{equipment} is no longer installed"
            with self._apart("withdrawal", alarm["id"]):
                state = AlarmState(alarm["state"])
                alarms.withdraw(self.entry, alarm["id"], state, why=why, at=self.now.wall)
                self._wait_for_close(alarm["id"])
        conditions.forget_others(self.entry, judged)

    def _begin(self, change: Change) -> None:
        alarm = alarm_of(change)
        if not alarms.record(self.entry, alarm):
            return
        self._post(of_alarm(alarm))
        if change.rule.order is not None:
            # An alarm without its order is still better than no alarm.
            with self._apart("order", alarm.id):
                orders.answer(
                    self.entry,
                    alarm,
                    change.rule.order,
                    at=change.at,
                    now=self.now,
                    calendar=self._calendar(),
                )

    def _calendar(self) -> Calendar:
        return calendar_of(self.entry, self.site)

    def _wait_for_close(self, alarm_id: str) -> None:
        order = alarms.order_of(self.entry, alarm_id)
        if order is not None:
            orders.wait_for_close(self.entry, order, self.now)

    def _fall_due(self, timer: Timer) -> None:
        if timer.kind is TimerKind.CLOSE:
            orders.close(self.entry, timer.subject, self.now)
            return
        order = orders.breach(self.entry, timer.subject, self.now)
        if order is not None:
            notice = of_breach(
                order=timer.subject,
                number=order["number"],
                title=Text(**order["title"]),
                priority=Priority(order["priority"]),
                at=self.now.wall,
            )
            self._post(notice)

    def _post(self, notice: Notice) -> None:
        body = notice.body(self.site.zone)
        to, priority = self.site.webhooks, notice.priority
        outbox.post(self.entry, notice.id, body, to, priority=priority, now=self.now)

    @contextmanager
    def _apart(self, what: str, subject: str) -> Iterator[None]:
        try:
            with self.entry.connection.begin_nested():
                yield
        except _NEVER as error:
            self.set_aside.append(SetAside(what=what, subject=subject, error=str(error)))
