"""What becomes of an alarm: whether somebody is called for it, and who is spared.

An alarm calls unless its equipment is out of service, it lies on the shelf, or another alarm
explains it: the higher level of the same condition, the loss of what feeds it, the loss of what
it is read through. Fire and entrapment are never explained away. Whatever holds it, it is judged
and written like any other, and it calls as soon as nothing holds it any more.

Only an alarm that people see explains others: one that lies on the shelf, or is out of service,
hides nothing but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from gateway.model.equipment import Site
from gateway.model.moment import MINUTE, SECOND, Instant
from rules import waiting_orders
from rules.alarm_calls import AlarmCalls
from rules.alarms.conditions import Change
from rules.alarms.lifecycle import AlarmEvent, AlarmState
from rules.alarms.occurrence import alarm_of
from rules.alarms.topology import Topology, link_id
from rules.ledger import alarms, order_proofs, orders, service_breaks, shelves, timers
from rules.ledger.alarms import Standing
from rules.ledger.rows import Alarm
from rules.ledger.store import Entry
from rules.ledger.timers import TimerKind
from rules.rule import Rulebook
from rules.shifts.calendar import Calendar
from rules.under_test import Met, UnderTest

BEFORE = MINUTE
"""µs: so long before its cause an effect may come up and still be seen as one."""
GRACE = 10 * SECOND
"""µs that an effect has, besides its own delay, to be gone after its cause: devices come back and
are polled again."""
LONGEST_GRACE = 2 * MINUTE
"""µs; an effect with a longer delay comes up, and goes again."""
AGAIN_AFTER = 10 * MINUTE
"""µs: who has not acknowledged it is called again where it was away for so long."""
AGAIN_AFTER_LIFE_SAFETY = MINUTE
SAME_QUIET = 10 * MINUTE
"""µs: what nobody was called for, and comes back sooner for the same reason, stays one row."""

_E, _S = AlarmEvent, AlarmState
_SEEN = (_S.UNACKNOWLEDGED, _S.ACKNOWLEDGED)
_EXPLAINS = (*_SEEN, _S.SUPPRESSED)
_QUIET = {_S.SHELVED: _E.SHELVE, _S.SUPPRESSED: _E.SUPPRESS, _S.OUT_OF_SERVICE: _E.TAKE_OUT}
_NOT_SEEN: dict[str, Any] = {"acknowledged_at": None, "acknowledged_by": None}


@dataclass(frozen=True, kw_only=True)
class AlarmLife:
    """The life of the alarms of one site within one transaction."""

    entry: Entry
    site: Site
    rulebook: Rulebook
    topology: Topology
    now: Instant
    calendar: Callable[[], Calendar]
    apart: Callable[[str, str], AbstractContextManager[None]]
    """Undoes alone what can never be written."""
    _touched: set[str] = field(default_factory=set)
    """Alarms that explain more or less than before."""

    def begin(self, change: Change) -> None:
        """Its condition is there; nothing happens where that was written before."""
        rule = change.rule
        holds = self.rulebook.acknowledgement.get(rule.priority)
        raised = replace(alarm_of(change), holds=holds)
        before = alarms.newest(self.entry, rule.id, change.equipment.id)
        if before is not None and before.occurrence == raised.id:
            return
        if before is None or before.state is _S.CLOSED:
            self._raise(raised, before, change.at)
        elif before.state.present:
            # What ended it was lost; it is there all the same.
            adopted = alarms.adopt(self.entry, before, raised.id)
            if self.tests.adopted(adopted, change.at) is Met.CALLS:
                self._calls.call(adopted)
        else:
            self._relapse(before, raised, change.at)

    def end(self, change: Change) -> None:
        """Its condition has returned; nothing happens where that was written before."""
        standing = alarms.of_occurrence(self.entry, change.occurrence)
        if standing is not None and standing.state.present:
            latches = standing.latches and standing.state is _S.ACKNOWLEDGED
            self._return(standing, _E.LATCH if latches else _E.CLEAR, change.at.wall)

    def withdraw_others(self, judged: Collection[tuple[str, str]]) -> None:
        """What is judged no more is over; what is explained is looked at again."""
        installed = {*self.site.equipment, *map(link_id, self.site.links)}
        for one in alarms.not_closed(self.entry):
            if one.state is _S.RETURNED_UNACKNOWLEDGED:
                continue
            if (one.rule, one.equipment) not in judged:
                why = f"rule {one.rule} is no longer in force for {one.equipment}"
                if one.equipment not in installed:
                    why = f"{one.equipment} is no longer installed"
                with self.apart("withdrawal", one.id):
                    self._return(one, _E.WITHDRAW, self.now.wall, why=why)
            elif one.state is _S.SUPPRESSED:
                self._look_after(one)
        service_breaks.end_others(self.entry, installed, self.now)

    def look(self, alarm_id: str) -> None:
        """Call for it where nothing holds it any more."""
        one = alarms.find(self.entry, alarm_id)
        if one is None:
            return
        if one.state is _S.SUPPRESSED:
            cause = self._cause_of(one.rule, one.equipment)
            if cause is None:
                released = alarms.take(self.entry, one, _E.RELEASE, self.now, why=one.explained_by)
                self._call_or_hold(released)
            elif cause != one.explained_by:
                alarms.explain(self.entry, one, cause)
                self._touched.add(cause)
        elif one.state is _S.UNACKNOWLEDGED:
            self._call_or_hold(one)
        elif one.state is _S.ACKNOWLEDGED and not self.tests.waits(one):
            self._calls.answer(one, self.now, came_back=False)

    def expire(self, alarm_id: str) -> None:
        """Its acknowledgement has held for its time."""
        one = alarms.find(self.entry, alarm_id)
        if one is not None and one.state is _S.ACKNOWLEDGED:
            again = alarms.take(self.entry, one, _E.EXPIRE, self.now, **_NOT_SEEN)
            self._call_or_hold(again)

    def order_now(self, alarm_id: str) -> None:
        """Working time has begun, or somebody has changed when it does."""
        one = alarms.find(self.entry, alarm_id)
        if one is not None and one.state not in _QUIET:
            since = one.last_raised_at or one.raised_at
            self._calls.answer(one, self.now, came_back=True, since=since)
            self._touched.add(alarm_id)

    def end_shelf(self, subject: str) -> None:
        rule, equipment = shelves.named(subject)
        shelves.take_off(self.entry, rule, equipment, self.now)
        self._shelves.discard((rule, equipment))
        for one in alarms.of_equipment(self.entry, equipment):
            if one.rule == rule and one.state is _S.SHELVED:
                again = alarms.take(self.entry, one, _E.SHELF_OVER, self.now, **_NOT_SEEN)
                self._call_or_hold(again)

    def end_service_break(self, equipment: str) -> None:
        service_breaks.end(self.entry, equipment, self.now)
        self._service_breaks.discard(equipment)
        for one in alarms.of_equipment(self.entry, equipment):
            if one.state is _S.OUT_OF_SERVICE:
                again = alarms.take(self.entry, one, _E.BRING_BACK, self.now, **_NOT_SEEN)
                self._call_or_hold(again)

    def finish(self) -> None:
        """Tell who looks at an alarm that it explains more or less than before."""
        for one in sorted(self._touched):
            if alarms.find(self.entry, one) is not None:
                alarms.touch(self.entry, one, self.now.wall)

    def _raise(self, raised: Alarm, before: Standing | None, at: Instant) -> None:
        """A new alarm; or one of which nobody heard, again."""
        event, cause = self._hold(raised.rule, raised.equipment)
        if before is not None and _same_quiet(before, event, raised.raised_at):
            one: Standing | None = alarms.take(
                self.entry,
                before,
                event,
                self.now,
                at=raised.raised_at,
                why=cause,
                explained_by=cause,
                **_again(before, raised),
            )
        else:
            one = alarms.record(self.entry, raised, event, explained_by=cause)
        if one is None:
            return
        self._know(one)
        if event is _E.RAISE and self.tests.meet(one, at) is not Met.HELD:
            self._calls.first(one, raised, at)
        if cause is not None:
            self._touched.add(cause)
        self._explain_others(one, raised.raised_at)

    def _relapse(self, before: Standing, raised: Alarm, at: Instant) -> None:
        """It was not over. What people were called for is not explained away afterwards."""
        one = alarms.take(
            self.entry,
            before,
            _E.RELAPSE,
            self.now,
            at=raised.raised_at,
            **_again(before, raised),
            **_NOT_SEEN,
        )
        event, _ = self._hold(one.rule, one.equipment)
        if event in (_E.SHELVE, _E.TAKE_OUT):
            alarms.take(self.entry, one, event, self.now, at=raised.raised_at)
            return
        self._know(one)
        away = raised.raised_at - (before.cleared_at or raised.raised_at)
        longest = AGAIN_AFTER_LIFE_SAFETY if one.life_safety else AGAIN_AFTER
        met = self.tests.meet(one, at)
        if met is Met.CALLS:
            self._calls.call(one)
        elif met is Met.AS_EVER:
            if before.state is _S.LATCHED or away >= longest:
                self._calls.again(one)
            self._calls.answer(one, at, came_back=True)
        self._explain_others(one, raised.raised_at)

    def _return(self, one: Standing, event: AlarmEvent, at: int, why: str | None = None) -> None:
        if one.state is _S.ACKNOWLEDGED:
            timers.cancel(self.entry, TimerKind.ACK_EXPIRES, one.id)
        self.tests.returned(one)
        over = alarms.take(
            self.entry,
            one,
            event,
            self.now,
            at=at,
            why=why,
            cleared_at=one.cleared_at if one.state is _S.LATCHED else at,
            closed_from=one.state if one.state in _QUIET else None,
        )
        self._know(over)
        if one.order_id is not None:
            order_proofs.wait_for_proof(self.entry, one.order_id, self.now)
        waiting_orders.returned(self.entry, one.id, self._calls.rule(one), self.rulebook.order_book)
        if one.state is _S.SUPPRESSED and one.explained_by is not None:
            self._touched.add(one.explained_by)
        if event is _E.WITHDRAW or one.rule in self.topology.explainers:
            for effect in alarms.explained_by(self.entry, one.id):
                self._look_after(effect)

    def _look_after(self, effect: Standing) -> None:
        """It has the time to be gone as well."""
        rule = self.rulebook.rules.get(effect.rule)
        own = 0 if rule is None else min(rule.clear_after, LONGEST_GRACE)
        wait = own + GRACE
        due = self.now.plus(wait)
        timers.start(self.entry, TimerKind.LOOK, effect.id, due, allowed=wait)

    def _call_or_hold(self, one: Standing) -> None:
        """What is unacknowledged again, for whatever reason."""
        event, cause = self._hold(one.rule, one.equipment)
        if event is _E.RAISE:
            self._know(one)
            if not self.tests.spares(one):
                self._calls.again(one)
                self._calls.answer(one, self.now, came_back=self._calls.came_back(one))
            self._explain_others(one, self.now.wall)
        else:
            held = alarms.take(self.entry, one, event, self.now, why=cause, explained_by=cause)
            self._know(held)
            if cause is not None:
                self._touched.add(cause)

    def _hold(self, rule: str, equipment: str) -> tuple[AlarmEvent, str | None]:
        """What becomes of an alarm that comes up now, and what explains it."""
        if equipment in self._service_breaks:
            return _E.TAKE_OUT, None
        if (rule, equipment) in self._shelves:
            return _E.SHELVE, None
        cause = self._cause_of(rule, equipment)
        return (_E.RAISE if cause is None else _E.SUPPRESS), cause

    def _cause_of(self, rule: str, equipment: str) -> str | None:
        """The top-most alarm that explains one by ``rule`` on ``equipment`` and is seen."""
        found = None
        for pair in self.topology.causes(rule, equipment):
            found = self._explaining.get(pair, found)
        if found is None or found.state in _SEEN or found.explained_by is None:
            return None if found is None else found.id
        above = alarms.find(self.entry, found.explained_by)
        return above.id if above is not None and above.state in _SEEN else found.id

    def _explain_others(self, cause: Standing, at: int) -> None:
        """Whoever was called for its effects just before, and has not answered, is spared."""
        if cause.rule not in self.topology.explainers or cause.state not in _EXPLAINS:
            return
        top = cause.explained_by if cause.state is _S.SUPPRESSED else cause.id
        assert top is not None
        pair = (cause.rule, cause.equipment)
        below = self.topology.hang_on(cause.equipment)
        for one in alarms.unacknowledged_on(self.entry, below):
            is_level = one.equipment == cause.equipment
            if one.life_safety or not (is_level or at - one.raised_at <= BEFORE):
                continue
            if pair in self.topology.causes(one.rule, one.equipment):
                self._suppress(one, top)

    def _suppress(self, one: Standing, top: str) -> None:
        held = alarms.take(self.entry, one, _E.SUPPRESS, self.now, why=top, explained_by=top)
        self._know(held)
        self._touched.add(top)
        for effect in alarms.explained_by(self.entry, one.id):
            alarms.explain(self.entry, effect, top)
        if one.order_id is not None:
            orders.explained(self.entry, one.order_id, by=top, now=self.now)

    def _know(self, one: Standing) -> None:
        if one.rule not in self.topology.explainers:
            return
        if one.state in _EXPLAINS:
            self._explaining[one.rule, one.equipment] = one
        else:
            self._explaining.pop((one.rule, one.equipment), None)

    @cached_property
    def tests(self) -> UnderTest:
        """The planned tests that run."""
        call = self._calls.call
        return UnderTest(
            entry=self.entry, site=self.site, now=self.now, apart=self.apart, call=call
        )

    @cached_property
    def _calls(self) -> AlarmCalls:
        return AlarmCalls(
            entry=self.entry,
            site=self.site,
            rulebook=self.rulebook,
            now=self.now,
            calendar=self.calendar,
            apart=self.apart,
        )

    @cached_property
    def _explaining(self) -> dict[tuple[str, str], Standing]:
        """By rule and equipment, what may explain others."""
        found = alarms.of_rules(self.entry, self.topology.explainers, _EXPLAINS)
        return {(one.rule, one.equipment): one for one in found}

    @cached_property
    def _shelves(self) -> set[tuple[str, str]]:
        return shelves.all_of(self.entry)

    @cached_property
    def _service_breaks(self) -> set[str]:
        return service_breaks.all_of(self.entry)


def _same_quiet(before: Standing, event: AlarmEvent, at: int) -> bool:
    """Whether nobody heard of it when it was there last, just now and for the same reason."""
    if before.closed_from is None or before.cleared_at is None:
        return False
    same = _QUIET.get(AlarmState(before.closed_from)) is event
    return same and 0 <= at - before.cleared_at < SAME_QUIET


def _again(before: Standing, raised: Alarm) -> dict[str, Any]:
    return {
        "occurrence": raised.id,
        "count": before.count + 1,
        "last_raised_at": raised.raised_at,
        "cleared_at": None,
    }
