"""A ledger of the version before, with everything that is in it, becomes one of this version."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.config import Config
from duty_room import NOON, SITE
from sqlalchemy import create_engine, event, text

from gateway.clock import ManualClock
from rules.ledger import audit, store
from rules.ledger.store import open_ledger
from rules.people import accounts, people
from rules.people.passwords import hashed
from rules.people.roles import Role


@pytest.fixture
def first_version(untouched_place: str) -> str:
    """A ledger as version 0.1.0 left it: an admin, a session, a site."""
    place = untouched_place
    engine = create_engine(place if "://" in place else f"sqlite:///{place}")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", store._set_up_sqlite)
        event.listen(engine, "begin", store._begin_sqlite)
    config = Config()
    config.set_main_option("script_location", str(store._MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "v0001")
        connection.execute(text("INSERT INTO counter VALUES (:site, 7, 42)"), {"site": SITE})
        connection.execute(
            text("INSERT INTO \"user\" VALUES ('admin', '管理员', 'admin', :hash, :at)"),
            {"hash": hashed("right"), "at": NOON},
        )
        connection.execute(
            text("INSERT INTO session VALUES ('hash', 'admin', :at, :at)"), {"at": NOON}
        )
    engine.dispose()
    return place


def test_people_keep_password_and_role_and_log_in_again(first_version: str) -> None:
    now = ManualClock(NOON).now()
    ledger = open_ledger(first_version)
    try:
        with ledger.read(SITE) as view:
            (admin,) = people.everybody(view)
            assert audit.verify(view).ok
        assert (admin.username, admin.role, admin.areas) == ("admin", Role.ADMIN, ())
        assert (admin.active, admin.can_log_in, admin.contractor) == (True, True, False)
        accounts.log_in(ledger, SITE, "admin", "right", now)
        with ledger.write(SITE) as entry:
            assert entry.next_order_number() == 8
        with ledger.read(SITE) as view:
            assert audit.verify(view).rows == 1
    finally:
        ledger.close()
