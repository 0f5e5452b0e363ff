"""The site file → typed objects, with every mistake of the site and its profiles at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from gateway.documents import ConfigurationError, Parsed, Problem, Where, salvage
from gateway.model.equipment import Area, Broker, Link, ModbusLink, MqttLink, Site
from gateway.model.moment import MINUTE, SECOND
from gateway.profile_files import SHIPPED, Profiles, scan_profiles
from gateway.site_document import LinkDocument, SiteDocument
from gateway.site_equipment import EquipmentReader, out_of_bounds

_TIMEOUT = (SECOND // 10, MINUTE)


def load(path: Path) -> Site:
    """The site that the file at ``path`` describes.

    1. Read the site file and every profile: shipped ones, and the site's own before them.
    2. Check each link and each equipment against the links, areas and profiles it names.
    3. Check what must be single: ids, and no two equipments on the same registers or topic.

    Raises :class:`ConfigurationError` with every problem of all files.
    """
    parsed, problems = salvage(path, SiteDocument)
    own = dict(_folders(parsed)).get("profiles_folder")
    profiles = scan_profiles([SHIPPED] if own is None else [own, SHIPPED])
    problems = [*problems, *profiles.problems]
    if parsed is None:
        raise ConfigurationError(problems)
    return _Reader(parsed, profiles, problems).site()


def with_link_address(site: Site, link_id: str, host: str, port: int) -> Site:
    """``site`` with another address for one Modbus link; :class:`KeyError` if there is none."""
    link = site.links.get(link_id)
    if not isinstance(link, ModbusLink):
        raise KeyError(f"the site has no Modbus link {link_id!r}")
    return replace(site, links={**site.links, link_id: replace(link, host=host, port=port)})


def with_broker(site: Site, broker: Broker) -> Site:
    """``site`` with ``broker`` in place of its own or none."""
    return replace(site, broker=broker)


def _folders(parsed: Parsed[SiteDocument] | None) -> Iterator[tuple[str, Path]]:
    """The folders that the site file names, by their key."""
    if parsed is not None:
        head = parsed.content.site
        for key, own in (
            ("profiles_folder", head.profiles_folder),
            ("rulebook_folder", head.rulebook_folder),
        ):
            if own is not None:
                yield key, Path(parsed.file).parent / own


class _Named(Protocol):
    @property
    def id(self) -> str: ...


N = TypeVar("N", bound=_Named)


class _Reader:
    """One pass over a site document, noting every problem."""

    def __init__(
        self, parsed: Parsed[SiteDocument], profiles: Profiles, problems: Sequence[Problem]
    ) -> None:
        self._parsed = parsed
        self._content = parsed.content
        self._profiles = profiles
        self._problems = list(problems)

    def site(self) -> Site:
        content = self._content
        self._single("areas", content.areas)
        self._single("links", content.links)
        self._single("equipment", content.equipment)
        self._timezone()
        self._folders_exist()
        self._webhooks()
        broker = self._broker()
        links = {link.id: self._link(at, link) for at, link in enumerate(content.links)}
        reader = EquipmentReader(
            self._note,
            {link.id: link for link in reversed(content.links)},  # of two the first
            [area.id for area in content.areas],
            self._profiles,
            self._parsed.lost,
        )
        equipment = [reader.read(at, thing) for at, thing in enumerate(content.equipment)]
        if self._problems:
            raise ConfigurationError(self._problems)
        rulebook = dict(_folders(self._parsed)).get("rulebook_folder")
        return Site(
            id=content.site.id,
            name=content.site.name.text(),
            gateway=content.gateway,
            timezone=content.site.timezone,
            links=links,
            areas={area.id: Area(id=area.id, name=area.name.text()) for area in content.areas},
            equipment={thing.id: thing for thing in equipment if thing is not None},
            broker=broker,
            webhooks=content.notices.webhooks,
            rulebook=None if rulebook is None else str(rulebook),
            scenario=None if content.simulation is None else content.simulation.scenario,
            fingerprint=self._fingerprint(),
            file=self._parsed.file,
        )

    def _note(self, where: Where, wrong: str, mend: str) -> None:
        self._problems.append(self._parsed.problem(where, wrong, mend))

    def _single(self, key: str, items: Sequence[N]) -> None:
        seen: set[str] = set()
        for at, item in enumerate(items):
            if item.id in seen:
                self._note((key, at, "id"), "is the id of an earlier one too", "give it another id")
            seen.add(item.id)

    def _timezone(self) -> None:
        given, known = self._content.site.timezone, available_timezones()
        if given not in known:
            near = get_close_matches(given, known, n=1)
            mend = f"did you mean {near[0]!r}?" if near else "use a name such as Asia/Shanghai"
            self._note(("site", "timezone"), f"there is no time zone {given!r}", mend)

    def _folders_exist(self) -> None:
        for key, folder in _folders(self._parsed):
            if not folder.is_dir():
                mend = "write it relative to the site file"
                self._note(("site", key), f"there is no folder {folder}", mend)

    def _webhooks(self) -> None:
        for at, address in enumerate(self._content.notices.webhooks):
            if not _is_web_address(address):
                self._note(
                    ("notices", "webhooks", at),
                    f"{address!r} is no web address",
                    "write it as http://host:port/path or https://…",
                )

    def _port(self, where: Where, port: int) -> None:
        if not 1 <= port <= 65535:
            self._note(where, f"{port} is no port", "use 1 to 65535")

    def _broker(self) -> Broker | None:
        said = self._content.broker
        if said is None:
            return None
        self._port(("broker", "port"), said.port)
        sources = [key for key in ("password_file", "password_env") if getattr(said, key)]
        if len(sources) > 1:
            self._note(("broker", "password_env"), "is given beside password_file", "keep one")
        if bool(said.username) != bool(sources):
            self._note(
                ("broker",),
                "has a user name without a password, or the other way round",
                "give username and one of password_file, password_env; or neither",
            )
        return Broker(
            host=said.host,
            port=said.port,
            username=said.username,
            password=self._password(said.password_file, said.password_env),
        )

    def _password(self, file: str | None, variable: str | None) -> str:
        if file is not None:
            path = Path(self._parsed.file).parent / file
            try:
                return path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                self._note(
                    ("broker", "password_file"),
                    f"{path} cannot be read ({type(error).__name__})",
                    "write the password into it; the path is relative to the site file",
                )
        elif variable is not None:
            if variable in os.environ:
                return os.environ[variable]
            self._note(
                ("broker", "password_env"), f"{variable} is not set", "set it in the environment"
            )
        return ""

    def _link(self, at: int, link: LinkDocument) -> Link:
        where: Where = ("links", at)
        if link.protocol == "mqtt":
            for key in ("host", "port", "timeout"):
                if getattr(link, key) is not None:
                    self._note(
                        (*where, key), "does not fit protocol mqtt", "name the broker in broker:"
                    )
            return MqttLink(id=link.id)
        for key in ("host", "port"):
            if getattr(link, key) is None:
                self._note((*where, key), "is missing", "say where the device listens")
        port = 502 if link.port is None else link.port
        self._port((*where, "port"), port)
        timeout = SECOND if link.timeout is None else link.timeout
        for wrong, mend in out_of_bounds(timeout, _TIMEOUT):
            self._note((*where, "timeout"), wrong, mend)
        return ModbusLink(id=link.id, host=link.host or "", port=port, timeout=timeout / SECOND)

    def _fingerprint(self) -> str:
        used = sorted({thing.profile for thing in self._content.equipment})
        digest = hashlib.sha256()
        for text in (self._parsed.text, *(self._profiles.found[name].text for name in used)):
            digest.update(hashlib.sha256(text.encode()).digest())
        return digest.hexdigest()[:16]


def _is_web_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
