"""Long jobs run in processes of their own, never in the one that polls: this starts them.

A job's process ends when ours does (its pipe closes); its row then becomes ``interrupted``.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

from api.lifeline import PARENT_FD
from api.supervise import command

_GRACE_S = 3.0
"""So long they may take to end by themselves: they only have to write that they did."""


class Jobs:
    """Building it starts nothing."""

    def __init__(self, site: Path, data: Path) -> None:
        self._site = site
        self._data = data
        self._pipe: tuple[int, int] | None = None
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, do: str = "replay-job", given: bytes = b"") -> None:
        """Have the job of that name done; its row is there already. Blocks for a moment.

        ``do``: the command that does it, which reads what is ``given``.
        """
        if self._pipe is None:
            self._pipe = os.pipe()
        environment = {**os.environ, PARENT_FD: str(self._pipe[0])}
        environment.pop("DUTYROOM_FAILPOINT", None)
        options = ("--site", str(self._site), "--data", str(self._data))
        process = subprocess.Popen(
            command(do, name, *options),
            stdin=subprocess.PIPE,
            env=environment,
            pass_fds=(self._pipe[0],),
        )
        self._running.append(process)
        # A process that nobody waits for stays in the system's table after its end.
        threading.Thread(
            target=self._see_out, args=(process, given), daemon=True, name=name
        ).start()

    def _see_out(self, process: subprocess.Popen[bytes], given: bytes) -> None:
        process.communicate(given)
        self._running.remove(process)

    def close(self) -> None:
        """Our end: theirs follows, or is forced. Blocks for :data:`_GRACE_S` at most."""
        running = list(self._running)
        for process in running:
            process.terminate()
        end = time.monotonic() + _GRACE_S
        for process in running:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        if self._pipe is not None:
            for end in self._pipe:
                os.close(end)
            self._pipe = None
