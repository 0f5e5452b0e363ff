"""The rows of what phones wrote down without signal, and what a person had seen who wrote it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    RowMapping,
    Select,
    Table,
    and_,
    func,
    or_,
    select,
    update,
)

from gateway.model.point import Text
from rules.inspections.regime import Choice
from rules.ledger.round_rows import item_of
from rules.ledger.store import Entry
from rules.ledger.tables.offline import offline_entry
from rules.ledger.tables.orders import order_event, work_order
from rules.ledger.tables.rounds import round_, round_event, round_item
from rules.ledger.view import View
from rules.offline.protocol import Keep, Kind, Note, Outcome, Reason, Times

_AT_ONCE = 500
_PHOTOS = (Kind.ROUND_PHOTO.value, Kind.ORDER_PHOTO.value)
UNSEEN = "0"
"""The version of who has seen nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Theirs:
    """What stood in the way of an entry. ``at``: µs UTC."""

    state: str | None = None
    event: str | None = None
    by: str | None = None
    at: int | None = None
    value: bool | float | str | None = None
    passed: bool | None = None
    note: str | None = None
    assigned_to: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OfflineEntry:
    """One entry as it came, and what became of it. Times in µs UTC."""

    id: str
    digest: str
    kind: str
    subject: str
    item: str | None
    area: str | None
    by: str
    via: str
    device: str
    version: str
    entered_at: int
    """By the phone's clock."""
    sent_at: int
    """By the phone's clock."""
    received_at: int
    body: Mapping[str, Any]
    sha256: str | None
    outcome: Outcome
    reason: Reason | None = None
    detail: str | None = None
    notes: tuple[Note, ...] = ()
    theirs: Theirs | None = None
    waits_for: str | None = None
    number: int = 0
    """In the order of their arrival; ``add`` gives it."""
    change: int | None = None
    resolved_at: int | None = None
    resolved_by: str | None = None
    kept: Keep | None = None
    resolve_reason: str | None = None

    @property
    def waits(self) -> bool:
        """Whether somebody has still to decide, or to take note."""
        return self.outcome is not Outcome.APPLIED and self.resolved_at is None

    @property
    def times(self) -> Times:
        return Times(
            entered_at=self.entered_at,
            sent_at=self.sent_at,
            received_at=self.received_at,
            seen_at=seen_at(self.version),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which entries; None: all."""

    waiting: bool | None = None
    outcome: Outcome | None = None
    by: str | None = None
    """Only theirs, wherever they are."""
    areas: Collection[str] | None = None
    """Only those in these areas, or of ``or_by``."""
    or_by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """What the rounds, lines and orders of some entries are called."""

    subjects: Mapping[str, Text]
    lines: Mapping[tuple[str, str], NamedLine]
    """By round and line."""
    equipment: Mapping[str, Text]
    """Of orders; what an order is about may be a place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedLine:
    name: Text
    equipment: Text | None
    unit: str
    choices: tuple[Choice, ...]


def add(entry: Entry, row: OfflineEntry) -> OfflineEntry:
    """``row`` as it is kept, with its number."""
    last = select(func.max(offline_entry.c.number)).where(offline_entry.c.site_id == entry.site)
    row = replace(row, number=(entry.connection.execute(last).scalar_one() or 0) + 1)
    values = asdict(row)
    values |= {"outcome": row.outcome.value, "kept": None if row.kept is None else row.kept.value}
    values["reason"] = None if row.reason is None else row.reason.value
    values["notes"] = [note.value for note in row.notes]
    entry.add(offline_entry, **values)
    return row


def find(view: View, entry_id: str) -> OfflineEntry | None:
    found = _read(view, _of_site(view).where(offline_entry.c.id == entry_id))
    return found[0] if found else None


def known(view: View, ids: Collection[str]) -> set[str]:
    """Those of ``ids`` that are there; some at once are asked for."""
    query = select(offline_entry.c.id).where(
        offline_entry.c.site_id == view.site, offline_entry.c.id.in_(ids)
    )
    return set(view.connection.execute(query).scalars())


def listed(
    view: View, wanted: Wanted, *, limit: int, after: int | None = None
) -> list[OfflineEntry]:
    """Those that were not applied, oldest first; ``after``: the number of the last one seen."""
    table, query = offline_entry.c, _wanted(view, wanted)
    if after is not None:
        query = query.where(table.number > after)
    return _read(view, query.order_by(table.number).limit(limit))


def of_subjects(view: View, subjects: Collection[str]) -> list[OfflineEntry]:
    """The conflicts about these that nobody has decided, oldest first."""
    query = _of_site(view).where(offline_entry.c.subject.in_(subjects), _undecided())
    return _read(view, query.order_by(offline_entry.c.number))


def waiting_before(view: View, subject: str, *, by: str, item: str | None) -> str | None:
    """The first conflict of ``by`` about it that nobody has decided; ``item``: of that line only;
    None: of all of it."""
    query = select(offline_entry.c.id).where(
        offline_entry.c.site_id == view.site,
        offline_entry.c.subject == subject,
        offline_entry.c.by == by,
        offline_entry.c.kind.not_in(_PHOTOS),
        _undecided(),
    )
    if item is not None:
        query = query.where(offline_entry.c.item == item)
    first = query.order_by(offline_entry.c.number).limit(1)
    return view.connection.execute(first).scalar_one_or_none()


def photos_waiting(view: View, by: str) -> int:
    """How many photographs of ``by`` were kept and belong to nothing."""
    query = select(func.count()).where(
        offline_entry.c.site_id == view.site,
        offline_entry.c.by == by,
        offline_entry.c.kind.in_(_PHOTOS),
        offline_entry.c.outcome != Outcome.APPLIED.value,
        offline_entry.c.resolved_at.is_(None),
    )
    return view.connection.execute(query).scalar_one()


def seen(
    view: View, kind: Kind, subject: str, version: str, *, by: str, device: str, item: str | None
) -> int:
    """The site's last change that whoever wrote an entry knew of, as far as ``subject`` goes: by
    the version that they say, or by an entry of theirs that was applied since. A version that was
    not given out for ``subject`` counts as having seen nothing."""
    counted = _change_of(view, kind, subject, version)
    if kind is Kind.ROUND_FINISH:
        return counted
    own = select(func.max(offline_entry.c.change)).where(
        offline_entry.c.site_id == view.site,
        offline_entry.c.subject == subject,
        offline_entry.c.by == by,
        offline_entry.c.device == device,
        offline_entry.c.kind.not_in(_PHOTOS),
        offline_entry.c.change > counted,
    )
    if item is not None:
        own = own.where(offline_entry.c.item == item)
    return view.connection.execute(own).scalar_one() or counted


def round_versions(view: View, ids: Collection[str]) -> dict[str, str]:
    """Round → what there is to see of it."""
    return _versions(view, round_event, round_event.c.round_id, ids)


def order_versions(view: View, ids: Collection[str]) -> dict[str, str]:
    """Order → what there is to see of it."""
    return _versions(view, order_event, order_event.c.order_id, ids)


def named(view: View, rows: Sequence[OfflineEntry]) -> Named:
    """Of one page of entries."""
    ids = {row.subject for row in rows}
    found: dict[str, Text] = {}
    for table, name in ((round_, round_.c.name), (work_order, work_order.c.title)):
        query = select(table.c.id, name).where(table.c.site_id == view.site, table.c.id.in_(ids))
        found |= {key: Text(**said) for key, said in view.connection.execute(query)}
    query = select(work_order.c.id, work_order.c.equipment_name).where(
        work_order.c.site_id == view.site, work_order.c.id.in_(ids)
    )
    equipment = {key: Text(**said) for key, said in view.connection.execute(query)}
    keys = {row.item for row in rows if row.item is not None}
    query = select(round_item).where(
        round_item.c.site_id == view.site,
        round_item.c.round_id.in_(ids),
        round_item.c.key.in_(keys),
    )
    lines = {
        (row["round_id"], row["key"]): _line_of(row)
        for row in view.connection.execute(query).mappings()
    }
    return Named(subjects=found, lines=lines, equipment=equipment)


def waiting(view: View, wanted: Wanted) -> int:
    """How many conflicts of ``wanted`` nobody has decided."""
    counted = _wanted(view, replace(wanted, waiting=True, outcome=Outcome.CONFLICT))
    query = select(func.count()).select_from(counted.subquery())
    return view.connection.execute(query).scalar_one()


def decide(
    entry: Entry,
    entry_id: str,
    *,
    keep: Keep,
    reason: str,
    by: str,
    at: int,
    change: int | None,
) -> None:
    """``change``: the site's last one, where the phone's was applied."""
    entry.connection.execute(
        update(offline_entry)
        .where(offline_entry.c.site_id == entry.site, offline_entry.c.id == entry_id)
        .values(
            resolved_at=at, resolved_by=by, kept=keep.value, resolve_reason=reason, change=change
        )
    )


def _versions(
    view: View, table: Table, column: Column[str], ids: Collection[str]
) -> dict[str, str]:
    """The newest event of each, by its change and its time: in a ledger that was restored from a
    backup the same number may mean another change."""
    found: dict[str, str] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), _AT_ONCE):
        newest = (
            select(func.max(table.c.change))
            .where(table.c.site_id == view.site, column.in_(wanted[start : start + _AT_ONCE]))
            .group_by(column)
        )
        query = select(column, table.c.change, table.c.at).where(
            table.c.site_id == view.site, table.c.change.in_(newest)
        )
        for subject, change, at in view.connection.execute(query):
            found[subject] = f"{change}-{at}"
    return {subject: found.get(subject, UNSEEN) for subject in wanted}


