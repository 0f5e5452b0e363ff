"""A ledger with two people: the admin, and Zhou, an officer with a password."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from duty_room import SITE, site

from gateway.clock import ManualClock
from rules.ledger import audit
from rules.ledger.store import Ledger
from rules.people import accounts, people, sessions
from rules.people.accounts import Visit
from rules.people.people import Certificate, Person
from rules.people.roles import Actor, Role, Via

ADMIN = Actor(username="admin", role=Role.ADMIN)
COMMAND = Actor(username="command:root", role=Role.ADMIN, via=Via.COMMAND)
OFFICER = Actor(username="zhou", role=Role.OFFICER)
THERE = replace(site(), id="river-bank")
ZHOU = Person(
    username="zhou",
    display_name="周明",
    role=Role.OFFICER,
    areas=("b1",),
    skills=("消防",),
    certificates=(Certificate(name="消防", number="7", expires_on=date(2027, 5, 31)),),
    phone="138",
    mention="@周明",
)


def bring_in(ledger: Ledger, clock: ManualClock) -> None:
    accounts.ensure_admin(ledger, SITE, clock.now(), "right")
    people.add(ledger, site(), ZHOU, actor=ADMIN, now=clock.now(), password="long enough")


def log_in(ledger: Ledger, clock: ManualClock, name: str = "zhou", address: str = "") -> str:
    password = "right" if name == "admin" else "long enough"
    visit = Visit(address=address, agent="test")
    return accounts.log_in(ledger, SITE, name, password, clock.now(), visit=visit)[0]


def is_on(ledger: Ledger, token: str, clock: ManualClock) -> bool:
    return sessions.session_of(ledger, SITE, token, clock.now()) is not None


def deeds(ledger: Ledger) -> list[tuple[str, str, str]]:
    with ledger.read(SITE) as view:
        assert audit.verify(view).ok
        return [(row.by, row.action, row.subject) for row in audit.rows(view)]
