from pathlib import Path

import pytest

from gateway.files.documents import ConfigurationError
from gateway.model.profile import ByteOrder, Function, RegisterType
from gateway.profile.files import SHIPPED, load_profiles

PROFILE = """\
profile: meter
class: meter
vendor: Acme
model: {zh: 表, en: Meter}
protocol: modbus
verified: manual
source: manual
first_register: 1
parameters:
  phase: {low: 1, high: 3, stride: 100}
points:
  - key: volts
    name: {zh: 电压, en: Voltage}
    kind: number
    unit: V
    decimals: 1
    low: 0
    high: 300
    source: page 1
    modbus: {function: holding, register: 101, scale: 0.1, absent: [0xFFFF]}
  - key: energy
    name: {zh: 电量, en: Energy}
    kind: number
    source: page 2
    modbus: {function: holding, register: 102, type: uint32, order: CDAB}
  - key: alarm
    name: {zh: 报警, en: Alarm}
    kind: flag
    states: {0: {zh: 无, en: "No"}, 1: {zh: 有, en: "Yes"}}
    source: page 3
    modbus: {function: coil, register: 1}
"""
MESSAGES = """\
profile: meter
class: meter
vendor: Acme
model: {zh: 表, en: Meter}
protocol: mqtt
verified: manual
source: manual
availability: {topic: "{topic}/online", online: "yes", offline: "no"}
points:
  - key: volts
    name: {zh: 电压, en: Voltage}
    kind: number
    source: page 1
    mqtt: {topic: "{topic}/state", path: [u]}
"""


@pytest.fixture
def load(tmp_path):
    def loaded(text: str, name: str = "meter"):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return load_profiles([tmp_path])

    return loaded


def test_every_shipped_profile_can_be_installed_at_each_end_of_its_parameters():
    for profile in load_profiles([SHIPPED]).values():
        limits = profile.document.parameters
        for end in ("low", "high"):
            values = {name: getattr(limit, end) for name, limit in limits.items()}
            places = profile.modbus_places(values) or profile.mqtt_places("device")
            keys = {point.key for point in profile.profile.points}
            assert set(places) == keys - set(profile.derived())


def test_registers_count_from_first_register_and_move_with_the_parameter(load):
    meter = load(PROFILE)["meter"]
    first, third = meter.modbus_places({"phase": 1}), meter.modbus_places({"phase": 3})
    assert [place.address for place in first.values()] == [100, 101, 0]
    assert [place.address for place in third.values()] == [300, 301, 200]
    volts, energy, alarm = first.values()
    assert (volts.function, volts.type, volts.absent) == (
        Function.HOLDING,
        RegisterType.UINT16,
        (0xFFFF,),
    )
    assert (energy.type, energy.order) == (RegisterType.UINT32, ByteOrder.CDAB)
    assert alarm.type is RegisterType.BIT


def test_the_earlier_folder_counts(load, tmp_path):
    before = tmp_path / "before"
    before.mkdir()
    load(PROFILE)
    (before / "meter.yaml").write_text(PROFILE.replace("Acme", "Bell"), encoding="utf-8")
    assert load_profiles([before, tmp_path / "none"])["meter"].profile.vendor == "Bell"


def test_a_device_of_no_maker_in_particular_names_none(load, tmp_path):
    assert load(PROFILE.replace("vendor: Acme\n", ""))["meter"].profile.vendor == ""
    vendors = {profile.profile.vendor for profile in load_profiles([SHIPPED]).values()}
    assert "" in vendors
    assert not vendors & {"generic", "unnamed"}


def test_two_files_of_one_name_in_a_folder(load, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "meter.yaml").write_text(PROFILE, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="profile meter: is also in"):
        load(PROFILE)


