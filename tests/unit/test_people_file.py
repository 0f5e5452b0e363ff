"""The file of people: what it may hold, and every mistake in it with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from duty_room import NOON, site

from gateway.clock import ManualClock
from gateway.files.documents import ConfigurationError
from gateway.site.files import load
from rules.ledger import audit
from rules.ledger.store import open_ledger
from rules.people import accounts, people, people_file
from rules.people.accounts import LogInRefusedError
from rules.people.roles import PROGRAM, Actor, ForbiddenError, Role
from rules.refusals import ConflictError

DEMO = Path(__file__).parents[2] / "deploy" / "demo"
NOW = ManualClock(NOON).now()


def problems(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "people.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as refused:
        people_file.read(path, site())
    return [f"{one.line} {one.name}: {one.wrong}; {one.mend}" for one in refused.value.problems]


@pytest.fixture
def ledger(tmp_path: Path):
    opened = open_ledger(tmp_path / "ledger.db")
    accounts.ensure_admin(opened, site().id, NOW, "right")
    yield opened
    opened.close()


def bring_in(ledger, path: Path, text: str, **given) -> people_file.Imported:
    path.write_text(text, encoding="utf-8")
    content = people_file.read(path, site()).content
    actor = given.pop("actor", PROGRAM)
    return people_file.bring_in(ledger, site(), content, actor=actor, now=NOW, **given)


def test_the_demo_has_somebody_for_every_role() -> None:
    found = people_file.read(DEMO / "people.yaml", load(DEMO / "site.yaml")).content.people
    assert {person.role for person in found} == set(Role) - {Role.ADMIN}
    assert [person.username for person in found if person.contractor] == ["lift-co"]


def test_every_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    told = problems(
        tmp_path,
        "people:\n"
        "  - {username: zhou, name: 周明, role: oficer}\n"
        "  - {username: zhou, name: 又一个, role: officer, areas: [b2]}\n"
        "  - {username: Li, name: 李, role: technician, phone: 138}\n"
        "  - username: firm\n"
        "    name: 维保\n"
        "    role: technician\n"
        "    contractor: true\n"
        "    can_log_in: true\n"
        "    certificates: [{name: 电工}, {name: 电工}]\n"
        "  - {username: wu, name: 吴, role: officer, certificates: [{expires_on: tomorrow}]}\n"
        "  - {username: sun, name: 孙, role: officer, surname: 孙}\n",
    )
    lines = [int(one.split()[0]) for one in told]
    assert lines == sorted(lines)
    whole = "\n".join(told)
    for expected in (
        "2 people.0.role: ",
        "3 people.1.areas.0: the site has no area 'b2'; use one of b1",
        "3 people.1.username: there is a person 'zhou' already; give it another user name",
        "4 people.2.username: ",
        "4 people.2.phone: ",
        "9 people.3.can_log_in: a contractor does not log in; ",
        "10 people.3.certificates.1: the certificate '电工' is there twice; ",
        "11 people.4.certificates.0.name: is missing; add it",
        "11 people.4.certificates.0.expires_on: ",
        "12 people.5.surname: is not a known key; ",
    ):
        assert expected in whole
    assert len(told) == 10


def test_what_is_no_list_of_people_is_one_problem(tmp_path: Path) -> None:
    assert len(problems(tmp_path, "people: zhou\n")) == 1
    assert len(problems(tmp_path, "- zhou\n")) == 1


def test_newcomers_are_added_others_become_as_the_file_says(ledger, tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    line = "people: [{username: zhou, name: 周明, role: officer, phone: '138'}]"
    assert bring_in(ledger, path, line) == people_file.Imported(added=("zhou",), changed=())
    assert bring_in(ledger, path, line) == people_file.Imported(added=(), changed=())
    with pytest.raises(LogInRefusedError):
        accounts.log_in(ledger, site().id, "zhou", "right", NOW)
    people.set_password(ledger, site().id, "zhou", "long enough", actor=PROGRAM, now=NOW)
    people.give_pin(ledger, site().id, "zhou", "4711", actor=PROGRAM, now=NOW)
    line = (
        "people:\n"
        "- {username: zhou, name: 周明, role: foreman, areas: [b1]}\n"
        "- {username: li, name: 李强, role: technician}\n"
    )
    assert bring_in(ledger, path, line) == people_file.Imported(added=("li",), changed=("zhou",))
    with ledger.read(site().id) as view:
        zhou = people.find(view, "zhou")
        assert [one.username for one in people.everybody(view)] == ["admin", "li", "zhou"]
        assert audit.verify(view).ok
    assert zhou is not None
    assert (zhou.role, zhou.areas, zhou.phone) == (Role.FOREMAN, ("b1",), None)
    accounts.log_in(ledger, site().id, "zhou", "long enough", NOW)
    accounts.signer(ledger, site().id, "zhou", "4711")


def test_newcomers_may_be_given_the_password_of_somebody(ledger, tmp_path: Path) -> None:
    text = (
        "people:\n"
        "- {username: zhou, name: 周明, role: officer}\n"
        "- {username: firm, name: 维保, role: technician, contractor: true}\n"
    )
    bring_in(ledger, tmp_path / "people.yaml", text, password_of="admin")
    accounts.log_in(ledger, site().id, "zhou", "right", NOW)
    with pytest.raises(LogInRefusedError):
        accounts.log_in(ledger, site().id, "firm", "right", NOW)


def test_it_is_all_or_nothing(ledger, tmp_path: Path) -> None:
    text = (
        "people:\n"
        "- {username: zhou, name: 周明, role: officer}\n"
        "- {username: admin, name: 管理员, role: officer}\n"
    )
    with pytest.raises(ConflictError, match="last admin"):
        bring_in(ledger, tmp_path / "people.yaml", text)
    nobody = Actor(username="x", role=Role.ENGINEERING_MANAGER)
    with pytest.raises(ForbiddenError):
        bring_in(ledger, tmp_path / "people.yaml", "people: []", actor=nobody)
    with ledger.read(site().id) as view:
        assert [one.username for one in people.everybody(view)] == ["admin"]
