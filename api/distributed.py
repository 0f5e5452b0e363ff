"""One service a process, over the MQTT bus, on the same data directory.

What a process imports is what it needs: each function wires one service.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from api import configuration, lifeline
from api.data_directory import DataDirectory
from api.settings import CannotStartError, Settings
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
    site = configuration.load_site(settings)
    site, broker = configuration.with_broker(site, data)
    bus = await _started(MqttBus(broker, f"dutyroom-{site.id}-{site.gateway}"))
    history, spool = history_of(data, site), spool_of(data)
    try:
        gateway = Gateway(site=site, spool=spool, history=history, bus=bus, clock=SystemClock())
        await gateway.run(stop)
    finally:
        await bus.close()
        spool.close()
        history.close()


async def run_rules(settings: Settings) -> None:
    """Bus → alarms, orders and notices in the ledger."""
    from api.servers import ledger_server
    from api.stores import ledger_of
    from rules import service

    stop = lifeline.stop_on_signals()
    data = DataDirectory.open(settings.data)
    if ledger_server() is None:
        # On a server the ledger itself says which worker leads, and others may stand by.
        data.claim_service("rules")
    site, rulebook = configuration.load(settings)
    site, broker = configuration.with_broker(site, data)
    bus = await _started(MqttBus(broker, f"dutyroom-{site.id}-rules-{secrets.token_hex(4)}"))
    ledger = ledger_of(data)
    try:
        await service.run(
            site=site, rulebook=rulebook, bus=bus, ledger=ledger, clock=SystemClock(), stop=stop
        )
    finally:
        await bus.close()
        ledger.close()


async def run_api(settings: Settings) -> None:
    """Ledger, history and bus → page and REST; any number of these may run."""
    from api import service
    from api.demo_people import see_to_people
    from api.stores import history_of, ledger_of, see_to_admin

    stop = lifeline.stop_on_signals()
    data = DataDirectory.open(settings.data)
    site, rulebook = configuration.load(settings)
    site, broker = configuration.with_broker(site, data)
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
            stop=stop,
        )
    finally:
        await bus.close()
        history.close()
        ledger.close()


async def run_simulators(settings: Settings) -> None:
    """The scenario of the site, on real wires."""
    from simulators import scenario, service
    from simulators.wire import WireError

    stop = lifeline.stop_on_signals()
    data = DataDirectory.open(settings.data)
    data.claim_service("simulate")
    site = configuration.load_site(settings)
    if site.scenario is None:
        raise CannotStartError(f"{settings.site} names no scenario: there is nothing to simulate")
    site, broker = configuration.with_broker(site, data)
    try:
        await service.run(
            site=site,
            scenario=scenario.load(site),
            broker=broker,
            folder=data.simulators,
            clock=SystemClock(),
            stop=stop,
        )
    except WireError as error:
        raise CannotStartError(str(error)) from None


async def run_broker(root: Path) -> None:
    """dutyroom's own broker, at the address and with the password kept in the directory."""
    from api import broker

    stop = lifeline.stop_on_signals()
    data = DataDirectory.open(root)
    await broker.run(data=data, stop=stop)


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
