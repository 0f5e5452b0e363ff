"""The site file → typed objects, with every mistake of the site and its profiles at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.files.documents import ConfigurationError, Parsed, Problem, UnreadableError, salvage
from gateway.model.equipment import (
    AllowedCommand,
    Area,
    Broker,
    BrokerTls,
    Framing,
    Link,
    ModbusLink,
    MqttLink,
    SerialPort,
    Site,
)
from gateway.model.moment import SECOND
from gateway.profile.files import SHIPPED, ProfileFile, Profiles, scan_profiles
from gateway.site.checks import SiteChecks
from gateway.site.document import BrokerDocument, LinkDocument, SiteDocument, TlsDocument
from gateway.site.equipment import installed
from gateway.site.notices import channels_of, notice_files
from gateway.site.twins import with_twins


@dataclass(frozen=True, kw_only=True)
class Survey:
    """A site as far as its files can be read, and everything that is wrong with them."""

    site: Site | None
    """None if there is a problem."""
    problems: Sequence[Problem]
    profiles: Mapping[str, ProfileFile] | None
    """All that the site may use; None if it cannot be told which there are."""
    rulebook: Path | None
    """The site's own folder of rules, if it names one."""
    scenario: str | None


def load(path: Path) -> Site:
    """The site that the file at ``path`` describes.

    Raises :class:`ConfigurationError` with every problem of the site file and all profiles.
    """
    found = survey(path)
    if found.site is None:
        raise ConfigurationError(found.problems)
    return found.site


def survey(path: Path) -> Survey:
    """As :func:`load`, with the problems beside what can be read all the same.

    1. Read the site file and every profile: shipped ones, and the site's own before them.
    2. Check each link and each equipment against the links, areas and profiles it names.
    3. Check what must be single: ids, and no two equipments on the same registers or topic.
    """
    parsed, problems = salvage(path, SiteDocument)
    if parsed is None:
        return Survey(site=None, problems=problems, profiles=None, rulebook=None, scenario=None)
    profiles = _profiles(parsed)
    found = SiteChecks(parsed.content, parsed.file, profiles).findings()
    problems = [*problems, *profiles.problems, *(parsed.problem(*finding) for finding in found)]
    rulebook = scenario = None
    with suppress(UnreadableError):
        rulebook = _folder(parsed, parsed.content.site.rulebook_folder)
    with suppress(UnreadableError):
        said = parsed.content.simulation
        scenario = None if said is None else said.scenario
    known = profiles.complete and not profiles.problems
    return Survey(
        site=None if problems else _built(parsed, profiles),
        problems=problems,
        profiles=profiles.found if known else None,
        rulebook=rulebook,
        scenario=scenario,
    )


def files_beside(path: Path) -> tuple[Path, ...]:
    """What the site file at ``path``, a right one, names by relative path: files and folders."""
    parsed, problems = salvage(path, SiteDocument)
    if parsed is None:
        raise ConfigurationError(problems)
    content = parsed.content
    scenario = "" if content.simulation is None else content.simulation.scenario
    named = (
        content.site.profiles_folder,
        content.site.rulebook_folder,
        *_files(content.broker),
        *notice_files(content.notices),
        scenario if scenario.endswith(".yaml") else None,
    )
    folder = path.absolute().parent
    relative = (name for name in named if name is not None and not Path(name).is_absolute())
    found = (Path(os.path.normpath(folder / name)) for name in relative)
    return tuple(one for one in found if one.exists())


def with_link_address(site: Site, link_id: str, host: str, port: int) -> Site:
    """``site`` with another address for one Modbus link; :class:`KeyError` if there is none.

    A serial line becomes one behind a converter: the same frames, over TCP.
    """
    link = site.links.get(link_id)
    if not isinstance(link, ModbusLink):
        raise KeyError(f"the site has no Modbus link {link_id!r}")
    moved = replace(link, host=host, port=port, serial=None)
    return replace(site, links={**site.links, link_id: moved})


def with_broker(site: Site, broker: Broker) -> Site:
    """``site`` with ``broker`` in place of its own or none."""
    return replace(site, broker=broker)


def _folder(parsed: Parsed[SiteDocument], own: str | None) -> Path | None:
    """A folder that the site file names, if it does."""
    return None if own is None else Path(parsed.file).parent / own


