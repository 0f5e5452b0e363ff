"""When equipment was last looked at by a round, and by whom or by what."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, func, select

from rules.inspections.judge import ItemState
from rules.inspections.regime import Level
from rules.ledger.tables.rounds import equipment_check, round_item
from rules.ledger.view import View
from rules.people import people


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """The last time. µs UTC."""

    at: int
    round: str
    by: str | None
    """None: telemetry."""
    by_name: str | None
    failed: int
    """Lines of it in that round that are not in order."""


def last_checks(view: View) -> dict[tuple[str, Level], Checked]:
    """By equipment and level, the last round in which at least one line of it was answered."""
    columns = [equipment_check.c[name] for name in ("equipment", "level", "round_id", "at", "by")]
    query = select(*columns).where(equipment_check.c.site_id == view.site)
    rows = view.connection.execute(query).all()
    names = people.names(view, {by for *_, by in rows if by is not None})
    failed = _failed(view)
    return {
        (equipment, Level(level)): Checked(
            at=at,
            round=round_id,
            by=by,
            by_name=None if by is None else names.get(by),
            failed=failed.get((equipment, round_id), 0),
        )
        for equipment, level, round_id, at, by in rows
    }


def _failed(view: View) -> dict[tuple[str, str], int]:
    """Of these rounds: (equipment, round) → lines that are not in order, where there are any."""
    same = and_(
        round_item.c.site_id == equipment_check.c.site_id,
        round_item.c.round_id == equipment_check.c.round_id,
        round_item.c.equipment == equipment_check.c.equipment,
    )
    query = (
        select(round_item.c.equipment, round_item.c.round_id, func.count())
        .join_from(equipment_check, round_item, same)
        .where(equipment_check.c.site_id == view.site)
        .where(round_item.c.state == ItemState.FAILED.value)
        .group_by(round_item.c.equipment, round_item.c.round_id)
    )
    return {(equipment, of): count for equipment, of, count in view.connection.execute(query)}
