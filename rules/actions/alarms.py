"""What a person may do with an alarm, and with equipment of which none shall call; see the package.

What follows of it for others (who is called, what comes up that it explained) the rules see to
within a second: they have the clock and the rulebook.

Each raises ``NotFoundError``, ``ForbiddenError``, ``IllegalTransitionError``, ``ConflictError`` or
``KeyReusedError``; then nothing has changed. What is done with an alarm returns it as it is
afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.model.equipment import Site, is_life_safety
from gateway.model.moment import DAY, MINUTE, Instant
from rules.actions.act import Act
from rules.alarms.lifecycle import AlarmEvent, AlarmState
from rules.alarms.topology import link_id
from rules.ledger import alarms, service_breaks, shelves, timers
from rules.ledger.alarms import Standing
from rules.ledger.rows import Alarm
from rules.ledger.store import Entry
from rules.ledger.timers import TimerKind
from rules.ledger.view import View
from rules.people.roles import Actor, Permission, require
from rules.refusals import ConflictError, NotFoundError, NotValidError

LONGEST_SHELF = 7 * DAY


def acknowledge(act: Act, *, note: str | None = None) -> Alarm:
    """Somebody has seen it; raises ``IllegalTransitionError`` where that is known already."""

    def take(entry: Entry, standing: Standing) -> None:
        seen = alarms.acknowledge(entry, standing, by=act.by, note=note, now=act.now)
        alarms.let_expire(entry, seen, act.now)
        act.record(entry, "alarm.acknowledge", note=note)

    return _step(act, "acknowledge", lambda _: Permission.ACKNOWLEDGE_ALARM, take)


def shelve(act: Act, *, minutes: int, reason: str) -> Alarm:
    """Put its rule aside for this equipment: what comes up meanwhile calls nobody either."""
    if not 0 < minutes * MINUTE <= LONGEST_SHELF:
        raise NotValidError("minutes", "put aside for a minute at least, a week at most")
    _require_reason(reason)

    def take(entry: Entry, standing: Standing) -> None:
        by, now = act.by, act.now
        was_seen = standing.state is AlarmState.ACKNOWLEDGED
        shelved = alarms.take(entry, standing, AlarmEvent.SHELVE, now, by=by, why=reason)
        if was_seen:
            timers.cancel(entry, TimerKind.ACK_EXPIRES, act.subject)
        rule, equipment = shelved.rule, shelved.equipment
        shelves.put(entry, rule, equipment, minutes=minutes, reason=reason, by=by, now=now)
        _look_at_effects(entry, act.subject, now)
        act.record(entry, "alarm.shelve", minutes=minutes, reason=reason)

    return _step(act, "shelve", _shelving, take)


def unshelve(act: Act, *, note: str | None = None) -> Alarm:
    """Take its rule off the shelf; who does that has seen what is there."""

    def take(entry: Entry, standing: Standing) -> None:
        by, now = act.by, act.now
        was_there = shelves.take_off(entry, standing.rule, standing.equipment, now)
        if standing.state is AlarmState.SHELVED:
            happened, seen = AlarmEvent.UNSHELVE, alarms.seen(by, now)
            taken = alarms.take(entry, standing, happened, now, by=by, why=note, **seen)
            alarms.let_expire(entry, taken, now)
            _look(entry, act.subject, now)
        elif not was_there:
            raise ConflictError(f"{act.subject} is not on the shelf")
        act.record(entry, "alarm.unshelve", note=note)

    return _step(act, "unshelve", _shelving, take)


def reset(act: Act, *, note: str | None = None) -> Alarm:
    """End an alarm that its rule has latched."""

    def take(entry: Entry, standing: Standing) -> None:
        alarms.take(entry, standing, AlarmEvent.RESET, act.now, by=act.by, why=note)
        act.record(entry, "alarm.reset", note=note)

    return _step(act, "reset", lambda _: Permission.RESET_ALARM, take)


def take_out_of_service(act: Act, site: Site, *, reason: str, hours: int | None) -> None:
    """Nobody is called for it until then, or (None) until somebody brings it back."""
    equipment, by, now = act.subject, act.by, act.now
    _require_for(site, equipment, act.actor)
    _require_reason(reason)
    with act.ledger.write(site.id) as entry:
        if not act.is_new(entry, "out_of_service"):
            return
        standing = alarms.of_equipment(entry, equipment)
        if any(one.life_safety for one in standing):
            require(act.actor, Permission.SHELVE_LIFE_SAFETY)
        if not service_breaks.begin(entry, equipment, hours=hours, reason=reason, by=by, now=now):
            raise ConflictError(f"{equipment} is out of service already")
        for one in standing:
            if one.state in (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED):
                timers.cancel(entry, TimerKind.ACK_EXPIRES, one.id)
                alarms.take(entry, one, AlarmEvent.TAKE_OUT, now, by=by, why=reason)
                _look_at_effects(entry, one.id, now)
        act.record(entry, "equipment.out_of_service", reason=reason, hours=hours)


def bring_into_service(act: Act, site: Site, *, note: str | None = None) -> None:
    """What is there of it calls again."""
    equipment, by, now = act.subject, act.by, act.now
    _require_for(site, equipment, act.actor)
    with act.ledger.write(site.id) as entry:
        if not act.is_new(entry, "in_service"):
            return
        if not service_breaks.end(entry, equipment, now):
            raise ConflictError(f"{equipment} is in service")
        for one in alarms.of_equipment(entry, equipment):
            if one.state is AlarmState.OUT_OF_SERVICE:
                unseen = {"acknowledged_at": None, "acknowledged_by": None}
                happened = AlarmEvent.BRING_BACK
                alarms.take(entry, one, happened, now, by=by, why=note, **unseen)
                _look(entry, one.id, now)
        act.record(entry, "equipment.in_service", note=note)


def _step(
    act: Act,
    name: str,
    needs: Callable[[Standing | None], Permission],
    take: Callable[[Entry, Standing], None],
) -> Alarm:
    """``take`` it unless its key has taken it before; ``needs`` is asked before it is told whether
    there is such an alarm, and again when it is known."""
    require(act.actor, needs(None))
    with act.ledger.write(act.site) as entry:
        view = View(connection=entry.connection, site=act.site)
        found, standing = view.alarm(act.subject), alarms.find(entry, act.subject)
        if found is None or standing is None:
            raise NotFoundError(f"there is no alarm {act.subject}")
        require(act.actor, needs(standing), found.area)
        if act.is_new(entry, name):
            take(entry, standing)
            found = view.alarm(act.subject)
            assert found is not None
        return found


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise NotValidError("reason", "say why")


def _shelving(standing: Standing | None) -> Permission:
    if standing is not None and standing.life_safety:
        return Permission.SHELVE_LIFE_SAFETY
    return Permission.SHELVE_ALARM


def _require_for(site: Site, equipment: str, actor: Actor) -> None:
    """Equipment, or the stand-in of a link, of which nobody shall be called."""
    require(actor, Permission.SHELVE_ALARM)
    thing = site.equipment.get(equipment)
    if thing is not None:
        safe = not is_life_safety(thing.equipment_class)
        needed = Permission.SHELVE_ALARM if safe else Permission.SHELVE_LIFE_SAFETY
        require(actor, needed, thing.area)
        return
    if equipment not in {link_id(link) for link in site.links}:
        raise NotFoundError(f"there is no equipment {equipment}")
    through = [one for one in site.equipment.values() if link_id(one.link) == equipment]
    for one in through:
        require(actor, Permission.SHELVE_ALARM, one.area)


def _look(entry: Entry, alarm_id: str, now: Instant) -> None:
    """The rules see who is to be called."""
    timers.start(entry, TimerKind.LOOK, alarm_id, now, allowed=0)


def _look_at_effects(entry: Entry, cause: str, now: Instant) -> None:
    """Nobody sees their cause any more."""
    for effect in alarms.explained_by(entry, cause):
        _look(entry, effect.id, now)
