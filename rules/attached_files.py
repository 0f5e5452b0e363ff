"""Where the bytes of photographs, signatures and documents lie: files named by their SHA-256.

A file is written whole and safe before the ledger has a row of it, and never changed or taken
away. So one that no row names is harmless, and a row without its file means that somebody took it
away or the disk has lost it: :meth:`AttachedFiles.read` and a backup say so.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

RESERVE = 256 * 1024 * 1024
"""Bytes that are left to ledger, spool and history on the same disk."""
_FULL = (errno.ENOSPC, errno.EDQUOT)

_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"%PDF-", "application/pdf"),
)


class NoRoomError(Exception):
    """The disk is short of room; nothing was kept."""


class LostFileError(Exception):
    """The file of an attachment is not there, or is not what was written."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachedFile:
    """A file that lies there."""

    media_type: str
    size: int
    """Bytes."""
    sha256: str
    """Names it."""
    sent_size: int
    sent_sha256: str
    """Of the bytes as they were sent. A picture is kept drawn anew: by this, whoever has the
    original shows that it is the one."""


def media_type_of(data: bytes) -> str | None:
    """What the bytes themselves say they are; None: nothing that is taken here."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _BEGINNINGS if data.startswith(start)), None)


class AttachedFiles:
    """The files below ``root``; any number of processes may share it."""

    def __init__(self, root: Path, *, reserve: int = RESERVE) -> None:
        self.root = root
        self._reserve = reserve

    def path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256

    def put(self, data: bytes) -> str:
        """Keep ``data``; its SHA-256. It is on the disk when this returns.

        Raises :class:`NoRoomError`, and ``OSError`` where the disk fails otherwise.
        """
        name = hashlib.sha256(data).hexdigest()
        try:
            self._make(self.root)
            if shutil.disk_usage(self.root).free < self._reserve + len(data):
                raise NoRoomError("the disk is nearly full")
            if not self._is_whole(name):
                self._write(self.path(name), data)
        except OSError as error:
            if error.errno in _FULL:
                raise NoRoomError("the disk is full") from None
            raise
        return name

    def read(self, sha256: str) -> bytes:
        """Raises :class:`LostFileError`."""
        try:
            data = self.path(sha256).read_bytes()
        except OSError as error:
            raise LostFileError(f"its file cannot be read: {error.strerror}") from None
        if hashlib.sha256(data).hexdigest() != sha256:
            raise LostFileError("its file is not what was written")
        return data

    def _is_whole(self, name: str) -> bool:
        """Whether it lies there already; what was damaged is written again."""
        try:
            self.read(name)
        except LostFileError:
            return False
        # Whoever has written it may not have come to this yet.
        _sync_folder(self.path(name).parent)
        return True

    def _write(self, path: Path, data: bytes) -> None:
        """1. The content under another name; 2. the name; 3. the folder that holds the name."""
        self._make(path.parent)
        handle, fresh = tempfile.mkstemp(prefix=".new-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(handle)
            Path(fresh).replace(path)
        except BaseException:
            Path(fresh).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)

    @staticmethod
    def _make(folder: Path) -> None:
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
