"""The small files beside a spool's segments: lock, epoch, mark."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

_MARK = struct.Struct("<QQI")
_EPOCH = re.compile(r"[0-9a-f]{16}")


class SpoolBusyError(Exception):
    """Another process writes this spool."""


def lock(folder: Path) -> int:
    """The open lock file; closing it lets go. Raises :class:`SpoolBusyError`."""
    file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise SpoolBusyError(f"{folder} is in use by another process") from None
    return file


def read_epoch(folder: Path) -> str:
    """The epoch; empty if there is none or it is damaged."""
    try:
        text = (folder / "epoch").read_text()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""
    return text if _EPOCH.fullmatch(text) else ""


def make_epoch(folder: Path) -> str:
    """A new epoch, durable; the mark of the old one goes first."""
    (folder / "mark").unlink(missing_ok=True)
    flush_folder(folder)
    epoch = secrets.token_hex(8)
    new = folder / "epoch.new"
    with new.open("w") as file:
        file.write(epoch)
        file.flush()
        os.fsync(file.fileno())
    new.replace(folder / "epoch")
    flush_folder(folder)
    return epoch


@dataclass(frozen=True, slots=True)
class Marked:
    synced: int
    """The newest number that the disk has had."""
    reserved: int
    """No number behind it was ever told. After a clean end the newest number given."""


class Mark:
    """How far a spool's numbers have come.

    ``synced`` is not flushed: the page cache survives a kill, and after a power cut the flushed
    records themselves tell it. ``reserved`` is.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "mark"
        self._file: int | None = None
        self.reserved = 0

    def read(self) -> Marked | None:
        """None if there is none or it is damaged."""
        try:
            synced, reserved, checksum = _MARK.unpack(self._path.read_bytes())
        except (FileNotFoundError, struct.error):
            return None
        return Marked(synced, reserved) if checksum == _checksum(synced, reserved) else None

    def write(self, synced: int, reserved: int | None = None) -> None:
        """``reserved``: None leaves it as it is; flushed where it grows."""
        to = self.reserved if reserved is None else reserved
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        os.pwrite(self._file, _MARK.pack(synced, to, _checksum(synced, to)), 0)
        if to > self.reserved:
            os.fsync(self._file)
        self.reserved = to

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def flush_folder(folder: Path) -> None:
    """Make names in ``folder`` durable."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _checksum(*numbers: int) -> int:
    return crc32(b"".join(number.to_bytes(8, "little") for number in numbers))
