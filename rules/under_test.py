"""Alarms while planned tests run: for which of them nobody is called yet, and when somebody is.

An alarm that a test holds is written and shown like any other; only its notices and its order
wait. What waits is looked at with every commit, once a second at least, by what its rows say:
there is nothing that has to be remembered, and nothing that can be lost. What cannot be decided
calls.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from enum import Enum, auto

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.alarms.lifecycle import AlarmEvent, AlarmState
from rules.ledger import alarms, planned_tests, test_holds, timers
from rules.ledger.alarms import Standing
from rules.ledger.store import Entry
from rules.ledger.test_holds import Held
from rules.ledger.timers import TimerKind
from rules.planned_tests import (
    Coming,
    Hold,
    HoldEvent,
    Other,
    PlannedEvent,
    PlannedState,
    Running,
    Verdict,
    decide,
    is_due,
)

_SEEN = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)


class Met(Enum):
    """What becomes of an alarm that comes up."""

    AS_EVER = auto()
    """No test says anything about it."""
    HELD = auto()
    """Nobody is called for it now."""
    CALLS = auto()
    """People are called for it, also where one that came back so soon would call nobody."""


class UnderTest:
    """The planned tests of one site within one transaction."""

    def __init__(
        self,
        *,
        entry: Entry,
        site: Site,
        now: Instant,
        apart: Callable[[str, str], AbstractContextManager[None]],
        call: Callable[[Standing], None],
    ) -> None:
        """``call``: call people for an alarm that has called nobody, whatever its state."""
        self._entry = entry
        self._site = site
        self._now = now
        self._apart = apart
        self._call = call
        self._running: list[Running] | None = None
        self._waiting: dict[str, Held] | None = None

    def meet(self, one: Standing, at: Instant) -> Met:
        """``one`` comes up, or comes back, and would call; ``at``: when, by whoever saw it."""
        met = []
        with self._apart("planned test", one.id):
            met.append(self._meet(one, at))
        return met[0] if met else Met.CALLS

    def spares(self, one: Standing) -> bool:
        """Whether nobody is called for ``one``, which is up and would call again: it is confirmed.

        One that is held is called for with this.
        """
        held = self._held.get(one.id)
        if held is None:
            return False
        if held.hold is Hold.CONFIRMED:
            return held.runs
        self._take(held, HoldEvent.CALL, "it calls again")
        return False

    def waits(self, one: Standing) -> bool:
        """Whether its order is made later, with its call, if at all."""
        return one.id in self._held

    def adopted(self, one: Standing, at: Instant) -> Met:
        """It is there and has come again, for its end was lost: a new alarm for whoever tests."""
        held = self._held.get(one.id)
        if held is None or held.hold is not Hold.CONFIRMED:
            return Met.AS_EVER
        return self.meet(one, at)

    def returned(self, one: Standing) -> None:
        """Its condition is gone, and with it what was confirmed."""
        held = self._held.get(one.id)
        if held is not None and held.hold is Hold.CONFIRMED:
            self._take(held, HoldEvent.RETURN)

    def start(self, test_id: str) -> None:
        """Its time has come. One that shares equipment with it is over."""
        row = planned_tests.find(self._entry, test_id)
        if row is None or row["state"] != PlannedState.PLANNED:
            return
        while (other := planned_tests.running_with(self._entry, test_id)) is not None:
            why = f"{row['name']} begins"
            planned_tests.end(self._entry, other, self._now, by=None, why=why)
        planned_tests.begin(self._entry, row, self._now)
        self._forget()

    def end(self, test_id: str) -> None:
        """Its time is over."""
        row = planned_tests.find(self._entry, test_id)
        if row is not None and row["state"] == PlannedState.RUNNING:
            planned_tests.end(self._entry, row, self._now, by=None, why=None)
        self._forget()

    def see_to(self) -> None:
        """Call for what has waited for its time, or whose test is over; end what would never."""
        for test_id in planned_tests.without_end(self._entry):
            with self._apart("planned test", test_id):
                self.end(test_id)
        for held in list(self._held.values()):
            if is_due(held.hold, held.until, self._now, runs=held.runs):
                with self._apart("planned test", held.alarm):
                    self._let_call(held, self._why(held))

    def _meet(self, one: Standing, at: Instant) -> Met:
        known = self._held.get(one.id)
        if known is not None and known.hold is Hold.HELD:
            # Its minute goes on.
            return Met.HELD
        thing = self._site.equipment.get(one.equipment)
        if thing is None or not self._tests:
            return self._without_test(one)
        coming = Coming(
            alarm=one.id,
            equipment=one.equipment,
            equipment_class=thing.equipment_class,
            rule=one.rule,
            area=thing.area,
            life_safety=one.life_safety,
            at=at,
        )
        verdict = decide(coming, self._tests, self._others(thing.area), self._now)
        for alarm_id in verdict.calls_too:
            held = self._held.get(alarm_id)
            with self._apart("planned test", alarm_id):
                if held is not None:
                    self._let_call(held, f"{one.equipment} {one.rule} came too")
        if verdict.test is None:
            return self._without_test(one)
        return self._with_test(one, verdict, verdict.test)

    def _without_test(self, one: Standing) -> Met:
        """One that was confirmed has called nobody yet."""
        before = test_holds.hold_of(self._entry, one.id) if one.count > 1 else None
        if before is None:
            return Met.AS_EVER
        test_holds.forget(self._entry, one.id)
        self._held.pop(one.id, None)
        return Met.CALLS

    def _with_test(self, one: Standing, verdict: Verdict, test_id: str) -> Met:
        came_at = one.last_raised_at or one.raised_at
        planned_tests.tick(
            self._entry,
            test_id,
            equipment=one.equipment,
            rule=one.rule,
            alarm_id=one.id,
            at=came_at,
        )
        is_held = verdict.held_until is not None
        test_holds.hold(
            self._entry,
            one.id,
            test_id,
            Hold.HELD if is_held else Hold.CALLED,
            until=verdict.held_until or self._now,
            now=self._now,
        )
        self._waiting = None
        if is_held:
            return Met.HELD
        self._note(test_id, f"{one.equipment} {one.rule}: {verdict.why}")
        return Met.CALLS

    def _let_call(self, held: Held, why: str) -> None:
        """Call for it. One that was confirmed and lies still calls when nothing else holds it."""
        one = alarms.find(self._entry, held.alarm)
        assert one is not None
        if held.hold is Hold.CONFIRMED and not one.state.present:
            self._take(held, HoldEvent.RETURN)
            return
        self._take(held, HoldEvent.CALL, f"{one.equipment} {one.rule}: {why}")
        if held.hold is Hold.HELD:
            self._call(one)
        elif one.state in _SEEN:
            self._call(self._unseen(one))

    def _unseen(self, one: Standing) -> Standing:
        """What somebody has acknowledged as a test is none any more."""
        if one.state is not AlarmState.ACKNOWLEDGED:
            return one
        timers.cancel(self._entry, TimerKind.ACK_EXPIRES, one.id)
        nobody = {"acknowledged_at": None, "acknowledged_by": None}
        happened, why = AlarmEvent.EXPIRE, "the test is over"
        return alarms.take(self._entry, one, happened, self._now, why=why, **nobody)

    def _take(self, held: Held, happened: HoldEvent, why: str | None = None) -> None:
        test_holds.take(self._entry, held, happened)
        if happened is HoldEvent.CALL:
            self._note(held.test, why)
        alarms.touch(self._entry, held.alarm, self._now.wall)
        self._held.pop(held.alarm, None)

    def _note(self, test_id: str, why: str | None) -> None:
        row = planned_tests.find(self._entry, test_id)
        assert row is not None
        planned_tests.note(self._entry, row, PlannedEvent.CALL, at=self._now.wall, why=why)

    def _why(self, held: Held) -> str:
        if held.hold is Hold.CONFIRMED:
            return "still up at the end of the test"
        return "nobody confirmed it" if held.runs else "the test is over"

    def _others(self, area: str) -> list[Other]:
        up = {one.alarm: (one.equipment, one.hold) for one in test_holds.up_in(self._entry, area)}
        for held in self._held.values():
            if held.area == area and held.hold is Hold.HELD:
                # It may have returned meanwhile.
                up[held.alarm] = (held.equipment, Hold.HELD)
        return [
            Other(alarm=alarm, equipment=one, equipment_class=self._class_of(one), hold=hold)
            for alarm, (one, hold) in up.items()
        ]

    def _class_of(self, equipment: str) -> str:
        thing = self._site.equipment.get(equipment)
        return "" if thing is None else thing.equipment_class

    @property
    def _tests(self) -> list[Running]:
        if self._running is None:
            self._running = planned_tests.running(self._entry)
        return self._running

    @property
    def _held(self) -> dict[str, Held]:
        """What waits, by alarm."""
        if self._waiting is None:
            self._waiting = {one.alarm: one for one in test_holds.waiting(self._entry)}
        return self._waiting

    def _forget(self) -> None:
        self._running = self._waiting = None
