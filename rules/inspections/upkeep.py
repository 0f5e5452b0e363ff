"""What has to be done to the rounds as time goes on: planned, opened, filled, told of.

Whoever does it, and however often: a round is planned by its id, opened by a conditional update,
and an item that has an answer is left alone.

After a downtime: what was due meanwhile is planned all the same, up to :data:`LOOK_BACK`. A round
whose whole window had passed is shown as missed, and never filled with the readings of today; one
whose window is still open is opened.

What a wall clock that was ahead has opened is set back when the clock is, unless somebody has
answered something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import structlog
from sqlalchemy.exc import DataError, IntegrityError

from gateway.latest import Current
from gateway.model.equipment import Site
from gateway.model.moment import DAY, MINUTE, SECOND, Instant
from rules.inspections.calendar import Due, due
from rules.inspections.items import lines, places
from rules.inspections.judge import ItemState, Verdict, judge, judge_completion
from rules.inspections.lifecycle import RoundState
from rules.inspections.regime import Proof, Regime
from rules.ledger import round_view, rounds
from rules.ledger.roster import calendar_of
from rules.ledger.round_rows import KeptItem, Round
from rules.ledger.store import Entry, Ledger
from rules.ledger.timers import STEP
from rules.ledger.view import View
from rules.lifecycle import IllegalTransitionError
from rules.rule import Rulebook
from rules.shifts.local_time import date_of

_log = structlog.get_logger(__name__)

_NEVER = (IntegrityError, DataError, IllegalTransitionError)
"""Errors that another attempt would meet again."""

LOOK_BACK = 92
"""Days for which rounds are planned afterwards."""
_MARGIN = 2
"""Days that are looked at besides: a day of the site is not one of UTC."""
_ASK_AGAIN = 2 * SECOND
"""µs until a reading that nobody has heard yet is asked for again."""
_COUNT_AGAIN = MINUTE
"""µs until the completion of other rounds is looked at again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pending:
    """What planning would change."""

    new: list[Due]
    moved: list[tuple[Round, Due]]
    restored: list[tuple[Round, Due]]
    withdrawn: list[Round]

    @property
    def is_empty(self) -> bool:
        return not (self.new or self.moved or self.restored or self.withdrawn)


