"""Codes to print and hang up, by which anybody can ask for a repair; see the package."""

from __future__ import annotations

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.ledger import audit, places
from rules.ledger.store import Ledger
from rules.ledger.view import View
from rules.people.roles import Actor, Permission, require
from rules.refusals import NotFoundError


def hang(
    ledger: Ledger, site: Site, area: str, code: str, *, renew: bool, actor: Actor, now: Instant
) -> str:
    """The code of ``area``: the one that it has, or ``code`` where it has none or it is to be
    ``renew``-ed. Raises ``NotFoundError``."""
    require(actor, Permission.ASSIGN_ORDER)
    if area not in site.areas:
        raise NotFoundError(f"there is no area {area}")
    require(actor, Permission.ASSIGN_ORDER, area)
    with ledger.write(site.id) as entry:
        known = places.codes(View(connection=entry.connection, site=site.id)).get(area)
        if known is not None and not renew:
            return known
        places.put(entry, area, code, by=actor.username, now=now)
        audit.record(entry, actor, "place.hang", area, now.wall, renewed=known is not None)
    return code
