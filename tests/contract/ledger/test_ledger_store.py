"""Opening, migrating, and one writer after the other."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from duty_room import SITE
from postgres import PostgresServer
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from rules.ledger import store, tables
from rules.ledger.rows import ChangeKind
from rules.ledger.store import Entry, Ledger, connect, open_ledger


def test_the_migrations_make_the_tables_that_the_code_uses(ledger: Ledger) -> None:
    with ledger.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_several_processes_may_open_a_new_ledger_at_once(untouched_place: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: open_ledger(untouched_place), range(4)))
    for ledger in opened:
        with ledger.read(SITE) as view:
            assert view.last_change_id() == 0
        ledger.close()


def test_a_migration_that_fails_leaves_nothing_behind(
    untouched_place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = tmp_path / "migrations"
    (half / "versions").mkdir(parents=True)
    shipped = Path(store.__file__).parent / "migrations"
    (half / "env.py").write_text((shipped / "env.py").read_text())
    (half / "versions" / "v0001.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\nrevision = 'v0001'\n"
        "down_revision = None\ndef upgrade():\n"
        "    op.create_table('alarm', sa.Column('site_id', sa.Text()))\n"
        "    raise RuntimeError('half way')\n"
    )
    with monkeypatch.context() as patch:
        patch.setattr(store, "_MIGRATIONS", half)
        with pytest.raises(RuntimeError, match="half way"):
            open_ledger(untouched_place)
    open_ledger(untouched_place).close()


def test_an_entry_that_raises_is_undone_whole(ledger: Ledger) -> None:
    def half_an_entry() -> None:
        with ledger.write(SITE) as entry:
            entry.changed(ChangeKind.ALARM, "a", 1)
            raise RuntimeError("power off")

    with pytest.raises(RuntimeError, match="power off"):
        half_an_entry()
    with ledger.read(SITE) as view:
        assert view.changes_after(0, 10) == []


def test_what_is_written_apart_is_undone_alone_the_innermost_first(ledger: Ledger) -> None:
    def undone(entry: Entry, name: str) -> None:
        with suppress(ValueError), entry.apart(ValueError):
            entry.changed(ChangeKind.ALARM, name, 1)
            raise ValueError(name)

    with ledger.write(SITE) as entry:
        entry.changed(ChangeKind.ALARM, "before", 1)
        with entry.apart(ValueError):
            entry.changed(ChangeKind.ALARM, "outer", 1)
            undone(entry, "inner")
        undone(entry, "alone")
        entry.changed(ChangeKind.ALARM, "after", 1)
    with ledger.read(SITE) as view:
        found = [(change.id, change.subject) for change in view.changes_after(0, 10)]
    assert found == [(1, "before"), (2, "outer"), (3, "after")]


def test_writers_wait_for_their_turn_and_change_ids_have_no_gap(ledger: Ledger) -> None:
    def write(number: int) -> int:
        with ledger.write(SITE) as entry:
            return entry.changed(ChangeKind.ALARM, f"a{number}", number)

    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(write, range(40)))
    assert sorted(given) == list(range(1, 41))
    with ledger.read(SITE) as view:
        assert [change.id for change in view.changes_after(0, 100)] == list(range(1, 41))
        assert [change.id for change in view.changes_after(38, 100)] == [39, 40]
        assert view.last_change_id() == 40


def test_a_view_is_of_one_moment_while_others_write(ledger: Ledger) -> None:
    written = threading.Event()

    def write() -> None:
        with ledger.write(SITE) as entry:
            entry.changed(ChangeKind.ALARM, "late", 1)
        written.set()

    with ledger.read(SITE) as view:
        assert view.last_change_id() == 0
        threading.Thread(target=write).start()
        assert written.wait(10), "a reader holds up no writer"
        assert view.last_change_id() == 0
        assert view.changes_after(0, 10) == []
    with ledger.read(SITE) as view:
        assert view.last_change_id() == 1


def test_a_writer_gets_through_although_another_machine_holds_the_sites_row(
    postgres_server: PostgresServer,
) -> None:
    """Its process is frozen: the session lives, and says nothing more."""
    url = postgres_server.new_ledger()
    frozen, ledger = connect(url), connect(url)
    with ExitStack() as ends:
        ends.callback(postgres_server.drop_database, url)
        ends.callback(ledger.close)
        ends.callback(frozen.close)
        with pytest.raises(OperationalError), frozen.write(SITE) as stuck:
            begun = time.monotonic()
            with pytest.raises(OperationalError, match="lock timeout"), ledger.write(SITE):
                pytest.fail("the row is not free")
            assert time.monotonic() - begun < 8
            patience = begun + 15
            while True:
                try:
                    with ledger.write(SITE) as entry:
                        entry.changed(ChangeKind.ALARM, "a1", 1)
                    break
                except OperationalError:
                    assert time.monotonic() < patience
            stuck.changed(ChangeKind.ALARM, "thawed", 2)
        with ledger.read(SITE) as view:
            assert [change.subject for change in view.changes_after(0, 10)] == ["a1"]


def test_every_session_notices_a_machine_that_has_vanished(
    postgres_server: PostgresServer,
) -> None:
    url = postgres_server.new_ledger()
    ledger = connect(url)
    with ExitStack() as ends:
        ends.callback(postgres_server.drop_database, url)
        ends.callback(ledger.close)
        with suppress(ZeroDivisionError), ledger.reading() as connection:
            driver = connection.connection.driver_connection
            assert driver is not None
            parameters = driver.info.get_parameters()
            assert {parameters[f"keepalives_{name}"] for name in ("idle", "interval")} == {"3", "1"}
            raise ZeroDivisionError  # a rollback must not undo the settings
        with ledger.reading() as connection:
            for name, value in (
                ("tcp_keepalives_idle", "3"),
                ("tcp_keepalives_interval", "1"),
                ("tcp_keepalives_count", "3"),
                ("tcp_user_timeout", "6000"),
                ("idle_in_transaction_session_timeout", "10s"),
                ("lock_timeout", "5s"),
            ):
                assert connection.execute(text(f"SHOW {name}")).scalar_one() == value, name


def test_two_sites_do_not_see_each_other(ledger: Ledger) -> None:
    for site in (SITE, "other"):
        with ledger.write(site) as entry:
            assert entry.changed(ChangeKind.ALARM, site, 1) == 1
            assert entry.next_order_number() == 1
    with ledger.read("other") as view:
        assert [change.subject for change in view.changes_after(0, 10)] == ["other"]


def test_sqlite_waits_for_the_disk(ledger: Ledger) -> None:
    if ledger.engine.dialect.name != "sqlite":
        return
    with ledger.reading() as connection:
        pragma = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_only_one_order_of_a_cause_can_be_open(ledger: Ledger) -> None:
    """By the index, whatever the code does."""
    order = {
        "equipment": "pump-1",
        "equipment_name": {},
        "area": "b1",
        "category": "c",
        "category_name": {},
        "title": {},
        "cause_key": "hot",
        "priority": "major",
        "created_at": 1,
        "close_after": 1,
    }
    with ledger.write(SITE) as entry:
        orders = tables.orders.work_order
        assert entry.insert_once(orders, id="o1", number=1, state="closed", **order)
        assert entry.insert_once(orders, id="o2", number=2, state="completed", **order)
        assert not entry.insert_once(orders, id="o3", number=3, state="open", **order)
        rows = entry.connection.execute(select(orders.c.id).order_by(orders.c.id)).scalars()
        assert list(rows) == ["o1", "o2"]
