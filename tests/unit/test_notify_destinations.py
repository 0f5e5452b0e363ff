"""Experiment 61: messages go to the destinations that are allowed, by whatever trick an address is
written; to others no packet leaves."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import httpx2
import pytest
from robots import OK_WECOM, Robot, mail_server, robot

from gateway.clock import ManualClock
from gateway.model.channels import Channel, ChannelKind
from gateway.site.destination import is_public, written_as_address
from rules.notify.carrier import Answer, Message, Outcome
from rules.notify.mail import Mail
from rules.notify.names import Names
from rules.notify.webhook import posted
from rules.notify.wire import ForbiddenDestinationError, Reply, Wire, destinations, told

NOWHERE = frozenset[str]()
LETTER = Message(
    id="x",
    body={
        "kind": "alarm_raised",
        "at": "2026-11-21T12:00:11.000+08:00",
        "title": {"zh": "报警", "en": "Alarm"},
        "priority": "critical",
        "life_safety": False,
        "site": {"id": "s", "zh": "花园", "en": "Garden"},
        "area": None,
        "equipment": None,
        "guidance": None,
        "possibly_repeated": False,
    },
)


class NoPacket:
    """Any connection at all fails the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tried: list[Any] = []

        def connect(_self: socket.socket, address: Any) -> None:
            if _self.family != socket.AF_UNIX:
                self.tried.append(address)
                raise AssertionError(f"a packet to {address}")

        monkeypatch.setattr(socket.socket, "connect", connect)
        monkeypatch.setattr(socket.socket, "connect_ex", connect)

        async def sock_connect(_loop: object, _socket: object, address: Any) -> None:
            connect(socket.socket(), address)

        monkeypatch.setattr(
            "asyncio.selector_events.BaseSelectorEventLoop.sock_connect", sock_connect
        )


@pytest.fixture
def no_packet(monkeypatch: pytest.MonkeyPatch) -> NoPacket:
    return NoPacket(monkeypatch)


def send(address: str, allow: frozenset[str] = NOWHERE, **more: Any) -> Reply | Answer:
    async def play() -> Reply | Answer:
        async with Wire(allow=allow, **more) as wire:
            return await wire.send(address, content=b"{}", headers={})

    return asyncio.run(play())


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "localhost",
        "localhost.",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "169.254.169.254",
        "2852039166",
        "10.0.0.8",
        "172.16.3.4",
        "192.168.1.1",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[fec0::1]",
        "192.88.99.1",
        "[3fff::1]",
        "[64:ff9b:1::a00:5]",
        "[2001:0:5db8:d70e:0:0:f5ff:fffa]",
        "[::10.0.0.5]",
        "[64:ff9b::c058:6301]",
    ],
)
def test_no_packet_leaves_for_an_address_that_is_not_public(host: str, no_packet: NoPacket) -> None:
    answer = send(f"http://{host}:9/latest/meta-data")
    assert isinstance(answer, Answer)
    assert answer.outcome is Outcome.REFUSED
    assert "not public" in answer.detail or answer.detail == "InvalidURL"
    assert no_packet.tried == []


def test_the_site_file_and_the_wire_judge_an_address_alike() -> None:
    """Site-local addresses passed the check of the site file and were refused at every notice."""
    for host in ("fec0::1", "64:ff9b:1::a00:5", "192.88.99.1", "2002:a00:5::", "::ffff:10.0.0.5"):
        address = written_as_address(host)
        assert address is not None
        assert not is_public(address)
    for host in ("93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e"):
        address = written_as_address(host)
        assert address is not None
        assert is_public(address)


def test_a_name_that_stands_for_a_private_address_is_refused(no_packet: NoPacket) -> None:
    async def inside(_host: str, _port: int) -> Sequence[str]:
        return ["93.184.215.14", "10.0.0.5"]

    answer = send("https://hooks.example.org/x", resolve=inside)
    assert isinstance(answer, Answer)
    assert "hooks.example.org is 10.0.0.5" in answer.detail
    assert no_packet.tried == []


def test_a_name_is_asked_for_once_and_the_answer_is_where_it_goes() -> None:
    """Rebinding: the second question would be answered with an address inside."""
    answers = [["93.184.215.14"], ["127.0.0.1"]]
    asked: list[str] = []
    went: list[httpx2.Request] = []

    async def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return answers.pop(0)

    async def handler(request: httpx2.Request) -> httpx2.Response:
        went.append(request)
        return httpx2.Response(204)

    reply = send(
        "https://hooks.example.org/x?key=1",
        resolve=rebinding,
        transport=httpx2.MockTransport(handler),
    )
    assert reply == Reply(status=204, body=b"")
    assert asked == ["hooks.example.org"]
    (request,) = went
    assert str(request.url) == "https://93.184.215.14/x?key=1"
    assert request.headers["Host"] == "hooks.example.org"
    assert request.extensions["sni_hostname"] == "hooks.example.org", "for the certificate"


