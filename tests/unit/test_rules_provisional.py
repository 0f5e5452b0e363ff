"""The word of the leading rules worker: what goes over the bus, and what is left out of it."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from duty_room import NOON, TEMPERATURE, Gateway, rulebook, site
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.moment import SECOND, Instant
from gateway.model.point import Text
from rules.alarms.lifecycle import AlarmState
from rules.ledger.rows import Alarm, alarm_columns
from rules.ledger.store import open_ledger
from rules.provisional import AT_MOST, UnreadableWordError, Word, decode, encode, most_urgent
from rules.rule import Guidance, Priority
from rules.worker import Worker

AT = Instant(wall=NOON, mono=5, boot="b")
ALARM = Alarm(
    id="pump-1.hot.1",
    rule="hot",
    name=Text(zh="过热", en="Hot"),
    equipment="pump-1",
    equipment_name=Text(zh="水泵", en="Pump"),
    area="b1",
    point=TEMPERATURE,
    priority=Priority.MAJOR,
    cause_key="pump-1.hot",
    state=AlarmState.UNACKNOWLEDGED,
    value=80.0,
    limit=75.0,
    unit="°C",
    guidance=Guidance(zh=("看",), en=("Look",)),
    first_reading_at=NOON,
    raised_at=NOON,
)
TEXTS = (
    *("id", "rule", "equipment", "area", "point", "cause_key", "unit"),
    *("acknowledged_by", "note"),
)


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


COLUMNS = sorted(alarm_columns(ALARM).keys() - {"order_id"})
WRONG = {"list": [], "object": {"zh": 1, "en": 2}, "true": True, "text": "x", "late": 10**18}
TAKEN = {
    *((column, "text") for column in TEXTS),
    *((column, "late") for column in ("value", "limit", "count", "holds")),
    *((column, "true") for column in ("life_safety", "latches")),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("column", COLUMNS)
def test_an_alarm_with_a_field_of_another_type_is_refused(column: str, wrong: str) -> None:
    """One with a text for a time was kept, and every GET /alarms after it failed."""
    columns = alarm_columns(ALARM) | {column: WRONG[wrong]}
    data = orjson.dumps(orjson.loads(encode(word())) | {"alarms": [columns]})
    if (column, wrong) in TAKEN:
        assert getattr(decode(data).alarms[0], column) == WRONG[wrong]
    else:
        with pytest.raises(UnreadableWordError):
            decode(data)


@pytest.mark.parametrize(
    "change",
    [
        {"site": 3},
        {"worker": None},
        {"at": [1.5, 2, "b"]},
        {"at": [10**17, 2, "b"]},
        {"ledger": "perhaps"},
        {"complete": "yes"},
        {"unsaid": -1},
        {"unsaid": True},
    ],
    ids=repr,
)
def test_every_field_of_a_word_is_looked_at(change: dict[str, object]) -> None:
    document = orjson.loads(encode(word(ALARM))) | change
    with pytest.raises(UnreadableWordError):
        decode(orjson.dumps(document))


@pytest.mark.parametrize("value", ["1e999", "NaN", "true", '"7"'])
def test_a_value_that_is_no_number_is_refused(value: str) -> None:
    said = encode(word(ALARM)).replace(b'"value":80.0', f'"value":{value}'.encode())
    assert said != encode(word(ALARM))
    with pytest.raises(UnreadableWordError):
        decode(said)


def test_a_word_with_too_many_alarms_is_refused() -> None:
    many = [replace(ALARM, id=str(number)) for number in range(AT_MOST + 1)]
    assert len(decode(encode(word(*many[:-1]))).alarms) == AT_MOST
    with pytest.raises(UnreadableWordError, match="301 alarms"):
        decode(encode(word(*many)))


def test_a_word_that_is_too_long_is_not_read() -> None:
    with pytest.raises(UnreadableWordError, match="bytes"):
        decode(encode(word(replace(ALARM, note="x" * 9_000_000))))


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
