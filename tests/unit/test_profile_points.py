"""What a profile may say of its points, and how each mistake of it is named."""

import pytest

from gateway.files.documents import ConfigurationError
from gateway.model.profile import Derived, DerivedKind, MqttCommand, ReadLimits
from gateway.profile.files import load_profiles

DRIVE = """\
profile: drive
class: pump
model: {zh: 变频器, en: Drive}
protocol: modbus
verified: manual
source: manual
first_register: 1
limits: {registers: 20, gap: 0}
groups: {slow: {every: 10}, rare: {every: 60}}
points:
  - key: running
    name: {zh: 运行, en: Running}
    kind: flag
    states: {0: {zh: 停, en: Stop}, 1: {zh: 运行, en: Run}}
    source: page 1
    modbus: {function: coil, register: 1}
    write: {}
  - key: speed
    name: {zh: 转速, en: Speed}
    kind: number
    unit: Hz
    decimals: 2
    deadband: 0.1
    keep_every: 60s
    source: page 1
    modbus: {function: holding, register: 1, scale: 0.01}
    write: {}
  - key: set_point
    name: {zh: 设定, en: Set point}
    kind: number
    unit: Hz
    decimals: 2
    group: slow
    source: page 1
    modbus: {function: holding, register: 2, scale: 0.01}
  - key: energy
    name: {zh: 电量, en: Energy}
    kind: number
    unit: kWh
    decimals: 1
    group: rare
    source: page 2
    modbus: {function: input, register: 10, type: uint64, scale: 0.1, order: CDAB}
  - key: serial
    name: {zh: 序列号, en: Serial number}
    kind: text
    source: page 3
    modbus: {function: holding, register: 40, type: ascii, length: 8}
  - key: deviation
    name: {zh: 偏差, en: Deviation}
    kind: number
    unit: Hz
    decimals: 2
    source: derived
    derived: {difference: [set_point, speed]}
  - key: used
    name: {zh: 用电, en: Energy used}
    kind: number
    unit: kWh
    decimals: 1
    source: derived
    derived: {delta: energy, rollover: 100000}
  - key: hours
    name: {zh: 时间, en: Hours}
    kind: number
    unit: h
    source: derived
    derived: {run_hours: running}
"""
LAMP = """\
profile: lamp
class: lamp
model: {zh: 灯, en: Lamp}
protocol: mqtt
verified: manual
source: manual
points:
  - key: on
    name: {zh: 开关, en: Switch}
    kind: flag
    states: {0: {zh: 关, en: "Off"}, 1: {zh: 开, en: "On"}}
    source: page 1
    mqtt: {topic: "{topic}", path: [state], codes: {"ON": 1, "OFF": 0}}
    write: {topic: "{topic}/set", payload: '{"state":"{value}"}', codes: {0: "OFF", 1: "ON"}}
  - key: hours
    name: {zh: 时间, en: Hours}
    kind: number
    unit: h
    source: derived
    derived: {run_hours: on}
"""
PACKED = """\
profile: loop
class: fire_detector
model: {zh: 探测器, en: Detector}
protocol: modbus
verified: manual
source: manual
first_register: 40001
parameters:
  device: {low: 1, high: 240, pack: {bits: 2, order: descending}}
points:
  - key: state
    name: {zh: 状态, en: State}
    kind: state
    states: {0: {zh: 正常, en: Normal}, 1: {zh: 火警, en: Fire}}
    source: page 1
    modbus: {function: holding, register: 40031, bit: 10, width: 2}
"""
FILES = {"drive": DRIVE, "lamp": LAMP, "loop": PACKED}


@pytest.fixture
def write(tmp_path):
    def written(name, text):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return load_profiles([tmp_path])[name]

    return written


@pytest.fixture
def load(write):
    def loaded(name, old="", new=""):
        assert old in FILES[name]
        return write(name, FILES[name].replace(old, new, 1))

    return loaded


# -- what is right ------------------------------------------------------------------------------


