"""Rules of a file that compare something else than a reading; levels, hours, tags, an end."""

from __future__ import annotations

from pathlib import Path

import pytest
from duty_room import equipment, site

from gateway.files.documents import ConfigurationError
from gateway.model.moment import HOUR, MINUTE, SECOND
from gateway.model.point import PointKind
from rules.measures import (
    Absent,
    AgainstTwin,
    Calculated,
    Comparison,
    Count,
    Hours,
    NoData,
    Outside,
    Rate,
    Unchanged,
)
from rules.rule import Gate, Priority, Rule
from rules.rulebook import load_rulebook

CATEGORIES = "categories:\n  lighting: {zh: 公共照明, en: Public lighting}\n"
RULE = """\
class: lamp
rules:
  - id: dark
    name: {zh: 灯灭, en: Dark}
    point: power
    condition: {below: 2}
    for: 10s
    clear_after: 5s
    priority: minor
    cause_key: lamp-dead
    guidance: {zh: [看], en: [look]}
    order: {category: lighting, complete_within: 2h, close_after: 30m}
    source: "[site setting]"
"""
THING = equipment(
    "lamp-1",
    "lamp",
    power=PointKind.NUMBER,
    output=PointKind.FLAG,
    lux=PointKind.NUMBER,
    motor_temperature=PointKind.NUMBER,
)


def book(folder: Path, rule: str) -> Path:
    (folder / "alarms").mkdir(exist_ok=True)
    (folder / "categories.yaml").write_text(CATEGORIES)
    (folder / "alarms" / "lamp.yaml").write_text(rule)
    return folder


def with_condition(condition: str, more: str = "") -> str:
    text = RULE.replace("condition: {below: 2}", f"condition: {condition}")
    return text.replace("    for:", f"{more}    for:") if more else text


def read(folder: Path, rule: str) -> dict[str, Rule]:
    return dict(load_rulebook(site(THING), [book(folder, rule)]).rules)


def problems(folder: Path, rule: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_rulebook(site(THING), [book(folder, rule)])
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("condition", "measure"),
    [
        ("{rate: {per: min, over: 10m}, above: 2}", Rate(per=MINUTE, over=10 * MINUTE)),
        (
            "{outside: {low: 198, high: 235.4, over: 1h}, above: 20}",
            Outside(low=198, high=235.4, over=HOUR),
        ),
        (
            "{count: {equals: 1, over: 1h}, above: 6}",
            Count(comparison=Comparison.EQUALS, value=1, over=HOUR),
        ),
        ("{count: {over: 1h}, above: 6}", Count(comparison=None, value=0, over=HOUR)),
        ("{unchanged: 0.1}", Unchanged(by=0.1)),
        ("{no_data: true}", NoData()),
        (
            "{above: 5, absent: {point: output, equals: 1}}",
            Absent(
                comparison=Comparison.ABOVE,
                value=5,
                point="output",
                expected=Comparison.EQUALS,
                expected_value=1,
            ),
        ),
    ],
)
def test_each_measure_as_it_is_read(tmp_path: Path, condition: str, measure: object) -> None:
    text = with_condition(condition).replace("for: 10s", "for: 2m")
    assert read(tmp_path, text)["dark"].condition.measure == measure


@pytest.mark.parametrize(
    ("condition", "formula", "limit"),
    [
        ("{difference: lux, above: 5, deadband: 1}", "power - lux", 5.0),
        ("{distance: lux, above: 5}", "abs(power - lux)", 5.0),
        ("{expression: power < 2 and not output}", "power < 2 and not output", None),
        ("{expression: power * 2, above: 7, unit: W}", "power * 2", 7.0),
        ("{difference: twin.power, above: 5}", "power - twin.power", 5.0),
        ("{distance: twin.power, above: 5}", "abs(power - twin.power)", 5.0),
        ("{expression: power < 2 and twin.output}", "power < 2 and twin.output", None),
    ],
)
def test_each_formula_as_it_is_read(
    tmp_path: Path, condition: str, formula: str, limit: float | None
) -> None:
    rule = read(tmp_path, with_condition(condition))["dark"]
    measure = rule.condition.measure
    assert isinstance(measure, Calculated)
    assert (measure.formula.text, rule.limit) == (formula, limit)
    assert isinstance(measure, AgainstTwin) == ("twin" in formula)


