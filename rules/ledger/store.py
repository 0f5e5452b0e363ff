"""Opening the ledger; one reader's view and one writer's entry at a time.

SQLite (a path) is the default, PostgreSQL (a URL) the grown-up shape. A writer waits for its
turn, so that what it read in its transaction is still true when it commits: by ``BEGIN
IMMEDIATE`` on SQLite, by the lock on the site's row of ``counter`` on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Table,
    bindparam,
    create_engine,
    event,
    inspect,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.dml import ReturningUpdate

from gateway.write_ahead import BUSY_MS, keep_a_log_ahead
from rules.ledger import statements
from rules.ledger.rows import ChangeKind
from rules.ledger.tables import work
from rules.ledger.view import View

_MIGRATIONS = Path(__file__).parent / "migrations"
_PATIENCE = {
    "connect_timeout": "5",
    "tcp_user_timeout": "10000",
    "keepalives": "1",
    "keepalives_idle": "3",
    "keepalives_interval": "1",
    "keepalives_count": "3",
}
"""s, but ``tcp_user_timeout`` ms; for a database server that is gone without a word, also while
we wait for its answer. The URL may say otherwise.
Source: https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-PARAMKEYWORDS"""
_SESSION = (
    # A session whose machine has vanished holds its locks until the server notices; by itself
    # that takes two hours ("Connection Settings": tcp_keepalives_idle).
    "SET tcp_keepalives_idle = 3",
    "SET tcp_keepalives_interval = 1",
    "SET tcp_keepalives_count = 3",
    "SET tcp_user_timeout = '6s'",
    # One whose process is frozen answers keepalives.
    "SET idle_in_transaction_session_timeout = '10s'",
    f"SET lock_timeout = '{BUSY_MS}ms'",
)
"""What every session on a PostgreSQL server is set to; ``OperationalError`` where a lock is not
to be had in time. Source: https://www.postgresql.org/docs/15/runtime-config-client.html"""
_IDLE_TOO_LONG = "25P03"
"""Source: https://www.postgresql.org/docs/15/errcodes-appendix.html"""
_NEXT_CHANGE, _NEXT_ORDER = (
    update(work.counter)
    .where(work.counter.c.site_id == bindparam("site"))
    .values({column: column + 1})
    .returning(column)
    for column in (work.counter.c.change, work.counter.c.order_number)
)
_MIGRATION_LOCK = 0x64757479
"""Any number, the same in every process that migrates a PostgreSQL ledger."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One write transaction of one site."""

    connection: Connection
    site: str

    def add(self, table: Table, **columns: Any) -> None:
        """Add a row of this site; raises ``IntegrityError`` where there is one of its key."""
        row = {"site_id": self.site, **columns}
        self.connection.execute(statements.addition(table), row)

    def insert_once(self, table: Table, **columns: Any) -> bool:
        """Add a row of this site; False if it was there already, and then nothing changed."""
        statement = statements.addition_once(table, self.connection.dialect.name)
        added = self.connection.execute(statement, {"site_id": self.site, **columns})
        return added.first() is not None

    def put(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows of this site, or replace those with the same key."""
        if not rows:
            return
        names, dialect = tuple(rows[0]), self.connection.dialect.name
        statement = statements.replacement(table, dialect, names)
        self.connection.execute(statement, [{"site_id": self.site, **row} for row in rows])

    def changed(self, kind: ChangeKind, subject: str, at: int) -> int:
        """Note a change of ``subject`` for whoever is looking; the id of the change."""
        number = self._next(_NEXT_CHANGE)
        self.add(work.change, id=number, kind=kind.value, subject=subject, at=at)
        return number

    def next_order_number(self) -> int:
        return self._next(_NEXT_ORDER)

    @contextmanager
    def apart(self, *errors: type[Exception]) -> Iterator[None]:
        """What is written in it is undone alone by one of ``errors``, which is passed on; by any
        other the transaction is undone whole.

        All have one name, which means the innermost: so the database's driver knows the statement.
        """
        self.connection.exec_driver_sql("SAVEPOINT apart")
        try:
            yield
        except errors:
            self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT apart")
            self.connection.exec_driver_sql("RELEASE SAVEPOINT apart")
            raise
        self.connection.exec_driver_sql("RELEASE SAVEPOINT apart")

    def _next(self, counting: ReturningUpdate[int]) -> int:
        return int(self.connection.execute(counting, {"site": self.site}).scalar_one())


class Ledger:
    """An open ledger; may be used by several threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @contextmanager
    def read(self, site: str) -> Iterator[View]:
        """What ``site`` looks like at one moment, however long the reader takes."""
        with self.reading() as connection:
            yield View(connection=connection, site=site)

    @contextmanager
    def write(self, site: str) -> Iterator[Entry]:
        """A transaction of ``site``: committed at the end, or by an exception undone whole."""
        with self.writing() as connection:
            entry = Entry(connection, site)
            entry.insert_once(work.counter, order_number=0, change=0, audit_number=0, audit_hash="")
            counter = work.counter
            connection.execute(
                select(counter.c.change).where(counter.c.site_id == site).with_for_update()
            )
            yield entry

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reads that belong to no site."""
        with self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that belongs to no site: people and their sessions."""
        with self.engine.connect() as connection:
            connection.execution_options(dutyroom_writes=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        self.engine.dispose()


def open_ledger(where: str | Path | URL) -> Ledger:
    """The ledger at a path (SQLite) or a database URL, brought up to this version's tables."""
    ledger = connect(where)
    try:
        with ledger.writing() as connection:
            migrate(connection)
    except BaseException:
        ledger.close()
        raise
    return ledger


def connect(where: str | Path | URL) -> Ledger:
    """The ledger as it is, its tables not looked at; nothing is connected yet."""
    if isinstance(where, URL) or (isinstance(where, str) and "://" in where):
        url = make_url(where)
    else:
        url = _sqlite(Path(where))
    if url.get_backend_name() == "postgresql":
        url = url.set(query={**_PATIENCE, **url.query})
    # After a restart of the database server the connections at hand are dead: look first.
    # A logged error says which statement failed, and none of the values in it.
    engine = create_engine(
        url, pool_pre_ping=not url.drivername.startswith("sqlite"), hide_parameters=True
    )
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    elif engine.dialect.name == "postgresql":
        event.listen(engine, "connect", _set_up_postgresql)
        event.listen(engine, "handle_error", _may_try_again)
    return Ledger(engine)


def _sqlite(path: Path) -> URL:
    path.parent.mkdir(parents=True, exist_ok=True)
    return URL.create("sqlite", database=str(path))


def _set_up_sqlite(connection: Any, _record: object) -> None:
    # Python's own transaction control would commit and begin behind our back.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    keep_a_log_ahead(cursor)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _set_up_postgresql(connection: Any, _record: object) -> None:
    # Within a transaction a rollback would undo them.
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("; ".join(_SESSION))
    connection.autocommit = False


def _may_try_again(context: ExceptionContext) -> None:
    """A session that the server has ended because we said nothing for too long is for the driver
    an internal error, for us one of operation."""
    original = context.original_exception
    if getattr(original, "sqlstate", None) == _IDLE_TOO_LONG:
        raise OperationalError(context.statement, None, original) from original


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("dutyroom_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def migrate(connection: Connection, to: str = "head") -> None:
    """Bring the tables up to the revision ``to``, in the transaction of ``connection``."""
    if connection.dialect.name == "postgresql":
        # Another process may be migrating, for as long as that takes.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    if to == "head" and _revision(connection) == _newest():
        return
    # Long to import, and of no use to any other start.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _revision(connection: Connection) -> str | None:
    """What alembic has noted in a ledger; None in a new one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _newest() -> str:
    """The revision of this version: its files are named in their order."""
    return max(file.stem for file in (_MIGRATIONS / "versions").glob("v*.py")).partition("_")[0]
