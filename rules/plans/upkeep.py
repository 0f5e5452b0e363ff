"""What has to be done about maintenance as time goes on: planned, announced, opened, counted.

Whoever does it, and however often: what is due is planned by its id, and announced and opened by a
conditional update.

After a downtime: what came due meanwhile is planned all the same, up to :data:`LOOK_BACK`, and its
order is raised on return. Of one plan and subject only the newest has an order; what was due before
and not done is missed, and shown as that. An advance notice that was missed goes out at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

import structlog
from sqlalchemy.exc import DataError, IntegrityError

from gateway.latest import Current
from gateway.model.equipment import Site
from gateway.model.moment import DAY, MINUTE, Instant
from gateway.model.quality import Quality
from rules.contractor_link import Links
from rules.ledger import plan_view, plans
from rules.ledger.plan_rows import Counted, PlanDue, count_columns
from rules.ledger.roster import calendar_of
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables.plans import plan_counter
from rules.ledger.view import View
from rules.lifecycle import IllegalTransitionError
from rules.plans.calendar import Due, IsWorking, Times, following, scheduled, times_of
from rules.plans.counting import Count, Turn, fed, is_reached, started_anew
from rules.plans.plan import CounterGoal, Plan, Schedule, SinceLast
from rules.plans.subjects import Subject, subjects
from rules.rule import Rulebook
from rules.shifts.local_time import date_of

_log = structlog.get_logger(__name__)

_NEVER = (IntegrityError, DataError, IllegalTransitionError)
"""Errors that another attempt would meet again."""

LOOK_BACK = 92
"""Days for which maintenance is planned afterwards."""
AHEAD = 35
"""Days for which it is planned before its order is raised: people see and postpone it."""

_KEEP_EVERY = 10 * MINUTE
"""µs between two commits of a counter: it grows for months."""

_TURNS: Mapping[Turn, str] = {
    Turn.SET_BACK: "counter was set back to {now:g} from {before:g}: counted on from there",
    Turn.JUMPED: "counter jumped from {before:g} to {now:g}: counted on from there",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pending:
    """What planning would change."""

    new: list[Due]
    moved: list[tuple[PlanDue, Due]]
    restored: list[tuple[PlanDue, Due]]
    withdrawn: list[PlanDue]

    @property
    def is_empty(self) -> bool:
        return not (self.new or self.moved or self.restored or self.withdrawn)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """What the counters of one that is due have come to."""

    plan: Plan
    found: PlanDue
    changed: list[Counted]
    odd: list[str]
    opens: tuple[CounterGoal, Count] | None
    """The counter that makes it due now."""


class Upkeep:
    """The maintenance of one site; each step is one transaction."""

    def __init__(
        self, *, site: Site, rulebook: Rulebook, ledger: Ledger, links: Links | None = None
    ) -> None:
        self._site = site
        self._links = links
        self._book = rulebook.order_book
        self._ledger = ledger
        self._duties: dict[tuple[str, str], tuple[Plan, Subject]] = {
            (plan.id, subject.id): (plan, subject)
            for plan in rulebook.plans.values()
            for subject in subjects(plan, site)
        }

    def plan(self, now: Instant) -> None:
        """Write what calendar and completions say and the ledger does not; nothing is written
        where they agree."""
        with self._ledger.read(self._site.id) as view:
            is_same = plan_view.duties(view).keys() == self._duties.keys()
            if is_same and self._pending(view, now.wall).is_empty:
                return
        with self._ledger.write(self._site.id) as entry:
            plans.set_duties(entry, self._duties.keys(), now.wall)
            # Again, now that nobody else writes.
            view = View(connection=entry.connection, site=entry.site)
            self._write(entry, self._pending(view, now.wall), now.wall)

    def keep(self, now: Instant, *, told: int) -> int:
        """Announce and open what has come, and tell of what has turned late since ``told`` (µs
        UTC). When to look again, µs UTC, unless something is planned before."""
        with self._ledger.read(self._site.id) as view:
            waiting = plan_view.not_over(view)
        soonest, turned = now.wall + DAY, []
        for found in waiting:
            facts = found.facts
            moments = [found.notice_at, facts.opens_at, facts.due_at, facts.overdue_at]
            soonest = min([soonest, *(at for at in moments if at is not None and at > now.wall)])
            if any(at is not None and told < at <= now.wall for at in moments[2:]):
                turned.append(found.id)
            if _has_come(found.notice_at, now) and found.noticed_at is None:
                self._announce(found, now)
            if _has_come(facts.opens_at, now) and not found.is_opened:
                self._open(found, now)
        if turned:
            with self._ledger.write(self._site.id) as entry:
                plans.tell(entry, turned, now.wall)
        return soonest

    def count(self, now: Instant, currents: Mapping[str, Current]) -> None:
        """Count on what the counters of plans say, and open what they make due.

        ``currents``: every reading as judged at ``now``; only good ones count.
        """
        if not any(plan.goals for plan, _ in self._duties.values()):
            return
        with self._ledger.read(self._site.id) as view:
            newest, counters = plan_view.newest(view), plan_view.counters(view)
        counts = []
        for key, (plan, _) in self._duties.items():
            found = next(iter(newest.get(key, ())), None)
            if plan.goals and found is not None and not found.is_over:
                counts.append(_counted(plan, found, counters, currents))
        if not any(one.changed or one.opens for one in counts):
            return
        # In one: a large site has hundreds of counters, and alarms wait meanwhile.
        with self._ledger.write(self._site.id) as entry:
            entry.put(
                plan_counter, [count_columns(count) for one in counts for count in one.changed]
            )
            for one in counts:
                for why in one.odd:
                    plans.counter_turned(entry, one.found, now.wall, why=why)
                if one.opens is not None:
                    self._open_by_counter(entry, one, one.opens, now)

    def _open_by_counter(
        self,
        entry: Entry,
        one: _Look,
        reached: tuple[CounterGoal, Count],
        now: Instant,
    ) -> None:
        plan, found, (goal, count) = one.plan, one.found, reached
        today = date_of(now.wall, self._site.zone)
        day = today + timedelta(days=plan.allowed)
        if found.day is not None and found.day < day:
            day = found.day
        times = replace(times_of(plan, day, self._site.zone), opens_at=now.wall)
        opened = plans.open_(
            entry,
            self._site,
            found,
            book=self._book,
            calendar=calendar_of(entry, self._site),
            now=now,
            links=self._links,
            by_counter=(times, day),
            why=f"{goal.point} grew by {count.grown:g} of {goal.every:g}",
        )
        if opened and times.notice_at is not None:
            view = View(connection=entry.connection, site=entry.site)
            again = plan_view.due_with(view, found.id)
            assert again is not None
            plans.announce(entry, self._site, again, now)

    def _announce(self, found: PlanDue, now: Instant) -> None:
        with self._ledger.write(self._site.id) as entry:
            plans.announce(entry, self._site, found, now)

    def _open(self, found: PlanDue, now: Instant) -> None:
        """One that the ledger does not take holds up no other."""
        try:
            with self._ledger.write(self._site.id) as entry:
                plans.open_(
                    entry,
                    self._site,
                    found,
                    book=self._book,
                    calendar=calendar_of(entry, self._site),
                    now=now,
                    links=self._links,
                )
        except _NEVER as error:
            _log.error("maintenance cannot be opened", due=found.id, error=str(error))

    def _pending(self, view: View, now: int) -> _Pending:
        today = date_of(now, self._site.zone)
        is_working = calendar_of(view, self._site).is_working
        since = plan_view.duties(view)
        first = today - timedelta(days=LOOK_BACK)
        by_schedule = self._scheduled(since, is_working, first, today, now)
        known = plan_view.known(view, first=first)
        pending = _Pending(new=[], moved=[], restored=[], withdrawn=[])
        for due_id, due in by_schedule.items():
            if due_id not in known:
                pending.new.append(due)
            else:
                _compare(pending, known[due_id], due)
        for found in plan_view.not_over(view):
            is_gone = (found.plan, found.subject) not in self._duties
            if found.number is None and found.period >= first.isoformat():
                # Somebody has approved another day for one that was postponed: it is kept.
                is_gone |= found.id not in by_schedule and not found.postponed
            if is_gone and not found.is_opened and found.void_by is None:
                pending.withdrawn.append(found)
        self._follow(view, pending, since, is_working, now)
        return pending

    def _scheduled(
        self,
        since: Mapping[tuple[str, str], int],
        is_working: IsWorking,
        first: date,
        today: date,
        now: int,
    ) -> dict[str, Due]:
        """By id, what has to be by schedule. What was due already when its plan came into force
        was nobody's to do."""
        found = {}
        for (name, subject), (plan, _) in self._duties.items():
            if not isinstance(plan.trigger, Schedule):
                continue
            last = today + timedelta(days=AHEAD + plan.allowed)
            zone, begin = self._site.zone, since.get((name, subject), now)
            for due in scheduled(plan, subject, zone, is_working, first=first, last=last):
                assert due.times is not None
                # An anchor that nobody has set for this one is anybody's guess: nothing is
                # raised for it all at once when the plan comes into force.
                is_own = subject in plan.trigger.anchors
                if (due.times.due_at if is_own else due.times.opens_at) > begin:
                    found[due.id] = due
        return found

    def _follow(
        self,
        view: View,
        pending: _Pending,
        since: Mapping[tuple[str, str], int],
        is_working: IsWorking,
        now: int,
    ) -> None:
        """Of plans that count from the last time: the next one, where that is over."""
        newest = plan_view.newest(view)
        for key, (plan, subject) in self._duties.items():
            if not isinstance(plan.trigger, SinceLast):
                continue
            last, before = (*newest.get(key, ()), None, None)[:2]
            begun = date_of(since.get(key, now), self._site.zone)
            begun = plan.trigger.last_done.get(subject.id, begun)
            if last is None:
                pending.new.append(self._following(plan, subject, is_working, 1, begun))
                continue
            assert last.number is not None
            end = _end(last)
            if end is not None and not _is_withdrawn(last):
                day = date_of(end, self._site.zone)
                pending.new.append(self._following(plan, subject, is_working, last.number + 1, day))
                continue
            if before is not None and (ended := _end(before)) is None:
                continue  # its work was not good: the day waits until it is
            if before is not None:
                assert ended is not None
                begun = date_of(ended, self._site.zone)
            due = self._following(plan, subject, is_working, last.number, begun)
            _compare(pending, None if last.is_opened else last, due)

    def _following(
        self, plan: Plan, subject: Subject, is_working: IsWorking, number: int, last: date
    ) -> Due:
        return following(plan, subject.id, self._site.zone, is_working, number=number, last=last)

    def _write(self, entry: Entry, pending: _Pending, now: int) -> None:
        for due in pending.new:
            plan, subject = self._duties[due.plan, due.subject]
            plans.plan(entry, plan, subject, due, now)
        for found, due in pending.moved:
            plans.move(entry, found, due, now)
        for found, due in pending.restored:
            plans.restore(entry, found, due, now)
        for found in pending.withdrawn:
            plans.withdraw(entry, found, now)


