"""The people of a site: kept, changed, gone; whose word counts where."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import two_people
from duty_room import NOON, SITE, site
from two_people import ADMIN, COMMAND, OFFICER, THERE, ZHOU, deeds, is_on, log_in

from gateway.clock import ManualClock
from rules.ledger import audit
from rules.ledger.idempotency import KeyReusedError
from rules.ledger.store import Ledger
from rules.people import accounts, people, tokens
from rules.people.accounts import LogInRefusedError, NotAMemberError, WrongPinError
from rules.people.people import Certificate, CertificateState, Person
from rules.people.roles import Actor, ForbiddenError, Permission, Role, Via
from rules.refusals import ConflictError, NotFoundError, NotValidError


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def staffed(ledger: Ledger, clock: ManualClock) -> Ledger:
    """The admin, and Zhou with a password."""
    two_people.bring_in(ledger, clock)
    return ledger


def test_a_person_is_kept_whole_and_changed(staffed: Ledger, clock: ManualClock) -> None:
    with staffed.read(SITE) as view:
        assert people.find(view, "zhou") == ZHOU
        assert [person.username for person in people.everybody(view)] == ["admin", "zhou"]
        assert people.names(view, {"zhou", "nobody"}) == {"zhou": "周明"}
    with staffed.read(THERE.id) as view:
        assert people.everybody(view) == []
        assert people.names(view, {"zhou"}) == {}
    paper = Certificate(name="电工", number="", expires_on=None)
    wanted = replace(ZHOU, role=Role.FOREMAN, areas=(), certificates=(paper,), phone=None)
    changed = people.change(staffed, site(), "zhou", lambda _: wanted, actor=ADMIN, now=clock.now())
    assert changed == wanted
    with staffed.read(SITE) as view:
        (row,) = audit.newest(view, limit=1)
        assert view.changes_after(0, 10)[-1].subject == "people"
    assert row.detail == {
        "role": "officer → foreman",
        "areas": "b1 → –",
        "certificates": "…",
        "phone": "…",
    }, "what is private is not in what is kept for ever"


def test_nothing_changed_is_not_written(staffed: Ledger, clock: ManualClock) -> None:
    before = deeds(staffed)
    people.change(staffed, site(), "zhou", lambda person: person, actor=ADMIN, now=clock.now())
    assert deeds(staffed) == before


def test_who_leaves_is_logged_out_and_stays_in_the_list(
    staffed: Ledger, clock: ManualClock
) -> None:
    token = log_in(staffed, clock)
    people.change(
        staffed,
        site(),
        "zhou",
        lambda person: replace(person, active=False),
        actor=ADMIN,
        now=clock.now(),
    )
    assert not is_on(staffed, token, clock)
    with pytest.raises(NotAMemberError):
        log_in(staffed, clock)
    with staffed.read(SITE) as view:
        assert [one.username for one in people.everybody(view, active=True)] == ["admin"]
        assert [one.username for one in people.everybody(view, active=False)] == ["zhou"]


@pytest.mark.parametrize(
    "change", [{"active": False}, {"role": Role.OFFICER}, {"can_log_in": False}]
)
def test_the_last_admin_stays(staffed: Ledger, clock: ManualClock, change: dict) -> None:
    def edit(person: Person) -> Person:
        return replace(person, **change)

    with pytest.raises(ConflictError, match="last admin"):
        people.change(staffed, site(), "admin", edit, actor=ADMIN, now=clock.now())
    second = replace(ZHOU, username="second", role=Role.ADMIN)
    people.add(staffed, site(), second, actor=ADMIN, now=clock.now())
    with pytest.raises(ConflictError, match="last admin"):
        people.change(staffed, site(), "admin", edit, actor=ADMIN, now=clock.now())
    people.set_password(staffed, SITE, "second", "long enough", actor=ADMIN, now=clock.now())
    people.change(staffed, site(), "admin", edit, actor=ADMIN, now=clock.now())


def test_what_cannot_be_is_refused(staffed: Ledger, clock: ManualClock) -> None:
    now = clock.now()
    twice = (ZHOU.certificates[0], ZHOU.certificates[0])
    for wrong, field in (
        ({"areas": ("nowhere",)}, "areas"),
        ({"contractor": True}, "can_log_in"),
        ({"certificates": twice}, "certificates"),
    ):
        person = replace(ZHOU, username="new", **wrong)
        with pytest.raises(NotValidError) as refused:
            people.add(staffed, site(), person, actor=ADMIN, now=now)
        assert refused.value.field == field
    with pytest.raises(ConflictError, match="already"):
        people.add(staffed, site(), ZHOU, actor=ADMIN, now=now)
    with pytest.raises(NotFoundError):
        people.change(staffed, site(), "new", lambda person: person, actor=ADMIN, now=now)
    with staffed.read(SITE) as view:
        assert len(people.everybody(view)) == 2


def test_only_the_admin_of_the_whole_site_changes_people_and_only_in_person(
    staffed: Ledger, clock: ManualClock
) -> None:
    now = clock.now()
    by_pin, by_token = replace(ADMIN, via=Via.PIN), replace(ADMIN, via=Via.TOKEN)
    of_one_area = replace(ADMIN, areas=frozenset({"b1"}))
    new = replace(ZHOU, username="new")
    others = [Actor(username="x", role=role) for role in Role if role is not Role.ADMIN]
    for actor in (*others, by_pin, by_token, of_one_area):
        with pytest.raises(ForbiddenError):
            people.add(staffed, site(), new, actor=actor, now=now)
        with pytest.raises(ForbiddenError):
            people.change(staffed, site(), "zhou", lambda p: p, actor=actor, now=now)
        with pytest.raises(ForbiddenError):
            people.set_password(staffed, SITE, "zhou", "long enough", actor=actor, now=now)
        with pytest.raises(ForbiddenError):
            people.give_pin(staffed, SITE, "zhou", "4711", actor=actor, now=now)
        with pytest.raises(ForbiddenError):
            tokens.issue(
                staffed,
                site(),
                name="t",
                role=Role.OFFICER,
                areas=(),
                expires_on=None,
                actor=actor,
                now=now,
            )


def test_adding_with_the_same_key_again_adds_nobody(staffed: Ledger, clock: ManualClock) -> None:
    def add(person: Person) -> Person:
        return people.add(
            staffed, site(), person, actor=ADMIN, now=clock.now(), idempotency_key="k"
        )

    new = replace(ZHOU, username="new")
    assert add(new) == add(new) == new
    with pytest.raises(KeyReusedError):
        add(replace(ZHOU, username="newer"))


def test_somebody_of_another_site_joins_on_the_machine_only(
    staffed: Ledger, clock: ManualClock
) -> None:
    """Or an admin there could give a password to somebody who has more to say here."""
    accounts.ensure_admin(staffed, THERE.id, clock.now())
    now, as_technician = clock.now(), replace(ZHOU, role=Role.TECHNICIAN)
    with pytest.raises(ConflictError, match="another site"):
        people.add(staffed, THERE, as_technician, actor=ADMIN, now=now, password="taken over")
    joined = people.add(
        staffed, THERE, as_technician, actor=COMMAND, now=now, password="taken over"
    )
    assert (joined.role, joined.display_name) == (Role.TECHNICIAN, "周明")
    accounts.log_in(staffed, THERE.id, "zhou", "long enough", now)
    with pytest.raises(LogInRefusedError):
        accounts.log_in(staffed, SITE, "zhou", "taken over", now)
    for where in (SITE, THERE.id):
        with pytest.raises(ConflictError, match="other sites"):
            people.set_password(staffed, where, "zhou", "taken over", actor=ADMIN, now=now)
        with pytest.raises(ConflictError, match="other sites"):
            people.give_pin(staffed, where, "zhou", "4711", actor=ADMIN, now=now)
    people.set_password(staffed, SITE, "zhou", "new and long", actor=COMMAND, now=now)
    accounts.log_in(staffed, THERE.id, "zhou", "new and long", now)
    with staffed.read(SITE) as view:
        still = people.find(view, "zhou")
    assert still is not None
    assert still.role is Role.OFFICER


def test_who_somebody_is_at_other_sites_too_is_not_one_admins_to_change(
    staffed: Ledger, clock: ManualClock
) -> None:
    now = clock.now()
    as_technician = replace(ZHOU, role=Role.TECHNICIAN)
    people.add(staffed, THERE, as_technician, actor=COMMAND, now=now)

    def change(actor: Actor, **fields: Any) -> Person:
        return people.change(
            staffed, THERE, "zhou", lambda p: replace(p, **fields), actor=actor, now=now
        )

    for fields in (
        {"display_name": "别人"},
        {"phone": "139"},
        {"mention": "@x"},
        {"skills": ()},
        {"certificates": ()},
        {"contractor": True, "can_log_in": False},
    ):
        with pytest.raises(ConflictError, match="other sites"):
            change(ADMIN, **fields)
    assert change(ADMIN, role=Role.FOREMAN).role is Role.FOREMAN, "that is this site's"
    assert change(COMMAND, phone="139").phone == "139"
    with staffed.read(SITE) as view:
        here = people.find(view, "zhou")
    assert here == replace(ZHOU, phone="139")


def test_nobody_is_a_contractor_and_logs_in_at_another_site(
    staffed: Ledger, clock: ManualClock
) -> None:
    now = clock.now()
    people.add(staffed, THERE, ZHOU, actor=COMMAND, now=now)
    with pytest.raises(ConflictError, match="may log in at the site"):
        people.change(
            staffed,
            THERE,
            "zhou",
            lambda p: replace(p, contractor=True, can_log_in=False),
            actor=COMMAND,
            now=now,
        )
    firm = replace(ZHOU, username="lift-co", contractor=True, can_log_in=False)
    people.add(staffed, site(), firm, actor=ADMIN, now=now)
    as_own = replace(firm, contractor=False, can_log_in=True)
    with pytest.raises(ConflictError, match="contractor"):
        people.add(staffed, THERE, as_own, actor=COMMAND, now=now)


@pytest.mark.parametrize("pin", ["0000", "1234", "123456", "4321", "7890", "0987", "99999999"])
def test_a_pin_that_is_guessed_first_is_refused(
    staffed: Ledger, clock: ManualClock, pin: str
) -> None:
    with pytest.raises(NotValidError, match="guessed first"):
        people.give_pin(staffed, SITE, "zhou", pin, actor=ADMIN, now=clock.now())
    with pytest.raises(NotValidError, match="guessed first"):
        accounts.set_pin(
            staffed, SITE, actor=OFFICER, password="long enough", pin=pin, now=clock.now()
        )


def test_who_has_left_signs_nothing(staffed: Ledger, clock: ManualClock) -> None:
    people.give_pin(staffed, SITE, "zhou", "4711", actor=ADMIN, now=clock.now())
    accounts.signer(staffed, SITE, "zhou", "4711")
    people.change(
        staffed,
        site(),
        "zhou",
        lambda person: replace(person, active=False),
        actor=ADMIN,
        now=clock.now(),
    )
    with pytest.raises(WrongPinError):
        accounts.signer(staffed, SITE, "zhou", "4711")


def test_a_contractor_hears_of_things_and_never_logs_in(
    staffed: Ledger, clock: ManualClock
) -> None:
    firm = Person(
        username="lift-co",
        display_name="电梯维保",
        role=Role.TECHNICIAN,
        phone="400",
        contractor=True,
        can_log_in=False,
    )
    now = clock.now()
    assert people.add(staffed, site(), firm, actor=ADMIN, now=now) == firm
    with pytest.raises(ConflictError, match="contractor"):
        people.set_password(staffed, SITE, "lift-co", "long enough", actor=ADMIN, now=now)
    with pytest.raises(ConflictError, match="does not log in"):
        people.give_pin(staffed, SITE, "lift-co", "4711", actor=ADMIN, now=now)


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (date(2027, 5, 1), CertificateState.VALID),
        (date(2027, 5, 2), CertificateState.EXPIRING),
        (date(2027, 5, 31), CertificateState.EXPIRING),
        (date(2027, 6, 1), CertificateState.EXPIRED),
    ],
)
def test_a_certificate_is_good_through_its_last_day(today: date, state: CertificateState) -> None:
    assert ZHOU.certificates[0].state(today) is state
    assert Certificate(name="x", number="").state(today) is CertificateState.UNLIMITED


def test_no_secret_is_in_the_audit(staffed: Ledger, clock: ManualClock) -> None:
    log_in(staffed, clock)
    people.set_password(staffed, SITE, "zhou", "quite secret", actor=ADMIN, now=clock.now())
    people.give_pin(staffed, SITE, "zhou", "98765431", actor=ADMIN, now=clock.now())
    with staffed.read(SITE) as view:
        told = str(list(audit.rows(view)))
    assert not any(secret in told for secret in ("quite secret", "98765431", "argon2"))
    assert {deed[1] for deed in deeds(staffed)} >= {"person.password", "person.pin"}


def test_every_permission_is_somebodys_and_the_admin_answers_for_no_engineering() -> None:
    held = {p for role in Role for p in Permission if Actor(username="x", role=role).may(p)}
    assert held == set(Permission)
    admin = {p for p in Permission if ADMIN.may(p)}
    theirs = {
        Permission.COUNTERSIGN_ROUND,
        Permission.OVERRIDE_HANDOVER,
        Permission.POSTPONE_PLAN_AGAIN,
        Permission.SHELVE_LIFE_SAFETY,
        Permission.CONFIRM_TEST,
    }
    assert admin == set(Permission) - theirs
