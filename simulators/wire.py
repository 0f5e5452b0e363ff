"""Simulated devices on real wires: a Modbus TCP server for a link, an MQTT client for a device.

The only file of the simulators that imports pymodbus and paho.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from paho.mqtt.client import Client, ConnectFlags, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gateway.model.equipment import Broker, Equipment, ModbusLink
from gateway.model.profile import Function
from simulators.messages import Message, changed, full_status, presence, rounded
from simulators.model import Values
from simulators.registers import Run, differences, lay

log = structlog.get_logger("simulators")

_FULL_STATUS_EVERY = 10_000_000
"""µs between two complete reports of a lamp."""
_CHANGES_EVERY = 1_000_000
"""µs between two reports of changes."""


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
        self._laid: dict[int, tuple[Run, ...]] = {}
        self._server: ModbusTcpServer | None = None

    async def start(self, values: Values) -> None:
        """Serve, with ``values`` in the registers; raises :class:`WireError`."""
        self._laid = {unit: lay(things, values) for unit, things in self._units.items()}
        devices = [_device(unit, runs) for unit, runs in self._laid.items()]
        address = (self._link.host, self._link.port)
        server = ModbusTcpServer(devices, address=address)
        try:
            await server.serve_forever(background=True)
        except RuntimeError:
            raise WireError(
                f"link {self._link.id}: cannot listen on {address[0]}:{address[1]}; is it taken?"
            ) from None
        self._server = server
        log.info("registers served", link=self._link.id, at=f"{address[0]}:{address[1]}")

    async def show(self, values: Values) -> None:
        """Put ``values`` into the registers, all of one table at once."""
        if self._server is None:
            return
        for unit, things in self._units.items():
            runs = lay(things, values)
            for run in differences(self._laid[unit], runs):
                await self._server.async_setValues(
                    unit, run.function.code, run.start, list(run.words)
                )
            self._laid[unit] = runs

    async def close(self) -> None:
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]


def _device(unit: int, runs: Sequence[Run]) -> SimDevice:
    coils, discrete, holding, inputs = (
        _table([run for run in runs if run.function is function]) for function in Function
    )
    return SimDevice(id=unit, simdata=(coils, discrete, holding, inputs))


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
        prefix = next(iter(thing.mqtt.values())).topic.partition("/")[0]
        self._client = Client(
            CallbackAPIVersion.VERSION2, client_id=f"{prefix}-{thing.id}", clean_session=True
        )
        if broker.username:
            self._client.username_pw_set(broker.username, broker.password)
        if broker.tls is not None:
            tls = broker.tls
            self._client.tls_set(tls.authorities, tls.certificate, tls.key)
        if broker.tls is not None:
            tls = broker.tls
            self._client.tls_set(tls.authorities, tls.certificate, tls.key)
        self._client.reconnect_delay_set(min_delay=1, max_delay=15)
        self._client.on_connect = self._connected
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
        _client: Client,
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

    def show(self, values: Values, now: int, *, silent: bool) -> None:
        """Report ``values`` if a report is due; ``now`` in µs UTC. Nothing while not connected:
        a device keeps no old reports. A ``silent`` one is only said to be away."""
        if not self._client.is_connected():
            return
        online = not silent
        if self._announced is not online:
            self._announced = online
            self._full_due = 0
            self._announce(online=online)
        if not online:
            return
        fresh = rounded(self._thing, values[self._thing.id])
        if now >= self._full_due:
            self._full_due = now + _FULL_STATUS_EVERY
            self._say(full_status(self._thing, fresh, now))
        elif now >= self._changes_due:
            self._say(changed(self._thing, self._said, fresh, now))
        else:
            return
        self._changes_due = now + _CHANGES_EVERY
        self._said = fresh

    def _say(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._client.publish(message.topic, message.payload, qos=1)

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
