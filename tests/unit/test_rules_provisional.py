"""The word of the leading rules worker: what goes over the bus, and what is left out of it."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from duty_room import NOON, TEMPERATURE, Gateway, rulebook, site
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.moment import SECOND, Instant
from rules.ledger.rows import Alarm
from rules.ledger.store import open_ledger
from rules.provisional import AT_MOST, UnreadableWordError, Word, decode, encode, most_urgent
from rules.rule import Priority
from rules.worker import Worker

AT = Instant(wall=NOON, mono=5, boot="b")


@pytest.fixture
def worker(tmp_path) -> Worker:
    ledger = open_ledger(tmp_path / "ledger.db")
    made = Worker(site=site(), rulebook=rulebook(), ledger=ledger)
    made.load()
    yield made
    ledger.close()


@pytest.fixture
def hot(worker: Worker) -> Alarm:
    worker.take(Gateway().poll(11, {TEMPERATURE: 80}))
    (alarm,) = worker.provisional()
    return alarm


def word(*alarms: Alarm, **changes: object) -> Word:
    said = Word(
        site="s",
        worker="duty-1:7",
        at=AT,
        ledger_takes=False,
        complete=True,
        alarms=alarms,
        unsaid=0,
    )
    return replace(said, **changes)


def test_what_is_heard_is_what_was_said(hot: Alarm) -> None:
    said = word(hot, replace(hot, id="other", note="看", acknowledged_at=3), unsaid=2)
    assert decode(encode(said)) == said
    assert decode(encode(word(ledger_takes=True, complete=False))) == word(
        ledger_takes=True, complete=False
    )


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadableWordError):
        decode(data)


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"alarms": [{"id": "x"}]}, {"at": [1, 2]}, {"alarms": 3}, {"site": None, "at": 0}],
)
def test_a_word_of_another_shape_is_refused(hot: Alarm, change: dict) -> None:
    document = orjson.loads(encode(word(hot))) | change
    with pytest.raises(UnreadableWordError):
        decode(orjson.dumps(document))


def test_of_too_many_the_most_urgent_are_said(hot: Alarm) -> None:
    many = [replace(hot, id=f"minor-{n}", priority=Priority.MINOR) for n in range(2 * AT_MOST)]
    fire = replace(hot, id="fire", priority=Priority.CRITICAL)
    said = most_urgent([*many, fire])
    assert len(said) == AT_MOST
    assert said[0] == fire


def test_one_that_has_returned_still_waits_to_be_seen(worker: Worker) -> None:
    gateway = Gateway()
    worker.take(gateway.poll(11, {TEMPERATURE: 80}))
    (up,) = worker.provisional()
    worker.take(gateway.poll(30, {TEMPERATURE: 20}))
    (returned,) = worker.provisional()
    assert returned.id == up.id
    assert (up.state, returned.state) == ("unacknowledged", "returned_unacknowledged")
    assert returned.cleared_at is not None
    assert returned.cleared_at - up.raised_at >= 20 * SECOND
