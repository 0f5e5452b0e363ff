"""The link by which a contractor, who does not log in, works on one order; see the package.

A link is good while its order runs and is with the contractor it was made for, until it expires
or is revoked. Whatever is wrong with one, the answer is the same: there is no such link.
"""

from __future__ import annotations

from dataclasses import dataclass

from rules.actions.act import Act
from rules.actions.order_step import found_row
from rules.contractor_link import Links, token_hash
from rules.ledger import contractor_links as stored
from rules.ledger.contractor_links import ContractorLink
from rules.ledger.rows import ChangeKind, WorkOrder
from rules.ledger.store import Entry
from rules.ledger.view import View
from rules.orders.lifecycle import NOT_CLOSED
from rules.people import people
from rules.people.people import Person
from rules.people.roles import Actor, Permission, Via, require
from rules.refusals import ConflictError, NotFoundError

_NO_SUCH = "there is no such link any more"


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """What a good link stands for."""

    order: WorkOrder
    person: Person
    link: ContractorLink

    @property
    def actor(self) -> Actor:
        """The contractor, where this one order is and nowhere else."""
        return Actor(
            username=self.person.username,
            role=self.person.role,
            areas=frozenset({self.order.area}),
            via=Via.LINK,
        )


def held(view: View, token: str, now: int) -> Held:
    """Raises ``NotFoundError`` for a token that is not good at ``now`` (µs UTC)."""
    link = stored.of_hash(view, token_hash(token))
    order = None if link is None or link.expires_at <= now else view.order(link.order_id)
    if link is None or order is None or order.state not in NOT_CLOSED:
        raise NotFoundError(_NO_SUCH)
    person = people.find(view, link.username)
    if order.assigned_to != link.username or person is None or not stored.needs_link(person):
        raise NotFoundError(_NO_SUCH)
    return Held(order=order, person=person, link=link)


def admit(token: str, now: int, entry: Entry) -> None:
    """In the transaction of a step: whoever was sent away meanwhile takes none."""
    held(View(connection=entry.connection, site=entry.site), token, now)


def give(entry: Entry, act: Act, links: Links | None, to: str) -> ContractorLink | None:
    """In the transaction that gives an order to ``to``, who is there."""
    person = people.find(View(connection=entry.connection, site=entry.site), to)
    assert person is not None
    return stored.give(entry, links, act.subject, person, by=act.by, at=act.now.wall)


def renew(act: Act, links: Links) -> ContractorLink:
    """Another link for the contractor who has the order; the same key again gives the same.

    Raises ``ConflictError`` where nobody has it who needs one.
    """
    require(act.actor, Permission.ASSIGN_ORDER)
    with act.ledger.write(act.site) as entry:
        row = found_row(entry, act.subject)
        require(act.actor, Permission.ASSIGN_ORDER, row["area"])
        if act.is_new(entry, "link"):
            has_it = row["assigned_to"] if row["state"] in NOT_CLOSED else None
            made = None if has_it is None else give(entry, act, links, has_it)
            if made is None:
                raise ConflictError("nobody has this order who needs a link")
            entry.changed(ChangeKind.ORDER, act.subject, act.now.wall)
            act.record(entry, "order.link", to=made.username, link=made.id)
        link = stored.of_order(View(connection=entry.connection, site=act.site), act.subject)
        if link is None or link.created_by != act.by:
            raise ConflictError("this link was revoked since")
        return link


def revoke(act: Act) -> None:
    """Nobody comes in by it any more; raises ``NotFoundError`` where there is none."""
    require(act.actor, Permission.ASSIGN_ORDER)
    with act.ledger.write(act.site) as entry:
        row = found_row(entry, act.subject)
        require(act.actor, Permission.ASSIGN_ORDER, row["area"])
        if act.is_new(entry, "unlink"):
            if not stored.revoke(entry, act.subject, by=act.by, at=act.now.wall):
                raise NotFoundError("this order has no link")
            entry.changed(ChangeKind.ORDER, act.subject, act.now.wall)
            act.record(entry, "order.unlink")
