"""The people of a site: who they are, what they may do there, and what they are good for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, and_, delete, func, insert, select, update

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.ledger import audit
from rules.ledger.idempotency import is_new
from rules.ledger.rows import ChangeKind
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables.people import certificate, membership, user
from rules.ledger.view import View
from rules.people import sessions
from rules.people.passwords import hashed, refuse_trivial
from rules.people.roles import Actor, Permission, Role, Via, require
from rules.refusals import ConflictError, NotFoundError, NotValidError

EXPIRING_DAYS = 30
"""A certificate is called expiring so many days before its last one. [site setting]"""


class CertificateState(StrEnum):
    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    UNLIMITED = "unlimited"


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    name: str
    number: str
    expires_on: date | None = None
    """Its last day; None: it does not expire."""

    def state(self, today: date) -> CertificateState:
        if self.expires_on is None:
            return CertificateState.UNLIMITED
        if self.expires_on < today:
            return CertificateState.EXPIRED
        soon = self.expires_on - today < timedelta(days=EXPIRING_DAYS)
        return CertificateState.EXPIRING if soon else CertificateState.VALID


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody as one site knows them."""

    username: str
    display_name: str
    role: Role
    areas: tuple[str, ...] = ()
    """Ids; empty: everywhere on the site."""
    skills: tuple[str, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    phone: str | None = None
    mention: str | None = None
    """What a chat robot calls them by, so that a notice reaches them."""
    contractor: bool = False
    """Of another firm: hears of things, and never logs in."""
    can_log_in: bool = True
    has_pin: bool = False
    active: bool = True


def everybody(view: View, *, active: bool | None = None) -> list[Person]:
    """The people of the site by user name; ``active`` None: also who has left."""
    wanted = membership.c.active if active else ~membership.c.active
    return _people(view, *(() if active is None else (wanted,)))


def find(view: View, username: str) -> Person | None:
    found = _people(view, membership.c.username == username)
    return found[0] if found else None


def names(view: View, usernames: Iterable[str]) -> dict[str, str]:
    """User name → how they are called, of those who work or have worked here."""
    wanted = set(usernames)
    query = (
        select(user.c.username, user.c.display_name)
        .join(membership, membership.c.username == user.c.username)
        .where(membership.c.site_id == view.site, user.c.username.in_(wanted))
    )
    return {row.username: row.display_name for row in view.connection.execute(query)}


def add(
    ledger: Ledger,
    site: Site,
    person: Person,
    *,
    actor: Actor,
    now: Instant,
    password: str | None = None,
    idempotency_key: str | None = None,
) -> Person:
    """``person`` works here from now on; ``has_pin`` of it means nothing.

    Somebody of another site under the same name can only be joined on the machine itself, and
    keeps name, password and the rest. Raises ``ForbiddenError``, ``ConflictError``,
    ``NotValidError`` or ``KeyReusedError``; then nothing has changed.
    """
    require(actor, Permission.EDIT_PEOPLE)
    _check(site, person)
    kept = None if password is None else hashed(password)
    with ledger.write(site.id) as entry:
        by = actor.username
        if is_new(entry, idempotency_key, "person.add", person.username, by=by, now=now):
            insert_person(entry, person, kept, actor=actor, now=now)
        return _found(entry, person.username)


def insert_person(
    entry: Entry, person: Person, password_hash: str | None, *, actor: Actor, now: Instant
) -> None:
    """The rows of somebody new; raises ``ConflictError``."""
    view = View(connection=entry.connection, site=entry.site)
    if find(view, person.username) is not None:
        raise ConflictError(f"there is a {person.username} already")
    known = entry.connection.execute(
        select(user.c.contractor).where(user.c.username == person.username)
    ).first()
    if known is None:
        entry.connection.execute(
            insert(user).values(
                username=person.username,
                password_hash=password_hash,
                created_at=now.wall,
                **_profile(person),
            )
        )
        _write_certificates(entry, person)
    elif actor.via is not Via.COMMAND:
        raise ConflictError(
            f"{person.username} is somebody of another site; join them with `dutyroom user add`"
        )
    elif known.contractor and person.can_log_in:
        raise ConflictError(f"{person.username} is a contractor and does not log in")
    entry.insert_once(membership, username=person.username, **_membership(person))
    audit.record(entry, actor, "person.add", person.username, now.wall, role=person.role)
    entry.changed(ChangeKind.ROSTER, "people", now.wall)


def change(
    ledger: Ledger,
    site: Site,
    username: str,
    edit: Callable[[Person], Person],
    *,
    actor: Actor,
    now: Instant,
    idempotency_key: str | None = None,
) -> Person:
    """``username`` as ``edit`` makes them of what they are; raises as :func:`add` does.

    Whoever may no longer log in has no session afterwards. The last active admin stays one.
    """
    require(actor, Permission.EDIT_PEOPLE)
    with ledger.write(site.id) as entry:
        before = _found(entry, username)
        by = actor.username
        if is_new(entry, idempotency_key, "person.change", username, by=by, now=now):
            after = edit(before)
            _check(site, after, before)
            update_person(entry, before, after, actor=actor, now=now)
        return _found(entry, username)


def update_person(
    entry: Entry, before: Person, after: Person, *, actor: Actor, now: Instant
) -> None:
    """Write what differs; nothing where nothing does.

    Who somebody is, is the same at every site: of somebody who works at others too it is changed
    on the machine only. Raises ``ConflictError``.
    """
    changed = _changed(before, after)
    if not changed:
        return
    name = before.username
    if _profile(before) != _profile(after) or before.certificates != after.certificates:
        _own_only(entry, name, actor)
    if after.contractor and not before.contractor:
        _refuse_log_in_elsewhere(entry, name)
    mine = and_(membership.c.site_id == entry.site, membership.c.username == name)
    entry.connection.execute(update(user).where(user.c.username == name).values(**_profile(after)))
    entry.connection.execute(update(membership).where(mine).values(**_membership(after)))
    _write_certificates(entry, after)
    if _is_admin(before) and not _is_admin(after):
        _keep_an_admin(entry)
    if not (after.active and after.can_log_in):
        sessions.end_all(entry.connection, name, site=entry.site)
    audit.record(entry, actor, "person.change", name, now.wall, **changed)
    entry.changed(ChangeKind.ROSTER, "people", now.wall)


def set_password(
    ledger: Ledger, site: str, username: str, password: str, *, actor: Actor, now: Instant
) -> None:
    """A password for somebody else; their sessions end.

    Of somebody who works at other sites too this can be done on the machine only: who may log
    in there is not for this site to say. Raises as :func:`add` does.
    """
    require(actor, Permission.EDIT_PEOPLE)
    kept = hashed(password)
    with ledger.write(site) as entry:
        person = _found(entry, username)
        if person.contractor:
            raise ConflictError(f"{username} is a contractor and does not log in")
        _own_only(entry, username, actor)
        entry.connection.execute(
            update(user).where(user.c.username == username).values(password_hash=kept)
        )
        sessions.end_all(entry.connection, username)
        audit.record(entry, actor, "person.password", username, now.wall)


def give_pin(
    ledger: Ledger, site: str, username: str, pin: str | None, *, actor: Actor, now: Instant
) -> None:
    """A PIN for somebody else, or none; raises as :func:`set_password` does, and
    ``NotValidError`` for one that is guessed first."""
    require(actor, Permission.EDIT_PEOPLE)
    if pin is not None:
        refuse_trivial(pin)
    kept = None if pin is None else hashed(pin)
    with ledger.write(site) as entry:
        person = _found(entry, username)
        if pin is not None and not person.can_log_in:
            raise ConflictError(f"{username} does not log in, and so signs nothing")
        _own_only(entry, username, actor)
        entry.connection.execute(
            update(user).where(user.c.username == username).values(pin_hash=kept)
        )
        deed = "person.pin_remove" if pin is None else "person.pin"
        audit.record(entry, actor, deed, username, now.wall)


def end_sessions(ledger: Ledger, site: str, username: str, *, actor: Actor, now: Instant) -> int:
    """End all sessions of ``username`` at this site; how many there were."""
    if username != actor.username:
        require(actor, Permission.EDIT_PEOPLE)
    with ledger.write(site) as entry:
        _found(entry, username)
        ended = sessions.end_all(entry.connection, username, site=site)
        audit.record(entry, actor, "session.revoke", username, now.wall, sessions=ended)
        return ended


def _found(entry: Entry, username: str) -> Person:
    found = find(View(connection=entry.connection, site=entry.site), username)
    if found is None:
        raise NotFoundError(f"there is nobody called {username}")
    return found


def _own_only(entry: Entry, username: str, actor: Actor) -> None:
    """Raises ConflictError for somebody who works elsewhere too, but for the command line."""
    if actor.via is Via.COMMAND:
        return
    elsewhere = entry.connection.execute(
        select(func.count())
        .select_from(membership)
        .where(membership.c.username == username, membership.c.site_id != entry.site)
    ).scalar_one()
    if elsewhere:
        raise ConflictError(
            f"{username} works at other sites too: they change it themselves, "
            "or use `dutyroom user` on the machine"
        )


def _refuse_log_in_elsewhere(entry: Entry, username: str) -> None:
    """Raises ConflictError: who is to be a contractor logs in nowhere."""
    elsewhere = entry.connection.execute(
        select(membership.c.site_id).where(
            membership.c.username == username,
            membership.c.site_id != entry.site,
            membership.c.can_log_in,
        )
    ).scalar()
    if elsewhere is not None:
        raise ConflictError(f"{username} may log in at the site {elsewhere}: end that first")


def _check(site: Site, person: Person, before: Person | None = None) -> None:
    """Raises NotValidError. What was so before may stay: an area may have left the site file."""
    kept: Collection[str] = () if before is None else before.areas
    for area in person.areas:
        if area not in site.areas and area not in kept:
            raise NotValidError("areas", f"the site has no area {area}")
    if person.contractor and person.can_log_in:
        raise NotValidError("can_log_in", "a contractor does not log in")
    pairs = [(one.name, one.number) for one in person.certificates]
    if len(pairs) != len(set(pairs)):
        raise NotValidError("certificates", "the same certificate is there twice")


def _is_admin(person: Person) -> bool:
    return person.role is Role.ADMIN and person.active and person.can_log_in


def _keep_an_admin(entry: Entry) -> None:
    left = entry.connection.execute(
        select(func.count())
        .select_from(membership)
        .join(user, user.c.username == membership.c.username)
        .where(
            membership.c.site_id == entry.site,
            membership.c.role == Role.ADMIN,
            membership.c.active,
            membership.c.can_log_in,
            user.c.password_hash.is_not(None),
        )
    ).scalar_one()
    if left == 0:
        raise ConflictError("this is the last admin of the site")


def _changed(before: Person, after: Person) -> dict[str, str]:
    """Field → what it was and is; of what is private only that it changed, for the audit stays."""
    told = {"role", "areas", "can_log_in", "active", "contractor", "skills"}
    changed = {}
    for field in fields(Person):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old != new:
            changed[field.name] = f"{_word(old)} → {_word(new)}" if field.name in told else "…"
    return changed


def _word(value: object) -> str:
    return ", ".join(map(str, value)) or "–" if isinstance(value, tuple) else str(value)


def _profile(person: Person) -> dict[str, Any]:
    return {
        "display_name": person.display_name,
        "phone": person.phone,
        "mention": person.mention,
        "contractor": person.contractor,
        "skills": list(person.skills),
    }


def _membership(person: Person) -> dict[str, Any]:
    return {
        "role": person.role.value,
        "areas": list(person.areas),
        "can_log_in": person.can_log_in,
        "active": person.active,
    }


def _write_certificates(entry: Entry, person: Person) -> None:
    mine = certificate.c.username == person.username
    entry.connection.execute(delete(certificate).where(mine))
    for one in person.certificates:
        entry.connection.execute(
            insert(certificate).values(
                username=person.username,
                name=one.name,
                number=one.number,
                expires_on=one.expires_on,
            )
        )


def _people(view: View, *wanted: Any) -> list[Person]:
    query = (
        select(user, membership.c.role, membership.c.areas, membership.c.can_log_in)
        .add_columns(membership.c.active)
        .join(membership, membership.c.username == user.c.username)
        .where(membership.c.site_id == view.site, *wanted)
        .order_by(user.c.username)
    )
    rows = view.connection.execute(query).mappings().all()
    held: defaultdict[str, list[Certificate]] = defaultdict(list)
    papers = select(certificate).order_by(certificate.c.name, certificate.c.number)
    shown = [row["username"] for row in rows]
    for row in view.connection.execute(papers.where(certificate.c.username.in_(shown))).mappings():
        held[row["username"]].append(
            Certificate(name=row["name"], number=row["number"], expires_on=row["expires_on"])
        )
    return [_person(row, held[row["username"]]) for row in rows]


def _person(row: RowMapping, certificates: Iterable[Certificate]) -> Person:
    return Person(
        username=row["username"],
        display_name=row["display_name"],
        role=Role(row["role"]),
        areas=tuple(row["areas"]),
        skills=tuple(row["skills"]),
        certificates=tuple(certificates),
        phone=row["phone"],
        mention=row["mention"],
        contractor=row["contractor"],
        can_log_in=row["can_log_in"],
        has_pin=row["pin_hash"] is not None,
        active=row["active"],
    )
