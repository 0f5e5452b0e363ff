from collections import Counter
from pathlib import Path

import pytest
from every_profile import site_of_every_profile

from gateway.files.documents import ConfigurationError
from gateway.model.equipment import Broker, Framing, ModbusLink, MqttLink, SerialPort
from gateway.model.moment import SECOND
from gateway.model.point import Text
from gateway.model.profile import Availability, Function, MqttPlace
from gateway.profile.files import SHIPPED, load_profiles
from gateway.site import files as site
from rules.rulebook import load_rulebook

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml"
GOOD = """\
site: {id: s, name: {zh: 园, en: Garden}, timezone: Asia/Shanghai}
gateway: gw-1
areas:
  - {id: room, name: {zh: 房, en: Room}}
links:
  - {id: bus, protocol: modbus-tcp, host: 10.0.0.9, port: 502}
  - {id: air, protocol: mqtt}
equipment:
  - id: pump-1
    name: {zh: 泵, en: Pump}
    profile: grundfos-ciu-pump
    parameters: {pump: 1}
    area: room
    link: bus
    unit: 1
    poll: 1s
  - id: lamp-1
    name: {zh: 灯, en: Lamp}
    profile: shelly-plus-1pm
    area: room
    link: air
    topic: lamp
    silence: 30s
"""

CONTACT = """\
  - id: float-1
    name: {zh: 浮球, en: Float}
    profile: dry-contact
    class: sump
    parameters: {input: 3}
    area: room
    link: bus
    unit: 2
    poll: 1s
"""


@pytest.fixture
def write(tmp_path):
    def written(text: str = GOOD) -> Path:
        path = tmp_path / "site.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


@pytest.fixture
def problems(write):
    """The complaints about :data:`GOOD` with one thing changed, without the file's name."""

    def found(old: str, new: str) -> list[str]:
        assert old in GOOD
        path = write(GOOD.replace(old, new, 1))
        with pytest.raises(ConfigurationError) as caught:
            site.load(path)
        return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]

    return found


# -- what is right ------------------------------------------------------------------------------


def test_the_demonstration_site():
    demo = site.load(DEMO)
    assert (demo.id, demo.gateway, demo.scenario) == ("brocade-garden", "gw-1", "first-run")
    assert demo.broker is None
    assert demo.zone.key == "Asia/Shanghai"
    assert demo.links["pump-room"] == ModbusLink(
        id="pump-room",
        host="127.0.0.1",
        port=15020,
        timeout=1.0,
        name=Text(zh="泵房", en="pump room"),
    )
    assert demo.links["lighting"] == MqttLink(
        id="lighting", name=Text(zh="智能灯具", en="smart lamps")
    )
    assert Counter(thing.equipment_class for thing in demo.equipment.values()) == {
        "booster": 1,
        "pump": 3,
        "bearing": 1,
        "sump": 1,
        "water_leak": 1,
        "pump_room": 1,
        "meter": 1,
        "power_room": 1,
        "breaker": 1,
        "lift": 2,
        "fire_panel": 1,
        "fire_detector": 6,
        "lamp": 2,
        "lighting_circuit": 2,
    }


def test_every_shipped_profile_can_be_installed_and_no_rule_is_silent_on_it(tmp_path):
    every = site.load(site_of_every_profile(tmp_path))
    profiles = load_profiles([SHIPPED])
    assert {thing.profile for thing in every.equipment.values()} == set(profiles)
    assert {thing.equipment_class for thing in every.equipment.values()} == {
        name
        for file in profiles.values()
        for name in (file.profile.equipment_class, *file.profile.generic)
    }
    load_rulebook(every)


def test_what_feeds_what_and_what_is_read_through_what():
    demo = site.load(DEMO)
    assert demo.equipment["pump-2"].supplied_by == "meter-1"
    assert demo.equipment["meter-1"].supplied_by is None
    assert demo.supplies["meter-1"] == (
        "booster-1",
        "pump-1",
        "pump-2",
        "pump-3",
        "lift-1",
        "lift-2",
        "lamp-1",
        "lamp-2",
    )
    assert demo.supplies["pump-2"] == ()
    behind = [thing.id for thing in demo.equipment.values() if thing.behind == "fire-panel"]
    assert behind == [f"smoke-10{n}" for n in range(1, 7)]


def test_several_parameters_move_the_registers_together():
    demo = site.load(DEMO)
    places = [demo.equipment[f"smoke-10{n}"].modbus["event_type"] for n in range(1, 7)]
    assert [place.address for place in places] == [0, 1, 2, 3, 4, 5]
    assert {(place.bit, place.width) for place in places} == {(0, 8)}


