"""A probe against a real server with a hole, and against devices that misbehave block by block."""

import asyncio
import socket
import struct
from contextlib import asynccontextmanager

import numpy as np
import pytest
from pymodbus.framer import FramerRTU, FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.modbus.link import FailureKind, ModbusSession, ReadFailure
from gateway.modbus.plan import Block
from gateway.model.equipment import Framing, ModbusLink, is_life_safety
from gateway.model.profile import Function, RegisterType
from gateway.model.words import bounds, number_words
from gateway.probe.plausible import Verdict
from gateway.probe.reading import probe
from gateway.probe.report import document
from gateway.profile.files import SHIPPED, load_profiles

PROFILES = load_profiles([SHIPPED])
GUARDED = [
    name
    for name, file in sorted(PROFILES.items())
    if file.profile.protocol == "modbus" and is_life_safety(file.profile.equipment_class)
]
VALUES = {"V": 231.7, "A": 12.3, "W": 2850.0, "Hz": 49.98, "%": 2.5, "kWh": 34567.8}


def words_of(file, parameters=None, swap=False, shift=0):
    """The registers of a healthy device."""
    parameters = parameters or {n: p.low for n, p in file.document.parameters.items()}
    words = {}
    for at, (key, place) in enumerate(file.modbus_places(parameters).items()):
        if place.type is RegisterType.ASCII:
            continue
        point = next(point for point in file.profile.points if point.key == key)
        value = min(VALUES.get(point.unit, 0.0) * (1 - 0.01 * at), point.high or 1e9)
        limits = bounds(place)
        raw = (value - place.offset) / place.scale
        raw = raw if limits is None else round(min(max(raw, limits[0]), limits[1]))
        laid = number_words(place, raw)
        for address, word in enumerate(laid[::-1] if swap else laid, place.address + shift):
            words[place.function, address] = words.get((place.function, address), 0) | word
    return words


def filled(words):
    """With zeros between and beside, as most devices have them."""
    for function in {function for function, _ in words}:
        known = [address for own, address in words if own is function]
        for address in range(max(min(known) - 2, 0), max(known) + 3):
            words.setdefault((function, address), 0)
    return words


class Device:
    """Answers by block from ``words``; what it does not have it refuses, or is silent about."""

    def __init__(self, words, *, refusal=2, silent_gaps=False, dead=False):
        self.words = words
        self.refusal = refusal
        self.silent_gaps = silent_gaps
        self.dead = dead
        self.asked: list[Block] = []

    async def read(self, unit, block):
        self.asked.append(block)
        if self.dead:
            raise ReadFailure(FailureKind.NO_REPLY, f"no_reply: unit {unit}, 1 s")
        found = [self.words.get((block.function, at)) for at in range(block.address, block.end)]
        if None in found:
            if self.silent_gaps:
                raise ReadFailure(FailureKind.NO_REPLY, f"no_reply: unit {unit}, 1 s")
            told = f"device_exception: {self.refusal} refused"
            raise ReadFailure(FailureKind.EXCEPTION, told, self.refusal)
        return np.array(found, dtype=np.bool_ if block.function.is_bits else np.uint16)


def probed(device, name, parameters=None, **given):
    file = PROFILES[name]
    parameters = parameters or {n: p.low for n, p in file.document.parameters.items()}
    return asyncio.run(probe(device, 1, file, parameters, rest=0.0, **given))


def test_a_right_device_is_all_good():
    report = probed(Device(filled(words_of(PROFILES["eastron-sdm630"]))), "eastron-sdm630")
    assert {one.verdict for one in report.points} == {Verdict.GOOD}
    assert (report.dead, report.silence, report.restricted) == ((), None, False)
    assert all(asked.outcome == "ok" for asked in report.asked)
    volts = report.points[0]
    assert (volts.point.key, volts.value, volts.text, volts.reason) == (
        "voltage_l1",
        231.7,
        None,
        None,
    )
    assert volts.raw == (0x4367, 0xB333)


