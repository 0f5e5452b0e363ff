"""Another limit while rows are pending, up or returning, and nothing new is read."""

from __future__ import annotations

from dataclasses import replace

import pytest
from duty_room import HOT, TEMPERATURE, Gateway, rulebook, site

from gateway.model.events import Record
from gateway.model.frame import Frame
from gateway.model.moment import MINUTE
from rules.alarms.conditions import Change, Conditions, State, Turn
from rules.measures import Count
from rules.rule import Rule, Rulebook


def feed(subject: Conditions, records: list[Record]) -> list[Change]:
    changes: list[Change] = []
    for record in records:
        assert isinstance(record.body, Frame)
        changes += subject.step(record.body, record.envelope.at)
    return changes


def limited(limit: float, rule: Rule = HOT) -> Rulebook:
    other = replace(rule, condition=replace(rule.condition, limit=limit))
    return replace(rulebook(rule), variants={(rule.id, "pump-1"): other})


def state(subject: Conditions) -> State:
    return next(row.state for row in subject.rows() if row.equipment == "pump-1")


@pytest.fixture
def subject() -> Conditions:
    return Conditions(rulebook(HOT), site().equipment.values())


def test_an_alarm_that_is_up_ends_by_readings_only(subject: Conditions) -> None:
    gateway = Gateway()
    feed(subject, gateway.poll(12, {TEMPERATURE: 80}))
    subject.judge_by(limited(90))
    assert subject.tick(gateway.clock.advance(3600)) == []
    assert state(subject) is State.ACTIVE
    (cleared,) = feed(subject, gateway.poll(21, {TEMPERATURE: 80}))
    assert cleared.turn is Turn.CLEARED


def test_what_was_read_last_begins_a_delay_under_a_stricter_limit(subject: Conditions) -> None:
    gateway = Gateway()
    feed(subject, gateway.poll(5, {TEMPERATURE: 70}))
    subject.judge_by(limited(65))
    assert state(subject) is State.PENDING
    subject.judge_by(rulebook(HOT))
    assert state(subject) is State.IDLE


def test_a_return_that_is_none_by_the_new_limit_ends_nothing(subject: Conditions) -> None:
    gateway = Gateway()
    feed(subject, gateway.poll(12, {TEMPERATURE: 80}))
    feed(subject, gateway.poll(3, {TEMPERATURE: 70}))
    assert state(subject) is State.CLEARING
    subject.judge_by(limited(65))
    assert state(subject) is State.ACTIVE


def test_a_count_goes_on_under_a_higher_limit() -> None:
    count = Count(comparison=None, value=0, over=10 * MINUTE)
    condition = replace(HOT.condition, limit=2, deadband=0, measure=count)
    restless = replace(HOT, condition=condition, delay=0)
    gateway, subject = Gateway(), Conditions(rulebook(restless), site().equipment.values())
    for value in (1, 2):
        feed(subject, gateway.poll(1, {TEMPERATURE: value}))
    subject.judge_by(limited(4, restless))
    for value in (1, 2, 1):
        assert feed(subject, gateway.poll(1, {TEMPERATURE: value})) == []
    (raised,) = feed(subject, gateway.poll(1, {TEMPERATURE: 2}))
    assert raised.value == 5
