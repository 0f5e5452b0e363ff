"""The allowlist of a site file, and devices that share registers."""

import pytest

from gateway.files.documents import ConfigurationError
from gateway.model.equipment import AllowedCommand
from gateway.site import files as site

OUTPUT = """\
profile: output
class: output
generic: [lighting_circuit]
model: {zh: 输出, en: Output}
protocol: modbus
verified: unverified
source: "[NV]"
points:
  - key: level
    name: {zh: 亮度, en: Level}
    kind: number
    unit: "%"
    low: 0
    high: 100
    source: page 1
    modbus: {function: holding, register: 0}
    write: {}
  - key: "on"
    name: {zh: 开关, en: Switch}
    kind: flag
    states: {0: {zh: 关, en: "Off"}, 1: {zh: 开, en: "On"}}
    source: page 1
    modbus: {function: coil, register: 0}
    write: {}
  - key: lamp_failure
    name: {zh: 故障, en: Lamp failure}
    kind: flag
    states: {0: {zh: 无, en: "No"}, 1: {zh: 有, en: "Yes"}}
    source: page 1
    modbus: {function: discrete, register: 0}
"""
PAIRS = """\
profile: pairs
class: fire_detector
model: {zh: 探测器, en: Detector}
protocol: modbus
verified: unverified
source: "[NV]"
parameters:
  device: {low: 1, high: 240, pack: {bits: 2}}
points:
  - key: fire
    name: {zh: 火警, en: Fire}
    kind: flag
    states: {0: {zh: 无, en: "No"}, 1: {zh: 有, en: "Yes"}}
    source: page 1
    modbus: {function: holding, register: 0, bit: 0}
"""
SIREN = """\
profile: siren
class: fire_detector
model: {zh: 声光, en: Siren}
protocol: mqtt
verified: unverified
source: "[NV]"
points:
  - key: fire
    name: {zh: 火警, en: Fire}
    kind: flag
    states: {0: {zh: 无, en: "No"}, 1: {zh: 有, en: "Yes"}}
    source: page 1
    mqtt: {topic: "{topic}", path: [fire]}
"""
SITE = """\
site:
  id: s
  name: {zh: 园, en: Garden}
  timezone: Asia/Shanghai
  profiles_folder: own
gateway: gw-1
areas:
  - {id: room, name: {zh: 房, en: Room}}
links: [{id: bus, protocol: modbus-tcp, host: 10.0.0.9, port: 502},
  {id: fire, protocol: modbus-tcp, host: 10.0.0.8, port: 502}]
equipment:
  - id: lights
    name: {zh: 灯, en: Lights}
    profile: output
    class: lighting_circuit
    area: room
    link: bus
    unit: 1
    poll: 1s
  - id: smoke-1
    name: {zh: 烟感, en: Smoke}
    profile: pairs
    parameters: {device: 1}
    area: room
    link: fire
    unit: 2
    poll: 1s
  - id: smoke-2
    name: {zh: 烟感, en: Smoke}
    profile: pairs
    parameters: {device: 2}
    area: room
    link: fire
    unit: 2
    poll: 1s
commands:
  - {equipment: lights, point: level, low: 10, high: 100, roles: [engineering_manager]}
  - {equipment: lights, point: "on", low: 0, high: 1, roles: [engineering_manager, technician]}
"""


@pytest.fixture
def load(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "output.yaml").write_text(OUTPUT, encoding="utf-8")
    (folder / "pairs.yaml").write_text(PAIRS, encoding="utf-8")

    def loaded(old="", new=""):
        assert old in SITE
        path = tmp_path / "site.yaml"
        path.write_text(SITE.replace(old, new, 1), encoding="utf-8")
        return site.load(path)

    return loaded


@pytest.fixture
def problems(load, tmp_path):
    def found(old, new):
        with pytest.raises(ConfigurationError) as caught:
            load(old, new)
        return [
            str(problem).removeprefix(f"{tmp_path}/site.yaml:") for problem in caught.value.problems
        ]

    return found


def test_what_may_be_told_to_whom(load):
    assert load().commands == (
        AllowedCommand(
            equipment="lights", point="level", low=10, high=100, roles=("engineering_manager",)
        ),
        AllowedCommand(
            equipment="lights",
            point="on",
            low=0,
            high=1,
            roles=("engineering_manager", "technician"),
        ),
    )


def test_without_a_list_nothing_is_written(load):
    text = SITE[SITE.index("commands:") :]
    assert load(text, "").commands == ()


@pytest.mark.parametrize(
    ("old", "new", "where", "wrong"),
    [
        ("equipment: lights, point: level", "equipment: light, point: level", "37: ", "'lights'?"),
        ("point: level", "point: levl", "37: commands.0.point", "did you mean 'level'?"),
        ("point: level", "point: lamp_failure", "37: commands.0.point", "does not let lamp_fail"),
        ("low: 10, high: 100", "low: 100, high: 10", "37: commands.0.low", "above high (10)"),
        (
            "high: 100",
            "high: 120",
            "37: commands.0.high",
            "120 is outside what level can be (0…100",
        ),
        ("low: 10", "low: -1", "37: commands.0.low", "-1 is outside"),
        ("low: 0, high: 1,", "low: 0, high: 2,", "38: commands.1.high", "2 is outside"),
        ("[engineering_manager]", "[]", "37: commands.0.roles", "at least 1"),
        (
            "equipment: lights, point: level",
            "equipment: smoke-1, point: fire",
            "37: ",
            "never comm",
        ),
        ("high: 100", "high: .inf", "37: commands.0.high", "finite"),
    ],
)
def test_each_mistake_of_the_list_is_named(problems, old, new, where, wrong):
    lines = problems(old, new)
    assert any(line.startswith(where) and wrong in line for line in lines), lines


