"""Reading what telemetry has shown of repairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields

from sqlalchemy import Connection, RowMapping, select

from rules.ledger.tables.orders import order_proof
from rules.orders.proof import Proof, ProofStand

COLUMNS = tuple(order_proof.c[field.name] for field in fields(Proof))


def of_orders(connection: Connection, site: str, ids: Sequence[str]) -> dict[str, list[Proof]]:
    """By order; of one that nothing is watched of, nothing."""
    query = (
        select(*COLUMNS)
        .where(order_proof.c.site_id == site, order_proof.c.order_id.in_(ids))
        .order_by(order_proof.c.rule, order_proof.c.equipment)
    )
    found: defaultdict[str, list[Proof]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        found[row["order_id"]].append(proof_of(row))
    return found


def proof_of(row: RowMapping) -> Proof:
    """Of a row of :data:`COLUMNS`."""
    return Proof(**{**row, "stand": ProofStand(row["stand"])})
