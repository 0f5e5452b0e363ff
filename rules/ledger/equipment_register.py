"""Writing the register: a record with its dates and parts is replaced whole, and what was said
otherwise before is kept as a change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert

from rules.ledger.rows import ChangeKind
from rules.ledger.store import Entry
from rules.ledger.tables.equipment_register import (
    register_change,
    register_date,
    register_part,
    register_told,
    registered,
)
from rules.people.roles import Actor
from rules.register.due import Due
from rules.register.record import FieldChange, Record, differences

IMPORT = "import"
"""The subject of a change of many."""
_AT_ONCE = 400
"""Ids in one statement."""


def put(entry: Entry, pairs: Sequence[tuple[Record, Record]], *, actor: Actor, at: int) -> None:
    """The second of each pair from now on, in place of the first, one version further.

    The caller has seen that the first is what is there: the site's writers follow one another.
    """
    if not pairs:
        return
    one_alone = len(pairs) == 1
    subject = pairs[0][1].equipment if one_alone else IMPORT
    change = entry.changed(ChangeKind.REGISTER, subject, at)
    names = [after.equipment for _, after in pairs]
    for table in (register_date, register_part):
        for first in range(0, len(names), _AT_ONCE):
            entry.connection.execute(
                delete(table).where(
                    table.c.site_id == entry.site,
                    table.c.equipment.in_(names[first : first + _AT_ONCE]),
                )
            )
    entry.put(registered, [_row(after, actor.username, at) for _, after in pairs])
    _add(entry, register_date, [_date_row(*of) for of in _each(pairs, "dates")])
    _add(entry, register_part, [_part_row(*of) for of in _each(pairs, "parts")])
    changes = [
        {
            "change": change,
            "equipment": after.equipment,
            "version": after.version + 1,
            "at": at,
            "by": actor.username,
            "via": actor.via.value,
            "fields": [_said(one) for one in differences(before, after)],
        }
        for before, after in pairs
    ]
    _add(entry, register_change, changes)


def tell_once(entry: Entry, equipment: str, due: Due, at: int) -> bool:
    """Whether nobody has been told of this stage of it yet; from now on somebody has."""
    return entry.insert_once(register_told, **_told(equipment, due, at))


def count_as_told(entry: Entry, dues: Sequence[tuple[str, Due]], at: int) -> None:
    """Of these (equipment, date) nobody has to be told any more."""
    entry.put(register_told, [_told(*one, at) for one in dues])


def _told(equipment: str, due: Due, at: int) -> dict[str, Any]:
    said = {"kind": due.kind, "due_on": due.due_on, "stage": due.stage.value}
    return {"equipment": equipment, **said, "at": at}


def _row(after: Record, by: str, at: int) -> dict[str, Any]:
    return {
        "equipment": after.equipment,
        "version": after.version + 1,
        **after.attributes.values(),
        "changed_at": at,
        "changed_by": by,
    }


def _each(pairs: Sequence[tuple[Record, Record]], name: str) -> list[tuple[str, int, Any]]:
    return [
        (after.equipment, position, one)
        for _, after in pairs
        for position, one in enumerate(getattr(after, name))
    ]


def _date_row(equipment: str, _: int, one: Any) -> dict[str, Any]:
    return {"equipment": equipment, **_columns(one)}


def _part_row(equipment: str, position: int, one: Any) -> dict[str, Any]:
    return {"equipment": equipment, "position": position, **_columns(one)}


def _columns(one: Any) -> dict[str, Any]:
    return {name: getattr(one, name) for name in one.__slots__}


def _add(entry: Entry, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        entry.connection.execute(insert(table), [{"site_id": entry.site, **row} for row in rows])


def _said(one: FieldChange) -> dict[str, str | None]:
    return {"field": one.field, "before": one.before, "after": one.after}
