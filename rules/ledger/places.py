"""Where a code hangs by which anybody can ask for a repair, and what it stands for."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from gateway.model.moment import Instant
from rules.ledger.store import Entry
from rules.ledger.tables.requests import place
from rules.ledger.view import View


def codes(view: View) -> Mapping[str, str]:
    """Area → its code."""
    query = select(place.c.area, place.c.code).where(place.c.site_id == view.site)
    return {row.area: row.code for row in view.connection.execute(query)}


def area_of(view: View, code: str) -> str | None:
    """The area in which ``code`` hangs; None: there is no such code any more."""
    query = select(place.c.area).where(place.c.site_id == view.site, place.c.code == code)
    return view.connection.execute(query).scalar_one_or_none()


def put(entry: Entry, area: str, code: str, *, by: str, now: Instant) -> None:
    """``code`` hangs in ``area`` from now on, and the one before no longer counts."""
    entry.put(place, [{"area": area, "code": code, "by": by, "at": now.wall}])
