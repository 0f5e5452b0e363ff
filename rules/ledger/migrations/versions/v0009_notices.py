"""Notices by channel, to people, held back and gathered."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "v0009"
down_revision = "v0008"

_OUTSTANDING = sa.text("state IN ('waiting', 'held', 'claimed')")
_GATHERED = sa.text("digest IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_outbox_outstanding", "outbox")
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("address", new_column_name="channel", existing_type=sa.Text())
        outbox.drop_constraint(op.f("ck_outbox_state"), type_="check")
        outbox.create_check_constraint(
            op.f("ck_outbox_state"),
            "state IN ('waiting', 'held', 'claimed', 'sent', 'in_digest', 'dropped')",
        )
        for name in ("people", "reached"):
            outbox.add_column(sa.Column(name, sa.JSON(), nullable=False, server_default="[]"))
        outbox.add_column(sa.Column("digest", sa.Text(), nullable=True))
        outbox.add_column(sa.Column("gathered", sa.Integer(), nullable=False, server_default="1"))
    _name_channels()
    op.create_index(
        "ix_outbox_outstanding",
        "outbox",
        ["site_id", "channel", "rank", "created_at"],
        sqlite_where=_OUTSTANDING,
        postgresql_where=_OUTSTANDING,
    )
    op.create_index(
        "ix_outbox_digest",
        "outbox",
        ["site_id", "digest"],
        sqlite_where=_GATHERED,
        postgresql_where=_GATHERED,
    )
    op.create_index(op.f("ix_outbox_site_id_created_at"), "outbox", ["site_id", "created_at"])
    op.create_table(
        "channel",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("tries", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_channel")),
    )


def _name_channels() -> None:
    """What was an address, and with it perhaps a secret, is the id that the list ``webhooks``
    now gives that address: what waits goes on waiting for the same receiver."""
    outbox = sa.table("outbox", sa.column("channel", sa.Text()))
    addresses = op.get_bind().execute(sa.select(outbox.c.channel).distinct()).scalars().all()
    for address in addresses:
        op.execute(
            sa.update(outbox).where(outbox.c.channel == address).values(channel=_id(address))
        )


def _id(address: str) -> str:
    """As it was in this version: what the product calls them later changes no old step."""
    return f"webhook-{hashlib.sha256(address.encode()).hexdigest()[:8]}"