def _compare(pending: _Pending, found: PlanDue | None, due: Due) -> None:
    """``found``: as it is written, where anything may change about it."""
    if found is None:
        return
    if _is_withdrawn(found):
        pending.restored.append((found, due))
    elif not found.postponed and (found.day, _times(found)) != (due.day, due.times):
        pending.moved.append((found, due))


def _times(found: PlanDue) -> Times | None:
    facts = found.facts
    if facts.opens_at is None or facts.due_at is None or facts.overdue_at is None:
        return None
    return Times(
        notice_at=found.notice_at,
        opens_at=facts.opens_at,
        due_at=facts.due_at,
        overdue_at=facts.overdue_at,
    )


def _is_withdrawn(found: PlanDue) -> bool:
    return found.facts.void_at is not None and found.void_by is None and found.order is None


def _end(found: PlanDue) -> int | None:
    """When it was over, µs UTC; the next is counted from there."""
    facts = found.facts
    return facts.void_at or facts.missed_at or facts.done_at


def _has_come(at: int | None, now: Instant) -> bool:
    return at is not None and at <= now.wall


def _counted(
    plan: Plan,
    found: PlanDue,
    counters: Mapping[tuple[str, str, str], Counted],
    currents: Mapping[str, Current],
) -> _Look:
    one = _Look(plan=plan, found=found, changed=[], odd=[], opens=None)
    for goal in plan.goals:
        before = counters.get((found.plan, found.subject, goal.point))
        count, turn = _next(before, found, goal, currents)
        opens = is_reached(count, goal) and not found.is_opened
        if opens or turn is not None or _is_to_keep(before, found, count):
            after = Counted(
                plan=found.plan, subject=found.subject, point=goal.point, due=found.id, count=count
            )
            one.changed.append(after)
        if turn is not None:
            was = 0.0 if before is None or before.count.last is None else before.count.last
            told = _TURNS[turn].format(before=was, now=count.last or 0.0)
            one.odd.append(f"{goal.point}: {told}")
        if one.opens is None and opens:
            one = replace(one, opens=(goal, count))
    return one


def _is_to_keep(before: Counted | None, found: PlanDue, count: Count) -> bool:
    """Whether it is worth a commit: what is not written now is reckoned again the next time."""
    if before is None or before.due != found.id:
        return True
    was = before.count
    if (was.last is None, was.fallen) != (count.last is None, count.fallen):
        return True
    return (count.last_at or 0) - (was.last_at or 0) >= _KEEP_EVERY


def _next(
    before: Counted | None, found: PlanDue, goal: CounterGoal, currents: Mapping[str, Current]
) -> tuple[Count, Turn | None]:
    """The count after what the counter says now, and what that meant if it was not growth."""
    count = Count() if before is None else before.count
    if before is not None and before.due != found.id:
        count = started_anew(count)
    current = currents.get(f"{found.subject}.{goal.point}")
    reading = None if current is None else current.reading
    if reading is None or reading.quality is not Quality.GOOD or reading.value is None:
        return count, None
    return fed(count, goal, reading.value, reading.received)
