"""Commands to devices: refused, told, read back, once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from gateway.bus.questions import QuestionRefusedError
from gateway.clock import ManualClock
from gateway.commands.telling import Commands
from gateway.modbus.link import FailureKind, ReadFailure
from gateway.model.equipment import AllowedCommand, Equipment, ModbusLink, MqttLink, Site
from gateway.model.frame import Frame
from gateway.model.moment import MINUTE, SECOND
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import (
    Availability,
    Function,
    ModbusPlace,
    MqttCommand,
    MqttPlace,
    RegisterType,
    StatusRequest,
)
from gateway.model.quality import Quality
from gateway.model.refusal import NEVER_SENT
from gateway.mqtt.connection import NotPublishedError
from gateway.mqtt.link import MqttMessage

NAME = Text(zh="名", en="Name")
OUTPUT = ModbusPlace(function=Function.COIL, address=3, type=RegisterType.BIT)
LEVEL = ModbusPlace(
    function=Function.HOLDING, address=40, type=RegisterType.INT16, scale=0.5, offset=10
)
SPEED = ModbusPlace(function=Function.HOLDING, address=50, type=RegisterType.FLOAT32)
MODE = ModbusPlace(function=Function.HOLDING, address=60, type=RegisterType.UINT16)
STATUS = StatusRequest(topic="lamp/rpc", payload="tell")


def point(equipment, key, kind=PointKind.NUMBER, **facts):
    return Point(
        id=f"{equipment}.{key}", equipment=equipment, key=key, name=NAME, kind=kind, **facts
    )


def thing(name, *, equipment_class="lighting_circuit", unit: int | None = 7, **facts):
    known = {
        "name": NAME,
        "profile": "p",
        "model": NAME,
        "area": "a",
        "link": "line" if unit is not None else "broker",
        "poll": SECOND,
    }
    return Equipment(id=name, equipment_class=equipment_class, unit=unit, **{**known, **facts})


def board(name="board", **facts):
    places = {"output": OUTPUT, "level": LEVEL, "speed": SPEED, "mode": MODE}
    points = (
        point(name, "output", PointKind.FLAG, low=0, high=1),
        point(name, "level", decimals=1, low=0, high=90),
        point(name, "speed", decimals=1),
        point(name, "mode", PointKind.STATE, states={1: NAME, 4: NAME}),
        point(name, "note", PointKind.TEXT),
    )
    return thing(name, points=points, modbus=places, writes={**places, "note": MODE}, **facts)


def lamp(**facts):
    told = MqttCommand(topic="lamp/set", payload='{"on":{value}}', codes={0: "false", 1: "true"})
    level = MqttCommand(topic="lamp/set", payload='{"level":{value}}')
    points = (
        point("lamp", "on", PointKind.FLAG, low=0, high=1),
        point("lamp", "level", decimals=1),
    )
    known = {"points": points, "writes": {"on": told, "level": level}, "poll": 60 * SECOND}
    return thing("lamp", unit=None, **{"equipment_class": "lamp", **known, **facts})


def allow(equipment, key, low=0.0, high=1.0, roles=("technician",)):
    return AllowedCommand(equipment=equipment, point=key, low=low, high=high, roles=roles)


ALL = (
    allow("board", "output"),
    allow("board", "level", -50, 80),
    allow("board", "speed", 0, 1000),
    allow("board", "mode", 0, 9),
    allow("board", "note"),
    allow("lamp", "on"),
    allow("lamp", "level", 0, 100),
)


LINKS = {"broker": MqttLink(id="broker")}


def line(name, host, port=502):
    return {name: ModbusLink(id=name, host=host, port=port, timeout=1.0)}


def site(*things, commands=ALL, links=LINKS):
    return Site(
        id="s",
        name=NAME,
        gateway="g",
        timezone="Asia/Shanghai",
        links=links,
        areas={},
        equipment={one.id: one for one in things},
        broker=None,
        commands=commands,
        scenario=None,
        fingerprint="f",
        file="site.yaml",
    )


class Registers:
    """A session with a unit that keeps what it is told, or not."""

    def __init__(self):
        self.words = {}
        self.writes = []
        self.refusal = self.silence = None
        self.line = asyncio.Lock()
        """Held while another has the line."""
        self.broken = None
        """Why the line cannot be had."""
        self.deaf_looks = 0
        """Reads until what was written is to be seen."""

    async def write(self, unit, place, words, *, on_wire):
        async with self.line:
            if self.broken is not None:
                raise self.broken
            on_wire()
            self.writes.append((unit, place.address, tuple(words)))
            await asyncio.sleep(0)
            if self.refusal is None or self.refusal.code == 5:
                for at, word in enumerate(words):
                    self.words[place.address + at] = word
            if self.refusal is not None:
                raise self.refusal

    async def read(self, unit, block):
        if self.silence is not None:
            raise self.silence
        self.deaf_looks -= 1
        kept = {} if self.deaf_looks >= 0 else self.words
        said = [kept.get(n, 0) for n in range(block.address, block.end)]
        return np.array(said, np.bool_ if block.function.is_bits else np.uint16)


class Broker:
    """A session whose device answers with frames."""

    def __init__(self):
        self.published = []
        self.failure = None
        self.answers = []
        self.commands = None

    async def publish(self, topic, payload, within):
        if self.failure is not None:
            raise self.failure
        self.published.append((topic, payload))
        for frame in self.answers:
            asyncio.get_running_loop().call_soon(self.hear, frame)

    def hear(self, frame, topic="lamp/state", **how):
        known = {"retained": False, "ack": lambda: None, **how}
        self.commands.hear(MqttMessage(topic=topic, payload=b"", **known), frame, NOW)


NOW = 1_800_000_000 * SECOND
"""When every message is received, and every command told unless a clock is moved."""


def heard(value, key="on", *, quality=Quality.GOOD, reason=None, taken=0):
    """``taken``: seconds after the command, by the device's clock if it is not 0."""
    return Frame(
        points=("lamp.other", f"lamp.{key}"),
        value=np.array([5.0, value]),
        quality=np.array([0, quality], np.uint8),
        source_time=np.full(2, NOW + round(taken * SECOND), np.int64),
        reason={} if reason is None else {1: reason},
    )