def test_a_drive_is_read_derived_and_written(load):
    drive = load("drive")
    assert drive.limits() == ReadLimits(registers=20, gap=0)
    assert drive.derived() == {
        "deviation": Derived(kind=DerivedKind.DIFFERENCE, of=("set_point", "speed")),
        "used": Derived(kind=DerivedKind.DELTA, of=("energy",), rollover=100_000),
        "hours": Derived(kind=DerivedKind.RUN_HOURS, of=("running",)),
    }
    places = drive.modbus_places({})
    assert set(places) == {"running", "speed", "set_point", "energy", "serial"}
    assert (places["serial"].registers, places["energy"].registers) == (8, 4)
    assert set(drive.writes({}, "")) == {"running", "speed"}
    speed = next(point for point in drive.profile.points if point.key == "speed")
    assert (speed.deadband, speed.keep_every) == (0.1, 60_000_000)


def test_a_derived_point_is_as_old_as_the_slowest_of_its_sources(load):
    every = {point.key: point.every for point in load("drive").profile.points}
    assert every == {
        "running": 1,
        "speed": 1,
        "set_point": 10,
        "energy": 60,
        "serial": 1,
        "deviation": 10,
        "used": 60,
        "hours": 1,
    }


def test_a_lamp_is_told_by_a_message(load):
    assert load("lamp").writes({}, "zigbee2mqtt/l1") == {
        "on": MqttCommand(
            topic="zigbee2mqtt/l1/set",
            payload='{"state":"{value}"}',
            codes={0.0: "OFF", 1.0: "ON"},
        )
    }


@pytest.mark.parametrize(
    ("order", "first", "device", "register", "bit"),
    [
        ("descending", 10, 1, 40031, 10),
        ("descending", 10, 2, 40031, 8),
        ("descending", 10, 6, 40031, 0),
        ("descending", 10, 7, 40032, 14),
        ("descending", 10, 14, 40032, 0),
        ("descending", 10, 15, 40033, 14),
        ("descending", 14, 1, 40031, 14),
        ("descending", 14, 9, 40032, 14),
        ("ascending", 0, 8, 40031, 14),
        ("ascending", 0, 9, 40032, 0),
        ("ascending", 10, 3, 40031, 14),
        ("ascending", 10, 4, 40032, 0),
    ],
)
def test_devices_that_share_registers(write, order, first, device, register, bit):
    """Worked by hand: the pair of bits 11 and 10 is the third from above, the sixth from below."""
    text = PACKED.replace("bit: 10", f"bit: {first}").replace("descending", order)
    place = write("loop", text).modbus_places({"device": device})["state"]
    assert (place.address, place.bit, place.width) == (register - 40001, bit, 2)


def test_several_bits_of_a_shared_register_move_together(write):
    flag = PACKED.replace("bit: 10, width: 2", "bit: 11").replace("kind: state", "kind: flag")
    place = write("loop", flag).modbus_places({"device": 7})["state"]
    assert (place.address, place.bit) == (31, 15)


def test_a_stride_and_a_pack_go_together(write):
    text = PACKED.replace("parameters:\n", "parameters:\n  loop: {low: 1, high: 9, stride: 40}\n")
    loop = write("loop", text)
    place = loop.modbus_places({"loop": 3, "device": 7})["state"]
    assert (place.address, place.bit) == (30 + 80 + 1, 14)
    assert loop.instance({"loop": 3, "device": 7}) == (80, 6)


