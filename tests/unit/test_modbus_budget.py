"""Whether a line has the time for what is asked of it, reckoned by hand beside."""

import pytest

from gateway.modbus.budget import budget, limits_of
from gateway.model.equipment import Equipment, Framing, ModbusLink, SerialPort
from gateway.model.moment import SECOND
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import Function, ModbusPlace, ReadLimits, RegisterType

NAME = Text(zh="表", en="Meter")


def meter(unit, *addresses, interval=SECOND, limits=None):
    name = f"meter-{unit}"
    return Equipment(
        id=name,
        name=NAME,
        equipment_class="meter",
        profile="x",
        model=NAME,
        area="a",
        link="bus",
        unit=unit,
        poll=interval,
        points=tuple(
            Point(
                id=f"{name}.p{address}",
                equipment=name,
                key=f"p{address}",
                name=NAME,
                kind=PointKind.NUMBER,
                interval=interval,
            )
            for address in addresses
        ),
        modbus={
            f"p{address}": ModbusPlace(
                function=Function.HOLDING, address=address, type=RegisterType.UINT16
            )
            for address in addresses
        },
        limits=limits or ReadLimits(),
    )


def line(baud=9600, parity="N", stop_bits=1, pause=0.0):
    port = SerialPort(device="/dev/ttyS0", baud=baud, parity=parity, stop_bits=stop_bits)
    return ModbusLink(id="bus", serial=port, framing=Framing.RTU, timeout=1.0, pause=pause)


@pytest.mark.parametrize(
    ("link", "characters", "bits", "silences"),
    [
        # 10 registers: 8 characters are asked, 25 answered; before each a silence.
        (line(), 33, 10, 2 * 3.5 * 10 / 9600),
        (line(parity="E"), 33, 11, 2 * 3.5 * 11 / 9600),
        (line(stop_bits=2), 33, 11, 2 * 3.5 * 11 / 9600),
        (line(baud=115_200), 33, 10, 2 * 0.00175),
        (line(pause=0.1), 33, 10, 3.5 * 10 / 9600 + 0.1),
    ],
)
def test_one_exchange_a_second_by_hand(link, characters, bits, silences):
    told = budget(link, [meter(1, *range(10))])
    by_hand = characters * bits / link.serial.baud + silences + 0.010
    assert told.seconds_per_second == pytest.approx(by_hand, abs=1e-4)
    assert (told.requests, told.keeps) == (1, True)


def test_a_line_that_cannot_keep_its_interval_is_said_with_the_numbers():
    """Thirty meters of 40 registers each second: 30 × (93 characters + 2 silences + 10 ms)."""
    meters = [meter(unit, *range(40)) for unit in range(1, 31)]
    told = budget(line(), meters)
    assert told.seconds_per_second == pytest.approx(30 * (100 * 10 / 9600 + 0.010), abs=1e-3)
    assert not told.keeps
    assert told.text == (
        "30 requests/s need 3.43 s of each second (9600 baud 8N1, assumed 10 ms for the device "
        "to answer)"
    )
    slower = [meter(unit, *range(40), interval=5 * SECOND) for unit in range(1, 31)]
    assert budget(line(), slower).keeps


def test_over_tcp_only_a_pause_is_reckoned_with():
    meters = [meter(unit, *range(40)) for unit in range(1, 31)]
    free = ModbusLink(id="bus", host="h", port=502, timeout=1.0)
    told = budget(free, meters)
    assert (told.seconds_per_second, told.requests, told.keeps, told.text) == (0, 30, True, "")
    paused = ModbusLink(id="bus", host="h", port=502, timeout=1.0, pause=0.05)
    told = budget(paused, meters)
    assert told.seconds_per_second == pytest.approx(30 * 0.055)
    assert not told.keeps
    assert "TCP, a pause of 50 ms, assumed 5 ms for a round trip" in told.text


def test_bug_a_line_behind_a_converter_was_never_too_slow():
    """As of the line itself, and 5 ms besides for each request to get there and back."""
    behind = ModbusLink(
        id="bus",
        host="h",
        port=502,
        framing=Framing.RTU,
        timeout=1.0,
        line=SerialPort(device="", baud=9600),
    )
    meters = [meter(unit, *range(40)) for unit in range(1, 31)]
    told = budget(behind, meters)
    alone = budget(line(), meters).seconds_per_second
    assert told.seconds_per_second == pytest.approx(alone + 30 * 0.005, abs=1e-3)
    assert not told.keeps
    assert "10 ms for the device to answer and 5 ms for a round trip" in told.text


def test_a_device_that_gives_few_registers_at_once_needs_more_requests():
    narrow = meter(1, *range(40), limits=ReadLimits(registers=10))
    assert budget(line(), [narrow]).requests == 4
    assert limits_of([meter(1, 0), narrow]) == ReadLimits(registers=10)


def test_equipment_without_a_unit_is_refused():
    with pytest.raises(ValueError, match="has no Modbus unit"):
        budget(line(), [meter(None, 0)])