class Upkeep:
    """The rounds of one site; each step is one transaction, or one a round."""

    def __init__(self, *, site: Site, rulebook: Rulebook, ledger: Ledger) -> None:
        self._site = site
        self._ledger = ledger
        self._duties: dict[tuple[str, str | None], Regime] = {
            (regime.id, area): regime
            for regime in rulebook.regimes.values()
            for area in places(regime.scope, site)
        }

    def plan(self, now: Instant) -> None:
        """Write what the calendar says and the ledger does not; nothing is written where they
        agree."""
        with self._ledger.read(self._site.id) as view:
            is_same = round_view.duties(view).keys() == self._duties.keys()
            if is_same and self._pending(view, now.wall).is_empty:
                return
        with self._ledger.write(self._site.id) as entry:
            rounds.set_duties(entry, self._duties.keys(), now.wall)
            # Again, now that nobody else writes.
            pending = self._pending(View(connection=entry.connection, site=entry.site), now.wall)
            self._write(entry, pending, now.wall)

    def keep(self, now: Instant, currents: Mapping[str, Current], *, told: int) -> int:
        """Set back what a clock that was ahead has opened, open what has come, fill what is open,
        and tell of what has turned late or missed since
        ``told`` (µs UTC). When to look again, µs UTC, unless something is planned before.

        ``currents``: every reading as judged at ``now``.
        """
        with self._ledger.read(self._site.id) as view:
            undone = round_view.undone(view, late_after=told)
            unsettled = round_view.unsettled(view, [found.id for found in undone])
        soonest, turned = now.wall + DAY, []
        for found in undone:
            facts = found.facts
            moments = (facts.opens_at, facts.due_at, facts.late_until)
            soonest = min([soonest, *(at for at in moments if at > now.wall)])
            if _opened_early(found, now.wall):
                self._set_back(found, now.wall)
            if any(told < at <= now.wall for at in moments[1:]):
                turned.append(found.id)
            if facts.opens_at <= now.wall < facts.late_until and (
                found.opened_at is None or found.id in unsettled
            ):
                soonest = min(soonest, self._attend_apart(found, now, currents))
        if turned:
            with self._ledger.write(self._site.id) as entry:
                rounds.tell(entry, turned, now.wall)
        return soonest

    def _pending(self, view: View, now: int) -> _Pending:
        dues = self._due(view, date_of(now, self._site.zone), now)
        known = round_view.voided(view, opens_from=_opens_from(now))
        unopened = {
            found.id: found
            for found in round_view.undone(view, late_after=now)
            if found.opened_at is None
        }
        return _Pending(
            new=[one for one in dues.values() if one.id not in known],
            moved=[
                (found, dues[found.id])
                for found in unopened.values()
                if found.id in dues
                and found.state(now) is RoundState.PLANNED
                and _times(found) != _times_of(dues[found.id])
            ],
            restored=[
                (found, dues[found.id])
                for found in known.values()
                if found is not None and found.id in dues and dues[found.id].late_until > now
            ],
            withdrawn=[found for found in unopened.values() if found.id not in dues],
        )

    def _due(self, view: View, today: date, now: int) -> dict[str, Due]:
        """By id, what has to be, of the periods that have begun.

        What was overdue already when its duty came into force was nobody's to do.
        """
        since = round_view.duties(view)
        is_working = calendar_of(view, self._site).is_working
        duties = [(regime, area) for (_, area), regime in self._duties.items()]
        first = today - timedelta(days=LOOK_BACK)
        return {
            one.id: one
            for one in due(duties, self._site.zone, is_working, first, today)
            if one.due_at > since.get((one.regime, one.area), now)
        }

    def _write(self, entry: Entry, pending: _Pending, now: int) -> None:
        for one in pending.new:
            regime = self._duties[one.regime, one.area]
            if rounds.plan(entry, self._site, regime, one, now):
                rounds.lay_out(entry, one.id, lines(regime, one.area, self._site))
        for found, one in pending.moved:
            rounds.move(entry, found, one, now)
        for found, one in pending.restored:
            rounds.restore(entry, found, one, now)
        for found in pending.withdrawn:
            rounds.withdraw(entry, found, now)

    def _set_back(self, found: Round, now: int) -> None:
        """Nobody has touched it: it is planned again, and shows no reading of another day."""
        regime = self._duties.get((found.regime, found.area))
        with self._ledger.write(self._site.id) as entry:
            if rounds.set_back(entry, found, now) and regime is not None:
                rounds.lay_out(entry, found.id, lines(regime, found.area, self._site))

    def _attend_apart(self, found: Round, now: Instant, currents: Mapping[str, Current]) -> int:
        """As :meth:`_attend`; a round that the ledger does not take holds up no other."""
        try:
            return self._attend(found, now, currents)
        except _NEVER as error:
            _log.error("round cannot be written", round=found.id, error=str(error))
            return now.wall + _COUNT_AGAIN

    def _attend(self, found: Round, now: Instant, currents: Mapping[str, Current]) -> int:
        """Open a round whose time it is, and fill it; when to look at it again, µs UTC."""
        regime = self._duties.get((found.regime, found.area))
        if found.opened_at is None and regime is None:
            return now.wall + DAY  # planning withdraws it
        if found.opened_at is None and regime is not None:
            with self._ledger.write(self._site.id) as entry:
                if rounds.open_(entry, found, now.wall):
                    rounds.lay_out(entry, found.id, lines(regime, found.area, self._site))
                kept = self._fill(entry, found, now, currents)
        else:
            with self._ledger.read(self._site.id) as view:
                kept = round_view.items(view, found.id)
                news = self._news(view, found, kept, now, currents)
            if news:
                with self._ledger.write(self._site.id) as entry:
                    kept = self._fill(entry, found, now, currents)
        return _look_again(kept, now.wall)

    def _fill(
        self, entry: Entry, found: Round, now: Instant, currents: Mapping[str, Current]
    ) -> list[KeptItem]:
        """The items as they are afterwards."""
        view = View(connection=entry.connection, site=entry.site)
        kept = round_view.items(view, found.id)
        news = self._news(view, found, kept, now, currents)
        for one, verdict in news:
            rounds.fill(entry, self._site, found.id, one.item, verdict, now=now)
        if news:
            rounds.tell(entry, [found.id], now.wall)
        return round_view.items(view, found.id)

    def _news(
        self,
        view: View,
        found: Round,
        kept: list[KeptItem],
        now: Instant,
        currents: Mapping[str, Current],
    ) -> list[tuple[KeptItem, Verdict]]:
        """What telemetry says of items that are not answered, where that is not known yet."""
        waited = 0 if found.opened_at is None else now.wall - found.opened_at
        said = []
        for one in kept:
            if one.item.proof is Proof.COMPLETION:
                done, expected = round_view.completion(view, found, now.wall)
                said.append((one, judge_completion(one.item, done=done, expected=expected)))
            elif one.item.proof is not None and one.state is ItemState.WAITING:
                verdict = judge(
                    one.item,
                    self._site.points,
                    currents,
                    now=now,
                    is_patient=waited < found.patience,
                )
                said.append((one, verdict))
        return [(one, verdict) for one, verdict in said if not one.agrees(verdict)]


def _look_again(kept: list[KeptItem], now: int) -> int:
    """When telemetry may have more to say, µs UTC."""
    if any(
        one.state is ItemState.WAITING and one.item.proof in (Proof.POINT, Proof.COUNT)
        for one in kept
    ):
        return now + _ASK_AGAIN
    if any(one.item.proof is Proof.COMPLETION for one in kept):
        return now + _COUNT_AGAIN
    return now + DAY


def _opens_from(now: int) -> int:
    """What opened before is left alone."""
    return now - (LOOK_BACK + _MARGIN) * DAY


def _opened_early(found: Round, now: int) -> bool:
    """Whether a clock that was ahead has opened it, and nobody has answered anything."""
    facts = found.facts
    return found.opened_at is not None and facts.started_at is None and facts.opens_at > now + STEP


def _times(found: Round) -> tuple[int, int, int]:
    return found.facts.opens_at, found.facts.due_at, found.facts.late_until


def _times_of(one: Due) -> tuple[int, int, int]:
    return one.opens_at, one.due_at, one.late_until
