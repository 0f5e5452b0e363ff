"""The authority of this machine's own, and certificates by it, as files.

In the folder, readable by its owner alone:

``ca.crt`` ``ca.key``   the authority, good for ten years; phones trust its certificate
``server.pem``          key and certificate in one file, so that one rename changes both
``names.json``          the names that it is for, and which of them were asked for
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from api.settings import CannotStartError
from api.tls import making
from api.tls import names as machine
from api.tls.making import Pair
from api.tls.reading import Certificate, NoCertificateError, read
from gateway.model.moment import DAY

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """Where they lie; nothing has to be there yet."""

    root: Path

    @property
    def authority(self) -> Path:
        return self.root / "ca.crt"

    @property
    def authority_key(self) -> Path:
        return self.root / "ca.key"

    @property
    def server(self) -> Path:
        return self.root / "server.pem"

    @property
    def names(self) -> Path:
        return self.root / "names.json"

    def kept_names(self, which: str) -> list[str]:
        """Of the last time: those that were ``asked`` for beside the machine's own, or ``all``."""
        try:
            return [str(name) for name in json.loads(self.names.read_bytes())[which]]
        except (OSError, ValueError, TypeError, LookupError):
            return []


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    authority: Certificate
    server: Certificate
    names: Sequence[str]
    new_authority: bool

    def missing(self) -> list[str]:
        """What the machine is called and the certificate is not for."""
        return [name for name in machine.of_machine() if name not in self.names]


def make(
    folder: Folder, asked: Sequence[str], *, days: int, now: int, new_authority: bool = False
) -> Made:
    """A certificate for this machine and for ``asked``, good for ``days`` from now (µs UTC).

    1. The authority that is there signs it, unless it ends before, or another one is wanted.
    2. Names that were asked for before are kept. One that the authority may not speak for is left
       out where it is the machine's own, and refused where it is asked for.
    3. All is made beside, then put in place by renames, the certificate last.

    Raises :class:`~api.settings.CannotStartError`, and :class:`~api.tls.names.NoNameError`.
    """
    asked = machine.in_order([*folder.kept_names("asked"), *asked])
    names = machine.in_order([*asked, *machine.of_machine()])
    signer = None if new_authority else _signer(folder, now + days * DAY)
    is_new = signer is None
    if signer is None:
        signer = making.authority(socket.gethostname(), names, now=now)
    else:
        names = _spoken_for(signer.read(), asked, names)
    server = making.server(names, signer, days=days, now=now)
    try:
        _put(folder, signer if is_new else None, server, {"asked": asked, "all": names})
    except OSError as error:
        raise CannotStartError(f"{folder.root} cannot be written: {error.strerror}") from None
    return Made(authority=signer.read(), server=server.read(), names=names, new_authority=is_new)


def seen(folder: Folder) -> Made | None:
    """What is there; None where nothing was made yet. Raises CannotStartError for what cannot be
    read."""
    try:
        authority = read(folder.authority.read_text(encoding="ascii"))
        server = read(folder.server.read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, NoCertificateError) as error:
        raise CannotStartError(
            f"{folder.root}: {error}; make it anew with `dutyroom cert --new-authority`"
        ) from None
    names = folder.kept_names("all")
    return Made(authority=authority, server=server, names=names, new_authority=False)


def _signer(folder: Folder, until: int) -> Pair | None:
    """The authority that is there with its key, and is good until then (µs UTC)."""
    if not folder.authority.is_file():
        return None
    if not folder.authority_key.is_file():
        raise CannotStartError(
            f"{folder.authority_key} is not there, without which the authority signs nothing: put "
            "it back, or make a new authority with --new-authority (every phone must trust it anew)"
        )
    try:
        certificate = x509.load_pem_x509_certificate(folder.authority.read_bytes())
        key = load_pem_private_key(folder.authority_key.read_bytes(), password=None)
    except OSError as error:
        raise CannotStartError(f"{error.filename}: {error.strerror}") from None
    except (ValueError, TypeError) as error:
        # TypeError: the key has a password.
        raise CannotStartError(
            f"{folder.root}: ca.crt or ca.key cannot be read ({error}): put them back, or make a "
            "new authority with --new-authority (every phone must trust it anew)"
        ) from None
    # A kill between the renames of a new authority leaves two files that are no pair.
    if certificate.public_key() != key.public_key():
        return None
    pair = Pair(certificate=certificate, key=key)  # type: ignore[arg-type]
    return pair if pair.read().ends >= until else None


def _spoken_for(authority: Certificate, asked: Sequence[str], names: Sequence[str]) -> list[str]:
    """Those of ``names`` that browsers believe ``authority`` about."""
    strangers = [name for name in asked if not authority.speaks_for(name)]
    if strangers:
        raise CannotStartError(
            f"the authority that phones trust may not speak for {', '.join(strangers)}, which "
            "was not asked for when it was made: make a new one with --new-authority (every phone "
            "must trust it anew)"
        )
    return [name for name in names if authority.speaks_for(name)]


def _put(folder: Folder, authority: Pair | None, server: Pair, names: dict[str, list[str]]) -> None:
    """``authority``: where it is a new one."""
    folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=folder.root) as scratch:
        fresh = Folder(root=Path(scratch))
        if authority is not None:
            _write(fresh.authority_key, authority.key_pem())
            _write(fresh.authority, authority.certificate_pem())
        _write(fresh.names, json.dumps(names).encode())
        _write(fresh.server, server.key_pem() + server.certificate_pem())
        if authority is not None:
            fresh.authority_key.replace(folder.authority_key)
            fresh.authority.replace(folder.authority)
        fresh.names.replace(folder.names)
        fresh.server.replace(folder.server)
    handle = os.open(folder.root, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, data: bytes) -> None:
    """On the disk, for its owner's eyes only."""
    with os.fdopen(os.open(path, _NEW, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
