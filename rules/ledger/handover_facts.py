"""What the ledger and the readings say about a handover: what forbids it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from sqlalchemy import select

from gateway.latest import Current
from gateway.model.equipment import Equipment, Site
from gateway.model.point import Text
from gateway.model.quality import Quality
from rules.alarms.lifecycle import AlarmState
from rules.alarms.topology import link_id
from rules.handover.blocks import Block, blocks
from rules.handover.book import HandoverBook, RunningPoint
from rules.handover.facts import AnswerKind, Facts, Matter
from rules.handover.wording import alarm_title
from rules.ledger import handover_records
from rules.ledger.handover_view import Handover
from rules.ledger.roster import roster_of
from rules.ledger.rows import Alarm, WorkOrder
from rules.ledger.shift_log_view import ShiftLog
from rules.ledger.tables.handover import handover_answer
from rules.ledger.view import View
from rules.orders.lifecycle import NOT_CLOSED, RUNNING, OrderState
from rules.priority import Priority
from rules.rule import Rulebook
from rules.shifts.duty import Duty

_CALLS = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)
"""It is there, and people are called for it."""
_UP = tuple(state for state in AlarmState if state not in (AlarmState.NORMAL, AlarmState.CLOSED))
_AT_WORK = (OrderState.ON_SITE, OrderState.IN_PROGRESS)
_SETTLED = (
    OrderState.SUSPENDED,
    OrderState.COMPLETED,
    OrderState.VERIFIED,
    OrderState.CLOSED,
    OrderState.VOID,
)
"""Nobody is at work on it now, and somebody has said why."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A handover and everything around it, at one moment; what is asked for is read once."""

    view: View
    site: Site
    rulebook: Rulebook
    log: ShiftLog
    handover: Handover
    currents: Mapping[str, Current]
    now: int
    """µs UTC."""

    @property
    def book(self) -> HandoverBook:
        return self.rulebook.handover

    @cached_property
    def blocks(self) -> list[Block]:
        return blocks(self.book, self.facts, self.handover.passed)

    @cached_property
    def facts(self) -> Facts:
        relief = self.relief
        crew = [] if relief is None else list(relief.crew)
        accidents = self._accidents()
        named = {order.id for order in accidents}
        faults = self._faults()
        return Facts(
            answers=self.handover.given,
            relief={one.person.username: one.person.display_name for one in crew},
            required=max(len(crew), 0 if relief is None else relief.day.shift.minimum),
            arrived=frozenset(one.username for one in self.handover.arrivals),
            accidents=[_of_order(order) for order in accidents],
            faults=[_of_alarm(alarm) for alarm in faults],
            repairs=[
                _of_order(order)
                for order in self.orders
                if order.state in _AT_WORK and order.id not in named
            ],
            joint={
                order.id: order.both_crews for order in self.orders if order.both_crews is not None
            },
            abnormal=[*self._abnormal({alarm.id for alarm in faults}), *self._unknown()],
            differing=[
                *handover_records.numbers_that_differ(self.view, self.log, self.now),
                *handover_records.running_out_of_service(
                    self.view, self.site, self.book, self.currents
                ),
            ],
        )

    @property
    def explainable(self) -> set[str]:
        """Ids of what the outgoing crew may explain, or explain otherwise than before."""
        facts = self.facts
        open_ = {one.id for one in (*facts.abnormal, *facts.differing)}
        return open_ | {one.id for one in self.alarms if one.id in self.explanations}

    @cached_property
    def relief(self) -> Duty | None:
        """Who is to come, by the roster as it is now."""
        of = self.handover
        return duty_of(self.view, self.site, of.next_date, of.next_shift)

    @cached_property
    def alarms(self) -> list[Alarm]:
        """All that are not over, the most urgent first."""
        found = self.view.alarms(states=[state.value for state in _UP])
        return sorted(found, key=lambda alarm: (alarm.priority.rank, alarm.raised_at))

    @cached_property
    def orders(self) -> list[WorkOrder]:
        """All that are not closed, the most urgent first."""
        found = self.view.orders(states=[state.value for state in NOT_CLOSED])
        return sorted(found, key=lambda order: (order.priority.rank, order.number))

    @cached_property
    def out_of_service(self) -> frozenset[str]:
        return frozenset(one.equipment for one in self.view.service_breaks())

    @cached_property
    def explanations(self) -> Mapping[str, str]:
        """Alarm → what an outgoing crew has said of it, at this handover or one before."""
        ids = [alarm.id for alarm in self.alarms]
        found: dict[str, str] = {}
        for start in range(0, len(ids), 500):
            query = (
                select(handover_answer.c.subject, handover_answer.c.note)
                .where(handover_answer.c.site_id == self.view.site)
                .where(handover_answer.c.kind == AnswerKind.EXPLAIN.value)
                .where(handover_answer.c.subject.in_(ids[start : start + 500]))
                .order_by(handover_answer.c.change)
            )
            found.update({row.subject: row.note for row in self.view.connection.execute(query)})
        return found

    def called(self, about: str) -> Text:
        """How the crews call what an answer is about: an alarm, an order, equipment, a record."""
        for one in (*self.facts.abnormal, *self.facts.differing):
            if one.id == about:
                return one.text
        alarm, order = self.view.alarm(about), self.view.order(about)
        if alarm is not None:
            return alarm_title(alarm.equipment_name, alarm.name)
        if order is not None:
            return _of_order(order).text
        thing = self.site.equipment.get(about)
        return Text(zh=about, en=about) if thing is None else thing.name

    def running(self) -> list[tuple[Equipment, RunningPoint, Current | None]]:
        """The units of the classes that say whether they run; None: nothing was heard."""
        by_class = {row.equipment_class: row for row in self.book.running}
        found = []
        for thing in self.site.equipment.values():
            row = by_class.get(thing.equipment_class)
            if row is not None and any(point.key == row.point for point in thing.points):
                found.append((thing, row, self.currents.get(f"{thing.id}.{row.point}")))
        return found

    def _accidents(self) -> list[WorkOrder]:
        """An emergency or a fire (S1 4.1.8.4) that somebody has still to see to."""
        safety = {
            alarm.order.id for alarm in self.alarms if alarm.life_safety and alarm.order is not None
        }
        return [
            order
            for order in self.orders
            if order.state in RUNNING
            and order.state is not OrderState.SUSPENDED
            and (order.priority is Priority.CRITICAL or order.id in safety)
        ]

    def _faults(self) -> list[Alarm]:
        """What came up since the relief is there, and nobody has settled."""
        met = self.handover.met_at
        if met is None:
            return []
        return [
            alarm
            for alarm in self.alarms
            if alarm.priority in self.book.stopped_by
            and alarm.state in _CALLS
            and _came_up(alarm) >= met
            and alarm.test is None
            and not self._is_settled(alarm)
        ]

    def _abnormal(self, others: Collection[str]) -> list[Matter]:
        """Alarms of which nobody has said why (S1 7.5)."""
        return [
            _of_alarm(alarm)
            for alarm in self.alarms
            if alarm.priority in self.book.stopped_by
            and alarm.state in (*_CALLS, AlarmState.RETURNED_UNACKNOWLEDGED)
            and alarm.id not in others
            and alarm.test is None
            and not (alarm.note or "").strip()
            and alarm.id not in self.explanations
            and not self._is_settled(alarm)
        ]

    def _unknown(self) -> list[Matter]:
        """Units of which nobody knows whether they run, and no alarm says why."""
        told = {alarm.equipment for alarm in self.alarms}
        return [
            Matter(
                id=thing.id,
                text=Text(
                    zh=f"{thing.name.zh} 运行情况不明",
                    en=f"{thing.name.en}: nobody knows whether it runs",
                ),
            )
            for thing, _, current in self.running()
            if not is_known(current)
            and thing.id not in self.out_of_service
            and thing.id not in told
            and link_id(thing.link) not in told
        ]

    def _is_settled(self, alarm: Alarm) -> bool:
        order = next((one for one in self.orders if alarm.id in one.alarms), None)
        return order is not None and order.state in _SETTLED


