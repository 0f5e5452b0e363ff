"""What one round says together with others: differences from the sensor over the last rounds,
and where the people who walked it were scanned."""

from __future__ import annotations

from sqlalchemy import and_, select

from gateway.model.equipment import Site
from gateway.model.moment import HOUR
from rules.inspections.compared import ROUNDS, Drift, drift
from rules.inspections.scans import area_of
from rules.inspections.walks import Scanned
from rules.ledger.round_rows import Round
from rules.ledger.tables.rounds import round_, round_entry
from rules.ledger.view import View
from rules.people import people

_AROUND = 2 * HOUR
"""µs before and after the scans of a round in which those of its people are looked at."""


def drifts(view: View, found: Round) -> dict[str, Drift]:
    """Line → how the differences of the last rounds of its regime and area go on, ``found``
    included."""
    same_area = round_.c.area == found.area if found.area else round_.c.area.is_(None)
    last = (
        select(round_.c.id)
        .where(round_.c.site_id == view.site, round_.c.regime == found.regime, same_area)
        .where(round_.c.opens_at <= found.facts.opens_at, round_.c.started_at.is_not(None))
        .order_by(round_.c.opens_at.desc())
        .limit(ROUNDS)
    )
    ids = list(view.connection.execute(last).scalars())
    query = (
        select(
            round_entry.c.round_id,
            round_entry.c.item,
            round_entry.c.received_at,
            round_entry.c.compared,
        )
        .where(round_entry.c.site_id == view.site, round_entry.c.round_id.in_(ids))
        .order_by(round_entry.c.change)
    )
    of_line: dict[str, dict[str, tuple[int, float]]] = {}
    for round_id, item, at, compared in view.connection.execute(query):
        # The newest answer of each round counts, and one that was not compared is none.
        of_line.setdefault(item, {}).pop(round_id, None)
        if compared is not None and compared["difference"] is not None:
            of_line[item][round_id] = (at, compared["difference"])
    said = {item: drift(list(by_round.values())) for item, by_round in of_line.items()}
    return {item: one for item, one in said.items() if one is not None}


def scans(view: View, site: Site, round_id: str) -> list[Scanned]:
    """Where those who scanned something for ``round_id`` were scanned around that time, whatever
    for."""
    here = and_(round_entry.c.site_id == view.site, round_entry.c.scanned_at.is_not(None))
    columns = (
        round_entry.c.by,
        round_entry.c.scanned,
        round_entry.c.scanned_at,
        round_entry.c.round_id,
    )
    mine = view.connection.execute(select(*columns).where(here, round_entry.c.round_id == round_id))
    rows = mine.all()
    if not rows:
        return []
    people_here = {row.by for row in rows}
    first = min(row.scanned_at for row in rows) - _AROUND
    last = max(row.scanned_at for row in rows) + _AROUND
    around = select(*columns).where(
        here,
        round_entry.c.by.in_(people_here),
        round_entry.c.scanned_at.between(first, last),
    )
    names = people.names(view, people_here)
    return [
        Scanned(
            by=row.by, by_name=names.get(row.by), area=area, at=row.scanned_at, round=row.round_id
        )
        for row in view.connection.execute(around)
        if (area := area_of(site, row.scanned)) is not None
    ]
