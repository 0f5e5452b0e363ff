"""The people of the site."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from api.auth import Visitor
from api.deps import (
    ActorNeeded,
    DeskNeeded,
    IdempotencyKey,
    SameOrigin,
    SessionsNeeded,
    VisitorNeeded,
    get_visitor,
)
from api.desk import Desk
from api.models import people as documents
from api.problems import ProblemException, described
from api.views import people as views
from rules.people import people
from rules.people.roles import Permission, Role
from rules.shifts.local_time import date_of

router = APIRouter(tags=["people"], dependencies=[Depends(get_visitor)])

Username = Annotated[str, Path(max_length=64, pattern=documents.USERNAME)]
_LISTS = ("areas", "skills")
_MAY_BE_NULL = ("phone", "mention")


@router.get("/roles", responses=described(401, 503))
async def roles() -> documents.Roles:
    """The roles, and what each may do."""
    return views.all_roles()


@router.get("/people", responses=described(401, 422, 503))
async def people_list(
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    active: Annotated[bool | None, Query(description="Null: also who has left.")] = None,
) -> documents.People:
    """Everybody of the site, by user name."""
    found = await desk.read(lambda view: people.everybody(view, active=active))
    if visitor.is_screen:
        return documents.People(items=[views.named(person) for person in found])
    return documents.People(items=[_document(desk, visitor, person) for person in found])


@router.get("/people/{username}", responses=described(401, 404, 422, 503))
async def person(desk: DeskNeeded, visitor: VisitorNeeded, username: Username) -> documents.Person:
    """One person."""
    found = await desk.read(lambda view: people.find(view, username))
    if found is None:
        raise ProblemException(404, f"There is nobody called {username}.")
    return _document(desk, visitor, found)


@router.post(
    "/people",
    status_code=201,
    dependencies=[SameOrigin],
    responses=described(401, 403, 409, 422, 503),
)
async def add_person(
    *,
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    actor: ActorNeeded,
    sessions: SessionsNeeded,
    body: documents.PersonNew,
    idempotency_key: IdempotencyKey = None,
) -> documents.Person:
    """Somebody new."""
    now = desk.clock.now()
    added = await sessions.guesses.hashing(
        lambda: people.add(
            desk.ledger,
            desk.site,
            _person(body),
            actor=actor,
            now=now,
            password=body.password,
            idempotency_key=idempotency_key,
        )
    )
    return _document(desk, visitor, added)


@router.patch(
    "/people/{username}",
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 409, 422, 503),
)
async def change_person(
    *,
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    actor: ActorNeeded,
    sessions: SessionsNeeded,
    username: Username,
    body: documents.PersonChange,
    idempotency_key: IdempotencyKey = None,
) -> documents.Person:
    """Change the fields given. Whoever may no longer log in is logged out; the last active admin
    stays one."""
    now = desk.clock.now()
    changed = await desk.in_ledger(
        lambda: people.change(
            desk.ledger,
            desk.site,
            username,
            lambda person: _edited(person, body),
            actor=actor,
            now=now,
            idempotency_key=idempotency_key,
        )
    )
    sessions.forget(username=username)
    return _document(desk, visitor, changed)


@router.post(
    "/people/{username}/password",
    status_code=204,
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 409, 422, 503),
)
async def give_password(
    desk: DeskNeeded,
    actor: ActorNeeded,
    sessions: SessionsNeeded,
    username: Username,
    body: documents.PasswordGiven,
) -> None:
    """A new password for somebody; their sessions end."""
    now = desk.clock.now()
    await sessions.guesses.hashing(
        lambda: people.set_password(
            desk.ledger, desk.site.id, username, body.password, actor=actor, now=now
        )
    )
    sessions.forget(username=username)


@router.post(
    "/people/{username}/sessions/revoke",
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 422, 503),
)
async def end_sessions(
    desk: DeskNeeded, actor: ActorNeeded, sessions: SessionsNeeded, username: Username
) -> documents.Ended:
    """Log somebody out everywhere."""
    now = desk.clock.now()
    ended = await desk.in_ledger(
        lambda: people.end_sessions(desk.ledger, desk.site.id, username, actor=actor, now=now)
    )
    sessions.forget(username=username)
    return documents.Ended(sessions=ended)


def _document(desk: Desk, visitor: Visitor, person: people.Person) -> documents.Person:
    is_own = visitor.session is not None and visitor.user.username == person.username
    return views.person(
        person,
        date_of(desk.clock.now().wall, desk.site.zone),
        is_told=is_own or visitor.actor.may(Permission.VIEW_PEOPLE),
    )


def _person(body: documents.PersonNew) -> people.Person:
    can_log_in = not body.contractor if body.can_log_in is None else body.can_log_in
    return people.Person(
        username=body.username,
        display_name=body.display_name,
        role=Role(body.role),
        areas=tuple(body.areas),
        skills=tuple(body.skills),
        certificates=_certificates(body.certificates),
        phone=body.phone,
        mention=body.mention,
        contractor=body.contractor,
        can_log_in=can_log_in,
        active=body.active,
    )


def _edited(person: people.Person, body: documents.PersonChange) -> people.Person:
    """``person`` with what ``body`` gives; a null counts only where there may be one."""
    given = body.model_fields_set
    texts = {name: getattr(body, name) for name in _MAY_BE_NULL if name in given}
    plain = ("display_name", "contractor", "can_log_in", "active")
    set_fields = {name: getattr(body, name) for name in plain}
    lists = {
        name: None if getattr(body, name) is None else tuple(getattr(body, name)) for name in _LISTS
    }
    others = {
        "role": None if body.role is None else Role(body.role),
        "certificates": None if body.certificates is None else _certificates(body.certificates),
    }
    kept = {**set_fields, **lists, **others}
    return replace(person, **texts, **{k: v for k, v in kept.items() if v is not None})


def _certificates(given: list[documents.CertificateNew]) -> tuple[people.Certificate, ...]:
    return tuple(
        people.Certificate(name=one.name, number=one.number, expires_on=one.expires_on)
        for one in given
    )
