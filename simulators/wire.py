"""Simulated devices on real wires: a Modbus TCP server for a link, an MQTT client for a device.

The only file of the simulators that imports pymodbus and paho.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping, Sequence, Set
from functools import partial
from itertools import cycle
from queue import SimpleQueue

import structlog
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerRTU, FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.model.equipment import Broker, Equipment, Framing, ModbusLink
from gateway.model.profile import Function, MqttCommand
from gateway.paho_poll import install
from simulators.device_fault import (
    EXCHANGE,
    NONSENSE,
    DeviceFault,
    DeviceFaultKind,
    DeviceFaults,
    device_clock,
    spoiled,
    spoken,
    topics,
)
from simulators.messages import (
    Message,
    answers,
    changed,
    commanded,
    full_status,
    presence,
    rounded,
)
from simulators.model import Values
from simulators.registers import Run, differences, lay, written

log = structlog.get_logger("simulators")

_FULL_STATUS_EVERY = 10_000_000
"""µs between two complete reports of a lamp."""
_CHANGES_EVERY = 1_000_000
"""µs between two reports of changes."""
_WRITES = {
    5: Function.COIL,
    15: Function.COIL,
    6: Function.HOLDING,
    16: Function.HOLDING,
    22: Function.HOLDING,
    23: Function.HOLDING,
}
"""Function code of a request that writes → table."""
_REPEATED = 10
"""Times that a device says each report which says all twice."""


class WireError(Exception):
    """A wire cannot be laid: the address is taken or is none of this machine's."""


class ModbusWire:
    """The units behind one link, served on the link's host and port."""

    def __init__(self, link: ModbusLink, things: Sequence[Equipment]) -> None:
        self._link = link
        self._units: dict[int, list[Equipment]] = {}
        for thing in things:
            if thing.unit is not None:
                self._units.setdefault(thing.unit, []).append(thing)
        self._laid: dict[int, Sequence[Run]] = {}
        self._server: ModbusTcpServer | None = None
        self._exchange: dict[int, DeviceFault] = {}
        """Unit → what is wrong with its answers."""
        self._laying = False
        self._told: dict[str, dict[str, float]] = {}

    async def start(self, values: Values) -> None:
        """Serve, with ``values`` in the registers; raises :class:`WireError`."""
        self._laid = {unit: lay(things, values) for unit, things in self._units.items()}
        devices = [
            SimDevice(id=unit, simdata=_tables(runs), action=partial(self._act, unit))
            for unit, runs in self._laid.items()
        ]
        address = (self._link.host, self._link.port)
        if self._link.serial is not None:
            raise WireError(f"link {self._link.id}: a serial line cannot be simulated")
        framer = FramerType.RTU if self._link.framing is Framing.RTU else FramerType.SOCKET
        server = ModbusTcpServer(
            devices, framer=framer, address=address, trace_packet=self._answered
        )
        try:
            await server.serve_forever(background=True)
        except RuntimeError:
            raise WireError(
                f"link {self._link.id}: cannot listen on {address[0]}:{address[1]}; is it taken?"
            ) from None
        self._server = server
        log.info("registers served", link=self._link.id, at=f"{address[0]}:{address[1]}")

    async def show(self, values: Values, faults: DeviceFaults | None = None) -> None:
        """Put ``values`` into the registers, all of one table at once, as far as ``faults`` let
        the devices."""
        if self._server is None:
            return
        faults = faults or {}
        for unit, things in self._units.items():
            runs: Sequence[Run] = lay(things, values)
            own = [fault for thing in things for fault in faults.get(thing.id, ())]
            for thing in things:
                if thing.id in faults:
                    runs = spoiled(runs, thing, faults[thing.id])
            self._fail(unit, own)
            for run in differences(self._laid[unit], runs):
                self._laying = True
                await self._server.async_setValues(
                    unit, run.function.code, run.start, list(run.words)
                )
                self._laying = False
            self._laid[unit] = runs

    def _fail(self, unit: int, faults: Sequence[DeviceFault]) -> None:
        worst = [fault for kind in EXCHANGE for fault in faults if fault.kind is kind]
        if worst:
            self._exchange[unit] = worst[0]
        else:
            self._exchange.pop(unit, None)

    def told(self) -> Values:
        """What was written since this was asked last. Until then the registers hold it; then they
        show what the world makes of it."""
        told, self._told = self._told, {}
        for unit, things in self._units.items():
            if any(thing.id in told for thing in things):
                self._laid[unit] = ()
        return told

    async def _act(
        self,
        unit: int,
        code: int,
        _start: int,
        address: int,
        _count: int,
        _registers: Sequence[int],
        words: Sequence[int] | None,
    ) -> ExcCodes | None:
        """Called by the server before it answers; and when we lay registers, which never waits."""
        fault = self._exchange.get(unit)
        if fault is not None and fault.kind is DeviceFaultKind.SLOW and not self._laying:
            await asyncio.sleep(fault.wait)
        if code not in _WRITES:
            return None
        if fault is not None and fault.kind is not DeviceFaultKind.SLOW:
            return ExcCodes.DEVICE_FAILURE
        return self._take(unit, _WRITES[code], address, [int(word) for word in words or ()])

    def _take(
        self, unit: int, table: Function, address: int, words: Sequence[int]
    ) -> ExcCodes | None:
        """Somebody writes; refused where the device is not to be told anything."""
        told = written(self._units[unit], table, address, words)
        if told is None:
            return ExcCodes.ILLEGAL_ADDRESS
        for name, own in told.items():
            self._told[name] = {**self._told.get(name, {}), **own}
            log.info("told by registers", equipment=name, values=own)
        return None

    def _answered(self, sending: bool, data: bytes) -> bytes:
        """What goes out, or came in, instead of ``data``."""
        rtu = self._link.framing is Framing.RTU
        at = 0 if rtu else 6
        fault = self._exchange.get(data[at]) if sending and len(data) > at else None
        if fault is None or fault.kind is DeviceFaultKind.SLOW:
            return data
        if fault.kind is DeviceFaultKind.MUTE:
            return b""
        refusal = bytes((data[at], data[at + 1] | 0x80, fault.code))
        if rtu:
            return refusal + struct.pack(">H", FramerRTU.compute_CRC(refusal))
        return data[:4] + struct.pack(">H", len(refusal)) + refusal

    async def close(self) -> None:
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]