def is_known(current: Current | None) -> bool:
    """Whether the reading can be trusted now."""
    return current is not None and current.reading.quality is Quality.GOOD


def duty_of(view: View, site: Site, day: date, shift: str) -> Duty | None:
    """Who holds ``shift`` of ``day`` by the roster as it is now; None: it is not held any more."""
    roster = roster_of(view, site, day, day)
    found = roster.between(day, day)
    return next((duty for duty in found if duty.day.shift.id == shift), None)


def names_of(site: Site, rulebook: Rulebook) -> Callable[[str], Text | None]:
    """How the subject of a deed is called: a rule on equipment, equipment, or a point of it."""

    def called(subject: str) -> Text | None:
        rule, _, equipment = subject.rpartition(" ")
        thing = site.equipment.get(equipment)
        if rule and thing is not None and rule in rulebook.rules:
            return alarm_title(thing.name, rulebook.rules[rule].name)
        if not rule and thing is not None:
            return thing.name
        point = site.points.get(subject)
        if point is None:
            return None
        return alarm_title(site.equipment[point.equipment].name, point.name)

    return called


def _of_alarm(alarm: Alarm) -> Matter:
    return Matter(
        id=alarm.id,
        text=alarm_title(alarm.equipment_name, alarm.name),
        since=_came_up(alarm),
    )


def _came_up(alarm: Alarm) -> int:
    """The last time, µs UTC."""
    return max(alarm.raised_at, alarm.last_raised_at or 0)


def _of_order(order: WorkOrder) -> Matter:
    title = order.title
    text = Text(zh=f"#{order.number} {title.zh}", en=f"#{order.number} {title.en}")
    return Matter(id=order.id, text=text)
