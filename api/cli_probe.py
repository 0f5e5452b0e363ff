"""``dutyroom probe``: a device is read once, before it goes live."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli_options import AsJson, Site
from api.cli_profile import found, table
from api.settings import CannotStartError

if TYPE_CHECKING:
    from gateway.model.equipment import ModbusLink
    from gateway.probe.reading import Probed, Report
    from gateway.profile.files import ProfileFile

_SOMETHING_WRONG = 1
_NO_ANSWER = 3
_MODBUS_PORT = 502
_LARGEST_SHOWN = 1e9
"""With all its digits."""
_SHORTEST_REST = 1.5
"""Seconds; a session that found nobody does not connect again for one."""


def probe(
    *,
    where: Annotated[
        str, typer.Argument(metavar="HOST:PORT", help="Or a serial device, such as /dev/ttyUSB0.")
    ],
    unit: Annotated[int, typer.Option(min=0, max=255, help="Modbus unit (station address).")] = 1,
    profile: Annotated[str, typer.Option(help="Id of a profile, or a profile file.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=N", help="Of the profile, such as pump=2; once a parameter."),
    ] = None,
    framing: Annotated[
        str, typer.Option(help="tcp, or rtu through a converter that passes bytes on.")
    ] = "",
    baud: Annotated[int, typer.Option(help="Of a serial device.")] = 9600,
    parity: Annotated[str, typer.Option(help="N, E or O, of a serial device.")] = "N",
    stop_bits: Annotated[int, typer.Option(min=1, max=2, help="Of a serial device.")] = 1,
    timeout: Annotated[
        float, typer.Option(min=0.05, max=60, help="Seconds to wait for one reply.")
    ] = 1.0,
    site: Site = None,
    as_json: AsJson = False,
) -> None:
    """Read every point of a profile once from a Modbus device, and say what looks wrong.

    For a value that the device can hardly mean it names the byte order, the scale or the
    neighbouring register that would make it plausible. Addresses that the device does not have
    are found. Nothing is written to the device; fire and lift equipment is asked for the
    profile's own addresses only. Ends with code 0: all good, 1: something is implausible or
    unreadable, 2: wrong usage or profile, 3: no answer.
    """
    from gateway.probe.report import document

    file = found(profile, site)
    if file.profile.protocol != "modbus":
        raise CannotStartError(
            f"{profile} speaks MQTT, and a probe is for Modbus: watch its topic with any MQTT "
            "client, or add it to the site file and look at its page"
        )
    parameters = _parameters(file, parameter or [])
    link = _link(
        where, framing=framing, baud=baud, parity=parity, stop_bits=stop_bits, timeout=timeout
    )
    report = asyncio.run(_read(link, unit, file, parameters))
    if as_json:
        told = {"where": link.where, "parameters": parameters, **document(report)}
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _tell(report, link.where)
    if report.silence is not None:
        raise typer.Exit(_NO_ANSWER)
    if report.dead or not all(one.is_right for one in report.points):
        raise typer.Exit(_SOMETHING_WRONG)


async def _read(
    link: ModbusLink, unit: int, file: ProfileFile, parameters: dict[str, int]
) -> Report:
    from gateway.modbus.link import ModbusSession
    from gateway.probe import reading as probing

    session = ModbusSession(link)
    with _bar(f"reading unit {unit} of {link.where}") as told:
        try:
            return await probing.probe(
                session,
                unit,
                file,
                parameters,
                rest=max(link.timeout, _SHORTEST_REST),
                told=told,
            )
        finally:
            await session.close()


def _link(
    where: str, *, framing: str, baud: int, parity: str, stop_bits: int, timeout: float
) -> ModbusLink:
    from gateway.model.equipment import Framing, ModbusLink, SerialPort

    if framing not in ("", "tcp", "rtu"):
        raise typer.BadParameter("use tcp or rtu", param_hint="--framing")
    if parity.upper() not in ("N", "E", "O"):
        raise typer.BadParameter("use N, E or O", param_hint="--parity")
    if re.match(r"/|COM\d+$", where):
        if framing == "tcp":
            raise typer.BadParameter("a serial line speaks rtu", param_hint="--framing")
        serial = SerialPort(device=where, baud=baud, parity=parity.upper(), stop_bits=stop_bits)
        return ModbusLink(id="probe", serial=serial, framing=Framing.RTU, timeout=timeout)
    match = re.fullmatch(r"\[([^\]]+)\](?::(\d{1,5}))?|([^:\s]+)(?::(\d{1,5}))?", where)
    port = _MODBUS_PORT if match is None else int(match[2] or match[4] or _MODBUS_PORT)
    if match is None or not 1 <= port <= 65535:
        raise typer.BadParameter(f"{where!r} is not HOST:PORT", param_hint="HOST:PORT")
    return ModbusLink(
        id="probe",
        host=match[1] or match[3],
        port=port,
        framing=Framing(framing or "tcp"),
        timeout=timeout,
    )


def _parameters(file: ProfileFile, given: list[str]) -> dict[str, int]:
    asked = file.document.parameters
    said: dict[str, int] = {}
    for text in given:
        name, _, number = text.partition("=")
        if name not in asked or not re.fullmatch(r"-?\d{1,9}", number):
            known = ", ".join(f"{one}={limits.low}" for one, limits in asked.items()) or "none"
            raise typer.BadParameter(
                f"{text!r} is no parameter of {file.profile.id}; it has: {known}",
                param_hint="--parameter",
            )
        said[name] = int(number)
    for name, limits in asked.items():
        if not limits.low <= said.get(name, limits.low - 1) <= limits.high:
            raise typer.BadParameter(
                f"give {name}=N with {limits.low} to {limits.high}", param_hint="--parameter"
            )
    return said


def _tell(report: Report, where: str) -> None:
    from gateway.probe.report import dead_spans

    if report.silence is not None:
        print(f"no answer from unit {report.unit} of {where}: {report.silence}")
        print("check address and port, unit, cable and converter; for a serial line baud, parity")
        return
    table(
        ("", "point", "名称", "value", "raw", "what is wrong, and what would mend it"),
        [_row(one) for one in report.points],
    )
    for function, first, last, reason in dead_spans(report):
        registers = f"{first}" if first == last else f"{first} to {last}"
        print(f"the device does not have {function.value} {registers}: {reason}")
    firsts = Counter(one.hints[0].change.told for one in report.points if one.hints)
    for told, count in firsts.most_common():
        if count > 1:
            print(f"{told} mends {count} values: try that first")
    wrong = sum(not one.is_right for one in report.points)
    restricted = " (the profile's own addresses only)" if report.restricted else ""
    print(
        f"{len(report.points)} points, {wrong} implausible or unreadable; "
        f"{len(report.asked)} requests{restricted}"
    )


def _row(one: Probed) -> list[str]:
    from gateway.probe.report import hint_text

    value = one.text or ""
    if one.value is not None and not value:
        digits = f".{one.point.decimals}f" if abs(one.value) < _LARGEST_SHOWN else ".3g"
        value = f"{one.value:{digits}} {one.point.unit}".rstrip()
    hint = hint_text(one)
    why = [] if one.reason is None else [one.reason]
    if one.verdict is not None and not one.is_right and not why:
        why.append("implausible")
    if hint is not None:
        why.append(f"→ {hint.en}")
    mark = "ok" if one.is_right else "!"
    return [
        mark,
        one.point.key,
        one.point.name.zh,
        value or "-",
        " ".join(f"{word:04x}" for word in one.raw),
        " ".join(why),
    ]


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Progress on standard error, if somebody looks at it."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
