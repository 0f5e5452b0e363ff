"""Which addresses can be listened on."""

from __future__ import annotations

import socket


def can_listen(host: str, port: int) -> bool:
    """Whether a server could listen on ``host``:``port`` now."""
    return why_not(host, port) is None


def why_not(host: str, port: int) -> str | None:
    """Why a server could not listen on ``host``:``port``; None if it could."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            # As servers do: a port whose last connections are still fading away is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except (OSError, OverflowError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def reserve(host: str, port: int) -> socket.socket | None:
    """Keep ``port`` for a child that will listen on it; None if it is taken or reserved.

    Between looking and listening another dutyroom could choose the same port. The token is the
    UDP port of that number: one process can hold it, and the system takes it back at any death.
    Other programs do not know of it. Hold the result as long as the child may be started.
    """
    token = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        token.bind((host, port))
    except (OSError, OverflowError):
        token.close()
        return None
    if can_listen(host, port):
        return token
    token.close()
    return None


def reserve_any(host: str) -> socket.socket:
    """Keep some port, whose number is the token's own."""
    while True:
        token = reserve(host, free_port(host))
        if token is not None:
            return token
