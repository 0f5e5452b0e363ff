"""How Alembic reaches the ledger: only over the connection that ``open_ledger`` hands it."""

from alembic import context

from rules.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite cannot alter a table in place, but it can undo a half-made change.
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