def _tables(
    runs: Sequence[Run],
) -> tuple[list[SimData], list[SimData], list[SimData], list[SimData]]:
    coils, discrete, holding, inputs = (
        _table([run for run in runs if run.function is function]) for function in Function
    )
    return coils, discrete, holding, inputs


def _table(runs: Sequence[Run]) -> list[SimData]:
    # A table must not be empty: one that is not used has a single place out of everyone's way.
    if not runs:
        return [SimData(address=65_520, values=[False] * 16, datatype=DataType.BITS)]
    return [
        SimData(
            address=run.start,
            values=[bool(word) for word in run.words] if run.function.is_bits else list(run.words),
            datatype=DataType.BITS if run.function.is_bits else DataType.REGISTERS,
        )
        for run in runs
    ]


class DeviceOnMqtt:
    """One device with a connection of its own, a will, and reports like the real one's."""

    def __init__(self, thing: Equipment, broker: Broker) -> None:
        self._thing = thing
        self._broker = broker
        self._said: Mapping[str, float] = {}
        self._full_due = 0
        self._changes_due = 0
        self._announced: bool | None = None
        self._asked = False
        """For all that it knows, since it last said something."""
        self._told: SimpleQueue[Mapping[str, float]] = SimpleQueue()
        self._mute = False
        self._questions = {request.topic for request in thing.status_requests}
        self._orders = {how.topic for how in thing.writes.values() if isinstance(how, MqttCommand)}
        self._nonsensical = cycle(NONSENSE)
        prefix = next(iter(thing.mqtt.values())).topic.partition("/")[0]
        install()
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"{prefix}-{thing.id}", clean_session=True
        )
        if broker.username:
            self._client.username_pw_set(broker.username, broker.password)
        if broker.tls is not None:
            tls = broker.tls
            self._client.tls_set(tls.authorities, tls.certificate, tls.key)
        self._client.reconnect_delay_set(min_delay=1, max_delay=15)
        self._client.on_connect = self._connected
        self._client.on_message = self._heard
        will = presence(thing, online=False)
        if will is not None:
            self._client.will_set(will.topic, will.payload, qos=1, retain=True)

    @property
    def equipment(self) -> str:
        """The id of the equipment that it is."""
        return self._thing.id

    def start(self) -> None:
        """Connect, now or as soon as the broker is there; the network has a thread of its own."""
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=30)
        self._client.loop_start()

    def _connected(
        self,
        client: Client,
        _data: object,
        _flags: ConnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        # Runs in the network's thread: it only sets what the next show() looks at.
        if code.is_failure:
            log.warning("broker refuses the simulated device", device=self._thing.id, why=str(code))
            return
        self._announced = None
        for topic in self._questions | self._orders:
            client.subscribe(topic, 1)

    def _heard(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        told = commanded(self._thing, message.topic, bytes(message.payload))
        if told:
            self._told.put(told)
        elif message.topic in self._questions:
            self._asked = True

    def told(self) -> Mapping[str, float]:
        """What it was told since this was asked last: point key → value. A mute one is deaf."""
        told: dict[str, float] = {}
        while not self._told.empty():
            told |= self._told.get()
        if told and not self._mute:
            log.info("told by message", equipment=self.equipment, values=told)
            return told
        return {}

    def show(
        self, values: Values, now: int, *, silent: bool, faults: Sequence[DeviceFault] = ()
    ) -> None:
        """Report ``values`` if a report is due; ``now`` in µs UTC. Nothing while not connected:
        a device keeps no old reports. A ``silent`` one is only said to be away."""
        wrong = {fault.kind for fault in faults}
        self._mute = DeviceFaultKind.MUTE in wrong
        if not self._client.is_connected() or self._mute:
            return
        online = not silent
        if self._announced is not online:
            self._announced = online
            self._full_due = 0
            self._announce(online=online)
        if not online:
            return
        fresh = spoken(rounded(self._thing, values[self._thing.id]), faults)
        stamp = device_clock(now, faults)
        if self._asked:
            self._asked = False
            self._say(answers(self._thing, fresh, stamp), wrong)
        if now >= self._full_due:
            self._full_due = now + _FULL_STATUS_EVERY
            messages = full_status(self._thing, fresh, stamp)
        elif now >= self._changes_due:
            messages = changed(self._thing, self._said, fresh, stamp)
        else:
            return
        self._say(self._nonsense() if DeviceFaultKind.NONSENSE in wrong else messages, wrong)
        self._changes_due = now + _CHANGES_EVERY
        self._said = fresh

    def _nonsense(self) -> Sequence[Message]:
        payload = next(self._nonsensical)
        return [Message(topic=topic, payload=payload) for topic in topics(self._thing)]

    def _say(self, messages: Sequence[Message], wrong: Set[DeviceFaultKind]) -> None:
        times = _REPEATED if DeviceFaultKind.REPEATED in wrong else 1
        retain = DeviceFaultKind.RETAINED in wrong
        for message in messages:
            for _ in range(times):
                self._client.publish(message.topic, message.payload, qos=1, retain=retain)

    def _announce(self, *, online: bool) -> MQTTMessageInfo | None:
        said = presence(self._thing, online=online)
        if said is None:
            return None
        return self._client.publish(said.topic, said.payload, qos=1, retain=True)

    async def close(self) -> None:
        """Say goodbye as the will would, and go."""
        if self._client.is_connected():
            said = self._announce(online=False)
            if said is not None:
                await asyncio.to_thread(_wait, said)
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)


def _wait(said: MQTTMessageInfo) -> None:
    if said.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
        said.wait_for_publish(timeout=1.0)
