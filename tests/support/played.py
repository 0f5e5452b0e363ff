"""A demonstration whose devices nobody plays: it remembers what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from api.demo import PlayedFault, PlayersAwayError


@dataclass
class RememberedDemo:
    known: list[PlayedFault] = field(default_factory=list)
    away: bool = False

    @property
    def offers(self) -> Mapping[str, Sequence[str]]:
        return {
            "dry-run": ["pump-1", "pump-2"],
            "detector-fire": ["smoke-101"],
            "link-cut": ["garden"],
        }

    def faults(self) -> Sequence[PlayedFault]:
        if self.away:
            raise PlayersAwayError
        return self.known

    def begin(self, fault: str, kind: str, subject: str, lasts: float, at: int) -> None:
        if any(one.id == fault for one in self.known):
            return
        until = at + round(lasts * 1_000_000)
        self.known.append(
            PlayedFault(
                id=fault, kind=kind, subject=subject, at=at, begun=True, until=until, left=lasts
            )
        )

    def end(self, fault: str, at: int) -> None:
        self.known = [
            replace(one, left=0.0, until=at) if one.id == fault else one for one in self.known
        ]
