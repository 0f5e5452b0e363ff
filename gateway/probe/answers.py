"""The gateway's answer to the question ``probe``: a device read through the gateway's own link, so
that one that takes a single connection is not disturbed.

Asked: ``link``, ``unit``, ``profile``, ``parameters``. Answered: ``link``, ``unit``, ``profile``,
``points`` (each ``key name value text unit quality reason raw hint``), ``dead_addresses`` and
``requests``, as :func:`gateway.probe.report.document` has them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.bus.questions import QuestionRefusedError
from gateway.files.documents import Problem, salvage
from gateway.files.folders import documents
from gateway.modbus.link import ModbusSession
from gateway.modbus.poller import Session
from gateway.model.equipment import Equipment, ModbusLink, Site, is_life_safety
from gateway.probe.reading import probe
from gateway.probe.report import document
from gateway.profile.files import SHIPPED, ProfileFile, load_profile
from gateway.site.document import SiteDocument

_LONGEST = 50.0
"""Seconds of a probe: the one who asks waits for a minute."""
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_OF_A_POINT = ("key", "name", "value", "text", "unit", "quality", "reason", "raw", "hint")


class ProbeAnswers:
    """Answers ``probe``. ``sessions``: id of a link → the connection that its poller uses."""

    def __init__(self, site: Site, sessions: Mapping[str, Session]) -> None:
        self._site = site
        self._sessions = sessions
        self._busy: set[str] = set()
        self._folders: tuple[Path, ...] | None = None

    async def __call__(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The report. Raises :class:`QuestionRefusedError` with one of the codes ``unknown_link``
        ``unknown_unit`` ``unknown_profile`` ``wrong_protocol`` ``bad_parameters``
        ``class_forbidden`` ``busy`` ``no_reply`` ``too_slow``.
        """
        link = self._link(body.get("link"))
        things = self._things(link, body.get("unit"))
        file = await self._profile(body.get("profile"))
        parameters = _parameters(file, body.get("parameters") or {})
        guarded = any(is_life_safety(thing.equipment_class) for thing in things)
        if guarded and file.profile.id not in {thing.profile for thing in things}:
            raise QuestionRefusedError(
                "class_forbidden",
                "fire and lift equipment is read by the profile that the site file gives it only",
            )
        if link.id in self._busy:
            raise QuestionRefusedError("busy", f"a probe is running on {link.id}")
        self._busy.add(link.id)
        try:
            return await self._probed(link, int(body["unit"]), file, parameters, guarded)
        finally:
            self._busy.discard(link.id)

    async def _probed(
        self,
        link: ModbusLink,
        unit: int,
        file: ProfileFile,
        parameters: Mapping[str, int],
        guarded: bool,
    ) -> Mapping[str, Any]:
        session = self._sessions[link.id]
        try:
            async with asyncio.timeout(_LONGEST):
                report = await probe(
                    session,
                    unit,
                    file,
                    parameters,
                    restricted=guarded,
                    rest=max(link.timeout, 1.5),
                )
        except TimeoutError:
            raise QuestionRefusedError(
                "too_slow", f"it was not read in {_LONGEST:g} s; use dutyroom probe on its line"
            ) from None
        finally:
            if isinstance(session, ModbusSession):
                await session.rest()
        if report.silence is not None:
            raise QuestionRefusedError("no_reply", report.silence)
        told = document(report)
        return {
            "link": link.id,
            "unit": unit,
            "profile": file.profile.id,
            "points": [{key: one[key] for key in _OF_A_POINT} for one in told["points"]],
            "dead_addresses": told["dead_addresses"],
            "requests": told["requests"],
        }

    def _link(self, given: object) -> ModbusLink:
        link = self._site.links.get(given) if isinstance(given, str) else None
        if link is None:
            raise QuestionRefusedError("unknown_link", f"the site has no link {given!r}")
        if not isinstance(link, ModbusLink) or link.id not in self._sessions:
            raise QuestionRefusedError("wrong_protocol", f"{link.id} is no Modbus link")
        return link

    def _things(self, link: ModbusLink, unit: object) -> list[Equipment]:
        """What the site file has on that unit. One that it does not name may be anything, a fire
        panel too, so it is not asked."""
        known = isinstance(unit, int) and not isinstance(unit, bool)
        things = [
            thing
            for thing in self._site.equipment.values()
            if known and thing.link == link.id and thing.unit == unit
        ]
        if not things:
            raise QuestionRefusedError(
                "unknown_unit", f"the site file has no equipment of unit {unit!r} on {link.id}"
            )
        return things

    async def _profile(self, given: object) -> ProfileFile:
        if not isinstance(given, str) or not _ID.fullmatch(given):
            raise QuestionRefusedError("unknown_profile", f"there is no profile {given!r}")
        file, problems = await asyncio.to_thread(self._load, given)
        if problems:
            raise QuestionRefusedError("unknown_profile", f"it is wrong on disk: {problems[0]}")
        if file is None:
            raise QuestionRefusedError("unknown_profile", f"there is no profile {given!r}")
        if file.profile.protocol != "modbus":
            raise QuestionRefusedError("wrong_protocol", f"{given} is no profile for Modbus")
        return file

    def _load(self, profile: str) -> tuple[ProfileFile | None, Sequence[Problem]]:
        """The profile of that name as it is on disk now, the site's own before the shipped one.

        Only its own file is read: all of them would keep the gateway busy for seconds.
        """
        if self._folders is None:
            self._folders = _folders(Path(self._site.file))
        for folder in self._folders:
            for path in documents(folder, f"**/{profile}.yaml"):
                return load_profile(path)
        return None, ()


def _folders(site: Path) -> tuple[Path, ...]:
    """Where the site's profiles are, its own first. Reads the site file."""
    parsed, _ = salvage(site, SiteDocument)
    own = None if parsed is None else parsed.content.site.profiles_folder
    return (SHIPPED,) if own is None else (site.parent / own, SHIPPED)


def _parameters(file: ProfileFile, given: object) -> Mapping[str, int]:
    asked = file.document.parameters
    said = given if isinstance(given, Mapping) else {}
    right = said.keys() == asked.keys() and all(
        isinstance(value, int)
        and not isinstance(value, bool)
        and asked[name].low <= value <= asked[name].high
        for name, value in said.items()
    )
    if not right:
        wanted = ", ".join(f"{name} {one.low} to {one.high}" for name, one in asked.items())
        raise QuestionRefusedError("bad_parameters", f"the profile wants {wanted or 'none'}")
    return dict(said)
