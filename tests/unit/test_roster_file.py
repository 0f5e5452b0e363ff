"""Teams, shifts and rotation from a file: every mistake at once, with its line and the mend."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from duty_room import site

from gateway.files.documents import ConfigurationError
from gateway.site.files import load
from rules.people import people_file
from rules.shifts import roster_file
from rules.shifts.calendar import WorkingHours

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
FILE = """\
people:
  - {username: zhou, name: 周明, role: officer, team: a}
  - {username: li, name: 李强, role: technician}
teams:
  - {id: a, name: {zh: 甲, en: A}, areas: [b1], members: [li]}
shifts:
  - {id: day, name: {zh: 白, en: D}, starts: "08:00", ends: "20:00"}
  - {id: night, name: {zh: 夜, en: N}, starts: "20:00", ends: "08:00"}
rotation:
  anchor: 2026-11-02
  pattern:
    - {day: a, night: a}
working_hours: {starts: "08:00", ends: "24:00"}
"""


def problems(folder: Path, text: str, staff: dict[str, bool] | None = None) -> list[str]:
    path = folder / "people.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        roster_file.read(path, site(), staff or {})
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_the_demonstrations_roster_is_three_teams_on_two_shifts() -> None:
    plan = roster_file.read(DEMO / "people.yaml", load(DEMO / "site.yaml"))
    assert [team.id for team in plan.teams] == ["a", "b", "c"]
    assert all(len(team.members) == 2 for team in plan.teams)
    assert [(shift.minutes, shift.minimum) for shift in plan.shifts] == [(720, 2), (720, 2)]
    for before, day in zip(plan.pattern[-1:] + plan.pattern[:-1], plan.pattern, strict=True):
        assert len(set(day.values())) == 2, "nobody is on both shifts of a day"
        assert before["night"] != day["day"], "nobody goes from the night into the day"


def test_members_are_those_that_the_team_names_and_those_that_name_it(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(FILE, encoding="utf-8")
    plan = roster_file.read(path, site())
    assert plan.teams[0].members == ("li", "zhou")
    assert plan.anchor == date(2026, 11, 2)
    assert plan.pattern == ({"day": "a", "night": "a"},)
    assert plan.hours == WorkingHours(starts=480, ends=1440)


def test_somebody_of_the_site_who_is_not_in_the_file_may_be_named(tmp_path: Path) -> None:
    named = FILE.replace("members: [li]", "members: [wang]")
    assert len(problems(tmp_path, named)) == 1
    assert roster_file.read(tmp_path / "people.yaml", site(), {"wang": True})
    (told,) = problems(tmp_path, named, {"wang": False})
    assert "'wang' no longer is one of the site's people" in told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "[li]",
            "[lii]",
            "5: teams.a.members.0: there is no 'lii' among the people of the site; "
            "did you mean 'li'?",
        ),
        ("[b1]", "[b2]", "5: teams.a.areas.0: there is no area 'b2'; use one of b1"),
        ("team: a}", "team: b}", "2: people.0.team: there is no team 'b'; use one of a"),
        ("night: a}", "night: b}", "12: rotation.pattern.0.night: there is no team 'b'; "),
        (
            ", team: a}\n  - {username: li, name: 李强, role: technician}\nteams:\n"
            "  - {id: a, name: {zh: 甲, en: A}, areas: [b1], members: [li]}",
            "}\nteams:\n  - {id: a, name: {zh: 甲, en: A}}",
            "11: rotation.pattern.0.day: nobody is on duty: the team 'a' has no members; "
            "name its members, or another team",
        ),
        ("{day: a,", "{late: a,", "12: rotation.pattern.0.late: there is no shift 'late'; "),
        (
            '"20:00", ends: "08:00"',
            '"19:00", ends: "08:00"',
            "8: shifts.night.starts: the shift 'day' has not ended when 'night' starts; ",
        ),
        ("id: night", "id: day", "8: shifts.day.id: there are two shifts 'day'; "),
        ('ends: "24:00"', 'ends: "07:00"', "13: working_hours.ends: is not later than the start"),
        ('ends: "20:00"', 'ends: "25:00"', "7: shifts.day.ends: "),
        ("  anchor: 2026-11-02\n", "", "9: rotation.anchor: is missing; add it"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in FILE
    found = problems(tmp_path, FILE.replace(old, new, 1))
    assert found[0].startswith(f"people.yaml:{told}"), found


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    text = FILE.replace("[li]", "[lii]").replace("[b1]", "[b2]").replace("08:00", "8:00", 1)
    assert len(problems(tmp_path, text)) == 3


def test_a_file_of_people_alone_holds_no_roster(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(FILE.split("teams:", maxsplit=1)[0], encoding="utf-8")
    content = people_file.read(path, site()).content
    assert not roster_file.holds_roster(content)
    path.write_text(FILE, encoding="utf-8")
    assert roster_file.holds_roster(people_file.read(path, site()).content)
