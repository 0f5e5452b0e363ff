"""The secret part of a contractor's link (外包维修链接).

A token is made from a key and the id of its link, so that whoever sends the message about the
order can say it, and neither ledger nor outbox ever holds it: the ledger has its hash. Another
key makes other tokens; those that were given out before go by their hash and stay good.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

_TOKEN_BYTES = 24
"""192 bits: 32 characters."""
LONGEST = 64
"""Characters of what may be looked up as a token."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Links:
    """What links are made with."""

    key: bytes = field(repr=False)
    lasts: int
    """µs after which a link is no good any more."""

    def token(self, site: str, link: str) -> str:
        return token_of(self.key, site, link)


def token_of(key: bytes, site: str, link: str) -> str:
    """The token of the link with the id ``link``; safe in an address."""
    digest = hmac.digest(key, f"contractor-link\n{site}\n{link}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:_TOKEN_BYTES]).decode()


def token_hash(token: str) -> str:
    """Of so many random bits a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_id() -> str:
    return secrets.token_hex(16)