def test_a_generic_profile_is_what_the_site_says_it_is(write):
    loaded = site.load(write(GOOD + CONTACT))
    assert loaded.equipment["float-1"].equipment_class == "sump"
    assert loaded.equipment["float-1"].modbus["active"].address == 2


def test_a_parameter_moves_the_registers():
    demo = site.load(DEMO)
    places = [demo.equipment[f"pump-{n}"].modbus["motor_temperature"] for n in (1, 2, 3)]
    assert [place.address for place in places] == [407, 417, 427]
    assert {place.function for place in places} == {Function.INPUT}


def test_points_and_how_soon_they_are_stale(write):
    loaded = site.load(write())
    temperature = loaded.points["pump-1.motor_temperature"]
    assert (temperature.unit, temperature.decimals) == ("℃", 2)
    assert (temperature.low, temperature.high) == (-40, 250)
    assert temperature.stale_after == 3 * SECOND
    flag = loaded.points["pump-1.running"]
    assert (flag.low, flag.high) == (0, 1)
    assert flag.states[1].zh == "运行"
    assert loaded.points["lamp-1.power"].stale_after == 30 * SECOND


def test_a_topic_is_put_into_every_place(write):
    lamp = site.load(write()).equipment["lamp-1"]
    assert lamp.unit is None
    assert lamp.availability == Availability(topic="lamp/online", online="true", offline="false")
    assert lamp.source_time == MqttPlace(topic="lamp/events/rpc", path=("params", "ts"))
    assert lamp.mqtt["energy"].path == ("params", "switch:0", "aenergy", "total")
    assert {place.topic for place in lamp.mqtt.values()} == {"lamp/events/rpc"}


def test_the_fingerprint_follows_site_and_profiles(write, tmp_path):
    first = site.load(write()).fingerprint
    assert site.load(write()).fingerprint == first
    assert site.load(write(GOOD.replace("10.0.0.9", "10.0.0.8"))).fingerprint != first
    own = tmp_path / "own"
    own.mkdir()
    shipped = DEMO.parents[2] / "gateway" / "profiles" / "lighting" / "shelly-plus-1pm.yaml"
    text = GOOD.replace("timezone:", "profiles_folder: own, timezone:")
    second = site.load(write(text)).fingerprint
    changed = shipped.read_text(encoding="utf-8").replace("decimals: 3", "decimals: 2")
    (own / "shelly-plus-1pm.yaml").write_text(changed, encoding="utf-8")
    loaded = site.load(write(text))
    assert loaded.fingerprint != second
    assert loaded.points["lamp-1.current"].decimals == 2


def test_addresses_may_be_given_at_start(write):
    loaded = site.load(write())
    moved = site.with_link_address(loaded, "bus", "127.0.0.1", 15021)
    assert moved.links["bus"] == ModbusLink(id="bus", host="127.0.0.1", port=15021, timeout=1.0)
    assert loaded.links["bus"].host == "10.0.0.9"
    broker = Broker(host="127.0.0.1", port=1, username="u", password="p")
    assert site.with_broker(moved, broker).broker == broker
    for wrong in ("air", "none"):
        with pytest.raises(KeyError):
            site.with_link_address(loaded, wrong, "127.0.0.1", 1)


def test_a_serial_line_and_a_converter(write):
    head = "modbus-tcp, host: 10.0.0.9, port: 502"
    line = "modbus-rtu, device: /dev/ttyS0, baud: 19200, parity: E, pause: 20ms"
    bus = site.load(write(GOOD.replace(head, line))).links["bus"]
    assert bus == ModbusLink(
        id="bus",
        serial=SerialPort(device="/dev/ttyS0", baud=19200, parity="E", stop_bits=1),
        framing=Framing.RTU,
        timeout=1.0,
        pause=0.02,
    )
    moved = site.with_link_address(site.load(write()), "bus", "127.0.0.1", 15021).links["bus"]
    assert moved.framing is Framing.TCP
    loaded = site.load(write(GOOD.replace(head, line)))
    moved = site.with_link_address(loaded, "bus", "127.0.0.1", 15021).links["bus"]
    assert (moved.where, moved.framing, moved.serial) == ("127.0.0.1:15021", Framing.RTU, None)
    converter = GOOD.replace("modbus-tcp", "modbus-rtu-tcp").replace(
        "port: 502", "port: 502, connection: each-poll"
    )
    bus = site.load(write(converter)).links["bus"]
    assert (bus.framing, bus.once, bus.where) == (Framing.RTU, True, "10.0.0.9:502")
    assert bus.line is None
    behind = GOOD.replace("port: 502", "port: 502, baud: 4800, parity: E")
    bus = site.load(write(behind)).links["bus"]
    assert (bus.serial, bus.line) == (None, SerialPort(device="", baud=4800, parity="E"))


