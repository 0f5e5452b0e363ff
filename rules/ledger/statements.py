"""Statements that are made once. In a flood making one, and finding what the database driver was
told of its like, takes longer than the database takes to do it."""

from __future__ import annotations

from functools import cache

from sqlalchemy import Insert, Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert


@cache
def addition(table: Table) -> Insert:
    """Takes the columns of a row as parameters; so do the others."""
    return insert(table)


@cache
def addition_once(table: Table, dialect: str) -> ReturningInsert[str]:
    """Gives back a row only where it was not there."""
    return _of(dialect, table).on_conflict_do_nothing().returning(table.c.site_id)


@cache
def replacement(table: Table, dialect: str, names: tuple[str, ...]) -> Insert:
    """Of a row with the same key its other columns in ``names`` are replaced."""
    made = _of(dialect, table)
    keys = [column.name for column in table.primary_key]
    others = {name: made.excluded[name] for name in names if name not in keys}
    return made.on_conflict_do_update(index_elements=keys, set_=others)


def _of(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