def test_words_the_wrong_way_round_are_named_in_the_document():
    words = filled(words_of(PROFILES["eastron-sdm630"], swap=True))
    told = document(probed(Device(words), "eastron-sdm630"))
    volts = told["points"][0]
    assert volts["verdict"] == "implausible"
    assert volts["changes"][0]["change"] == "CDAB"
    assert volts["changes"][0]["value"] == pytest.approx(231.7, rel=1e-4)
    assert volts["hint"]["en"].startswith("byte order CDAB gives 231.7 V and mends ")
    assert volts["hint"]["zh"].startswith("字节序 CDAB 得 231.7 V")


def test_a_table_that_is_off_by_one_is_told_from_the_registers_beside():
    file = PROFILES["schneider-iem3000"]
    words = filled(words_of(file, shift=-1))
    report = probed(Device(words), "schneider-iem3000")
    named = [one.hints[0].change.told for one in report.points if one.hints]
    assert len(named) >= 3
    assert set(named) == {"-1"}


def test_what_the_device_does_not_have_is_named_address_by_address():
    words = filled(words_of(PROFILES["eastron-sdm630"]))
    for address in (0x46, 0x47, 0xEC, 0xED):
        del words[Function.INPUT, address]
    report = probed(Device(words), "eastron-sdm630")
    assert [(block.address, block.count, why) for block, why in report.dead] == [
        (0x46, 2, "device_exception: 2 refused"),
        (0xEC, 2, "device_exception: 2 refused"),
    ]
    unread = {one.point.key for one in report.points if one.verdict is None}
    assert unread == {"frequency", "thd_voltage_l2"}
    assert len(report.asked) < 25
    assert {a["address"] for a in document(report)["dead_addresses"]} == {0x46, 0x47, 0xEC, 0xED}


def test_a_device_that_is_silent_about_what_it_lacks_is_read_all_the_same():
    words = filled(words_of(PROFILES["eastron-sdm630"]))
    del words[Function.INPUT, 0x46]
    report = probed(Device(words, silent_gaps=True), "eastron-sdm630")
    assert report.silence is None
    assert [block.address for block, _ in report.dead] == [0x46]
    assert {one.point.key for one in report.points if one.verdict is None} == {"frequency"}


def test_a_function_that_the_device_does_not_know_is_asked_once():
    report = probed(Device({}, refusal=1), "eastron-sdm630")
    assert len(report.asked) == 1
    assert report.silence is None
    assert {one.reason for one in report.points} == {"device_exception: 1 refused"}


def test_nobody_there_ends_soon_and_says_so():
    device = Device({}, dead=True)
    report = probed(device, "eastron-sdm630")
    assert report.silence == "no_reply: unit 1, 1 s"
    assert len(device.asked) <= 4
    assert report.dead == ()
    assert document(report)["answered"] is False


@pytest.mark.parametrize("name", GUARDED)
def test_fire_and_lift_equipment_is_asked_for_its_own_addresses_only(name):
    """Whatever it answers: nonsense, refusals, silence."""
    file = PROFILES[name]
    parameters = {n: p.low for n, p in file.document.parameters.items()}
    own = {
        (place.function, place.address + at)
        for place in file.modbus_places(parameters).values()
        for at in range(place.registers)
    }
    nonsense = {key: 0xABCD if not key[0].is_bits else 1 for key in own}
    halved = dict(list(nonsense.items())[::2])
    for device in (Device(nonsense), Device(halved), Device(halved, silent_gaps=True)):
        report = probed(device, name)
        assert report.restricted
        asked = {(b.function, at) for b in device.asked for at in range(b.address, b.end)}
        assert asked <= own


def test_restricted_holds_whatever_the_class_of_the_profile():
    device = Device(words_of(PROFILES["eastron-sdm630"], swap=True))
    probed(device, "eastron-sdm630", restricted=True)
    places = PROFILES["eastron-sdm630"].modbus_places({}).values()
    own = {place.address + at for place in places for at in (0, 1)}
    assert {at for block in device.asked for at in range(block.address, block.end)} <= own


