"""The simulators of ``dutyroom up`` behind the demonstration's panel."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from api.demo import PlayedFault, PlayersAwayError
from gateway.model.equipment import Site
from gateway.model.moment import SECOND
from simulators import injection, wishes
from simulators.world import TICK

_FRESH_S = 8.0
"""The simulated world is saved about every second; one that is older than this stands still."""


class SimulatedDemo:
    """Wishes go into the simulators' folder; what came of them is read out of their world."""

    def __init__(self, site: Site, folder: Path) -> None:
        self._site = site
        self._folder = folder

    @cached_property
    def offers(self) -> Mapping[str, Sequence[str]]:
        return injection.offers(self._site)

    def faults(self) -> Sequence[PlayedFault]:
        elapsed, taken, wished = self._world()
        found = [
            PlayedFault(
                id=one.id,
                kind=one.kind,
                subject=one.subject,
                at=one.at,
                begun=True,
                until=one.at + round((one.ends - one.begins) * SECOND),
                left=max(0.0, one.ends - elapsed),
            )
            for one in taken
        ]
        known = {one.id for one in taken}
        waiting, _ = wishes.after(self._folder, wished)
        found += [
            PlayedFault(
                id=one.id,
                kind=one.kind,
                subject=one.subject,
                at=one.at,
                begun=False,
                until=one.at + round(one.lasts * SECOND),
                left=one.lasts,
            )
            for one in waiting
            if one.kind and one.id not in known
        ]
        return sorted(found, key=lambda one: one.at, reverse=True)

    def begin(self, fault: str, kind: str, subject: str, lasts: float, at: int) -> None:
        wish = injection.Wish(id=fault, kind=kind, subject=subject, lasts=lasts, at=at)
        wishes.ask(self._folder, wish)

    def end(self, fault: str, at: int) -> None:
        wishes.ask(self._folder, injection.Wish(id=fault, at=at))

    def _world(self) -> tuple[float, injection.Injections, int]:
        """s since it began, what was injected, and up to where wishes were taken."""
        file = self._folder / "state.json"
        try:
            age = time.time() - file.stat().st_mtime
            world = json.loads(file.read_bytes())["world"]
            taken = tuple(map(injection.restored, world["injected"]))
            elapsed, wished = float(world["ticks"]) * TICK, int(world["wished"])
        except (OSError, ValueError, KeyError, TypeError):
            raise PlayersAwayError from None
        if age > _FRESH_S:
            raise PlayersAwayError
        return elapsed, taken, wished
