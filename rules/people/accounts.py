"""Logging in, own passwords and PINs, and the first user of all."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from gateway.model.moment import Instant
from rules.ledger import audit
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables.people import known_address, membership, user
from rules.people import sessions
from rules.people.passwords import hashed, matches, refuse_trivial
from rules.people.roles import PROGRAM, Actor, Role, Via
from rules.people.sessions import User

ADMIN = "admin"
_ADDRESSES_KEPT = 20
"""Of each person; the one used longest ago is forgotten."""


class LogInRefusedError(Exception):
    """User name or password is wrong; which of them is not told to whoever tries.

    ``account`` is for the audit: the user name if there is such an account. What was typed may
    be anything, a password too.
    """

    def __init__(self, account: str | None = None) -> None:
        super().__init__()
        self.account = account


class NotAMemberError(Exception):
    """The password is right, but this person does not work at this site."""


class WrongPinError(Exception):
    """User name or PIN is wrong, or there is no PIN; which of them is not told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """Where somebody comes from, for the list of sessions."""

    address: str = ""
    agent: str = ""


def has_admin(ledger: Ledger) -> bool:
    """Whether there is the user ``admin``, with a password."""
    with ledger.reading() as connection:
        return _password_hash(_account(connection, ADMIN)) is not None


def is_admins(ledger: Ledger, password: str) -> bool:
    """Whether ``admin`` logs in with ``password``."""
    with ledger.reading() as connection:
        stored = _account(connection, ADMIN)
    return matches(password, _password_hash(stored))


def ensure_admin(ledger: Ledger, site: str, now: Instant, password: str | None = None) -> None:
    """The user ``admin`` exists and works at ``site``.

    ``password`` is for an ``admin`` who is new or has none; one that is there is never replaced.
    A new one needs it. What ``admin`` is at the site already stays as it is.
    """
    with ledger.write(site) as entry:
        stored = _account(entry.connection, ADMIN)
        if stored is None:
            if password is None:
                raise ValueError("a new admin needs a password")
            _make_admin(entry, password, now)
        elif password is not None and stored["password_hash"] is None:
            _set_password(entry.connection, ADMIN, password)
            audit.record(entry, PROGRAM, "person.password", ADMIN, now.wall)
        joined = entry.insert_once(
            membership, username=ADMIN, role=Role.ADMIN, areas=[], can_log_in=True, active=True
        )
        if joined:
            audit.record(entry, PROGRAM, "person.add", ADMIN, now.wall, role=Role.ADMIN)


def log_in(
    ledger: Ledger,
    site: str,
    username: str,
    password: str,
    now: Instant,
    *,
    visit: Visit | None = None,
) -> tuple[str, User]:
    """A new session's token (for the cookie; kept nowhere else) and its user.

    Raises :class:`LogInRefusedError`, as late for an unknown user as for a known one, and
    :class:`NotAMemberError`.
    """
    visit = visit or Visit()
    with ledger.reading() as connection:
        row = _account(connection, username)
    if row is None or row["password_hash"] is None:
        matches(password, None)
        raise LogInRefusedError(None if row is None else username)
    if not matches(password, row["password_hash"]):
        raise LogInRefusedError(username)
    with ledger.write(site) as entry:
        if not _is_still(entry.connection, username, row["password_hash"]):
            raise LogInRefusedError(username)
        found = member(entry, username)
        if found is None:
            raise NotAMemberError
        token = sessions.begin(
            entry.connection, site, username, now, address=visit.address, agent=visit.agent
        )
        if visit.address:
            _remember_address(entry, username, visit.address, now)
        audit.record(entry, found.actor, "session.begin", username, now.wall, address=visit.address)
    return token, found


def knows_address(ledger: Ledger, site: str, username: str, address: str) -> bool:
    """Whether this person has logged in from there before."""
    with ledger.reading() as connection:
        query = select(known_address.c.last_at).where(
            known_address.c.site_id == site,
            known_address.c.username == username,
            known_address.c.address == address,
        )
        return connection.execute(query).first() is not None


def change_password(
    ledger: Ledger, site: str, *, actor: Actor, old: str, new: str, now: Instant, token: str
) -> None:
    """One's own password; every other session of oneself ends.

    Raises :class:`LogInRefusedError` for a wrong old one.
    """
    _check_own(ledger, actor, old)
    kept = hashed(new)
    with ledger.write(site) as entry:
        entry.connection.execute(
            update(user).where(user.c.username == actor.username).values(password_hash=kept)
        )
        sessions.end_all(entry.connection, actor.username, but=token)
        audit.record(entry, actor, "person.password", actor.username, now.wall)


