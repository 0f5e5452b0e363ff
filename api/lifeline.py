"""How a process ends: by a signal, or because its parent is gone.

The parent holds the writing end of a pipe and never writes. When it dies, by whatever cause, the
system closes that end, and the reading end that every child watches reports it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time

PARENT_FD = "DUTYROOM_PARENT_FD"
"""Environment variable with the number of the pipe's reading end."""

_GRACE = 5.0
"""s between the polite and the other way to end."""


def hold() -> None:
    """Watch the parent, if this process has one that wants to be watched.

    When the parent is gone: SIGTERM to this process, and after a grace its end without asking.
    """
    number = os.environ.pop(PARENT_FD, "")
    if number:
        thread = threading.Thread(target=_watch, args=(int(number),), daemon=True, name="lifeline")
        thread.start()


def _watch(pipe: int) -> None:
    try:
        while os.read(pipe, 1):
            pass
    except OSError:
        pass  # The pipe itself is gone: so is the parent.
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(1)


def stop_on_signals() -> asyncio.Event:
    """An event of the running loop that SIGTERM and SIGINT set.

    A child of ``dutyroom up`` never sees SIGINT: its parent has it blocked there, so that Ctrl-C
    reaches the parent alone, which ends its children in order.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def reload_on_signal() -> asyncio.Event:
    """An event of the running loop that SIGHUP sets: the files are to be read again."""
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)
    return asked
