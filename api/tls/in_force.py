"""Which certificate is served with, and the change to a newer one while serving.

Files that the environment names come before those that ``dutyroom cert`` made in the data
directory; where there are neither there is no HTTPS of our own.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from prometheus_client import Gauge

from api.settings import CannotStartError
from api.tls.authority import Folder
from api.tls.reading import Certificate, NoCertificateError, read

TLS_CERT = "DUTYROOM_TLS_CERT"
TLS_KEY = "DUTYROOM_TLS_KEY"
LOOK_EVERY_S = 10.0
"""Between two looks whether the files have changed."""

ENDS = Gauge("dutyroom_certificate_end_seconds", "When the certificate in force ends, s UTC.")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    chain: Path
    key: Path
    """May be the same file."""
    authority: Path | None
    """The certificate of the authority of our own; None: somebody else's signed it."""


def files(root: Path) -> Files | None:
    """Those to serve with; ``root``: folder of what ``dutyroom cert`` makes.

    Raises :class:`~api.settings.CannotStartError` where only one of two is named.
    """
    chain, key = os.environ.get(TLS_CERT, "").strip(), os.environ.get(TLS_KEY, "").strip()
    if bool(chain) != bool(key):
        given, missing = (TLS_CERT, TLS_KEY) if chain else (TLS_KEY, TLS_CERT)
        raise CannotStartError(f"{given} is given without {missing}: name both files, or neither")
    if chain:
        return Files(chain=Path(chain), key=Path(key), authority=None)
    own = Folder(root=root)
    if not own.server.is_file():
        return None
    authority = own.authority if own.authority.is_file() else None
    return Files(chain=own.server, key=own.server, authority=authority)


class Tls:
    """The certificate in force, and the context that connections are made with."""

    def __init__(self, of: Files) -> None:
        """Reads the files; raises :class:`~api.settings.CannotStartError`, naming the wrong one."""
        self.files = of
        self.authority = None if of.authority is None else _certificate(of.authority)
        self._seen = self._marks()
        self.certificate = _check(of)
        self.context = _empty()
        self._take()

    def is_renewed(self) -> bool:
        """Put other files into force for all connections to come; False where they are the same.

        Raises :class:`~api.settings.CannotStartError` where they are wrong; the old ones stay.
        """
        marks = self._marks()
        if marks == self._seen:
            return False
        # What does not fit together would take the key out of the context that is in use.
        certificate = _check(self.files)
        authority = None if self.files.authority is None else _certificate(self.files.authority)
        self.certificate, self.authority = certificate, authority
        self._take()
        self._seen = marks
        return True

    async def follow(self) -> None:
        """Put newer files into force, for ever."""
        refused = ""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                if await asyncio.to_thread(self.is_renewed):
                    log.info("a new certificate is in force", ends=self.certificate.ends)
                refused = ""
            except CannotStartError as error:
                # Of two files that are exchanged one is there first.
                if str(error) != refused:
                    log.warning("the changed certificate is not taken", why=str(error))
                refused = str(error)

    def _take(self) -> None:
        self.context.load_cert_chain(self.files.chain, self.files.key)
        ENDS.set(self.certificate.ends / 1_000_000)

    def _marks(self) -> list[tuple[int, int]]:
        named = (self.files.chain, self.files.key, self.files.authority)
        marks = []
        for path in named:
            with suppress(OSError):
                if path is not None:
                    found = path.stat()
                    marks.append((found.st_ino, found.st_mtime_ns))
        return marks


def in_force(root: Path) -> Tls | None:
    """What to serve with; None: plain HTTP. Raises :class:`~api.settings.CannotStartError`."""
    found = files(root)
    return None if found is None else Tls(found)


def _empty() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _check(of: Files) -> Certificate:
    """The certificate of ``of``, with whose key a server can work."""
    certificate = _certificate(of.chain)
    try:
        key = of.key.read_bytes()
    except OSError as error:
        raise CannotStartError(f"{of.key}: {error.strerror}; it is to hold the key") from None
    if b"PRIVATE KEY-----" not in key:
        raise CannotStartError(f"{of.key}: there is no private key (PEM) in it")
    try:
        _empty().load_cert_chain(of.chain, of.key, password=lambda: "")
    except ssl.SSLError as error:
        raise CannotStartError(_why(of, error.reason or str(error))) from None
    return certificate


def _why(of: Files, reason: str) -> str:
    if reason == "KEY_VALUES_MISMATCH":
        if _is_of_a_later_one(of):
            return (
                f"{of.key} is the key of a later certificate in {of.chain}: put the server's own "
                "first, then those between it and the root"
            )
        return (
            f"{of.key} is not the key of the certificate in {of.chain}: give the one that it was "
            "asked for with"
        )
    if b"ENCRYPTED" in of.key.read_bytes():
        return (
            f"{of.key} has a password, which nobody is there to type: take it out with "
            f"`openssl pkey -in {of.key} -out FILE`"
        )
    return f"{of.chain} with {of.key}: no server can work with them ({reason})"


def _is_of_a_later_one(of: Files) -> bool:
    """Whether the certificates of a chain lie in the wrong order."""
    try:
        key = load_pem_private_key(of.key.read_bytes(), password=None).public_key()
        chain = x509.load_pem_x509_certificates(of.chain.read_bytes())
    except (OSError, ValueError, TypeError):
        return False
    return any(one.public_key() == key for one in chain[1:])


def _certificate(path: Path) -> Certificate:
    try:
        return read(path.read_text(encoding="utf-8", errors="replace"))
    except OSError as error:
        raise CannotStartError(f"{path}: {error.strerror}; it is to hold the certificate") from None
    except NoCertificateError as error:
        raise CannotStartError(f"{path}: {error}") from None
