"""When a round last looked at equipment; sources in Chinese too; an index of scans."""

import sqlalchemy as sa
from alembic import op

revision = "v0024"
down_revision = "v0023"


def upgrade() -> None:
    op.add_column("round_item", sa.Column("source_zh", sa.Text()))
    _make_index("round_item", "failed", "round_id", where="state = 'failed'")
    _make_index("round_entry", "scanned", "scanned_at", where="scanned_at IS NOT NULL")
    op.create_table(
        "equipment_check",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("round_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text()),
        sa.ForeignKeyConstraint(
            ["site_id", "round_id"],
            ["round.site_id", "round.id"],
            name=op.f("fk_equipment_check_site_id_round_id"),
        ),
        sa.PrimaryKeyConstraint("site_id", "equipment", "level", name=op.f("pk_equipment_check")),
    )
    op.create_index(
        op.f("ix_equipment_check_site_id_round_id"), "equipment_check", ["site_id", "round_id"]
    )
    op.execute(_CHECKED)


def _make_index(table: str, name: str, column: str, *, where: str) -> None:
    op.create_index(
        f"ix_{table}_{name}",
        table,
        ["site_id", column],
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


# Of each line that has an answer: by whoever gave the newest, else by telemetry when the round was
# opened; and of all these the newest.
_CHECKED = sa.text("""
    INSERT INTO equipment_check (site_id, equipment, level, round_id, "at", "by")
    SELECT site_id, equipment, level, round_id, "at", "by" FROM (
        SELECT looked.*, ROW_NUMBER() OVER (
            PARTITION BY site_id, equipment, level
            ORDER BY opened_at DESC, "by" IS NULL, "at" DESC, item
        ) AS place
        FROM (
            SELECT line.site_id, line.equipment, whole.level, line.round_id, whole.opened_at,
                   line.key AS item, COALESCE(entry.received_at, whole.opened_at) AS "at",
                   entry."by"
            FROM round_item AS line
            JOIN round AS whole ON whole.site_id = line.site_id AND whole.id = line.round_id
            LEFT JOIN round_entry AS entry
                ON entry.site_id = line.site_id AND entry.round_id = line.round_id
               AND entry.item = line.key
            WHERE line.equipment IS NOT NULL AND line.state IN ('passed', 'failed')
              AND whole.opened_at IS NOT NULL AND whole.void_at IS NULL
        ) AS looked
    ) AS newest
    WHERE place = 1
""")
