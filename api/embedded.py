"""Gateway, rules and API in one process: memory bus; history and ledger in the data directory,
or on the servers that the environment names."""

from __future__ import annotations

import asyncio
from pathlib import Path

from api import configuration, lifeline
from api import service as api_service
from api.data_directory import DataDirectory
from api.demo import Demo
from api.demo_people import see_to_people
from api.jobs import Jobs
from api.keep import given_keep
from api.settings import Settings, public_url
from api.site_loading import with_broker
from api.stores import history_of, ledger_of, see_to_admin, spool_of
from api.tls.in_force import in_force
from gateway.bus.memory import MemoryBus
from gateway.clock import SystemClock
from gateway.model.equipment import Site
from gateway.service import Gateway
from rules import service as rules_service
from rules.attached_files import AttachedFiles


def _demo(site: Site, data: DataDirectory) -> Demo | None:
    """The simulators that ``dutyroom up`` has started beside us; None for a real site."""
    if site.scenario is None:
        return None
    from api.demo_simulators import SimulatedDemo

    return SimulatedDemo(site, data.simulators)


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; a service that fails takes the process down with it."""
    stop = lifeline.stop_on_signals()
    data = DataDirectory.open(settings.data)
    for service in ("gateway", "rules"):
        data.claim_service(service)
    tls = in_force(data.tls)
    site, rulebook = configuration.load(settings)
    site, _ = with_broker(site, data)
    clock, bus = SystemClock(), MemoryBus()
    ledger = ledger_of(data)
    see_to_admin(ledger, data, site, clock)
    see_to_people(ledger, site, clock)
    history = history_of(data, site)
    spool = spool_of(data)
    keep, links_to = given_keep().readings, public_url()
    gateway = Gateway(site=site, spool=spool, history=history, bus=bus, clock=clock, keep=keep)
    await bus.start()
    try:
        async with asyncio.TaskGroup() as services:
            services.create_task(gateway.run(stop))
            services.create_task(
                rules_service.run(
                    site=site,
                    rulebook=rulebook,
                    bus=bus,
                    ledger=ledger,
                    clock=clock,
                    stop=stop,
                    public_url=links_to,
                    link_key=data.link_key(),
                    history=history,
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
                    demo=_demo(site, data),
                    tls=tls,
                    tls_port=settings.tls_port,
                    jobs=Jobs(Path(site.file), data.root),
                    attached=AttachedFiles(data.attachments),
                    link_key=data.link_key(),
                    stop=stop,
                )
            )
    finally:
        await bus.close()
        spool.close()
        history.close()
        ledger.close()
