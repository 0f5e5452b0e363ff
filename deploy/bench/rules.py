"""The rules service in a process of its own on a broker, wired as ``dutyroom rules`` wires it.

    python -m deploy.bench.rules SITE FOLDER --broker PORT

Says "ready" once it listens, and runs until SIGTERM; ends with 1 if it raised an alarm, though
nothing was beyond any limit.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

import structlog

from deploy.bench import brokers
from gateway.bus.base import Bus
from gateway.bus.mqtt import MqttBus
from gateway.clock import SystemClock
from gateway.model.equipment import Site
from gateway.site import files as site_file
from rules import service
from rules.ledger.store import open_ledger
from rules.rulebook import load_rulebook


class UncalledForError(Exception):
    """An alarm, though nothing was beyond any limit."""


async def serve(site: Site, bus: Bus, folder: Path, stop: asyncio.Event) -> None:
    """Until ``stop``. Raises :class:`UncalledForError`."""
    ledger = open_ledger(folder / "ledger.db")
    rulebook = load_rulebook(site)
    try:
        await service.run(
            site=site, rulebook=rulebook, bus=bus, ledger=ledger, clock=SystemClock(), stop=stop
        )
        with ledger.read(site.id) as view:
            if view.alarms(limit=1):
                raise UncalledForError
    finally:
        ledger.close()


async def _run(site: Site, folder: Path, broker: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    bus = MqttBus(brokers.at(broker), "bench-rules")
    await bus.start()
    print("ready", flush=True)
    try:
        await serve(site, bus, folder, stop)
    finally:
        await bus.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--broker", type=int, required=True)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    # What is printed is for who started us.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(_run(site_file.load(given.site), given.folder, given.broker))


if __name__ == "__main__":
    main()
