"""A ledger of the version before, with everything that is in it, becomes one of this version."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from duty_room import NOON, SITE
from sqlalchemy import Connection, create_engine, event, text

from gateway.clock import ManualClock
from gateway.model.channels import plain_webhook
from gateway.model.moment import HOUR, MINUTE, Instant
from rules.alarms.lifecycle import AlarmEvent
from rules.ledger import alarms as alarm_rows
from rules.ledger import audit, outbox, outbox_view, store
from rules.ledger.outbox import Sender
from rules.ledger.store import open_ledger
from rules.orders.clock import CalendarKind, ClockName
from rules.orders.lifecycle import OrderState
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


@pytest.fixture
def sixth_version(untouched_place: str) -> str:
    """A ledger before orders had several clocks: one running, one completed, with its alarm."""
    place = untouched_place
    engine = create_engine(place if "://" in place else f"sqlite:///{place}")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", store._set_up_sqlite)
        event.listen(engine, "begin", store._begin_sqlite)
    with engine.begin() as connection:
        store.migrate(connection, "v0006")
        connection.execute(
            text("INSERT INTO counter VALUES (:site, 2, 4, 0, '')"),
            {"site": SITE},
        )
        for number, state, priority in ((1, "accepted", "major"), (2, "completed", "minor")):
            _insert_old_order(connection, number, state, priority)
    engine.dispose()
    return place


def _insert_old_order(connection: Connection, number: int, state: str, priority: str) -> None:
    words = '{"zh": "水泵", "en": "Pump"}'
    completed = NOON + HOUR if state == "completed" else None
    connection.execute(
        text(
            "INSERT INTO work_order (site_id, id, number, equipment, equipment_name, area, "
            "category, category_name, title, cause_key, priority, state, created_at, "
            '"limit", due_wall, due_mono, due_boot, close_after, breached_at, accepted_at, '
            "accepted_by, completed_wall, completed_mono, completed_boot) VALUES "
            "(:site, :id, :number, 'pump-1', :words, 'pumps', 'water_supply', :words, :words, "
            ":cause, :priority, :state, :at, :limit, :due, :mono, 'boot-1', :limit, :breached, "
            ":at, 'li', :completed, :completed, 'boot-1')"
        ),
        {
            "site": SITE,
            "id": f"a{number}.order",
            "number": number,
            "words": words,
            "cause": f"cause-{number}",
            "priority": priority,
            "state": state,
            "at": NOON,
            "limit": 2 * HOUR,
            "due": NOON + 2 * HOUR,
            "mono": 3 * HOUR,
            "breached": None if number == 1 else NOON + MINUTE,
            "completed": completed,
        },
    )
    connection.execute(
        text(
            "INSERT INTO alarm (site_id, id, rule, name, equipment, equipment_name, area, point, "
            'priority, cause_key, state, value, "limit", unit, guidance, first_reading_at, '
            "raised_at, order_id) VALUES (:site, :id, 'hot', :words, 'pump-1', :words, 'pumps', "
            "'pump-1.t', 'major', 'x', 'acknowledged', 1, 1, '°C', '{\"zh\": [], \"en\": []}', "
            ":at, :at, :order)"
        ),
        {
            "site": SITE,
            "id": f"a{number}",
            "words": words,
            "at": NOON,
            "order": f"a{number}.order",
        },
    )
    connection.execute(
        text(
            "INSERT INTO order_event VALUES (:site, :number, :order, :at, 'create', 'new', "
            "'open', NULL, NULL)"
        ),
        {"site": SITE, "number": number, "order": f"a{number}.order", "at": NOON},
    )
    connection.execute(
        text("INSERT INTO timer VALUES (:site, :kind, :order, :due, :mono, 'boot-1')"),
        {
            "site": SITE,
            "kind": "breach" if number == 1 else "close",
            "order": f"a{number}.order",
            "due": NOON + 2 * HOUR,
            "mono": 3 * HOUR,
        },
    )


def test_orders_keep_their_clock_their_alarms_and_what_is_outstanding(sixth_version: str) -> None:
    ledger = open_ledger(sixth_version)
    try:
        with ledger.read(SITE) as view:
            second, first = view.orders()
            timers = view.connection.execute(
                text("SELECT kind, subject, allowed FROM timer ORDER BY kind")
            ).all()
            violations = (
                view.connection.execute(text("PRAGMA foreign_key_check")).all()
                if view.connection.dialect.name == "sqlite"
                else []
            )
        assert not violations
    finally:
        ledger.close()
    assert (first.alarms, second.alarms) == (("a1",), ("a2",))
    assert (first.state, first.assigned_to) == (OrderState.ACCEPTED, "li")
    (clock,) = first.clocks
    assert (clock.name, clock.limit, clock.calendar) == (
        ClockName.COMPLETE,
        2 * HOUR,
        CalendarKind.ALWAYS,
    )
    assert clock.due == Instant(wall=NOON + 2 * HOUR, mono=3 * HOUR, boot="boot-1")
    assert clock.started == Instant(wall=NOON, mono=HOUR, boot="boot-1")
    assert (clock.stopped, clock.breached_at) == (None, None)
    (clock,) = second.clocks
    assert clock.calendar is CalendarKind.WORKING_TIME
    assert clock.stopped is not None and clock.stopped.wall == NOON + HOUR
    assert clock.breached_at == NOON + MINUTE
    assert [tuple(row) for row in timers] == [
        ("breach", "a1.order complete", 2 * HOUR),
        ("prove", "a2.order", 0),
    ]


@pytest.fixture
def eighth_version(untouched_place: str) -> str:
    """A ledger whose messages still had addresses: one waits, one was sent."""
    place = untouched_place
    engine = create_engine(place if "://" in place else f"sqlite:///{place}")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", store._set_up_sqlite)
        event.listen(engine, "begin", store._begin_sqlite)
    with engine.begin() as connection:
        store.migrate(connection, "v0008")
        for notice, state in (("alarm_raised.a1", "sent"), ("alarm_raised.a2", "waiting")):
            connection.execute(
                text(
                    "INSERT INTO outbox VALUES (:site, :notice, :address, 1, :body, :at, :state, "
                    ":at, 0, 'boot-1', NULL, 0, :doubtful, NULL, NULL)"
                ),
                {
                    "site": SITE,
                    "notice": notice,
                    "address": "https://hooks.example.org/s3cret",
                    "body": '{"kind": "alarm_raised"}',
                    "at": NOON,
                    "state": state,
                    "doubtful": False,
                },
            )
    engine.dispose()
    return place


def test_notices_that_wait_keep_their_receiver_without_its_secret(eighth_version: str) -> None:
    channel = plain_webhook("https://hooks.example.org/s3cret").id
    now = ManualClock(NOON).now()
    sender = Sender(site=SITE, channel=channel, claimant="x", now=now, until=now.plus(10 * MINUTE))
    ledger = open_ledger(eighth_version)
    try:
        with ledger.read(SITE) as view:
            rows = outbox_view.posted(view, limit=10)
        claimed = outbox.claim(ledger, sender)
    finally:
        ledger.close()
    assert {(row.notice, row.state) for row in rows} == {
        ("alarm_raised.a1", "sent"),
        ("alarm_raised.a2", "waiting"),
    }
    assert {row.channel for row in rows} == {channel}
    assert "s3cret" not in channel
    assert claimed is not None
    assert (claimed.notice, claimed.possibly_repeated) == ("alarm_raised.a2", False)


def test_alarms_of_an_older_ledger_keep_their_life_and_can_go_on(sixth_version: str) -> None:
    _insert_old_events(sixth_version)
    ledger = open_ledger(sixth_version)
    now = ManualClock(NOON + 3 * HOUR).now()
    try:
        with ledger.read(SITE) as view:
            found = {alarm.id: alarm for alarm in view.alarms()}
            assert [event.event for event in view.alarm_events("a1")] == ["raise"]
        assert set(found) == {"a1", "a2"}
        for alarm in found.values():
            assert (alarm.count, alarm.life_safety, alarm.latches) == (1, False, False)
            assert alarm.order is not None
        with ledger.write(SITE) as entry:
            kept = alarm_rows.of_occurrence(entry, "a1")
            assert kept is not None
            over = alarm_rows.take(entry, kept, AlarmEvent.CLEAR, now)
            again = alarm_rows.take(entry, over, AlarmEvent.RELAPSE, now, occurrence="a3")
            alarm_rows.take(entry, again, AlarmEvent.SHELVE, now)
        with ledger.read(SITE) as view:
            events = [event.event for event in view.alarm_events("a1")]
            assert events == ["raise", "clear", "relapse", "shelve"]
    finally:
        ledger.close()


def test_the_newest_revision_is_told_by_the_names_of_the_files() -> None:
    assert store._newest() == ScriptDirectory(str(store._MIGRATIONS)).get_current_head()


def _insert_old_events(place: str) -> None:
    """Rows that refer to the alarms, which are rebuilt on SQLite."""
    engine = create_engine(place if "://" in place else f"sqlite:///{place}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alarm SET state = 'unacknowledged'"))
        for number in (1, 2):
            connection.execute(
                text(
                    "INSERT INTO alarm_event (site_id, change, alarm_id, at, event, from_state, "
                    "to_state) VALUES (:site, :number, :alarm, :at, 'raise', 'normal', "
                    "'unacknowledged')"
                ),
                {"site": SITE, "number": number, "alarm": f"a{number}", "at": NOON},
            )
    engine.dispose()
