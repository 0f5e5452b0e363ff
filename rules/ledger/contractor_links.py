"""The rows of contractors' links: one that counts for each order at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update

from rules.contractor_link import Links, new_id, token_hash
from rules.ledger.store import Entry
from rules.ledger.tables.contractor_links import contractor_link
from rules.ledger.view import View
from rules.people.people import Person


@dataclass(frozen=True, kw_only=True, slots=True)
class ContractorLink:
    id: str
    order_id: str
    username: str
    """Whose it is; good only as long as they have the order."""
    created_at: int
    created_by: str
    expires_at: int
    """µs UTC."""


def of_order(view: View, order_id: str) -> ContractorLink | None:
    """The one of the order that was not revoked; it may have expired."""
    return _one(view, contractor_link.c.order_id == order_id)


def of_hash(view: View, token_hash: str) -> ContractorLink | None:
    """The one whose token has this hash, unless it was revoked."""
    return _one(view, contractor_link.c.token_hash == token_hash)


def add(entry: Entry, link: ContractorLink, token_hash: str) -> None:
    """The one before must have been revoked."""
    columns = {name: getattr(link, name) for name in ContractorLink.__slots__}
    entry.add(contractor_link, token_hash=token_hash, **columns)


def give(
    entry: Entry, links: Links | None, order_id: str, person: Person, *, by: str, at: int
) -> ContractorLink | None:
    """In the transaction that gives an order to ``person``: the link before is no good any more,
    and a contractor gets one. None: they log in, or nobody can make links here."""
    revoke(entry, order_id, by=by, at=at)
    if links is None or not needs_link(person):
        return None
    link = ContractorLink(
        id=new_id(),
        order_id=order_id,
        username=person.username,
        created_at=at,
        created_by=by,
        expires_at=at + links.lasts,
    )
    add(entry, link, token_hash(links.token(entry.site, link.id)))
    return link


def needs_link(person: Person) -> bool:
    """Whether they work here and have no other way in."""
    return person.active and (person.contractor or not person.can_log_in)


def revoke(entry: Entry, order_id: str, *, by: str, at: int) -> bool:
    """What the order has is no good any more; False where it has none."""
    revoked = entry.connection.execute(
        update(contractor_link)
        .where(
            contractor_link.c.site_id == entry.site,
            contractor_link.c.order_id == order_id,
            contractor_link.c.revoked_at.is_(None),
        )
        .values(revoked_at=at, revoked_by=by)
    )
    return revoked.rowcount > 0


def _one(view: View, wanted: Any) -> ContractorLink | None:
    query = select(contractor_link).where(
        contractor_link.c.site_id == view.site, contractor_link.c.revoked_at.is_(None), wanted
    )
    row = view.connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return ContractorLink(**{name: row[name] for name in ContractorLink.__slots__})