def test_a_redirect_is_not_followed() -> None:
    async def play() -> tuple[Reply | Answer, int]:
        async with (
            robot(OK_WECOM) as inside,
            robot((302, inside.address.encode())) as outside,
            Wire(allow=frozenset({"127.0.0.1"})) as wire,
        ):
            reply = await wire.send(outside.address, content=b"{}", headers={})
            return reply, inside.connections

    reply, connections = asyncio.run(play())
    assert isinstance(reply, Reply)
    assert (reply.status, connections) == (302, 0)


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def play() -> tuple[Reply | Answer, int]:
        async with robot(OK_WECOM) as proxy, robot((204, b"")) as server:
            monkeypatch.setenv("HTTP_PROXY", proxy.address)
            monkeypatch.setenv("ALL_PROXY", proxy.address)
            async with Wire(allow=frozenset({"127.0.0.1"})) as wire:
                return await wire.send(server.address, content=b"", headers={}), proxy.connections

    reply, connections = asyncio.run(play())
    assert isinstance(reply, Reply)
    assert (reply.status, connections) == (204, 0)


def test_a_host_that_the_site_file_allows_may_be_anywhere() -> None:
    async def inside(_host: str, _port: int) -> Sequence[str]:
        return ["10.0.0.5"]

    found = asyncio.run(destinations("MAIL.house.", 25, frozenset({"mail.house"}), inside))
    assert found == ["10.0.0.5"]
    with pytest.raises(ForbiddenDestinationError):
        asyncio.run(destinations("other.house", 25, frozenset({"mail.house"}), inside))


def test_mail_too_goes_to_allowed_servers_only(no_packet: NoPacket) -> None:
    channel = Channel(
        id="mail",
        kind=ChannelKind.EMAIL,
        address="smtp://169.254.169.254:25",
        priorities=frozenset({"critical"}),
        to=("duty@example.org",),
        sender="dutyroom@example.org",
    )
    mail = Mail(channel, NOWHERE, ManualClock(0))
    answer = asyncio.run(mail.send(Message(id="x", body={})))
    assert (answer.outcome, no_packet.tried) == (Outcome.REFUSED, [])
    assert "not public" in answer.detail


