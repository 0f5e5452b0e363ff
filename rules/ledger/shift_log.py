"""Writing the logs of shifts: each is opened once, and what people write is added to it."""

from __future__ import annotations

from sqlalchemy import Column, Table, func, select

from gateway.model.moment import Instant
from rules.ledger.rows import ChangeKind, words
from rules.ledger.shift_log_view import NewEntry, id_of
from rules.ledger.store import Entry
from rules.ledger.tables.handover import shift_entry, shift_log
from rules.ledger.tables.people import audit
from rules.ledger.tables.work import change
from rules.people.roles import Actor
from rules.refusals import ConflictError
from rules.shifts.duty import Duty


def open_log(entry: Entry, duty: Duty, *, rulebook: str, site_file: str, now: Instant) -> bool:
    """False where it is open already: then nothing changes, whoever is planned now.

    ``rulebook``, ``site_file``: fingerprints of what is in force.
    """
    day = duty.day
    opened = entry.insert_once(
        shift_log,
        id=id_of(day),
        date=day.date,
        shift=day.shift.id,
        name=words(day.shift.name),
        team=duty.team.id,
        team_name=words(duty.team.name),
        crew=[
            {"username": one.person.username, "name": one.person.display_name} for one in duty.crew
        ],
        starts_at=day.starts,
        ends_at=day.ends,
        opened_at=now.wall,
        from_change=_last(entry, change, change.c.id),
        from_audit=_last(entry, audit, audit.c.number),
        rulebook=rulebook,
        site_file=site_file,
    )
    if opened:
        entry.changed(ChangeKind.SHIFT, id_of(day), now.wall)
    return opened


def write(entry: Entry, shift_id: str, new: NewEntry, *, actor: Actor, now: Instant) -> None:
    """Add what somebody wrote; the same entry again changes nothing. Raises ``ConflictError``
    where its id was used for another."""
    known = (
        entry.connection.execute(
            select(shift_entry).where(
                shift_entry.c.site_id == entry.site, shift_entry.c.id == new.id
            )
        )
        .mappings()
        .one_or_none()
    )
    if known is not None:
        same = (shift_id, actor.username, new.text, new.corrects)
        if (known["shift_id"], known["by"], known["text"], known["corrects"]) != same:
            raise ConflictError(f"the id {new.id} was used for another entry")
        return
    number = entry.changed(ChangeKind.SHIFT, shift_id, now.wall)
    entry.add(
        shift_entry,
        id=new.id,
        change=number,
        shift_id=shift_id,
        text=new.text,
        corrects=new.corrects,
        by=actor.username,
        via=actor.via.value,
        happened_at=new.happened_at,
        received_at=now.wall,
    )


def _last(entry: Entry, table: Table, number: Column[int]) -> int:
    """The largest of a numbered table of the site; 0 where it is empty."""
    query = select(func.max(number)).where(table.c.site_id == entry.site)
    return entry.connection.execute(query).scalar_one() or 0
