"""What happens to shifts and handovers by themselves, each time in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from gateway.latest import Current
from gateway.model.equipment import Site
from gateway.model.moment import DAY, Instant
from rules.handover.blocks import Block
from rules.handover.lifecycle import HandoverEvent, HandoverState
from rules.handover.telling import Told
from rules.ledger import handover as rows
from rules.ledger import handover_notices, handover_view, shift_log, shift_log_view, timers
from rules.ledger.aside import ShelfInForce
from rules.ledger.handover_facts import Scene
from rules.ledger.handover_sheet import is_approved, shelf_subject
from rules.ledger.handover_view import Handover
from rules.ledger.roster import roster_of
from rules.ledger.shift_log_view import ShiftLog, id_of
from rules.ledger.store import Entry, Ledger
from rules.ledger.timers import TimerKind
from rules.ledger.view import View
from rules.rule import Rulebook
from rules.shifts.duty import Duty, Roster
from rules.shifts.local_time import date_of

CAUGHT_UP = 14 * DAY
"""µs: shifts that passed longer ago while nothing ran are not opened any more."""
_LOGS = 60
"""So many of the newest are looked at: two weeks of three shifts a day, and more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShelfAsked:
    """A shelf in force, and whether the incoming crew has said that it stays."""

    subject: str
    shelf: ShelfInForce
    approved: bool


def shelves(scene: Scene) -> list[ShelfAsked]:
    return [
        ShelfAsked(
            subject=shelf_subject(one.rule, one.alarm.equipment),
            shelf=one,
            approved=is_approved(scene, one),
        )
        for one in scene.view.shelves()
    ]


def end_shelves(entry: Entry, scene: Scene, now: Instant) -> int:
    """Those that the incoming crew has not approved are over: the rules see to them within a
    second. How many those are."""
    over = [one for one in shelves(scene) if not one.approved]
    for one in over:
        timers.start(entry, TimerKind.SHELF_OVER, one.subject, now, allowed=0)
    return len(over)


def stop_or_resume(entry: Entry, scene: Scene, now: Instant) -> bool:
    """A fault that came up meanwhile stops it; when that is settled, it goes on. Whether either
    was so."""
    faults = _faults(scene)
    state = scene.handover.state
    if faults and state in (HandoverState.MEETING, HandoverState.GIVEN):
        why = "; ".join(one.text.zh for one in faults)
        rows.take_step(entry, scene.handover, HandoverEvent.STOP, now, why=why)
        return True
    if not faults and state is HandoverState.STOPPED:
        rows.take_step(entry, scene.handover, HandoverEvent.RESUME, now)
        return True
    return False


