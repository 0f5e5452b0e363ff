"""The demonstration's panel as a document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from api.demo import PlayedFault
from api.models import demo as models
from api.views import words
from gateway.model.equipment import Site, link_name
from gateway.model.moment import MINUTE
from rules.alarms.topology import link_id
from rules.ledger.rows import Alarm, WorkOrder
from rules.people.roles import WHOLE_SITE, Actor, Permission

_LATE = 2 * MINUTE
"""µs after the end of a fault; what comes up later has another reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """Alarms that may have come of faults, and their orders by id."""

    alarms: Sequence[Alarm]
    orders: Mapping[str, WorkOrder]


def area_of(site: Site, subject: str) -> str:
    """Where it is; a link is the whole site's."""
    thing = site.equipment.get(subject)
    return WHOLE_SITE if thing is None else thing.area


def reached(site: Site, subject: str) -> set[str]:
    """Whatever shows it when ``subject`` fails: itself, what it is read through, what it supplies,
    and of a link all that is read over it."""
    found = {subject}
    things = site.equipment.values()
    if subject in site.links:
        found.add(link_id(subject))
    found |= {thing.id for thing in things if thing.link == subject}
    found |= {thing.behind for thing in things if thing.id == subject and thing.behind is not None}
    grown = True
    while grown:
        more = {thing.id for thing in things if thing.supplied_by in found} - found
        # What a link is to those read over it, a supply is not: they fail with another one.
        grown = bool(more) and subject not in site.links
        found |= more if grown else set()
    return found


def panel(
    site: Site,
    offers: Mapping[str, Sequence[str]],
    faults: Sequence[PlayedFault],
    outcome: Outcome,
    actor: Actor,
    *,
    players: str,
) -> models.FaultPanel:
    return models.FaultPanel(
        offers=[
            models.FaultOffer(kind=kind, subjects=shown)
            for kind, subjects in offers.items()
            if (shown := [_subject(site, one) for one in subjects if _may(site, actor, one)])
        ],
        faults=[_fault(site, one, outcome) for one in faults if _may(site, actor, one.subject)],
        players="ok" if players == "ok" else "away",
    )


def _may(site: Site, actor: Actor, subject: str) -> bool:
    return actor.may(Permission.INJECT_FAULT, area_of(site, subject))


def _subject(site: Site, subject: str) -> models.FaultSubject:
    link = site.links.get(subject)
    name = site.equipment[subject].name if link is None else link_name(link)
    return models.FaultSubject(id=subject, name=words.text(name))


def _fault(site: Site, fault: PlayedFault, outcome: Outcome) -> models.PlayedFault:
    return models.PlayedFault(
        id=fault.id,
        kind=fault.kind,
        subject=_subject(site, fault.subject),
        at=words.moment(fault.at, site.zone),
        begun=fault.begun,
        left=round(fault.left),
        alarms=list(_alarms(site, fault, outcome)),
    )


def _alarms(site: Site, fault: PlayedFault, outcome: Outcome) -> Iterator[models.FaultAlarm]:
    """Those that came up, or came back, since it was asked for and not long after it was over."""
    names = reached(site, fault.subject)
    for alarm in sorted(outcome.alarms, key=lambda one: one.raised_at):
        since = alarm.last_raised_at or alarm.raised_at
        if alarm.equipment not in names or not fault.at <= since <= fault.until + _LATE:
            continue
        order = outcome.orders.get(alarm.order.id) if alarm.order is not None else None
        yield models.FaultAlarm(
            id=alarm.id,
            name=words.text(alarm.name),
            equipment=alarm.equipment,
            equipment_name=words.text(alarm.equipment_name),
            priority=alarm.priority.value,
            state=alarm.state.value,
            raised_at=words.moment(since, site.zone),
            order=None
            if order is None
            else models.FaultOrder(
                id=order.id,
                number=order.number,
                raised_at=words.moment(order.created_at, site.zone),
            ),
        )
