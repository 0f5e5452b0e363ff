"""What a person may do with a command. Each action is one transaction with its line in the audit;
what it raises has changed nothing.

The site's allowlist says which points, in which range, by which roles; without an entry nothing
is told to any device. Lifts and fire systems are never told anything: see
:mod:`gateway.commands`, which checks everything once more before the wire.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from gateway.model.equipment import Equipment, NotListedError, Site, listed
from gateway.model.moment import Instant
from rules import lifecycle
from rules.commands.lifecycle import (
    CONFIRM_WITHIN,
    SENT_AT_MOST,
    TRANSITIONS,
    CommandEvent,
    CommandState,
)
from rules.ledger import audit
from rules.ledger.idempotency import is_new
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables.commands import command
from rules.ledger.view import View
from rules.people.roles import PROGRAM, Actor, ForbiddenError, Permission, require
from rules.refusals import ConflictError, NotFoundError


class NotOnListError(ForbiddenError):
    """The site's allowlist does not have it."""

    def __init__(self, actor: Actor, thing: Equipment, wrong: str) -> None:
        super().__init__(actor, Permission.COMMAND_DEVICE, thing.area)
        self.args = (f"the site does not allow it: {wrong}",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    id: str
    equipment: str
    point: str
    """Key."""
    value: float
    before: float | None
    """What the point read when it was proposed; None: nothing good."""
    state: CommandState
    by: str
    role: str
    proposed_at: int
    """µs UTC, as the other times."""
    sent_at: int | None
    ended_at: int | None
    read_back: float | None
    why: str | None
    """Code of the gateway's refusal, or of the doubt."""
    detail: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What the gateway said to a command that was sent."""

    event: CommandEvent
    read_back: float | None = None
    why: str | None = None
    detail: str | None = None


def propose(
    ledger: Ledger,
    site: Site,
    equipment: str,
    point: str,
    value: float,
    *,
    command_id: str,
    before: float | None,
    actor: Actor,
    now: Instant,
) -> Command:
    """A command that waits for its confirmation; ``command_id``: the caller's, a new one.

    Raises ``ForbiddenError`` (role, area, or the allowlist: :class:`NotOnListError`),
    ``NotFoundError`` and ``ConflictError`` (the id is taken).
    """
    require(actor, Permission.COMMAND_DEVICE)
    thing = site.equipment.get(equipment)
    if thing is None:
        raise NotFoundError(f"there is no equipment {equipment}")
    _check_permitted(site, thing, point, value, actor)
    with ledger.write(site.id) as entry:
        row = {
            "id": command_id,
            "equipment": equipment,
            "point": point,
            "value": value,
            "before": before,
            "state": CommandState.PROPOSED.value,
            "by": actor.username,
            "role": actor.role.value,
            "proposed_at": now.wall,
        }
        if not entry.insert_once(command, **row):
            raise ConflictError(f"there is a command {command_id} already")
        return _of(entry, command_id)


def confirm(
    ledger: Ledger,
    site: Site,
    command_id: str,
    *,
    actor: Actor,
    now: Instant,
    idempotency_key: str | None = None,
) -> tuple[Command, bool]:
    """The command, and whether it is for the caller to send it now: once, to one caller.

    Only who proposed it may, and within :data:`CONFIRM_WITHIN`. Raises as :func:`propose`, and
    ``IllegalTransitionError`` where it was confirmed before.
    """
    require(actor, Permission.COMMAND_DEVICE)
    with ledger.write(site.id) as entry:
        found = _of(entry, command_id)
        thing = site.equipment.get(found.equipment)
        if thing is None:
            raise NotFoundError(f"there is no equipment {found.equipment} any more")
        _check_permitted(site, thing, found.point, found.value, actor)
        by = actor.username
        if not is_new(entry, idempotency_key, "confirm", command_id, by=by, now=now):
            return found, False
        if found.by != by:
            raise ConflictError(f"{command_id} was proposed by {found.by}: propose it yourself")
        after = lifecycle.step(
            TRANSITIONS, found.state, CommandEvent.CONFIRM, subject=f"command {command_id}"
        )
        if not 0 <= now.wall - found.proposed_at <= CONFIRM_WITHIN:
            raise ConflictError(f"{command_id} was proposed too long ago: propose it again")
        _update(entry, command_id, state=after.value, sent_at=now.wall)
        subject = f"{found.equipment}.{found.point}"
        audit.record(
            entry, actor, "device.command", subject, now.wall, command=command_id, value=found.value
        )
        return _of(entry, command_id), True


def end(
    ledger: Ledger, site: Site, command_id: str, outcome: Outcome, *, actor: Actor, now: Instant
) -> Command:
    """What became of a command that was sent, into ledger and audit."""
    with ledger.write(site.id) as entry:
        return _end(entry, _of(entry, command_id), outcome, actor=actor, now=now)


def give_up(ledger: Ledger, site: Site, *, now: Instant) -> int:
    """End commands that were sent so long ago that nobody waits for the gateway any more, each
    once; how many."""
    with ledger.read(site.id) as view:
        if not _forgotten(view, now):
            return 0
    outcome = Outcome(event=CommandEvent.DOUBT, why="api_gone")
    with ledger.write(site.id) as entry:
        forgotten = _forgotten(entry, now)
        for found in forgotten:
            _end(entry, found, outcome, actor=PROGRAM, now=now)
        return len(forgotten)


def _forgotten(within: View | Entry, now: Instant) -> list[Command]:
    query = select(command).where(
        command.c.site_id == within.site, command.c.state == CommandState.SENT.value
    )
    sent = [_command(dict(row)) for row in within.connection.execute(query).mappings()]
    # A wall clock that was set back must not keep them for ever.
    return [one for one in sent if abs(now.wall - (one.sent_at or 0)) > SENT_AT_MOST]


def _end(entry: Entry, found: Command, outcome: Outcome, *, actor: Actor, now: Instant) -> Command:
    after = lifecycle.step(TRANSITIONS, found.state, outcome.event, subject=f"command {found.id}")
    _update(
        entry,
        found.id,
        state=after.value,
        ended_at=now.wall,
        read_back=outcome.read_back,
        why=outcome.why,
        detail=outcome.detail,
    )
    audit.record(
        entry,
        actor,
        f"device.command.{after.value}",
        f"{found.equipment}.{found.point}",
        now.wall,
        command=found.id,
        read_back=outcome.read_back,
        why=outcome.why,
    )
    return _of(entry, found.id)


def newest(view: View, *, equipment: str | None = None, limit: int = 50) -> list[Command]:
    """The last commands, newest first."""
    query = select(command).where(command.c.site_id == view.site)
    if equipment is not None:
        query = query.where(command.c.equipment == equipment)
    query = query.order_by(command.c.proposed_at.desc(), command.c.id.desc()).limit(limit)
    return [_command(dict(row)) for row in view.connection.execute(query).mappings()]


def _check_permitted(site: Site, thing: Equipment, point: str, value: float, actor: Actor) -> None:
    require(actor, Permission.COMMAND_DEVICE, thing.area)
    try:
        listed(site.commands, thing.id, point, actor.role.value, value)
    except NotListedError as error:
        raise NotOnListError(actor, thing, str(error)) from None


def _update(entry: Entry, command_id: str, **columns: Any) -> None:
    entry.connection.execute(
        update(command)
        .where(command.c.site_id == entry.site, command.c.id == command_id)
        .values(**columns)
    )


def _of(entry: Entry, command_id: str) -> Command:
    row = (
        entry.connection.execute(
            select(command).where(command.c.site_id == entry.site, command.c.id == command_id)
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise NotFoundError(f"there is no command {command_id}")
    return _command(dict(row))


def _command(row: dict[str, Any]) -> Command:
    columns = {name: row[name] for name in Command.__slots__}
    return Command(**{**columns, "state": CommandState(row["state"])})