class Room:
    def __init__(self, *things, commands=ALL, links=LINKS):
        self.clock = ManualClock(NOW)
        self.session, self.broker = Registers(), Broker()
        found = things or (board(), lamp())
        sessions = {"line": self.session}
        self.commands = Commands(
            site(*found, commands=commands, links=links), sessions, self.broker, clock=self.clock
        )
        self.broker.commands = self.commands
        self.number = 0

    async def tell(self, equipment, key, value, *, command=None, role="technician", within=15):
        self.number += 1
        return await self.commands(
            {
                "equipment": equipment,
                "point": key,
                "value": value,
                "role": role,
                "by": "li",
                "command": command or f"c{self.number}",
                "until": self.clock.now().wall + round(within * SECOND),
            }
        )

    async def refused(self, *order, **how):
        with pytest.raises(QuestionRefusedError) as refusal:
            await self.tell(*order, **how)
        return refusal.value.code


def ran(work):
    return asyncio.run(asyncio.wait_for(work, 20))


# -- what is refused ------------------------------------------------------------------------------


def code(*order, room=None, **how):
    made = Room() if room is None else room
    found = ran(made.refused(*order, **how))
    assert made.session.writes == []
    assert made.broker.published == []
    return found


def test_nothing_is_written_unless_the_site_file_says_so():
    assert code("board", "output", 1, room=Room(board(), commands=())) == "commands_off"


