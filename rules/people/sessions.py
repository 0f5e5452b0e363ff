"""Sessions at one site: opaque tokens that the ledger knows by hash, and shows by a short id."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, insert, select, update

from gateway.model.moment import DAY, HOUR, MINUTE, Instant
from rules.ledger import audit
from rules.ledger.store import Ledger
from rules.ledger.tables.people import membership, session, user
from rules.people.passwords import new_token, token_hash
from rules.people.roles import Actor, Permission, Role, require
from rules.refusals import NotFoundError

IDLE = 12 * HOUR
ABSOLUTE = 7 * DAY

PREFIX = "drs_"
"""What every session's token begins with, and no machine's."""
_SEEN_EVERY = MINUTE
"""A session notes that it was used at most this often, so that reading stays reading."""
_LONGEST_AGENT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """Somebody who may log in, as the site that they log in to knows them."""

    username: str
    display_name: str
    role: Role
    areas: tuple[str, ...] = ()
    has_pin: bool = False

    @property
    def actor(self) -> Actor:
        return Actor(username=self.username, role=self.role, areas=frozenset(self.areas))


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    id: str
    user: User
    created_at: int
    last_seen_at: int
    ends_at: int
    """µs UTC: the earlier of the idle and the absolute limit, if nothing more is heard."""
    address: str
    agent: str


def begin(
    connection: Connection, site: str, username: str, now: Instant, *, address: str, agent: str
) -> str:
    """A new session's token, for the cookie; it is kept nowhere else."""
    token = f"{PREFIX}{new_token()}"
    connection.execute(
        insert(session).values(
            token_hash=token_hash(token),
            id=secrets.token_hex(6),
            site_id=site,
            username=username,
            created_at=now.wall,
            last_seen_at=now.wall,
            address=address,
            agent=agent[:_LONGEST_AGENT],
        )
    )
    return token


def session_of(
    ledger: Ledger,
    site: str,
    token: str,
    now: Instant,
    *,
    idle: int = IDLE,
    absolute: int = ABSOLUTE,
) -> Session | None:
    """The living session of ``token``; None where there is none at ``site``, or it is over."""
    key = token_hash(token)
    with ledger.reading() as connection:
        row = (
            connection.execute(_sessions(site).where(session.c.token_hash == key))
            .mappings()
            .one_or_none()
        )
    if row is None:
        return None
    found = _session(row, idle, absolute)
    if now.wall >= found.ends_at:
        with ledger.writing() as connection:
            connection.execute(delete(session).where(session.c.token_hash == key))
        return None
    if now.wall - found.last_seen_at < _SEEN_EVERY:
        return found
    with ledger.writing() as connection:
        connection.execute(
            update(session).where(session.c.token_hash == key).values(last_seen_at=now.wall)
        )
    return _session(row, idle, absolute, seen=now.wall)


def log_out(ledger: Ledger, site: str, token: str, now: Instant) -> None:
    """End the session of ``token``; nothing happens where there is none."""
    key = token_hash(token)
    with ledger.write(site) as entry:
        row = entry.connection.execute(
            _sessions(site).where(session.c.token_hash == key)
        ).mappings()
        found = row.one_or_none()
        if found is None:
            return
        entry.connection.execute(delete(session).where(session.c.token_hash == key))
        actor = _session(found, IDLE, ABSOLUTE).user.actor
        audit.record(entry, actor, "session.end", found["id"], now.wall)


def living(
    ledger: Ledger, site: str, *, actor: Actor, now: Instant, username: str | None = None
) -> list[Session]:
    """The sessions of ``username`` (None: everybody's), newest first.

    One's own are free to see; for others it takes ``people.edit``.
    """
    if username != actor.username:
        require(actor, Permission.EDIT_PEOPLE)
    query = _sessions(site).order_by(session.c.created_at.desc(), session.c.id)
    if username is not None:
        query = query.where(session.c.username == username)
    with ledger.reading() as connection:
        found = [_session(row, IDLE, ABSOLUTE) for row in connection.execute(query).mappings()]
    return [one for one in found if one.ends_at > now.wall]


def revoke(ledger: Ledger, site: str, session_id: str, *, actor: Actor, now: Instant) -> None:
    """End one session by the id that is shown; raises ``NotFoundError``."""
    with ledger.write(site) as entry:
        here = and_(session.c.site_id == site, session.c.id == session_id)
        owner = entry.connection.execute(select(session.c.username).where(here)).scalar()
        if owner != actor.username:
            require(actor, Permission.EDIT_PEOPLE)
        if owner is None:
            raise NotFoundError(f"there is no session {session_id}")
        entry.connection.execute(delete(session).where(here))
        audit.record(entry, actor, "session.revoke", session_id, now.wall, of=owner)


def end_all(
    connection: Connection, username: str, *, site: str | None = None, but: str | None = None
) -> int:
    """End a person's sessions, of one site or of all, but that of the token ``but``; how many."""
    query = delete(session).where(session.c.username == username)
    if site is not None:
        query = query.where(session.c.site_id == site)
    if but is not None:
        query = query.where(session.c.token_hash != token_hash(but))
    return connection.execute(query).rowcount


def _sessions(site: str) -> Any:
    """Sessions of people who may log in to ``site``, with what they are there."""
    member = and_(
        membership.c.site_id == session.c.site_id, membership.c.username == session.c.username
    )
    return (
        select(
            session,
            user.c.display_name,
            user.c.pin_hash,
            membership.c.role,
            membership.c.areas,
        )
        .join_from(session, user, user.c.username == session.c.username)
        .join(membership, member)
        .where(session.c.site_id == site, membership.c.active, membership.c.can_log_in)
    )


def _session(row: RowMapping, idle: int, absolute: int, *, seen: int | None = None) -> Session:
    seen = row["last_seen_at"] if seen is None else seen
    return Session(
        id=row["id"],
        user=User(
            username=row["username"],
            display_name=row["display_name"],
            role=Role(row["role"]),
            areas=tuple(row["areas"]),
            has_pin=row["pin_hash"] is not None,
        ),
        created_at=row["created_at"],
        last_seen_at=seen,
        ends_at=min(seen + idle, row["created_at"] + absolute),
        address=row["address"],
        agent=row["agent"],
    )
