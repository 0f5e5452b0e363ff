"""What a month, or a longer period, brought in each area."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select

from gateway.model.equipment import Site
from gateway.model.point import Text
from rules.inspections import periods
from rules.inspections.lifecycle import RoundState
from rules.inspections.regime import Level, Severity
from rules.ledger.round_rows import Round
from rules.ledger.round_view import state_at
from rules.ledger.tables.orders import work_order
from rules.ledger.tables.rounds import round_, round_finding, round_item
from rules.ledger.view import View
from rules.orders.lifecycle import NOT_CLOSED
from rules.shifts.local_time import instant_at

SUMMED = frozenset({Level.MONTHLY, Level.QUARTERLY, Level.HALF_YEARLY, Level.YEARLY})
_OPEN = [state.value for state in NOT_CLOSED]


@dataclass(kw_only=True, slots=True)
class RegimeCount:
    """The rounds of one regime that opened in the period, and the findings of it."""

    name: Text
    """As its newest round of the period calls it."""
    due: int = 0
    """Rounds that should be done by now, and those that were done before."""
    done: int = 0
    late: int = 0
    """Of the done ones, those after their time."""
    missed: int = 0
    findings: dict[Severity, int] = field(default_factory=dict)
    findings_open: int = 0
    """Those whose order is not closed."""


@dataclass(kw_only=True, slots=True)
class AreaSummary:
    """What the period brought in one area, and the orders that are open now."""

    area: str | None
    """None: of the whole site."""
    regimes: dict[str, RegimeCount] = field(default_factory=dict)
    orders_open: int = 0


def summary(view: View, site: Site, holder: Round, now: int) -> list[AreaSummary]:
    """By area, those of the site first; of a round of one area only that one. Empty for rounds
    of a shift, a day or a week."""
    if holder.level not in SUMMED:
        return []
    days = periods.days_of(holder.level, holder.period)
    start = instant_at(days[0], 0, site.zone)
    end = instant_at(days[-1] + timedelta(days=1), 0, site.zone)
    found: defaultdict[str | None, AreaSummary] = defaultdict(lambda: AreaSummary(area=None))
    in_period = and_(round_.c.opens_at >= start, round_.c.opens_at < end)
    _rounds(view, found, holder, in_period, now)
    _findings(view, found, start, end)
    _orders(view, found)
    for area, one in found.items():
        one.area = area
    order = [None, *site.areas]
    wanted = order if holder.area is None else [holder.area]
    return [found[area] for area in wanted if area in found]


def _rounds(
    view: View,
    found: dict[str | None, AreaSummary],
    holder: Round,
    opened: ColumnElement[bool],
    now: int,
) -> None:
    state = state_at(now)
    late = func.coalesce(round_.c.done_at > round_.c.due_at, False)
    query = (
        select(round_.c.area, round_.c.regime, state, late, func.count(), func.max(round_.c.id))
        .where(round_.c.site_id == view.site, opened, round_.c.id != holder.id)
        .where(round_.c.void_at.is_(None))
        .where(or_(round_.c.due_at <= now, round_.c.done_at.is_not(None)))
        .group_by(round_.c.area, round_.c.regime, state, late)
    )
    rows = view.connection.execute(query).all()
    names = _names(view, {newest for *_, newest in rows})
    for area, regime, said, is_late, count, newest in rows:
        one = found[area].regimes.setdefault(regime, RegimeCount(name=names[newest]))
        one.due += count
        if said in (RoundState.DONE.value, RoundState.COUNTERSIGNED.value):
            one.done += count
            one.late += count if is_late else 0
        elif said == RoundState.MISSED.value:
            one.missed += count


def _findings(view: View, found: dict[str | None, AreaSummary], start: int, end: int) -> None:
    line = and_(
        round_item.c.site_id == round_finding.c.site_id,
        round_item.c.round_id == round_finding.c.round_id,
        round_item.c.key == round_finding.c.item,
    )
    order = and_(
        work_order.c.site_id == round_finding.c.site_id,
        work_order.c.id == round_finding.c.order_id,
    )
    whole = and_(
        round_.c.site_id == round_finding.c.site_id, round_.c.id == round_finding.c.round_id
    )
    is_open = func.coalesce(work_order.c.state.in_(_OPEN), False)
    of = (round_item.c.area, round_.c.regime, round_finding.c.severity, is_open)
    query = (
        select(*of, func.count(), func.max(round_.c.id))
        .join_from(round_finding, round_item, line)
        .join(round_, whole)
        .join(work_order, order, isouter=True)
        .where(round_finding.c.site_id == view.site)
        .where(round_finding.c.at >= start, round_finding.c.at < end)
        .group_by(*of)
    )
    rows = view.connection.execute(query).all()
    names = _names(view, {newest for *_, newest in rows})
    for area, regime, severity, still, count, newest in rows:
        one = found[area].regimes.setdefault(regime, RegimeCount(name=names[newest]))
        kind = Severity(severity)
        one.findings[kind] = one.findings.get(kind, 0) + count
        one.findings_open += count if still else 0


def _names(view: View, rounds: set[str]) -> dict[str, Text]:
    query = select(round_.c.id, round_.c.name)
    wanted = (round_.c.site_id == view.site, round_.c.id.in_(rounds))
    return {one: Text(**name) for one, name in view.connection.execute(query.where(*wanted))}


def _orders(view: View, found: dict[str | None, AreaSummary]) -> None:
    query = (
        select(work_order.c.area, func.count())
        .where(work_order.c.site_id == view.site, work_order.c.state.in_(_OPEN))
        .group_by(work_order.c.area)
    )
    for area, count in view.connection.execute(query):
        # What belongs to no area carries the site's own id.
        found[None if area == view.site else area].orders_open += count
