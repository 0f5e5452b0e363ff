"""What telemetry says of many lines goes into the ledger at once, and over nobody's answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from round_desk import Desk
from sqlalchemy import Engine, event

from rules.inspections.judge import ItemState
from rules.ledger.store import Entry, Ledger

GOOD = {"pump-1.motor_temperature": 40.0, "pump-2.motor_temperature": 40.0}
BAD = {"pump-1.motor_temperature": 80.0, "pump-2.motor_temperature": 80.0}
LINES = ("temperature.pump-1", "temperature.pump-2")


def open_and_waiting(ledger: Ledger) -> Desk:
    desk = Desk(ledger)
    desk.go("2026-11-21 08:00")
    desk.tick(silent=True)
    assert {desk.items()[key].state for key in LINES} == {ItemState.WAITING}
    desk.clock.advance(2)
    return desk


def test_what_another_worker_filled_meanwhile_stays(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_and_waiting(ledger)
    begin = Ledger.write

    @contextmanager
    def late(self: Ledger, site: str) -> Iterator[Entry]:
        monkeypatch.undo()
        Desk(ledger, clock=desk.clock, told=desk.told).tick(BAD)
        with begin(self, site) as entry:
            yield entry

    monkeypatch.setattr(Ledger, "write", late)
    desk.tick(GOOD)
    assert {desk.items()[key].state for key in LINES} == {ItemState.FAILED}
    assert len(desk.orders()) == 2


def test_lines_are_filled_by_one_statement(ledger: Ledger) -> None:
    """They were a statement each: for seconds after a round had opened on a large site the
    alarms waited, and so did the polls."""
    desk = open_and_waiting(ledger)
    updates = 0

    def count(*told: object) -> None:
        nonlocal updates
        updates += str(told[2]).startswith("UPDATE round_item")

    event.listen(Engine, "before_cursor_execute", count)
    try:
        desk.tick(GOOD)
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert {desk.items()[key].state for key in LINES} == {ItemState.PASSED}
    assert updates == 1
