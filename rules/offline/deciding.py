"""What a person decides of an entry that was kept and not applied."""

from __future__ import annotations

from rules.actions.act import Act
from rules.ledger import offline
from rules.ledger.offline import OfflineEntry, Wanted
from rules.ledger.store import Entry
from rules.ledger.view import View
from rules.lifecycle import IllegalTransitionError
from rules.offline.protocol import Deed, Keep, Kind, Outcome
from rules.offline.taking import House, do, told
from rules.people import people
from rules.people.roles import WHOLE_SITE, Actor, ForbiddenError, Permission, require
from rules.refusals import ConflictError, NotFoundError, RefusedError

WRITERS = (Permission.ENTER_ROUND, Permission.COMPLETE_ORDER, Permission.RESOLVE_OFFLINE)
"""Whoever has one of these may have entries of their own."""


def seen_by(actor: Actor) -> Wanted:
    """Which entries ``actor`` sees: their own, and those that they may decide."""
    if not actor.may(Permission.RESOLVE_OFFLINE):
        return Wanted(by=actor.username)
    if not actor.areas:
        return Wanted()
    return Wanted(areas=actor.areas, or_by=actor.username)


def sees(actor: Actor, row: OfflineEntry) -> bool:
    """Whether ``row`` is among :func:`seen_by`."""
    return row.by == actor.username or may_decide(actor, row)


def may_decide(actor: Actor, row: OfflineEntry) -> bool:
    return actor.may(Permission.RESOLVE_OFFLINE, row.area or WHOLE_SITE)


def find(view: View, entry_id: str, actor: Actor) -> OfflineEntry:
    """Raises ``NotFoundError``, also for what ``actor`` does not see."""
    row = offline.find(view, entry_id)
    if row is None or row.outcome is Outcome.APPLIED or not sees(actor, row):
        raise NotFoundError(f"there is no conflict {entry_id}")
    return row


def require_any(actor: Actor) -> None:
    """Raises ``ForbiddenError`` for who has no entries and decides none."""
    if not any(actor.may(one) for one in WRITERS):
        require(actor, Permission.RESOLVE_OFFLINE)


def resolve(act: Act, house: House, *, keep: Keep, reason: str, deed: Deed | None) -> OfflineEntry:
    """Decide of the entry ``act.subject``; ``deed``: what it asks for, None where its body is not
    valid. With ``Keep.MINE`` it is done now, by the same action and as who entered it.

    Raises ``ForbiddenError``, ``NotFoundError``, ``KeyReusedError`` or ``ConflictError`` (decided
    already, or the action refuses); then nothing has changed.
    """
    require_any(act.actor)
    with act.ledger.write(act.site) as entry:
        view = View(connection=entry.connection, site=act.site)
        row = find(view, act.subject, act.actor)
        if keep is Keep.MINE or row.by != act.by:
            require(act.actor, Permission.RESOLVE_OFFLINE, row.area or WHOLE_SITE)
        if act.is_new(entry, "offline.resolve"):
            if row.resolved_at is not None:
                raise ConflictError("this was decided already")
            if keep is Keep.MINE:
                _apply(house, entry, row, deed, act)
            change = view.last_change_id() if keep is Keep.MINE else None
            offline.decide(
                entry,
                row.id,
                keep=keep,
                reason=reason,
                by=act.by,
                at=act.now.wall,
                change=change,
            )
            act.record(
                entry,
                "offline.resolve",
                of=row.subject,
                item=row.item,
                written_by=row.by,
                keep=keep.value,
                reason=reason,
            )
            told(entry, row, True, act.now)
        after = offline.find(view, row.id)
        assert after is not None
        return after


def _apply(house: House, entry: Entry, row: OfflineEntry, deed: Deed | None, act: Act) -> None:
    view = View(connection=entry.connection, site=act.site)
    if deed is None:
        raise ConflictError(f"it cannot be done: {row.detail or 'it is not valid'}")
    first = None if row.waits_for is None else offline.find(view, row.waits_for)
    if first is not None and first.waits:
        raise ConflictError(f"{first.id} is decided first")
    author = _author(view, row, act.by)
    try:
        do(
            house,
            entry,
            deed,
            entry_id=row.id,
            subject=row.subject,
            kind=Kind(row.kind),
            actor=author,
            now=act.now,
        )
    except (RefusedError, ForbiddenError, IllegalTransitionError) as error:
        raise ConflictError(f"it cannot be done any more: {error}") from None


def _author(view: View, row: OfflineEntry, at_session_of: str) -> Actor:
    """Who entered it, with the rights that they have now; the audit says who decided."""
    person = people.find(view, row.by)
    if person is None or not person.active:
        raise ConflictError(f"{row.by} does not work here any more")
    by = None if at_session_of == row.by else at_session_of
    return Actor(username=row.by, role=person.role, areas=frozenset(person.areas), at_session_of=by)
