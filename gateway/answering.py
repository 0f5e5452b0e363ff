"""What the gateway is asked, and who answers: how its links do, a probe, a command."""

from __future__ import annotations

from collections.abc import Callable

from gateway.bus.base import Bus
from gateway.bus.questions import Answers
from gateway.clock import Clock
from gateway.commands.telling import Commands
from gateway.devices import Devices
from gateway.history.base import History
from gateway.link_answers import LinkAnswers, Now
from gateway.modbus.link import ModbusSession
from gateway.model.equipment import Site
from gateway.probe.answers import ProbeAnswers
from gateway.spool.queue import Spool


def answers(
    *,
    site: Site,
    spool: Spool,
    history: History,
    bus: Bus,
    devices: Devices,
    clock: Clock,
    now: Callable[[], Now],
) -> Answers:
    """Not started. A session that can only be read, as tests have, is told no command."""
    sessions = {poller.link.id: poller.session for poller in devices.pollers}
    writable = {
        link: session for link, session in sessions.items() if isinstance(session, ModbusSession)
    }
    commands = Commands(site, writable, devices.session, clock=clock)
    devices.listeners.append(commands.hear)
    links = LinkAnswers(
        site=site,
        pollers=devices.pollers,
        mqtt=devices.session,
        spool=spool,
        now=now,
        parking=history.parking,
    )
    return Answers(
        bus,
        site.id,
        site.gateway,
        tells={"links": links, "probe": ProbeAnswers(site, sessions)},
        acts={"write": commands},
        clock=clock,
    )