@pytest.mark.parametrize(
    ("base", "old", "new", "where", "wrong"),
    [
        (PROFILE, "profile: meter", "profile: gauge", "1: profile", "is not the name of the file"),
        (PROFILE, "key: energy", "key: volts", "21: points.volts.key", "an earlier point too"),
        (PROFILE, "low: 0\n", "low: 301\n", "17: points.volts.low", "above high"),
        (PROFILE, "decimals: 1", "decimals: 0", "20: points.volts.modbus.scale", "finer than 0"),
        (PROFILE, "scale: 0.1", "scale: 0", "20: points.volts.modbus.scale", "is 0"),
        (PROFILE, "scale: 0.1", "scale: .nan", "20: points.volts.modbus.scale", "finite"),
        (PROFILE, "[0xFFFF]", "[0x10000]", "20: points.volts.modbus.absent", "no raw value"),
        (PROFILE, "[0xFFFF]", "[-1]", "20: points.volts.modbus.absent", "no raw value"),
        (PROFILE, "scale: 0.1", "bit: 3", "20: points.volts.modbus", "the point is a number"),
        (PROFILE, "register: 1}", "register: 1, bit: 16}", "31: points.alarm.modbus.bit", "bit"),
        (PROFILE, "coil,", "coil, type: uint16,", "31: points.alarm.modbus.type", "coil table"),
        (PROFILE, "type: uint32,", "type: bit,", "25: points.energy.modbus.type", "holding table"),
        (PROFILE, "register: 102", "register: 100", "20: points.volts.modbus.register", "part of"),
        (PROFILE, "register: 101", "register: 103", "20: points.volts.modbus.register", "part of"),
        (PROFILE, "register: 102", "register: 65500", "25: points.energy.modbus.register", "reach"),
        (
            PROFILE,
            "first_register: 1",
            "first_register: 2",
            "31: points.alarm.modbus.register",
            "lies before",
        ),
        (PROFILE, "low: 1, high: 3", "low: 4, high: 3", "10: parameters.phase.low", "above high"),
        (PROFILE, "stride: 100", "stride: 0", "10: parameters.phase.stride", "is 0"),
        (PROFILE, "kind: flag", "kind: text", "31: points.alarm.modbus", "cannot hold a text"),
        (PROFILE, ', 1: {zh: 有, en: "Yes"}', "", "29: points.alarm.states", "0 and 1"),
        (
            PROFILE,
            "kind: number\n    unit",
            "kind: state\n    unit",
            "14: points.volts.kind",
            "without states",
        ),
        (
            PROFILE,
            "function: holding, register: 101",
            "function: input, register: x",
            "20: points.volts.modbus.register",
            "valid integer",
        ),
        (PROFILE, "protocol: modbus", "protocol: mqtt", "20: points.volts.modbus", "mqtt"),
        (PROFILE, "protocol: modbus", "protocol: bacnet", "5: protocol", "'modbus' or 'mqtt'"),
        (PROFILE, "vendor: Acme", "vendor: Acme\ncolour: red", "4: colour", "not a known key"),
        (PROFILE, "vendor: Acme", 'vendor: ""', "3: vendor", "at least 1"),
        (PROFILE, "source: page 2", "", "21: points.energy.source", "is missing"),
        (MESSAGES, '"{topic}/state"', "state", "14: points.volts.mqtt.topic", "has no level"),
        (
            MESSAGES,
            '"{topic}/state"',
            '"dutyroom/{topic}"',
            "14: points.volts.mqtt.topic",
            "not a device's",
        ),
        (MESSAGES, '"{topic}/state"', '"{topic}/#"', "14: points.volts.mqtt.topic", "filter"),
        (
            MESSAGES,
            '"{topic}/state"',
            '"{topic}/{id}"',
            "14: points.volts.mqtt.topic",
            "placeholder",
        ),
        (MESSAGES, '"no"', '"yes"', "8: availability.offline", "the same as online"),
        (
            MESSAGES,
            "path: [u]",
            "path: [u], codes: {A: .inf}",
            "14: points.volts.mqtt.codes",
            "no number",
        ),
        (
            MESSAGES,
            "verified",
            "parameters: {n: {low: 1, high: 2, stride: 1}}\nverified",
            "6: parameters.n",
            "moves registers",
        ),
        (MESSAGES, "protocol: mqtt", "protocol: modbus", "8: availability", "protocol mqtt"),
        (PROFILE, "scale: 0.1", "width: 8", "20: points.volts.modbus.width", "without bit"),
        (PROFILE, "scale: 0.1", "bit: 8, width: 9", "20: points.volts.modbus.width", "no part"),
        (PROFILE, "scale: 0.1", "bit: 8, width: 1", "20: points.volts.modbus.width", "no part"),
        (
            PROFILE,
            "order: CDAB",
            "bit: 0, width: 8",
            "25: points.energy.modbus.width",
            "uint32",
        ),
        (
            PROFILE,
            "function: coil, register: 1",
            "function: holding, register: 9, bit: 0, width: 2",
            "31: points.alarm.modbus.width",
            "does not fit a flag",
        ),
        (
            PROFILE,
            "scale: 0.1, absent: [0xFFFF]",
            "bit: 8, width: 8, absent: [0x100]",
            "20: points.volts.modbus.absent",
            "256 is no raw value of 8 bits",
        ),
        (PROFILE, "class: meter", "class: power-meter", "2: class", "pattern"),
        (PROFILE, "class: meter", "class: meter\ngeneric: [meter]", "3: generic", "again"),
    ],
)
def test_each_mistake_is_named_with_its_line(load, tmp_path, base, old, new, where, wrong):
    assert old in base
    with pytest.raises(ConfigurationError) as caught:
        load(base.replace(old, new, 1))
    lines = [
        str(problem).removeprefix(f"{tmp_path}/meter.yaml:") for problem in caught.value.problems
    ]
    assert any(line.startswith(f"{where}: ") and wrong in line for line in lines), lines


