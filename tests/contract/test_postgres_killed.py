"""PostgreSQL is killed in a commit (experiment 29), and ends a transaction that would wait for ever
(experiment 34)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar

import pytest
from duty_room import FAULT, SITE, Gateway, equipment, person, rulebook, site
from postgres import PostgresServer, running_postgres
from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.exc import OperationalError
from worlds import free_port

from gateway.model.point import PointKind
from rules.actions import alarms
from rules.actions.act import Act
from rules.ledger import audit
from rules.ledger.store import Ledger, open_ledger
from rules.ledger.tables.alarms import alarm, alarm_event
from rules.ledger.tables.orders import order_clock, order_event, work_order
from rules.ledger.tables.outbox import outbox
from rules.ledger.tables.work import change
from rules.worker import Worker

KILLS = (0.0, 0.001, 0.004)
"""s from the beginning of a commit until its server process is killed; the server then ends all
others as well, and begins anew from its log."""
PUMPS = tuple(f"pump-{number}" for number in range(1, 3 * len(KILLS) + 1))
HERE = site(
    *(equipment(name, "pump", fault=PointKind.FLAG) for name in PUMPS),
    webhooks=("http://127.0.0.1:9/hook",),
)


@pytest.fixture(scope="module")
def server(postgres: str) -> Iterator[PostgresServer]:
    with running_postgres(postgres, free_port()) as running:
        yield running


@pytest.fixture
def ledger(server: PostgresServer) -> Iterator[Ledger]:
    opened = open_ledger(server.new_ledger())
    yield opened
    opened.close()


Done = TypeVar("Done")


class Killer:
    """Kills -9 the server process that serves a commit, in that commit."""

    def __init__(self, ledger: Ledger) -> None:
        self.after: float | None = None
        """s from the beginning of the next commit; None: that one is spared."""
        event.listen(ledger.engine, "commit", self._at_commit)

    def _at_commit(self, connection: Connection) -> None:
        if self.after is None or "dutyroom_writes" not in connection.get_execution_options():
            return
        process = connection.connection.driver_connection.info.backend_pid
        threading.Timer(self.after, _kill, (process,)).start()
        self.after = None


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _until_it_is_done(work: Callable[[], Done], failed: list[Exception]) -> Done:
    """As rules and page do it: again and again."""
    ends = time.monotonic() + 30
    while True:
        try:
            return work()
        except OperationalError as error:
            failed.append(error)
            assert time.monotonic() < ends
            time.sleep(0.02)


def test_killed_in_a_commit_nothing_that_was_answered_is_lost_and_no_order_is_half(
    ledger: Ledger, server: PostgresServer
) -> None:
    gateway = Gateway()
    worker = Worker(site=HERE, rulebook=rulebook(FAULT), ledger=ledger)
    worker.load()
    killer = Killer(ledger)
    failed: list[Exception] = []
    answered: list[str] = []

    def raised_of(pump: str) -> str:
        with ledger.read(SITE) as view:
            return next(one.id for one in view.alarms(limit=100) if one.equipment == pump)

    for number, pump in enumerate(PUMPS):
        gateway.clock.advance(1)
        worker.take([gateway.say({f"{pump}.fault": 1})])
        after, turn = KILLS[number // 3], number % 3
        killer.after = after if turn == 0 else None
        _until_it_is_done(lambda: worker.commit(gateway.now), failed)
        of_pump = _until_it_is_done(lambda pump=pump: raised_of(pump), failed)
        act = Act(ledger, SITE, of_pump, person("wang"), gateway.now, key=f"key-{number}")
        killer.after = after if turn == 1 else None
        if number == len(PUMPS) - 1:
            server.kill()
            server.start()
        _until_it_is_done(lambda act=act: alarms.acknowledge(act), failed)
        answered.append(of_pump)
    assert len(failed) >= len(KILLS), "most of them were met"
    _is_whole(ledger, answered)


def _is_whole(ledger: Ledger, answered: list[str]) -> None:
    with ledger.reading() as connection:

        def counted(column, *where):
            query = select(column, func.count()).where(*where).group_by(column)
            return Counter(dict(connection.execute(query).all()))

        once = dict.fromkeys(answered, 1)
        assert counted(alarm.c.id) == once
        assert counted(alarm_event.c.alarm_id, alarm_event.c.event == "raise") == once
        assert counted(alarm_event.c.alarm_id, alarm_event.c.event == "acknowledge") == once
        orders = {f"{one}.order": 1 for one in answered}
        assert counted(alarm.c.order_id) == counted(work_order.c.id) == orders
        assert counted(order_event.c.order_id, order_event.c.event == "create") == orders
        assert counted(order_clock.c.order_id) == orders
        raised = counted(outbox.c.notice, outbox.c.notice.startswith("alarm_raised."))
        assert raised == {f"alarm_raised.{one}": 1 for one in answered}
        numbers = connection.execute(select(work_order.c.number).order_by(work_order.c.number))
        assert numbers.scalars().all() == list(range(1, len(answered) + 1))
        changes = connection.execute(select(change.c.id).order_by(change.c.id)).scalars().all()
        assert changes == list(range(1, len(changes) + 1))
    with ledger.read(SITE) as view:
        assert audit.verify(view).ok


def test_a_deadlock_is_tried_again_and_leaves_one_order(ledger: Ledger) -> None:
    gateway = Gateway()
    worker = Worker(site=HERE, rulebook=rulebook(FAULT), ledger=ledger)
    worker.load()
    worker.take([gateway.say({"pump-1.fault": 1})])
    worker.commit(gateway.now)
    gateway.clock.advance(1)
    worker.take([gateway.say({"pump-1.fault": 0, "pump-2.fault": 1})])
    with ledger.engine.connect() as somebody, somebody.begin() as theirs:
        # Who looks for deadlocks first is the one that has to yield.
        somebody.execute(text("SET LOCAL deadlock_timeout = '20s'"))
        somebody.execute(text("UPDATE alarm SET note = 'mine'"))
        failed: list[Exception] = []

        def commit() -> None:
            try:
                worker.commit(gateway.now)
            except OperationalError as error:
                failed.append(error)

        thread = threading.Thread(target=commit)
        thread.start()
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        ends = time.monotonic() + 10
        while not somebody.execute(waiting).scalar_one():
            assert time.monotonic() < ends
            time.sleep(0.01)
        somebody.execute(text("SELECT change FROM counter FOR UPDATE"))
        thread.join()
        theirs.rollback()
    assert "deadlock detected" in str(failed[0].orig)
    worker.commit(gateway.now)
    with ledger.read(SITE) as view:
        assert len(view.orders(limit=10)) == 2
        (over,) = (one for one in view.alarms(limit=10) if one.equipment == "pump-1")
        events = [one.event for one in view.alarm_events(over.id)]
    assert events == ["raise", "clear"]
