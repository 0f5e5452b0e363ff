"""The last room on a disk: readings leave it to alarms and orders, and the history leaves more than
the spool, so that it is the first to go without."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_MB = 1024 * 1024
LEFT_BY_SPOOL = 128 * _MB
"""Bytes."""
LEFT_BY_HISTORY = 256 * _MB
"""Bytes."""


def room(folder: Path, left: int) -> int:
    """Bytes that may still be written to the disk of ``folder`` if ``left`` are to stay free; less
    than 0 where fewer are. OSError if the disk cannot be asked."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize - left


def check_room(folder: Path, left: int) -> None:
    """Raises OSError (ENOSPC) where no more than ``left`` bytes are free; 0: never."""
    if left and room(folder, left) <= 0:
        raise OSError(errno.ENOSPC, f"the last {left // _MB} MB are for alarms and orders")
