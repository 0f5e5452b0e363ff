"""The API as a service; it cannot tell whether gateway and rules are in this process or not."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import structlog
import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.live import Live
from api.settings import CannotStartError
from gateway.bus.base import Bus
from gateway.bus.stream import Subscriber
from gateway.clock import Clock
from gateway.history.base import History, HistoryUnavailableError
from gateway.latest import Latest
from gateway.model.equipment import Site
from rules.ledger.store import Ledger
from rules.rule import Rulebook

_CONSUMER = "api"
_SHUTDOWN_S = 3
"""Requests that are under way have so long to end."""
SEND_BUFFER = 256 * 1024
"""Bytes that the system holds for a reader; by itself it would take 4 MB for one that is deaf."""
_UNREAD_MS = 30_000
"""A connection whose other end takes nothing for so long is closed by the system."""

log = structlog.get_logger(__name__)


async def run(
    *,
    site: Site,
    rulebook: Rulebook,
    ledger: Ledger,
    history: History,
    bus: Bus,
    clock: Clock,
    host: str,
    port: int,
    stop: asyncio.Event,
    secure: bool = False,
) -> None:
    """Serve until ``stop``; the bus is started and closed by the caller.

    1. Take the port, so that a taken one is known before anything else happens.
    2. Fill the latest readings from the history: old ones, shown as stale until new ones come.
    3. Hear the gateway from now on, and serve; live streams end first when it is over.

    ``secure``: the page is reached by HTTPS, through a proxy that ends it.
    Raises :class:`CannotStartError` where the port cannot be had.
    """
    listener = _listener(host, port)
    latest = Latest(site)
    await _prime(latest, site, history)
    app = create_app(
        site=site,
        rulebook=rulebook,
        ledger=ledger,
        history=history,
        latest=latest,
        clock=clock,
        secure=secure,
    )
    server = _Server(_config(app))
    subscriber = Subscriber(bus, site.id, site.gateway, _CONSUMER, live_only=True)
    hearing = asyncio.create_task(_hear(subscriber, latest))
    stopping = asyncio.create_task(_stop(server, app.state.live, stop))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    log.info("serving", address=_address(listener))
    try:
        done, _ = await asyncio.wait((hearing, serving), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (hearing, stopping, serving):
            task.cancel()
        await asyncio.gather(hearing, stopping, serving, return_exceptions=True)
        listener.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs the process."""
        yield


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_S,
    )


async def _prime(latest: Latest, site: Site, history: History) -> None:
    try:
        latest.prime(await asyncio.to_thread(history.latest, tuple(site.points)))
    except HistoryUnavailableError as error:
        log.warning("nothing to show from before the start", error=str(error))


async def _hear(subscriber: Subscriber, latest: Latest) -> None:
    async for batch in subscriber.records():
        for _, record in batch:
            latest.take(record)


async def _stop(server: uvicorn.Server, live: Live, stop: asyncio.Event) -> None:
    await stop.wait()
    live.end()
    server.should_exit = True


def _listener(host: str, port: int) -> socket.socket:
    """A listening socket; it hands its options down to the connections it accepts."""
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(address[:2], family=family)
    except OSError as error:
        raise CannotStartError(f"cannot listen on {host} port {port}: {error.strerror}") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)
    listener.setblocking(False)
    return listener


def _address(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