@pytest.mark.parametrize(
    "name", ["fire_panel", "fire_detector", "fire_pump", "lift", "lift_landing", "Fire", "LIFT"]
)
def test_fire_and_lift_are_never_commanded_whatever_the_file_says(name):
    """Also not with an empty allowlist: the reason said is the one that holds for ever."""
    for commands in (ALL, ()):
        room = Room(board(equipment_class=name), commands=commands)
        assert code("board", "output", 1, room=room) == "class_forbidden"
    shown = lamp(equipment_class=name) if name.islower() else lamp(equipment_class="fire_x")
    assert code("lamp", "on", 1, room=Room(shown)) == "class_forbidden"


def test_a_unit_that_is_also_a_fire_panel_is_not_written_under_another_name():
    panel = board("panel", equipment_class="fire_panel")
    assert code("board", "output", 1, room=Room(board(), panel)) == "class_forbidden"


def test_nothing_is_written_on_a_line_that_serves_fire_or_lift_equipment():
    """A unit set wrong, or one that answers for others, would be enough."""
    elsewhere = board("panel", equipment_class="fire_panel", unit=8)
    assert code("board", "output", 1, room=Room(board(), elsewhere)) == "class_forbidden"
    far = board("panel", equipment_class="fire_panel", unit=8, link="other")
    links = line("line", "10.0.0.9") | line("other", "10.0.0.8")
    room = Room(board(), far, links=links)
    assert ran(room.tell("board", "output", 1))["read_back"] == 1


@pytest.mark.parametrize(
    ("own", "other"),
    [
        ("localhost", "127.0.0.1"),
        ("127.0.0.1", "127.0.0.2"),
        ("LOCALHOST.", "::1"),
        ("10.0.0.9", "::ffff:10.0.0.9"),
        ("10.0.0.9", "a" * 64),  # no name of a host: nobody can say that it is another
    ],
)
def test_a_line_with_fire_or_lift_equipment_is_not_written_through_another_link(own, other):
    panel = board("panel", equipment_class="fire_panel", unit=8, link="other")
    room = Room(board(), panel, links=line("line", own) | line("other", other))
    assert code("board", "output", 1, room=room) == "class_forbidden"


@pytest.mark.parametrize(
    "places",
    [
        {"topic": "lamp"},
        {"topic": "lamp/set/deep"},
        {"mqtt": {"fire": MqttPlace(topic="lamp/set", path=())}},
        {"writes": {"x": MqttCommand(topic="lamp/set", payload="")}},
        {"status_requests": (StatusRequest(topic="lamp/set", payload=""),)},
    ],
)
def test_a_topic_of_fire_or_lift_equipment_is_not_told_anything_under_another_name(places):
    panel = thing("panel", unit=None, equipment_class="fire_panel", points=(), **places)
    assert code("lamp", "on", 1, room=Room(lamp(topic="lamp"), panel)) == "class_forbidden"


def test_another_topic_of_the_same_broker_may_be_told():
    panel = thing("panel", unit=None, equipment_class="fire_panel", points=(), topic="lamp2")
    room = Room(lamp(topic="lamp"), panel)
    room.broker.answers = [heard(1.0)]
    assert ran(room.tell("lamp", "on", 1))["read_back"] == 1


def test_unit_0_is_never_written():
    """On a line every device obeys it."""
    assert code("board", "output", 1, room=Room(board(unit=0))) == "not_allowed"


def test_every_entry_of_the_allowlist_counts_not_only_the_first():
    entries = (allow("board", "level", 0, 10), allow("board", "level", 0, 80, roles=("foreman",)))
    room = Room(board(), commands=entries)
    assert ran(room.tell("board", "level", 60, role="foreman"))["read_back"] == 60
    assert ran(room.refused("board", "level", 60)) == "not_allowed"


@pytest.mark.parametrize(
    ("order", "how"),
    [
        (("nothing", "output", 1), {}),
        (("board", "nothing", 1), {}),
        (("board", "output", 1), {"role": "manager"}),
        (("board", "level", 80.5), {}),
        (("board", "level", -50.5), {}),
    ],
)
def test_what_is_not_on_the_allowlist_is_not_allowed(order, how):
    assert code(*order, **how) == "not_allowed"


