"""Users and their sessions: Argon2id passwords, opaque tokens that the ledger knows by hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from functools import cache

from pwdlib import PasswordHash
from sqlalchemy import delete, insert, select, update

from gateway.model.moment import DAY, HOUR, MINUTE, Instant
from rules.ledger.store import Ledger
from rules.ledger.tables import people as tables

ADMIN = "admin"
IDLE = 12 * HOUR
ABSOLUTE = 7 * DAY

_SEEN_EVERY = MINUTE
"""A session notes that it was used at most this often, so that reading stays reading."""


class LogInRefusedError(Exception):
    """User name or password is wrong; which of them is not told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    username: str
    display_name: str
    role: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    user: User
    created_at: int
    last_seen_at: int
    ends_at: int
    """µs UTC: the earlier of the idle and the absolute limit, if nothing more is heard."""


def has_admin(ledger: Ledger) -> bool:
    """Whether there is the user ``admin``."""
    with ledger.reading() as connection:
        query = select(tables.user.c.username).where(tables.user.c.username == ADMIN)
        return connection.execute(query).first() is not None


def ensure_admin(ledger: Ledger, password: str, now: Instant) -> None:
    """The user ``admin`` exists, with ``password``; another one than before ends the sessions."""
    with ledger.writing() as connection:
        user = tables.user
        stored = connection.execute(
            select(user.c.password_hash).where(user.c.username == ADMIN)
        ).scalar_one_or_none()
        if stored is None:
            connection.execute(
                insert(user).values(
                    username=ADMIN,
                    display_name="管理员",
                    role="admin",
                    password_hash=_hasher().hash(password),
                    created_at=now.wall,
                )
            )
        elif not _hasher().verify(password, stored):
            connection.execute(
                update(user)
                .where(user.c.username == ADMIN)
                .values(password_hash=_hasher().hash(password))
            )
            connection.execute(delete(tables.session).where(tables.session.c.username == ADMIN))


def log_in(ledger: Ledger, username: str, password: str, now: Instant) -> tuple[str, User]:
    """A new session's token (for the cookie; kept nowhere else) and its user.

    Raises :class:`LogInRefusedError`. Takes as long for an unknown user as for a known one.
    """
    user = tables.user
    with ledger.reading() as connection:
        row = (
            connection.execute(select(user).where(user.c.username == username))
            .mappings()
            .one_or_none()
        )
    stored = _nobodys_hash() if row is None else row["password_hash"]
    if not _hasher().verify(password, stored) or row is None:
        raise LogInRefusedError
    token = secrets.token_urlsafe(32)
    with ledger.writing() as connection:
        connection.execute(
            insert(tables.session).values(
                token_hash=_hash(token),
                username=username,
                created_at=now.wall,
                last_seen_at=now.wall,
            )
        )
    found = User(username=username, display_name=row["display_name"], role=row["role"])
    return token, found


def session_of(
    ledger: Ledger, token: str, now: Instant, *, idle: int = IDLE, absolute: int = ABSOLUTE
) -> Session | None:
    """The living session of ``token``; None where there is none or it is over."""
    session, user = tables.session, tables.user
    key = _hash(token)
    with ledger.reading() as connection:
        row = (
            connection.execute(
                select(session, user.c.display_name, user.c.role)
                .join(user, user.c.username == session.c.username)
                .where(session.c.token_hash == key)
            )
            .mappings()
            .one_or_none()
        )
    if row is None:
        return None
    created, seen = row["created_at"], row["last_seen_at"]
    if now.wall >= min(seen + idle, created + absolute):
        log_out(ledger, token)
        return None
    if now.wall - seen >= _SEEN_EVERY:
        seen = now.wall
        with ledger.writing() as connection:
            connection.execute(
                update(session).where(session.c.token_hash == key).values(last_seen_at=seen)
            )
    return Session(
        user=User(username=row["username"], display_name=row["display_name"], role=row["role"]),
        created_at=created,
        last_seen_at=seen,
        ends_at=min(seen + idle, created + absolute),
    )


def log_out(ledger: Ledger, token: str) -> None:
    """End the session of ``token``; nothing happens where there is none."""
    with ledger.writing() as connection:
        connection.execute(
            delete(tables.session).where(tables.session.c.token_hash == _hash(token))
        )


@cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(12))


def _hash(token: str) -> str:
    # The token has 256 random bits: a plain hash cannot be turned back.
    return hashlib.sha256(token.encode()).hexdigest()
