"""A file of people → the people of a site, with every mistake at once.

The same file may hold teams, shifts and their rotation (``rules/shifts/roster_file.py``): what
somebody writes down to set up a duty room is in one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import select

from gateway.files.documents import (
    ConfigurationError,
    Document,
    Finding,
    Parsed,
    UnreadableError,
    findings,
    salvage,
)
from gateway.files.fields import Slug, instead
from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables.people import user
from rules.ledger.view import View
from rules.people.people import Certificate, Person, find, insert_person, update_person
from rules.people.roles import Actor, Permission, Role, require

Username = Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=64)]
Short = Annotated[str, Field(strict=True, min_length=1, max_length=100)]


class CertificateDocument(Document):
    name: Short
    number: Annotated[str, Field(strict=True, max_length=100)] = ""
    expires_on: date | None = None


class PersonDocument(Document):
    username: Username
    name: Short
    role: Role
    areas: tuple[Slug, ...] = ()
    skills: tuple[Short, ...] = ()
    certificates: tuple[CertificateDocument, ...] = ()
    phone: Short | None = None
    mention: Short | None = None
    contractor: bool = False
    can_log_in: bool | None = None
    """None: whoever is no contractor may."""
    active: bool = True
    team: Slug | None = None
    """A team of this file that they belong to."""


class PeopleDocument(Document):
    people: tuple[PersonDocument, ...] = ()
    teams: tuple[Any, ...] = ()
    shifts: tuple[Any, ...] = ()
    rotation: Any = None
    working_hours: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """User names, as far as something was done for them."""

    added: tuple[str, ...]
    changed: tuple[str, ...]


def read(path: Path, site: Site) -> Parsed[PeopleDocument]:
    """The file at ``path``, checked against what the site has.

    Raises :class:`ConfigurationError` with every problem.
    """
    parsed, problems = salvage(path, PeopleDocument)
    if parsed is None:
        raise ConfigurationError(problems)
    found = findings(_same_names(parsed.content), *_people_checks(parsed.content, site))
    problems = [*problems, *(parsed.problem(*finding) for finding in found)]
    if problems:
        raise ConfigurationError(problems)
    return parsed


def bring_in(
    ledger: Ledger,
    site: Site,
    content: PeopleDocument,
    *,
    actor: Actor,
    now: Instant,
    password_of: str | None = None,
) -> Imported:
    """Everybody of the file works here as it says, all in one transaction.

    Who is not in it stays as they are. ``password_of``: whose password newcomers get that log
    in; None: none, so that somebody has to give them one. Raises ``ForbiddenError`` or
    ``ConflictError``; then nothing has changed.
    """
    require(actor, Permission.EDIT_PEOPLE)
    added: list[str] = []
    changed: list[str] = []
    with ledger.write(site.id) as entry:
        kept = None if password_of is None else _password_hash(entry, password_of)
        view = View(connection=entry.connection, site=site.id)
        for document in content.people:
            person, before = _person(document), find(view, document.username)
            if before is None:
                password = kept if person.can_log_in else None
                insert_person(entry, person, password, actor=actor, now=now)
                added.append(person.username)
                continue
            after = replace(person, has_pin=before.has_pin)
            if after != before:
                update_person(entry, before, after, actor=actor, now=now)
                changed.append(person.username)
    return Imported(added=tuple(added), changed=tuple(changed))


def _same_names(content: PeopleDocument) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for place, person in enumerate(content.people):
        earlier = seen.setdefault(person.username, place)
        if earlier != place:
            wrong = f"there is a person {person.username!r} already"
            yield ("people", place, "username"), wrong, "give it another user name"


def _people_checks(content: PeopleDocument, site: Site) -> Iterator[Iterator[Finding]]:
    try:
        people = content.people
    except UnreadableError:
        return
    for place, person in enumerate(people):
        yield _areas(place, person, site.areas)
        yield _log_in(place, person)
        yield _papers(place, person)


def _areas(place: int, person: PersonDocument, known: Mapping[str, object]) -> Iterator[Finding]:
    for row, area in enumerate(person.areas):
        if area not in known:
            where = ("people", place, "areas", row)
            yield where, f"the site has no area {area!r}", instead(area, known)


def _log_in(place: int, person: PersonDocument) -> Iterator[Finding]:
    if person.contractor and person.can_log_in:
        where = ("people", place, "can_log_in")
        yield where, "a contractor does not log in", "leave it out, or take contractor away"


def _papers(place: int, person: PersonDocument) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for row, paper in enumerate(person.certificates):
        if (paper.name, paper.number) in seen:
            where = ("people", place, "certificates", row)
            yield where, f"the certificate {paper.name!r} is there twice", "remove one of the two"
        seen.add((paper.name, paper.number))


def _person(document: PersonDocument) -> Person:
    return Person(
        username=document.username,
        display_name=document.name,
        role=document.role,
        areas=document.areas,
        skills=document.skills,
        certificates=tuple(
            Certificate(name=one.name, number=one.number, expires_on=one.expires_on)
            for one in sorted(document.certificates, key=lambda one: (one.name, one.number))
        ),
        phone=document.phone,
        mention=document.mention,
        contractor=document.contractor,
        can_log_in=(
            not document.contractor if document.can_log_in is None else document.can_log_in
        ),
        active=document.active,
    )


def _password_hash(entry: Entry, username: str) -> str | None:
    query = select(user.c.password_hash).where(user.c.username == username)
    return entry.connection.execute(query).scalar()