@pytest.mark.parametrize(
    ("condition", "line", "told"),
    [
        ("{rate: {per: min, over: 10m}}", 6, "condition: a condition has exactly one of above"),
        ("{unchanged: 0, above: 3}", 6, "condition.above: above does not fit unchanged"),
        ("{unchanged: 0, no_data: true}", 6, "one condition compares one thing"),
        ("{expression: power < 2 and not outptu}", 6, "no lamp has a point 'outptu'; did you mean"),
        ("{expression: power <}", 6, "condition.expression: cannot be read: invalid syntax"),
        ("{expression: 'power.__class__ > 1'}", 6, "is nothing that a formula may hold"),
        ("{expression: power and output}", 6, "power is no flag and says neither yes nor no"),
        ("{expression: power + motor_temperature > 2}", 6, "joins units 'W' and '℃'"),
        ("{expression: lux > 2}", 6, "is not about power, which its alarms show; name as point"),
        ("{expression: 1 > 2}", 6, "names no point"),
        ("{expression: power > 2, above: 3}", 6, "above does not fit expression"),
        ("{difference: motor_temperature, above: 2}", 6, "joins units"),
        ("{difference: luxx, above: 2}", 6, "no lamp has a point 'luxx'"),
        ("{difference: twin.luxx, above: 2}", 6, "no lamp has a point 'luxx'; did you mean 'lux'"),
        ("{distance: twin.motor_temperature, above: 2}", 6, "joins units"),
        ("{difference: twins.power, above: 2}", 6, "condition.difference: string should match"),
        ("{expression: power < 2 and twin.lux}", 6, "twin.lux is no flag"),
        ("{expression: other.power < 2}", 6, "is nothing that a formula may hold"),
        ("{rate: {per: min, over: 2s}, above: 2}", 7, "10s is longer than the window of 2s"),
        ("{count: {equals: 1, over: 1h}, below: 6}", 6, "a count is an alarm above a limit"),
        ("{count: {equals: 1, over: 1h}, above: 600}", 6, "more than is remembered"),
        ("{count: {over: 1h}, above: 3, deadband: 4}", 6, "the alarm would never clear"),
        ("{outside: {low: 5, high: 5, over: 1h}, above: 3}", 6, "is no band"),
        ("{outside: {low: 5, over: 1h}, above: 100}", 6, "100 % is never passed"),
        ("{no_data: false}", 6, "condition.no_data: input should be True"),
        ("{above: 5, absent: {point: output, equals: 7, above: 3}}", 6, "has exactly one of"),
        ("{above: 5, absent: {point: nothing, equals: 1}}", 6, "no lamp has a point 'nothing'"),
    ],
)
def test_a_condition_that_is_none_is_told_with_its_line_and_its_mend(
    tmp_path: Path, condition: str, line: int, told: str
) -> None:
    found = problems(tmp_path, with_condition(condition))
    assert any(one.startswith(f"alarms/lamp.yaml:{line}: ") and told in one for one in found), found
    assert all("; " in one for one in found)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("    explained_by: [suply]\n", "explained_by"),
        ("    levels: [{limit: 3, priority: major}]\n", "3 is not beyond 2, the level before"),
        ("    levels: [{limit: 1, priority: minor}]\n", "minor is no more urgent than minor"),
        ("    hours: {from: '08:00', to: '08:00'}\n", "is the whole day"),
        ("    hours: {from: '8:00', to: '18:00'}\n", "hours.from"),
        ("    clear: {below: 1}\n", "the alarm would end by what begins it"),
        ("    clear: {point: outputs, equals: 1}\n", "no lamp has a point 'outputs'"),
        ("    clear: {}\n", "has exactly one of above"),
        (
            "    while: {point: twin.output, equals: 1}\n",
            "dark.while.point: is about the twin, and the condition does not compare with it; use "
            "output, or compare with twin.power",
        ),
        ("    while: {point: twin.outputs, equals: 1}\n", "no lamp has a point 'outputs'"),
        ("    life_safety: true\n    explained_by: [link]\n", "is never a mere effect of another"),
    ],
)
def test_what_goes_around_a_condition_is_checked_too(tmp_path: Path, more: str, told: str) -> None:
    found = problems(tmp_path, with_condition("{below: 2}", more))
    assert any(told in one for one in found), found


