"""Who is offered for an order, and in which order."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from gateway.model.moment import DAY, HOUR, SECOND
from gateway.model.point import Text
from rules.dispatch.candidates import Load, candidates
from rules.people.people import Certificate, Person
from rules.people.roles import Role
from rules.shifts.duty import Leave, LeaveKind, Roster, Team
from rules.shifts.rotation import Rotation, Shift

TODAY = date(2026, 11, 21)
NOON = int(datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()) * SECOND


def person(username: str, role: Role = Role.TECHNICIAN, **more) -> Person:
    return Person(username=username, display_name=username.title(), role=role, **more)


def crew(*people: Person, on_duty=(), leaves=(), areas=()) -> Roster:
    """``on_duty`` is the team that holds every shift; ``areas``: what it answers for."""
    name = Text(zh="甲班", en="Team A")
    day = Shift(id="day", name=name, starts=0, ends=DAY // SECOND // 60, minimum=1)
    return Roster(
        rotation=Rotation(shifts=(day,), anchor=TODAY, pattern=({"day": "a"},), zone=UTC),
        teams={"a": Team(id="a", name=name, members=tuple(on_duty), areas=areas)},
        people={one.username: one for one in people},
        leaves=leaves,
    )


def offered(roster: Roster, *, area="garage", skills=(), loads=None) -> list[str]:
    found = candidates(roster, at=NOON, today=TODAY, area=area, skills=skills, loads=loads or {})
    return [one.person.username for one in found]


def test_whoever_is_on_duty_comes_first_then_area_then_skill_then_load():
    people = [
        person("idle"),
        person("skilled", skills=("电工",)),
        person("local", areas=("garage",)),
        person("duty"),
    ]
    roster = crew(*people, on_duty=("duty",))
    assert offered(roster, skills=("电工",)) == ["duty", "local", "skilled", "idle"]


def test_of_equals_the_one_with_less_to_do_comes_first_and_then_they_take_turns():
    roster = crew(person("a"), person("b"), person("c"))
    loads = {
        "a": Load(open_orders=1),
        "b": Load(last_assigned_at=NOON - HOUR),
        "c": Load(last_assigned_at=NOON - 2 * HOUR),
    }
    assert offered(roster, loads=loads) == ["c", "b", "a"]


@pytest.mark.parametrize(
    "absent",
    [
        person("x", active=False),
        person("x", areas=("tower-1",)),
        person("x", role=Role.OFFICER),
        person("x", role=Role.PROJECT_MANAGER),
    ],
)
def test_who_cannot_come_is_not_offered(absent):
    assert offered(crew(absent, person("y"))) == ["y"]


def test_who_is_on_leave_is_not_offered_though_on_the_roster():
    leave = Leave(
        id="1",
        username="x",
        first=TODAY,
        last=TODAY,
        kind=LeaveKind.SICK,
        reason="",
        by="x",
        at=NOON,
    )
    assert offered(crew(person("x"), on_duty=("x",), leaves=(leave,))) == []


def test_a_contractor_is_offered_and_an_expired_certificate_is_told():
    expired = Certificate(name="低压电工作业证", number="1", expires_on=date(2026, 10, 31))
    roster = crew(person("firm", contractor=True, certificates=(expired,)))
    (one,) = candidates(roster, at=NOON, today=TODAY, area="garage", skills=(), loads={})
    assert one.person.contractor
    assert one.warning is not None and "2026-10-31" in one.warning.zh


def test_the_team_that_answers_for_the_area_counts_as_in_it():
    roster = crew(person("a"), person("b"), on_duty=("b",), areas=("garage",))
    found = candidates(roster, at=NOON, today=TODAY, area="garage", skills=(), loads={})
    assert [(one.person.username, one.in_area) for one in found] == [("b", True), ("a", False)]
