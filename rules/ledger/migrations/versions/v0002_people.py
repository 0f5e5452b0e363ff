"""People: what a person is at each site, sessions that can be listed and ended, tokens of
machines, the audit of every write; rounds and roster become changes that are told."""

import sqlalchemy as sa
from alembic import op

revision = "v0002"
down_revision = "v0001"


def upgrade() -> None:
    with op.batch_alter_table("change") as change:
        change.drop_constraint(op.f("ck_change_kind"), type_="check")
        change.create_check_constraint(
            op.f("ck_change_kind"), "kind IN ('alarm', 'order', 'round', 'roster')"
        )
    with op.batch_alter_table("counter") as counter:
        counter.add_column(
            sa.Column("audit_number", sa.BigInteger(), nullable=False, server_default="0")
        )
        counter.add_column(sa.Column("audit_hash", sa.Text(), nullable=False, server_default=""))
    # A session belongs to a site from now on; who has one logs in again.
    op.drop_table("session")
    roles = _roles()
    _extend_users()
    _make_memberships(roles)
    _make_sessions_and_tokens()
    _make_audit()
    _let_the_audit_only_grow()


def _roles() -> list[dict[str, object]]:
    """Each user as they were: the same at every site that there is."""
    query = sa.text('SELECT c.site_id, u.username, u.role FROM counter AS c, "user" AS u')
    return [
        {"site_id": site, "username": name, "role": role, "can_log_in": True, "active": True}
        for site, name, role in op.get_bind().execute(query)
    ]


def _extend_users() -> None:
    with op.batch_alter_table("user") as user:
        user.drop_column("role")
        user.alter_column("password_hash", existing_type=sa.Text(), nullable=True)
        user.add_column(sa.Column("pin_hash", sa.Text(), nullable=True))
        user.add_column(sa.Column("phone", sa.Text(), nullable=True))
        user.add_column(sa.Column("mention", sa.Text(), nullable=True))
        user.add_column(
            sa.Column("contractor", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        user.add_column(sa.Column("skills", sa.JSON(), nullable=False, server_default="[]"))
    op.create_table(
        "certificate",
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["username"], ["user.username"], name=op.f("fk_certificate_username")
        ),
        sa.PrimaryKeyConstraint("username", "name", "number", name=op.f("pk_certificate")),
    )


def _make_memberships(roles: list[dict[str, object]]) -> None:
    membership = op.create_table(
        "membership",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("areas", sa.JSON(), nullable=False),
        sa.Column("can_log_in", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["username"], ["user.username"], name=op.f("fk_membership_username")
        ),
        sa.PrimaryKeyConstraint("site_id", "username", name=op.f("pk_membership")),
    )
    op.bulk_insert(membership, [{**role, "areas": []} for role in roles])


def _make_sessions_and_tokens() -> None:
    op.create_table(
        "session",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["username"], ["user.username"], name=op.f("fk_session_username")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
        sa.UniqueConstraint("id", name=op.f("uq_session_id")),
    )
    op.create_index(op.f("ix_session_site_id_username"), "session", ["site_id", "username"])
    op.create_table(
        "known_address",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["username"], ["user.username"], name=op.f("fk_known_address_username")
        ),
        sa.PrimaryKeyConstraint("site_id", "username", "address", name=op.f("pk_known_address")),
    )
    op.create_table(
        "machine_token",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("areas", sa.JSON(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("site_id", "id", name=op.f("pk_machine_token")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_machine_token_site_id_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_machine_token_token_hash")),
    )


def _make_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "number", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_site_id_subject"), "audit", ["site_id", "subject"])


def _let_the_audit_only_grow() -> None:
    """Nothing of ours changes a row of the audit; the database refuses whoever else tries."""
    if op.get_bind().dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_only_grows_{deed.lower()} BEFORE {deed} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit only grows'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
    )
