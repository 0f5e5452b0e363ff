"""Screens on a wall: each opened once by a link, known by a token of its own, and revocable.

1. An administrator makes a screen; the link's key is told once.
2. The screen shows the key and gets a token, which its browser keeps. Until that token is used
   the key works again: an answer that was lost on the way has to be no new link.
3. With the first use of the token the key is worth nothing any more; the token is good until the
   screen is revoked.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, and_, delete, select, update

from gateway.model.equipment import Site
from gateway.model.moment import DAY, MINUTE, Instant
from rules.ledger import audit
from rules.ledger.store import Ledger
from rules.ledger.tables.kiosks import kiosk
from rules.ledger.view import View
from rules.people.accounts import Visit
from rules.people.passwords import new_token, token_hash
from rules.people.roles import Actor, Permission, Role, Via, require
from rules.refusals import ConflictError, NotFoundError, NotValidError

PREFIX = "drk_"
"""What a screen's token begins with, and no session's or machine's."""
KEY_PREFIX = "drl_"
KEY_LASTS = 7 * DAY
"""µs in which a new screen has to be opened."""
_SEEN_EVERY = MINUTE
"""A screen notes that it is there at most this often."""
_LONGEST_AGENT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Kiosk:
    id: str
    name: str
    areas: tuple[str, ...]
    """What it shows; empty: the whole site."""
    created_at: int
    created_by: str
    opened_at: int | None
    """None: its link was never followed."""
    last_seen_at: int | None
    address: str | None
    """Where it was opened last, and by which browser."""
    agent: str | None

    @property
    def actor(self) -> Actor:
        """Somebody who only sees: of the role's permissions ``Via.KIOSK`` leaves one."""
        return Actor(
            username=f"kiosk:{self.name}",
            role=Role.PROJECT_MANAGER,
            areas=frozenset(self.areas),
            via=Via.KIOSK,
        )

    def key_ends_at(self) -> int:
        """µs UTC, after which the link of one that was never opened is worth nothing."""
        return self.created_at + KEY_LASTS


def make(
    ledger: Ledger, site: Site, *, name: str, areas: tuple[str, ...], actor: Actor, now: Instant
) -> tuple[str, Kiosk]:
    """A new screen: the key of its link, which nobody can be told again, and what is known of it.

    Raises ``ForbiddenError``, ``ConflictError`` (the name is taken) or ``NotValidError``.
    """
    require(actor, Permission.EDIT_PEOPLE)
    for area in areas:
        if area not in site.areas:
            raise NotValidError("areas", f"the site has no area {area}")
    key, shown = f"{KEY_PREFIX}{new_token()}", secrets.token_hex(6)
    with ledger.write(site.id) as entry:
        taken = select(kiosk.c.id).where(kiosk.c.site_id == site.id, kiosk.c.name == name)
        if entry.connection.execute(taken).first() is not None:
            raise ConflictError(f"there is a screen called {name} already")
        entry.insert_once(
            kiosk,
            id=shown,
            name=name,
            areas=list(areas),
            key_hash=token_hash(key),
            created_at=now.wall,
            created_by=actor.username,
        )
        audit.record(entry, actor, "kiosk.new", name, now.wall, id=shown, areas=",".join(areas))
        made = _kiosks(View(connection=entry.connection, site=site.id), kiosk.c.id == shown)
    return key, made[0]


def enter(ledger: Ledger, site: str, key: str, visit: Visit, now: Instant) -> str | None:
    """The token of the screen whose link has ``key``; None where the key is no good (any more)."""
    token = f"{PREFIX}{new_token()}"
    with ledger.write(site) as entry:
        view = View(connection=entry.connection, site=site)
        found = _kiosks(view, kiosk.c.key_hash == token_hash(key))
        if not found or now.wall >= found[0].key_ends_at():
            return None
        this = and_(kiosk.c.site_id == site, kiosk.c.id == found[0].id)
        entry.connection.execute(
            update(kiosk)
            .where(this)
            .values(token_hash=token_hash(token), opened_at=now.wall, **_from(visit))
        )
        detail = {"id": found[0].id, "address": visit.address}
        audit.record(entry, found[0].actor, "kiosk.open", found[0].name, now.wall, **detail)
    return token


def kiosk_of(ledger: Ledger, site: str, token: str, now: Instant) -> Kiosk | None:
    """The screen whose ``token`` it is; None where it was revoked, or never was."""
    mine = and_(kiosk.c.site_id == site, kiosk.c.token_hash == token_hash(token))
    with ledger.read(site) as view:
        found = _kiosks(view, mine)
    if not found:
        return None
    seen = found[0].last_seen_at
    if seen is None or now.wall - seen >= _SEEN_EVERY:
        with ledger.writing() as connection:
            changed = update(kiosk).where(mine).values(last_seen_at=now.wall, key_hash=None)
            connection.execute(changed)
    return found[0]


def note_where(ledger: Ledger, site: str, token: str, visit: Visit) -> None:
    """Where the screen is now, and by which browser it is shown."""
    mine = and_(kiosk.c.site_id == site, kiosk.c.token_hash == token_hash(token))
    other = kiosk.c.address.is_distinct_from(visit.address)
    with ledger.writing() as connection:
        connection.execute(update(kiosk).where(mine, other).values(**_from(visit)))


def revoke(ledger: Ledger, site: str, kiosk_id: str, *, actor: Actor, now: Instant) -> None:
    """The screen shows nothing from now on; raises ``NotFoundError``."""
    require(actor, Permission.EDIT_PEOPLE)
    with ledger.write(site) as entry:
        this = and_(kiosk.c.site_id == site, kiosk.c.id == kiosk_id)
        name = entry.connection.execute(select(kiosk.c.name).where(this)).scalar()
        if name is None:
            raise NotFoundError(f"there is no screen {kiosk_id}")
        entry.connection.execute(delete(kiosk).where(this))
        audit.record(entry, actor, "kiosk.revoke", name, now.wall, id=kiosk_id)


def all_of(view: View, *, actor: Actor) -> list[Kiosk]:
    """Every screen of the site, newest first."""
    require(actor, Permission.EDIT_PEOPLE)
    return _kiosks(view)


def _from(visit: Visit) -> dict[str, str]:
    return {"address": visit.address, "agent": visit.agent[:_LONGEST_AGENT]}


def _kiosks(view: View, *wanted: Any) -> list[Kiosk]:
    query = (
        select(kiosk)
        .where(kiosk.c.site_id == view.site, *wanted)
        .order_by(kiosk.c.created_at.desc(), kiosk.c.id)
    )
    return [_kiosk(row) for row in view.connection.execute(query).mappings()]


def _kiosk(row: RowMapping) -> Kiosk:
    return Kiosk(
        id=row["id"],
        name=row["name"],
        areas=tuple(row["areas"]),
        created_at=row["created_at"],
        created_by=row["created_by"],
        opened_at=row["opened_at"],
        last_seen_at=row["last_seen_at"],
        address=row["address"],
        agent=row["agent"],
    )
