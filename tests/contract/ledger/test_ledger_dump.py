"""The whole ledger as lines and back, from either kind into either kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from duty_room import SITE, TEMPERATURE, Gateway, person, rulebook, site
from postgres import PostgresServer
from sqlalchemy import Boolean, Date, Double, Integer, Text, delete, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import JSON, BigInteger

from rules.actions import alarms as alarm_actions
from rules.actions.act import Act
from rules.ledger import audit, dump
from rules.ledger.audit import Verdict
from rules.ledger.dump import Contents, NotOursError, NotWholeError
from rules.ledger.store import Ledger, connect, open_ledger
from rules.ledger.tables import metadata, people, work
from rules.ledger.view import View
from rules.worker import Worker

KNOWN = (Text, Integer, BigInteger, Double, Boolean, Date, JSON)


def nobody(_rows: int) -> None:
    """Hears of rows."""


def lived_in(ledger: Ledger) -> None:
    """An alarm that somebody has seen, and its order."""
    gateway = Gateway()
    worker = Worker(site=site(), rulebook=rulebook(), ledger=ledger)
    worker.load()
    worker.take(gateway.poll(11, {TEMPERATURE: 80}))
    worker.commit(gateway.now)
    with ledger.read(SITE) as view:
        (alarm,) = view.alarms()
    alarm_actions.acknowledge(
        Act(ledger, SITE, alarm.id, person("li"), gateway.now), note="在看 \N{PILE OF POO}"
    )


def rows(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    with ledger.reading() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def dumped(ledger: Ledger) -> tuple[list[bytes], Contents]:
    lines: list[bytes] = []
    return lines, dump.dump(ledger, lines.append, nobody)


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """Another ledger, of either kind, whose tables are not made."""
    with empty_ledger(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture
def target(ledger: Ledger, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """Another ledger, of the same kind, whose tables are not made."""
    with empty_ledger(ledger.engine.dialect.name, request, tmp_path) as made:
        yield made


@contextmanager
def empty_ledger(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    if kind == "sqlite":
        made = connect(tmp_path / "other.db")
        yield made
        made.close()
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.new_database()
    made = connect(url)
    yield made
    made.close()
    server.drop_database(url)


def test_there_and_back(ledger: Ledger, either: Ledger) -> None:
    lived_in(ledger)
    lines, contents = dumped(ledger)
    assert contents.rows["alarm"] == contents.rows["audit"] == 1
    told: list[int] = []
    dump.restore(either, lines, contents, told.append)
    assert rows(either) == rows(ledger)
    assert sum(told) == sum(contents.rows.values()) == dump.size(ledger)
    with either.reading() as connection:
        assert audit.verify(View(connection=connection, site=SITE)).rows == 1
    with ledger.read(SITE) as here, either.read(SITE) as there:
        assert here.alarms() == there.alarms()
        assert here.orders() == there.orders()


def test_what_was_there_before_is_gone(ledger: Ledger, target: Ledger) -> None:
    lines, contents = dumped(ledger)
    dump.restore(target, lines, contents, nobody)
    lived_in(target)
    assert not dump.is_empty(target)
    dump.restore(target, lines, contents, nobody)
    assert rows(target) == rows(ledger)
    assert dump.is_empty(target)


def test_what_is_not_whole_changes_nothing(ledger: Ledger, target: Ledger) -> None:
    lived_in(ledger)
    lines, contents = dumped(ledger)
    dump.restore(target, lines, contents, nobody)
    before = rows(target)
    fewer = [line for line in lines if b'"table":"timer"' not in line]
    changed = [line.replace("在看".encode(), "没看".encode()) for line in lines]
    assert changed != lines
    for wrong in (fewer, changed):
        with pytest.raises(NotWholeError):
            dump.restore(target, wrong, contents, nobody)
        assert rows(target) == before
    other_end = replace(contents, audits={SITE: Verdict(rows=1, head="0" * 64)})
    with pytest.raises(NotWholeError, match="does not end as it did"):
        dump.restore(target, lines, other_end, nobody)
    assert rows(target) == before


def test_an_older_dump_is_brought_up_to_date(ledger: Ledger, target: Ledger) -> None:
    first = open_ledger(target.engine.url)
    lines, contents = dumped(first)
    first.close()
    old = {"counter", "cursor", "alarm", "work_order", "timer"}
    older = Contents(revision="v0001", rows=dict.fromkeys(old, 0), audits={})
    dump.restore(target, [], older, nobody)
    assert set(rows(target)) >= old
    dump.restore(target, lines, contents, nobody)


def test_sessions_stay_behind(ledger: Ledger) -> None:
    assert "session" not in dumped(ledger)[1].rows


def test_a_restore_brings_no_token_back(ledger: Ledger, target: Ledger) -> None:
    """One that was revoked after the backup was let in again."""
    with ledger.writing() as connection:
        connection.execute(
            insert(people.machine_token).values(
                site_id=SITE,
                id="t1",
                name="meter reader",
                token_hash="0" * 64,
                role="officer",
                areas=[],
                created_at=1,
                created_by="admin",
            )
        )
    lines, contents = dumped(ledger)
    dump.restore(target, lines, contents, nobody)
    assert "machine_token" not in contents.rows
    assert rows(ledger)["machine_token"] != rows(target)["machine_token"] == []


def test_a_broken_audit_is_told_and_comes_back_as_broken(ledger: Ledger, target: Ledger) -> None:
    """It was dumped without a word, and no restore took it."""
    lived_in(ledger)
    with ledger.writing() as connection:
        connection.execute(update(work.counter).values(audit_hash="0" * 64))
    lines, contents = dumped(ledger)
    assert contents.broken[SITE].first_bad == 1
    dump.restore(target, lines, contents, nobody)
    assert rows(target) == rows(ledger)
    with target.reading() as connection:
        found = audit.verify(View(connection=connection, site=SITE))
    assert found == contents.audits[SITE]
    said_to_be_well = replace(contents, audits={SITE: Verdict(rows=1, head=found.head)})
    with pytest.raises(NotWholeError, match="is not the last one"):
        dump.restore(target, lines, said_to_be_well, nobody)


def test_an_audit_without_its_head_is_broken(ledger: Ledger) -> None:
    """A site was known by its counter alone."""
    lived_in(ledger)
    with ledger.writing() as connection:
        connection.execute(delete(work.counter))
    assert set(dumped(ledger)[1].broken) == {SITE}


def test_tables_of_others_are_not_dropped(ledger: Ledger, target: Ledger) -> None:
    """A restore into a database that others use too took their tables away."""
    lines, contents = dumped(ledger)
    dump.restore(target, lines, contents, nobody)
    lived_in(target)
    before = rows(target)
    with target.writing() as connection:
        connection.execute(text("CREATE TABLE invoice (number INTEGER)"))
        connection.execute(text("INSERT INTO invoice VALUES (7)"))
    with pytest.raises(NotOursError, match="invoice"):
        dump.restore(target, lines, contents, nobody)
    with target.reading() as connection:
        assert connection.execute(text("SELECT number FROM invoice")).scalar_one() == 7
    assert rows(target) == before


def test_the_sites_in_the_way_are_named(ledger: Ledger, target: Ledger) -> None:
    assert dump.sites(target) == []
    lived_in(ledger)
    assert dump.sites(ledger) == [SITE]


def test_an_error_of_the_database_holds_no_values(ledger: Ledger) -> None:
    with pytest.raises(SQLAlchemyError) as failed, ledger.writing() as connection:
        connection.execute(text("SELECT :secret FROM nowhere"), {"secret": "s3cret"})
    assert "nowhere" in str(failed.value)
    assert "s3cret" not in str(failed.value)


def test_a_dump_can_hold_every_column() -> None:
    """What is numbered by the database itself, or of another type, would not come back."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            assert isinstance(column.type, KNOWN), column
            assert column.identity is None, column
            assert column.autoincrement in (False, "auto"), column
        (key, *others) = table.primary_key.columns
        assert others or not isinstance(key.type, Integer), table
