"""People for tests, hired and logged in without the price of a password's hash."""

from __future__ import annotations

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.ledger.store import Ledger
from rules.people import people, sessions
from rules.people.people import Person
from rules.people.roles import PROGRAM, Role


def hire(
    ledger: Ledger,
    site: Site,
    username: str,
    role: Role,
    now: Instant,
    *,
    areas: tuple[str, ...] = (),
    password: str | None = None,
) -> Person:
    """Somebody who may log in; only with ``password``, if one is given."""
    person = Person(username=username, display_name=f"某{username}", role=role, areas=areas)
    return people.add(ledger, site, person, actor=PROGRAM, now=now, password=password)


def session(ledger: Ledger, site: str, username: str, now: Instant) -> str:
    """The token of a new session."""
    with ledger.writing() as connection:
        return sessions.begin(connection, site, username, now, address="10.0.0.9", agent="test")


def cookie(token: str) -> dict[str, str]:
    """The headers of a request with that session."""
    return {"Cookie": f"dutyroom_session={token}"}
