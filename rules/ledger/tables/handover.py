"""The log of every shift, and how one shift was handed over to the next (交接班).

What people write is only ever added to. Persons are named by user name.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from rules.ledger.tables.base import metadata

# The id is made of day and shift, so that no restart and no second worker opens another. The words
# are those of the day. "crew": who was planned. "from_…": the last change and the last row of the
# audit before it was opened. "rulebook", "site_file": fingerprints of what was in force.
shift_log = Table(
    "shift_log",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("date", Date, nullable=False),
    Column("shift", Text, nullable=False),
    Column("name", JSON, nullable=False),
    Column("team", Text, nullable=False),
    Column("team_name", JSON, nullable=False),
    Column("crew", JSON, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("from_change", BigInteger, nullable=False),
    Column("from_audit", BigInteger, nullable=False),
    Column("rulebook", Text, nullable=False),
    Column("site_file", Text, nullable=False),
    PrimaryKeyConstraint("site_id", "id"),
    Index(None, "site_id", "starts_at"),
)

# The id is made by the client. "happened_at" is what the writer says, "received_at" when it came.
# "corrects": an entry of the same log, which stays as it is.
shift_entry = Table(
    "shift_entry",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("shift_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("corrects", Text),
    Column("by", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("happened_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "id"),
    ForeignKeyConstraint(["site_id", "shift_id"], ["shift_log.site_id", "shift_log.id"]),
    Index(None, "site_id", "shift_id"),
)

# The id is that of the log that it ends. "next_…": the shift that takes over, as it was planned.
handover = Table(
    "handover",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("next_date", Date, nullable=False),
    Column("next_shift", Text, nullable=False),
    Column("next_name", JSON, nullable=False),
    Column("next_team", Text, nullable=False),
    Column("next_team_name", JSON, nullable=False),
    Column("next_starts_at", BigInteger, nullable=False),
    Column("next_ends_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("prepared_at", BigInteger, nullable=False),
    # When the first of the relief signed in: from then on the handover is under way.
    Column("met_at", BigInteger),
    Column("signed_at", BigInteger),
    Column("lapsed_at", BigInteger),
    PrimaryKeyConstraint("site_id", "id"),
    ForeignKeyConstraint(["site_id", "id"], ["shift_log.site_id", "shift_log.id"]),
    CheckConstraint(
        "state IN ('preparing', 'meeting', 'stopped', 'given', 'signed', 'lapsed')", name="state"
    ),
    Index(
        "ix_handover_open",
        "site_id",
        sqlite_where=text("state NOT IN ('signed', 'lapsed')"),
        postgresql_where=text("state NOT IN ('signed', 'lapsed')"),
    ),
)

# Who of the relief has signed in; "stands_in": is not on the roster, and "note" says why.
handover_arrival = Table(
    "handover_arrival",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("handover_id", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("stands_in", Boolean, nullable=False),
    Column("note", Text),
    Column("via", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "handover_id", "username"),
    ForeignKeyConstraint(["site_id", "handover_id"], ["handover.site_id", "handover.id"]),
)

# Only ever added to; the newest of a subject counts. The id is made by the client.
handover_answer = Table(
    "handover_answer",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("handover_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("value", BigInteger, nullable=False),
    Column("note", Text),
    Column("by", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "id"),
    ForeignKeyConstraint(["site_id", "handover_id"], ["handover.site_id", "handover.id"]),
    CheckConstraint("kind IN ('question', 'count', 'explain', 'repair', 'shelf')", name="kind"),
    Index(None, "site_id", "handover_id"),
)

# What blocked, and a manager let pass: a row each. "found": a function of all that it said, so
# that what says something else later is not let pass; "text": what it said.
handover_override = Table(
    "handover_override",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("handover_id", Text, nullable=False),
    Column("found", Text, nullable=False),
    Column("block", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", JSON, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "handover_id", "found"),
    ForeignKeyConstraint(["site_id", "handover_id"], ["handover.site_id", "handover.id"]),
)

# Who was told that a handover is late or stopped, once each; "people": user names, "text": what
# they were told. The message itself is in the outbox, and not for ever.
handover_notice = Table(
    "handover_notice",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("handover_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("people", JSON, nullable=False),
    Column("text", JSON, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "handover_id", "kind"),
    ForeignKeyConstraint(["site_id", "handover_id"], ["handover.site_id", "handover.id"]),
    CheckConstraint("kind IN ('stopped', 'overdue', 'escalated')", name="kind"),
)

# "text": what was signed, as canonical JSON; "hash": SHA-256 over it. Of a handover that was
# stopped the signature is withdrawn and stays.
handover_signature = Table(
    "handover_signature",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("handover_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("side", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("withdrawn_at", BigInteger),
    PrimaryKeyConstraint("site_id", "handover_id", "number"),
    ForeignKeyConstraint(["site_id", "handover_id"], ["handover.site_id", "handover.id"]),
    CheckConstraint("side IN ('outgoing', 'incoming')", name="side"),
)

handover_event = Table(
    "handover_event",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("handover_id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("from_state", Text, nullable=False),
    Column("to_state", Text, nullable=False),
    Column("by", Text),
    Column("why", Text),
    PrimaryKeyConstraint("site_id", "change"),
    ForeignKeyConstraint(["site_id", "handover_id"], ["handover.site_id", "handover.id"]),
    Index(None, "site_id", "handover_id"),
)