def test_a_name_that_nobody_knows_was_not_reached() -> None:
    async def unknown(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    answer = send("https://hooks.example.org/x", resolve=unknown)
    assert isinstance(answer, Answer)
    assert answer.outcome is Outcome.REFUSED


# A name service that is dead


@pytest.fixture
def dead_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Asking hangs for every host but ``alive.example.org``; the hosts that were asked for."""
    asked: list[str] = []
    over = threading.Event()

    def getaddrinfo(host: str, port: int, **_more: object) -> list[Any]:
        asked.append(host)
        if host != "alive.example.org":
            over.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port))]

    monkeypatch.setattr("socket.getaddrinfo", getaddrinfo)
    monkeypatch.setattr("rules.notify.wire.TIMEOUT_S", 0.2)
    monkeypatch.setattr("rules.notify.names.PATIENCE_S", 0.1)
    yield asked
    over.set()


def test_a_dead_name_service_takes_no_thread_from_the_ledger(dead_names: list[str]) -> None:
    names = Names()

    async def play() -> tuple[list[Reply | Answer], str, list[str]]:
        async with Wire(allow=NOWHERE, resolve=names.ask) as wire:
            answers = [
                await wire.send("https://dead.example.org/", content=b"", headers={})
                for _ in range(6)
            ]
        free = await asyncio.gather(
            *(asyncio.to_thread(lambda: "free") for _ in range(40)),
        )
        return answers, free[-1], await names.ask("alive.example.org", 443)

    answers, free, found = asyncio.run(play())
    assert {one.outcome for one in answers if isinstance(one, Answer)} == {Outcome.REFUSED}
    assert len(answers) == 6
    assert dead_names == ["dead.example.org", "alive.example.org"], "one question a host"
    assert (free, found) == ("free", ["93.184.215.14"])


def test_several_who_ask_for_a_host_at_once_all_hear_the_answer(dead_names: list[str]) -> None:
    names = Names()

    async def play() -> list[list[str]]:
        return await asyncio.gather(*(names.ask("alive.example.org", 443) for _ in range(5)))

    assert asyncio.run(play()) == [["93.184.215.14"]] * 5


# Addresses of which some are silent


def test_a_silent_address_is_passed_over_and_remembered() -> None:
    """Silent and refusing alike, and next time the one that worked comes first."""
    went: list[str] = []

    async def two(_host: str, _port: int) -> Sequence[str]:
        return ["93.184.215.14", "93.184.215.15"]

    async def handler(request: httpx2.Request) -> httpx2.Response:
        went.append(request.url.host)
        if request.url.host == "93.184.215.14":
            assert request.extensions["timeout"]["connect"] <= 1.5
            raise httpx2.ConnectTimeout("")
        return httpx2.Response(204)

    async def play() -> list[Reply | Answer]:
        transport = httpx2.MockTransport(handler)
        async with Wire(allow=NOWHERE, resolve=two, transport=transport) as wire:
            there = "https://hooks.example.org/x"
            return [await wire.send(there, content=b"", headers={}) for _ in range(2)]

    assert asyncio.run(play()) == [Reply(status=204, body=b"")] * 2
    assert went == ["93.184.215.14", "93.184.215.15", "93.184.215.15"]


def test_mail_goes_on_to_the_next_address_of_its_server() -> None:
    async def two(_host: str, _port: int) -> Sequence[str]:
        return ["127.0.0.2", "127.0.0.1"]

    async def play() -> tuple[list[Answer], int]:
        async with mail_server() as server:
            channel = Channel(
                id="mail",
                kind=ChannelKind.EMAIL,
                address=f"smtp://mail.house:{server.port}",
                priorities=frozenset({"critical"}),
                to=("duty@example.org",),
                sender="dutyroom@example.org",
            )
            mail = Mail(channel, frozenset({"mail.house"}), ManualClock(0), resolve=two)
            try:
                answers = [await mail.send(LETTER) for _ in range(2)]
            finally:
                mail.close()
            return answers, len(server.letters)

    answers, letters = asyncio.run(play())
    assert [one.outcome for one in answers] == [Outcome.DELIVERED] * 2
    assert letters == 2


@pytest.mark.parametrize("scheme", ["https", "smtp", "smtps"])
def test_whoever_never_began_to_speak_was_not_reached(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It accepts the connection and says nothing: nobody can have the message."""
    monkeypatch.setattr("rules.notify.wire.TIMEOUT_S", 0.3)
    monkeypatch.setattr("rules.notify.mail.TIMEOUT_S", 0.3)
    here = frozenset({"127.0.0.1"})

    async def play() -> Reply | Answer:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}"
            if scheme == "https":
                async with Wire(allow=here) as wire:
                    return await wire.send(address, content=b"", headers={})
            mail = Mail(
                Channel(
                    id="mail",
                    kind=ChannelKind.EMAIL,
                    address=address,
                    priorities=frozenset({"critical"}),
                    to=("duty@example.org",),
                    sender="dutyroom@example.org",
                ),
                here,
                ManualClock(0),
            )
            try:
                return await mail.send(LETTER)
            finally:
                mail.close()

    answer = asyncio.run(play())
    assert isinstance(answer, Answer)
    assert answer.outcome is Outcome.REFUSED


# What an error may say


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx2.LocalProtocolError("Illegal header value b'Bearer s3cret'"), "LocalProtocolError"),
        (httpx2.InvalidURL("https://x/?key=s3cret"), "InvalidURL"),
        (httpx2.ReadError("s3cret"), "ReadError"),
        (UnicodeEncodeError("ascii", "s3cret", 0, 1, "ordinal"), "UnicodeEncodeError"),
        (httpx2.ConnectError("certificate has expired"), "ConnectError: certificate has expired"),
        (OSError("mail.house has no address"), "OSError: mail.house has no address"),
    ],
)
def test_an_error_is_quoted_only_where_it_can_hold_no_secret(error: Exception, said: str) -> None:
    assert told(error) == said


def test_a_notice_whose_id_no_header_can_hold_is_sent_all_the_same() -> None:
    async def play() -> tuple[Answer, Robot]:
        async with robot((204, b"")) as server, Wire(allow=frozenset({"127.0.0.1"})) as wire:
            answer = await posted(wire, server.address, "报警 1", b"{}", {})
            return answer, server

    answer, server = asyncio.run(play())
    assert answer.outcome is Outcome.DELIVERED
    assert server.heard[0].headers["idempotency-key"] == "%E6%8A%A5%E8%AD%A6%201"
