"""``dutyroom watchdog``."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from api.settings import CannotStartError

Url = Annotated[
    str,
    typer.Option(
        envvar="DUTYROOM_WATCHDOG_URL", help="/healthz of what is watched, by the way people take."
    ),
]
Webhooks = Annotated[
    list[str] | None,
    typer.Option(
        "--webhook",
        envvar="DUTYROOM_WATCHDOG_WEBHOOK",
        help="Who is told; once an address, in the environment with spaces between them.",
    ),
]
Heartbeat = Annotated[
    str | None,
    typer.Option(
        envvar="DUTYROOM_WATCHDOG_HEARTBEAT",
        help="Hears of us every 30 s while all is well, and tells people when that stops.",
    ),
]


def watchdog(
    *,
    url: Url = "http://127.0.0.1:8000/healthz",
    webhook: Webhooks = None,
    heartbeat: Heartbeat = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 5.0,
    after: Annotated[
        float, typer.Option(min=0, help="Seconds without a good look before people are told.")
    ] = 20.0,
    unit: Annotated[
        str | None,
        typer.Option(help="Tell once that this unit of systemd has failed, and end."),
    ] = None,
) -> None:
    """Ask `/healthz` from outside, and tell people when it is not well, and when it is again."""
    from api import lifeline, watchdog
    from api.lifesign import serve
    from gateway.clock import SystemClock

    if not webhook:
        raise CannotStartError("nobody to tell: name one with --webhook")
    clock = SystemClock()
    if unit is not None:
        if not asyncio.run(watchdog.tell(webhook, watchdog.of_unit(unit, clock.now()))):
            raise typer.Exit(1)
        return

    async def watch() -> None:
        await watchdog.run(
            url=url,
            webhooks=webhook or (),
            heartbeat=heartbeat or None,
            every=every,
            after=after,
            clock=clock,
            stop=lifeline.stop_on_signals(),
        )

    serve(watch())
