"""``dutyroom up``: everything on this machine, started, announced, and ended by one Ctrl-C."""

from __future__ import annotations

import asyncio
import http.client
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from api import lifeline
from api.configuration import check
from api.data_directory import DataDirectory
from api.in_force import FilesInForce
from api.ports import reserve, reserve_any, why_not
from api.settings import ADMIN_PASSWORD, CannotStartError, Settings, given_password
from api.site_loading import load_site
from api.supervise import Program, Supervisor, command
from api.tls.in_force import Tls, in_force
from api.tls.names import of_machine, reachable, shown
from gateway.files.documents import ConfigurationError
from gateway.model.equipment import ModbusLink, Site

_LOOPBACK = "127.0.0.1"
_ANYWHERE = {"0.0.0.0": _LOOPBACK, "::": "::1"}
"""How a server that is bound to every address is reached from here."""
_HERE_ONLY = ("127.0.0.1", "::1", "localhost")
_SLOW = 20.0
"""s after which a start is called slow, and why is told."""


async def run(settings: Settings) -> None:
    """Start everything, say where it is, and wait for the end.

    1. Check address and data directory, and put the files in force; nothing has been started if
    one is wrong. Wrong files are no reason to stay down where right ones were in force before.
    2. Run until the end, and once more whenever other files have been put in force.
    Raises ConfigurationError or :class:`~api.settings.CannotStartError`.
    """
    stop, asked = lifeline.stop_on_signals(), lifeline.reload_on_signal()
    files = FilesInForce(DataDirectory(settings.data.absolute()).in_force)
    if not files.is_of(settings.site):
        check(settings)
    given_password()
    data = DataDirectory.open(settings.data)
    _look_at_ports(settings, in_force(data.tls))
    claim = data.claim()
    site_file = _first(files, settings)
    while True:
        running = replace(settings, site=site_file)
        over = asyncio.Event()
        following = asyncio.create_task(_follow(files, settings, stop, asked, over))
        try:
            await _run_once(running, settings.site, data, claim, over)
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
        if stop.is_set():
            break
        site_file = files.site or site_file
        _say("the changed files are in force")
    _say("ended")


def _look_at_ports(settings: Settings, tls: Tls | None) -> None:
    """Raises :class:`~api.settings.CannotStartError` for one that cannot be had."""
    ports = [(settings.port, "--port or DUTYROOM_PORT")]
    if tls is not None:
        ports.append((settings.tls_port, "--tls-port or DUTYROOM_TLS_PORT"))
    for port, setting in ports:
        taken = why_not(settings.host, port)
        if taken is not None:
            raise CannotStartError(
                f"cannot listen on {settings.host}:{port}: {taken}; "
                f"give another port with {setting}"
            )


def _first(files: FilesInForce, settings: Settings) -> Path:
    """The site file to begin with: the one given, or else the last one of it that was right."""
    try:
        return files.adopt(settings)
    except ConfigurationError as error:
        last = files.site
        if last is None or not files.is_of(settings.site):
            raise
        _tell(error)
        _say("the files are WRONG; starting with the last ones that were right")
        return last


async def _follow(
    files: FilesInForce,
    settings: Settings,
    stop: asyncio.Event,
    asked: asyncio.Event,
    over: asyncio.Event,
) -> None:
    """Set ``over`` at the end, or when other files have been put in force."""
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stop.is_set():
            asking = asyncio.create_task(asked.wait())
            await asyncio.wait((asking, stopping), return_when=asyncio.FIRST_COMPLETED)
            asking.cancel()
            asked.clear()
            if not stop.is_set() and await asyncio.to_thread(_renew, files, settings):
                break
    finally:
        stopping.cancel()
        over.set()


def _renew(files: FilesInForce, settings: Settings) -> bool:
    """Whether the files were right and are not the ones in force already."""
    before = files.site
    try:
        after = files.adopt(settings)
    except ConfigurationError as error:
        _tell(error)
        _say("nothing was changed: the files are wrong, the ones in force stay")
        return False
    if after == before:
        _say("nothing was changed: these files are in force already")
    return after != before


def _tell(error: ConfigurationError) -> None:
    for problem in error.problems:
        _say(str(problem))