# -- what is wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "old", "new", "where", "wrong"),
    [
        # Parameters.
        ("loop", "pack: {", "stride: 1, pack: {", "9: parameters.device.pack", "beside stride"),
        ("loop", ", pack: {bits: 2, order: descending}", "", "9: parameters.device", "nothing"),
        ("loop", "bits: 2", "bits: 3", "9: parameters.device.pack.bits", "1, 2, 4 or 8"),
        (
            "loop",
            "points:",
            "  zone: {low: 1, high: 2, pack: {bits: 2}}\npoints:",
            "10: parameters.zone.pack",
            "device does so already",
        ),
        ("loop", "bit: 10", "bit: 11", "16: points.state.modbus.bit", "beyond its 2 bits"),
        ("loop", "width: 2", "width: 4", "16: points.state.modbus.bit", "beyond its 2 bits"),
        ("loop", ", bit: 10, width: 2", "", "16: points.state.modbus.bit", "is missing"),
        ("loop", "first_register: 40001", "first_register: 40032", "16: points", "lies before"),
        ("loop", "high: 240", "high: 600000", "16: points.state.modbus.register", "reaches PDU"),
        (
            "loop",
            "function: holding, register: 40031, bit: 10, width: 2",
            "function: coil, register: 40031",
            "16: points.state.modbus.function",
            "table of bits",
        ),
        # Types and orders.
        ("drive", "type: uint64", "type: uint64, length: 4", "43: points.energy.modbus.length", ""),
        ("drive", ", length: 8", "", "48: points.serial.modbus.length", "is missing"),
        ("drive", "length: 8", "length: 0", "48: points.serial.modbus.length", "is 0"),
        ("drive", "length: 8", "length: 21", "48: points.serial.modbus.length", "at most 20"),
        ("drive", "kind: text", "kind: number", "48: points.serial.modbus.type", "is a text"),
        ("drive", "type: ascii, length: 8", "type: bcd32", "48: points.serial.modbus", "a text"),
        ("drive", "length: 8", "length: 8, scale: 2", "48: points.serial.modbus.scale", "a text"),
        ("drive", "length: 8", "length: 8, absent: [0]", "48: points.serial.modbus.absent", "text"),
        ("drive", "registers: 20", "registers: 2", "43: points.energy.modbus.type", "at most 2"),
        (
            "drive",
            "2, scale: 0.01",
            "2, order: CDAB, scale: 0.01",
            "35: points.set_point",
            "has one",
        ),
        ("drive", "register: 1}", "register: 1, order: BADC}", "16: points.running", "a bit"),
        ("drive", "register: 40,", "register: 1,", "26: points.speed.modbus.register", "part of"),
        (
            "drive",
            "type: uint64, scale: 0.1",
            "type: float32, absent: [9999]",
            "43: points.energy.modbus.absent",
            "0x461c3c00 stands for 9999",
        ),
        # How often it is read and kept.
        (
            "drive",
            "group: slow",
            "group: slwo",
            "33: points.set_point.group",
            "'slow'",
        ),
        ("drive", "deadband: 0.1", "deadband: -1", "23: points.speed.deadband", "greater"),
        ("drive", "keep_every: 60s", "keep_every: 0s", "24: points.speed.keep_every", "range"),
        (
            "drive",
            "kind: flag",
            "kind: flag\n    deadband: 1",
            "14: points.running.deadband",
            "flag",
        ),
        (
            "lamp",
            "kind: flag",
            "kind: flag\n    group: slow",
            "11: points.on.group",
            "does not fit protocol mqtt",
        ),
        ("drive", "unit: h", "unit: h\n    group: slow", "67: points.hours.group", "its sources"),
        # Derived points.
        ("drive", "{run_hours: running}", "{}", "68: points.hours.derived", "does not say how"),
        (
            "drive",
            "{run_hours: running}",
            "{run_hours: running, starts: running}",
            "68: points.hours.derived.starts",
            "beside run_hours",
        ),
        ("drive", "run_hours: running", "run_hours: runing", "68: points.hours", "did you mean"),
        ("drive", "run_hours: running", "run_hours: speed", "68: points.hours", "name a flag"),
        ("drive", "delta: energy", "delta: running", "62: points.used.derived.delta", "a number"),
        ("drive", "delta: energy", "delta: hours", "62: points.used.derived.delta", "derived"),
        ("drive", "delta: energy", "delta: speed", "62: points.used.derived.delta", "unit 'Hz'"),
        ("drive", "[set_point, speed]", "[speed, speed]", "55: points.deviation", "less itself"),
        ("drive", "[set_point, speed]", "[speed]", "55: points.deviation", ""),
        ("drive", "rollover: 100000", "rollover: 0", "62: points.used.derived.rollover", "is 0"),
        (
            "drive",
            "run_hours: running",
            "run_hours: running, rollover: 5",
            "68: points.hours.derived.rollover",
            "only for a delta",
        ),
        ("drive", "unit: h", "unit: min", "68: points.hours.derived.run_hours", "in hours"),
        (
            "drive",
            "    unit: kWh\n    decimals: 1\n    source: derived",
            "    unit: kWh\n    source: derived",
            "61: points.used.derived.delta",
            "decimals: 1",
        ),
        (
            "drive",
            "    derived: {run",
            "    modbus: {function: input, register: 30}\n    derived: {run",
            "68: points.hours.modbus",
            "derived point",
        ),
        (
            "lamp",
            "    derived: {run",
            "    mqtt: {topic: '{topic}'}\n    derived: {run",
            "20: points.hours.mqtt",
            "derived point",
        ),
        (
            "drive",
            "    derived: {run",
            "    write: {}\n    derived: {run",
            "68: points.hours.write",
            "derived point",
        ),
        # Points that may be written.
        ("drive", "class: pump", "class: fire_pump", "17: points.running.write", "never allowed"),
        ("drive", "class: pump", "class: lift", "17: points.running.write", "never allowed"),
        (
            "drive",
            "class: pump",
            "class: pump\ngeneric: [fire_pump]",
            "18: points.running.write",
            "never allowed for class fire_pump",
        ),
        (
            "drive",
            "function: coil",
            "function: discrete",
            "17: points.running.write",
            "reading only",
        ),
        (
            "drive",
            "function: coil, register: 1",
            "function: holding, register: 9, bit: 3",
            "17: points.running.write",
            "rest of the register",
        ),
        ("drive", "write: {}", "write: {topic: x}", "17: points.running.write.topic", "modbus"),
        (
            "drive",
            "length: 8}",
            "length: 8}\n    write: {}",
            "49: points.serial.write",
            "does not fit a text",
        ),
        ("lamp", 'topic: "{topic}/set", ', "", "14: points.on.write.topic", "is missing"),
        ("lamp", '"{topic}/set"', '"lamp/set"', "14: points.on.write.topic", "no level {topic}"),
        ("lamp", "{value}", "ON", "14: points.on.write.payload", "has no {value}"),
        (
            "lamp",
            """payload: '{"state":"{value}"}', """,
            "",
            "14: points.on.write.payload",
            "is missing",
        ),
    ],
)
def test_each_mistake_is_named_with_its_line(load, tmp_path, name, old, new, where, wrong):
    with pytest.raises(ConfigurationError) as caught:
        load(name, old, new)
    lines = [
        str(problem).removeprefix(f"{tmp_path}/{name}.yaml:") for problem in caught.value.problems
    ]
    assert any(line.startswith(where) and wrong in line for line in lines), lines


