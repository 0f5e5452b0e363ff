"""One service a process, over the MQTT bus, on the same data directory.

What a process imports is what it needs: each function wires one service.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from api import configuration, lifeline
from api.data_directory import DataDirectory
from api.keep import given_keep
from api.settings import CannotStartError, Settings, public_url
from api.site_loading import load_site, with_broker
from gateway.bus.base import BusRefusedError
from gateway.bus.mqtt import MqttBus
from gateway.clock import SystemClock


async def run_gateway(settings: Settings) -> None:
    """Devices → spool → history and bus."""
    from api.stores import history_of, spool_of
    from gateway.service import Gateway

    stop = lifeline.stop_on_signals()
    data = DataDirectory.open(settings.data)
    data.claim_service("gateway")
    site = load_site(settings)
    site, broker = with_broker(site, data)
    bus = await _started(MqttBus(broker, f"dutyroom-{site.id}-{site.gateway}"))
    history, spool = history_of(data, site), spool_of(data)
    try:
        gateway = Gateway(
            site=site,
            spool=spool,
            history=history,
            bus=bus,
            clock=SystemClock(),
            keep=given_keep().readings,
        )
        await gateway.run(stop)
    finally:
        await bus.close()
        spool.close()
        history.close()


async def run_rules(settings: Settings) -> None:
    """Bus → alarms, orders and notices in the ledger; the history for what rounds look back at."""
    from api.servers import ledger_server
    from api.stores import history_of, ledger_of
    from rules import service

    stop = lifeline.stop_on_signals()
    data = DataDirectory.open(settings.data)
    if ledger_server() is None:
        # On a server the ledger itself says which worker leads, and others may stand by.
        data.claim_service("rules")
    links_to = public_url()
    site, rulebook = configuration.load(settings)
    site, broker = with_broker(site, data)
    bus = await _started(MqttBus(broker, f"dutyroom-{site.id}-rules-{secrets.token_hex(4)}"))
    ledger = ledger_of(data)
    history = history_of(data, site, read_only=True, asks=False)
    try:
        await service.run(
            site=site,
            rulebook=rulebook,
            bus=bus,
            ledger=ledger,
            clock=SystemClock(),
            stop=stop,
            public_url=links_to,
            link_key=data.link_key(),
            history=history,
        )
    finally:
        await bus.close()
        history.close()
        ledger.close()


async def run_api(settings: Settings) -> None:
    """Ledger, history and bus → page and REST; any number of these may run."""
    from api import service
    from api.demo_people import see_to_people
    from api.jobs import Jobs
    from api.stores import history_of, ledger_of, see_to_admin
    from api.tls.in_force import in_force
    from rules.attached_files import AttachedFiles

    stop = lifeline.stop_on_signals()
    data = DataDirectory.open(settings.data)
    tls = in_force(data.tls)
    site, rulebook = configuration.load(settings)
    site, broker = with_broker(site, data)
    bus = await _started(MqttBus(broker, f"dutyroom-{site.id}-api-{secrets.token_hex(4)}"))
    clock = SystemClock()
    ledger = ledger_of(data)
    see_to_admin(ledger, data, site, clock)
    see_to_people(ledger, site, clock)
    _show_made_password(data)
    history = history_of(data, site, read_only=True)
    try:
        await service.run(
            site=site,
            rulebook=rulebook,
            ledger=ledger,
            history=history,
            bus=bus,
            clock=clock,
            host=settings.host,
            port=settings.port,
            secure=settings.https,
            tls=tls,
            tls_port=settings.tls_port,
            jobs=Jobs(Path(site.file), data.root),
            attached=AttachedFiles(data.attachments),
            link_key=data.link_key(),
            stop=stop,
        )
    finally:
        await bus.close()
        history.close()
        ledger.close()


async def _started(bus: MqttBus) -> MqttBus:
    try:
        await bus.start()
    except BusRefusedError as error:
        raise CannotStartError(str(error)) from None
    return bus


def _show_made_password(data: DataDirectory) -> None:
    made = data.made_password()
    if made is not None:
        print(f"dutyroom: log in as admin with {made} (not shown again: keep it)", flush=True)
        data.forget_made_password()