async def _run_once(
    settings: Settings, given: Path, data: DataDirectory, claim: int, over: asyncio.Event
) -> None:
    """Start the children, announce, and end them when it is ``over``."""
    began = time.monotonic()
    site = load_site(settings)
    links = _simulated_links(site)
    programs = _programs(settings, site, data, links)
    _say(f"{site.name.zh} {site.name.en} · {given}")
    _say(f"starting {', '.join(program.name for program in programs)} · data in {data.root}")
    supervisor = Supervisor(programs, say=_say, inherit=(claim,))
    announcing = asyncio.create_task(_announce(settings, data, began))
    try:
        await supervisor.run(over)
    finally:
        announcing.cancel()
        with suppress(asyncio.CancelledError):
            await announcing
        for token in links.values():
            token.close()


def _programs(
    settings: Settings, site: Site, data: DataDirectory, links: Mapping[str, socket.socket]
) -> list[Program]:
    """The children in the order in which they start; they end in the other."""
    files = ("--site", str(settings.site.absolute()), "--data", str(data.root))
    moved: list[str] = []
    for link, token in links.items():
        moved += ("--link", f"{link}={_LOOPBACK}:{token.getsockname()[1]}")
    programs = []
    if site.broker is None:
        data.renew_broker()
        programs.append(
            Program(name="the broker", command=command("broker", "--data", str(data.root)))
        )
    if site.scenario is not None:
        programs.append(Program(name="the simulators", command=command("simulate", *files, *moved)))
    https = "--https" if settings.https else "--no-https"
    ports = ("--port", str(settings.port), "--tls-port", str(settings.tls_port))
    address = ("--host", settings.host, *ports, https)
    programs.append(
        Program(name="the server", command=command("embedded", *files, *address, *moved))
    )
    return programs


def _simulated_links(site: Site) -> Mapping[str, socket.socket]:
    """Link id → the reserved loopback port, for every Modbus link of a simulated site.

    A simulated site never reaches for the hosts in its file: there may be real devices.
    """
    reserved: dict[str, socket.socket] = {}
    if site.scenario is None:
        return reserved
    for link in site.links.values():
        if not isinstance(link, ModbusLink):
            continue
        token = reserve(_LOOPBACK, link.port)
        if token is None:
            token = reserve_any(_LOOPBACK)
            moved = token.getsockname()[1]
            _say(f"port {link.port} of link {link.id} is taken; its devices are on {moved}")
        reserved[link.id] = token
    return reserved


async def _announce(settings: Settings, data: DataDirectory, began: float) -> None:
    """Wait until the server answers that all is well, then say where it is."""
    patience = began + _SLOW
    while (trouble := await asyncio.to_thread(_trouble, settings)) is not None:
        if time.monotonic() > patience:
            _say(f"not ready yet: {trouble}")
            patience = time.monotonic() + _SLOW
        await asyncio.sleep(0.1)
    _say(f"ready after {time.monotonic() - began:.1f} s")
    _tell_addresses(settings, in_force(data.tls))
    made = data.made_password()
    if made is not None:
        _say(f"log in  admin  {made}  (made just now and not shown again: keep it)")
        data.forget_made_password()
    elif given_password() is not None:
        _say(f"log in  admin  with the password in {ADMIN_PASSWORD}")
    else:
        _say("log in  admin  with the password shown at the first start, or set since")
    _say("Ctrl-C ends it")


def _tell_addresses(settings: Settings, tls: Tls | None) -> None:
    host = _shown(settings.host)
    told = "  (for the proxy: people log in by HTTPS only)" if settings.https else ""
    if tls is None or settings.https:
        _say(f"page    http://{host}:{settings.port}/{told}")
    if tls is None:
        return
    _say(f"page    https://{host}:{settings.tls_port}/")
    warning = tls.certificate.warning(time.time_ns() // 1000)
    if warning is not None:
        _say(f"WARNING {warning}")
    if tls.authority is not None:
        if settings.host in _ANYWHERE:
            host = shown(reachable(of_machine()))
        elif settings.host in _HERE_ONLY:
            _say("phones  reach this machine with --host 0.0.0.0 only")
        _say(f"phones  http://{host}:{settings.port}/trust  says how they come to trust it")
        _say(f"        SHA-256 {tls.authority.fingerprint}")


def _trouble(settings: Settings) -> str | None:
    """What ``/healthz`` complains of; None if it is content."""
    host = _ANYWHERE.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        text = answer.read(2000).decode(errors="replace")
        return None if answer.status == 200 else text
    except (OSError, http.client.HTTPException) as error:
        return f"the server does not answer ({error})"
    finally:
        connection.close()


def _shown(host: str) -> str:
    host = _ANYWHERE.get(host, host)
    return f"[{host}]" if ":" in host else host


def _say(line: str) -> None:
    print(f"dutyroom: {line}", flush=True)
