"""The whole ledger as lines of JSON, and back: the same for SQLite and PostgreSQL.

A line is an object: ``table``, ``columns``, and ``rows`` as arrays in their order. Tables come in
an order in which no row refers to one that is not there yet. What it reads is of one moment, and
nobody who writes meanwhile waits for it.

Sessions, machines' tokens, screens and contractors' links are left out: who has been logged out
since, and a token, screen or link that was revoked since, must not be let in again by a restore.

A ledger whose audit is broken is dumped all the same, and its verdict goes along: a restore gives
back what was there, and never more or less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    Connection,
    Date,
    MetaData,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
    union,
)

from rules.ledger import audit
from rules.ledger.audit import Verdict
from rules.ledger.store import Ledger, migrate
from rules.ledger.tables import contractor_links, kiosks, metadata, people, work
from rules.ledger.view import View

_LEFT_OUT = frozenset(
    {
        people.session.name,
        people.machine_token.name,
        kiosks.kiosk.name,
        contractor_links.contractor_link.name,
    }
)
_ALEMBIC = "alembic_version"
_OURS = frozenset(metadata.tables) | {_ALEMBIC}
"""Every table that a migration of ours has made."""
_AT_ONCE = 500

Told = Callable[[int], None]
"""Hears of rows as they go by."""


class NotWholeError(Exception):
    """What was read is not what was written; nothing was restored."""


class NotOursError(Exception):
    """The database holds tables of somebody else; nothing was restored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What a dump holds, as far as can be checked afterwards."""

    revision: str
    """Of the tables."""
    rows: Mapping[str, int]
    """Table → rows."""
    audits: Mapping[str, Verdict]
    """Site → what going through its audit has shown."""

    @property
    def broken(self) -> Mapping[str, Verdict]:
        """The audits that are not as they were written."""
        return {site: verdict for site, verdict in self.audits.items() if not verdict.ok}


def dump(ledger: Ledger, write: Callable[[bytes], object], told: Told) -> Contents:
    """Every row of ``ledger``, line by line to ``write``."""
    with ledger.reading() as connection:
        if connection.dialect.name == "postgresql":
            # Between two rows a slow disk is written; nobody waits for a reader.
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        counted = {}
        for table in _tables(metadata):
            counted[table.name] = 0
            for line, rows in _lines(connection, table):
                write(line)
                counted[table.name] += rows
                told(rows)
        return Contents(
            revision=connection.execute(
                text("SELECT version_num FROM alembic_version")
            ).scalar_one(),
            rows=counted,
            audits=_audits(connection),
        )


def size(ledger: Ledger) -> int:
    """How many rows there are to dump, about."""
    with ledger.reading() as connection:
        return sum(_count(connection, table) for table in _tables(metadata))


def is_empty(ledger: Ledger) -> bool:
    """Whether there is no row in any table of ours, of whatever revision."""
    with ledger.reading() as connection:
        tables = _reflected(connection).sorted_tables
        return not any(_count(connection, table) for table in tables if table.name != _ALEMBIC)


def sites(ledger: Ledger) -> list[str]:
    """The sites that have rows of their own there, of whatever revision."""
    with ledger.reading() as connection:
        named = [
            select(table.c.site_id)
            for table in _reflected(connection).sorted_tables
            if "site_id" in table.c
        ]
        return sorted(connection.execute(union(*named)).scalars()) if named else []


def refuse_others(connection: Connection) -> None:
    """Raise :class:`NotOursError` where somebody else has tables there too."""
    others = sorted(set(inspect(connection).get_table_names()) - _OURS)
    if others:
        raise NotOursError(
            f"there are tables that are not dutyroom's: {', '.join(others)}; "
            "give the ledger a database of its own"
        )


def restore(ledger: Ledger, lines: Iterable[bytes], expected: Contents, told: Told) -> None:
    """Put the rows of ``lines`` into ``ledger`` in place of all rows of ours that it holds.

    One transaction: 1. take away what is there; 2. make the tables of the dump's revision; 3. fill
    them; 4. bring them up to this version's; 5. see that all is there, and that the audit is as
    whole or as broken as it was. Raises :class:`NotWholeError` and :class:`NotOursError`, and then
    nothing has changed.
    """
    with ledger.writing() as connection:
        refuse_others(connection)
        _clear(connection)
        migrate(connection, expected.revision)
        counted = _fill(connection, lines, told)
        if counted != {name: rows for name, rows in expected.rows.items() if rows}:
            raise NotWholeError(f"the rows are not those that were written: {counted}")
        migrate(connection)
        _check(connection, expected)


def _check(connection: Connection, expected: Contents) -> None:
    for site, written in expected.audits.items():
        verdict = audit.verify(View(connection=connection, site=site))
        if verdict == written:
            continue
        if not verdict.ok:
            raise NotWholeError(f"the audit of {site}: {verdict.why}")
        raise NotWholeError(f"the audit of {site} does not end as it did")


def _audits(connection: Connection) -> dict[str, Verdict]:
    named = union(select(work.counter.c.site_id), select(people.audit.c.site_id))
    return {
        site: audit.verify(View(connection=connection, site=site))
        for site in sorted(connection.execute(named).scalars())
    }


def _tables(known: MetaData) -> list[Table]:
    return [table for table in known.sorted_tables if table.name not in _LEFT_OUT]


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _lines(connection: Connection, table: Table) -> Iterator[tuple[bytes, int]]:
    found = connection.execute(select(table).execution_options(yield_per=_AT_ONCE))
    columns = [column.name for column in table.columns]
    for rows in found.partitions():
        line = {"table": table.name, "columns": columns, "rows": [list(row) for row in rows]}
        yield orjson.dumps(line) + b"\n", len(rows)


def _clear(connection: Connection) -> None:
    """Our tables with their triggers, and the functions of these."""
    functions = []
    if connection.dialect.name == "postgresql":
        of_triggers = text(
            "SELECT DISTINCT CAST(trigger.tgfoid AS regprocedure) FROM pg_trigger AS trigger"
            " JOIN pg_class AS class ON class.oid = trigger.tgrelid"
            " WHERE NOT trigger.tgisinternal AND class.relname = ANY(:ours)"
            " AND class.relnamespace = CAST(current_schema() AS regnamespace)"
        )
        functions = list(connection.execute(of_triggers, {"ours": sorted(_OURS)}).scalars())
    _reflected(connection).drop_all(connection)
    for function in functions:
        connection.exec_driver_sql(f"DROP FUNCTION {function}")


def _fill(connection: Connection, lines: Iterable[bytes], told: Told) -> dict[str, int]:
    known = _reflected(connection)
    counted: dict[str, int] = {}
    for line in lines:
        said = orjson.loads(line)
        table = known.tables[said["table"]]
        columns, rows = said["columns"], said["rows"]
        values = [_read(table, dict(zip(columns, row, strict=True))) for row in rows]
        connection.execute(insert(table), values)
        counted[table.name] = counted.get(table.name, 0) + len(rows)
        told(len(rows))
    return counted


def _reflected(connection: Connection) -> MetaData:
    """Our tables as they are there, of whatever revision."""
    found = MetaData()
    found.reflect(connection, only=sorted(_OURS & set(inspect(connection).get_table_names())))
    for table in found.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, JSON):
                # What is not there is NULL, and not the JSON word null.
                column.type = JSON(none_as_null=bool(column.nullable))
    return found


def _read(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    """``row`` as the columns of ``table`` take it."""
    for name, value in row.items():
        if value is not None and isinstance(table.columns[name].type, Date):
            row[name] = date.fromisoformat(value)
    return row