def _profiles(parsed: Parsed[SiteDocument]) -> Profiles:
    """The shipped profiles, and the site's own before them."""
    try:
        own = _folder(parsed, parsed.content.site.profiles_folder)
    except UnreadableError:
        return replace(scan_profiles([SHIPPED]), complete=False)
    return scan_profiles([SHIPPED] if own is None else [own, SHIPPED])


def _built(parsed: Parsed[SiteDocument], profiles: Profiles) -> Site:
    """The site that a document without a problem describes."""
    content = parsed.content
    rulebook = _folder(parsed, content.site.rulebook_folder)
    things = {
        thing.id: installed(thing, profiles.found[thing.profile]) for thing in content.equipment
    }
    return Site(
        id=content.site.id,
        name=content.site.name.text(),
        gateway=content.gateway,
        timezone=content.site.timezone,
        links={link.id: _link(link) for link in content.links},
        areas={area.id: Area(id=area.id, name=area.name.text()) for area in content.areas},
        equipment=with_twins(things, content.equipment),
        broker=_broker(content.broker, parsed.file),
        channels=channels_of(content.notices, Path(parsed.file).parent),
        allow=frozenset(content.notices.allow),
        commands=tuple(
            AllowedCommand(
                equipment=one.equipment,
                point=one.point,
                low=one.low,
                high=one.high,
                roles=one.roles,
            )
            for one in content.commands
        ),
        walks={frozenset((one.start, one.to)): one.metres for one in content.walk},
        rulebook=None if rulebook is None else str(rulebook),
        scenario=None if content.simulation is None else content.simulation.scenario,
        fingerprint=_fingerprint(parsed, profiles),
        file=parsed.file,
    )


def _link(link: LinkDocument) -> Link:
    name = None if link.name is None else link.name.text()
    if link.protocol == "mqtt":
        return MqttLink(id=link.id, name=name)
    timeout = SECOND if link.timeout is None else link.timeout
    return ModbusLink(
        id=link.id,
        host=link.host or "",
        port=link.port or 0,
        serial=None if link.device is None else _line(link),
        line=_line(link) if link.device is None and _says_a_line(link) else None,
        framing=Framing.TCP if link.protocol == "modbus-tcp" else Framing.RTU,
        timeout=timeout / SECOND,
        pause=(link.pause or 0) / SECOND,
        once=link.connection == "each-poll",
        name=name,
    )


def _says_a_line(link: LinkDocument) -> bool:
    return any(one is not None for one in (link.baud, link.parity, link.stop_bits))


def _line(link: LinkDocument) -> SerialPort:
    return SerialPort(
        device=link.device or "",
        baud=link.baud or 9600,
        parity=link.parity or "N",
        stop_bits=link.stop_bits or 1,
    )


def _broker(said: BrokerDocument | None, file: str) -> Broker | None:
    if said is None:
        return None
    password = ""
    if said.password_file is not None:
        password = _password(file, said.password_file)
    elif said.password_env is not None:
        password = os.environ[said.password_env]
    return Broker(
        host=said.host,
        port=said.port,
        username=said.username,
        password=password,
        tls=_tls(said.tls, Path(file).parent),
    )


def _tls(said: TlsDocument | None, folder: Path) -> BrokerTls | None:
    if said is None:
        return None
    ca, certificate, key = (
        None if name is None else str(folder / name)
        for name in (said.ca, said.certificate, said.key)
    )
    return BrokerTls(authorities=ca, certificate=certificate, key=key)


def _files(said: BrokerDocument | None) -> tuple[str | None, ...]:
    """What it says of other files."""
    if said is None:
        return ()
    tls = said.tls or TlsDocument()
    return (said.password_file, tls.ca, tls.certificate, tls.key)


def _password(file: str, name: str) -> str:
    """What the file beside the site file holds."""
    return (Path(file).parent / name).read_text(encoding="utf-8").strip()


def _fingerprint(parsed: Parsed[SiteDocument], profiles: Profiles) -> str:
    used = sorted({thing.profile for thing in parsed.content.equipment})
    digest = hashlib.sha256()
    for text in (parsed.text, *(profiles.found[name].text for name in used)):
        digest.update(hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()[:16]


def profiles_of(site: Site) -> Mapping[str, ProfileFile]:
    """Every profile that ``site`` may use, by id. Reads the files again: it blocks.

    Raises :class:`ConfigurationError` where they have become wrong since.
    """
    found = survey(Path(site.file))
    if found.profiles is None:
        raise ConfigurationError(found.problems)
    return found.profiles
