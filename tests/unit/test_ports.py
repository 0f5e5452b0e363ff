"""Choosing ports, and keeping two dutyrooms from choosing the same."""

from __future__ import annotations

import socket

from api.ports import can_listen, reserve, reserve_any, why_not

HOST = "127.0.0.1"


def test_a_port_with_a_listener_is_taken_and_then_free_again(free_port: int) -> None:
    with socket.create_server((HOST, free_port)):
        assert not can_listen(HOST, free_port)
        assert why_not(HOST, free_port) == "Address already in use"
    assert can_listen(HOST, free_port)


def test_an_address_of_another_machine_is_not_ours() -> None:
    # 192.0.2.0/24 belongs to nobody (RFC 5737).
    assert why_not("192.0.2.1", 8000)


def test_a_port_is_reserved_once_and_can_still_be_listened_on(free_port: int) -> None:
    with reserve(HOST, free_port) or socket.socket() as token:
        assert token.getsockname() == (HOST, free_port)
        assert reserve(HOST, free_port) is None
        # The one it was reserved for.
        socket.create_server((HOST, free_port)).close()
    again = reserve(HOST, free_port)
    assert again is not None
    again.close()


def test_a_port_with_a_listener_cannot_be_reserved(free_port: int) -> None:
    with socket.create_server((HOST, free_port)):
        assert reserve(HOST, free_port) is None
    # Nothing was left held by the vain attempt.
    token = reserve(HOST, free_port)
    assert token is not None
    token.close()


def test_any_reserved_port_is_one_that_nobody_else_gets() -> None:
    tokens = [reserve_any(HOST) for _ in range(20)]
    assert len({token.getsockname()[1] for token in tokens}) == 20
    for token in tokens:
        token.close()
