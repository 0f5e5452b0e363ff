"""What the documents promise is there, and what is there is documented."""

import re
from pathlib import Path

import pytest

from gateway.files.documents import Document
from gateway.profile import document as profile_document
from gateway.profile.files import SHIPPED, load_profiles
from rules import planned_tests
from rules.alarms import lifecycle as alarm_lifecycle
from rules.commands import lifecycle as command_lifecycle
from rules.inspections import lifecycle as round_lifecycle
from rules.orders import lifecycle as order_lifecycle
from rules.plans import lifecycle as plan_lifecycle

ROOT = Path(__file__).parents[2]
CODE = [
    path
    for folder in ("gateway", "rules", "api", "simulators")
    for path in (ROOT / folder).rglob("*.py")
    if "web" not in path.parts
]
PAGES = [ROOT / "README.md", *sorted((ROOT / "deploy").rglob("*.md"))]


def test_every_setting_is_documented():
    used = {name for path in CODE for name in re.findall(r"\bDUTYROOM_[A-Z_]+\b", path.read_text())}
    running = (ROOT / "deploy/docs/running.md").read_text()
    # Handed from the parent to its children, never set by a person.
    internal = {"DUTYROOM_PARENT_FD"}
    assert {name for name in used - internal if f"`{name}`" not in running} == set()


def test_every_documented_setting_is_used():
    running = (ROOT / "deploy/docs/running.md").read_text()
    text = "\n".join(path.read_text() for path in CODE)
    assert [n for n in set(re.findall(r"`(DUTYROOM_[A-Z_]+)`", running)) if n not in text] == []


def test_the_example_of_an_environment_file_names_every_setting_and_no_other():
    used = {name for path in CODE for name in re.findall(r"\bDUTYROOM_[A-Z_]+\b", path.read_text())}
    example = (ROOT / "deploy/dutyroom.env.example").read_text()
    # The one is handed on by the parent, the other is for tests.
    internal = {"DUTYROOM_PARENT_FD", "DUTYROOM_FAILPOINT"}
    assert set(re.findall(r"^#?(DUTYROOM_[A-Z_]+)=", example, re.M)) == used - internal


def test_the_example_of_an_environment_file_changes_nothing_as_it_is():
    example = (ROOT / "deploy/dutyroom.env.example").read_text()
    assert [line for line in example.splitlines() if line and not line.startswith("#")] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text())
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (page.parent / link).exists()] == []


def test_the_catalogue_of_profiles_is_what_is_shipped():
    page = (ROOT / "deploy/docs/profiles.md").read_text()
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| ([^|]*) \|.*\| (\w+) \|$", page, re.M)
    shipped = set()
    for profile in (file.profile for file in load_profiles([SHIPPED]).values()):
        classes = ", ".join(f"`{name}`" for name in (profile.equipment_class, *profile.generic))
        shipped.add((profile.id, classes, profile.verified))
    assert set(rows) == shipped


def test_every_key_of_a_profile_is_documented():
    page = (ROOT / "deploy/docs/profiles.md").read_text()
    keys = {
        field.alias or name
        for document in vars(profile_document).values()
        if isinstance(document, type) and issubclass(document, Document)
        for name, field in document.model_fields.items()
    } - {"zh", "en"}
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", page))))
    assert keys - words == set()


def test_the_faults_page_lists_all_65_and_names_tests_that_exist():
    rows = re.findall(
        r"^\| (\d+) \|[^|]*\|[^|]*\| (held|in part|not built)[^|]*\|([^|]*)\|$",
        (ROOT / "deploy/docs/faults.md").read_text(),
        re.M,
    )
    assert [int(number) for number, _, _ in rows] == list(range(1, 66))
    for number, state, where in rows:
        named = re.findall(r"`(tests/[^`:]+)(?:::(\w+))?`", where)
        assert (state == "not built") == (not named), f"row {number}"
        for file, test in named:
            assert (ROOT / file).is_file(), f"row {number}: {file}"
            assert not test or f"def {test}(" in (ROOT / file).read_text(), f"row {number}: {test}"


def test_the_clauses_page_names_files_and_tests_that_exist():
    rows = re.findall(
        r"^\| ([A-Z][^|]*) \|[^|]*\|([^|]*)\|([^|]*)\|$",
        (ROOT / "deploy/docs/clauses.md").read_text(),
        re.M,
    )
    assert {f"7.{number}" for number in range(1, 7)} <= {
        clause.split()[-1] for clause, _, _ in rows
    }, "S1 7.1 to 7.6"
    for clause, files, tests in rows:
        named = re.findall(r"`([^`]+)`", files)
        assert named, clause
        assert all((ROOT / file).exists() for file in named), f"{clause}: {files}"
        proofs = re.findall(r"`(tests/[^`:]+)(?:::(\w+))?`", tests)
        assert proofs, clause
        for file, test in proofs:
            assert (ROOT / file).is_file(), f"{clause}: {file}"
            assert not test or f"def {test}(" in (ROOT / file).read_text(), f"{clause}: {test}"


@pytest.mark.parametrize(
    "table",
    [
        *(alarm_lifecycle, order_lifecycle, round_lifecycle, plan_lifecycle),
        *(command_lifecycle, planned_tests),
    ],
    ids=["alarm", "order", "round", "maintenance", "command", "planned test"],
)
def test_the_life_cycles_are_drawn_as_their_tables_say(table):
    page = (ROOT / "deploy/docs/lifecycles.md").read_text()
    steps = [
        f"    {old.value} --> {new.value}: {event.value}"
        for (old, event), new in table.TRANSITIONS.items()
    ]
    assert "\n".join(["```mermaid", "stateDiagram-v2", *steps, "```"]) in page
