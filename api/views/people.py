"""People, sessions, tokens and the audit as documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, tzinfo

from api import models
from api.auth import Visitor
from api.models import people as documents
from api.views import words
from rules.ledger.audit import AuditRow, Verdict
from rules.people import roles
from rules.people.people import Certificate, Person
from rules.people.sessions import Session
from rules.people.tokens import MachineToken


def all_roles() -> documents.Roles:
    return documents.Roles(
        items=[
            documents.Role(
                role=role.value, name=words.text(roles.NAMES[role]), permissions=_permissions(role)
            )
            for role in roles.Role
        ]
    )


def logged_in(visitor: Visitor, zone: tzinfo) -> documents.LoggedIn:
    user, session = visitor.user, visitor.session
    return documents.LoggedIn(
        user=models.User(
            username=user.username, display_name=user.display_name, role=user.role.value
        ),
        role_name=words.text(roles.NAMES[user.role]),
        permissions=sorted(one.value for one in roles.Permission if visitor.actor.may(one)),
        areas=list(user.areas),
        has_pin=user.has_pin,
        session=None
        if session is None
        else documents.OwnSession(
            created_at=words.moment(session.created_at, zone),
            ends_at=words.moment(session.ends_at, zone),
        ),
    )


def person(found: Person, today: date, *, is_told: bool) -> documents.Person:
    """``is_told``: whoever asks may see what is private."""
    return documents.Person(
        username=found.username,
        display_name=found.display_name,
        role=found.role.value,
        areas=list(found.areas),
        skills=list(found.skills),
        certificates=[_certificate(one, today) for one in found.certificates] if is_told else [],
        phone=found.phone if is_told else None,
        mention=found.mention if is_told else None,
        contractor=found.contractor,
        can_log_in=found.can_log_in,
        has_pin=found.has_pin,
        active=found.active,
    )


def named(found: Person) -> documents.Person:
    """The name and the role and nothing else, as a screen on a wall shows them."""
    return documents.Person(
        username=found.username,
        display_name=found.display_name,
        role=found.role.value,
        areas=[],
        skills=[],
        certificates=[],
        phone=None,
        mention=None,
        contractor=False,
        can_log_in=False,
        has_pin=False,
        active=found.active,
    )


def session(found: Session, zone: tzinfo, *, current: Session | None) -> documents.Session:
    return documents.Session(
        id=found.id,
        username=found.user.username,
        created_at=words.moment(found.created_at, zone),
        last_seen_at=words.moment(found.last_seen_at, zone),
        ends_at=words.moment(found.ends_at, zone),
        address=found.address,
        agent=found.agent,
        current=current is not None and found.id == current.id,
    )


def token(found: MachineToken, today: date, zone: tzinfo) -> documents.Token:
    return documents.Token(
        id=found.id,
        name=found.name,
        role=found.role.value,
        areas=list(found.areas),
        expires_on=found.expires_on,
        expired=found.expires_on is not None and found.expires_on < today,
        created_at=words.moment(found.created_at, zone),
        created_by=found.created_by,
        last_used_at=words.moment_if(found.last_used_at, zone),
    )


def audit_row(row: AuditRow, names: Mapping[str, str], zone: tzinfo) -> documents.AuditRow:
    return documents.AuditRow(
        number=row.number,
        at=words.moment(row.at, zone),
        by=row.by,
        by_name=names.get(row.by),
        via=row.via,  # type: ignore[arg-type]
        action=row.action,
        subject=row.subject,
        detail=dict(row.detail),
    )


def verdict(found: Verdict) -> documents.AuditVerdict:
    bad = found.first_bad
    return documents.AuditVerdict(
        ok=found.ok,
        rows=found.rows,
        head=found.head,
        first_bad=None if bad is None else documents.AuditBad(number=bad),
        why=found.why,
    )


def _certificate(found: Certificate, today: date) -> documents.Certificate:
    return documents.Certificate(
        name=found.name,
        number=found.number,
        expires_on=found.expires_on,
        state=found.state(today).value,
    )


def _permissions(role: roles.Role) -> list[str]:
    return sorted(permission.value for permission in roles.GRANTS[role])
