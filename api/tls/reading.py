"""What a certificate says of itself. Pure: the bytes come in, the time is an argument."""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.model.moment import DAY, SECOND

WARN = 30 * DAY
"""µs before the end from which on it is warned about."""
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class NoCertificateError(ValueError):
    """The text holds no certificate that can be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    begins: int
    """µs UTC."""
    ends: int
    der: bytes

    @classmethod
    def of(cls, found: x509.Certificate) -> Certificate:
        return cls(
            begins=int(found.not_valid_before_utc.timestamp()) * SECOND,
            ends=int(found.not_valid_after_utc.timestamp()) * SECOND,
            der=found.public_bytes(Encoding.DER),
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256, as consoles and phones show it: ``AB:CD:…``."""
        return hashlib.sha256(self.der).digest().hex(":").upper()

    def days_left(self, now: int) -> int:
        """Whole days from ``now`` (µs UTC) to its end; negative behind it."""
        return (self.ends - now) // DAY

    def warning(self, now: int) -> str | None:
        """What has to be said of it at ``now`` (µs UTC); None where all is well."""
        day = _day(self.ends)
        if now >= self.ends:
            return f"the certificate ended on {day}: browsers refuse it; make a new one"
        if now < self.begins:
            return f"the certificate begins on {_day(self.begins)} only: is the clock right?"
        if self.ends - now <= WARN:
            return f"the certificate ends on {day}, in {self.days_left(now)} days; renew it"
        return None

    def speaks_for(self, name: str) -> bool:
        """Of an authority: whether browsers believe it about the host or address ``name``."""
        try:
            found = x509.load_der_x509_certificate(self.der).extensions.get_extension_for_class(
                x509.NameConstraints
            )
        except x509.ExtensionNotFound:
            return True
        return any(_is_within(name, one) for one in found.value.permitted_subtrees or ())


def read(text: str) -> Certificate:
    """The first certificate of ``text`` (PEM). Raises :class:`NoCertificateError`."""
    start, end = text.find(_BEGIN), text.find(_END)
    if not 0 <= start < end:
        raise NoCertificateError("there is no certificate (PEM) in it")
    try:
        pem = text[start : end + len(_END)].encode("ascii")
        return Certificate.of(x509.load_pem_x509_certificate(pem))
    except ValueError as error:
        raise NoCertificateError(f"its certificate cannot be read ({error})") from None


def _is_within(name: str, permitted: x509.GeneralName) -> bool:
    """RFC 5280, 4.2.1.10, of names as :func:`api.tls.names.checked` has them."""
    match permitted:
        case x509.DNSName(value=domain):
            return f".{name.removeprefix('*.')}".endswith(f".{domain}")
        case x509.IPAddress(value=ipaddress.IPv4Network() | ipaddress.IPv6Network() as network):
            try:
                return ipaddress.ip_address(name) in network
            except ValueError:
                return False
    return False


def _day(at: int) -> str:
    return datetime.fromtimestamp(at / SECOND, UTC).strftime("%Y-%m-%d")
