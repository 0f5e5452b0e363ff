"""Keeping what telemetry has shown of repairs: every cycle at once, the time in band now and then.

A row belongs to a completed order. It goes when the order goes back to work, and it stays, ended,
when somebody or telemetry has said that the work is good.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields

from sqlalchemy import and_, delete, insert, select, update

from gateway.model.moment import SECOND, Instant, iso
from rules.ledger.proof_view import COLUMNS, of_orders, proof_of
from rules.ledger.rows import ChangeKind
from rules.ledger.store import Entry
from rules.ledger.tables.orders import order_proof, work_order
from rules.ledger.view import View
from rules.orders.lifecycle import OrderState
from rules.orders.proof import Proof
from rules.rule import OrderTerms


def begin(
    entry: Entry, order_id: str, rules: Mapping[tuple[str, str], OrderTerms], now: Instant
) -> None:
    """Watch ``rules``, (rule, equipment) → what it says of its order, from now on; what was shown
    before counts no more."""
    forget(entry, order_id)
    for (rule, equipment), terms in rules.items():
        proof = Proof(
            order_id=order_id,
            rule=rule,
            equipment=equipment,
            began_at=now.wall,
            hours_needed=terms.close_after,
            cycles_needed=None if terms.cycles is None else terms.cycles.times,
        )
        entry.connection.execute(insert(order_proof).values(site_id=entry.site, **_columns(proof)))
    entry.changed(ChangeKind.ORDER, order_id, now.wall)


def forget(entry: Entry, order_id: str) -> None:
    """It goes back to work."""
    entry.connection.execute(
        delete(order_proof).where(
            order_proof.c.site_id == entry.site, order_proof.c.order_id == order_id
        )
    )


def forget_others(entry: Entry, judged: Collection[tuple[str, str]], now: Instant) -> None:
    """What is not one of ``judged`` (rule, equipment) can show nothing more of its order."""
    for proof in under_way(entry):
        if (proof.rule, proof.equipment) not in judged:
            forget(entry, proof.order_id)
            entry.changed(ChangeKind.ORDER, proof.order_id, now.wall)


def end(entry: Entry, order_id: str, at: int) -> None:
    """The work was found good, by whatever means."""
    entry.connection.execute(
        update(order_proof)
        .where(order_proof.c.site_id == entry.site, order_proof.c.order_id == order_id)
        .values(ended_at=at)
    )


def under_way(source: View | Entry) -> list[Proof]:
    of_order = work_order.c.id == order_proof.c.order_id
    same = and_(work_order.c.site_id == order_proof.c.site_id, of_order)
    query = (
        select(*COLUMNS)
        .join_from(order_proof, work_order, same)
        .where(order_proof.c.site_id == source.site, order_proof.c.ended_at.is_(None))
        .where(work_order.c.state == OrderState.COMPLETED.value)
    )
    return [proof_of(row) for row in source.connection.execute(query).mappings()]


def save(entry: Entry, proofs: Iterable[Proof], now: Instant) -> dict[str, Sequence[Proof]]:
    """Keep what is known now; the orders of which everything that is watched has been shown."""
    touched: dict[str, bool] = {}
    for proof in proofs:
        found = entry.connection.execute(
            update(order_proof)
            .where(
                order_proof.c.site_id == entry.site,
                order_proof.c.order_id == proof.order_id,
                order_proof.c.rule == proof.rule,
                order_proof.c.equipment == proof.equipment,
                # One that began anew meanwhile knows nothing of what was before.
                order_proof.c.began_at == proof.began_at,
                order_proof.c.ended_at.is_(None),
            )
            .values(_columns(proof))
            .returning(order_proof.c.order_id)
        )
        if found.first() is not None:
            touched[proof.order_id] = touched.get(proof.order_id, False) or proof.is_enough
    for order_id in touched:
        entry.changed(ChangeKind.ORDER, order_id, now.wall)
    enough = [order_id for order_id, is_enough in touched.items() if is_enough]
    shown = of_orders(entry.connection, entry.site, enough) if enough else {}
    return {name: found for name, found in shown.items() if all(one.is_enough for one in found)}


def said(proofs: Sequence[Proof]) -> str:
    """What has shown it, for the order's history: ``telemetry: 3 cycles FROM TO`` or ``telemetry:
    1800 s``; of several the one that took longest."""
    last = max(proofs, key=lambda one: one.in_band)
    if last.by_cycles and last.first_at is not None and last.last_at is not None:
        return f"telemetry: {last.cycles} cycles {iso(last.first_at)} {iso(last.last_at)}"
    return f"telemetry: {last.in_band // SECOND} s"


def _columns(proof: Proof) -> dict[str, object]:
    named = {field.name: getattr(proof, field.name) for field in fields(Proof)}
    return {**named, "stand": proof.stand.value}
