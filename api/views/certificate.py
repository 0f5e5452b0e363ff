"""The certificate that the page is served with, as documents."""

from __future__ import annotations

from datetime import tzinfo

from api import models
from api.tls.in_force import Tls
from api.views import words


def state(tls: Tls | None, now: int, zone: tzinfo) -> models.CertificateState | None:
    """At ``now`` (µs UTC); None where HTTPS, if there is any, is somebody else's."""
    if tls is None:
        return None
    return models.CertificateState(
        ends=words.moment(tls.certificate.ends, zone),
        days_left=tls.certificate.days_left(now),
        warning=tls.certificate.warning(now),
        own_authority=tls.authority is not None,
        fingerprint=None if tls.authority is None else tls.authority.fingerprint,
    )