def test_a_line_that_serves_fire_or_lift_equipment_is_not_on_the_list(problems):
    lines = problems("link: bus\n    unit: 1", "link: fire\n    unit: 1")
    assert sum("smoke-1 is on link 'fire' too" in line for line in lines) == 2


def test_unit_0_is_not_on_the_list(problems):
    lines = problems("link: bus\n    unit: 1", "link: bus\n    unit: 0")
    assert sum("lights has unit 0" in line for line in lines) == 2


@pytest.mark.parametrize("unit", [0, 248, 255])
def test_a_unit_that_no_device_on_a_line_has_is_refused(problems, unit):
    """0 is every device at once, also a lift's that listens on the same line."""
    serial = "protocol: modbus-rtu, device: /dev/ttyS9}"
    tcp = "protocol: modbus-tcp, host: 10.0.0.8, port: 502}"
    with_line = SITE.replace("unit: 2", f"unit: {unit}")
    for other in (serial, tcp.replace("modbus-tcp", "modbus-rtu-tcp")):
        lines = problems(SITE, with_line.replace(tcp, other))
        assert sum(f"{unit} is no device on a line" in line for line in lines) == 2


def test_two_ways_to_write_an_address_are_one_link(problems):
    here = "host: 127.0.0.1, port: 502}"
    moved = SITE.replace("host: 10.0.0.9, port: 502}", here)
    for other in ("localhost", "LOCALHOST.", "127.0.0.2"):
        lines = problems(SITE, moved.replace("host: 10.0.0.8", f"host: {other}"))
        assert any("link 'bus' leads to localhost:502 too" in line for line in lines), lines


def test_a_topic_of_fire_equipment_is_heard_by_nothing_else(tmp_path, problems):
    """Whatever its profile: by the other name somebody could tell it something."""
    (tmp_path / "own" / "siren.yaml").write_text(SIREN, encoding="utf-8")
    siren = "id: siren, name: {zh: 警, en: Siren}, profile: siren, area: room, link: air"
    lamp = "id: lamp, name: {zh: 灯, en: Lamp}, profile: zigbee2mqtt-light, area: room, link: air"
    links = "links: [{id: air, protocol: mqtt}, "
    for things in ((siren, lamp), (lamp, siren)):
        added = "".join(f"  - {{{one}, topic: yard/one, silence: 60s}}\n" for one in things)
        text = SITE.replace("links: [", links).replace("commands:\n", f"{added}commands:\n")
        (line,) = problems(SITE, text)
        assert "hears yard/one as" in line
        assert "'siren' is fire or lift equipment" in line


def test_an_entry_that_says_what_another_says_is_refused(problems):
    first = "equipment: lights, point: level, low: 10, high: 100, roles: [engineering_manager]}"
    for span in ("low: 10, high: 100", "low: 20, high: 30", "low: 0, high: 100"):
        again = first.replace("low: 10, high: 100", span).replace("[", "[technician, ")
        lines = problems(first, f"{first}\n  - {{{again}")
        assert any("an earlier entry has level of lights for engineering" in one for one in lines)


def test_a_point_may_have_a_range_a_role(load):
    first = "equipment: lights, point: level, low: 10, high: 100, roles: [engineering_manager]}"
    again = "equipment: lights, point: level, low: 0, high: 50, roles: [technician]}"
    assert len(load(first, f"{first}\n  - {{{again}").commands) == 3


def test_equipment_that_cannot_be_read_is_not_said_to_be_missing(problems):
    lines = problems("  - id: smoke-1", "  - id: SMOKE")
    assert [line.split(":")[0] for line in lines] == ["20"]


def test_a_mistake_of_the_equipment_is_not_told_again_for_its_commands(problems):
    (line,) = problems("profile: output", "profile: outptu")
    assert "there is no profile" in line


def test_a_profile_that_may_stand_for_a_class_never_commanded_has_nothing_to_write(
    tmp_path, problems
):
    generic = OUTPUT.replace("generic: [lighting_circuit]", "generic: [fire_door]")
    (tmp_path / "own" / "output.yaml").write_text(generic, encoding="utf-8")
    lines = problems("class: lighting_circuit", "class: fire_door")
    assert sum("is never allowed for class fire_door" in line for line in lines) == 2


def test_two_devices_of_one_register_are_two_sources(load, problems):
    detectors = load().equipment
    places = [detectors[name].modbus["fire"] for name in ("smoke-1", "smoke-2")]
    assert [(place.address, place.bit) for place in places] == [(0, 0), (0, 2)]
    (line,) = problems("{device: 2}", "{device: 1}")
    assert "reads the very registers of 'smoke-1'" in line
