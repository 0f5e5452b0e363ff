"""When the work of an order counts as good: telemetry has shown it, or somebody has looked."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import RowMapping, select

from gateway.model.moment import Instant
from rules.ledger import alarms, proof_view, proofs, timers
from rules.ledger.order_rows import find, move
from rules.ledger.store import Entry
from rules.ledger.tables.alarms import alarm as alarm_table
from rules.ledger.tables.work import timer
from rules.ledger.timers import TimerKind
from rules.orders.lifecycle import OrderEvent, OrderState
from rules.rule import OrderTerms


def wait_for_proof(entry: Entry, order_id: str, now: Instant) -> None:
    """Of a completed order whose alarms are all gone the rules watch whether that lasts.

    One without an alarm waits for somebody who looks: telemetry says nothing about it.
    """
    row = find(entry, order_id)
    if row is None or row["state"] != OrderState.COMPLETED:
        return
    if is_shown(entry, order_id):
        timers.start(entry, TimerKind.PROVE, order_id, now, allowed=0)


def prove(
    entry: Entry,
    order_id: str,
    terms: Callable[[str, str], OrderTerms | None],
    now: Instant,
) -> None:
    """Watch the rules of its alarms from now on. ``terms``: what the rule named first says of the
    order of the equipment named second; None: it is judged no more, so nothing can be shown."""
    row = find(entry, order_id)
    if row is None or row["state"] != OrderState.COMPLETED or not is_shown(entry, order_id):
        return
    query = select(alarm_table.c.rule, alarm_table.c.equipment).where(
        alarm_table.c.site_id == entry.site, alarm_table.c.order_id == order_id
    )
    pairs = {(found.rule, found.equipment) for found in entry.connection.execute(query)}
    said = {pair: terms(*pair) for pair in sorted(pairs)}
    known = {pair: one for pair, one in said.items() if one is not None}
    proofs.begin(entry, order_id, known if len(known) == len(said) else {}, now)


def close(entry: Entry, order_id: str, now: Instant, *, why: str) -> None:
    """Readings have shown that the work is good. Who asked for it in person is visited first.

    Nothing happens where one of its alarms is there after all.
    """
    row = find(entry, order_id)
    if row is None or row["state"] != OrderState.COMPLETED or alarms.any_present(entry, order_id):
        return
    verified = move(entry, row, OrderEvent.VERIFY, now.wall, why=why, verified_at=now.wall)
    close_if_nobody_asked(entry, verified, now)


def close_if_nobody_asked(entry: Entry, row: RowMapping, now: Instant) -> None:
    """A verified order is over at once where nobody is there to be visited."""
    timers.cancel(entry, TimerKind.PROVE, row["id"])
    proofs.end(entry, row["id"], now.wall)
    if row["requester"] is None:
        move(entry, row, OrderEvent.CLOSE, now.wall, closed_at=now.wall)
    else:
        timers.start(entry, TimerKind.VISIT, row["id"], now, allowed=0)


def is_shown(entry: Entry, order_id: str) -> bool:
    """Whether telemetry can show that the work is good: it had an alarm, and none is there."""
    query = (
        select(alarm_table.c.id)
        .where(alarm_table.c.site_id == entry.site, alarm_table.c.order_id == order_id)
        .limit(1)
    )
    has_alarm = entry.connection.execute(query).first() is not None
    return has_alarm and not alarms.any_present(entry, order_id)


def is_watched(entry: Entry, order_id: str) -> bool:
    """Whether telemetry says something about the work: its alarms are gone, and their rules are
    watched, or will be in a moment."""
    if not is_shown(entry, order_id):
        return False
    waits = select(timer.c.subject).where(
        timer.c.site_id == entry.site,
        timer.c.kind == TimerKind.PROVE.value,
        timer.c.subject == order_id,
    )
    is_soon = entry.connection.execute(waits).first() is not None
    return is_soon or bool(proof_view.of_orders(entry.connection, entry.site, [order_id]))
