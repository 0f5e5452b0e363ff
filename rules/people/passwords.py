"""Secrets that people remember (Argon2id) and tokens that machines keep (a plain hash)."""

from __future__ import annotations

import hashlib
import secrets
from functools import cache
from itertools import pairwise

from pwdlib import PasswordHash

from rules.refusals import NotValidError


def hashed(password: str) -> str:
    """``password`` as it may be kept; takes some 50 ms, and 64 MB meanwhile."""
    return _hasher().hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether it is the one; where there is none, it takes as long to say no."""
    right = _hasher().verify(password, _nobodys_hash() if stored is None else stored)
    return right and stored is not None


def refuse_trivial(pin: str) -> None:
    """Raises ``NotValidError`` for digits that are all the same, or count up or down: they are
    what is guessed first."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        raise NotValidError("pin", "this PIN is guessed first; take one that does not count")


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Of a token with 256 random bits a plain hash cannot be turned back."""
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(12))
