"""What is wrong with a site file although every key in it is known and of the right kind.

Each check ends where it would need a field that is wrong in itself; see
:func:`gateway.files.documents.findings`.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol, TypeVar
from zoneinfo import available_timezones

from gateway.files.documents import Finding, UnreadableError, findings
from gateway.model.moment import MINUTE, SECOND
from gateway.profile.files import Profiles
from gateway.site.addresses import written_address
from gateway.site.commands import command_findings
from gateway.site.document import AreaDocument, BrokerDocument, LinkDocument, SiteDocument
from gateway.site.equipment import EquipmentChecks, out_of_bounds
from gateway.site.notices import notice_findings
from gateway.site.topology import topology
from gateway.site.twins import twin_findings
from gateway.site.walks import walk_findings

_TIMEOUT = (SECOND // 10, MINUTE)
_PAUSE = (0, 10 * SECOND)
_BAUD = (300, 4_000_000)


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)


class SiteChecks:
    """The checks of one site file.

    ``content``: as far as it can be read; ``file``: its path, which paths in it start from.
    """

    def __init__(self, content: SiteDocument, file: str, profiles: Profiles) -> None:
        self._content = content
        self._folder = Path(file).parent
        self._profiles = profiles

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong."""
        yield from findings(
            *(self._single(key) for key in ("areas", "links", "equipment")),
            self._timezone(),
            *(self._folder_exists(key) for key in ("profiles_folder", "rulebook_folder")),
            self._broker(),
            self._links(),
            self._one_link_an_address(),
            self._equipment(),
            topology(self._content.equipment),
            twin_findings(self._content.equipment, self._profiles),
            command_findings(self._content, self._profiles),
            walk_findings(self._content),
            notice_findings(self._content, self._folder),
        )

    def _single(self, key: str) -> Iterator[Finding]:
        seen: set[str] = set()
        for at, item in enumerate(getattr(self._content, key)):
            with suppress(UnreadableError):
                if item.id in seen:
                    yield (key, at, "id"), "is the id of an earlier one too", "give it another id"
                seen.add(item.id)

    def _timezone(self) -> Iterator[Finding]:
        given, known = self._content.site.timezone, available_timezones()
        if given not in known:
            near = get_close_matches(given, known, n=1)
            mend = f"did you mean {near[0]!r}?" if near else "use a name such as Asia/Shanghai"
            yield ("site", "timezone"), f"there is no time zone {given!r}", mend

    def _folder_exists(self, key: str) -> Iterator[Finding]:
        own = getattr(self._content.site, key)
        if own is not None and not (self._folder / own).is_dir():
            wrong = f"there is no folder {self._folder / own}"
            yield ("site", key), wrong, "write it relative to the site file"

    def _broker(self) -> Iterator[Finding]:
        said = self._content.broker
        if said is not None:
            for where, wrong, mend in findings(
                _broker_port(said),
                _passwords(said),
                self._password_file(said),
                _password_env(said),
                self._tls(said),
            ):
                yield ("broker", *where), wrong, mend

    def _password_file(self, said: BrokerDocument) -> Iterator[Finding]:
        if said.password_file is not None:
            path = self._folder / said.password_file
            try:
                path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                wrong = f"{path} cannot be read ({type(error).__name__})"
                mend = "write the password into it; the path is relative to the site file"
                yield ("password_file",), wrong, mend

    def _tls(self, said: BrokerDocument) -> Iterator[Finding]:
        if said.tls is None:
            return
        given = said.tls.model_dump(exclude_none=True)
        if ("certificate" in given) != ("key" in given):
            yield ("tls",), "has a certificate without its key, or the other way round", "give both"
            return
        paths = {name: str(self._folder / file) for name, file in given.items()}
        try:
            context = ssl.create_default_context(cafile=paths.get("ca"))
            if "key" in paths:
                context.load_cert_chain(paths["certificate"], paths["key"])
        except (OSError, ValueError) as error:
            wrong = f"{', '.join(paths.values())} cannot be used ({error})"
            yield ("tls",), wrong, "name PEM files; paths are relative to the site file"

    def _links(self) -> Iterator[Finding]:
        for at, link in enumerate(self._content.links):
            checks = (_link, _link_port, _link_baud, _link_times)
            for where, wrong, mend in findings(*(check(link) for check in checks)):
                yield ("links", at, *where), wrong, mend

    def _one_link_an_address(self) -> Iterator[Finding]:
        seen: dict[str, str] = {}
        for at, link in enumerate(self._content.links):
            with suppress(UnreadableError):
                address = _address(link)
                if address is None:
                    continue
                if address in seen:
                    key = "device" if link.protocol == "modbus-rtu" else "host"
                    wrong = f"link {seen[address]!r} leads to {address} too"
                    yield ("links", at, key), wrong, "put the equipment of both behind one link"
                seen.setdefault(address, link.id)

    def _equipment(self) -> Iterator[Finding]:
        links: Mapping[str, LinkDocument] | None = None
        areas: Mapping[str, AreaDocument] | None = None
        with suppress(UnreadableError):
            links = _by_id(self._content.links)
        with suppress(UnreadableError):
            areas = _by_id(self._content.areas)
        checks = EquipmentChecks(links, areas, self._profiles)
        for at, thing in enumerate(self._content.equipment):
            for where, wrong, mend in checks.of(thing):
                yield ("equipment", at, *where), wrong, mend


