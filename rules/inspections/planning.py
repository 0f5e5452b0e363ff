"""Which rounds there have to be, and what is to be changed for that in the ledger.

After a downtime: what was due meanwhile is planned all the same, up to :data:`LOOK_BACK`. A round
whose whole window had passed is missed, and never filled with the readings of today; where its
regime says so, the newest is opened now instead. One whose window is still open is opened.

A changed regime applies from the next period: what an earlier version has planned keeps its times
and lines, and of a period in which that version was still in force no new round is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.model.equipment import Site
from gateway.model.moment import DAY
from rules.inspections.calendar import Due, due
from rules.inspections.items import lines, places
from rules.inspections.lifecycle import RoundState
from rules.inspections.regime import CatchUp, Level, Regime
from rules.ledger import regime_versions, round_view, rounds
from rules.ledger.regime_versions import Version
from rules.ledger.roster import calendar_of, rotation_of
from rules.ledger.round_rows import Round
from rules.ledger.store import Entry, Ledger
from rules.ledger.view import View
from rules.rule import Rulebook
from rules.shifts.local_time import date_of

LOOK_BACK = 92
"""Days for which rounds are planned afterwards."""
_MARGIN = 2
"""Days that are looked at besides: a day of the site is not one of UTC."""
_KNOWN_FROM = 32
"""Days before these of which rounds are known: an earlier version may have had another day."""

Duties = Mapping[tuple[str, str | None], Regime]
"""By regime and area, None: the whole site."""


def duties_of(rulebook: Rulebook, site: Site) -> Duties:
    return {
        (regime.id, area): regime
        for regime in rulebook.regimes.values()
        for area in places(regime.scope, site)
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pending:
    """What planning would change."""

    new: list[Due]
    moved: list[tuple[Round, Due]]
    restored: list[tuple[Round, Due]]
    caught_up: list[tuple[Round, Due]]
    withdrawn: list[Round]

    @property
    def is_empty(self) -> bool:
        changes = (self.new, self.moved, self.restored, self.caught_up, self.withdrawn)
        return not any(changes)


class Planning:
    """The calendar of one site, brought into its ledger."""

    def __init__(self, *, site: Site, duties: Duties, ledger: Ledger) -> None:
        self._site = site
        self._ledger = ledger
        self._duties = duties
        self._regimes = {regime.id: regime for regime in duties.values()}
        self._has_shifts = any(one.level is Level.SHIFT for one in self._regimes.values())

    def plan(self, now: int) -> None:
        """Write what the calendar says and the ledger does not; nothing is written where they
        agree, but once a day that they were compared."""
        with self._ledger.read(self._site.id) as view:
            is_same = round_view.duties(view).keys() == self._duties.keys()
            if is_same and self._is_seen(view, now) and self._pending(view, now).is_empty:
                return
        with self._ledger.write(self._site.id) as entry:
            rounds.set_duties(entry, self._duties.keys(), now)
            # Again, now that nobody else writes.
            view = View(connection=entry.connection, site=entry.site)
            self._write(entry, self._pending(view, now), now)
            known = regime_versions.versions(view)
            regime_versions.seen(entry, self._regimes.values(), known, now)

    def _is_seen(self, view: View, now: int) -> bool:
        """Whether every regime was compared today in its version."""
        known = regime_versions.versions(view)
        today = date_of(now, self._site.zone)
        for regime in self._regimes.values():
            last = known[regime.id][-1] if regime.id in known else None
            if last is None or last.version != regime.version:
                return False
            if date_of(last.seen_at, self._site.zone) < today:
                return False
        return True

    def _pending(self, view: View, now: int) -> _Pending:
        today = date_of(now, self._site.zone)
        dues = self._due(view, today, now)
        opens_from = _opens_from(now)
        known = round_view.voided(view, opens_from=opens_from - _KNOWN_FROM * DAY)
        unopened = {
            found.id: found
            for found in round_view.undone(view, late_after=now)
            if found.opened_at is None
        }
        missing = [one for one in dues.values() if one.id not in known]
        late = self._newest_passed(dues, now)
        return _Pending(
            new=[late.get(one.id, one) for one in self._of_this_version(view, missing, now)],
            moved=[
                (found, dues[found.id])
                for found in unopened.values()
                if found.id in dues
                and self._is_current(found)
                and found.state(now) is RoundState.PLANNED
                and _times(found) != _times_of(dues[found.id])
            ],
            restored=[
                (found, dues[found.id])
                for found in known.values()
                if found is not None and found.id in dues and dues[found.id].late_until > now
            ],
            caught_up=[
                (found, late[found.id])
                for found in round_view.never_opened(view, late.keys())
                if self._is_current(found) and found.state(now) is RoundState.MISSED
            ],
            withdrawn=[
                found
                for found in unopened.values()
                if found.id not in dues and self._is_current(found)
            ],
        )

    def _is_current(self, found: Round) -> bool:
        """Whether its regime may still change it: in the version by which it was planned, or
        because the regime is gone."""
        regime = self._duties.get((found.regime, found.area))
        return regime is None or found.is_of(regime)

    def _due(self, view: View, today: date, now: int) -> dict[str, Due]:
        """By id, what has to be, of the periods that have begun.

        What was overdue already when its duty came into force was nobody's to do.
        """
        since = round_view.duties(view)
        is_working = calendar_of(view, self._site).is_working
        rotation = rotation_of(view, self._site.zone) if self._has_shifts else None
        duties = [(regime, area) for (_, area), regime in self._duties.items()]
        first = today - timedelta(days=LOOK_BACK)
        opens_from = _opens_from(now)
        return {
            one.id: one
            for one in due(duties, self._site.zone, is_working, first, today, rotation=rotation)
            if one.due_at > since.get((one.regime, one.area), now) and one.opens_at >= opens_from
        }

    def _of_this_version(self, view: View, missing: list[Due], now: int) -> list[Due]:
        """Without those of periods for which an earlier version has planned, and without shifts
        of the past: the rotation may have been another one then."""
        known = regime_versions.versions(view)
        return [one for one in missing if self._is_wanted(one, known.get(one.regime, []), now)]

    def _is_wanted(self, one: Due, known: list[Version], now: int) -> bool:
        regime = self._regimes[one.regime]
        # A clock that was ahead may have seen one in what is the future now.
        seen = {version.version: min(version.seen_at, now) for version in known}
        earlier = [at for version, at in seen.items() if version != regime.version]
        if earlier and one.begins <= date_of(max(earlier), self._site.zone):
            return False
        return regime.level is not Level.SHIFT or one.late_until > max(seen.values(), default=0)

    def _newest_passed(self, dues: Mapping[str, Due], now: int) -> dict[str, Due]:
        """By id, of the regimes that want it, the newest round of each area whose whole window
        has passed, with one from now on."""
        newest: dict[tuple[str, str | None], Due] = {}
        for one in dues.values():
            catches_up = self._regimes[one.regime].catch_up is CatchUp.OPEN
            if catches_up and one.late_until <= now:
                newest[one.regime, one.area] = one
        return {one.id: one.opened_late(now) for one in newest.values()}

    def _write(self, entry: Entry, pending: _Pending, now: int) -> None:
        for one in pending.new:
            regime = self._duties[one.regime, one.area]
            if rounds.plan(entry, self._site, regime, one, now):
                rounds.lay_out(entry, one.id, lines(regime, one.area, self._site))
        for found, one in pending.moved:
            rounds.move(entry, found, one, now)
        for found, one in pending.restored:
            regime = self._duties[one.regime, one.area]
            rounds.restore(entry, found, one, regime, now)
            rounds.lay_out(entry, found.id, lines(regime, found.area, self._site))
        for found, one in pending.caught_up:
            rounds.catch_up(entry, found, one, now)
        for found in pending.withdrawn:
            rounds.withdraw(entry, found, now)


def _opens_from(now: int) -> int:
    """What opened before is left alone."""
    return now - (LOOK_BACK + _MARGIN) * DAY


def _times(found: Round) -> tuple[int, int, int]:
    return found.facts.opens_at, found.facts.due_at, found.facts.late_until


def _times_of(one: Due) -> tuple[int, int, int]:
    return one.opens_at, one.due_at, one.late_until