def _faults(scene: Scene) -> list[Block]:
    return [
        one for one in scene.blocks if one.condition.key == "fault-meanwhile" and not one.overridden
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """What is to be done now."""

    open_: Sequence[Duty]
    """Shifts that have begun and have no log."""
    prepare: Sequence[tuple[ShiftLog, Duty]]
    """Shifts that end soon, each with the one that takes over."""
    lapse: Sequence[Handover]
    """Nobody has signed them, and the shift after them ends too."""
    turn: Sequence[Scene]
    """Handovers that a fault stops, or does not stop any more."""
    tell: Sequence[tuple[Scene, Told]]
    """Of which somebody has to hear."""
    any_open: bool
    """Whether somebody hands over now: then a fault is not to wait."""

    @property
    def something(self) -> bool:
        return bool(self.open_ or self.prepare or self.lapse or self.turn or self.tell)


def keep(
    ledger: Ledger,
    site: Site,
    rulebook: Rulebook,
    currents: Mapping[str, Current],
    now: Instant,
) -> bool:
    """Open the logs of the shifts that have begun, compose what is due, and let end what nobody
    has signed; whether a handover is open. Mostly nothing is due, and nothing is written."""
    around = (site, rulebook, currents, now)
    with ledger.read(site.id) as view:
        due = due_at(view, *around)
        if not due.something:
            return due.any_open
    with ledger.write(site.id) as entry:
        view = View(connection=entry.connection, site=site.id)
        # What was opened late may end by now, and what was prepared late may have lapsed.
        while (due := due_at(view, *around)).something:
            _do(entry, due, site, rulebook, now)
        return due.any_open


def _do(entry: Entry, due: Due, site: Site, rulebook: Rulebook, now: Instant) -> None:
    in_force = {"rulebook": rulebook.fingerprint, "site_file": site.fingerprint}
    for duty in due.open_:
        shift_log.open_log(entry, duty, **in_force, now=now)
    for log, relief in due.prepare:
        rows.prepare(entry, log.id, relief, now)
    for of in due.lapse:
        rows.take_step(entry, of, HandoverEvent.LAPSE, now)
    for scene in due.turn:
        stop_or_resume(entry, scene, now)
    for scene, what in due.tell:
        handover_notices.tell(entry, scene, what, now)


def due_at(
    view: View, site: Site, rulebook: Rulebook, currents: Mapping[str, Current], now: Instant
) -> Due:
    roster = _roster(view, site, now)
    # A clock that was ahead may have opened others: those wait until their time has come.
    logs = shift_log_view.logs(view, limit=_LOGS, before=(now.wall + 1, ""))
    known = handover_view.known(view, [one.id for one in logs])
    prepare = rulebook.handover.prepare
    ending = [
        (log, roster.at(log.ends_at))
        for log in reversed(logs)
        if log.id not in known and now.wall >= log.ends_at - prepare
    ]
    still_open = handover_view.handovers(view, only_open=True, limit=_LOGS)
    lapsed = [one for one in still_open if now.wall >= _lapses_at(one, prepare)]
    scenes = [
        Scene(
            view=view,
            site=site,
            rulebook=rulebook,
            log=log,
            handover=one,
            currents=currents,
            now=now.wall,
        )
        for one in still_open
        if one not in lapsed
        for log in logs
        if log.id == one.id
    ]
    return Due(
        open_=_unopened(roster, logs, site, now),
        # Between two shifts with a pause nobody meets: there is nobody to hand over to.
        prepare=[
            (log, duty) for log, duty in ending if duty is not None and id_of(duty.day) != log.id
        ],
        lapse=lapsed,
        turn=[one for one in scenes if one.handover.met_at is not None and _is_to_turn(one)],
        tell=[(one, what) for one in scenes for what in handover_notices.due(one)],
        any_open=bool(still_open),
    )


def _lapses_at(of: Handover, prepare: int) -> int:
    """When the shift after it prepares its own (µs UTC), and not before that has begun."""
    return max(of.next_starts_at, of.next_ends_at - prepare)


def _is_to_turn(scene: Scene) -> bool:
    state = scene.handover.state
    if state is HandoverState.STOPPED:
        return not _faults(scene)
    return state in (HandoverState.MEETING, HandoverState.GIVEN) and bool(_faults(scene))


def _unopened(roster: Roster, logs: Sequence[ShiftLog], site: Site, now: Instant) -> list[Duty]:
    """The shift that holds, which by another roster may have begun before the newest log, and
    those since that: what passed while nothing ran."""
    held = roster.at(now.wall)
    known = {log.id for log in logs}
    holds = [] if held is None or id_of(held.day) in known else [held]
    if not logs:
        return holds
    newest = logs[0]
    since = max(newest.starts_at, now.wall - CAUGHT_UP)
    first, today = date_of(since, site.zone), date_of(now.wall, site.zone)
    passed = [
        duty
        for duty in roster.between(first - timedelta(days=1), today)
        if since < duty.day.starts <= now.wall and id_of(duty.day) not in known
    ]
    return [*passed, *(one for one in holds if one.day not in [duty.day for duty in passed])]


def _roster(view: View, site: Site, now: Instant) -> Roster:
    today = date_of(now.wall, site.zone)
    days = timedelta(days=CAUGHT_UP // DAY + 2)
    return roster_of(view, site, today - days, today + timedelta(days=2))
