"""An authority of a duty room's own, and certificates by it. Pure but for its random keys.

What phones and browsers ask of a server's certificate, whoever signed it: a name or an address in
its alternative names (the common name is not looked at), use for a server, at most 825 days, a key
of ECDSA P-256 or longer, and SHA-256. Of an authority: that it says so, in a critical extension.

The authority may speak for private addresses, for names that mean something in a network of one's
own only, and for the names that were asked for when it was made. A phone that trusts it is thereby
no phone that trusts whoever steals its key with the page of a bank.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from api.tls.names import is_address
from api.tls.reading import Certificate

AUTHORITY_DAYS = 3650
_SLOW_CLOCK = timedelta(hours=1)
"""By which a phone may be late: it refuses a certificate that has not begun."""
_LONGEST_WHO = 64

_HOME_NAMES = ("localhost", "local", "lan", "internal", "home.arpa")
"""With all that end so; no public authority signs for any of them."""
_HOME_NETWORKS = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
    *("127.0.0.0/8", "::1/128", "fc00::/7", "fe80::/10"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes

    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def read(self) -> Certificate:
        return Certificate.of(self.certificate)


def authority(machine: str, names: Sequence[str], *, now: int) -> Pair:
    """One of the machine of this name, which may speak for ``names`` and for what is at home in a
    network of one's own; good for ten years from ``now`` (µs UTC)."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "dutyroom"),
            x509.NameAttribute(
                NameOID.COMMON_NAME, f"dutyroom local authority ({machine})"[:_LONGEST_WHO]
            ),
        ]
    )
    begun = _begun(who, who, key, days=AUTHORITY_DAYS, now=now)
    begun = begun.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    begun = begun.add_extension(_usage(signs=True), critical=True)
    # RFC 5280 wants it critical. Who knows it keeps to it either way, and who does not would refuse
    # every certificate: phones of many makers and ages are to trust this one.
    begun = begun.add_extension(_may_speak_for(names), critical=False)
    return Pair(certificate=begun.sign(key, hashes.SHA256()), key=key)


def server(names: Sequence[str], signer: Pair, *, days: int, now: int) -> Pair:
    """One for ``names``, hosts and addresses, by ``signer``, good for ``days`` from ``now`` (µs
    UTC)."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dutyroom")])
    begun = _begun(who, signer.certificate.subject, key, days=days, now=now)
    for extension, is_critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(signs=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName([_name(one) for one in names]), False),
        (_signed_by(signer.certificate), False),
    ):
        begun = begun.add_extension(extension, critical=is_critical)
    return Pair(certificate=begun.sign(signer.key, hashes.SHA256()), key=key)


def _begun(
    who: x509.Name, by: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int, now: int
) -> x509.CertificateBuilder:
    begins = datetime.fromtimestamp(now // 1_000_000, UTC) - _SLOW_CLOCK
    # Its last second belongs to it.
    ends = begins + timedelta(days=days, seconds=-1)
    return (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed_by(signer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    try:
        found = signer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        key = signer.public_key()
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)  # type: ignore[arg-type]
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found.value)


def _may_speak_for(names: Sequence[str]) -> x509.NameConstraints:
    hosts = [name.removeprefix("*.") for name in names if not is_address(name)]
    addresses = [name for name in names if is_address(name)]
    return x509.NameConstraints(
        permitted_subtrees=[
            *(x509.DNSName(host) for host in dict.fromkeys((*_HOME_NAMES, *hosts))),
            *(
                x509.IPAddress(ipaddress.ip_network(network))
                for network in dict.fromkeys((*_HOME_NETWORKS, *addresses))
            ),
        ],
        excluded_subtrees=None,
    )


def _name(one: str) -> x509.GeneralName:
    return x509.IPAddress(ipaddress.ip_address(one)) if is_address(one) else x509.DNSName(one)
