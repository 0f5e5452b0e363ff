"""The rows of lines that were looked at again before a round was countersigned."""

from __future__ import annotations

from sqlalchemy import insert, select

from gateway.model.moment import Instant
from rules.ledger.round_rows import SpotCheck
from rules.ledger.rows import ChangeKind
from rules.ledger.store import Entry
from rules.ledger.tables.rounds import round_spot_check
from rules.ledger.view import View
from rules.people import people


def add(
    entry: Entry,
    round_id: str,
    key: str,
    *,
    agrees: bool,
    note: str | None,
    by: str,
    now: Instant,
) -> None:
    change = entry.changed(ChangeKind.ROUND, round_id, now.wall)
    entry.connection.execute(
        insert(round_spot_check).values(
            site_id=entry.site,
            change=change,
            round_id=round_id,
            item=key,
            agrees=agrees,
            note=note,
            by=by,
            at=now.wall,
        )
    )


def of_round(view: View, round_id: str) -> dict[str, SpotCheck]:
    """Line → the newest."""
    query = (
        select(round_spot_check)
        .where(round_spot_check.c.site_id == view.site, round_spot_check.c.round_id == round_id)
        .order_by(round_spot_check.c.change)
    )
    rows = view.connection.execute(query).mappings().all()
    names = people.names(view, {row["by"] for row in rows})
    return {
        row["item"]: SpotCheck(
            item=row["item"],
            agrees=row["agrees"],
            note=row["note"],
            by=row["by"],
            by_name=names.get(row["by"]),
            at=row["at"],
        )
        for row in rows
    }
