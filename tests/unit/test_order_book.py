"""Time limits, escalation and codes from files: the first row that fits decides, and what can
never be meant is refused with file, line and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.files.documents import salvage
from gateway.files.fields import Words
from gateway.model.moment import HOUR, MINUTE, SECOND
from rules.book_folders import SHIPPED
from rules.order_files import OrderFiles, read_order_book
from rules.orders.clock import CalendarKind, ClockName
from rules.orders.escalation import LADDER, Step
from rules.orders.limits import CountedFrom
from rules.people.roles import Role
from rules.priority import Priority
from rules.rulebook_document import CategoriesDocument

CATEGORIES = {"lift": Words(zh="电梯", en="Lifts"), "fire": Words(zh="消防", en="Fire")}

CAUSES = ("entrapment", "fire-alarm")

LIMIT = "{within: 3m, source: here}"


def read(folder: Path, **files: str) -> OrderFiles:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return read_order_book([folder], CATEGORIES, CAUSES)


def complaints(folder: Path, **files: str) -> list[str]:
    """``line: name: what``"""
    return [f"{p.line}: {p.name}: {p.wrong}" for p in read(folder, **files).problems]


def shipped() -> OrderFiles:
    parsed, _ = salvage(SHIPPED / "categories.yaml", CategoriesDocument)
    assert parsed is not None
    return read_order_book([SHIPPED], parsed.content.categories)


def test_the_shipped_files_are_right_and_say_what_the_sources_say() -> None:
    found = shipped()
    assert list(found.problems) == []
    limits = found.book.time_limits

    def within(category: str, cause: str, name: ClockName) -> int:
        return limits.of(category, cause, Priority.CRITICAL)[name].within

    assert within("lift", "entrapment", ClockName.ARRIVE) == 30 * MINUTE
    assert within("fire", "fire-alarm", ClockName.ARRIVE) == 2 * MINUTE
    assert within("water_supply", "flooding", ClockName.ARRIVE) == 3 * MINUTE
    table = limits.of("lighting", "x", Priority.MINOR)[ClockName.COMPLETE]
    assert (table.counted_from, table.calendar) == (
        CountedFrom.ACCEPTED,
        CalendarKind.WORKING_TIME,
    )
    plan = found.book.escalation.of("lift", "entrapment", Priority.CRITICAL)
    assert plan is not None
    assert [(step.after, step.to) for step in plan.of(ClockName.RESPOND)] == [
        (MINUTE, Role.FOREMAN),
        (3 * MINUTE, Role.ENGINEERING_MANAGER),
        (5 * MINUTE, Role.PROJECT_MANAGER),
    ]


def test_every_priority_that_has_orders_has_limits_and_somebody_higher() -> None:
    book = shipped().book
    for priority in (Priority.CRITICAL, Priority.MAJOR, Priority.MINOR):
        assert set(book.time_limits.of("lighting", "x", priority)) >= {
            ClockName.RESPOND,
            ClockName.COMPLETE,
        }
        plan = book.escalation.of("lighting", "x", priority)
        assert plan is not None
        assert plan.of(ClockName.COMPLETE)


def test_the_first_row_that_fits_and_has_the_clock_decides(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        time_limits=f"""
limits:
  - category: fire
    respond: {{within: 1m, source: here}}
  - respond: {LIMIT}
    complete: {{within: 2h, from: accepted, source: here}}
