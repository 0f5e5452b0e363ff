"""Reading the logs of shifts, and what people wrote in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, select

from gateway.model.point import Text
from rules.ledger.tables.handover import shift_entry, shift_log
from rules.ledger.view import View
from rules.people import people
from rules.shifts.rotation import ShiftDay


@dataclass(frozen=True, kw_only=True, slots=True)
class CrewName:
    username: str
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ShiftLog:
    """Times in µs UTC."""

    id: str
    date: date
    shift: str
    name: Text
    team: str
    team_name: Text
    crew: Sequence[CrewName]
    """Who was planned when it was opened."""
    starts_at: int
    ends_at: int
    opened_at: int
    from_change: int
    from_audit: int
    rulebook: str
    site_file: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEntry:
    """What somebody writes; the id is made by the client."""

    id: str
    text: str
    happened_at: int
    """µs UTC."""
    corrects: str | None = None
    """Id of an entry of the same log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenEntry:
    id: str
    shift_id: str
    text: str
    corrects: str | None
    by: str
    by_name: str
    via: str
    happened_at: int
    received_at: int


def id_of(day: ShiftDay) -> str:
    """Of the log of a shift of a day."""
    return f"{day.date.isoformat()}.{day.shift.id}"


def log_with(view: View, shift_id: str) -> ShiftLog | None:
    found = _logs(view, _of_site(view).where(shift_log.c.id == shift_id))
    return found[0] if found else None


def logs_of(view: View, ids: Sequence[str]) -> list[ShiftLog]:
    """By their ids."""
    return _logs(view, _of_site(view).where(shift_log.c.id.in_(ids)))


def logs(
    view: View, *, limit: int | None = None, before: tuple[int, str] | None = None
) -> list[ShiftLog]:
    """The newest first; ``before``: (starts_at, id) of the last one seen."""
    query = _of_site(view).order_by(shift_log.c.starts_at.desc(), shift_log.c.id.desc())
    if before is not None:
        at, last = before
        same = and_(shift_log.c.starts_at == at, shift_log.c.id < last)
        query = query.where((shift_log.c.starts_at < at) | same)
    return _logs(view, query.limit(limit))


def entries(view: View, shift_id: str) -> list[WrittenEntry]:
    """As they came."""
    query = (
        select(shift_entry)
        .where(shift_entry.c.site_id == view.site, shift_entry.c.shift_id == shift_id)
        .order_by(shift_entry.c.change)
    )
    rows = view.connection.execute(query).mappings().all()
    names = people.names(view, {row["by"] for row in rows})
    return [
        WrittenEntry(
            **{name: row[name] for name in _ENTRY}, by_name=names.get(row["by"], row["by"])
        )
        for row in rows
    ]


_ENTRY = ("id", "shift_id", "text", "corrects", "by", "via", "happened_at", "received_at")
_AS_THEY_LIE = (
    "id",
    "date",
    "shift",
    "team",
    "starts_at",
    "ends_at",
    "opened_at",
    "from_change",
    "from_audit",
    "rulebook",
    "site_file",
)


def _of_site(view: View) -> Select[Any]:
    return select(shift_log).where(shift_log.c.site_id == view.site)


def _logs(view: View, query: Select[Any]) -> list[ShiftLog]:
    return [
        ShiftLog(
            **{name: row[name] for name in _AS_THEY_LIE},
            name=Text(**row["name"]),
            team_name=Text(**row["team_name"]),
            crew=tuple(CrewName(**one) for one in row["crew"]),
        )
        for row in view.connection.execute(query).mappings()
    ]
