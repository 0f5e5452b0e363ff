"""``dutyroom profile`` and ``dutyroom probe`` as an integrator types them."""

import asyncio
import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from typer.testing import CliRunner, Result

from api import cli
from api.settings import CannotStartError
from gateway.files.documents import ConfigurationError
from gateway.model.words import number_words
from gateway.profile.files import SHIPPED, load_profiles

Run = Callable[..., Result]
SDM630 = load_profiles([SHIPPED])["eastron-sdm630"]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """``dutyroom`` with arguments, in an empty folder."""
    for name in [name for name in os.environ if name.startswith("DUTYROOM_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(cli.app, [*map(str, arguments)])


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.fixture(scope="module")
def meter():
    """The port of a meter in another thread: as its profile says, without the frequency."""
    words = [0] * 0x200
    for key, place in SDM630.modbus_places({}).items():
        value = {"V": 230.0, "Hz": 50.0, "A": 5.3}.get(
            next(p.unit for p in SDM630.profile.points if p.key == key), 0.5
        )
        words[place.address : place.address + 2] = number_words(place, value)
    tables = (
        [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
        [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
        [SimData(0, values=[0], datatype=DataType.REGISTERS)],
        [SimData(0, values=words, datatype=DataType.REGISTERS)],
    )
    port = free_port()
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    stop = asyncio.Event()

    async def serve():
        server = ModbusTcpServer([SimDevice(1, simdata=tables)], address=("127.0.0.1", port))
        await server.serve_forever(background=True)
        ready.set()
        await stop.wait()
        await server.shutdown()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    yield port
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


def test_the_shipped_profiles_are_listed(run: Run) -> None:
    listed = json.loads(run("profile", "list", "--json").stdout)
    assert {one["profile"] for one in listed} == set(load_profiles([SHIPPED]))
    meters = json.loads(run("profile", "list", "--class", "meter", "--json").stdout)
    assert {one["class"] for one in meters} == {"meter"}
    line = next(
        x for x in run("profile", "list").stdout.splitlines() if x.startswith("eastron-sdm630")
    )
    assert line.split("\t")[1:3] == ["meter", "Eastron"]


def test_a_profile_is_shown(run: Run) -> None:
    told = json.loads(run("profile", "show", "eastron-sdm630", "--json").stdout)
    assert (told["profile"], told["points"][0]["modbus"]["type"]) == ("eastron-sdm630", "float32")
    assert "voltage_l1\tL1 相电压" in run("profile", "show", "eastron-sdm630").stdout
    shown = run("profile", "show", "grundfos-ciu-pump").stdout.splitlines()
    cells = {line.split("\t")[0]: line.split("\t")[5:] for line in shown}
    # What an integrator holds beside the paper: every register, bit, offset and word for nothing.
    assert cells["motor_temperature"][:2] == ["input 408", "uint16 ×0.01 -273.15 absent 0xffff"]
    assert cells["run_hours"][0] == "input 403-404"
    assert "parameter pump: 1 to 6, 10 registers each" in shown
    fire = run("profile", "show", "notifier-detector").stdout
    assert "\tholding 40001.0-7\tuint16 while bit 11 absent 0xff\t0=无; 16=火警; " in fire
    missing = run("profile", "show", "eastron-sdm63")
    assert isinstance(missing.exception, CannotStartError)
    assert "did you mean 'eastron-sdm630'?" in str(missing.exception)


def test_a_wrong_profile_is_told_with_its_line_and_ends_with_2(run: Run) -> None:
    Path("wrong.yaml").write_text("profile: wrong\nclass: meter\npoints: []\n")
    done = run("profile", "check", "wrong.yaml")
    assert done.exit_code == 2
    assert "wrong.yaml:3: points" in done.stdout
    told = json.loads(run("profile", "check", "wrong.yaml", "--json").stdout)
    assert (told["ok"], told["problems"][0]["file"]) == (False, "wrong.yaml")
    assert run("profile", "check", SHIPPED).exit_code == 0


@pytest.mark.parametrize("protocol", ["modbus", "mqtt"])
def test_a_new_profile_is_valid_as_it_is_and_replaces_none(run: Run, protocol: str) -> None:
    arguments = ("profile", "new", "--class", "meter", "--vendor", 'A"c: me #1', "--model", "EM{3}")
    done = run(*arguments, "--protocol", protocol)
    assert done.exit_code == 0, done.output
    assert run("profile", "check", "a-c-me-1-em-3.yaml").exit_code == 0
    told = json.loads(run("profile", "show", "a-c-me-1-em-3.yaml", "--json").stdout)
    assert (told["vendor"], told["model"]["zh"]) == ('A"c: me #1', "EM{3}")
    again = run(*arguments)
    assert "--force replaces it" in str(again.exception)


def test_a_new_profile_of_a_class_that_cannot_be_one_is_not_written(run: Run) -> None:
    done = run("profile", "new", "--class", "Big Meter", "--model", "x")
    assert isinstance(done.exception, ConfigurationError)
    assert list(Path().iterdir()) == []


def test_a_point_table_comes_in_and_goes_out(run: Run) -> None:
    assert run("profile", "export", "eastron-sdm630", "out.xlsx").exit_code == 0
    done = run("profile", "import", "out.xlsx", "--profile", "my-meter")
    assert done.exit_code == 0, done.output
    assert "my-meter.yaml: " in done.stdout
    assert run("profile", "check", "my-meter.yaml").exit_code == 0
    assert run("profile", "export", "my-meter.yaml", "again.csv").exit_code == 0
    told = json.loads(run("profile", "import", "again.csv", "--force", "--json").stdout)
    assert (told["ok"], told["points"]) == (True, len(SDM630.profile.points))
    mqtt = run("profile", "export", "shelly-plus-1pm", "x.csv")
    assert "speaks MQTT" in str(mqtt.exception)


def test_a_table_with_a_mistake_writes_nothing_and_ends_with_2(run: Run) -> None:
    Path("t.csv").write_bytes("名称,地址,功能码\n电压,0x,3\n".encode("gb18030"))
    arguments = ("profile", "import", "t.csv", "--profile", "x", "--class", "meter", "--model", "X")
    done = run(*arguments)
    assert isinstance(done.exception, ConfigurationError)
    assert str(done.exception).startswith("t.csv:2: column B (地址): ")
    told = run(*arguments, "--json")
    assert told.exit_code == 2
    assert json.loads(told.stdout)["problems"][0]["line"] == 2
    assert [path.name for path in Path().iterdir()] == ["t.csv"]


def test_a_right_device_is_probed_and_all_is_good(run: Run, meter: int) -> None:
    done = run("probe", f"127.0.0.1:{meter}", "--profile", "eastron-sdm630", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["where"] == f"127.0.0.1:{meter}"
    first = told["points"][0]
    assert (first["key"], first["value"], first["unit"], first["quality"], first["raw"]) == (
        "voltage_l1",
        230.0,
        "V",
        "good",
        ["0x4366", "0x0000"],
    )


def test_a_wrong_order_ends_with_1_and_is_named(run: Run, meter: int) -> None:
    text = Path(SDM630.profile.file).read_text(encoding="utf-8")
    Path("eastron-sdm630.yaml").write_text(
        text.replace("type: float32", "type: float32, order: CDAB"), encoding="utf-8"
    )
    done = run("probe", f"127.0.0.1:{meter}", "--profile", "eastron-sdm630.yaml")
    assert done.exit_code == 1
    assert "→ byte order ABCD gives 230 V" in done.stdout
    assert "ABCD mends" in done.stdout.splitlines()[-2]


def test_nobody_there_ends_with_3(run: Run) -> None:
    done = run("probe", f"127.0.0.1:{free_port()}", "--profile", "eastron-sdm630")
    assert done.exit_code == 3
    assert "no_connection" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("127.0.0.1:70000", "--profile", "eastron-sdm630"),
        ("no host", "--profile", "eastron-sdm630"),
        ("127.0.0.1:502", "--profile", "eastron-sdm630", "--unit", "300"),
        ("127.0.0.1:502", "--profile", "grundfos-ciu-pump"),
        ("127.0.0.1:502", "--profile", "grundfos-ciu-pump", "--parameter", "pump=99"),
        ("127.0.0.1:502", "--profile", "grundfos-ciu-pump", "--parameter", "x=1"),
        ("/dev/ttyUSB0", "--profile", "eastron-sdm630", "--framing", "tcp"),
        ("/dev/ttyUSB0", "--profile", "eastron-sdm630", "--parity", "X"),
        ("127.0.0.1:502",),
    ],
)
def test_wrong_usage_ends_with_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("probe", *arguments).exit_code == 2


def test_a_profile_of_messages_says_that_a_probe_is_for_modbus(run: Run) -> None:
    done = run("probe", "127.0.0.1:502", "--profile", "shelly-plus-1pm")
    assert isinstance(done.exception, CannotStartError)
    assert "a probe is for Modbus" in str(done.exception)


def test_a_serial_device_that_is_not_there_is_no_answer(run: Run) -> None:
    done = run("probe", "/dev/no-such-line", "--profile", "eastron-sdm630", "--baud", "19200")
    assert done.exit_code == 3
    assert "/dev/no-such-line" in done.stdout