def set_pin(
    ledger: Ledger, site: str, *, actor: Actor, password: str, pin: str, now: Instant
) -> None:
    """One's own PIN.

    Raises :class:`LogInRefusedError` for a wrong password, ``NotValidError`` for a PIN that is
    guessed first.
    """
    refuse_trivial(pin)
    _check_own(ledger, actor, password)
    kept = hashed(pin)
    with ledger.write(site) as entry:
        _write_pin(entry, actor, kept, now)


def remove_pin(ledger: Ledger, site: str, *, actor: Actor, now: Instant) -> None:
    """Nobody signs as this person any more; no password is asked for that."""
    with ledger.write(site) as entry:
        _write_pin(entry, actor, None, now)


def signer(
    ledger: Ledger, site: str, username: str, pin: str, *, at_session_of: str | None = None
) -> Actor:
    """Who signs with ``pin`` at a computer where somebody else, ``at_session_of``, is logged in.

    Raises :class:`WrongPinError`.
    """
    with ledger.reading() as connection:
        row = _account(connection, username)
        found = _member(connection, site, username)
    if not matches(pin, None if row is None else row["pin_hash"]) or found is None:
        raise WrongPinError
    return replace(found.actor, via=Via.PIN, at_session_of=at_session_of)


def member(entry: Entry, username: str) -> User | None:
    """What ``username`` is at the site, if they may log in there."""
    return _member(entry.connection, entry.site, username)


def _member(connection: Connection, site: str, username: str) -> User | None:
    query = (
        select(membership, user.c.display_name, user.c.pin_hash)
        .join(user, user.c.username == membership.c.username)
        .where(membership.c.site_id == site, membership.c.username == username)
        .where(membership.c.active, membership.c.can_log_in)
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    return User(
        username=username,
        display_name=row["display_name"],
        role=Role(row["role"]),
        areas=tuple(row["areas"]),
        has_pin=row["pin_hash"] is not None,
    )


def _account(connection: Connection, username: str) -> RowMapping | None:
    query = select(user).where(user.c.username == username)
    return connection.execute(query).mappings().one_or_none()


def _password_hash(account: RowMapping | None) -> str | None:
    return None if account is None else account["password_hash"]


def _is_still(connection: Connection, username: str, password_hash: str) -> bool:
    """Whether the password is the one that was checked; nobody changes it before the commit."""
    query = select(user.c.password_hash).where(user.c.username == username).with_for_update()
    kept: str | None = connection.execute(query).scalar()
    return kept == password_hash


def _check_own(ledger: Ledger, actor: Actor, password: str) -> None:
    with ledger.reading() as connection:
        stored = _account(connection, actor.username)
    if not matches(password, _password_hash(stored)):
        raise LogInRefusedError


def _write_pin(entry: Entry, actor: Actor, kept: str | None, now: Instant) -> None:
    mine = user.c.username == actor.username
    entry.connection.execute(update(user).where(mine).values(pin_hash=kept))
    deed = "person.pin_remove" if kept is None else "person.pin"
    audit.record(entry, actor, deed, actor.username, now.wall)


def _make_admin(entry: Entry, password: str, now: Instant) -> None:
    entry.connection.execute(
        insert(user).values(
            username=ADMIN,
            display_name="管理员",
            password_hash=hashed(password),
            contractor=False,
            skills=[],
            created_at=now.wall,
        )
    )


def _set_password(connection: Connection, username: str, password: str) -> None:
    connection.execute(
        update(user).where(user.c.username == username).values(password_hash=hashed(password))
    )


def _remember_address(entry: Entry, username: str, address: str, now: Instant) -> None:
    entry.put(known_address, [{"username": username, "address": address, "last_at": now.wall}])
    here = (known_address.c.site_id == entry.site, known_address.c.username == username)
    newest = (
        select(known_address.c.address)
        .where(*here)
        .order_by(known_address.c.last_at.desc(), known_address.c.address)
        .limit(_ADDRESSES_KEPT)
    )
    entry.connection.execute(
        delete(known_address).where(*here, known_address.c.address.not_in(newest))
    )
