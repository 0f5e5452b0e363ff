"""Tokens of machines: kept as a hash, with a role and areas as a person has them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, and_, delete, select, update

from gateway.model.equipment import Site
from gateway.model.moment import MINUTE, Instant
from rules.ledger import audit
from rules.ledger.store import Ledger
from rules.ledger.tables.people import machine_token
from rules.ledger.view import View
from rules.people.passwords import new_token, token_hash
from rules.people.roles import Actor, Permission, Role, Via, require
from rules.refusals import ConflictError, NotFoundError, NotValidError

PREFIX = "drt_"
"""What every token begins with, so that one that went astray is known for what it is."""
_USED_EVERY = MINUTE
"""A token notes that it was used at most this often."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineToken:
    id: str
    name: str
    role: Role
    areas: tuple[str, ...]
    expires_on: date | None
    """The last day on which it is good, in the site's time; None: it does not expire."""
    created_at: int
    created_by: str
    last_used_at: int | None

    @property
    def actor(self) -> Actor:
        return Actor(
            username=f"token:{self.name}",
            role=self.role,
            areas=frozenset(self.areas),
            via=Via.TOKEN,
        )


def issue(
    ledger: Ledger,
    site: Site,
    *,
    name: str,
    role: Role,
    areas: tuple[str, ...],
    expires_on: date | None,
    actor: Actor,
    now: Instant,
) -> tuple[str, MachineToken]:
    """A new token, which nobody can be told again, and what is known of it.

    Raises ``ForbiddenError``, ``ConflictError`` (the name is taken) or ``NotValidError``.
    """
    require(actor, Permission.EDIT_PEOPLE)
    for area in areas:
        if area not in site.areas:
            raise NotValidError("areas", f"the site has no area {area}")
    token, shown = f"{PREFIX}{new_token()}", secrets.token_hex(6)
    with ledger.write(site.id) as entry:
        taken = select(machine_token.c.id).where(
            machine_token.c.site_id == site.id, machine_token.c.name == name
        )
        if entry.connection.execute(taken).first() is not None:
            raise ConflictError(f"there is a token called {name} already")
        entry.insert_once(
            machine_token,
            id=shown,
            name=name,
            token_hash=token_hash(token),
            role=role.value,
            areas=list(areas),
            expires_on=expires_on,
            created_at=now.wall,
            created_by=actor.username,
        )
        audit.record(entry, actor, "token.issue", name, now.wall, role=role, id=shown)
        made = _tokens(View(connection=entry.connection, site=site.id), machine_token.c.id == shown)
    return token, made[0]


def revoke(ledger: Ledger, site: str, token_id: str, *, actor: Actor, now: Instant) -> None:
    """It is worth nothing from now on; raises ``NotFoundError``."""
    require(actor, Permission.EDIT_PEOPLE)
    with ledger.write(site) as entry:
        this = and_(machine_token.c.site_id == site, machine_token.c.id == token_id)
        name = entry.connection.execute(select(machine_token.c.name).where(this)).scalar()
        if name is None:
            raise NotFoundError(f"there is no token {token_id}")
        entry.connection.execute(delete(machine_token).where(this))
        audit.record(entry, actor, "token.revoke", name, now.wall, id=token_id)


def issued(view: View, *, actor: Actor) -> list[MachineToken]:
    """Every token of the site, newest first, those that have expired too."""
    require(actor, Permission.EDIT_PEOPLE)
    return _tokens(view)


def token_of(
    ledger: Ledger, site: str, token: str, *, now: Instant, today: date
) -> MachineToken | None:
    """What ``token`` stands for at ``site`` on the day ``today``; None where it is not good."""
    with ledger.read(site) as view:
        found = _tokens(view, machine_token.c.token_hash == token_hash(token))
    if not found or (found[0].expires_on is not None and found[0].expires_on < today):
        return None
    used = found[0].last_used_at
    if used is None or now.wall - used >= _USED_EVERY:
        with ledger.writing() as connection:
            connection.execute(
                update(machine_token)
                .where(machine_token.c.site_id == site, machine_token.c.id == found[0].id)
                .values(last_used_at=now.wall)
            )
    return found[0]


def _tokens(view: View, *wanted: Any) -> list[MachineToken]:
    query = (
        select(machine_token)
        .where(machine_token.c.site_id == view.site, *wanted)
        .order_by(machine_token.c.created_at.desc(), machine_token.c.id)
    )
    return [_token(row) for row in view.connection.execute(query).mappings()]


def _token(row: RowMapping) -> MachineToken:
    return MachineToken(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        areas=tuple(row["areas"]),
        expires_on=row["expires_on"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        last_used_at=row["last_used_at"],
    )
