"""Experiment 50 of faults.md in small: in a flood nobody waits long for a fire."""

from __future__ import annotations

from dataclasses import replace

from alarm_room import DEAD, SITE
from duty_room import Gateway, equipment, rule, rulebook, site
from sqlalchemy import func, select

from gateway.model.point import PointKind
from rules.ledger.store import Ledger
from rules.ledger.tables.alarms import alarm_event
from rules.ledger.tables.outbox import outbox
from rules.worker import AT_ONCE, Worker

PUMP = replace(rule("stopped", "stopped", DEAD, delay=0, clear_after=0), order=None)
FIRE = replace(PUMP, id="fire", equipment_class="fire", life_safety=True)
MANY = 2 * AT_ONCE + 30


def flooded(ledger: Ledger, gateway: Gateway) -> Worker:
    names = [f"pump-{number}" for number in range(MANY)]
    things = [equipment(name, "pump", stopped=PointKind.FLAG) for name in names]
    last = equipment("fire-1", "fire", stopped=PointKind.FLAG)
    worker = Worker(
        site=site(*things, last, webhooks=("http://127.0.0.1:9/hook",)),
        rulebook=rulebook(PUMP, FIRE),
        ledger=ledger,
    )
    worker.load()
    readings = {f"{name}.stopped": 1.0 for name in (*names, "fire-1")}
    if not gateway.said:
        gateway.poll(1, readings)
    worker.take(gateway.said)
    return worker


def stored(ledger: Ledger) -> list[str]:
    with ledger.read(SITE) as view:
        return [alarm.equipment for alarm in view.alarms()]


def test_in_a_flood_a_commit_is_short_and_fires_go_before(ledger: Ledger) -> None:
    gateway = Gateway()
    worker = flooded(ledger, gateway)
    worker.commit(gateway.now)
    assert len(stored(ledger)) == AT_ONCE
    assert "fire-1" in stored(ledger)
    assert worker.cursor is None, "not everything up to there is written"
    for _ in range(2):
        worker.commit(gateway.clock.advance(0.1))
    assert (len(stored(ledger)), worker.cursor) == (MANY + 1, ("e1", 1))
    assert not worker.has_changes


def test_killed_in_the_middle_of_a_flood_nothing_is_lost_or_doubled(ledger: Ledger) -> None:
    gateway = Gateway()
    flooded(ledger, gateway).commit(gateway.now)
    worker = flooded(ledger, gateway)
    while worker.has_changes:
        worker.commit(gateway.clock.advance(0.1))
    assert sorted(set(stored(ledger))) == sorted(stored(ledger))
    assert len(stored(ledger)) == MANY + 1
    with ledger.reading() as connection:
        for table in (alarm_event, outbox):
            rows = connection.execute(select(func.count()).select_from(table)).scalar_one()
            assert rows == MANY + 1
