"""The only place that reads a clock, and the clock that tests turn by hand."""

from __future__ import annotations

import asyncio
import time
import uuid
from functools import cache
from pathlib import Path
from typing import Protocol

from gateway.model.moment import SECOND, Instant


class Clock(Protocol):
    """What a service asks for the time."""

    def now(self) -> Instant: ...

    async def sleep(self, seconds: float) -> None: ...


@cache
def boot_id() -> str:
    """The id of this boot; where the system names none, one that lasts as long as the process."""
    path = Path("/proc/sys/kernel/random/boot_id")
    try:
        return path.read_text().strip()
    except OSError:
        return str(uuid.uuid4())


class SystemClock:
    """The machine's clock; the monotonic part goes on through suspend where the system can."""

    def now(self) -> Instant:
        source = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        return Instant(
            wall=time.time_ns() // 1000,
            mono=time.clock_gettime_ns(source) // 1000,
            boot=boot_id(),
        )

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, wall: int, *, mono: int = 0, boot: str = "boot-1") -> None:
        self._now = Instant(wall=wall, mono=mono, boot=boot)

    def now(self) -> Instant:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> Instant:
        self._now = self._now.plus(round(seconds * SECOND))
        return self._now

    def step_wall(self, seconds: float) -> Instant:
        """Move the wall clock only, as a time server or a person would."""
        now = self._now
        self._now = Instant(wall=now.wall + round(seconds * SECOND), mono=now.mono, boot=now.boot)
        return self._now

    def reboot(self, boot: str, *, off_seconds: float = 0) -> Instant:
        """A new boot: the monotonic clock starts at 0, the wall clock goes on."""
        self._now = Instant(wall=self._now.wall + round(off_seconds * SECOND), mono=0, boot=boot)
        return self._now
