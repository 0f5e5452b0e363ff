"""The command ``dutyroom``. A command imports what it needs, so that the small ones are quick."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Coroutine
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, Any

import typer

from api import (
    cli_backup,
    cli_cert,
    cli_kiosk,
    cli_people,
    cli_probe,
    cli_profile,
    cli_roster,
    cli_rules,
    cli_watchdog,
)
from api.cli_options import DATA, Data, Site
from api.settings import CannotStartError, Settings, demo_site

_ABOUT = """值班室 dutyroom: watches the equipment of a compound, raises alarms and work orders.

`dutyroom up` starts everything on this machine. The other services run alone only where a site
is spread over several machines or processes."""

app = typer.Typer(
    help=_ABOUT,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(cli_people.users, name="user")
app.add_typer(cli_people.audit, name="audit")
app.add_typer(cli_kiosk.kiosks, name="kiosk")
app.add_typer(cli_roster.roster, name="roster")
app.add_typer(cli_roster.calendar, name="calendar")
app.add_typer(cli_profile.profile, name="profile")
app.add_typer(cli_rules.rules, name="rules")
app.command()(cli_probe.probe)
app.command()(cli_rules.replay)
app.command("replay-job", hidden=True)(cli_rules.replay_job)
app.command("register-job", hidden=True)(cli_rules.register_job)
app.command()(cli_backup.backup)
app.command()(cli_backup.restore)
app.command()(cli_cert.cert)
app.command()(cli_watchdog.watchdog)

Host = Annotated[
    str,
    typer.Option(
        envvar="DUTYROOM_HOST",
        help="Address to bind the page and the API to; anything but loopback opens them to the "
        "network, so make a certificate first (`dutyroom cert`) or put HTTPS before it.",
    ),
]
Port = Annotated[
    int,
    typer.Option(envvar="DUTYROOM_PORT", min=1, max=65535, help="Port of the page and the API."),
]
TlsPort = Annotated[
    int,
    typer.Option(
        envvar="DUTYROOM_TLS_PORT",
        min=1,
        max=65535,
        help="Port of the page by HTTPS, where there is a certificate (`dutyroom cert`).",
    ),
]
Https = Annotated[
    bool,
    typer.Option(
        "--https/--no-https",
        envvar="DUTYROOM_HTTPS",
        help="The page is reached by HTTPS through a proxy: nobody logs in without.",
    ),
]
Link = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ID=HOST:PORT", help="Where a Modbus link is, in place of what the site file says."
    ),
]

_LOOPBACK = "127.0.0.1"
_PORT = 8000
_TLS_PORT = 8443


@app.command()
def up(
    *,
    site: Site = None,
    data: Data = DATA,
    host: Host = _LOOPBACK,
    port: Port = _PORT,
    tls_port: TlsPort = _TLS_PORT,
    https: Https = False,
) -> None:
    """Start everything and print the address and the log-in; Ctrl-C ends it.

    Starts the broker (unless the site file names one), the simulators (if it names a scenario)
    and the server, each in a process of its own, and starts again what falls over. The password
    of the user admin is DUTYROOM_ADMIN_PASSWORD, or made at the first start and printed once.
    """
    from api.up import run

    asyncio.run(run(_settings(site, data, host=host, port=port, tls_port=tls_port, https=https)))


@app.command()
def gateway(site: Site = None, data: Data = DATA, link: Link = None) -> None:
    """Poll and hear the devices, keep the history, publish on the broker."""
    from api.distributed import run_gateway

    _serve(run_gateway(_settings(site, data, links=link)))


@app.command()
def api(
    *,
    site: Site = None,
    data: Data = DATA,
    host: Host = _LOOPBACK,
    port: Port = _PORT,
    tls_port: TlsPort = _TLS_PORT,
    https: Https = False,
) -> None:
    """Serve the page and the REST interface."""
    from api.distributed import run_api

    _serve(run_api(_settings(site, data, host=host, port=port, tls_port=tls_port, https=https)))


@app.command(hidden=True)
def embedded(
    *,
    site: Site = None,
    data: Data = DATA,
    host: Host = _LOOPBACK,
    port: Port = _PORT,
    tls_port: TlsPort = _TLS_PORT,
    https: Https = False,
    link: Link = None,
) -> None:
    """Gateway, rules and API in one process, as `up` starts it."""
    from api.embedded import run

    at = _settings(site, data, host=host, port=port, tls_port=tls_port, https=https, links=link)
    _serve(run(at))


@app.command()
def simulate(site: Site = None, data: Data = DATA, link: Link = None) -> None:
    """Play the devices of a site that names a scenario, on real Modbus and MQTT."""
    from api.beside import run_simulators

    _serve(run_simulators(_settings(site, data, links=link)))


@app.command()
def broker(data: Data = DATA) -> None:
    """Run dutyroom's own MQTT broker, on loopback, for a site file that names none."""
    from api.beside import run_broker

    _serve(run_broker(data))


