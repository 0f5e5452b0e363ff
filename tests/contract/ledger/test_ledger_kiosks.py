"""Screens on a wall: opened once by a link, known by a token, revoked for good."""

from __future__ import annotations

import pytest
import two_people
from duty_room import NOON, SITE, site
from sqlalchemy import select
from two_people import ADMIN, OFFICER, THERE, deeds

from gateway.clock import ManualClock
from rules.ledger.store import Ledger
from rules.ledger.tables.kiosks import kiosk
from rules.people import kiosks
from rules.people.accounts import Visit
from rules.people.roles import ForbiddenError, Permission, Via
from rules.refusals import ConflictError, NotFoundError, NotValidError

WALL = Visit(address="10.1.0.40", agent="Chromium")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


def test_a_screen_is_opened_once_looks_only_and_is_gone_when_revoked(
    ledger: Ledger, clock: ManualClock
) -> None:
    two_people.bring_in(ledger, clock)

    def make(name: str, *areas: str) -> tuple[str, kiosks.Kiosk]:
        return kiosks.make(ledger, site(), name=name, areas=areas, actor=ADMIN, now=clock.now())

    def enter(key: str) -> str | None:
        return kiosks.enter(ledger, SITE, key, WALL, clock.now())

    def screen(token: str | None, where: str = SITE) -> kiosks.Kiosk | None:
        return None if token is None else kiosks.kiosk_of(ledger, where, token, clock.now())

    key, made = make("east", "b1")
    for wrong, error in ((("east",), ConflictError), (("west", "nowhere"), NotValidError)):
        with pytest.raises(error):
            make(*wrong)
    lost, token = enter(key), enter(key)
    assert screen(lost) is None, "an answer that was lost on the way is worth nothing"
    assert screen(token, THERE.id) is None
    found = screen(token)
    assert found is not None
    assert enter(key) is None, "the link is used up with the token's first use"
    assert found.actor.via is Via.KIOSK
    assert [one for one in Permission if found.actor.may(one)] == [Permission.VIEW]
    assert found.actor.areas == {"b1"}
    with ledger.reading() as connection:
        stored = str([list(row) for row in connection.execute(select(kiosk))])
    assert token is not None
    assert token not in stored
    assert key not in stored

    clock.advance(90)
    assert screen(token) is not None
    kiosks.note_where(ledger, SITE, token, Visit(address="10.1.0.41", agent="Firefox"))
    with ledger.read(SITE) as view:
        (shown,) = kiosks.all_of(view, actor=ADMIN)
        with pytest.raises(ForbiddenError):
            kiosks.all_of(view, actor=OFFICER)
    assert (shown.address, shown.last_seen_at) == ("10.1.0.41", clock.now().wall)

    with pytest.raises(ForbiddenError):
        kiosks.revoke(ledger, SITE, made.id, actor=OFFICER, now=clock.now())
    kiosks.revoke(ledger, SITE, made.id, actor=ADMIN, now=clock.now())
    assert screen(token) is None
    with pytest.raises(NotFoundError):
        kiosks.revoke(ledger, SITE, made.id, actor=ADMIN, now=clock.now())
    assert {("admin", "kiosk.revoke", "east"), ("kiosk:east", "kiosk.open", "east")} <= set(
        deeds(ledger)
    )

    late, _ = make("west")
    clock.advance(7 * 24 * 3600)
    assert enter(late) is None, "a link that nobody followed for a week"
