"""Gateway, rules and API in one process: memory bus; history and ledger in the data directory,
or on the servers that the environment names."""

from __future__ import annotations

import asyncio

from api import configuration, lifeline
from api import service as api_service
from api.data_directory import DataDirectory
from api.demo_people import see_to_people
from api.settings import Settings
from api.stores import history_of, ledger_of, see_to_admin, spool_of
from gateway.bus.memory import MemoryBus
from gateway.clock import SystemClock
from gateway.service import Gateway
from rules import service as rules_service


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; a service that fails takes the process down with it."""
    stop = lifeline.stop_on_signals()
    data = DataDirectory.open(settings.data)
    for service in ("gateway", "rules"):
        data.claim_service(service)
    site, rulebook = configuration.load(settings)
    site, _ = configuration.with_broker(site, data)
    clock, bus = SystemClock(), MemoryBus()
    ledger = ledger_of(data)
    see_to_admin(ledger, data, site, clock)
    see_to_people(ledger, site, clock)
    history = history_of(data, site)
    spool = spool_of(data)
    gateway = Gateway(site=site, spool=spool, history=history, bus=bus, clock=clock)
    await bus.start()
    try:
        async with asyncio.TaskGroup() as services:
            services.create_task(gateway.run(stop))
            services.create_task(
                rules_service.run(
                    site=site, rulebook=rulebook, bus=bus, ledger=ledger, clock=clock, stop=stop
                )
            )
            services.create_task(
                api_service.run(
                    site=site,
                    rulebook=rulebook,
                    ledger=ledger,
                    history=history,
                    bus=bus,
                    clock=clock,
                    host=settings.host,
                    port=settings.port,
                    secure=settings.https,
                    stop=stop,
                )
            )
    finally:
        await bus.close()
        spool.close()
        history.close()
        ledger.close()
