"""For the steps of the ledger's upgrade: rebuilding a table that others refer to.

SQLite cannot change a constraint in place, so the table is made anew and the old one dropped. To
its foreign keys that is the loss of every row referred to, and that the new table has them all
again is not counted, even where the check waits for the end of the transaction (``PRAGMA
defer_foreign_keys``; ``fkActionTrigger`` and ``sqlite3FkDropTable`` in its ``fkey.c``). So the
rows that refer step aside meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import op
from sqlalchemy import ColumnClause, column, delete, insert, inspect, select
from sqlalchemy import table as relation


@contextmanager
def aside(*tables: str) -> Iterator[None]:
    """The rows of ``tables`` are away within; those that refer to others of them are named
    first. What has been added to a table meanwhile gets its default."""
    if op.get_bind().dialect.name != "sqlite":
        yield
        return
    for table in tables:
        # The names are those of our own tables.
        kept = f'CREATE TEMPORARY TABLE "aside_{table}" AS SELECT * FROM "{table}"'  # noqa: S608
        op.execute(kept)
        op.execute(delete(relation(table)))
    yield
    for table in reversed(tables):
        there = {one["name"] for one in inspect(op.get_bind()).get_columns(table)}
        had = op.get_bind().exec_driver_sql(f'PRAGMA temp.table_info("aside_{table}")')
        names = [row[1] for row in had if row[1] in there]
        columns: list[ColumnClause[Any]] = [column(name) for name in names]
        rows = select(*columns).select_from(relation(f"aside_{table}", *columns))
        to = relation(table, *[column(name) for name in names])
        op.execute(insert(to).from_select(names, rows))
        op.execute(f'DROP TABLE "aside_{table}"')
