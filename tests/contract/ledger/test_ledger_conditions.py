"""What conditions remember lies in the ledger and comes back as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from duty_room import SITE, TEMPERATURE, Gateway, rule, rulebook, site

from gateway.model.moment import HOUR, MINUTE, SECOND
from rules.alarms.conditions import ConditionRow
from rules.ledger import conditions
from rules.ledger.store import Ledger
from rules.measures import Comparison, Count, NoData, Outside, Rate, Unchanged
from rules.rule import Condition, Rule
from rules.worker import Worker


def judged(name: str, measure: object, limit: float = 1.0, **given: int) -> Rule:
    condition = Condition(comparison=Comparison.ABOVE, limit=limit, measure=measure)  # type: ignore[arg-type]
    if isinstance(measure, NoData | Unchanged):
        condition = replace(condition, comparison=Comparison.EQUALS)
    return rule(name, "motor_temperature", condition, **given)


RULES = (
    judged("rising", Rate(per=MINUTE, over=MINUTE), 2.0),
    judged("often", Count(comparison=Comparison.ABOVE, value=75.0, over=HOUR), 1.0, delay=0),
    judged("mostly", Outside(low=10.0, high=70.0, over=MINUTE), 50.0, delay=0),
    judged("frozen", Unchanged(by=0.0), delay=10 * MINUTE),
    judged("silent", NoData(), delay=MINUTE),
)


def kept(ledger: Ledger) -> dict[tuple[str, str], ConditionRow]:
    with ledger.read(SITE) as view:
        rows = conditions.load(view.connection, SITE)
    return {(row.rule, row.equipment): row for row in rows}


def worker(ledger: Ledger) -> Worker:
    made = Worker(site=site(), rulebook=rulebook(*RULES), ledger=ledger)
    made.load()
    return made


def test_what_windows_remember_is_read_as_it_was_written(ledger: Ledger) -> None:
    gateway, first = Gateway(), worker(ledger)
    for value in (60.0, 80.0, 60.0, 60.0):
        first.take(gateway.poll(15, {TEMPERATURE: value}))
        first.commit(gateway.now)
    found = kept(ledger)
    memory = found["often", "pump-1"].memory
    assert memory is not None
    assert len(memory["events"]) == 1
    assert found["mostly", "pump-1"].memory is not None
    assert found["rising", "pump-1"].memory is not None
    assert found["silent", "pump-1"].memory is None, "the row itself says since when"


@pytest.mark.parametrize("restart", [False, True])
def test_a_worker_that_starts_again_goes_on_counting(ledger: Ledger, restart: bool) -> None:
    gateway, first = Gateway(), worker(ledger)
    for value in (60.0, 80.0, 60.0):
        first.take(gateway.poll(5, {TEMPERATURE: value}))
        first.commit(gateway.now)
    second = worker(ledger) if restart else first
    second.take(gateway.poll(1, {TEMPERATURE: 80.0}))
    assert [alarm.rule for alarm in second.provisional() if alarm.rule == "often"] == ["often"]


def test_a_silence_is_an_alarm_after_a_restart_although_nothing_comes(ledger: Ledger) -> None:
    gateway, first = Gateway(), worker(ledger)
    first.take(gateway.poll(5, {TEMPERATURE: 60.0}))
    for _ in range(30):
        first.tick(gateway.clock.advance(1))
    first.commit(gateway.now)
    second = worker(ledger)
    for _ in range(40):
        second.tick(gateway.clock.advance(1))
    silent = [alarm for alarm in second.provisional() if alarm.equipment == "pump-1"]
    assert [(alarm.rule, alarm.value, alarm.limit) for alarm in silent] == [("silent", None, None)]
    assert 59 * SECOND <= silent[0].raised_at - silent[0].first_reading_at <= 62 * SECOND