def test_a_register_of_bits_may_be_shared(load):
    text = PROFILE.replace(
        "function: coil, register: 1", "function: holding, register: 101, bit: 3"
    )
    assert load(text)["meter"].modbus_places({"phase": 1})["alarm"].bit == 3


def test_a_part_of_a_register_may_be_scaled_and_be_a_number(load):
    text = PROFILE.replace("scale: 0.1, absent: [0xFFFF]", "bit: 8, width: 8, scale: 0.1")
    place = load(text)["meter"].modbus_places({"phase": 1})["volts"]
    assert (place.bit, place.width, place.mask, place.scale) == (8, 8, 0xFF, 0.1)


def test_a_generic_profile_names_the_classes_it_can_stand_for(load):
    text = PROFILE.replace("class: meter", "class: meter\ngeneric: [heat_meter]")
    assert load(text)["meter"].profile.generic == ("heat_meter",)
    assert load(PROFILE)["meter"].profile.generic == ()


def test_all_mistakes_of_all_files_at_once(load, tmp_path):
    (tmp_path / "other.yaml").write_text(MESSAGES.replace("meter", "other"), encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("profile: [", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(PROFILE.replace("decimals: 1", "decimals: 0").replace("stride: 100", "stride: x"))
    files = {Path(problem.file).name for problem in caught.value.problems}
    assert files == {"broken.yaml", "meter.yaml"}


def test_a_file_of_the_profiles_folder_that_is_not_read_is_a_mistake(load, tmp_path):
    for aside in ("README.md", ".meter.yaml.swp", "meter.yaml~", "meter.yaml.swp"):
        (tmp_path / aside).write_text("left alone", encoding="utf-8")
    assert set(load(PROFILE)) == {"meter"}
    (tmp_path / "gauge.yml").write_text(PROFILE, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(PROFILE)
    (problem,) = caught.value.problems
    assert problem.file.endswith("gauge.yml")
    assert (problem.wrong, problem.mend) == (
        "is not read",
        "name it <profile>.yaml, or move it out of the folder",
    )


def test_a_wrong_field_of_a_point_hides_no_other_mistake(load):
    with pytest.raises(ConfigurationError) as caught:
        load(
            PROFILE.replace("key: energy", "key: volts")
            .replace("source: page 1", "source: 5")
            .replace("scale: 0.1", "scale: 0")
            .replace("stride: 100", "stride: 0")
            .replace("high: 300", "high: much")
            .replace("register: 1}", "register: x, bit: 16}")
        )
    assert [(problem.line, problem.name) for problem in caught.value.problems] == [
        (10, "parameters.phase.stride"),
        (18, "points.volts.high"),
        (19, "points.volts.source"),
        (20, "points.volts.modbus.scale"),
        (21, "points.volts.key"),
        (31, "points.alarm.modbus.bit"),
        (31, "points.alarm.modbus.bit"),
        (31, "points.alarm.modbus.register"),
    ]
