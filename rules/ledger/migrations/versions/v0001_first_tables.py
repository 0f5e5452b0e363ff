"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "v0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('alarm', 'order')", name=op.f("ck_change_kind")),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_change")),
    )
    op.create_table(
        "condition",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since_wall", sa.BigInteger(), nullable=False),
        sa.Column("since_mono", sa.BigInteger(), nullable=False),
        sa.Column("since_boot", sa.Text(), nullable=False),
        sa.Column("first_wall", sa.BigInteger(), nullable=False),
        sa.Column("first_value", sa.Double(), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("gate_value", sa.Double(), nullable=True),
        sa.Column("test", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "rule", "equipment", name=op.f("pk_condition")),
    )
    op.create_table(
        "counter",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("order_number", sa.Integer(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_counter")),
    )
    op.create_table(
        "cursor",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("at_wall", sa.BigInteger(), nullable=False),
        sa.Column("at_mono", sa.BigInteger(), nullable=False),
        sa.Column("at_boot", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "gateway", "epoch", name=op.f("pk_cursor")),
    )
    op.create_table(
        "idempotency",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "by", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "outbox",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("until_wall", sa.BigInteger(), nullable=False),
        sa.Column("until_mono", sa.BigInteger(), nullable=False),
        sa.Column("until_boot", sa.Text(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("doubtful", sa.Boolean(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'claimed', 'sent')", name=op.f("ck_outbox_state")),
        sa.PrimaryKeyConstraint("site_id", "notice", "address", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_outstanding",
        "outbox",
        ["site_id", "address"],
        unique=False,
        sqlite_where=sa.text("state <> 'sent'"),
        postgresql_where=sa.text("state <> 'sent'"),
    )
    op.create_table(
        "timer",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("due_wall", sa.BigInteger(), nullable=False),
        sa.Column("due_mono", sa.BigInteger(), nullable=False),
        sa.Column("due_boot", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "kind", "subject", name=op.f("pk_timer")),
    )
    op.create_table(
        "user",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_user")),
    )
    op.create_table(
        "work_order",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("equipment_name", sa.JSON(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("category_name", sa.JSON(), nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("cause_key", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("limit", sa.BigInteger(), nullable=False),
        sa.Column("due_wall", sa.BigInteger(), nullable=False),
        sa.Column("due_mono", sa.BigInteger(), nullable=False),
        sa.Column("due_boot", sa.Text(), nullable=False),
        sa.Column("close_after", sa.BigInteger(), nullable=False),
        sa.Column("breached_at", sa.BigInteger(), nullable=True),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("accepted_by", sa.Text(), nullable=True),
        sa.Column("completed_wall", sa.BigInteger(), nullable=True),
        sa.Column("completed_mono", sa.BigInteger(), nullable=True),
        sa.Column("completed_boot", sa.Text(), nullable=True),
        sa.Column("completed_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'completed', 'closed')", name=op.f("ck_work_order_state")
        ),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_work_order")),
        sa.UniqueConstraint("site_id", "number", name=op.f("uq_work_order_site_id_number")),
    )
    op.create_index(
        "uq_work_order_one_per_cause",
        "work_order",
        ["site_id", "equipment", "cause_key"],
        unique=True,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_table(
        "alarm",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("name", sa.JSON(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("equipment_name", sa.JSON(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("point", sa.Text(), nullable=False),
        sa.Column("priority", sa.Text(), nullable=False),
        sa.Column("cause_key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("limit", sa.Double(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("guidance", sa.JSON(), nullable=False),
        sa.Column("first_reading_at", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("cleared_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('unacknowledged', 'acknowledged', 'returned_unacknowledged', 'closed')",
            name=op.f("ck_alarm_state"),
        ),
        sa.ForeignKeyConstraint(
            ["site_id", "order_id"],
            ["work_order.site_id", "work_order.id"],
            name=op.f("fk_alarm_site_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_alarm")),
    )
    op.create_index(
        "ix_alarm_not_closed",
        "alarm",
        ["site_id", "state"],
        unique=False,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_index(
        op.f("ix_alarm_site_id_order_id"), "alarm", ["site_id", "order_id"], unique=False
    )
    op.create_index(
        op.f("ix_alarm_site_id_raised_at_id"), "alarm", ["site_id", "raised_at", "id"], unique=False
    )
    op.create_table(
        "order_event",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id", "order_id"],
            ["work_order.site_id", "work_order.id"],
            name=op.f("fk_order_event_site_id_order_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "change", name=op.f("pk_order_event")),
    )
    op.create_index(
        op.f("ix_order_event_site_id_order_id"),
        "order_event",
        ["site_id", "order_id"],
        unique=False,
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["username"], ["user.username"], name=op.f("fk_session_username")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
    )
    op.create_index(op.f("ix_session_username"), "session", ["username"], unique=False)
    op.create_table(
        "alarm_event",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("alarm_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["site_id", "alarm_id"],
            ["alarm.site_id", "alarm.id"],
            name=op.f("fk_alarm_event_site_id_alarm_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "change", name=op.f("pk_alarm_event")),
        sa.UniqueConstraint(
            "site_id", "alarm_id", "event", name=op.f("uq_alarm_event_site_id_alarm_id_event")
        ),
    )