def seen_at(version: str) -> int:
    """When what it stands for happened, in µs UTC; 0: it says nothing."""
    return _parts(version)[1]


def _parts(version: str) -> tuple[int, int]:
    """The change and its time; (0, 0): it is none of ours."""
    change, _, at = version.partition("-")
    if not (version.isascii() and change.isdigit() and at.isdigit() and len(version) <= 40):
        return 0, 0
    return (int(change), int(at)) if max(int(change), int(at)) < 1 << 63 else (0, 0)


def _change_of(view: View, kind: Kind, subject: str, version: str) -> int:
    change, at = _parts(version)
    table = round_event if kind.is_of_round else order_event
    column = table.c.round_id if kind.is_of_round else table.c.order_id
    query = select(table.c.change).where(
        table.c.site_id == view.site,
        table.c.change == change,
        table.c.at == at,
        column == subject,
    )
    return view.connection.execute(query).scalar_one_or_none() or 0


def _wanted(view: View, wanted: Wanted) -> Select[*tuple[object, ...]]:
    table = offline_entry.c
    query = _of_site(view).where(table.outcome != Outcome.APPLIED.value)
    if wanted.waiting is not None:
        query = query.where(
            table.resolved_at.is_(None) if wanted.waiting else table.resolved_at.is_not(None)
        )
    if wanted.outcome is not None:
        query = query.where(table.outcome == wanted.outcome.value)
    if wanted.by is not None:
        query = query.where(table.by == wanted.by)
    if wanted.areas is not None:
        query = query.where(or_(table.area.in_(wanted.areas), table.by == wanted.or_by))
    return query


def _line_of(row: RowMapping) -> NamedLine:
    item = item_of(row)
    equipment = None if item.equipment is None else item.subject_name
    return NamedLine(name=item.name, equipment=equipment, unit=item.unit, choices=item.choices)


def _undecided() -> ColumnElement[bool]:
    return and_(
        offline_entry.c.outcome == Outcome.CONFLICT.value, offline_entry.c.resolved_at.is_(None)
    )


def _of_site(view: View) -> Select[*tuple[object, ...]]:
    return select(offline_entry).where(offline_entry.c.site_id == view.site)


def _read(view: View, query: Select[*tuple[object, ...]]) -> list[OfflineEntry]:
    return [_entry_of(row) for row in view.connection.execute(query).mappings()]


def _entry_of(row: RowMapping) -> OfflineEntry:
    said = {name: row[name] for name in OfflineEntry.__slots__}
    said |= {
        "outcome": Outcome(row["outcome"]),
        "reason": None if row["reason"] is None else Reason(row["reason"]),
        "kept": None if row["kept"] is None else Keep(row["kept"]),
        "notes": tuple(Note(note) for note in row["notes"]),
        "theirs": None if row["theirs"] is None else Theirs(**row["theirs"]),
    }
    return OfflineEntry(**said)