def test_a_broker_with_its_password_in_a_file_or_the_environment(write, tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("hush\n")
    text = "broker: {host: b, port: 1884, username: u, password_file: secret}\n" + GOOD
    assert site.load(write(text)).broker == Broker(
        host="b", port=1884, username="u", password="hush"
    )
    monkeypatch.setenv("BROKER_PASSWORD", "quiet")
    text = "broker: {host: b, username: u, password_env: BROKER_PASSWORD}\n" + GOOD
    assert site.load(write(text)).broker == Broker(
        host="b", port=1883, username="u", password="quiet"
    )


# -- what is wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "profile: grundfos-ciu-pump",
            "profile: grundfos-ciu-pomp",
            "11: equipment.pump-1.profile: there is no profile 'grundfos-ciu-pomp'; "
            "did you mean 'grundfos-ciu-pump'?",
        ),
        (
            "area: room\n    link: bus",
            "area: rome\n    link: bus",
            "13: equipment.pump-1.area: there is no area 'rome'; did you mean 'room'?",
        ),
        (
            "link: bus",
            "link: wire",
            "14: equipment.pump-1.link: there is no link 'wire'; use one of air, bus",
        ),
        (
            "link: bus",
            "link: air",
            "14: equipment.pump-1.link: 'air' speaks mqtt, but profile 'grundfos-ciu-pump' is "
            "for modbus; use a link of the profile's protocol",
        ),
        (
            "    unit: 1\n",
            "",
            "9: equipment.pump-1.unit: is missing; give the device's Modbus unit, such as 1",
        ),
        ("unit: 1", "unit: 256", "15: equipment.pump-1.unit: 256 is no Modbus unit; use 0 to 255"),
        (
            "    topic: lamp\n",
            "",
            "17: equipment.lamp-1.topic: is missing; give the topic that the device publishes "
            "below",
        ),
        (
            "topic: lamp",
            "topic: lamp/#",
            "22: equipment.lamp-1.topic: is a filter for several topics; name the device's own "
            "topic",
        ),
        (
            "topic: lamp",
            "topic: lamp/",
            "22: equipment.lamp-1.topic: has an empty level; write it without a slash at either "
            "end",
        ),
        (
            "topic: lamp",
            "topic: dutyroom/lamp",
            "22: equipment.lamp-1.topic: begins with 'dutyroom', which is not a device's; use "
            "the device's own topic",
        ),
        (
            "silence: 30s",
            "silence: 30s\n    unit: 2",
            "24: equipment.lamp-1.unit: does not fit protocol mqtt; remove it",
        ),
        (
            "poll: 1s",
            "poll: 50ms",
            "16: equipment.pump-1.poll: 50ms is out of range; use 100ms to 1d",
        ),
        (
            "poll: 1s",
            "poll: 1",
            "16: equipment.pump-1.poll: a duration is a whole number and its unit: ms, s, m, h "
            "or d, such as 500ms or 10s (found 1); give a value of the kind that is asked for",
        ),
        (
            "{pump: 1}",
            "{pump: 7}",
            "12: equipment.pump-1.parameters.pump: 7 is out of range; use 1 to 6",
        ),
        (
            "    parameters: {pump: 1}\n",
            "",
            "9: equipment.pump-1.parameters.pump: is missing; add parameters: {pump: …} with 1 "
            "to 6",
        ),
        (
            "{pump: 1}",
            "{pump: 1, pomp: 2}",
            "12: equipment.pump-1.parameters.pomp: profile 'grundfos-ciu-pump' has no such "
            "parameter; did you mean 'pump'?",
        ),
        ("port: 502", "port: 70000", "6: links.bus.port: 70000 is no port; use 1 to 65535"),
        (
            ", port: 502",
            "",
            "6: links.bus.port: is missing; say where the device listens",
        ),
        (
            "protocol: mqtt}",
            "protocol: mqtt, host: b}",
            "7: links.air.host: does not fit protocol mqtt; name the broker in broker:",
        ),
        (
            "port: 502",
            "port: 502, device: /dev/ttyS0",
            "6: links.bus.device: does not fit protocol modbus-tcp; a serial line is of protocol "
            "modbus-rtu",
        ),
        (
            "port: 502",
            "port: 502, pause: 1m",
            "6: links.bus.pause: 1m is out of range; use 0s to 10s",
        ),
        (
            "modbus-tcp, host: 10.0.0.9, port: 502",
            "modbus-rtu, baud: 9600",
            "6: links.bus.device: is missing; name the serial device, such as /dev/ttyUSB0",
        ),
        (
            "modbus-tcp, host: 10.0.0.9, port: 502",
            "modbus-rtu, device: /dev/ttyS0, port: 502",
            "6: links.bus.port: does not fit protocol modbus-rtu; a converter on the network is "
            "of protocol modbus-rtu-tcp",
        ),
        (
            "modbus-tcp, host: 10.0.0.9, port: 502",
            "modbus-rtu, device: /dev/ttyS0, baud: 96",
            "6: links.bus.baud: 96 is no speed of such a line; use 300 to 4000000",
        ),
        (
            "modbus-tcp, host: 10.0.0.9, port: 502",
            "modbus-rtu-tcp, host: 10.0.0.9, port: 502, baud: 96",
            "6: links.bus.baud: 96 is no speed of such a line; use 300 to 4000000",
        ),
        (
            "port: 502}",
            "port: 502}\n  - {id: bus-2, protocol: modbus-rtu-tcp, host: 10.0.0.9, port: 502}",
            "7: links.bus-2.host: link 'bus' leads to 10.0.0.9:502 too; put the equipment of both "
            "behind one link",
        ),
        (
            "port: 502}",
            "port: 502}\n  - {id: b1, protocol: modbus-rtu, device: /dev/ttyS0}\n"
            "  - {id: b2, protocol: modbus-rtu, device: /dev/ttyS0}",
            "8: links.b2.device: link 'b1' leads to /dev/ttyS0 too; put the equipment of both "
            "behind one link",
        ),
        (
            "port: 502",
            "port: 502, timeout: 2h",
            "6: links.bus.timeout: 2h is out of range; use 100ms to 1m",
        ),
        (
            "Asia/Shanghai",
            "Asia/Shangai",
            "1: site.timezone: there is no time zone 'Asia/Shangai'; did you mean 'Asia/Shanghai'?",
        ),
        (
            "id: lamp-1",
            "id: pump-1",
            "17: equipment.pump-1.id: is the id of an earlier one too; give it another id",
        ),
        (
            "id: air,",
            "id: bus,",
            "7: links.bus.id: is the id of an earlier one too; give it another id",
        ),
        (
            "gateway: gw-1",
            "gateway: gw-1\nnotices: {webhooks: ['ftp://x']}",
            "3: notices.webhooks.0: is no web address (found 'ftp://x'); use "
            "http://host:port/path or https://…",
        ),
        (
            "timezone:",
            "profiles_folder: nowhere, timezone:",
            "1: site.profiles_folder: there is no folder {folder}/nowhere; write it relative to "
            "the site file",
        ),
        (
            "gateway: gw-1",
            "gateway: gw-1\nbroker: {host: b, username: u, password_file: none}",
            "3: broker.password_file: {folder}/none cannot be read (FileNotFoundError); write "
            "the password into it; the path is relative to the site file",
        ),
        (
            "gateway: gw-1",
            "gateway: gw-1\nbroker: {host: b, username: u}",
            "3: broker: has a user name without a password, or the other way round; give "
            "username and one of password_file, password_env; or neither",
        ),
        (
            "gateway: gw-1",
            "gateway: gw-1\nbroker: {host: b, username: u, password_env: NO_SUCH_VARIABLE}",
            "3: broker.password_env: NO_SUCH_VARIABLE is not set; set it in the environment",
        ),
        (
            "unit: 1",
            "unit: true",
            "15: equipment.pump-1.unit: input should be a valid integer "
            "(found True); give a value of the kind that is asked for",
        ),
    ],
)
def test_each_mistake_is_named_with_its_line_and_mend(problems, tmp_path, old, new, problem):
    found = problems(old, new)
    wanted = problem.replace("{folder}", str(tmp_path))
    assert wanted in found
    # Without the second link of two the lamp has none.
    assert len(found) == (2 if new == "id: bus," else 1)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "    class: sump\n",
            "",
            "24: equipment.float-1.class: is missing: profile 'dry-contact' can stand for many "
            "things; say which: breaker, sump, contact",
        ),
        (
            "class: sump",
            "class: sumo",
            "27: equipment.float-1.class: profile 'dry-contact' cannot stand for 'sumo'; did you "
            "mean 'sump'?",
        ),
        (
            "profile: dry-contact\n    class: sump\n    parameters: {input: 3}",
            "profile: water-leak-detector\n    class: sump",
            "27: equipment.float-1.class: is settled by profile 'water-leak-detector': "
            "water_leak; remove it; class is for generic profiles",
        ),
        (
            "poll: 1s",
            "poll: 1s\n    supplied_by: pump-9",
            "33: equipment.float-1.supplied_by: there is no equipment 'pump-9'; did you mean "
            "'pump-1'?",
        ),
        (
            "poll: 1s",
            "poll: 1s\n    behind: float-1",
            "33: equipment.float-1.behind: 'float-1' is behind itself; name another equipment",
        ),
        (
            "poll: 1s",
            "poll: 1s\n    supplied_by: Lamp 1",
            "33: equipment.float-1.supplied_by: string should match pattern "
            "'^[a-z0-9][a-z0-9-]*$' (found 'Lamp 1'); give a value of the kind that is asked for",
        ),
    ],
)
def test_what_is_wrong_with_a_class_or_the_topology(write, old, new, problem):
    assert old in CONTACT
    path = write(GOOD + CONTACT.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        site.load(path)
    assert [str(one).removeprefix(f"{path}:") for one in caught.value.problems] == [problem]


@pytest.mark.parametrize(
    ("twin", "problem"),
    [
        ("pomp-1", "there is no equipment 'pomp-1'; did you mean 'pump-1'?"),
        (
            "pump-2",
            "'pump-2' would be compared with itself; name another equipment of its class",
        ),
        (
            "lamp-1",
            "'lamp-1' is of class lamp, and 'pump-2' of pump; name another pump, or take it out",
        ),
    ],
)
def test_a_twin_is_another_thing_of_the_same_class(write, twin, problem):
    second = _equipment("pump-1").replace("pump-1", "pump-2").replace("pump: 1", "pump: 2")
    path = write(GOOD + CONTACT + second + f"    twin: {twin}\n")
    with pytest.raises(ConfigurationError) as caught:
        site.load(path)
    (told,) = caught.value.problems
    assert (told.name, f"{told.wrong}; {told.mend}") == ("equipment.pump-2.twin", problem)
    assert path.read_text().splitlines()[told.line - 1].strip() == f"twin: {twin}"


def test_a_twin_need_not_name_it_back():
    demo = site.load(DEMO)
    twins = {name: thing.twin.id for name, thing in demo.equipment.items() if thing.twin}
    assert twins == {"pump-1": "pump-2", "pump-2": "pump-1", "pump-3": "pump-1"}
    first = demo.equipment["pump-1"]
    assert demo.equipment["pump-3"].twin.points == first.points


def _equipment(name):
    """The lines of GOOD about it."""
    begin = GOOD.index(f"  - id: {name}\n")
    end = GOOD.find("  - id: ", begin + 1)
    return GOOD[begin:end] if end > 0 else GOOD[begin:]


def test_a_circle_of_supplies_is_told_once_with_its_way(write):
    """pump-1 ← float-1 ← lamp-1 ← pump-1, and a link into the circle is not one of it."""
    text = (
        GOOD.replace("unit: 1\n", "unit: 1\n    supplied_by: float-1\n")
        + "    supplied_by: pump-1\n"
        + CONTACT
        + "    supplied_by: lamp-1\n"
        + CONTACT.replace("float-1", "float-2").replace("input: 3", "input: 4")
        + "    supplied_by: float-1\n"
    )
    (problem,) = site.survey(write(text)).problems
    assert problem.name == "equipment.pump-1.supplied_by"
    assert problem.line == 16
    assert problem.wrong == "goes round in a circle: pump-1 → float-1 → lamp-1 → pump-1"


def test_the_two_relations_do_not_make_a_circle_together(write):
    """The panel is fed by the meter, the meter is read through the panel: that is no circle."""
    text = GOOD.replace("unit: 1\n", "unit: 1\n    supplied_by: lamp-1\n") + "    behind: pump-1\n"
    assert site.load(write(text)).equipment["lamp-1"].behind == "pump-1"


def test_two_pumps_on_the_same_registers(write):
    twin = GOOD + GOOD[GOOD.index("  - id: pump-1") : GOOD.index("  - id: lamp-1")].replace(
        "pump-1", "pump-2"
    )
    with pytest.raises(ConfigurationError, match="reads the very registers of 'pump-1'"):
        site.load(write(twin))
    assert len(site.load(write(twin.replace("{pump: 1}", "{pump: 2}", 1))).equipment) == 3


def test_two_lamps_on_the_same_topic(write):
    twin = GOOD + GOOD[GOOD.index("  - id: lamp-1") :].replace("lamp-1", "lamp-2")
    with pytest.raises(ConfigurationError, match="hears the very topic of 'lamp-1'"):
        site.load(write(twin))


def test_mistakes_of_every_kind_and_file_at_once(write, tmp_path):
    """A key that is not known, a wrong kind, a wrong name and a wrong profile: all in one pass,
    and what names the wrong ones is not blamed for it."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "meter.yaml").write_text("profile: meter\n", encoding="utf-8")
    text = (
        GOOD.replace("timezone:", "profiles_folder: own, colour: red, timezone:")
        .replace("port: 502", "port: many")
        .replace("area: room\n    link: air", "area: attic\n    link: air")
        .replace("profile: grundfos-ciu-pump", "profile: meter")
    )
    path = write(text)
    with pytest.raises(ConfigurationError) as caught:
        site.load(path)
    found = [(Path(p.file).name, p.line, p.name) for p in caught.value.problems]
    assert [item for item in found if item[0] == "site.yaml"] == [
        ("site.yaml", 1, "site.colour"),
        ("site.yaml", 6, "links.bus.port"),
        ("site.yaml", 20, "equipment.lamp-1.area"),
    ]
    assert {item[2] for item in found if item[0] == "meter.yaml"} >= {"class", "model", "points"}


def test_a_wrong_scalar_hides_no_other_mistake(write):
    """Wrong in the head, at the top, in an item of each list; and what follows from it is not
    told a second time."""
    text = (
        GOOD.replace("id: s,", "id: S s,")
        .replace("Asia/Shanghai", "Asia/Shangai")
        .replace("gateway:", "gatway:")
        .replace("protocol: modbus-tcp", "protocol: modbus")
        .replace("port: 502", "port: 99999")
        .replace("{pump: 1}", "{pump: 9}")
        .replace("area: room\n    link: bus", "area: rome\n    link: buss")
        .replace("poll: 1s", "poll: 1x")
        .replace("topic: lamp", "topic: lamp/#")
        .replace("silence: 30s", "silence: thirty")
    )
    found = site.survey(write(text)).problems
    assert sorted((problem.line, problem.name) for problem in found) == [
        (1, "gateway"),
        (1, "site.id"),
        (1, "site.timezone"),
        (2, "gatway"),
        (6, "links.bus.port"),
        (6, "links.bus.protocol"),
        (12, "equipment.pump-1.parameters.pump"),
        (13, "equipment.pump-1.area"),
        (14, "equipment.pump-1.link"),
        (16, "equipment.pump-1.poll"),
        (22, "equipment.lamp-1.topic"),
        (23, "equipment.lamp-1.silence"),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{id: room,", "{id: Room,"),
        ("{id: bus,", "{id: the bus,"),
        ("{id: bus, protocol: modbus-tcp", "{id: bus, protocol: modbus"),
        ("    unit: 1\n", "    unit: one\n"),
        ("{pump: 1}", "{pump: one}"),
        ("id: lamp-1", "id: Lamp 1"),
        ("timezone:", "profiles_folder: 5, timezone:"),
    ],
)
def test_what_follows_from_a_wrong_scalar_is_not_told(problems, old, new):
    assert len(problems(old, new)) == 1


def test_profiles_of_a_folder_that_is_not_there_are_not_called_unknown(write):
    text = GOOD.replace("timezone:", "profiles_folder: none, timezone:")
    (problem,) = site.survey(write(text.replace("shelly-plus-1pm", "mine"))).problems
    assert problem.name == "site.profiles_folder"


def test_webhooks_keep_their_place_and_line(write):
    hooks = "notices:\n  webhooks:\n    - 5\n    - http://ok/\n    - ftp://x\n"
    found = site.survey(write(hooks + GOOD)).problems
    assert [(p.line, p.name) for p in found] == [
        (3, "notices.webhooks.0"),
        (5, "notices.webhooks.2"),
    ]


def test_no_file(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no such file"):
        site.load(tmp_path / "none.yaml")
