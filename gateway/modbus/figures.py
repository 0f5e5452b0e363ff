"""What a link and its units have done since the gateway started, counted. Pure.

Counting is on the way of every reading, so it only adds; shares and percentiles are worked out
when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from gateway.modbus.budget import Budget

LATENCY_BOUNDS = tuple(round(0.0005 * 2 ** (step / 2), 7) for step in range(34))
"""Seconds, each √2 times the one before: 0.5 ms to 46 s."""

_WINDOW = 60.0
"""Seconds over which the share of busy time is taken."""


class UnitTally:
    """What one unit has been asked and has answered."""

    __slots__ = (
        "damaged",
        "exceptions",
        "latencies",
        "replies",
        "requests",
        "seconds",
        "timeouts",
        "wrong",
    )

    def __init__(self) -> None:
        self.requests = 0
        self.replies = 0
        """Right ones, refusals among them."""
        self.timeouts = 0
        self.wrong = 0
        """What was not the reply, or a closed connection instead of one; not the damaged ones."""
        self.damaged = 0
        """Replies with a wrong checksum."""
        self.exceptions: Counter[int] = Counter()
        """Code → how often."""
        self.seconds = 0.0
        """From request to reply, over all replies."""
        self.latencies = [0] * (len(LATENCY_BOUNDS) + 1)

    def replied(self, seconds: float) -> None:
        """The right reply came after so long."""
        self.replies += 1
        self.seconds += seconds
        self.latencies[bisect_left(LATENCY_BOUNDS, seconds)] += 1

    def percentile(self, share: float) -> float:
        """Seconds that ``share`` of the replies did not exceed; up to √2 too many."""
        enough = share * self.replies
        upto = zip(LATENCY_BOUNDS, accumulate(self.latencies), strict=False)
        return next((bound for bound, count in upto if count >= enough), LATENCY_BOUNDS[-1])


def summed(tallies: Iterable[UnitTally]) -> UnitTally:
    """All of them in one."""
    total = UnitTally()
    for tally in tallies:
        for name in ("requests", "replies", "timeouts", "wrong", "damaged", "seconds"):
            setattr(total, name, getattr(total, name) + getattr(tally, name))
        total.exceptions += tally.exceptions
        total.latencies = [a + b for a, b in zip(total.latencies, tally.latencies, strict=True)]
    return total


class Traffic:
    """What went over one link. Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self.connected = False
        self.reason = ""
        """Why it is not connected, or was not the last time."""
        self.attempts = 0
        """To connect."""
        self.strays = 0
        """Times that bytes came which nobody had asked for."""
        self._units: dict[int, UnitTally] = {}
        self._began: float | None = None
        self._ended = 0.0
        self._busy = 0.0
        self._share: float | None = None

    def unit(self, unit: int) -> UnitTally:
        """The tally of ``unit``; made if it is new."""
        found = self._units.get(unit)
        if found is None:
            found = self._units[unit] = UnitTally()
        return found

    @property
    def units(self) -> Mapping[int, UnitTally]:
        """By unit. A copy: another thread may look while it grows."""
        return dict(self._units)

    def use(self, begun: float, ended: float) -> None:
        """A request, with its reply or the wait for one, had the link for itself."""
        if self._began is None:
            self._began = begun
        self._busy += ended - begun
        self._ended = ended
        elapsed = ended - self._began
        if elapsed >= _WINDOW:
            self._share = self._busy / elapsed
            self._began, self._busy = ended, 0.0

    @property
    def busy(self) -> float:
        """How much of the last whole minute (the first one: so far) it was in use, 0 to 1."""
        if self._share is not None:
            return self._share
        elapsed = 0.0 if self._began is None else self._ended - self._began
        return self._busy / elapsed if elapsed else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """Milliseconds from a request to its reply."""

    mean: float
    p99: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """Since the gateway started."""

    requests: int
    replies: int
    timeouts: int
    wrong_replies: int
    crc_errors: int
    exceptions: Mapping[int, int]
    """Code → how often."""
    latency_ms: Latency | None
    """None before the first reply."""


def counts(tally: UnitTally) -> Counts:
    """``tally`` as people read it."""
    latency = None
    if tally.replies:
        mean = 1000 * tally.seconds / tally.replies
        p99 = 1000 * tally.percentile(0.99)
        latency = Latency(mean=round(mean, 3), p99=round(p99, 3))
    return Counts(
        requests=tally.requests,
        replies=tally.replies,
        timeouts=tally.timeouts,
        wrong_replies=tally.wrong,
        crc_errors=tally.damaged,
        exceptions=dict(sorted(tally.exceptions.items())),
        latency_ms=latency,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitFigures:
    unit: int
    equipment: tuple[str, ...]
    silent: bool
    """It has not answered for some polls and is only probed."""
    counts: Counts


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadAddress:
    """A place that the device has been found not to have."""

    unit: int
    function: str
    address: int
    """PDU address."""
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkFigures:
    id: str
    where: str
    connected: bool
    reason: str
    """Why it is not connected, or was not the last time; empty: it always was."""
    attempts: int
    """To connect, since the gateway started."""
    strays: int
    """Times that bytes came which nobody had asked for."""
    busy: float
    """How much of the last whole minute the link was in use, 0 to 1."""
    counts: Counts
    """Over all units."""
    units: tuple[UnitFigures, ...]
    dead: tuple[DeadAddress, ...]
    budget: Budget

    @property
    def silent(self) -> tuple[int, ...]:
        """Units that are only probed."""
        return tuple(unit.unit for unit in self.units if unit.silent)

    def plain(self) -> dict[str, Any]:
        """As JSON; the form is in :mod:`gateway.link_answers`."""
        return {
            "id": self.id,
            "protocol": "modbus",
            "where": self.where,
            "connected": self.connected,
            "reason": self.reason,
            "attempts": self.attempts,
            "strays": self.strays,
            "busy": round(self.busy, 4),
            **_plain(self.counts),
            "budget": asdict(self.budget),
            "units": [
                {
                    "unit": one.unit,
                    "equipment": list(one.equipment),
                    "silent": one.silent,
                    **_plain(one.counts),
                }
                for one in self.units
            ],
            "dead_addresses": [asdict(one) for one in self.dead],
        }


def _plain(said: Counts) -> dict[str, Any]:
    found = asdict(said)
    found["exceptions"] = {str(code): count for code, count in said.exceptions.items()}
    return found
