"""The small parent of ``dutyroom up``: starts the processes, starts the fallen again, ends all.

It does no work of its own, so that it is the last thing to fail.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from api.lifeline import PARENT_FD
from api.settings import CannotStartError

Say = Callable[[str], None]

WRONG = 2
"""The exit code of a child that cannot work as things are: at its first start the end of it all,
because somebody is looking; later a reason to try again, because things may be mended."""

_FIRST_DELAY, _LONGEST_DELAY = 1.0, 30.0
_STEADY = 60.0
"""s after which a child counts as well started."""
_POLITE = 8.0
"""s that the children have, all together, between SIGTERM and SIGKILL."""
_SETTLE = 0.3
"""s to learn that a child did not fall but everybody was told to end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """One child."""

    name: str
    """As people are told of it: "the server"."""
    command: Sequence[str]


class Supervisor:
    """Keeps programs running. Building one starts nothing."""

    def __init__(
        self, programs: Sequence[Program], *, say: Say, inherit: Sequence[int] = ()
    ) -> None:
        """``inherit``: descriptors that live as long as any child does."""
        self._programs = programs
        self._say = say
        self._inherit = tuple(inherit)
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._starting = asyncio.Lock()
        self._ending = asyncio.Event()
        self._wrong: str | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Run all programs until ``stop``, then end them, the last one first.

        Raises :class:`~api.settings.CannotStartError` once a program says that it cannot work.
        """
        watched, held = os.pipe()
        try:
            keepers = [
                asyncio.create_task(self._keep(program, watched)) for program in self._programs
            ]
            stopped = asyncio.create_task(stop.wait())
            ended = asyncio.create_task(self._ending.wait())
            await asyncio.wait([stopped, ended], return_when=asyncio.FIRST_COMPLETED)
            self._ending.set()
            await self._end_all()
            await asyncio.gather(*keepers)
            stopped.cancel()
        finally:
            os.close(held)
            os.close(watched)
        if self._wrong:
            raise CannotStartError(f"{self._wrong} cannot work; its reason is above")

    async def _keep(self, program: Program, pipe: int) -> None:
        """Start ``program``, and again with growing delays whenever it ends."""
        delay, environment, first = _FIRST_DELAY, dict(os.environ), True
        while not self._ending.is_set():
            began = time.monotonic()
            process = await self._start(program, pipe, environment)
            if self._ending.is_set():
                process.kill()
            code = await process.wait()
            if await self._told_to_end(_SETTLE):
                return
            if code == WRONG and first:
                self._wrong = program.name
                self._ending.set()
                return
            first = False
            if time.monotonic() - began > _STEADY:
                delay = _FIRST_DELAY
            self._say(f"{program.name} ended ({_how(code)}); starting it again in {delay:g} s")
            # A failpoint kills once; what comes after is the recovery that it is there to show.
            environment.pop("DUTYROOM_FAILPOINT", None)
            if await self._told_to_end(delay):
                return
            delay = min(2 * delay, _LONGEST_DELAY)

    async def _told_to_end(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)
        return self._ending.is_set()

    async def _start(
        self, program: Program, pipe: int, environment: dict[str, str]
    ) -> asyncio.subprocess.Process:
        # The signal mask is inherited: Ctrl-C goes to the whole foreground group, and only the
        # parent shall act on it. One at a time, or one start would restore the other's mask.
        async with self._starting:
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                process = await asyncio.create_subprocess_exec(
                    *program.command,
                    stdin=subprocess.DEVNULL,
                    env={**environment, PARENT_FD: str(pipe)},
                    pass_fds=(pipe, *self._inherit),
                )
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._running[program.name] = process
        return process

    async def _end_all(self) -> None:
        deadline = time.monotonic() + _POLITE
        # ``left``: how many are still to be ended afterwards; each of them keeps a second.
        for left, program in reversed(list(enumerate(self._programs))):
            process = self._running.get(program.name)
            if process is None or process.returncode is not None:
                continue
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                await asyncio.wait_for(process.wait(), max(deadline - time.monotonic() - left, 1.0))
            except TimeoutError:
                self._say(f"{program.name} does not end by itself; killing it")
                with suppress(ProcessLookupError):
                    process.kill()


def command(name: str, *options: str) -> list[str]:
    """How this very Python runs ``dutyroom name options``."""
    # Without -P the working directory would come before the installed packages, and a folder
    # named api in it would be taken for ours; a checkout run by ``-m`` needs just that, though.
    safe = [] if sys.path[0] in ("", os.getcwd()) else ["-P"]  # noqa: PTH109 - compared as text
    return [sys.executable, *safe, "-m", "api.cli", name, *options]


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