def test_one_mistake_of_a_derived_point_is_named_once(load):
    with pytest.raises(ConfigurationError) as caught:
        load("drive", "run_hours: running", "run_hours: speed")
    assert len(caught.value.problems) == 1


def test_a_wrong_source_hides_no_other_mistake(load):
    with pytest.raises(ConfigurationError) as caught:
        load("drive", "key: running", "key: RUNNING")
    assert {problem.name for problem in caught.value.problems} == {
        "points.RUNNING.key",
        "points.hours.derived.run_hours",
    }


# -- scales, parts that say "not available", parts that a bit makes valid -------------------------


@pytest.mark.parametrize(
    ("scale", "decimals", "right"),
    [
        ("scale: 0.03125, offset: -125", 2, True),  # 4 to 20 mA as 0 to 500 cm
        ("scale: 0.03125, offset: -0.001", 2, True),
        ("scale: 0.03125", 1, False),
        ("scale: 0.1", 1, True),
        ("scale: -0.01", 1, False),
        ("scale: 1.5", 0, True),
    ],
)
def test_a_scale_is_refused_only_where_rounding_would_lose_a_step(write, scale, decimals, right):
    """A 4 to 20 mA transmitter of 0 to 500 cm had to have five decimals."""
    text = PACKED.replace("parameters:\n  device: {low: 1, high: 240, ", "#")
    text = text.replace("kind: state", "kind: number")
    text = text.replace("states: {0: {zh: 正常, en: Normal}, 1: {zh: 火警, en: Fire}}", "unit: cm")
    text = text.replace("unit: cm", f"unit: cm\n    decimals: {decimals}")
    text = text.replace("bit: 10, width: 2", scale)
    if right:
        assert write("loop", text)
    else:
        with pytest.raises(ConfigurationError, match="finer than"):
            write("loop", text)


