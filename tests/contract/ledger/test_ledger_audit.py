"""The audit: each deed once, in its transaction, and nothing changed unseen afterwards."""

from __future__ import annotations

import pytest
from duty_room import NOON, SITE, person
from sqlalchemy import delete, insert, text, update
from sqlalchemy.exc import DatabaseError

from rules.ledger import audit
from rules.ledger.store import Ledger
from rules.ledger.tables.people import audit as table
from rules.ledger.tables.work import counter


@pytest.fixture
def three_deeds(ledger: Ledger) -> Ledger:
    for number, deed in enumerate(("roster.leave", "alarm.acknowledge", "order.accept")):
        with ledger.write(SITE) as entry:
            audit.record(entry, person("li"), deed, f"thing-{number}", NOON, note="晚班", level=1.5)
    return ledger


@pytest.fixture
def unguarded(three_deeds: Ledger) -> Ledger:
    """As somebody leaves it who owns the database and takes the guard away first."""
    with three_deeds.writing() as connection:
        if connection.dialect.name == "sqlite":
            for deed in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER audit_only_grows_{deed}"))
        else:
            connection.execute(text("DROP TRIGGER audit_only_grows ON audit"))
    return three_deeds


def verdict(ledger: Ledger) -> audit.Verdict:
    with ledger.read(SITE) as view:
        return audit.verify(view)


def test_deeds_are_numbered_and_chained(three_deeds: Ledger) -> None:
    with three_deeds.read(SITE) as view:
        rows = list(audit.rows(view))
        assert [row.number for row in rows] == [1, 2, 3]
        assert rows[1].detail == {"note": "晚班", "level": 1.5}
        assert audit.verify(view) == audit.Verdict(rows=3, head=rows[2].hash)
    with three_deeds.read("another") as view:
        assert not list(audit.rows(view))
        assert audit.verify(view).ok


def test_the_newest_come_first_and_can_be_narrowed(three_deeds: Ledger) -> None:
    with three_deeds.write(SITE) as entry:
        audit.record(entry, person("wang"), "order.accept", "thing-0", NOON)
    with three_deeds.read(SITE) as view:
        assert [row.number for row in audit.newest(view, limit=2)] == [4, 3]
        assert [row.number for row in audit.newest(view, limit=9, before=3)] == [2, 1]
        assert [row.number for row in audit.newest(view, limit=9, subject="thing-0")] == [4, 1]
        assert [row.number for row in audit.newest(view, limit=9, by="wang")] == [4]


def test_a_deed_that_is_undone_leaves_no_hole(three_deeds: Ledger) -> None:
    with pytest.raises(RuntimeError), three_deeds.write(SITE) as entry:
        audit.record(entry, person("li"), "order.accept", "thing-9", NOON)
        raise RuntimeError
    with three_deeds.write(SITE) as entry:
        audit.record(entry, person("wang"), "order.accept", "thing-9", NOON)
    with three_deeds.read(SITE) as view:
        assert [row.number for row in audit.rows(view)] == [1, 2, 3, 4]
        assert audit.verify(view).ok


@pytest.mark.parametrize(
    "statement",
    [
        update(table).values(by="somebody else"),
        delete(table).where(table.c.number == 3),
        delete(table),
    ],
    ids=["update", "delete one", "delete all"],
)
def test_the_database_itself_refuses_to_change_a_row(three_deeds: Ledger, statement) -> None:
    with (
        pytest.raises(DatabaseError, match="audit only grows"),
        three_deeds.writing() as connection,
    ):
        connection.execute(statement)
    assert verdict(three_deeds).ok


@pytest.mark.parametrize("column", ["by", "at", "subject", "detail", "action", "via", "hash"])
def test_an_edited_row_is_the_first_bad_one(unguarded: Ledger, column: str) -> None:
    changed = {"at": 1, "detail": {"note": "早班", "level": 1.5}}.get(column, "x")
    with unguarded.writing() as connection:
        connection.execute(update(table).where(table.c.number == 2).values({column: changed}))
    found = verdict(unguarded)
    assert found.first_bad == 2
    assert found.why == "row 2 is not as it was written"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_row_that_was_taken_out_is_missed_the_last_one_too(
    unguarded: Ledger, number: int
) -> None:
    with unguarded.writing() as connection:
        connection.execute(delete(table).where(table.c.number == number))
    found = verdict(unguarded)
    assert (found.first_bad, found.rows) == (number, 2)
    assert found.why is not None
    assert found.why.startswith(f"row {number} is not there")


def test_all_of_it_taken_out_is_missed(unguarded: Ledger) -> None:
    with unguarded.writing() as connection:
        connection.execute(delete(table))
    assert verdict(unguarded).first_bad == 1


def test_a_row_put_behind_by_hand_is_the_first_bad_one(three_deeds: Ledger) -> None:
    """Rightly chained, but not written through us: the head does not know it."""
    with three_deeds.read(SITE) as view:
        last = list(audit.rows(view))[-1]
    row = {
        "number": 4,
        "at": NOON,
        "by": "li",
        "via": "session",
        "action": "order.accept",
        "subject": "thing-3",
        "detail": {},
    }
    forged = audit._hash(SITE, row, last.hash)
    with three_deeds.writing() as connection:
        connection.execute(insert(table).values(site_id=SITE, hash=forged, **row))
    assert verdict(three_deeds).first_bad == 4


def test_an_end_that_was_rewritten_as_a_whole_does_not_fit_the_head(unguarded: Ledger) -> None:
    with unguarded.read(SITE) as view:
        before = list(audit.rows(view))[1].hash
    row = {
        "number": 3,
        "at": NOON,
        "by": "wang",
        "via": "session",
        "action": "order.accept",
        "subject": "thing-2",
        "detail": {},
    }
    with unguarded.writing() as connection:
        connection.execute(
            update(table)
            .where(table.c.number == 3)
            .values(**row, hash=audit._hash(SITE, row, before))
        )
    assert verdict(unguarded).first_bad == 3


def test_without_its_head_it_is_not_whole(three_deeds: Ledger) -> None:
    with three_deeds.writing() as connection:
        connection.execute(update(counter).values(audit_number=0, audit_hash=""))
    assert not verdict(three_deeds).ok
