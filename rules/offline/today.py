"""What a phone fetches while it has signal: the rounds and orders of today, as one person sees
them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from gateway.model.equipment import Site
from gateway.model.moment import HOUR
from rules.inspections.evidence import lacks
from rules.inspections.proving import Evidence
from rules.ledger import offline, places, plan_view, round_photos, round_view
from rules.ledger.plan_rows import PlanDue
from rules.ledger.plan_steps import Tick, ticks
from rules.ledger.plan_view import Wanted
from rules.ledger.round_rows import KeptItem, Round
from rules.ledger.rows import OrderSource, WorkOrder
from rules.ledger.view import View
from rules.offline.protocol import Kind
from rules.offline.taking import regime_changed
from rules.orders.lifecycle import RUNNING, OrderState
from rules.people.roles import Actor, Permission, Role
from rules.rule import Rulebook
from rules.shifts.local_time import date_of, instant_at

MOST = 100
"""Rounds, orders that somebody has, and orders that nobody has: of each."""
_AT_ONCE = 500
_AHEAD = 8 * HOUR
"""What opens so soon belongs to today too: who goes down before midnight finds the night's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    kept: KeptItem
    lacks: Sequence[Evidence]
    codes: Sequence[str]
    """Those that count as a scan at this line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundOfToday:
    round: Round
    version: str
    regime_changed: bool
    lines: Sequence[Line]


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderOfToday:
    order: WorkOrder
    version: str
    acts: Sequence[Kind]
    due: PlanDue | None = None
    """What it is for, of a plan."""
    ticks: Mapping[int, Tick] = field(default_factory=dict)
    """Of its steps."""


def rounds(
    view: View, site: Site, rulebook: Rulebook, actor: Actor, now: int
) -> list[RoundOfToday]:
    """Those that ``actor`` does: open, or opening today or soon. ``now``: µs UTC."""
    tomorrow = instant_at(date_of(now, site.zone) + timedelta(days=1), 0, site.zone)
    before = max(tomorrow, now + _AHEAD)
    found = [
        one
        for one in round_view.undone(view, late_after=now)
        if one.facts.opens_at < before
        and does(actor, one.role)
        and actor.may(Permission.ENTER_ROUND, one.area)
    ][:MOST]
    versions = offline.round_versions(view, [one.id for one in found])
    codes = places.codes(view) if found else {}
    return [
        RoundOfToday(
            round=one,
            version=versions[one.id],
            regime_changed=regime_changed(one, rulebook.regimes),
            lines=_lines(view, one, codes),
        )
        for one in found
    ]


def does(actor: Actor, role: Role) -> bool:
    """Whether rounds of ``role`` are for ``actor``: a foreman does the technicians' too, and an
    administrator any, who may be the only one."""
    return (
        actor.role is role
        or actor.role is Role.ADMIN
        or (actor.role is Role.FOREMAN and role is Role.TECHNICIAN)
    )


def orders(view: View, actor: Actor) -> list[OrderOfToday]:
    """Those that ``actor`` has, then those that nobody has and they may take; newest first."""
    states = [state.value for state in RUNNING]
    own = view.orders(states=states, assigned_to=actor.username, limit=MOST)
    free = []
    if actor.may(Permission.ACCEPT_ORDER):
        open_ones = view.orders(states=[OrderState.OPEN.value], limit=_AT_ONCE)
        free = [one for one in open_ones if actor.may(Permission.ACCEPT_ORDER, one.area)][:MOST]
    versions = offline.order_versions(view, [one.id for one in (*own, *free)])
    return [_order(view, one, versions[one.id], actor) for one in (*own, *free)]


def _order(view: View, order: WorkOrder, version: str, actor: Actor) -> OrderOfToday:
    """With the sheet of its plan, where it is of one."""
    may = acts(order, actor)
    if order.source is not OrderSource.PLAN:
        return OrderOfToday(order=order, version=version, acts=may)
    (due,) = plan_view.dues(view, Wanted(order=order.id), limit=1) or (None,)
    if due is None:
        return OrderOfToday(order=order, version=version, acts=may)
    is_theirs = order.assigned_to == actor.username
    if is_theirs and due.content.steps and actor.may(Permission.COMPLETE_ORDER, order.area):
        may = [*may, Kind.ORDER_TICK]
    return OrderOfToday(order=order, version=version, acts=may, due=due, ticks=ticks(view, due.id))


ACTS: Mapping[OrderState, Sequence[Kind]] = {
    OrderState.OPEN: (Kind.ORDER_ACCEPT,),
    OrderState.ASSIGNED: (Kind.ORDER_ACCEPT, Kind.ORDER_DECLINE),
    OrderState.ACCEPTED: (
        Kind.ORDER_ARRIVE,
        Kind.ORDER_START,
        Kind.ORDER_SUSPEND,
        Kind.ORDER_COMPLETE,
        Kind.ORDER_DECLINE,
    ),
    OrderState.ON_SITE: (
        Kind.ORDER_START,
        Kind.ORDER_SUSPEND,
        Kind.ORDER_COMPLETE,
        Kind.ORDER_DECLINE,
    ),
    OrderState.IN_PROGRESS: (Kind.ORDER_SUSPEND, Kind.ORDER_COMPLETE, Kind.ORDER_DECLINE),
    OrderState.SUSPENDED: (Kind.ORDER_RESUME, Kind.ORDER_DECLINE),
}
"""What who has an order may do next; a test holds it against the life-cycle's own table."""


def acts(order: WorkOrder, actor: Actor) -> list[Kind]:
    """What ``actor`` may do with it on the phone."""
    needs = {
        kind: Permission.ACCEPT_ORDER
        if kind in (Kind.ORDER_ACCEPT, Kind.ORDER_DECLINE)
        else Permission.COMPLETE_ORDER
        for kind in ACTS.get(order.state, ())
    }
    return [kind for kind, needed in needs.items() if actor.may(needed, order.area)]


def _lines(view: View, found: Round, codes: Mapping[str, str]) -> list[Line]:
    counts = round_photos.counts(view, found.id)
    return [
        Line(
            kept=kept,
            lacks=lacks(kept, counts[kept.item.key]),
            codes=_codes(kept, found, codes),
        )
        for kept in round_view.items(view, found.id)
    ]


def _codes(kept: KeptItem, found: Round, codes: Mapping[str, str]) -> list[str]:
    if Evidence.QR not in kept.item.proving.evidence:
        return []
    area = kept.item.area or found.area
    place = None if area is None else codes.get(area)
    return [code for code in (kept.item.equipment, place) if code is not None]
