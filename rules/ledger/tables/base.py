"""What all tables share: one metadata, one way to name constraints, instants kept whole."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def instant_columns(name: str, *, nullable: bool = False) -> tuple[Column[Any], ...]:
    """An instant that something is measured from, so that a stepped clock changes nothing."""
    return (
        Column(f"{name}_wall", BigInteger, nullable=nullable),
        Column(f"{name}_mono", BigInteger, nullable=nullable),
        Column(f"{name}_boot", Text, nullable=nullable),
    )