def test_a_point_that_is_not_listed_is_not_allowed():
    room = Room(board(), commands=(allow("board", "level"),))
    assert code("board", "output", 1, room=room) == "not_allowed"


def test_a_point_that_the_profile_does_not_let_be_written_is_not_allowed():
    assert code("board", "output", 1, room=Room(replace(board(), writes={}))) == "not_allowed"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("output", 0.5),
        ("mode", 2),  # no such state
        ("mode", 1.5),
        ("level", 20.25),  # finer than the point
        ("level", 20.3),  # the device has steps of 0.5
        ("level", -1),  # allowed by the file, and none that the device can have
        ("note", 1),
    ],
)
def test_a_value_that_is_not_exact_is_refused(key, value):
    assert code("board", key, value) == "wrong_value"


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf"), [1]])
def test_a_value_that_is_no_number_is_no_question(value):
    assert code("board", "output", value) == "bad_question"


def test_a_question_without_its_parts_is_none():
    async def check():
        for missing in ("equipment", "point", "role", "by", "command", "until"):
            body = {
                "equipment": "board",
                "point": "output",
                "value": 1,
                "role": "r",
                "by": "b",
                "command": "c",
                "until": NOW + 15 * SECOND,
            }
            with pytest.raises(QuestionRefusedError) as refusal:
                await Room().commands({**body, missing: ""})
            assert refusal.value.code == "bad_question"

    ran(check())


# -- Modbus ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [
        ("output", 1, (7, 3, (1,))),
        ("output", 0, (7, 3, (0,))),
        ("level", 20.5, (7, 40, (21,))),
        ("level", 0, (7, 40, (0xFFEC,))),
        ("speed", 12.3, (7, 50, (0x4144, 0xCCCD))),
        ("mode", 4, (7, 60, (4,))),
    ],
)
def test_it_is_written_and_read_back(key, value, written):
    room = Room()
    answer = ran(room.tell("board", key, value))
    assert answer == {"read_back": pytest.approx(value), "quality": "good"}
    assert room.session.writes == [written]


def test_a_device_that_takes_a_moment_is_waited_for():
    room = Room()
    room.session.deaf_looks = 4
    assert ran(room.tell("board", "output", 1))["read_back"] == 1


def test_a_device_that_says_yes_and_does_not_is_not_confirmed():
    room = Room()
    room.session.deaf_looks = 10_000
    assert ran(room.refused("board", "output", 1)) == "not_confirmed"
    assert len(room.session.writes) == 1


def test_a_device_that_falls_silent_behind_the_write_is_not_confirmed():
    room = Room()
    room.session.silence = ReadFailure(FailureKind.NO_REPLY, "no_reply")
    assert ran(room.refused("board", "output", 1)) == "not_confirmed"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (FailureKind.NO_REPLY, "no_reply"),
        (FailureKind.WRONG_REPLY, "no_reply"),
        (FailureKind.EXCEPTION, "device_refused"),
    ],
)
def test_a_write_that_fails_says_how(kind, said):
    room = Room()
    room.session.refusal = ReadFailure(kind, "because")
    assert ran(room.refused("board", "output", 1)) == said
    assert len(room.session.writes) == 1


@pytest.mark.parametrize("kind", list(FailureKind))
def test_what_fails_before_the_wire_is_no_doubt(kind):
    """A line that only drained an old reply has told nobody anything."""
    room = Room()
    room.session.broken = ReadFailure(kind, "because")
    assert code("board", "output", 1, room=room) == "no_connection"


def test_a_device_that_acknowledges_and_takes_its_time_is_read_back():
    """Exception 5 was booked as refused while the coil was on."""
    room = Room()
    room.session.refusal = ReadFailure(FailureKind.EXCEPTION, "5 acknowledge", 5)
    room.session.deaf_looks = 3
    assert ran(room.tell("board", "output", 1))["read_back"] == 1


