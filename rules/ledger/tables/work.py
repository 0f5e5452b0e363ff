"""Where the rules are, what is outstanding, what has changed."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from rules.ledger.tables.base import instant_columns, metadata

# One row a site: its writers take it first, so that they follow one another on PostgreSQL too,
# and change ids become visible in the order in which they were given out. "audit_…": the last
# row of the audit, so that a last row which was taken out is missed.
counter = Table(
    "counter",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("order_number", Integer, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("audit_number", BigInteger, nullable=False, server_default="0"),
    Column("audit_hash", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("site_id"),
)

# One row an epoch: the one with the highest ordinal is in force, the others say how far a spool
# was read that has been replaced, and may come back. "at": when that was committed.
cursor = Table(
    "cursor",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    *instant_columns("at"),
    PrimaryKeyConstraint("site_id", "gateway", "epoch"),
)

condition = Table(
    "condition",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("state", Text, nullable=False),
    *instant_columns("since"),
    Column("first_wall", BigInteger, nullable=False),
    Column("first_value", Double),
    Column("value", Double),
    # Of the first gate of the rule; of the others, a list.
    Column("gate_value", Double),
    Column("more_gate_values", JSON),
    Column("test", Text, nullable=False),
    # What the gauge of the rule remembers; null: nothing.
    Column("memory", JSON(none_as_null=True)),
    PrimaryKeyConstraint("site_id", "rule", "equipment"),
)

# What is outstanding; a timer that has fired is gone in the transaction of its effect. "allowed":
# how far ahead it was set, so that a wall clock that was wrong does not make it wait for ever.
# "rank": of many that are due the lowest goes first; 0 is fire and entrapment.
timer = Table(
    "timer",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    *instant_columns("due"),
    Column("allowed", BigInteger, nullable=False, server_default="0"),
    Column("rank", Integer, nullable=False, server_default="1"),
    PrimaryKeyConstraint("site_id", "kind", "subject"),
    Index("ix_timer_rank", "site_id", "rank", "due_wall"),
)

change = Table(
    "change",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "id"),
    CheckConstraint(
        "kind IN ('alarm', 'order', 'round', 'roster', 'planned_test', 'aside', 'register', "
        "'plan', 'shift')",
        name="kind",
    ),
)

# What a request with this key has done, so that a repeated one does nothing.
idempotency = Table(
    "idempotency",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "by", "key"),
)
