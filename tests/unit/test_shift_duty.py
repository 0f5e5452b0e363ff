"""Who is on duty: the team, what was changed for the day, who is on leave, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from gateway.model.point import Text
from rules.people.people import Certificate, Person
from rules.people.roles import Role
from rules.shifts.duty import Duty, Leave, LeaveKind, Override, ProblemKind, Roster, Team
from rules.shifts.local_time import instant_at
from rules.shifts.rotation import Rotation, Shift

ZONE = ZoneInfo("Asia/Shanghai")
NAME = Text(zh="班", en="Shift")
TODAY = date(2026, 11, 21)
ROTATION = Rotation(
    shifts=(
        Shift(id="day", name=NAME, starts=480, ends=1200, minimum=2),
        Shift(id="night", name=NAME, starts=1200, ends=480),
    ),
    anchor=TODAY,
    pattern=({"day": "a", "night": "b"},),
    zone=ZONE,
)
TEAMS = {
    "a": Team(id="a", name=NAME, members=("zhou", "li"), leader="qian"),
    "b": Team(id="b", name=NAME),
}
PEOPLE = {
    name: Person(username=name, display_name=name.title(), role=Role.TECHNICIAN)
    for name in ("zhou", "li", "wu", "sun", "qian")
}


def change(
    number: int, instead_of: str | None, username: str | None, *, shift: str = "day"
) -> Override:
    return Override(
        id=f"change-{number}",
        change=number,
        date=TODAY,
        shift=shift,
        instead_of=instead_of,
        username=username,
        reason="by hand",
        by="qian",
        at=0,
    )


def leave(username: str, first: date, last: date) -> Leave:
    return Leave(
        id=f"leave-{username}",
        username=username,
        first=first,
        last=last,
        kind=LeaveKind.ANNUAL,
        reason="by hand",
        by="qian",
        at=0,
    )


def on_duty(
    *,
    overrides: Sequence[Override] = (),
    leaves: Sequence[Leave] = (),
    people: dict[str, Person] | None = None,
    hour: int = 12,
) -> Duty:
    roster = Roster(
        rotation=ROTATION,
        teams=TEAMS,
        people=PEOPLE if people is None else people,
        overrides=overrides,
        leaves=leaves,
    )
    found = roster.at(instant_at(TODAY, hour * 60, ZONE))
    assert found is not None
    return found


def crew(duty: Duty) -> list[tuple[str, str | None]]:
    return [(member.person.username, member.instead_of) for member in duty.crew]


def problems(duty: Duty) -> list[tuple[ProblemKind, str | None]]:
    return [(problem.kind, problem.username) for problem in duty.problems]


def test_the_members_of_the_team_are_on_duty_and_its_leader_is_not_by_leading() -> None:
    found = on_duty()
    assert crew(found) == [("zhou", None), ("li", None)]
    assert problems(found) == []
    assert not found.is_override


def test_a_team_without_members_leaves_the_shift_empty() -> None:
    assert problems(on_duty(hour=22)) == [(ProblemKind.EMPTY, None)]


def test_somebody_stands_in_comes_in_addition_or_stays_away() -> None:
    found = on_duty(overrides=[change(1, "zhou", "wu"), change(2, None, "sun")])
    assert crew(found) == [("li", None), ("wu", "zhou"), ("sun", None)]
    assert found.is_override
    alone = on_duty(overrides=[change(1, "zhou", None)])
    assert crew(alone) == [("li", None)]
    assert problems(alone) == [(ProblemKind.BELOW_MINIMUM, None)]
    assert "2" in alone.problems[0].text.zh


def test_later_changes_build_on_earlier_ones_whatever_order_they_come_in() -> None:
    found = on_duty(overrides=[change(2, "wu", "sun"), change(1, "zhou", "wu")])
    assert crew(found) == [("li", None), ("sun", "wu")]


def test_a_change_is_for_its_own_shift_only() -> None:
    assert not on_duty(overrides=[change(1, None, "wu", shift="night")]).is_override


def test_who_is_on_leave_is_missing_until_somebody_stands_in() -> None:
    away = [leave("li", TODAY, TODAY)]
    found = on_duty(leaves=away)
    assert crew(found) == [("zhou", None)]
    assert problems(found) == [(ProblemKind.BELOW_MINIMUM, None), (ProblemKind.ON_LEAVE, "li")]
    covered = on_duty(leaves=away, overrides=[change(1, "li", "wu")])
    assert crew(covered) == [("zhou", None), ("wu", "li")]
    assert problems(covered) == []
    both = on_duty(leaves=[*away, leave("wu", TODAY, TODAY)], overrides=[change(1, "li", "wu")])
    assert problems(both)[1:] == [(ProblemKind.ON_LEAVE, "wu")], "the one who stands in, too"


def test_both_ends_of_a_leave_are_days_of_it() -> None:
    for first, last, away in (
        (date(2026, 11, 1), TODAY, True),
        (TODAY, date(2026, 12, 1), True),
        (date(2026, 11, 22), date(2026, 12, 1), False),
        (date(2026, 11, 1), date(2026, 11, 20), False),
    ):
        assert (len(on_duty(leaves=[leave("li", first, last)]).crew) == 1) is away


def test_a_certificate_holds_on_its_last_day_and_is_a_problem_after_it() -> None:
    def holding(until: date | None) -> dict[str, Person]:
        paper = Certificate(name="消防设施操作员", number="1", expires_on=until)
        zhou = Person(
            username="zhou", display_name="周明", role=Role.OFFICER, certificates=(paper,)
        )
        return {**PEOPLE, "zhou": zhou}

    assert problems(on_duty(people=holding(TODAY))) == []
    assert problems(on_duty(people=holding(None))) == []
    expired = on_duty(people=holding(date(2026, 11, 20)))
    assert problems(expired) == [(ProblemKind.CERTIFICATE_EXPIRED, "zhou")]
    assert "2026-11-20" in expired.problems[0].text.en
    assert len(expired.crew) == 2, "shown, not sent home"


def test_who_has_left_is_no_crew_and_a_problem() -> None:
    left = Person(username="li", display_name="Li", role=Role.TECHNICIAN, active=False)
    found = on_duty(people={**PEOPLE, "li": left})
    assert problems(found)[1:] == [(ProblemKind.INACTIVE, "li")]
    unknown = on_duty(people={name: p for name, p in PEOPLE.items() if name != "li"})
    assert problems(unknown)[1:] == [(ProblemKind.INACTIVE, "li")]


def test_without_a_rotation_nobody_is_on_duty() -> None:
    empty = Roster(rotation=None)
    assert empty.at(0) is None
    assert empty.after(0) is None
    assert list(empty.between(TODAY, TODAY)) == []


def test_the_next_shift_and_the_shifts_of_some_days() -> None:
    roster = Roster(rotation=ROTATION, teams=TEAMS, people=PEOPLE)
    coming = roster.after(instant_at(TODAY, 720, ZONE))
    assert coming is not None
    assert (coming.day.shift.id, coming.team.id) == ("night", "b")
    both = list(roster.between(TODAY, date(2026, 11, 22)))
    assert [(duty.day.date.day, duty.day.shift.id) for duty in both] == [
        (21, "day"),
        (21, "night"),
        (22, "day"),
        (22, "night"),
    ]
