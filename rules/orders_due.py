"""What falls due of work orders, and what follows: a breach, a step of the escalation. All of it
in one transaction with the messages that tell of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from sqlalchemy import RowMapping

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules import order_notices
from rules.ledger import order_clocks, timers
from rules.ledger.order_rows import clocks_of, find, move, pauses_of
from rules.ledger.roster import calendar_of, leaves_of, on_duty, people_of, rotation_of
from rules.ledger.store import Entry
from rules.ledger.timers import Timer, TimerKind
from rules.notify.posting import post
from rules.orders.book import OrderBook
from rules.orders.clock import Clock, ClockName, allowed, due_of, when
from rules.orders.escalation import Step
from rules.orders.lifecycle import RUNNING, OrderEvent, OrderState
from rules.orders.targets import visit_until
from rules.people.people import Person
from rules.people.roles import Role
from rules.priority import Priority
from rules.shifts.calendar import Calendar
from rules.shifts.duty import Duty, Leave
from rules.shifts.local_time import date_of

_REPAIRS = (Role.TECHNICIAN, Role.FOREMAN)
"""Who takes orders."""


class OrdersDue:
    """What falls due of the orders of one site within one transaction; calendar, roster and people
    are read once."""

    def __init__(self, entry: Entry, site: Site, now: Instant, *, book: OrderBook) -> None:
        self._entry = entry
        self._site = site
        self._now = now
        self._book = book

    def fall_due(self, timer: Timer) -> None:
        """Do what ``timer`` of an order has waited for."""
        match timer.kind:
            case TimerKind.RECKON:
                self.reckon(timer.subject)
            case TimerKind.STAFF:
                self.look_for_somebody(timer.subject)
            case TimerKind.URGENT:
                self.hurry(timer.subject)
            case TimerKind.PROMISE:
                self.remind_of_promise(timer.subject)
            case TimerKind.VISIT:
                self.remind_of_visit(timer.subject)
            case TimerKind.BREACH:
                self.breach(*order_clocks.of_subject(timer.subject))
            case TimerKind.ESCALATE:
                self.escalate(*order_clocks.of_subject(timer.subject))
            case _:
                raise AssertionError(f"{timer.kind} is no timer of an order")

    def reckon(self, order_id: str) -> None:
        order_clocks.reckon(self._entry, order_id, self._book, self._now, self._calendar)

    def breach(self, order_id: str, name: ClockName) -> None:
        """The time allowed is over, by what is in force now: once for each clock."""
        self.reckon(order_id)
        found = self._running(order_id, name)
        if found is None:
            return
        row, clock = found
        pauses = pauses_of(self._entry, order_id)
        due = due_of(clock, pauses, self._now, self._calendar)
        if clock.breached_at is not None or not self._now.reached(due):
            return
        order_clocks.breached(self._entry, order_id, name, self._now.wall)
        move(self._entry, row, OrderEvent.BREACH, self._now.wall, why=name.value)
        to = self._holder(row)
        notice = order_notices.of_breach(self._entry, row, name, to=to, at=self._now.wall)
        post(self._entry, self._site, notice, self._now)

    def escalate(self, order_id: str, name: ClockName) -> None:
        """The steps of a clock whose time has come, by what is in force now."""
        self.reckon(order_id)
        found = self._running(order_id, name)
        if found is None:
            return
        row, clock = found
        steps = self._steps(row, name)
        pauses, span = pauses_of(self._entry, order_id), allowed(clock, self._calendar)
        due = clock.steps_taken
        for step in steps[due:]:
            counted = step.counted(span)
            if not self._now.reached(when(clock, pauses, self._now, self._calendar, counted)):
                break
            due += 1
        if due > clock.steps_taken:
            self._take_steps(row, clock, steps, due)
            self.reckon(order_id)

    def hurry(self, order_id: str) -> None:
        """It lay suspended and has become more urgent: whoever has it goes on now."""
        row = find(self._entry, order_id)
        if row is None or row["state"] not in RUNNING:
            return
        holder = self._holder(row)
        if not holder:
            self.look_for_somebody(order_id)
            return
        name = ClockName.COMPLETE
        notice = order_notices.of_step(self._entry, row, name, 0, to=holder, at=self._now.wall)
        post(self._entry, self._site, notice, self._now)

    def remind_of_promise(self, order_id: str) -> None:
        """It is not done by the time that was promised: whoever has it and the foremen hear."""
        row = find(self._entry, order_id)
        if row is None or row["state"] not in RUNNING or row["promised_until"] is None:
            return
        if row["promised_until"] > self._now.wall:
            order_clocks.promised(self._entry, order_id, row["promised_until"], self._now)
            return
        move(self._entry, row, OrderEvent.BREACH, self._now.wall, why="promise")
        to = tuple(dict.fromkeys((*self._holder(row), *self._meant(row, Role.FOREMAN))))
        notice = order_notices.of_promise(self._entry, row, to=to, at=self._now.wall)
        post(self._entry, self._site, notice, self._now)

    def remind_of_visit(self, order_id: str) -> None:
        """Who asked for it was not visited in time: the officers hear of that, once."""
        row = find(self._entry, order_id)
        if row is None or row["state"] != OrderState.VERIFIED or row["verified_at"] is None:
            return
        until = visit_until(
            row["verified_at"], self._calendar, self._book.targets.visit_within_days
        )
        left = until - self._now.wall
        if left > 0:
            due = self._now.plus(left)
            timers.start(self._entry, TimerKind.VISIT, order_id, due, allowed=left)
            return
        move(self._entry, row, OrderEvent.BREACH, self._now.wall, why="visit")
        to = self._meant(row, Role.OFFICER)
        notice = order_notices.of_visit(self._entry, row, to=to, at=self._now.wall)
        post(self._entry, self._site, notice, self._now)

    def look_for_somebody(self, order_id: str) -> None:
        """Nobody on duty who could take it: that is told, and the first step is taken at once."""
        row = find(self._entry, order_id)
        if row is None or row["state"] not in RUNNING or self._holder(row):
            return
        if row["state"] == OrderState.OPEN and self._is_anybody_there(row):
            return
        running = [one for one in clocks_of(self._entry, order_id).values() if one.is_running]
        first = next((one for one in running if self._has_steps(row, one)), None)
        name, taken = ClockName.RESPOND, 0
        if first is not None:
            name, taken = first.name, first.steps_taken
        at = self._now.wall
        notice = order_notices.of_nobody(self._entry, row, name, taken, (), at=at)
        post(self._entry, self._site, notice, self._now)
        if first is not None:
            steps = self._steps(row, name)
            self._take_steps(row, first, steps, taken + 1, why="nobody on duty")
            self.reckon(order_id)

    def _is_anybody_there(self, row: RowMapping) -> bool:
        return any(self._meant(row, role, only_on_duty=self._has_rotation) for role in _REPAIRS)

    def _has_steps(self, row: RowMapping, clock: Clock) -> bool:
        return clock.steps_taken < len(self._steps(row, clock.name))

    def _take_steps(
        self,
        row: RowMapping,
        clock: Clock,
        steps: Sequence[Step],
        due: int,
        why: str | None = None,
    ) -> None:
        """Take the steps before the one numbered ``due``; whom the last of them means is told.

        Steps with nobody in them are passed over at once, and that is told. ``why``: they are
        taken although their time has not come, and that has been told.
        """
        empty: list[Role] = []
        passed: list[Role] = []
        """Empty steps that are not written yet."""
        people: tuple[str, ...] = ()
        number = taken = clock.steps_taken
        while taken < len(steps) and (taken < due or passed):
            to, taken = steps[taken].to, taken + 1
            meant = self._meant(row, to)
            if not meant:
                empty.append(to)
                passed.append(to)
                continue
            number, people = taken - 1, meant
            self._write_passed(row, clock.name, passed)
            passed = []
            self._write_step(row, clock.name, to, people, why)
        self._write_passed(row, clock.name, passed)
        order_clocks.step_taken(self._entry, row["id"], clock.name, taken)
        at, name = self._now.wall, clock.name
        if empty and why is None:
            last = taken - 1
            notice = order_notices.of_nobody(self._entry, row, name, last, empty, at=at)
            post(self._entry, self._site, notice, self._now)
        if people:
            notice = order_notices.of_step(self._entry, row, name, number, to=people, at=at)
            post(self._entry, self._site, notice, self._now)

    def _write_step(
        self, row: RowMapping, name: ClockName, to: Role, people: Sequence[str], why: str | None
    ) -> None:
        said = f"{name.value}: {to.value}: {', '.join(people)}"
        said = said if why is None else f"{said} ({why})"
        at = self._now.wall
        move(self._entry, row, OrderEvent.REMIND, at, why=said, escalated_to=to.value)

    def _write_passed(self, row: RowMapping, name: ClockName, passed: Sequence[Role]) -> None:
        if passed:
            roles = ", ".join(dict.fromkeys(role.value for role in passed))
            why = f"{name.value}: no {roles}"
            move(self._entry, row, OrderEvent.REMIND, self._now.wall, why=why)

    def _holder(self, row: RowMapping) -> tuple[str, ...]:
        """User name of whoever has the order, or is to take it; nobody where they are gone."""
        has = row["assigned_to"]
        return tuple(one.username for one in self._people if one.username == has and one.active)

    def _meant(self, row: RowMapping, role: Role, *, only_on_duty: bool = False) -> tuple[str, ...]:
        """User names: of a technician whoever has the order, else those of the role who are on
        duty, else all of that role who are not on leave.

        Whoever is on duty answers for the whole site, whichever areas are their team's: nobody
        else is there.
        """
        holder = self._holder(row)
        if role is Role.TECHNICIAN and holder:
            return holder
        there = () if self._duty is None else [member.person for member in self._duty.crew]
        names = self._names(there, row, role)
        if names or only_on_duty:
            return names
        return self._names([one for one in self._people if not self._is_away(one)], row, role)

    def _names(self, people: Sequence[Person], row: RowMapping, role: Role) -> tuple[str, ...]:
        return tuple(
            person.username
            for person in people
            if person.role is role and person.active and self._is_of(person.areas, row)
            if not person.contractor or self._is_skilled(person, row)
        )

    def _is_skilled(self, person: Person, row: RowMapping) -> bool:
        """Whoever maintains the lifts is not called for a pump."""
        wanted = self._book.skills.get(row["category"], ())
        return not wanted or bool(set(person.skills) & set(wanted))

    def _is_away(self, person: Person) -> bool:
        return any(leave.username == person.username for leave in self._leaves)

    def _is_of(self, areas: Sequence[str], row: RowMapping) -> bool:
        """Whether somebody of ``areas`` (empty: of all) answers for the place of the order."""
        return not areas or row["area"] not in self._site.areas or row["area"] in areas

    def _steps(self, row: RowMapping, name: ClockName) -> Sequence[Step]:
        of = (row["category"], row["cause_key"], Priority(row["priority"]))
        plan = self._book.escalation.of(*of)
        return () if plan is None else plan.of(name)

    def _running(self, order_id: str, name: ClockName) -> tuple[RowMapping, Clock] | None:
        """The order and its clock; None where nobody waits for it any more, or nobody can go on."""
        row = find(self._entry, order_id)
        clock = clocks_of(self._entry, order_id).get(name)
        if row is None or row["state"] not in RUNNING or clock is None or not clock.is_running:
            return None
        if any(pause.end is None for pause in pauses_of(self._entry, order_id)):
            return None
        return row, clock

    @cached_property
    def _duty(self) -> Duty | None:
        return on_duty(self._entry, self._site, self._now.wall)

    @cached_property
    def _leaves(self) -> Sequence[Leave]:
        """Those of today."""
        today = date_of(self._now.wall, self._site.zone)
        return leaves_of(self._entry, today, today)

    @cached_property
    def _people(self) -> Sequence[Person]:
        return list(people_of(self._entry).values())

    @cached_property
    def _has_rotation(self) -> bool:
        return rotation_of(self._entry, self._site.zone) is not None

    @cached_property
    def _calendar(self) -> Calendar:
        return calendar_of(self._entry, self._site)
