"""The state of the conditions, kept when it changes and never on every reading."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, select

from rules.alarms.conditions import ConditionRow, State
from rules.ledger.rows import instant, instant_columns
from rules.ledger.store import Entry
from rules.ledger.tables.work import condition


def load(connection: Connection, site: str) -> list[ConditionRow]:
    rows = connection.execute(select(condition).where(condition.c.site_id == site)).mappings()
    return [
        ConditionRow(
            rule=row["rule"],
            equipment=row["equipment"],
            state=State[row["state"].upper()],
            since=instant(row, "since"),
            first=row["first_wall"],
            first_value=row["first_value"],
            value=row["value"],
            gate_values=(row["gate_value"], *(row["more_gate_values"] or ())),
            test=row["test"],
            memory=row["memory"],
        )
        for row in rows
    ]


def save(entry: Entry, rows: Iterable[ConditionRow]) -> None:
    entry.put(
        condition,
        [
            {
                "rule": row.rule,
                "equipment": row.equipment,
                "state": row.state.name.lower(),
                **instant_columns("since", row.since),
                "first_wall": row.first,
                "first_value": row.first_value,
                "value": row.value,
                "gate_value": next(iter(row.gate_values), None),
                "more_gate_values": list(row.gate_values[1:]),
                "test": row.test,
                "memory": None if row.memory is None else dict(row.memory),
            }
            for row in rows
        ],
    )


def forget_others(entry: Entry, judged: Collection[tuple[str, str]]) -> None:
    """Only rows of ``judged`` (rule, equipment) stay: what comes back later begins anew."""
    kept = entry.connection.execute(
        select(condition.c.rule, condition.c.equipment).where(condition.c.site_id == entry.site)
    ).all()
    for rule, equipment in kept:
        if (rule, equipment) not in judged:
            entry.connection.execute(
                delete(condition).where(
                    condition.c.site_id == entry.site,
                    condition.c.rule == rule,
                    condition.c.equipment == equipment,
                )
            )
