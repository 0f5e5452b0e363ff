"""How much the alarms ask of the people on duty."""

from __future__ import annotations

import numpy as np
import pytest
from alarm_room import NOON, SITE, Room
from sqlalchemy import Engine, insert
from sqlalchemy import event as event_of

from gateway.model.moment import DAY, HOUR, MINUTE, SECOND
from rules.ledger import alarm_figures
from rules.ledger.alarm_figures import AlarmFigures
from rules.ledger.store import Ledger
from rules.ledger.tables.alarms import alarm, alarm_event
from rules.priority import Priority


@pytest.fixture
def room(ledger: Ledger) -> Room:
    return Room(ledger)


def figures(room: Room, days: int = 1) -> AlarmFigures:
    end = room.gateway.now.wall + SECOND
    with room.ledger.read(SITE) as view:
        return alarm_figures.read(view.connection, SITE, end - days * DAY, end)


def test_what_was_called_is_counted_and_what_another_explains_is_not(room: Room) -> None:
    room.say({"feeder-1.lost": 1.0})
    room.say({"pump-1.stopped": 1.0, "pump-2.stopped": 1.0, "fire-1.fire": 1.0})
    found = figures(room)
    assert (found.alarms, found.suppressed, found.busiest_10_min) == (2, 2, 2)
    assert found.by_priority == {
        Priority.CRITICAL: 1,
        Priority.MAJOR: 1,
        Priority.MINOR: 0,
        Priority.INFO: 0,
    }
    assert {one.rule for one in found.top} == {"supply-lost", "fire-alarm"}
    assert (found.flood_share, found.unordered, found.shelved) == (0, 0, 0)
    room.shelve(room.one("feeder-1", "supply-lost"))
    assert figures(room).shelved == 1


def test_what_comes_up_three_times_in_a_minute_chatters(room: Room) -> None:
    for _ in range(3):
        room.say({"pump-1.stopped": 1.0}, after=20)
        room.say({"pump-1.stopped": 0.0})
    for _ in range(3):
        room.say({"pump-2.stopped": 1.0}, after=60)
        room.say({"pump-2.stopped": 0.0})
    assert [(one.equipment, one.count) for one in figures(room).chattering] == [("pump-1", 3)]


def test_what_is_up_for_more_than_a_day_is_stale(room: Room) -> None:
    room.say({"pump-1.stopped": 1.0})
    room.say({"pump-2.stopped": 1.0}, after=HOUR / SECOND)
    room.wait((DAY - HOUR) / SECOND)
    assert [one.equipment for one in figures(room).stale] == ["pump-1"]


def test_a_flood_is_the_time_with_more_than_ten_in_ten_minutes() -> None:
    calm = np.array([NOON + at * 10 * MINUTE for at in range(100)])
    assert alarm_figures.flood_share(calm, NOON, NOON + DAY) == 0
    assert alarm_figures.busiest(calm) == 1
    flood = np.array([NOON + at * SECOND for at in range(20)])
    # From the eleventh until, ten minutes after the tenth, only ten are left.
    lasted = 600 - 10 + 9
    share = alarm_figures.flood_share(flood, NOON, NOON + DAY)
    assert share == pytest.approx(lasted * SECOND / DAY)
    assert alarm_figures.busiest(flood) == 20
    assert alarm_figures.busiest(np.array([], np.int64)) == 0
    assert alarm_figures.flood_share(np.array([], np.int64), NOON, NOON + DAY) == 0


def test_as_many_questions_are_asked_for_many_alarms_as_for_one(room: Room) -> None:
    room.say({"pump-1.stopped": 1.0})
    asked_for_one = questions(room)
    with room.ledger.reading() as connection:
        row = dict(connection.execute(alarm.select()).mappings().one())
        event = dict(connection.execute(alarm_event.select()).mappings().one())
    named = [{"id": f"a.{n}", "at": NOON + n * 25 * SECOND, "number": n} for n in range(2, 502)]
    with room.ledger.writing() as connection:
        connection.execute(
            insert(alarm),
            [
                {**row, "id": one["id"], "occurrence": one["id"], "raised_at": one["at"]}
                for one in named
            ],
        )
        connection.execute(
            insert(alarm_event),
            [
                {**event, "alarm_id": one["id"], "at": one["at"], "change": one["number"] + 99}
                for one in named
            ],
        )
    room.wait(501 * 25)
    found = figures(room)
    assert (found.alarms, found.busiest_10_min, found.top[0].count) == (501, 24, 501)
    assert found.flood_share > 0.1
    assert questions(room) == asked_for_one


def questions(room: Room) -> int:
    """How many statements the figures of a day take."""
    asked = 0

    def count(*_told: object) -> None:
        nonlocal asked
        asked += 1

    event_of.listen(Engine, "before_cursor_execute", count)
    try:
        figures(room)
    finally:
        event_of.remove(Engine, "before_cursor_execute", count)
    return asked