def test_what_a_device_says_after_the_request_was_sent_leaves_a_doubt():
    for number in (1, 2, 3, 4, 6, 10, 11):
        room = Room()
        kind = FailureKind.NO_REPLY if number > 9 else FailureKind.EXCEPTION
        room.session.refusal = ReadFailure(kind, f"{number}", number)
        assert ran(room.refused("board", "output", 1)) not in NEVER_SENT


# -- in time --------------------------------------------------------------------------------------


def test_a_command_is_not_sent_after_its_asker_went_away():
    """It waits for the line, which a slow device holds."""

    async def check():
        room = Room()
        await room.session.line.acquire()
        waiting = asyncio.create_task(room.refused("board", "output", 1))
        await asyncio.sleep(0.01)
        room.clock.advance(13)
        room.session.line.release()
        assert await waiting == "too_late"
        assert room.session.writes == []

    ran(check())


def test_a_command_that_waits_for_the_line_ends_by_itself():
    async def check():
        room = Room()
        await room.session.line.acquire()
        assert await room.refused("board", "output", 1, within=3.1) == "too_late"

    ran(check())


def test_a_command_that_comes_too_late_is_not_told():
    for order in (("board", "output", 1), ("lamp", "on", 1)):
        assert code(*order, within=2.9) == "too_late"


def test_a_command_ends_before_its_asker_goes_away():
    """A device was switched after 15.5 s, half a second after that was booked as unknown."""

    async def check():
        room = Room(lamp())
        loop = asyncio.get_running_loop()
        begun = loop.time()
        assert await room.refused("lamp", "on", 1, within=3.2) == "no_reply"
        assert loop.time() - begun < 2
        room = Room()
        room.session.deaf_looks = 10_000
        assert await room.refused("board", "output", 1, within=5) == "not_confirmed"
        assert (room.clock.now().wall - NOW) / SECOND <= 2.5

    ran(check())


def test_every_kind_of_failure_has_a_code():
    async def check():
        for kind in FailureKind:
            room = Room()
            room.session.refusal = ReadFailure(kind, "because")
            assert await room.refused("board", "output", 1) != "failed"

    ran(check())


# -- once -----------------------------------------------------------------------------------------


def test_the_same_question_gets_the_same_answer_and_writes_once():
    async def check():
        room = Room()
        together = await asyncio.gather(
            *(room.tell("board", "output", 1, command="same") for _ in range(5))
        )
        later = await room.tell("board", "output", 1, command="same")
        assert [*together, later] == [{"read_back": 1.0, "quality": "good"}] * 6
        assert len(room.session.writes) == 1
        room.session.refusal = ReadFailure(FailureKind.NO_REPLY, "because")
        assert await room.refused("board", "output", 0, command="other") == "no_reply"
        room.session.refusal = None
        assert await room.refused("board", "output", 0, command="other") == "no_reply"
        assert len(room.session.writes) == 2
        assert await room.refused("board", "output", 0, command="same") == "command_reused"
        room.clock.advance(10 * MINUTE / SECOND + 1)
        await room.tell("board", "output", 1, command="same")
        assert len(room.session.writes) == 3

    ran(check())


def test_one_that_no_longer_waits_does_not_stop_it():
    async def check():
        room = Room()
        asking = asyncio.create_task(room.tell("board", "output", 1, command="same"))
        await asyncio.sleep(0)
        asking.cancel()
        assert await room.tell("board", "output", 1, command="same")
        assert len(room.session.writes) == 1

    ran(check())


def test_two_commands_to_one_point_are_told_one_after_the_other():
    async def check():
        room = Room()
        on, off = await asyncio.gather(
            room.tell("board", "output", 1), room.tell("board", "output", 0)
        )
        assert (on["read_back"], off["read_back"]) == (1, 0)

    ran(check())


