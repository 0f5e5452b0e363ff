"""Certificate files on the way to broker and databases."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from brokers import BrokerProcess, mosquitto_broker, self_made_certificate
from influx import PASSWORD, USER
from postgres import running_postgres
from records import record

from api.data_directory import DataDirectory
from api.servers import INFLUX_BUCKET, INFLUX_CA, INFLUX_TOKEN, INFLUX_URL, LEDGER
from api.settings import CannotStartError, demo_site
from api.stores import history_of, ledger_of
from gateway.bus.mqtt import MqttBus
from gateway.history.base import Cursor
from gateway.model.equipment import Broker, BrokerTls
from gateway.mqtt.link import MqttMessage, MqttSession
from gateway.site import files as site_file


@pytest.fixture
def broker(mosquitto, tmp_path, free_port):
    certificate = self_made_certificate(tmp_path / "tls", "broker")
    with mosquitto_broker(mosquitto, tmp_path, free_port, tls=certificate) as made:
        yield made


async def connects(bus: MqttBus) -> bool:
    await bus.start()
    try:
        return bus.connected
    finally:
        await bus.close()


def test_bus_and_devices_reach_an_encrypted_broker(broker: BrokerProcess, until) -> None:
    async def check() -> None:
        bus = MqttBus(broker.address, "bus")
        heard: list[MqttMessage] = []

        def hear(message: MqttMessage) -> None:
            heard.append(message)
            message.ack()

        session = MqttSession(broker.address, "devices", ["d/+"], hear)
        stop = asyncio.Event()
        running = asyncio.create_task(session.run(stop))
        await bus.start()
        await until(lambda: bus.connected and session.connected)
        for number in range(200):
            await bus.publish("d/x", f"{number}".encode() * 50)
        await until(lambda: len(heard) == 200)
        assert [m.payload for m in heard] == [f"{n}".encode() * 50 for n in range(200)]
        stop.set()
        await running
        await bus.close()

    asyncio.run(check())


def test_messages_that_come_in_one_piece_of_tls_are_all_heard(tmp_path, free_port, until) -> None:
    """The socket tells of such a piece once, however many messages are in it."""
    certificate = self_made_certificate(tmp_path / "tls", "broker")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(certificate.certificate), certificate.key)
    publish = [b"\x30\x06\x00\x03d/x" + payload for payload in (b"1", b"2", b"3")]

    def broker(listener: socket.socket) -> None:
        raw, _ = listener.accept()
        with context.wrap_socket(raw, server_side=True) as connection:
            connection.recv(1000)
            connection.sendall(b"\x20\x02\x00\x00")
            number = connection.recv(1000)[2:4]
            connection.sendall(b"\x90\x03" + number + b"\x01" + b"".join(publish))
            while connection.recv(1000):
                pass

    async def check() -> None:
        listener = socket.create_server(("127.0.0.1", free_port))
        thread = threading.Thread(target=broker, args=(listener,), daemon=True)
        thread.start()
        address = Broker(
            host="127.0.0.1", port=free_port, username="", password="", tls=certificate
        )
        heard: list[bytes] = []
        session = MqttSession(address, "devices", ["d/+"], lambda m: heard.append(m.payload))
        stop = asyncio.Event()
        running = asyncio.create_task(session.run(stop))
        await until(lambda: heard == [b"1", b"2", b"3"])
        stop.set()
        await running
        listener.close()

    asyncio.run(check())


def test_a_broker_with_another_certificate_is_not_believed(
    broker: BrokerProcess, tmp_path: Path
) -> None:
    stranger = self_made_certificate(tmp_path / "other", "stranger")
    address = broker.address
    assert address.tls is not None
    fooled = replace(address.tls, authorities=stranger.authorities)
    assert not asyncio.run(connects(MqttBus(replace(address, tls=fooled), "a")))


def test_a_client_without_a_certificate_is_not_let_in(broker: BrokerProcess) -> None:
    address = broker.address
    assert address.tls is not None
    anonymous = BrokerTls(authorities=address.tls.authorities)
    assert not asyncio.run(connects(MqttBus(replace(address, tls=anonymous), "a")))
    assert not asyncio.run(connects(MqttBus(replace(address, tls=None), "a")))
    assert asyncio.run(connects(MqttBus(address, "a")))


def test_a_ledger_server_is_believed_by_its_certificate(
    postgres, tmp_path, free_port, monkeypatch
) -> None:
    certificate = self_made_certificate(tmp_path / "tls", "database")
    stranger = self_made_certificate(tmp_path / "other", "stranger")
    data = DataDirectory.open(tmp_path / "data")
    with running_postgres(postgres, free_port, durable=False, tls=certificate) as server:
        url = f"{server.new_database()}?sslmode=verify-full&sslrootcert="
        monkeypatch.setenv(LEDGER, url + str(certificate.authorities))
        ledger_of(data).close()
        monkeypatch.setenv(LEDGER, url + str(stranger.authorities))
        with pytest.raises(CannotStartError, match="certificate verify failed"):
            ledger_of(data)


def test_a_history_server_is_believed_by_its_certificate(
    influx_server, tmp_path, monkeypatch
) -> None:
    certificate = self_made_certificate(tmp_path / "tls", "history")
    stranger = self_made_certificate(tmp_path / "other", "stranger")
    address = influx_server.new_database()
    data, site = DataDirectory.open(tmp_path / "data"), site_file.load(demo_site())
    monkeypatch.setenv(INFLUX_URL, influx_server.front(certificate))
    monkeypatch.setenv(INFLUX_BUCKET, address.bucket)
    monkeypatch.setenv(INFLUX_TOKEN, f"{USER}:{PASSWORD}")
    monkeypatch.setenv(INFLUX_CA, str(certificate.authorities))
    history = history_of(data, site)
    history.write([record(1, {"p.a": 1}, at=1)], Cursor("e", 1))
    assert history.cursor("g") == Cursor("e", 1)
    history.close()
    monkeypatch.setenv(INFLUX_CA, str(stranger.authorities))
    with pytest.raises(CannotStartError, match="certificate verify failed"):
        history_of(data, site)
