"""What a first run has beside the product, a process each: simulated devices, and a broker."""

from __future__ import annotations

from pathlib import Path

from api import lifeline
from api.data_directory import DataDirectory
from api.settings import CannotStartError, Settings
from api.site_loading import load_site, with_broker
from gateway.clock import SystemClock


async def run_simulators(settings: Settings) -> None:
    """The scenario of the site, on real wires."""
    from simulators import scenario, service
    from simulators.wire import WireError

    stop = lifeline.stop_on_signals()
    data = DataDirectory.open(settings.data)
    data.claim_service("simulate")
    site = load_site(settings)
    if site.scenario is None:
        raise CannotStartError(f"{settings.site} names no scenario: there is nothing to simulate")
    broker = None
    if any(thing.mqtt for thing in site.equipment.values()):
        site, broker = with_broker(site, data)
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