# -- MQTT -----------------------------------------------------------------------------------------


def test_a_message_is_published_and_the_reading_awaited():
    room = Room()
    room.broker.answers = [heard(0.0), heard(1.0)]
    assert ran(room.tell("lamp", "on", 1)) == {"read_back": 1.0, "quality": "good"}
    assert room.broker.published == [("lamp/set", b'{"on":true}')]
    room.broker.answers = [heard(21.5, "level")]
    assert ran(room.tell("lamp", "level", 21.5))["read_back"] == 21.5
    assert room.broker.published[-1] == ("lamp/set", b'{"level":21.5}')


def test_a_device_that_tells_only_changes_is_asked():
    room = Room(lamp(status_requests=(STATUS,)))
    room.broker.answers = [heard(1.0)]
    ran(room.tell("lamp", "on", 1))
    assert room.broker.published == [("lamp/set", b'{"on":true}'), ("lamp/rpc", b"tell")]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([], "no_reply"),
        ([heard(0.0)], "not_confirmed"),
        ([heard(1.0, quality=Quality.UNCERTAIN, reason="retained")], "no_reply"),
        ([heard(1.0, quality=Quality.UNCERTAIN, reason="late: 8 h")], "no_reply"),
        ([heard(np.nan, quality=Quality.BAD, reason="offline")], "no_reply"),
    ],
)
def test_what_is_not_heard_from_the_device_is_not_done(answers, said):
    room = Room(lamp(poll=SECOND // 20))
    room.broker.answers = answers
    assert ran(room.refused("lamp", "on", 1)) == said
    assert len(room.broker.published) == 1


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (heard(1.0, taken=-600), {}),
        (heard(1.0, taken=-1.5), {}),
        (heard(1.0), {"retained": True}),
        (heard(1.0), {"backlog": True}),
        (heard(1.0, taken=0.1), {"backlog": True}),
    ],
)
def test_a_reading_of_before_the_command_does_not_confirm_it(answer, how):
    async def check():
        room = Room(lamp(poll=SECOND // 20))
        asking = asyncio.create_task(room.refused("lamp", "on", 1))
        await asyncio.sleep(0.01)
        room.broker.hear(answer, **how)
        assert await asking == "no_reply"

    ran(check())


def test_a_device_whose_clock_is_a_little_behind_confirms():
    room = Room()
    room.broker.answers = [heard(1.0, taken=-0.9)]
    assert ran(room.tell("lamp", "on", 1))["read_back"] == 1


def test_a_device_that_is_away_is_told_nothing():
    """A broker kept the command, and the lamp obeyed when it was back."""
    said = Availability(topic="lamp/online", online="on", offline="off")
    gone = heard(np.nan, quality=Quality.BAD, reason="offline")
    room = Room(lamp(availability=said))
    room.broker.hear(gone, "lamp/online", retained=True)
    room.broker.hear(heard(1.0), retained=True)
    assert code("lamp", "on", 1, room=room) == "offline"
    room.broker.answers = [heard(1.0)]
    room.broker.hear(None, "lamp/online")
    assert ran(room.tell("lamp", "on", 1))["read_back"] == 1
    room.broker.hear(gone, "lamp/online")
    room.broker.hear(heard(0.0))
    assert ran(room.tell("lamp", "on", 1))["read_back"] == 1


@pytest.mark.parametrize(("never_sent", "said"), [(True, "no_connection"), (False, "no_reply")])
def test_a_broker_that_does_not_take_it(never_sent, said):
    room = Room()
    room.broker.failure = NotPublishedError("because", never_sent=never_sent)
    assert ran(room.refused("lamp", "on", 1)) == said


def test_a_flag_without_a_word_is_refused():
    told = MqttCommand(topic="lamp/set", payload="{value}", codes={1: "ON"})
    room = Room(lamp(writes={"on": told}))
    assert code("lamp", "on", 0, room=room) == "wrong_value"
