"""Files of maintenance plans: every mistake with its line and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.files.documents import salvage
from gateway.site import files as site_file
from rules.book_folders import folders_of
from rules.plans.plan import Per, SinceLast
from rules.plans.plan_checks import Known
from rules.plans.plan_document import PlanDocument
from rules.plans.plan_files import PlanFiles
from rules.rulebook import classes_of, load_rulebook

DEMO = Path(__file__).parents[2] / "deploy/demo/site.yaml"
PLAN = """\
plan: oil
name: {zh: 加油, en: Oil}
category: water_supply
scope: {per: equipment, classes: [pump]}
trigger: {after: 12 months, counters: [{point: run_hours, every: 2000}]}
allowed: 7d
source: "[NV]"
steps:
  - {name: {zh: 加油, en: Oil it}, source: "[NV]"}
"""


@pytest.fixture(scope="module")
def known() -> Known:
    site = site_file.load(DEMO)
    categories = ("water_supply", "lift")
    return Known(
        classes=classes_of(site),
        areas=site.areas,
        equipment=site.equipment,
        categories=categories,
    )


def faults(tmp_path: Path, known: Known, said: str) -> list[str]:
    """As ``dutyroom check`` tells them, from the line on."""
    path = tmp_path / "oil.yaml"
    path.write_text(said, encoding="utf-8")
    parsed, problems = salvage(path, PlanDocument)
    taken = [] if parsed is None else PlanFiles().take(parsed, known)
    return [str(one).partition("oil.yaml:")[2] for one in (*problems, *taken)]


def test_a_plan_of_the_site_is_read_beside_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans/oil.yaml").write_text(PLAN, encoding="utf-8")
    book = load_rulebook(site_file.load(DEMO), folders_of(tmp_path))
    assert {"oil", "lift-half-monthly", "tank-cleaning"} <= book.plans.keys()
    oil = book.plans["oil"]
    assert oil.scope.per is Per.EQUIPMENT
    assert isinstance(oil.trigger, SinceLast)
    assert oil.goals[0].most_per_day == 24, "hours have so many a day"


def test_every_step_of_a_shipped_plan_has_a_source() -> None:
    book = load_rulebook(site_file.load(DEMO))
    unsaid = [p.id for p in book.plans.values() for s in (*p.steps, p) if not s.source.zh.strip()]
    assert unsaid == []
    tank = book.plans["tank-cleaning"]
    assert tank.advance is not None
    assert tank.advance.days == 3


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("category: water_supply", "category: watr_supply", "3: category: there is no category"),
        ("classes: [pump]", "classes: [pupm]", "4: scope.classes.0: there is no class 'pupm'"),
        ("classes: [pump]", "equipment: [pump-9]", "4: scope.equipment.0: there is no equipment"),
        ("per: equipment, classes: [pump]", "per: area", "scope: names no area"),
        ("per: equipment", "per: area", "4: scope.per: counters belong to equipment"),
        ("run_hours", "run_hour", "point: no pump has a point 'run_hour'"),
        ("run_hours", "counted_starts", "most_per_day: is missing; say how much it can grow"),
        ("run_hours", "running", "point: 'running' is no counter"),
        ("after: 12 months", "after: 12 mnths", "5: trigger.after: an interval is written 15d"),
        ("after: 12 months", "every: 15d", "a plan goes by schedule or from the last time on"),
        ("{after: 12 months, counters: [{point: run_hours, every: 2000}]}", "{every: 15d}",
         "trigger.anchor: is missing"),
        ("{after: 12 months, counters: [{point: run_hours, every: 2000}]}", "{}",
         "5: trigger: says nothing that makes it due"),
        ("{after: 12 months, counters: [{point: run_hours, every: 2000}]}",
         '{rrule: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", anchor: 2026-01-01}',
         "trigger.rrule: has no day in 10 years"),
        ("{after: 12 months, counters: [{point: run_hours, every: 2000}]}",
         '{rrule: "FREQ=HOURLY", anchor: 2026-01-01}', "FREQ is not one of"),
        ("{after: 12 months, counters: [{point: run_hours, every: 2000}]}",
         "{every: 15d, anchor: soon}", "trigger.anchor: a day is written 2026-01-31"),
        ("allowed: 7d", "allowed: 365d", "6: allowed: 365d is no less than the interval"),
        ("allowed: 7d", "allowed: 7", "6: allowed: a number of days is written"),
        ('source: "[NV]"\nsteps', "steps", "source: is missing"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_the_mend(
    tmp_path: Path, known: Known, old: str, new: str, told: str
) -> None:
    assert old in PLAN
    found = faults(tmp_path, known, PLAN.replace(old, new))
    assert found, "it is taken"
    assert any(told in one for one in found), found