@pytest.mark.parametrize(
    ("condition", "old", "new", "told"),
    [
        ("{no_data: true}", "for: 10s", "for: 2s", "dark.for: 2s is too short for no_data"),
        ("{unchanged: 0}", "clear_after: 5s", "clear_after: 1m", "counts as unchanged again"),
        ("{count: {over: 1m}, above: 3}", "clear_after: 5s", "clear_after: 2m", "longer than"),
    ],
)
def test_times_that_do_not_go_together_are_told(
    tmp_path: Path, condition: str, old: str, new: str, told: str
) -> None:
    found = problems(tmp_path, with_condition(condition).replace(old, new))
    assert any(told in one for one in found), found


def test_fire_is_explained_by_nothing(tmp_path: Path) -> None:
    detector = equipment("smoke-1", "fire_detector", power=PointKind.NUMBER)
    rule = with_condition("{below: 2}", "    explained_by: [link]\n")
    rule = rule.replace("class: lamp", "class: fire_detector").replace("minor", "critical")
    book(tmp_path, rule)
    (tmp_path / "alarms" / "lamp.yaml").rename(tmp_path / "alarms" / "fire_detector.yaml")
    with pytest.raises(ConfigurationError, match="an alarm of fire or entrapment is never"):
        load_rulebook(site(detector), [tmp_path])


def test_levels_become_rules_of_their_own_each_outranked_by_the_next(tmp_path: Path) -> None:
    more = (
        "    levels:\n"
        "      - {limit: 1, priority: major, for: 3s}\n"
        "      - {limit: 0.5, priority: critical, name: {zh: 全灭, en: Out}}\n"
    )
    rules = read(tmp_path, with_condition("{below: 2, deadband: 1}", more))
    assert list(rules) == ["dark", "dark-2", "dark-3"]
    assert [rule.outranked_by for rule in rules.values()] == ["dark-2", "dark-3", None]
    assert [rule.limit for rule in rules.values()] == [2, 1, 0.5]
    assert [rule.condition.deadband for rule in rules.values()] == [1, 1, 1]
    assert [rule.delay for rule in rules.values()] == [10 * SECOND, 3 * SECOND, 3 * SECOND]
    assert [rule.priority for rule in rules.values()] == [
        Priority.MINOR,
        Priority.MAJOR,
        Priority.CRITICAL,
    ]
    assert {rule.cause_key for rule in rules.values()} == {"lamp-dead"}
    assert rules["dark-2"].name.en == "Dark (level 2)"
    assert rules["dark-3"].name.en == "Out"


def test_a_level_takes_no_id_that_another_rule_has(tmp_path: Path) -> None:
    more = "    levels: [{limit: 1, priority: major}]\n"
    text = with_condition("{below: 2}", more)
    twin = RULE.partition("rules:\n")[2].replace("id: dark", "id: dark-2")
    found = problems(tmp_path, text + twin)
    assert any("is also the id of a rule" in one for one in found)


def test_tags_hours_latch_and_end_as_they_are_read(tmp_path: Path) -> None:
    more = (
        "    explains: [supply]\n    explained_by: [supply, link]\n    latch: true\n"
        "    hours: {from: '22:00', to: '06:00', days: [fri, sat]}\n    clear: {above: 5}\n"
    )
    rule = read(tmp_path, with_condition("{below: 2}", more))["dark"]
    assert (rule.explains, rule.explained_by) == ({"supply"}, {"supply", "link"})
    assert rule.latches
    assert not rule.life_safety
    assert rule.hours == Hours(begin=1320, end=360, days=frozenset({4, 5}))
    assert rule.clear == Gate(point="power", comparison=Comparison.ABOVE, limit=5)
    loaded = load_rulebook(site(THING), [tmp_path])
    assert str(loaded.zone) == "Asia/Shanghai", "the hours are those of the site"
