"""Alarms that are up and not in the ledger: heard on the bus, shown at once, and never blinking."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import orjson
import pytest
from api_room import Room, Served, wait_for
from listening import listening, readings
from sqlalchemy import text

from api import live
from api.provisional import HELD, Provisional
from gateway.clock import ManualClock
from rules import provisional
from rules.ledger.rows import Alarm
from rules.provisional import Word
from rules.rule import Priority

TABLES = ("change", "alarm", "work_order", "session")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CHANGES_EVERY", "PROVISIONAL_EVERY", "READINGS_EVERY", "HEARTBEAT_EVERY"):
        monkeypatch.setattr(live, name, getattr(live, name) / 5)


@contextmanager
def ledger_down(room: Room) -> Iterator[None]:
    """No table that the API asks is there."""
    with room.ledger.writing() as connection:
        for table in TABLES:
            connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_away"))
    yield
    with room.ledger.writing() as connection:
        for table in TABLES:
            connection.execute(text(f"ALTER TABLE {table}_away RENAME TO {table}"))


def hot(room: Room, equipment: str = "pump-2") -> Alarm:
    """An alarm that is up and that nobody has written yet."""
    for _ in range(12):
        room.clock.advance(1)
        record = room.record({f"{equipment}.motor_temperature": 80.0})
        room.latest.take(record, room.clock.now())
        room.worker.take([record])
    return room.worker.provisional()[-1]


def word(room: Room, *alarms: Alarm, **changes: object) -> Word:
    said = Word(
        site=room.site.id,
        worker="duty-1:7",
        at=room.clock.now(),
        ledger_takes=not alarms,
        complete=True,
        alarms=alarms,
    )
    return replace(said, **changes)


def say(served: Served, said: Word) -> None:
    """``said`` by the rules, on the bus."""
    topic = provisional.topic(served.room.site.id)
    asyncio.run_coroutine_threadsafe(
        served.bus.publish(topic, provisional.encode(said)), served.loop
    ).result(5)


def test_an_open_page_sees_it_while_the_ledger_is_down(served: Served, room: Room) -> None:
    known = room.raise_alarm("pump-1")
    with served.client() as client, listening(client) as stream:
        assert [alarm["id"] for alarm in stream.until("snapshot").data["alarms"]] == [known]
        with ledger_down(room):
            told = stream.until("provisional").data
            assert told == {"alarms": [], "ledger": "down"}
            alarm = hot(room)
            say(served, word(room, alarm))
            told = stream.until("provisional").data
            assert [(one["id"], one["provisional"]) for one in told["alarms"]] == [(alarm.id, True)]


def test_a_page_that_is_opened_meanwhile_gets_the_rest_when_the_ledger_is_back(
    served: Served, room: Room
) -> None:
    known = room.raise_alarm("pump-1")
    with served.client() as client:
        assert client.get("/api/v1/me").status_code == 200
        with ledger_down(room):
            say(served, word(room, hot(room)))
            with listening(client) as stream:
                every = stream.next()
                assert set(readings(every)) == set(room.site.points)
                first = stream.next()
                assert first.event == "snapshot"
                assert (first.data["ledger"], first.data["seq"], first.id) == ("down", None, None)
                assert [alarm["provisional"] for alarm in first.data["alarms"]] == [True]
                assert first.data["orders"] == []
                assert stream.until("heartbeat")
        with listening(client) as stream:
            assert {alarm["id"] for alarm in stream.until("snapshot").data["alarms"]} >= {known}


def test_the_open_stream_itself_gets_the_rows(served: Served, room: Room) -> None:
    known = room.raise_alarm("pump-1")
    with served.client() as client:
        client.get("/api/v1/me")
        down = ledger_down(room)
        down.__enter__()
        say(served, word(room, hot(room)))
        with listening(client) as stream:
            assert stream.until("snapshot").data["seq"] is None
            down.__exit__(None, None, None)
            second = stream.until("snapshot").data
            assert {alarm["id"]: alarm["provisional"] for alarm in second["alarms"]} == {
                known: False,
                room.worker.provisional()[0].id: True,
            }
            assert isinstance(second["seq"], int)


def test_it_becomes_a_row_without_blinking(served: Served, room: Room) -> None:
    alarm = hot(room)
    with served.client() as client, listening(client) as stream:
        stream.until("snapshot")
        say(served, word(room, alarm))
        assert stream.until("provisional").data["alarms"][0]["id"] == alarm.id
        # The rules have committed and say so before we have looked into the ledger.
        room.worker.commit(room.clock.now())
        say(served, word(room))
        heard = []
        while (message := stream.next()).event != "provisional" or message.data["alarms"]:
            heard.append(message)
        rows = [m.data["alarm"] for m in heard if m.event == "alarm"]
        assert [(row["id"], row["provisional"]) for row in rows] == [(alarm.id, False)]
        assert message.data == {"alarms": [], "ledger": "ok"}
        # What was on its way does not bring it back.
        say(served, word(room, alarm))
        say(served, word(room))
        assert stream.until("heartbeat")
        (shown,) = client.get("/api/v1/alarms").json()["items"]
        assert shown["provisional"] is False


def test_asked_for_while_the_ledger_is_down(served: Served, room: Room) -> None:
    room.raise_alarm("pump-1")
    with served.client() as client:
        client.get("/api/v1/me")
        with ledger_down(room):
            alarm = hot(room)
            say(served, word(room, alarm))
            wait_for(lambda: client.get("/api/v1/alarms").json()["ledger"] == "down")
            answer = client.get("/api/v1/alarms").json()
            assert [one["id"] for one in answer["items"]] == [alarm.id]
            assert answer["next"] is None
            one = client.get(f"/api/v1/alarms/{alarm.id}").json()
            assert (one["provisional"], one["events"]) == (True, [])
            assert client.get("/api/v1/alarms?state=acknowledged").json()["items"] == []
            for path in ("alarms?state=all", "alarms?state=closed", "alarms/x", "orders"):
                assert client.get(f"/api/v1/{path}").status_code == 503, path
            refused = client.post(f"/api/v1/alarms/{alarm.id}/acknowledge")
            assert refused.status_code == 503
            assert refused.headers["retry-after"]
            health = client.get("/healthz")
            assert health.status_code == 503
            assert health.json()["leader"] == "duty-1:7"
            assert "1 alarms are provisional" in health.json()["checks"]["rules"]
        room.worker.commit(room.clock.now())
        say(served, word(room))
        wait_for(lambda: not client.get(f"/api/v1/alarms/{alarm.id}").json()["provisional"])
        assert client.post(f"/api/v1/alarms/{alarm.id}/acknowledge").status_code == 200
        # A word that is no word, and one of another site, change nothing.
        say(served, word(room, alarm, site="elsewhere"))
        asyncio.run_coroutine_threadsafe(
            served.bus.publish(provisional.topic(room.site.id), b"{"), served.loop
        ).result(5)
        assert client.get("/api/v1/alarms?state=all").json()["ledger"] == "ok"


@pytest.mark.parametrize(
    "change",
    [
        {"raised_at": "yesterday"},
        {"raised_at": 10**18},
        {"value": "hot"},
        {"guidance": {"zh": "x", "en": 3}},
        {"name": {"zh": None, "en": 1}},
        {"note": {}},
        {"equipment": [1]},
    ],
    ids=repr,
)
def test_one_wrong_alarm_does_not_take_the_others_away(
    served: Served, room: Room, change: dict[str, object]
) -> None:
    """GET /alarms answered 500 from then on."""
    known = room.raise_alarm("pump-1")
    document = orjson.loads(provisional.encode(word(room, hot(room))))
    document["alarms"][0] |= change
    with served.client() as client:
        asyncio.run_coroutine_threadsafe(
            served.bus.publish(provisional.topic(room.site.id), orjson.dumps(document)),
            served.loop,
        ).result(5)
        answer = client.get("/api/v1/alarms")
        assert answer.status_code == 200
        assert [alarm["id"] for alarm in answer.json()["items"]] == [known]


def test_what_is_held_is_bounded(heard: Provisional, room: Room) -> None:
    """Words that take nothing back could name others for ever."""
    alarm = hot(room)
    fire = replace(alarm, id="fire", priority=Priority.CRITICAL)
    hear(heard, word(room, fire, complete=False))
    for number in range(2 * HELD // provisional.AT_MOST + 1):
        many = [replace(alarm, id=f"{number}-{n}") for n in range(provisional.AT_MOST)]
        hear(heard, word(room, *many, complete=False))
    assert len(heard.alarms()) == HELD
    assert heard.alarm("fire") == fire


@pytest.fixture
def heard(room: Room) -> Provisional:
    return Provisional(room.site.id, room.clock)


def hear(heard: Provisional, *said: Word) -> None:
    for one in said:
        heard.hear("", provisional.encode(one))


def test_it_stays_until_the_ledger_was_looked_into(heard: Provisional, room: Room) -> None:
    alarm = hot(room)
    before = heard.leaving()
    hear(heard, word(room, alarm), word(room))
    heard.let_go(before)
    assert heard.alarms() == [alarm], "the look was begun before it was named no more"
    heard.let_go(heard.leaving())
    assert heard.alarms() == []


def test_a_worker_that_has_not_caught_up_takes_nothing_back(heard: Provisional, room: Room) -> None:
    one, two = hot(room, "pump-1"), hot(room, "pump-2")
    hear(heard, word(room, one), word(room, two, complete=False))
    heard.let_go(heard.leaving())
    assert {alarm.id for alarm in heard.alarms()} == {one.id, two.id}
    hear(heard, word(room, two, unsaid=1))
    heard.let_go(heard.leaving())
    assert {alarm.id for alarm in heard.alarms()} == {one.id, two.id}


def test_a_word_that_is_old_says_nothing_of_the_ledger(room: Room) -> None:
    clock = ManualClock(room.clock.now().wall)
    heard = Provisional(room.site.id, clock)
    assert heard.word() is None
    alarm = hot(room)
    hear(heard, word(room, alarm))
    assert not heard.ledger_takes
    clock.advance(6)
    assert heard.ledger_takes
    assert heard.word() is None
    assert heard.alarms() == [alarm], "no data never clears an alarm"