NOTIFIER = PACKED.replace("{low: 1, high: 240, pack: {bits: 2, order: descending}}", "PARAMETER")
NOTIFIER = NOTIFIER.replace("PARAMETER", "{low: 1, high: 9, stride: 1}")
PART = "bit: 0, width: 8, absent: [0xFF], while_bit: 11"


def test_a_part_may_be_valid_while_a_bit_is_set_and_absent_by_another_part(write):
    place = write("loop", NOTIFIER.replace("bit: 10, width: 2", PART)).modbus_places({"device": 2})
    assert (place["state"].while_bit, place["state"].absent_in) == (11, None)
    said = "bit: 8, width: 2, absent: [0xFF], absent_in: {bit: 0, width: 8}"
    place = write("loop", NOTIFIER.replace("bit: 10, width: 2", said)).modbus_places({"device": 2})
    assert place["state"].absent_in == (0, 8)


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("while_bit: 11", "while_bit: 16", "no bit of a register"),
        ("while_bit: 11", "while_bit: 3", "a bit of the part itself"),
        ("bit: 0, width: 8, absent: [0xFF], ", "", "only for a state in a part"),
        ("while_bit: 11", "while_bit: 11, scale: 2", "does not fit a part with while_bit"),
        ("{0: {zh: 正常, en: Normal}, ", "{", "makes the state 0"),
        ("while_bit: 11", "absent_in: {bit: 9, width: 8}", "no part of a register"),
        ("absent: [0xFF], while_bit: 11", "absent_in: {bit: 8, width: 8}", "without absent"),
        ("while_bit: 11", "absent_in: {bit: 8, width: 4}", "no raw value of 4 bits"),
        ("stride: 1", "pack: {bits: 8}", "packs registers"),
    ],
)
def test_what_makes_a_part_valid_is_checked(write, old, new, wrong):
    text = NOTIFIER.replace("bit: 10, width: 2", PART)
    assert old in text
    with pytest.raises(ConfigurationError, match=wrong):
        write("loop", text.replace(old, new, 1))


# -- topics of messages -------------------------------------------------------------------------


def message_problem(write, more):
    try:
        write("lamp", LAMP + more)
    except ConfigurationError as error:
        return [(problem.name, problem.wrong) for problem in error.problems]
    return []


def test_a_point_on_the_topic_of_availability_is_refused(write):
    """It was read as the word that the device is there, and the point never heard anything."""
    said = "availability: {topic: '{topic}', path: [state], online: here, offline: gone}\n"
    ((name, wrong),) = message_problem(write, said)
    assert name == "points.on.mqtt.topic"
    assert "availability" in wrong
    answer = (
        "availability: {topic: '{topic}/a', online: here, offline: gone}\n"
        "status_requests:\n  - {topic: '{topic}/get', payload: '', "
        "answer: {topic: '{topic}/a'}, like: {topic: '{topic}'}}\n"
    )
    ((name, wrong),) = message_problem(write, answer)
    assert name.endswith("answer.topic")


def test_a_source_time_where_no_point_lies_is_refused(write):
    assert message_problem(write, "source_time: {topic: '{topic}', path: [ts]}\n") == []
    said = "source_time: {topic: '{topic}/time', path: [ts]}\n"
    ((name, wrong),) = message_problem(write, said)
    assert name == "source_time.topic"
    assert "holds no point" in wrong


def test_the_topic_is_put_into_the_payload_of_a_command(load):
    lamp = load("lamp", '{"state":"{value}"}', '{"src":"{topic}/x","state":"{value}"}')
    command = lamp.writes({}, "shellies/one")["on"]
    assert command.payload == '{"src":"shellies/one/x","state":"{value}"}'
