"""Work orders as documents."""

from __future__ import annotations

from collections.abc import Sequence

from api import models
from api.views import attachments, words
from gateway.model.equipment import Site
from gateway.model.moment import SECOND, Instant
from gateway.model.point import Text
from rules.ledger.attachments import Attachment
from rules.ledger.roster import calendar_with
from rules.ledger.rows import LifecycleEvent, WorkOrder
from rules.orders.book import OrderBook
from rules.orders.clock import Clock, Standing, stand
from rules.orders.clock_words import explain
from rules.orders.proof import Proof
from rules.shifts.calendar import OwnDays


def document(
    order: WorkOrder,
    now: Instant,
    site: Site,
    *,
    steps: list[LifecycleEvent] | None = None,
    attached: Sequence[Attachment] | None = None,
    link: models.ContractorLink | None = None,
) -> models.WorkOrder:
    """``order`` with its clocks as they stand at ``now``; the others where all was asked for."""
    zone = site.zone
    standings = _standings(order, now, site)
    ticking = [_clock(order, clock, standing, site) for clock, standing in standings]
    return models.WorkOrder(
        id=order.id,
        number=order.number,
        source=order.source.value,
        category=order.category,
        category_name=words.text(order.category_name),
        priority=order.priority.value,
        state=order.state.value,
        title=words.text(order.title),
        description=order.description,
        equipment=order.equipment,
        equipment_name=words.text(order.equipment_name),
        area=order.area,
        cause_key=order.cause_key,
        alarms=list(order.alarms),
        finding=None
        if order.finding is None
        else models.FindingRef(
            id=order.finding.id, round=order.finding.round, item=order.finding.item
        ),
        requester=requester(order),
        promise=_promise(order, site),
        created_at=words.moment(order.created_at, zone),
        created_by=order.created_by,
        assigned_at=words.moment_if(order.assigned_at, zone),
        assigned_to=order.assigned_to,
        assigned_name=order.assigned_name,
        accepted_at=words.moment_if(order.accepted_at, zone),
        accepted_by=order.accepted_by,
        arrived_at=words.moment_if(order.arrived_at, zone),
        suspended_why=order.suspended_why,
        both_crews=order.both_crews,
        completed_at=words.moment_if(order.completed_at, zone),
        completed_by=order.completed_by,
        verified_at=words.moment_if(order.verified_at, zone),
        verified_by=order.verified_by,
        verifies_at=words.moment_if(order.verifies_at, zone),
        proofs=[_proof(one, site) for one in order.proofs],
        visited_at=words.moment_if(order.visited_at, zone),
        satisfied=order.satisfied,
        closed_at=words.moment_if(order.closed_at, zone),
        note=order.note,
        cause_code=order.cause_code,
        remedy_code=order.remedy_code,
        materials=[models.Material.model_validate(one) for one in order.materials],
        labour_minutes=order.labour_minutes,
        cost=order.cost,
        clock=ticking[_next(standings)] if ticking else _no_clock(order, site),
        clocks=ticking,
        escalated_to=order.escalated_to,
        events=None if steps is None else words.events(steps, zone),
        attachments=None
        if attached is None
        else [attachments.document(one, zone) for one in attached],
        contractor_link=link,
    )


def clocks(order: WorkOrder, now: Instant, site: Site) -> list[models.Clock]:
    """As they stand at ``now``."""
    standings = _standings(order, now, site)
    return [_clock(order, clock, standing, site) for clock, standing in standings]


def codes(book: OrderBook) -> models.OrderCodes:
    """What may be chosen when an order is made or completed."""
    return models.OrderCodes(
        causes={key: words.text(name) for key, name in book.causes.items()},
        remedies={key: words.text(name) for key, name in book.remedies.items()},
        categories={key: words.text(name) for key, name in book.categories.items()},
    )


def _proof(proof: Proof, site: Site) -> models.OrderProof:
    return models.OrderProof(
        rule=proof.rule,
        equipment=proof.equipment,
        cycles=proof.cycles,
        cycles_needed=proof.cycles_needed,
        in_band_s=proof.in_band / SECOND,
        in_band_needed_s=proof.hours_needed / SECOND,
        first_at=words.moment_if(proof.first_at, site.zone),
        last_at=words.moment_if(proof.last_at, site.zone),
        stand=proof.stand.value,
        enough=proof.is_enough,
    )


def _standings(order: WorkOrder, now: Instant, site: Site) -> list[tuple[Clock, Standing]]:
    calendar = calendar_with(order.calendar or OwnDays(), site)
    return [(clock, stand(clock, order.pauses, now, calendar)) for clock in order.clocks]


def _next(standings: Sequence[tuple[Clock, Standing]]) -> int:
    """Which one ends next: of those that run, else of those that wait, else the last."""
    running = [at for at, (clock, _) in enumerate(standings) if clock.is_running]
    if running:
        return min(running, key=lambda at: standings[at][1].due.wall)
    waiting = [at for at, (clock, _) in enumerate(standings) if clock.stopped is None]
    return waiting[0] if waiting else len(standings) - 1


def _clock(order: WorkOrder, clock: Clock, standing: Standing, site: Site) -> models.Clock:
    zone, started = site.zone, clock.started
    return models.Clock(
        name=clock.name.value,
        # In the seconds in which what is left is told: a day of working time is not 24 h.
        limit_s=(standing.counted + standing.remaining) / SECOND,
        started_at=words.moment_if(None if started is None else started.wall, zone),
        due_at=words.moment(standing.due.wall, zone),
        remaining_s=standing.remaining / SECOND,
        state=standing.state.value,
        calendar=clock.calendar.value,
        pauses=[
            models.Pause(
                start=words.moment(pause.start.wall, zone),
                end=words.moment_if(None if pause.end is None else pause.end.wall, zone),
                why=pause.why,
            )
            for pause in order.pauses
            if started is not None
            and (pause.end is None or pause.end.since(started) > 0)
            and (clock.stopped is None or clock.stopped.since(pause.start) > 0)
        ],
        explain=words.text(explain(clock, standing, order.pauses, zone)),
    )


def _no_clock(order: WorkOrder, site: Site) -> models.Clock:
    """Of an order for which nobody has said how long it may take."""
    return models.Clock(
        limit_s=0,
        due_at=words.moment(order.created_at, site.zone),
        remaining_s=0,
        state="waiting",
        explain=words.text(Text(zh="没有时限", en="no time limit")),
    )


def requester(order: WorkOrder) -> models.Requester | None:
    who = order.requester
    return (
        None if who is None else models.Requester(name=who.name, phone=who.phone, place=who.place)
    )


def _promise(order: WorkOrder, site: Site) -> models.Promise | None:
    said = order.promise
    if said is None:
        return None
    return models.Promise(
        until=words.moment(said.until, site.zone),
        by=said.by,
        postponed=said.postponed,
        reason=said.reason,
    )
