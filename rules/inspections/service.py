"""The rounds as a service beside the alarms."""

from __future__ import annotations

import asyncio

from gateway.clock import Clock
from gateway.latest import Latest
from gateway.model.equipment import Site
from rules.ledger.store import Ledger
from rules.rule import Rulebook


async def run(
    *,
    site: Site,
    rulebook: Rulebook,
    ledger: Ledger,
    latest: Latest,
    clock: Clock,
    stop: asyncio.Event,
) -> None:
    """Make what is due and fill what telemetry proves, until ``stop``."""
    await stop.wait()