def test_a_session_that_still_waits_for_an_old_reply_is_left_alone_for_a_moment():
    class Held(Device):
        refused = False

        async def read(self, unit, block):
            if not self.refused:
                self.refused = True
                raise ReadFailure(FailureKind.HELD, "no_reply: unit 1, 1 s")
            return await super().read(unit, block)

    report = probed(Held(filled(words_of(PROFILES["eastron-sdm630"]))), "eastron-sdm630")
    assert {one.verdict for one in report.points} == {Verdict.GOOD}


def test_progress_is_told_with_every_request():
    told = []
    probed(
        Device(filled(words_of(PROFILES["eastron-sdm630"]))),
        "eastron-sdm630",
        told=lambda done, total: told.append((done, total)),
    )
    assert told[-1][0] == told[-1][1] == len(told)


@asynccontextmanager
async def serving(device, framer=FramerType.SOCKET):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = ModbusTcpServer([device], framer=framer, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield port
    finally:
        await server.shutdown()


@pytest.mark.parametrize("framing", list(Framing))
def test_a_real_server_with_a_hole(framing):
    file = PROFILES["eastron-sdm630"]
    words = words_of(file)
    first = [words.get((Function.INPUT, at), 0) for at in range(0x46)]
    behind = [words.get((Function.INPUT, at), 0) for at in range(0x48, 0x200)]
    tables = (
        [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
        [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
        [SimData(0, values=[0], datatype=DataType.REGISTERS)],
        [
            SimData(0, values=first, datatype=DataType.REGISTERS),
            SimData(0x48, values=behind, datatype=DataType.REGISTERS),
        ],
    )

    async def run():
        framer = FramerType.RTU if framing is Framing.RTU else FramerType.SOCKET
        async with serving(SimDevice(1, simdata=tables), framer) as port:
            session = ModbusSession(
                ModbusLink(id="x", host="127.0.0.1", port=port, framing=framing, timeout=1.0)
            )
            report = await probe(session, 1, file, {})
            await session.close()
        return report

    report = asyncio.run(run())
    assert [(block.address, block.count) for block, _ in report.dead] == [(0x46, 2)]
    assert [one.point.key for one in report.points if not one.is_right] == ["frequency"]
    assert report.points[0].value == 231.7


@pytest.mark.parametrize("framing", list(Framing))
def test_a_line_on_which_only_one_address_is_met_with_silence(framing):
    """Through the real session, with what it does after a timeout; replies of 50 ms at most."""
    file = PROFILES["climate-transmitter"]
    words = filled(words_of(file))
    hole = (Function.HOLDING, file.modbus_places({})["humidity"].address)

    async def serve(reader, writer):
        try:
            while request := await reader.read(300):
                head = 0 if framing is Framing.RTU else 6
                unit, code, start, count = struct.unpack_from(">BBHH", request, head)
                span = [(Function.HOLDING, at) for at in range(start, start + count)]
                if hole in span:
                    continue
                body = bytes([unit, code, 2 * count]) + b"".join(
                    words.get(key, 0).to_bytes(2, "big") for key in span
                )
                if framing is Framing.RTU:
                    body += FramerRTU.compute_CRC(body).to_bytes(2, "big")
                else:
                    body = request[:4] + len(body).to_bytes(2, "big") + body
                writer.write(body)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def run():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        link = ModbusLink(id="x", host="127.0.0.1", port=port, framing=framing, timeout=0.1)
        session = ModbusSession(link)
        report = await probe(session, 1, file, {}, rest=1.2)
        await session.close()
        server.close()
        return report

    report = asyncio.run(run())
    assert report.silence is None
    assert [one.point.key for one in report.points if not one.is_right] == ["humidity"]
    assert [(block.address, block.count) for block, _ in report.dead] == [(hole[1], 1)]
