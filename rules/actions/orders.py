"""What a person may do with a work order; see the package.

Whoever has an order acts on it, and whoever may assign orders may act on any in their area: a
foreman completes what a contractor did. Who has it may hand it over too.

Each raises ``NotFoundError``, ``ForbiddenError``, ``IllegalTransitionError`` (somebody has taken
it) or ``KeyReusedError``; then nothing has changed. It returns the order as it is afterwards.
"""

from __future__ import annotations

from collections.abc import Container
from functools import partial

from sqlalchemy import RowMapping

from gateway.model.equipment import Site
from rules import order_notices
from rules.actions import contractor_links, plan_steps
from rules.actions.act import Act
from rules.actions.order_step import Take, found_row, order_of, require_theirs, step
from rules.contractor_link import Links
from rules.ledger import order_steps
from rules.ledger.order_steps import Work
from rules.ledger.rows import WorkOrder
from rules.ledger.store import Entry
from rules.ledger.view import View
from rules.notify.posting import post
from rules.orders.book import OrderBook
from rules.people import people
from rules.people.roles import GRANTS, Actor, Permission, require
from rules.refusals import ConflictError, NotValidError


def assign(
    act: Act, site: Site, *, to: str, note: str | None, links: Links | None = None
) -> WorkOrder:
    """Give the order to ``to``, who is told of it; raises ``NotValidError`` too, where ``to``
    cannot take it. With ``links`` somebody who does not log in gets one of their own."""
    actor, by, now = act.actor, act.by, act.now
    if not actor.may(Permission.ACCEPT_ORDER):
        require(actor, Permission.ASSIGN_ORDER)
    with act.ledger.write(act.site) as entry:
        row = found_row(entry, act.subject)
        require(actor, Permission.VIEW, row["area"])
        if act.is_new(entry, "assign"):
            # Not before: who has handed it over has it no more when the request comes again.
            has_it = row["assigned_to"] == by
            needed = Permission.ACCEPT_ORDER if has_it else Permission.ASSIGN_ORDER
            require(actor, needed, row["area"])
            if row["assigned_to"] == to:
                raise ConflictError(f"{to} has it already")
            _check_can_take(entry, site, row, to)
            order_steps.assign(entry, row, to=to, by=by, note=note, now=now)
            act.record(entry, "order.assign", to=to, note=note)
            link = contractor_links.give(entry, act, links, to)
            if to != by:
                notice = order_notices.of_assignment(
                    entry, row, to=to, at=now.wall, link=None if link is None else link.id
                )
                post(entry, site, notice, now)
        return order_of(entry, act.subject)


def decline(act: Act, *, reason: str) -> WorkOrder:
    """Give it back."""

    def take(entry: Entry, row: RowMapping) -> None:
        order_steps.decline(entry, row, by=act.by, reason=reason, now=act.now)
        require_theirs(act.actor, Permission.ACCEPT_ORDER, row)
        act.record(entry, "order.decline", reason=reason)

    return step(act, "decline", Permission.ACCEPT_ORDER, take)


def accept(act: Act) -> WorkOrder:
    """Take the order: one that is open, or that was given to whoever acts."""

    def take(entry: Entry, row: RowMapping) -> None:
        whom = _whom(entry, row, act.actor)
        order_steps.accept(entry, row, by=act.by, for_=whom, now=act.now)
        require_theirs(act.actor, Permission.ACCEPT_ORDER, row)
        act.record(entry, "order.accept")

    return step(act, "accept", Permission.ACCEPT_ORDER, take)


def arrive(act: Act) -> WorkOrder:
    return _work(act, "arrive", partial(order_steps.arrive, by=act.by, now=act.now))


def start(act: Act) -> WorkOrder:
    return _work(act, "start", partial(order_steps.start, by=act.by, now=act.now))


def suspend(act: Act, *, why: str, note: str | None) -> WorkOrder:
    """Nobody can go on, for ``why`` (``rules.orders.clock_words.WHYS``): the clocks pause."""
    take = partial(order_steps.suspend, by=act.by, why=why, note=note, now=act.now)
    return _work(act, "suspend", take, why=why, note=note)


def resume(act: Act) -> WorkOrder:
    return _work(act, "resume", partial(order_steps.resume, by=act.by, now=act.now))


def complete(act: Act, work: Work, book: OrderBook | None = None) -> WorkOrder:
    """Say what was done, in codes of ``book`` where there are any; the clocks stop."""

    def take(entry: Entry, row: RowMapping) -> None:
        order_steps.complete(entry, row, work, by=act.by, now=act.now)
        known = book or OrderBook()
        _check_code("cause_code", work.cause_code, known.causes)
        _check_code("remedy_code", work.remedy_code, known.remedies)
        plan_steps.finish(act, entry, act.subject, work.unticked_why)

    return _work(act, "complete", take, note=work.note)


def _work(act: Act, name: str, take: Take, **said: str | None) -> WorkOrder:
    """A step of whoever has the order; what is ``said`` of it stands in the audit."""

    def take_theirs(entry: Entry, row: RowMapping) -> None:
        take(entry, row)
        require_theirs(act.actor, Permission.COMPLETE_ORDER, row)
        act.record(entry, f"order.{name}", **said)

    return step(act, name, Permission.COMPLETE_ORDER, take_theirs)


def _check_code(field: str, code: str | None, known: Container[str]) -> None:
    if code is not None and code not in known:
        raise NotValidError(field, f"there is no code {code}")


def _whom(entry: Entry, row: RowMapping, actor: Actor) -> str:
    """Who has the order when ``actor`` accepts it: a contractor, who does not log in, keeps it."""
    to = row["assigned_to"]
    if to is not None and to != actor.username:
        person = people.find(View(connection=entry.connection, site=entry.site), to)
        if person is not None and not person.can_log_in:
            return str(to)
    return actor.username


def _check_can_take(entry: Entry, site: Site, row: RowMapping, to: str) -> None:
    person = people.find(View(connection=entry.connection, site=entry.site), to)
    if person is None or not person.active:
        raise NotValidError("username", f"nobody here is called {to}")
    if Permission.COMPLETE_ORDER not in GRANTS[person.role]:
        raise NotValidError("username", f"{to} takes no orders")
    if person.areas and row["area"] in site.areas and row["area"] not in person.areas:
        raise NotValidError("username", f"{to} does not work in the area {row['area']}")
