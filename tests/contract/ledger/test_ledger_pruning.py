"""What is pruned, and what never is."""

from __future__ import annotations

from channel_house import SITE

from gateway.clock import ManualClock
from gateway.model.moment import DAY, SECOND
from rules.ledger import idempotency, outbox, pruning
from rules.ledger.pruning import RETENTIONS
from rules.ledger.rows import ChangeKind
from rules.ledger.tables.outbox import outbox as outbox_table
from rules.ledger.tables.work import change
from rules.ledger.tables.work import idempotency as keys
from rules.pruning import Pruner

YEARS = 800 * DAY
STATES = ("waiting", "held", "claimed", "sent", "in_digest", "dropped")


def _furnish(ledger, clock) -> None:
    """Of every state an old message and a new one, and changes and requests with them."""
    for age in (YEARS, 0):
        with ledger.write(SITE) as entry:
            for state in STATES:
                name = f"{state}.{age}"
                outbox.post(entry, name, {}, "group", rank=0, now=clock.now())
                row = outbox_table.c.notice == name
                entry.connection.execute(outbox_table.update().where(row).values(state=state))
            entry.changed(ChangeKind.ALARM, f"alarm.{age}", clock.now().wall)
            idempotency.is_new(entry, f"key.{age}", "x", "y", by="wang", now=clock.now())
        clock.advance(age / SECOND)


def _prune(ledger, clock, *, least: int) -> list[int]:
    removed = []
    for retention in RETENTIONS:
        with ledger.write(SITE) as entry:
            removed.append(pruning.prune(entry, retention, clock.now().wall, least=least))
    return removed


def _left(ledger, column) -> list:
    with ledger.reading() as connection:
        return sorted(connection.execute(column.table.select().with_only_columns(column)).scalars())


def test_what_is_old_and_over_goes_and_what_waits_stays(ledger):
    clock = ManualClock(0)
    _furnish(ledger, clock)
    assert _prune(ledger, clock, least=1) == [3, 1, 1, 0]
    assert _left(ledger, outbox_table.c.notice) == sorted(
        [*(f"{state}.0" for state in STATES), *(f"{state}.{YEARS}" for state in STATES[:3])]
    )
    assert _left(ledger, change.c.id) == [2]
    assert _left(ledger, keys.c.key) == ["key.0"]
    assert _prune(ledger, clock, least=1) == [0, 0, 0, 0]


def test_the_newest_rows_stay_whatever_their_age(ledger):
    clock = ManualClock(0)
    _furnish(ledger, clock)
    clock.advance(YEARS / SECOND)
    assert _prune(ledger, clock, least=2) == [3, 0, 0, 0]
    with ledger.read(SITE) as view:
        assert view.last_change_id() == 2
    assert _prune(ledger, clock, least=100) == [0, 0, 0, 0]


def test_a_wall_clock_that_is_wrong_prunes_nothing(ledger, monkeypatch):
    monkeypatch.setattr(pruning.prune, "__kwdefaults__", {"least": 1})
    clock = ManualClock(0)
    _furnish(ledger, clock)
    running = Pruner(SITE, ledger)
    clock.step_wall(YEARS / SECOND)
    # At its start the last change lies two years back; for the other the clock is set meanwhile.
    assert Pruner(SITE, ledger).step(clock.now()) == 0
    clock.step_wall(-YEARS / SECOND)
    assert running.step(clock.now()) == 3
    clock.step_wall(YEARS / SECOND)
    assert running.step(clock.now()) == 0
    assert _left(ledger, change.c.id) == [2]
    assert len(_left(ledger, outbox_table.c.notice)) == 9