@app.command()
def check(
    site: Annotated[
        Path | None,
        typer.Argument(envvar="DUTYROOM_SITE", help="Site file.  [default: the demo site]"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Read site file, profiles, rulebook and scenario, try the rules by their tests, and print
    every mistake with its line.

    Ends with code 2 if there is one. A line that is too slow for what is asked of it is no mistake,
    and is said with the numbers; so is a rule without a test.
    """
    from api import configuration
    from gateway.files.documents import Problem

    settings = _settings(site, DATA)
    report = configuration.examine(settings)
    if as_json:
        fields = Problem.__slots__
        found = [{name: getattr(one, name) for name in fields} for one in report.problems]
        told = {
            "ok": not found,
            **report.counts,
            "problems": found,
            "warnings": report.warnings,
        }
        print(json.dumps(told, ensure_ascii=False, indent=2))
    elif report.problems:
        print(*report.problems, sep="\n")
        print(f"{len(report.problems)} to mend")
    else:
        counts = ", ".join(
            f"{count} {name.replace('_', ' ')}" for name, count in report.counts.items()
        )
        print(*report.warnings, f"{settings.site}: nothing wrong ({counts})", sep="\n")
    if report.problems:
        raise typer.Exit(2)


@app.command()
def reload(site: Site = None, data: Data = DATA) -> None:
    """Have a running `dutyroom up` take the changed site file, profiles, rulebook, scenario.

    They are checked first. Wrong ones are named, change nothing, and end with code 2.
    """
    from api import configuration
    from api.data_directory import DataDirectory
    from gateway.files.documents import ConfigurationError

    report = configuration.examine(_settings(site, data))
    if report.problems:
        raise ConfigurationError(report.problems)
    parent = DataDirectory.open(data).parent()
    if parent is None:
        raise CannotStartError(f"no dutyroom is running on {data.absolute()}")
    os.kill(parent, signal.SIGHUP)


@app.command()
def version() -> None:
    """Print the version."""
    try:
        print(installed_version("dutyroom"))
    except PackageNotFoundError:
        print("not installed; running from source")


def _settings(
    site: Path | None,
    data: Path,
    *,
    host: str = _LOOPBACK,
    port: int = _PORT,
    tls_port: int = _TLS_PORT,
    https: bool = False,
    links: list[str] | None = None,
) -> Settings:
    return Settings(
        site=site or demo_site(),
        data=data,
        host=host,
        port=port,
        tls_port=tls_port,
        https=https,
        links=dict(_address(text) for text in links or ()),
    )


def _address(text: str) -> tuple[str, tuple[str, int]]:
    link, _, address = text.partition("=")
    host, _, port = address.rpartition(":")
    if not (link and host and port.isdecimal()):
        raise typer.BadParameter(f"{text!r} is not ID=HOST:PORT", param_hint="--link")
    return link, (host, int(port))


def _serve(service: Coroutine[Any, Any, None]) -> None:
    """Run a service until it is told to end, or until its parent is gone."""
    from api.lifesign import serve

    serve(service)


def main() -> None:
    """The command line; what is wrong outside is a line each, not a traceback."""
    try:
        app(prog_name="dutyroom")
    except Exception as error:
        refusals = _refusals(error)
        if refusals is None:
            raise
        for line in refusals:
            print(f"dutyroom: {line}", file=sys.stderr, flush=True)
        sys.exit(2)


def _refusals(error: Exception) -> list[str] | None:
    """The lines for the user, if ``error`` is none of ours; else None."""
    from gateway.files.documents import ConfigurationError
    from rules.refusals import RefusedError

    if isinstance(error, ExceptionGroup):
        parts = [_refusals(part) for part in error.exceptions]
        return None if None in parts else [line for part in parts for line in part or ()]
    if isinstance(error, CannotStartError | ConfigurationError | RefusedError):
        return str(error).splitlines()
    return None


if __name__ == "__main__":
    main()
