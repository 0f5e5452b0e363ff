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
from gateway.bus.stream import Subscriber, screen
from gateway.clock import Clock
from gateway.history.base import Cursor, History, HistoryUnavailableError
from gateway.latest import Latest
from gateway.model.equipment import Site
from rules import provisional
from rules.ledger.store import Ledger
from rules.rule import Rulebook

_PATIENCE_S = 6.0
"""So long values of the past are waited for; then live ones are shown without them."""
_PAST_AT_MOST = 20_000
"""Records that are caught up with at the start; of more, the oldest are only in the history."""
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
    3. Hear the gateway, beginning behind what the history has, so that what lies in the spool
       between them is known too, and the rules, and serve; live streams end first when it is
       over.

    ``secure``: the page is reached by HTTPS, through a proxy or otherwise.
    Raises :class:`CannotStartError` where the port cannot be had.
    """
    listener = _listener(host, port)
    latest = Latest(site)
    after = await _prime(latest, site, history)
    app = create_app(
        site=site,
        rulebook=rulebook,
        ledger=ledger,
        history=history,
        latest=latest,
        clock=clock,
        secure=secure,
    )
    unsubscribe = bus.subscribe(provisional.topic(site.id), app.state.desk.provisional.hear)
    server = _Server(_config(app))
    hearing = asyncio.create_task(hear(site, bus, latest, clock, after))
    stopping = asyncio.create_task(_stop(server, app.state.live, stop))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    log.info("serving", address=_address(listener))
    try:
        done, _ = await asyncio.wait((hearing, serving), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        unsubscribe()
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


async def _prime(latest: Latest, site: Site, history: History) -> Cursor | None:
    """Fill ``latest``; how far the history had come at least."""
    try:
        # In this order: what is written in between is in the readings, and heard once more.
        cursor = await asyncio.to_thread(history.cursor, site.gateway)
        latest.prime(await asyncio.to_thread(history.latest, tuple(site.points)))
    except HistoryUnavailableError as error:
        log.warning("nothing to show from before the start", error=str(error))
        return None
    return cursor


async def hear(site: Site, bus: Bus, latest: Latest, clock: Clock, after: Cursor | None) -> None:
    """Every record behind ``after`` into ``latest``, for ever. What is lost on the way is asked
    for again; if it is gone, everything is stale until it is heard again."""
    subscriber = Subscriber(
        bus,
        site.id,
        site.gateway,
        screen(),
        after,
        patience=_PATIENCE_S,
        at_most=_PAST_AT_MOST,
    )
    epoch, lost = after.epoch if after is not None else "", 0
    async for batch in subscriber.records():
        now = clock.now()
        for _, record in batch:
            if record.envelope.epoch != epoch:
                # The end of the old one, if it had one that we have not heard, is gone.
                epoch = record.envelope.epoch
                latest.doubt()
            latest.take(record, now)
        if subscriber.lost > lost:
            lost = subscriber.lost
            log.warning("readings missed, shown as stale until heard again", records=lost)
            latest.doubt()


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
