"""What a demonstration lets people do: have simulated equipment fail, and watch what comes of it.

The product does not know who plays its devices; whoever puts a demonstration together joins the two
(:mod:`api.demo_simulators`). A real site has none of this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class PlayersAwayError(Exception):
    """Nobody plays the devices at the moment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlayedFault:
    """A fault that was asked for."""

    id: str
    kind: str
    subject: str
    at: int
    """µs UTC, when it was asked for."""
    begun: bool
    """False until the devices have heard of it."""
    until: int
    """µs UTC, when it ends, or ended."""
    left: float
    """s until it ends by itself; 0: it is over."""


class Demo(Protocol):
    """Its methods block on a disk."""

    @property
    def offers(self) -> Mapping[str, Sequence[str]]:
        """Kind of fault → ids of the equipment, or of the links, that it can befall."""

    def faults(self) -> Sequence[PlayedFault]:
        """Those under way and those lately over, the newest first.

        Raises :class:`PlayersAwayError`.
        """

    def begin(self, fault: str, kind: str, subject: str, lasts: float, at: int) -> None:
        """Let ``kind`` befall ``subject`` for ``lasts`` s, from ``at`` (µs UTC) on; ``fault``: its
        id, of which a second one changes nothing."""

    def end(self, fault: str, at: int) -> None:
        """Let it end now."""
