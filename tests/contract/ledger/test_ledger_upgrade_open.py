"""Experiment 44: an upgrade in the middle of it. What was open is open, what waited waits, and the
rules go on where they were."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from duty_room import FAULT, SITE, Gateway, person, rulebook, site
from sqlalchemy import MetaData, create_engine, event, select

from rules.actions import alarms
from rules.actions.act import Act
from rules.ledger import store
from rules.ledger.store import Ledger, open_ledger
from rules.ledger.tables import metadata
from rules.ledger.tables.work import timer
from rules.worker import Worker

RELEASED = "v0011"
"""The version before the upgrade."""
SINCE = ("aside", "planned_test")
"""Kinds of changes that it did not tell of."""
ALL_WRONG = {
    "pump-1.motor_temperature": 80,
    "pump-1.fault": 1,
    "pump-2.fault": 1,
    "lamp-1.power": 0,
    "lamp-1.output": 1,
}


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def before(gateway: Gateway, tmp_path: Path) -> Iterator[Ledger]:
    """Open alarms of every kind, and five of ten seconds of a delay."""
    ledger = open_ledger(tmp_path / "before.db")
    worker = Worker(site=site(), rulebook=rulebook(), ledger=ledger)
    worker.load()
    worker.take(gateway.poll(12, ALL_WRONG))
    worker.commit(gateway.now)
    with ledger.read(SITE) as view:
        ids = {(one.rule, one.equipment): one.id for one in view.alarms()}

    def act(rule: str, thing: str) -> Act:
        return Act(ledger, SITE, ids[rule, thing], person("wang"), gateway.now)

    alarms.acknowledge(act("hot", "pump-1"))
    alarms.shelve(act("fault", "pump-2"), minutes=60, reason="known")
    # One returns before anybody has seen it; one is about to come up.
    now = {**ALL_WRONG, "pump-1.fault": 0, "pump-2.motor_temperature": 90}
    worker.take(gateway.poll(5, now))
    worker.commit(gateway.now)
    yield ledger
    ledger.close()


def _as_released(before: Ledger, place: str) -> None:
    """The rows of ``before`` in the tables that were there then."""
    engine = create_engine(place if "://" in place else f"sqlite:///{place}")
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", store._set_up_sqlite)
        event.listen(engine, "begin", store._begin_sqlite)
    with engine.begin() as connection:
        store.migrate(connection, RELEASED)
        then = MetaData()
        then.reflect(connection)
        with before.reading() as kept:
            for table in then.sorted_tables:
                now = metadata.tables.get(table.name)
                columns = [] if now is None else [c for c in now.c if c.name in table.c]
                rows = kept.execute(select(*columns)).mappings().all() if columns else []
                rows = [dict(row) for row in rows if row.get("kind") not in SINCE]
                if rows:
                    connection.execute(table.insert(), rows)
    engine.dispose()


def _stand(ledger: Ledger) -> tuple[list, list, list]:
    with ledger.read(SITE) as view:
        alarms = sorted((one.id, one.state, one.count, one.order) for one in view.alarms())
        orders = sorted((one.id, one.state, one.alarms) for one in view.orders())
        waits = view.connection.execute(select(timer.c.kind, timer.c.subject, timer.c.due_wall))
        return alarms, orders, sorted(map(tuple, waits))


def test_what_was_open_is_open_and_goes_on(
    before: Ledger, untouched_place: str, gateway: Gateway
) -> None:
    stood = _stand(before)
    states = {state.value for _, state, _, _ in stood[0]}
    assert states == {"acknowledged", "shelved", "returned_unacknowledged", "unacknowledged"}
    _as_released(before, untouched_place)
    ledger = open_ledger(untouched_place)
    try:
        assert _stand(ledger) == stood
        worker = Worker(site=site(), rulebook=rulebook(), ledger=ledger)
        worker.load()
        still = {**ALL_WRONG, "pump-1.fault": 0, "pump-2.motor_temperature": 90}
        worker.take(gateway.poll(5, still))
        worker.commit(gateway.now)
        assert _stand(ledger)[0] == stood[0], "nothing doubled, and the delay is not over"
        worker.take(gateway.poll(2, still))
        worker.commit(gateway.now)
        with ledger.read(SITE) as view:
            (new,) = (one for one in view.alarms() if one.id not in {row[0] for row in stood[0]})
            assert (new.rule, new.equipment) == ("hot", "pump-2")
            assert new.raised_at - new.first_reading_at == 10_000_000
            assert new.order is not None
        worker.take(gateway.say({"pump-2.fault": 0}) for _ in range(1))
        worker.commit(gateway.now)
        with ledger.read(SITE) as view:
            states = {(one.rule, one.equipment): one.state.value for one in view.alarms()}
        assert states[FAULT.id, "pump-2"] == "closed"
    finally:
        ledger.close()
