"""Writing handovers: their steps, who comes, what is answered, let pass and signed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, func, select, update

from gateway.model.moment import Instant
from rules.handover.blocks import Block
from rules.handover.book import Side
from rules.handover.facts import AnswerKind
from rules.handover.lifecycle import HandoverEvent, HandoverState, step
from rules.handover.sheet import frozen
from rules.ledger.handover_view import Handover
from rules.ledger.rows import ChangeKind, words
from rules.ledger.store import Entry
from rules.ledger.tables.handover import (
    handover,
    handover_answer,
    handover_arrival,
    handover_event,
    handover_override,
    handover_signature,
)
from rules.people.roles import Actor
from rules.refusals import ConflictError
from rules.shifts.duty import Duty


def prepare(entry: Entry, shift_id: str, relief: Duty, now: Instant) -> bool:
    """False where it was prepared already: then nothing changes, whoever is planned now."""
    day = relief.day
    made = entry.insert_once(
        handover,
        id=shift_id,
        next_date=day.date,
        next_shift=day.shift.id,
        next_name=words(day.shift.name),
        next_team=relief.team.id,
        next_team_name=words(relief.team.name),
        next_starts_at=day.starts,
        next_ends_at=day.ends,
        state=HandoverState.PREPARING.value,
        prepared_at=now.wall,
    )
    if made:
        way = (HandoverState.NEW, HandoverState.PREPARING)
        _note(entry, shift_id, HandoverEvent.PREPARE, now, way=way)
    return made


def take_step(
    entry: Entry,
    of: Handover,
    event: HandoverEvent,
    now: Instant,
    *,
    by: str | None = None,
    why: str | None = None,
) -> HandoverState:
    """Raises ``IllegalTransitionError``; a stop withdraws what was signed."""
    to = step(of.state, event, handover=of.id)
    columns: dict[str, object] = {"state": to.value}
    if event is HandoverEvent.ARRIVE and of.met_at is None:
        columns["met_at"] = now.wall
    if event is HandoverEvent.TAKE:
        columns["signed_at"] = now.wall
    if event is HandoverEvent.LAPSE:
        columns["lapsed_at"] = now.wall
    here = (handover.c.site_id == entry.site, handover.c.id == of.id)
    entry.connection.execute(update(handover).where(*here).values(**columns))
    if event is HandoverEvent.STOP:
        _withdraw(entry, of.id, now)
    _note(entry, of.id, event, now, way=(of.state, to), by=by, why=why)
    return to


def arrive(
    entry: Entry,
    of: Handover,
    *,
    stands_in: bool,
    note: str | None,
    actor: Actor,
    now: Instant,
) -> bool:
    """False where they have signed in already."""
    added = entry.insert_once(
        handover_arrival,
        handover_id=of.id,
        username=actor.username,
        stands_in=stands_in,
        note=note,
        via=actor.via.value,
        at=now.wall,
    )
    if added:
        take_step(entry, of, HandoverEvent.ARRIVE, now, by=actor.username, why=note)
    return added


def answer(
    entry: Entry,
    of: Handover,
    answer_id: str,
    kind: AnswerKind,
    subject: str,
    *,
    value: int,
    note: str | None,
    actor: Actor,
    now: Instant,
) -> bool:
    """False where this answer was given already; raises ``ConflictError`` where its id was used
    for another."""
    columns = {
        "handover_id": of.id,
        "kind": kind.value,
        "subject": subject,
        "value": value,
        "note": note,
        "by": actor.username,
    }
    query = select(handover_answer).where(
        handover_answer.c.site_id == entry.site, handover_answer.c.id == answer_id
    )
    known = entry.connection.execute(query).mappings().one_or_none()
    if known is not None:
        if {name: known[name] for name in columns} != columns:
            raise ConflictError(f"the id {answer_id} was used for another answer")
        return False
    number = entry.changed(ChangeKind.SHIFT, of.id, now.wall)
    entry.add(
        handover_answer,
        id=answer_id,
        change=number,
        via=actor.via.value,
        at=now.wall,
        **columns,
    )
    return True


def answers_with(entry: Entry, ids: Sequence[str]) -> set[str]:
    """Which of the answers ``ids`` are there."""
    of = handover_answer.c
    query = select(of.id).where(of.site_id == entry.site, of.id.in_(ids))
    return set(entry.connection.execute(query).scalars())


def let_pass(
    entry: Entry, of: Handover, block: Block, *, reason: str, by: str, now: Instant
) -> None:
    entry.insert_once(
        handover_override,
        handover_id=of.id,
        found=block.id,
        block=block.condition.key,
        subject=block.about,
        text=words(block.text),
        reason=reason,
        by=by,
        at=now.wall,
    )


def sign(
    entry: Entry,
    of: Handover,
    side: Side,
    document: dict[str, object],
    *,
    actor: Actor,
    now: Instant,
) -> str:
    """Keep what was signed, word by word; its hash."""
    text, digest = frozen(document)
    here = and_(
        handover_signature.c.site_id == entry.site, handover_signature.c.handover_id == of.id
    )
    count = entry.connection.execute(
        select(func.count()).select_from(handover_signature).where(here)
    ).scalar_one()
    entry.add(
        handover_signature,
        handover_id=of.id,
        number=count + 1,
        side=side.value,
        username=actor.username,
        via=actor.via.value,
        at=now.wall,
        text=text,
        hash=digest,
    )
    return digest


def _withdraw(entry: Entry, handover_id: str, now: Instant) -> None:
    of = handover_signature
    entry.connection.execute(
        update(of)
        .where(of.c.site_id == entry.site, of.c.handover_id == handover_id)
        .where(of.c.withdrawn_at.is_(None))
        .values(withdrawn_at=now.wall)
    )


def _note(
    entry: Entry,
    handover_id: str,
    event: HandoverEvent,
    now: Instant,
    *,
    way: tuple[HandoverState, HandoverState],
    by: str | None = None,
    why: str | None = None,
) -> None:
    number = entry.changed(ChangeKind.SHIFT, handover_id, now.wall)
    entry.add(
        handover_event,
        change=number,
        handover_id=handover_id,
        at=now.wall,
        event=event.value,
        from_state=way[0].value,
        to_state=way[1].value,
        by=by,
        why=why,
    )
