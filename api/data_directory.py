"""The data directory: what is kept where, its secrets, and who may use it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from api.ports import can_listen, free_port
from api.settings import CannotStartError
from gateway.model.equipment import Broker

_LOOPBACK = "127.0.0.1"
_LEFTOVERS = 12.0
"""s to wait for the children of an earlier run, whose parent was killed, to end."""


class DataDirectory:
    """Made by :meth:`open`; the paths are those of ``deploy/docs/running.md``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ledger = root / "ledger.db"
        self.history = root / "history.db"
        self.refused_readings = root / "history-refused.jsonl"
        self.spool = root / "spool"
        self.counted = root / "derived.json"
        self.simulators = root / "simulators"
        self.run = root / "run"
        self.in_force = root / "in-force"
        self.attachments = root / "attachments"
        self.tls = root / "tls"

    @classmethod
    def open(cls, root: Path) -> DataDirectory:
        """The directory at ``root``, made if need be.

        Raises :class:`~api.settings.CannotStartError` if it cannot be written.
        """
        directory = cls(root.absolute())
        try:
            # It holds password hashes and the record of who did what.
            directory.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            directory.run.mkdir(mode=0o700, exist_ok=True)
            probe = directory.run / f".probe-{os.getpid()}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise CannotStartError(
                f"the data directory {directory.root} cannot be written: {error.strerror}; "
                "give another one with --data or DUTYROOM_DATA"
            ) from None
        return directory

    def claim(self) -> int:
        """Take the directory for one ``dutyroom up``; the descriptor to hand to every child.

        1. The parent's lock says that another one is running: refuse. 2. The children's lock is
        held as long as any process lives that got its descriptor: wait for what is left of a
        killed parent. Raises :class:`~api.settings.CannotStartError`.
        """
        parent = _open(self.run / "up.lock")
        if not _lock(parent):
            raise CannotStartError(
                f"another dutyroom is running on {self.root}; "
                "end it first or give another directory with --data"
            )
        os.truncate(parent, 0)
        os.write(parent, str(os.getpid()).encode())
        children = _open(self.run / "children.lock")
        deadline = time.monotonic() + _LEFTOVERS
        while not _lock(children):
            if time.monotonic() > deadline:
                raise CannotStartError(
                    f"processes of an earlier run still use {self.root}; end them first"
                )
            time.sleep(0.05)
        return children

    def parent(self) -> int | None:
        """The process of the ``dutyroom up`` that runs on this directory; None if none does."""
        handle = _open(self.run / "up.lock")
        try:
            if _lock(handle):
                return None
            told = os.pread(handle, 20, 0)
            return int(told) if told.isdigit() else None
        finally:
            os.close(handle)

    def claim_service(self, name: str) -> None:
        """Be the only ``name`` (broker, gateway, rules, simulate) on this directory, for good.

        Raises :class:`~api.settings.CannotStartError` if another process is.
        """
        if not _lock(_open(self.run / f"{name}.lock")):
            raise CannotStartError(f"another dutyroom {name} is running on {self.root}")

    def own_broker(self) -> Broker | None:
        """The broker that was made for this directory, if one was and it can still be read."""
        try:
            text = self._secret("broker.json")
            return Broker(**json.loads(text)) if text else None
        except (ValueError, TypeError):
            return None

    def renew_broker(self) -> Broker:
        """The broker of this directory, its old port kept if that can still be had.

        For whoever starts it; raises :class:`~api.settings.CannotStartError` if it is running.
        """
        running = _open(self.run / "broker.lock")
        try:
            if not _lock(running):
                raise CannotStartError(f"another dutyroom broker is running on {self.root}")
        finally:
            os.close(running)
        broker = self.own_broker()
        if broker is not None and can_listen(broker.host, broker.port):
            return broker
        broker = Broker(
            host=_LOOPBACK,
            port=free_port(_LOOPBACK),
            username="dutyroom",
            password=broker.password if broker else secrets.token_urlsafe(32),
        )
        self.keep_secret("broker.json", json.dumps(asdict(broker)))
        return broker

    def make_password(self) -> str:
        """A password for the user admin, made up and kept until it was shown."""
        made = self.made_password() or secrets.token_urlsafe(12)
        self.keep_secret("admin-password", made)
        return made

    def made_password(self) -> str | None:
        """The password that was made up and that nobody has been shown yet."""
        return self._secret("admin-password")

    def forget_made_password(self) -> None:
        (self.run / "admin-password").unlink(missing_ok=True)

    def link_key(self) -> bytes:
        """What contractors' links are made with, made up once. Several processes may ask for it at
        the same time: the first one's counts."""
        path = self.run / "link-key"
        if not path.exists():
            fresh = self.keep_secret(f"link-key.{os.getpid()}", secrets.token_hex(32))
            with suppress(FileExistsError):
                path.hardlink_to(fresh)
            fresh.unlink()
        return bytes.fromhex(path.read_text(encoding="utf-8"))

    def keep_secret(self, name: str, text: str) -> Path:
        """Write ``text`` to a file of its own that only its owner can read."""
        path, fresh = self.run / name, self.run / f"{name}.new"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        fresh.replace(path)
        return path

    def _secret(self, name: str) -> str | None:
        try:
            return (self.run / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