def _by_id(items: Sequence[N]) -> Mapping[str, N]:
    """The items by id, of two the first; raises :class:`UnreadableError` if an id is wrong."""
    return {item.id: item for item in reversed(items)}


def _port(port: int | None) -> Iterator[Finding]:
    if port is not None and not 1 <= port <= 65535:
        yield ("port",), f"{port} is no port", "use 1 to 65535"


def _broker_port(said: BrokerDocument) -> Iterator[Finding]:
    yield from _port(said.port)


def _passwords(said: BrokerDocument) -> Iterator[Finding]:
    sources = [key for key in ("password_file", "password_env") if getattr(said, key)]
    if len(sources) > 1:
        yield ("password_env",), "is given beside password_file", "keep one"
    if bool(said.username) != bool(sources):
        yield (
            (),
            "has a user name without a password, or the other way round",
            "give username and one of password_file, password_env; or neither",
        )


def _password_env(said: BrokerDocument) -> Iterator[Finding]:
    name = said.password_env
    if name is not None and said.password_file is None and name not in os.environ:
        yield ("password_env",), f"{name} is not set", "set it in the environment"


_NETWORK = ("host", "port")
_LINE = ("baud", "parity", "stop_bits")
_NEEDED = {
    "modbus-tcp": _NETWORK,
    "modbus-rtu-tcp": _NETWORK,
    "modbus-rtu": ("device",),
    "mqtt": (),
}
"""Protocol → what says where its devices are."""
_ALLOWED = {
    "modbus-tcp": (*_LINE, "timeout", "pause", "connection"),
    "modbus-rtu-tcp": (*_LINE, "timeout", "pause", "connection"),
    "modbus-rtu": (*_LINE, "timeout", "pause"),
    "mqtt": (),
}
"""What may be said besides."""
_ELSEWHERE = {
    "modbus-tcp": "a serial line is of protocol modbus-rtu",
    "modbus-rtu-tcp": "a serial line is of protocol modbus-rtu",
    "modbus-rtu": "a converter on the network is of protocol modbus-rtu-tcp",
    "mqtt": "name the broker in broker:",
}
_MISSING = {
    "host": "say where the device listens",
    "port": "say where the device listens",
    "device": "name the serial device, such as /dev/ttyUSB0",
}


def _link(link: LinkDocument) -> Iterator[Finding]:
    """What the protocol needs is there, and nothing that it does not know."""
    needed, allowed = _NEEDED[link.protocol], _ALLOWED[link.protocol]
    for key in (*_NETWORK, "device", *_LINE, "timeout", "pause", "connection"):
        with suppress(UnreadableError):
            given = getattr(link, key) is not None
            if key in needed and not given:
                yield (key,), "is missing", _MISSING[key]
            elif given and key not in (*needed, *allowed):
                wrong = f"does not fit protocol {link.protocol}"
                yield (key,), wrong, _ELSEWHERE[link.protocol]


def _link_port(link: LinkDocument) -> Iterator[Finding]:
    yield from _port(link.port)


def _link_baud(link: LinkDocument) -> Iterator[Finding]:
    low, high = _BAUD
    if link.baud is not None and not low <= link.baud <= high:
        yield ("baud",), f"{link.baud} is no speed of such a line", f"use {low} to {high}"


def _link_times(link: LinkDocument) -> Iterator[Finding]:
    for key, bounds in (("timeout", _TIMEOUT), ("pause", _PAUSE)):
        with suppress(UnreadableError):
            given = getattr(link, key)
            if given is not None:
                for wrong, mend in out_of_bounds(given, bounds):
                    yield (key,), wrong, mend


def _address(link: LinkDocument) -> str | None:
    """Where it leads, if that can be said: two links that lead there would hinder each other."""
    if link.protocol == "mqtt":
        return None
    if link.protocol == "modbus-rtu":
        return link.device and written_address(link.device, "", 0)
    if link.host is None or link.port is None:
        return None
    return written_address(None, link.host, link.port)
