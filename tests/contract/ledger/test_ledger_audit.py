"""The audit: each deed once, in its transaction, and nothing changed unseen afterwards."""

from __future__ import annotations

import pytest
from duty_room import NOON, SITE, person
from sqlalchemy import delete, update

from rules.ledger import audit
from rules.ledger.store import Ledger
from rules.ledger.tables.people import audit as table


@pytest.fixture
def three_deeds(ledger: Ledger) -> Ledger:
    for number, deed in enumerate(("roster.leave", "alarm.acknowledge", "order.accept")):
        with ledger.write(SITE) as entry:
            audit.record(entry, person("li"), deed, f"thing-{number}", NOON, note="晚班", level=1.5)
    return ledger


def test_deeds_are_numbered_and_chained(three_deeds: Ledger) -> None:
    with three_deeds.read(SITE) as view:
        rows = list(audit.rows(view))
        assert [row.number for row in rows] == [1, 2, 3]
        assert rows[1].detail == {"note": "晚班", "level": 1.5}
        assert audit.first_bad(view) is None
    with three_deeds.read("another") as view:
        assert not list(audit.rows(view))


def test_a_deed_that_is_undone_leaves_no_hole(three_deeds: Ledger) -> None:
    with pytest.raises(RuntimeError), three_deeds.write(SITE) as entry:
        audit.record(entry, person("li"), "order.accept", "thing-9", NOON)
        raise RuntimeError
    with three_deeds.write(SITE) as entry:
        audit.record(entry, person("wang"), "order.accept", "thing-9", NOON)
    with three_deeds.read(SITE) as view:
        assert [row.number for row in audit.rows(view)] == [1, 2, 3, 4]
        assert audit.first_bad(view) is None


@pytest.mark.parametrize("column", ["by", "at", "subject", "detail", "action", "via", "hash"])
def test_an_edited_row_is_the_first_bad_one(three_deeds: Ledger, column: str) -> None:
    changed = {"at": 1, "detail": {"note": "早班", "level": 1.5}}.get(column, "x")
    with three_deeds.writing() as connection:
        connection.execute(update(table).where(table.c.number == 2).values({column: changed}))
    with three_deeds.read(SITE) as view:
        bad = audit.first_bad(view)
    assert bad is not None
    assert bad.number == 2


def test_a_deleted_row_is_missed_by_the_next_one(three_deeds: Ledger) -> None:
    with three_deeds.writing() as connection:
        connection.execute(delete(table).where(table.c.number == 2))
    with three_deeds.read(SITE) as view:
        bad = audit.first_bad(view)
    assert bad is not None
    assert bad.number == 3
