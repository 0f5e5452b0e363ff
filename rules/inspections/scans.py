"""Codes that hang at places and on equipment, scanned while a round is walked."""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway.model.equipment import Site
from gateway.model.moment import MINUTE, Instant
from rules.inspections.items import RoundItem
from rules.inspections.judge import Scan
from rules.ledger import places
from rules.ledger.round_rows import Round
from rules.ledger.view import View
from rules.refusals import NotValidError

_AHEAD = 5 * MINUTE
"""µs by which the clock of a phone may be ahead of ours."""


def place_of(view: View, site: Site, code: str) -> str | None:
    """The area or the equipment whose code it is, given as the address that the code holds or as
    the letters below it; None: no code of this site."""
    parts = [part for part in urlsplit(code.strip()).path.split("/") if part]
    last = parts[-1] if parts else ""
    # A phone likes to begin what is typed with a capital letter.
    if last.lower() in site.equipment:
        return last.lower()
    return places.area_of(view, last.upper())


def area_of(site: Site, place: str) -> str | None:
    """The area in which ``place`` is, an area or equipment."""
    thing = site.equipment.get(place)
    return thing.area if thing is not None else place if place in site.areas else None


def scanned_place(
    view: View, site: Site, found: Round, item: RoundItem, scan: Scan | None, *, now: Instant
) -> str | None:
    """Where ``scan`` was made; None without one.

    Raises ``NotValidError`` for a code that is none of this site, for one that hangs elsewhere
    than the line is, and for a time outside the round.
    """
    if scan is None:
        return None
    place = place_of(view, site, scan.code)
    if place is None:
        raise NotValidError("scan", "is no code of this site")
    area = area_of(site, place)
    wanted = item.area or found.area
    if place != item.equipment and (area != wanted if wanted else area is None):
        raise NotValidError("scan", f"is the code of {place}, and the line is of {wanted}")
    if place in site.equipment and item.equipment is not None and place != item.equipment:
        raise NotValidError("scan", f"is the code of {place}, and the line is of {item.equipment}")
    if not found.facts.opens_at <= scan.at <= now.wall + _AHEAD:
        raise NotValidError("scan", "was made before the round opened, or is yet to be made")
    return place
