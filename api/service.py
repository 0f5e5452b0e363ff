"""The API as a service; it cannot tell whether gateway and rules are in this process or not."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator, Sequence

import structlog
import uvicorn
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp

from api.app import create_app
from api.demo import Demo
from api.desk import Desk
from api.jobs import Jobs
from api.live import Live
from api.settings import CannotStartError
from api.tls.door import PlainDoor
from api.tls.in_force import Tls
from gateway.bus.base import Bus
from gateway.bus.questions import Questions
from gateway.bus.stream import Subscriber, screen
from gateway.clock import Clock
from gateway.history.base import Cursor, History, HistoryUnavailableError
from gateway.latest import Latest
from gateway.model.equipment import Site
from rules import provisional
from rules.attached_files import AttachedFiles
from rules.commands import actions
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
_KEPT_S = 75
"""An idle connection stays open for so long: longer than a proxy before us keeps it (nginx: 60 s by
its ``keepalive_timeout`` of an upstream), so that no request comes just when we close it."""
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
    attached: AttachedFiles,
    link_key: bytes,
    jobs: Jobs | None = None,
    secure: bool = False,
    demo: Demo | None = None,
    tls: Tls | None = None,
    tls_port: int = 0,
) -> None:
    """Serve until ``stop``; the bus is started and closed by the caller.

    1. Take the port, so that a taken one is known before anything else happens.
    2. Fill the latest readings from the history: old ones, shown as stale until new ones come.
    3. Hear the gateway, beginning behind what the history has, so that what lies in the spool
       between them is known too, and the rules, and serve; live streams end first when it is
       over.

    ``attached``: where photographs lie. ``link_key``: what contractors' links are made with.
    ``demo``: what a demonstration has beside the product.
    ``secure``: the page is reached by HTTPS, through a proxy that comes to ``port``. ``tls``: it is
    reached by our own HTTPS on ``tls_port``; without a proxy ``port`` then only leads there.
    Raises :class:`CannotStartError` where a port cannot be had.
    """
    listener = _listener(host, port)
    tls_listener = None if tls is None else _listener(host, tls_port)
    latest = Latest(site)
    after = await _prime(latest, site, history)
    questions = Questions(bus, site.id, site.gateway, clock=clock)
    app = create_app(
        site=site,
        rulebook=rulebook,
        ledger=ledger,
        history=history,
        latest=latest,
        clock=clock,
        questions=questions,
        secure=secure or tls is not None,
        hsts=secure,
        demo=demo,
        tls=tls,
        plain_port=port,
        tls_port=tls_port,
        jobs=jobs,
        attached=attached,
        link_key=link_key,
    )
    questions.start()
    unsubscribe = bus.subscribe(provisional.topic(site.id), app.state.desk.provisional.hear)
    doors = [(_Server(_config(app, tls)), tls_listener or listener)]
    if tls_listener is not None:
        plain = app if secure else PlainDoor(app, tls_port=tls_port)
        doors.append((_Server(_config(plain, lives=False)), listener))
    hearing = asyncio.create_task(hear(site, bus, latest, clock, after))
    servers = [door for door, _ in doors]
    stopping = asyncio.create_task(_stop(servers, app.state.live, stop))
    tidying = asyncio.create_task(_give_up(app.state.desk))
    serving = [asyncio.create_task(door.serve(sockets=[at])) for door, at in doors]
    following = [] if tls is None else [asyncio.create_task(tls.follow())]
    for _, at in doors:
        log.info("serving", address=_address(at, is_tls=at is tls_listener))
    try:
        done, _ = await asyncio.wait(
            (hearing, *serving, *following), return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
    finally:
        unsubscribe()
        questions.close()
        await _ended(serving, stop)
        tasks = (hearing, stopping, *serving, *following, tidying)
        for task in tasks:
            task.cancel()
        ending = [] if jobs is None else [asyncio.to_thread(jobs.close)]
        await asyncio.gather(*tasks, *ending, return_exceptions=True)
        for _, at in doors:
            at.close()


async def _give_up(desk: Desk) -> None:
    """Commands that the last run of the API waited for when it died."""
    try:
        await desk.in_ledger(lambda: actions.give_up(desk.ledger, desk.site, now=desk.clock.now()))
    except SQLAlchemyError:
        log.warning("the ledger is away; commands are looked at when they are asked for")


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs the process."""
        yield


async def _ended(serving: Sequence[asyncio.Task[None]], stop: asyncio.Event) -> None:
    """Where they were asked to end, each door ends by itself: requests at the other one too."""
    if stop.is_set():
        await asyncio.wait(serving, timeout=2 * _SHUTDOWN_S)


def _config(app: ASGIApp, tls: Tls | None = None, *, lives: bool = True) -> uvicorn.Config:
    """``lives``: the life of the application goes with this server's, for one of them only."""
    return uvicorn.Config(
        app,
        lifespan="on" if lives else "off",
        ssl_context_factory=None if tls is None else lambda _config, _default: tls.context,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEPT_S,
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


async def _stop(servers: Sequence[uvicorn.Server], live: Live, stop: asyncio.Event) -> None:
    await stop.wait()
    live.end()
    for server in servers:
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


def _address(listener: socket.socket, *, is_tls: bool) -> str:
    host, port, *_ = listener.getsockname()
    scheme = "https" if is_tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
