"""What a late or missed round causes: a notice, a finding. Once, in the transaction that notes
that it was done; a message leaves by the outbox."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, insert, select, update

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from gateway.model.point import Text
from rules.inspections import consequences
from rules.inspections.consequences import Consequence
from rules.inspections.judge import ItemState, Verdict
from rules.ledger import findings, round_view
from rules.ledger.round_rows import Round, item_columns, verdict_columns
from rules.ledger.rows import ChangeKind
from rules.ledger.store import Entry
from rules.ledger.tables.people import membership
from rules.ledger.tables.rounds import round_, round_item
from rules.ledger.view import View
from rules.notify.notice import of_round
from rules.notify.posting import post
from rules.orders.book import OrderBook
from rules.people.roles import Role

_LATE, _MISSED = "late", "missed"


def waiting(view: View, now: int) -> list[str]:
    """The rounds from which something follows by ``now`` (µs UTC)."""
    query = select(round_.c.id).where(_follows(view.site, now))
    return list(view.connection.execute(query.order_by(round_.c.follows_at)).scalars())


def follow(entry: Entry, site: Site, round_id: str, *, book: OrderBook, now: Instant) -> None:
    """Do what follows from a round at ``now``, and note that it was done: nothing where somebody
    else was faster, or has signed it."""
    view = View(connection=entry.connection, site=entry.site)
    found = round_view.round_with(view, round_id)
    here = and_(_follows(entry.site, now.wall), round_.c.id == round_id)
    if found is None:
        return
    is_missed = now.wall >= found.facts.late_until
    said = found.consequences.get(_MISSED if is_missed else _LATE)
    rest = None if is_missed or _MISSED not in found.consequences else found.facts.late_until
    noted = entry.connection.execute(update(round_).where(here).values(follows_at=rest))
    if noted.rowcount != 1 or said is None:
        return
    consequence = consequences.read(said)
    if consequence.tell:
        notice = of_round(
            round_id=found.id,
            name=_title(found),
            area=found.area,
            is_missed=is_missed,
            to=_people(entry, consequence.tell),
            at=found.facts.late_until if is_missed else found.facts.due_at,
        )
        post(entry, site, notice, now)
    if consequence.finding is not None:
        _find(entry, site, found, consequence, book=book, now=now)
    entry.changed(ChangeKind.ROUND, found.id, now.wall)


def _follows(site: str, now: int) -> ColumnElement[bool]:
    return and_(
        round_.c.site_id == site,
        round_.c.follows_at <= now,
        round_.c.done_at.is_(None),
        round_.c.void_at.is_(None),
    )


def _find(
    entry: Entry,
    site: Site,
    found: Round,
    consequence: Consequence,
    *,
    book: OrderBook,
    now: Instant,
) -> None:
    line = consequences.missed_line(
        consequence,
        regime=found.regime,
        area=found.area,
        subject=found.area or site.id,
        subject_name=found.area_name or site.name,
    )
    why = Text(zh=found.name.zh, en=found.name.en)
    verdict = Verdict(state=ItemState.FAILED, why=why)
    entry.connection.execute(
        insert(round_item).values(
            site_id=entry.site,
            round_id=found.id,
            position=found.counts.total,
            **item_columns(line),
            **verdict_columns(verdict),
        )
    )
    findings.record(entry, site, found.id, line, book=book, why=why, now=now)


def _title(found: Round) -> Text:
    if found.area_name is None:
        return found.name
    return Text(
        zh=f"{found.area_name.zh} {found.name.zh}", en=f"{found.area_name.en}: {found.name.en}"
    )


def _people(entry: Entry, roles: Sequence[Role]) -> tuple[str, ...]:
    """User names of those at the site who have one of the roles."""
    query = (
        select(membership.c.username)
        .where(membership.c.site_id == entry.site, membership.c.active)
        .where(membership.c.role.in_([role.value for role in roles]))
        .order_by(membership.c.username)
    )
    return tuple(entry.connection.execute(query).scalars())
