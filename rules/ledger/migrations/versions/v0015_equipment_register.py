"""What a piece of equipment is: its record, documents and dates; a change of one is told."""

import sqlalchemy as sa
from alembic import op

revision = "v0015"
down_revision = "v0014"


def upgrade() -> None:
    with op.batch_alter_table("change") as change:
        change.drop_constraint(op.f("ck_change_kind"), type_="check")
        change.create_check_constraint(
            op.f("ck_change_kind"),
            "kind IN ('alarm', 'order', 'round', 'roster', 'planned_test', 'aside', 'register')",
        )
    _make_records()
    _make_their_past()


def _make_records() -> None:
    op.create_table(
        "registered",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name_zh", sa.Text()),
        sa.Column("name_en", sa.Text()),
        sa.Column("area", sa.Text()),
        sa.Column("equipment_class", sa.Text()),
        sa.Column("model", sa.Text()),
        sa.Column("serial", sa.Text()),
        sa.Column("manufacturer", sa.Text()),
        sa.Column("purchased_on", sa.Date()),
        sa.Column("installed_on", sa.Date()),
        sa.Column("commissioned_on", sa.Date()),
        sa.Column("warranty_until", sa.Date()),
        sa.Column("retired_on", sa.Date()),
        sa.Column("supplier", sa.Text()),
        sa.Column("supplier_phone", sa.Text()),
        sa.Column("team", sa.Text()),
        sa.Column("place", sa.Text()),
        sa.Column("remark", sa.Text()),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "equipment", name=op.f("pk_registered")),
    )
    op.create_table(
        "register_date",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("last_on", sa.Date()),
        sa.Column("next_due", sa.Date(), nullable=False),
        sa.Column("who", sa.Text()),
        sa.PrimaryKeyConstraint("site_id", "equipment", "kind", name=op.f("pk_register_date")),
    )
    op.create_index(
        op.f("ix_register_date_site_id_next_due"), "register_date", ["site_id", "next_due"]
    )
    op.create_table(
        "register_part",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("model", sa.Text()),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.Column("minimum", sa.Double()),
        sa.Column("place", sa.Text()),
        sa.PrimaryKeyConstraint("site_id", "equipment", "position", name=op.f("pk_register_part")),
    )


def _make_their_past() -> None:
    op.create_table(
        "register_change",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "change", "equipment", name=op.f("pk_register_change")),
    )
    op.create_index(
        op.f("ix_register_change_site_id_equipment_change"),
        "register_change",
        ["site_id", "equipment", "change"],
    )
    op.create_table(
        "register_told",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "site_id", "equipment", "kind", "due_on", "stage", name=op.f("pk_register_told")
        ),
        sa.CheckConstraint("stage IN ('near', 'passed')", name=op.f("ck_register_told_stage")),
    )
