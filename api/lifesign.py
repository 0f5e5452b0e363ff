"""A service's sign of life, from its own event loop: to systemd, and to the log where it stalls.

systemd names a socket in ``NOTIFY_SOCKET`` and says in ``WATCHDOG_USEC`` how often it wants to
hear ``WATCHDOG=1`` before it kills the process (sd_notify(3), sd_watchdog_enabled(3)). What comes
from the loop itself shows that it turns: a loop that hangs sends nothing.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import structlog

from api import lifeline
from api.logs import to_stderr
from api.metrics import STALLS

EVERY_S = 1.0
STALL_S = 1.0
"""So much later than it was due the loop must come back to count as stalled."""
_FILES = 65_536

log = structlog.get_logger(__name__)


def serve(service: Coroutine[Any, Any, None]) -> None:
    """Run a service until it is told to end, or until its parent is gone."""
    to_stderr()
    lifeline.hold()
    open_more_files()
    asyncio.run(beside(service))


def open_more_files() -> None:
    """As many as the system allows, up to 65,536: a shell allows 1,024, which two hundred browsers
    use up, for each opens six connections."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    if allowed < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


async def beside(service: Coroutine[Any, Any, None]) -> None:
    """Run ``service``; while the event loop turns, systemd hears of it, if it wants to."""
    address = _address()
    tell(address, "READY=1")
    beating = asyncio.create_task(_beat(address, _period()))
    try:
        await service
    finally:
        tell(address, "STOPPING=1")
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating


def tell(address: str, state: str) -> None:
    """One datagram to systemd; "" is nobody. Nobody waits for it, and nothing depends on it."""
    if not address:
        return
    # A name that begins with @ is one of the abstract ones, which begin with a NUL byte.
    target = f"\0{address[1:]}" if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto(state.encode(), target)


def _address() -> str:
    """The socket, where it is this very process that systemd wants to hear."""
    wanted = os.environ.get("WATCHDOG_PID", "")
    address = os.environ.pop("NOTIFY_SOCKET", "")
    return address if wanted in ("", str(os.getpid())) else ""


def _period() -> float:
    """s between two signs: half of what systemd waits for, as its manual asks."""
    wanted = os.environ.get("WATCHDOG_USEC", "")
    return min(EVERY_S, int(wanted) / 2e6) if wanted.isdecimal() and int(wanted) else EVERY_S


async def _beat(address: str, period: float) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + period
        await asyncio.sleep(period)
        late = loop.time() - due
        if late >= STALL_S:
            STALLS.inc()
            log.warning("the event loop was held up", seconds=round(late, 1))
        tell(address, "WATCHDOG=1")