""",
    )
    assert list(found.problems) == []
    limits = found.book.time_limits.of("fire", "x", Priority.MAJOR)
    assert {name: limit.within for name, limit in limits.items()} == {
        ClockName.RESPOND: MINUTE,
        ClockName.COMPLETE: 2 * HOUR,
    }


def test_no_files_say_nothing(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert list(found.problems) == []
    assert found.book.time_limits.of("fire", "x", Priority.CRITICAL) == {}
    assert found.book.escalation.of("fire", "x", Priority.CRITICAL) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("limits: []", "1: limits: "),
        (
            "limits:\n  - category: lifts\n    respond: " + LIMIT,
            "2: limits.0.category: there is no",
        ),
        (
            "limits:\n  - cause_key: entrapmant\n    respond: " + LIMIT,
            "2: limits.0.cause_key: no rule has the cause 'entrapmant'",
        ),
        ("limits:\n  - category: lift", "2: limits.0: has no limit"),
        (
            "limits:\n  - respond: {within: 1m, from: accepted, source: x}",
            "2: limits.0.respond.from: ends with the acceptance",
        ),
        (
            f"limits:\n  - respond: {LIMIT}\n  - category: lift\n    respond: {LIMIT}",
            "3: limits.1: is never reached",
        ),
        ("limits:\n  - respond: {within: -1m, source: x}", "2: limits.0.respond.within"),
        ("limits:\n  - respnd: {within: 1m, source: x}", "2: limits.0.respnd"),
    ],
)
def test_time_limits_that_cannot_be_are_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (problem, *_) = complaints(tmp_path, time_limits=text)
    assert problem.startswith(complaint)


def plan(*steps: str) -> str:
    return "plans:\n  - source: here\n    steps:\n" + "".join(
        f"      - {{{step}}}\n" for step in steps
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            plan(
                "clock: complete, after: 1m, to: foreman",
                "clock: complete, after: 2m, to: engineering_manager",
                "clock: complete, after: 3m, to: foreman",
            ),
            "6: plans.0.steps.2: goes round in a circle: foreman comes after engineering_manager",
        ),
        (
            plan(
                "clock: complete, at: '0', to: project_manager",
                "clock: complete, at: +1h, to: foreman",
            ),
            "5: plans.0.steps.1: goes down",
        ),
        (
            plan(
                "clock: complete, after: 5m, to: foreman",
                "clock: complete, after: 1m, to: engineering_manager",
            ),
            "5: plans.0.steps.1: is earlier",
        ),
        (
            plan(
                "clock: complete, at: '0', to: foreman",
                "clock: complete, at: '-50%', to: engineering_manager",
            ),
            "5: plans.0.steps.1: is earlier",
        ),
        (plan("clock: complete, after: 1m, to: plumber"), "4: plans.0.steps.0.to"),
        (
            plan("clock: complete, after: 1m, to: officer"),
            "4: plans.0.steps.0.to: officer is nobody to escalate to",
        ),
        (plan("clock: complete, to: foreman"), "4: plans.0.steps.0: has exactly one of"),
        (plan("clock: complete, at: soon, to: foreman"), "4: plans.0.steps.0.at"),
        ("plans:\n  - source: here\n    steps: []", "3: plans.0.steps"),
        (
            plan("clock: arrive, at: '0', to: foreman"),
            "4: plans.0.steps.0.clock: no order of this plan has a limit to arrive",
        ),
        (
            plan("clock: complete, at: '0', to: foreman")
            + "  - category: lift\n    source: here\n    steps:\n"
            "      - {clock: complete, at: '0', to: foreman}\n",
            "5: plans.1: is never reached",
        ),
    ],
)
def test_escalation_that_cannot_be_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    limits = f"limits:\n  - complete: {LIMIT}"
    (problem, *_) = complaints(tmp_path, time_limits=limits, escalation=text)
    assert problem.startswith(complaint)


def test_every_problem_has_a_mend(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        time_limits="limits:\n  - category: lifts\n    respond: " + LIMIT,
        escalation=plan("clock: arrive, at: '0', to: officer"),
        order_codes="causes: {}\nremedies: {a: {zh: 甲, en: A}}",
    )
    assert {Path(problem.file).name for problem in found.problems} == {
        "time_limits.yaml",
        "escalation.yaml",
        "order_codes.yaml",
    }
    assert all(problem.mend for problem in found.problems)
    assert found.book.causes == {}


def test_a_step_knows_how_much_the_clock_has_counted_by_then() -> None:
    def step(**when: int) -> Step:
        return Step(clock=ClockName.COMPLETE, to=Role.FOREMAN, **when)

    assert step(after=30 * SECOND).counted(2 * HOUR) == 30 * SECOND
    assert step(share=25).counted(2 * HOUR) == 90 * MINUTE
    assert step(past=0).counted(2 * HOUR) == 2 * HOUR
    assert step(past=15 * MINUTE).counted(2 * HOUR) == 135 * MINUTE


def test_the_ladder_goes_up() -> None:
    assert [role.value for role in LADDER] == [
        "technician",
        "foreman",
        "engineering_manager",
        "project_manager",
    ]
