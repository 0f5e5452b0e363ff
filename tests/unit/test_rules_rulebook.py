"""The rulebook's files: what is shipped, and how mistakes are told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from duty_room import equipment, site

from gateway.files.documents import ConfigurationError
from gateway.model.moment import HOUR, MINUTE, SECOND
from gateway.model.point import PointKind, Text
from gateway.profile.files import SHIPPED as PROFILES
from gateway.profile.files import load_profiles
from gateway.site.files import load
from rules.book_folders import SHIPPED
from rules.rule import Comparison, Condition, Gate, Priority
from rules.rulebook import classes_of, load_rulebook, rulebook_problems

CATEGORIES = "categories:\n  lighting: {zh: 公共照明, en: Public lighting}\n"
RULE = """\
class: lamp
rules:
  - id: dark
    name: {zh: 灯灭, en: Dark}
    point: power
    condition: {below: 2}
    while: {point: output, equals: 1}
    for: 10s
    clear_after: 20s
    priority: minor
    cause_key: lamp-dead
    guidance: {zh: [看], en: [look]}
    order: {category: lighting, complete_within: 2h, close_after: 30m}
    source: "[site setting]"
"""


def book(folder: Path, rule: str = RULE, categories: str = CATEGORIES) -> Path:
    (folder / "alarms").mkdir(exist_ok=True)
    (folder / "categories.yaml").write_text(categories)
    (folder / "alarms" / "lamp.yaml").write_text(rule)
    return folder


def problems(folder: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_rulebook(site(), [folder])
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_the_shipped_rulebook_fits_the_demo_site() -> None:
    demo = load(Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml")
    rulebook = load_rulebook(demo)
    hot = rulebook.rules["motor-temperature-high"]
    assert hot.condition == Condition(comparison=Comparison.ABOVE, limit=75, deadband=3)
    assert (hot.delay, hot.clear_after) == (10 * SECOND, 20 * SECOND)
    assert hot.order is not None
    assert (hot.priority, hot.order.complete_within) == (Priority.MAJOR, 2 * HOUR)
    assert {rule.equipment_class for rule in rulebook.rules.values()} <= set(classes_of(demo))


def test_every_shipped_rule_has_a_source_and_guidance() -> None:
    for rule in load_rulebook(site(), [SHIPPED]).rules.values():
        assert rule.source.en
        assert len(rule.guidance.zh) == len(rule.guidance.en) > 0


def test_shipped_sources_say_the_same_in_both_languages_and_a_line_of_the_site_stands_in_both(
    tmp_path: Path,
) -> None:
    demo = load(Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml")
    shipped = load_rulebook(demo)
    plans = shipped.plans.values()
    sources = [rule.source for rule in shipped.rules.values()]
    sources += [one.source for plan in plans for one in (plan, *plan.steps)]
    sources += [plan.advance.source for plan in plans if plan.advance is not None]
    marks = {"[site setting]": "[现场设定]", "[NV]": "[未核实]"}
    for said in sources:
        assert said.zh != said.en, "said in one language only"
        assert all(said.en.count(en) == said.zh.count(zh) for en, zh in marks.items()), said
    assert load_rulebook(site(), [book(tmp_path)]).rules["dark"].source == Text(
        zh="[site setting]", en="[site setting]"
    )


def test_a_rule_as_it_is_read(tmp_path: Path) -> None:
    rule = load_rulebook(site(), [book(tmp_path)]).rules["dark"]
    assert rule.equipment_class == "lamp"
    assert rule.condition == Condition(comparison=Comparison.BELOW, limit=2)
    assert rule.gates == (Gate(point="output", comparison=Comparison.EQUALS, limit=1),)
    assert rule.order is not None
    assert rule.order.category_name.zh == "公共照明"
    assert rule.order.close_after == 30 * MINUTE


def test_a_gate_may_be_a_limit(tmp_path: Path) -> None:
    text = RULE.replace("{point: output, equals: 1}", "{point: power, above: 0.5}")
    rule = load_rulebook(site(), [book(tmp_path, text)]).rules["dark"]
    assert rule.gates == (Gate(point="power", comparison=Comparison.ABOVE, limit=0.5),)
    assert rule.test == "power below 2.0 deadband 0.0 while power above 0.5"


def test_several_gates_are_a_list_and_a_mistake_in_it_is_told_by_its_place(tmp_path: Path) -> None:
    several = "while: [{point: output, equals: 1}, {point: power, above: 0.5}]"
    text = RULE.replace("while: {point: output, equals: 1}", several)
    rule = load_rulebook(site(), [book(tmp_path, text)]).rules["dark"]
    assert [gate.point for gate in rule.gates] == ["output", "power"]
    assert rule.test.endswith(" while output equals 1.0 and power above 0.5")
    for old, new, told in (
        ("point: power, above", "point: powr, above", "rules.dark.while.1.point: no lamp has"),
        ("above: 0.5", "abvoe: 0.5", "rules.dark.while.1.abvoe: is not a known key"),
        (several, "while: []", "rules.dark.while: "),
        (several, f"while: [{'{point: output, equals: 1}, ' * 9}]", "rules.dark.while: "),
    ):
        with pytest.raises(ConfigurationError) as caught:
            load_rulebook(site(), [book(tmp_path, text.replace(old, new))])
        assert told in str(caught.value), new


def test_a_class_that_only_a_generic_profile_can_be_installed_as_is_known(tmp_path: Path) -> None:
    text = RULE.replace("class: lamp", "class: sump").replace("point: power", "point: active")
    text = text.replace("    while: {point: output, equals: 1}\n", "").replace(
        "below: 2", "equals: 1"
    )
    folder = book(tmp_path)
    (folder / "alarms" / "lamp.yaml").rename(folder / "alarms" / "sump.yaml")
    (folder / "alarms" / "sump.yaml").write_text(text)
    assert load_rulebook(site(), [folder]).rules["dark"].equipment_class == "sump"


def test_the_fingerprint_changes_with_the_files(tmp_path: Path) -> None:
    first = load_rulebook(site(), [book(tmp_path)]).fingerprint
    assert load_rulebook(site(), [book(tmp_path)]).fingerprint == first
    changed = book(tmp_path, RULE.replace("below: 2", "below: 3"))
    assert load_rulebook(site(), [changed]).fingerprint != first


@pytest.mark.parametrize(
    ("old", "new", "line", "told"),
    [
        ("class: lamp", "class: lmap", 1, "class: there is no class 'lmap'; did you mean 'lamp'?"),
        (
            "point: power",
            "point: powr",
            5,
            "rules.dark.point: no lamp has a point 'powr'; did you mean 'power'?",
        ),
        (
            "{point: output,",
            "{point: outputs,",
            7,
            "rules.dark.while.point: no lamp has a point 'outputs'; did you mean 'output'?",
        ),
        (
            "category: lighting",
            "category: lightning",
            13,
            "rules.dark.order.category: there is no category 'lightning'; did you mean 'lighting'?",
        ),
        ("{below: 2}", "{below: 2, above: 3}", 6, "exactly one of above, below"),
        ("{below: 2}", "{}", 6, "exactly one of above, below"),
        ("{below: 2}", "{equals: 2, deadband: 1}", 6, "a deadband belongs to above or below"),
        ("{below: 2}", "{below: .nan}", 6, "finite"),
        ("output, equals: 1}", "output}", 7, "while: has exactly one of above, below"),
        ("equals: 1}", "equals: 1, above: 0}", 7, "while: has exactly one of above, below"),
        ("for: 10s", "for: 10", 8, "rules.dark.for"),
        ("    for: 10s\n", "", 3, "rules.dark.for: is missing; add it"),
        ("priority: minor", "priority: urgent", 10, "rules.dark.priority"),
        ("priority: minor", "priority: info", 13, "rules.dark.order: does not fit priority info"),
        (
            "    order: {category: lighting, complete_within: 2h, close_after: 30m}\n",
            "",
            3,
            "is missing, but the priority is major",
        ),
        ("cause_key", "cause_kye", 11, "rules.dark.cause_kye: is not a known key"),
        ('"[site setting]"', "{zh: 铭牌}", 14, "rules.dark.source.en: is missing; add it"),
        ('"[site setting]"', "14", 14, "rules.dark.source: "),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_mend(
    tmp_path: Path, old: str, new: str, line: int, told: str
) -> None:
    text = RULE.replace("minor", "major") if "priority is major" in told else RULE
    assert old in text
    found = problems(book(tmp_path, text.replace(old, new)))
    assert any(
        problem.startswith(f"alarms/lamp.yaml:{line}: ") and told in problem for problem in found
    ), found


def test_a_time_limit_for_a_cause_that_no_rule_has_is_told_with_the_mend(tmp_path: Path) -> None:
    """It was taken, and never fitted an order."""
    row = "limits:\n  - cause_key: lamp-deed\n    respond: {within: 3m, source: here}\n"
    (book(tmp_path) / "time_limits.yaml").write_text(row)
    assert problems(tmp_path) == [
        "time_limits.yaml:2: limits.0.cause_key: no rule has the cause 'lamp-deed'; "
        "did you mean 'lamp-dead'?"
    ]
    (tmp_path / "time_limits.yaml").write_text(row.replace("deed", "dead"))
    load_rulebook(site(), [tmp_path])


def test_all_mistakes_of_all_files_come_at_once(tmp_path: Path) -> None:
    book(tmp_path, RULE.replace("point: power", "point: powr").replace("lighting,", "light,"))
    (tmp_path / "alarms" / "pump.yaml").write_text("class: pump\nrulez: []\n")
    (tmp_path / "alarms" / "zulu.yaml").write_text(RULE)
    found = problems(tmp_path)
    assert [problem.split(": ")[1] for problem in found] == [
        "rules.dark.point",
        "rules.dark.order.category",
        "rules",
        "rulez",
        "rules.dark.id",
    ]


def test_a_limit_that_can_never_be_passed_is_a_mistake(tmp_path: Path) -> None:
    demo = load(Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml")
    pump = (SHIPPED / "alarms" / "pump.yaml").read_text()
    categories = (SHIPPED / "categories.yaml").read_text()
    folder = book(tmp_path, pump.replace("above: 75", "above: 75000"), categories)
    with pytest.raises(ConfigurationError, match="75000 is never passed: motor_temperature"):
        load_rulebook(demo, [folder])


@pytest.mark.parametrize(
    ("key", "line"), [("power", 5), ("output", 7)], ids=["its point", "the point of its gate"]
)
def test_a_rule_that_would_be_silent_on_a_piece_of_equipment_is_a_mistake(
    tmp_path: Path, key: str, line: int
) -> None:
    lamps = [
        equipment("lamp-1", "lamp", power=PointKind.NUMBER, output=PointKind.FLAG),
        *(
            replace(lamp, points=tuple(point for point in lamp.points if point.key != key))
            for lamp in (
                equipment(name, "lamp", power=PointKind.NUMBER, output=PointKind.FLAG)
                for name in ("lamp-2", "lamp-3")
            )
        ),
    ]
    with pytest.raises(ConfigurationError) as caught:
        load_rulebook(site(*lamps), [book(tmp_path)])
    (problem,) = caught.value.problems
    assert (Path(problem.file).name, problem.line) == ("lamp.yaml", line)
    assert f"nothing would be judged on lamp-2, lamp-3, without a point '{key}'" in problem.wrong
    optional = RULE.replace("    point: power", "    where_present: true\n    point: power")
    load_rulebook(site(*lamps), [book(tmp_path, optional)])


def test_a_broken_categories_file_is_one_mistake_not_many(tmp_path: Path) -> None:
    found = problems(book(tmp_path, categories="categories: [\n"))
    assert len(found) == 1
    assert found[0].startswith("categories.yaml:")


@pytest.mark.parametrize(
    "stray", ["alarms/pump.yml", "alarm/pump.yaml", "pump.yaml", "alarms/more/pump.yaml"]
)
def test_a_file_of_the_rulebook_folder_that_is_not_read_is_a_mistake(
    tmp_path: Path, stray: str
) -> None:
    book(tmp_path)
    for aside in ("README", "alarms/lamp.yaml~", "alarms/.#lamp.yaml", "alarms/lamp.yaml.swp"):
        (tmp_path / aside).write_text("left alone")
    assert set(load_rulebook(site(), [tmp_path]).rules) == {"dark"}
    (tmp_path / stray).parent.mkdir(exist_ok=True)
    (tmp_path / stray).write_text(RULE)
    (found,) = problems(tmp_path)
    assert found.startswith(f"{stray}:1: document: is not read; name it alarms/<class>.yaml, ")
    assert found.endswith(", or move it out of the folder")


def test_a_wrong_field_of_a_rule_hides_no_other_mistake(tmp_path: Path) -> None:
    rule = (
        RULE.replace("priority: minor", "priority: mayor")
        .replace("point: power", "point: powr")
        .replace("lighting,", "light,")
        .replace("for: 10s", "for: 10")
    )
    found = problems(book(tmp_path, rule))
    assert [problem.split(": ")[1] for problem in found] == [
        "rules.dark.point",
        "rules.dark.for",
        "rules.dark.priority",
        "rules.dark.order.category",
    ]


def test_one_mistake_in_the_only_rule_is_one_problem(tmp_path: Path) -> None:
    assert len(problems(book(tmp_path, RULE.replace("priority: minor", "priority: mayor")))) == 1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{below: 2}", "{below: 2, deadband: 9999}", "condition.deadband: the alarm would never"),
        ("{below: 2}", "{below: 9999}", "condition.below: the alarm would never clear"),
        ("equals: 1}", "equals: 7}", "while.equals: output is never 7; use one of 0, 1"),
        ("{below: 2}", "{equals: -99}", "condition.equals: power is never -99; use -10 to 5000"),
        ("equals: 1}", "above: 1}", "while.above: 1 is never passed: output reports 1 at most"),
    ],
)
def test_a_rule_that_its_device_can_never_fulfil_is_a_mistake(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    demo = load(Path(__file__).parents[2] / "deploy" / "demo" / "site.yaml")
    with pytest.raises(ConfigurationError) as caught:
        # Not every lamp of the site has a power.
        rule = RULE.replace("point: power", "point: power\n    where_present: true")
        load_rulebook(demo, [book(tmp_path, rule.replace(old, new))])
    (found,) = caught.value.problems
    assert told in str(found)


def test_the_rulebook_of_a_wrong_site_is_read_all_the_same(tmp_path: Path) -> None:
    rule = RULE.replace("point: power", "point: powr").replace("for: 10s", "for: 10")
    book(tmp_path, rule, (SHIPPED / "categories.yaml").read_text())
    found = rulebook_problems(tmp_path, load_profiles([PROFILES]))
    assert {problem.name for problem in found} == {"rules.dark.point", "rules.dark.for"}
    unknown = rulebook_problems(tmp_path, None)
    assert {problem.name for problem in unknown} == {"rules.dark.for"}
