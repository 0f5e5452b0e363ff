"""What has to be done to the rounds as time goes on: planned, opened, filled, told of.

Whoever does it, and however often: a round is planned by its id, opened by a conditional update,
and an item that has an answer is left alone.

What a wall clock that was ahead has opened is set back when the clock is, unless somebody has
answered something.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import structlog
from sqlalchemy.exc import DataError, IntegrityError

from gateway.history.base import History
from gateway.latest import Current
from gateway.model.equipment import Site
from gateway.model.moment import DAY, MINUTE, SECOND, Instant
from rules.inspections.items import lines
from rules.inspections.judge import ItemState, Verdict, is_readable, judge, judge_completion
from rules.inspections.planning import Planning, duties_of
from rules.inspections.regime import Proof, Regime
from rules.inspections.window_reader import WindowReader
from rules.inspections.windows import Window
from rules.ledger import round_consequences, round_view, rounds
from rules.ledger.round_rows import KeptItem, Round
from rules.ledger.store import Entry, Ledger
from rules.ledger.timers import STEP
from rules.ledger.view import View
from rules.lifecycle import IllegalTransitionError
from rules.rule import Rulebook

_log = structlog.get_logger(__name__)

_NEVER = (IntegrityError, DataError, IllegalTransitionError)
"""Errors that another attempt would meet again."""

_ASK_AGAIN = 2 * SECOND
"""µs until a reading that nobody has heard yet is asked for again."""
_AT_ONCE = 500
"""Lines of a round that are looked at and filled at once; the alarms wait for the same ledger."""
_COUNT_AGAIN = MINUTE
"""µs until the completion of other rounds is looked at again."""

_News = tuple[KeptItem, Verdict]
"""A line as it stands, and what telemetry says of it."""


class Upkeep:
    """The rounds of one site; each step is one transaction, or one a round."""

    def __init__(
        self, *, site: Site, rulebook: Rulebook, ledger: Ledger, history: History | None = None
    ) -> None:
        """``history``: what items over a time are judged by; without it they are a person's."""
        self._windows = WindowReader(history, site.points)
        self._site = site
        self._book = rulebook.order_book
        self._ledger = ledger
        self._left: dict[str, list[str]] = {}
        """Round → lines that are still to be looked at in this turn."""
        self._duties = duties_of(rulebook, site)
        self._planning = Planning(site=site, duties=self._duties, ledger=ledger)

    def plan(self, now: Instant) -> None:
        """Write what the calendar says and the ledger does not."""
        self._planning.plan(now.wall)

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
        self._follow(now)
        return soonest

    def _follow(self, now: Instant) -> None:
        """What late and missed rounds cause, each in a transaction of its own."""
        with self._ledger.read(self._site.id) as view:
            found = round_consequences.waiting(view, now.wall)
        for round_id in found:
            try:
                with self._ledger.write(self._site.id) as entry:
                    round_consequences.follow(entry, self._site, round_id, book=self._book, now=now)
            except _NEVER as error:
                _log.error("round cannot be followed up", round=round_id, error=str(error))

    def _set_back(self, found: Round, now: int) -> None:
        """Nobody has touched it: it is planned again, and shows no reading of another day."""
        regime = self._duties.get((found.regime, found.area))
        with self._ledger.write(self._site.id) as entry:
            if rounds.set_back(entry, found, now):
                self._lay_out(entry, found, regime)

    def _lay_out(self, entry: Entry, found: Round, regime: Regime | None) -> None:
        """Its lines as the site is now; one of an earlier version keeps those that it has."""
        if regime is not None and found.is_of(regime):
            rounds.lay_out(entry, found.id, lines(regime, found.area, self._site))
        else:
            rounds.wipe(entry, found.id)

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
                    self._lay_out(entry, found, regime)
                view = View(connection=entry.connection, site=entry.site)
                kept, rest = self._next_lines(view, found)
                news = self._news(view, found, kept, now, currents, windows={})
                self._fill(entry, found, news, now)
        else:
            with self._ledger.read(self._site.id) as view:
                kept, rest = self._next_lines(view, found)
            # Nobody waits for the history: the ledger is not being read or written meanwhile.
            windows = self._windows_of(found, kept, now, currents)
            with self._ledger.read(self._site.id) as view:
                news = self._news(view, found, kept, now, currents, windows=windows)
            if news:
                with self._ledger.write(self._site.id) as entry:
                    # Again, now that nobody else writes: somebody may have answered.
                    view = View(connection=entry.connection, site=entry.site)
                    self._fill(entry, found, self._unanswered(view, found, news, now), now)
        if rest:
            self._left[found.id] = rest
            return now.wall + 1
        with self._ledger.read(self._site.id) as view:
            return _look_again(round_view.unsettled_lines(view, found.id).values(), now.wall)

    def _next_lines(self, view: View, found: Round) -> tuple[list[KeptItem], list[str]]:
        """The lines whose turn it is; and which ones are left for the next time."""
        keys = self._left.pop(found.id, None) or list(round_view.unsettled_lines(view, found.id))
        return round_view.items(view, found.id, keys[:_AT_ONCE]), keys[_AT_ONCE:]

    def _windows_of(
        self,
        found: Round,
        kept: Sequence[KeptItem],
        now: Instant,
        currents: Mapping[str, Current],
    ) -> dict[str, Window]:
        """By line, where one is judged over a time and nothing else speaks against it."""
        wanted = [
            one.item
            for one in kept
            if one.item.proving.over is not None
            and one.state is ItemState.WAITING
            and is_readable(one.item, self._site.points, currents)
        ]
        return self._windows.read(wanted, now.wall)

    def _unanswered(
        self, view: View, found: Round, news: Sequence[_News], now: Instant
    ) -> list[_News]:
        """``news`` of lines that stand as they did; a completion is counted anew."""
        states = round_view.item_states(view, found.id, {one.item.key for one, _ in news})
        still = [(one, said) for one, said in news if states.get(one.item.key) is one.state]
        if any(one.item.proof is Proof.COMPLETION for one, _ in still):
            done, expected = round_view.completion(view, found, now.wall)
            still = [
                (one, judge_completion(one.item, done=done, expected=expected))
                if one.item.proof is Proof.COMPLETION
                else (one, said)
                for one, said in still
            ]
        return still

    def _fill(self, entry: Entry, found: Round, news: Sequence[_News], now: Instant) -> None:
        said = [(one.item, verdict) for one, verdict in news]
        rounds.fill(entry, self._site, found, said, book=self._book, now=now)
        if news:
            rounds.tell(entry, [found.id], now.wall)

    def _news(
        self,
        view: View,
        found: Round,
        kept: list[KeptItem],
        now: Instant,
        currents: Mapping[str, Current],
        *,
        windows: Mapping[str, Window],
    ) -> list[_News]:
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
                    window=windows.get(one.item.key),
                )
                said.append((one, verdict))
        return [(one, verdict) for one, verdict in said if not one.agrees(verdict)]


def _look_again(unsettled: Collection[Proof], now: int) -> int:
    """When telemetry may have more to say, µs UTC. ``unsettled``: how the lines are proved of
    which that is so."""
    if any(proof is not Proof.COMPLETION for proof in unsettled):
        return now + _ASK_AGAIN
    return now + (_COUNT_AGAIN if unsettled else DAY)


def _opened_early(found: Round, now: int) -> bool:
    """Whether a clock that was ahead has opened it, and nobody has answered anything."""
    facts = found.facts
    return found.opened_at is not None and facts.started_at is None and facts.opens_at > now + STEP
