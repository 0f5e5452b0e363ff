"""When rounds last looked at equipment: one row for each piece of equipment and level of rounds.

What was looked at last counts. In one round a person counts before telemetry, whichever came
last: that somebody stood before the thing says more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import and_, delete, func, select

from rules.inspections.items import RoundItem
from rules.inspections.judge import ItemState, Verdict
from rules.inspections.regime import Level
from rules.ledger.store import Entry
from rules.ledger.tables.rounds import equipment_check, round_, round_entry, round_item

CHECKED = (ItemState.PASSED, ItemState.FAILED)
"""States of a line that was looked at."""
_AT_ONCE = 500


def by_telemetry(
    entry: Entry, round_id: str, level: Level, said: Sequence[tuple[RoundItem, Verdict]], at: int
) -> None:
    """``said``: what telemetry says of lines; µs UTC."""
    seen = {
        item.equipment
        for item, verdict in said
        if item.equipment is not None and verdict.state in CHECKED
    }
    if not seen:
        return
    here = and_(equipment_check.c.site_id == entry.site, equipment_check.c.round_id == round_id)
    by_people = select(equipment_check.c.equipment).where(here, equipment_check.c.by.is_not(None))
    seen -= set(entry.connection.execute(by_people).scalars())
    _put(entry, round_id, level, sorted(seen), at=at, by=None)


def by_person(
    entry: Entry, round_id: str, level: Level, item: RoundItem, *, at: int, by: str
) -> None:
    if item.equipment is not None:
        _put(entry, round_id, level, [item.equipment], at=at, by=by)


def take_back(entry: Entry, round_id: str, level: Level) -> None:
    """A clock that was ahead has filled the round, and nobody has answered anything in it: what
    was known of its equipment before counts again."""
    here = and_(equipment_check.c.site_id == entry.site, equipment_check.c.round_id == round_id)
    gone = delete(equipment_check).where(here, equipment_check.c.level == level.value)
    lost = entry.connection.execute(gone.returning(equipment_check.c.equipment)).scalars().all()
    for start in range(0, len(lost), _AT_ONCE):
        _restore(entry, round_id, level, lost[start : start + _AT_ONCE])


def _restore(entry: Entry, round_id: str, level: Level, lost: Collection[str]) -> None:
    """From the lines of the other rounds, in which they lie too."""
    same = and_(round_item.c.site_id == round_.c.site_id, round_item.c.round_id == round_.c.id)
    given = and_(
        round_entry.c.site_id == round_item.c.site_id,
        round_entry.c.round_id == round_item.c.round_id,
        round_entry.c.item == round_item.c.key,
    )
    at = func.coalesce(round_entry.c.received_at, round_.c.opened_at)
    query = (
        select(round_item.c.equipment, round_.c.id, at, round_entry.c.by)
        .join_from(round_, round_item, same)
        .join(round_entry, given, isouter=True)
        .where(round_.c.site_id == entry.site, round_.c.level == level.value)
        .where(round_.c.opened_at.is_not(None), round_.c.void_at.is_(None), round_.c.id != round_id)
        .where(round_item.c.equipment.in_(lost))
        .where(round_item.c.state.in_([state.value for state in CHECKED]))
        .order_by(round_.c.opened_at, round_entry.c.by.is_not(None), at)
    )
    newest = {row[0]: row[1:] for row in entry.connection.execute(query)}
    for equipment, (known, looked_at, by) in newest.items():
        _put(entry, known, level, [equipment], at=looked_at, by=by)


def _put(
    entry: Entry,
    round_id: str,
    level: Level,
    equipment: Sequence[str],
    *,
    at: int,
    by: str | None,
) -> None:
    rows = [
        {"equipment": one, "level": level.value, "round_id": round_id, "at": at, "by": by}
        for one in equipment
    ]
    entry.put(equipment_check, rows)
