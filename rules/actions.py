"""What a person may do. Each action is one transaction: the step, its event, the change, and its
line in the audit. Who may not gets ``ForbiddenError``, and nothing has changed: first who may
not at all, before it is told whether there is such a thing, then who may not in its area.

An action takes an optional key: the same key again does nothing and returns the same subject.
"""

from __future__ import annotations

from gateway.model.moment import Instant
from rules.ledger import alarms, audit, orders
from rules.ledger.idempotency import is_new
from rules.ledger.rows import Alarm, WorkOrder
from rules.ledger.store import Entry, Ledger
from rules.ledger.view import View
from rules.people.roles import Actor, Permission, require
from rules.refusals import NotFoundError


def acknowledge_alarm(
    ledger: Ledger,
    site: str,
    alarm_id: str,
    *,
    actor: Actor,
    now: Instant,
    note: str | None = None,
    idempotency_key: str | None = None,
) -> Alarm:
    """The alarm as it is afterwards.

    Raises ``NotFoundError``, ``IllegalTransitionError`` (it is acknowledged already) or
    ``KeyReusedError``; then nothing has changed.
    """
    require(actor, Permission.ACKNOWLEDGE_ALARM)
    with ledger.write(site) as entry:
        found = View(connection=entry.connection, site=site).alarm(alarm_id)
        if found is None:
            raise NotFoundError(f"there is no alarm {alarm_id}")
        require(actor, Permission.ACKNOWLEDGE_ALARM, found.area)
        by = actor.username
        if is_new(entry, idempotency_key, "acknowledge", alarm_id, by=by, now=now):
            alarms.acknowledge(entry, alarm_id, found.state, by=by, note=note, at=now.wall)
            audit.record(entry, actor, "alarm.acknowledge", alarm_id, now.wall, note=note)
        found = View(connection=entry.connection, site=site).alarm(alarm_id)
    assert found is not None
    return found


def accept_order(
    ledger: Ledger,
    site: str,
    order_id: str,
    *,
    actor: Actor,
    now: Instant,
    idempotency_key: str | None = None,
) -> WorkOrder:
    """The order as it is afterwards; raises as :func:`acknowledge_alarm` does."""
    require(actor, Permission.ACCEPT_ORDER)
    with ledger.write(site) as entry:
        row = orders.find(entry, order_id)
        if row is None:
            raise NotFoundError(f"there is no order {order_id}")
        require(actor, Permission.ACCEPT_ORDER, row["area"])
        by = actor.username
        if is_new(entry, idempotency_key, "accept", order_id, by=by, now=now):
            orders.accept(entry, row, by=by, now=now)
            audit.record(entry, actor, "order.accept", order_id, now.wall)
        return _order(entry, order_id)


def complete_order(
    ledger: Ledger,
    site: str,
    order_id: str,
    *,
    actor: Actor,
    note: str,
    now: Instant,
    idempotency_key: str | None = None,
) -> WorkOrder:
    """The order as it is afterwards; raises as :func:`acknowledge_alarm` does."""
    require(actor, Permission.COMPLETE_ORDER)
    with ledger.write(site) as entry:
        row = orders.find(entry, order_id)
        if row is None:
            raise NotFoundError(f"there is no order {order_id}")
        require(actor, Permission.COMPLETE_ORDER, row["area"])
        by = actor.username
        if is_new(entry, idempotency_key, "complete", order_id, by=by, now=now):
            orders.complete(entry, row, by=by, note=note, now=now)
            audit.record(entry, actor, "order.complete", order_id, now.wall, note=note)
        return _order(entry, order_id)


def _order(entry: Entry, order_id: str) -> WorkOrder:
    found = View(connection=entry.connection, site=entry.site).order(order_id)
    assert found is not None
    return found
