"""Rule tests: the notation, the files, and that every shipped rule has one that passes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import isnan
from pathlib import Path

import pytest

from gateway.model.equipment import Site
from gateway.model.moment import MINUTE, SECOND
from gateway.model.quality import Quality
from gateway.site import files as site_file
from rules.book_folders import SHIPPED
from rules.measures import Hours
from rules.rule import Rulebook
from rules.rule_tests.files import RuleTests, read_tests
from rules.rule_tests.notation import NotationError, parse
from rules.rule_tests.run import failures, untested
from rules.rulebook import classes_of, load_rulebook

DEMO = Path("deploy/demo/site.yaml")

GOOD = """
class: pump
interval: 10s
tests:
  - id: hot
    series: {motor_temperature: 40x3 80x9 70}
    expect:
      - {at: 30s, rule: motor-temperature-high, state: none}
      - {at: 40s, rule: motor-temperature-high, state: raised}
      - {at: 130s, rule: motor-temperature-high, state: raised}
      - {at: 140s, rule: motor-temperature-high, state: cleared}
"""


@cache
def demo() -> tuple[Site, Rulebook]:
    site = site_file.load(DEMO)
    return site, load_rulebook(site)


@cache
def shipped() -> RuleTests:
    return read([SHIPPED])


def read(folders: list[Path]) -> RuleTests:
    site, rulebook = demo()
    return read_tests(rulebook, classes_of(site), site_file.profiles_of(site), folders)


def own(folder: Path, text: str) -> RuleTests:
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "mine.yaml").write_text(text)
    return read([folder])


def told(folder: Path, text: str) -> list[str]:
    return [str(problem).removeprefix(f"{folder}/tests/") for problem in own(folder, text).problems]


# -- the shipped ones -----------------------------------------------------------------------------


def test_every_shipped_rule_is_made_to_raise_and_seen_silent():
    assert not untested(shipped().tests, demo()[1])


def test_the_shipped_tests_come_out_as_they_say():
    assert not shipped().problems
    assert [str(problem) for problem in failures(shipped().tests, demo()[1])] == []


# -- the notation ---------------------------------------------------------------------------------


def test_a_line_holds_runs_ramps_words_and_doubts():
    line = parse("40x2 70..90x3 120? missing x2 5 stale bad -1.5", 10 * SECOND)
    values = [None if one is None else (one.value, one.quality) for one in line]
    good = Quality.GOOD
    surely = [(one, good) for one in (40, 40, 70, 80, 90)]
    assert values[:9] == [*surely, (120, Quality.UNCERTAIN), None, None, (5, good)]
    assert values[9] == (5, Quality.STALE)
    assert isnan(values[10][0]) and values[10][1] is Quality.BAD
    assert values[11] == (-1.5, good)


def test_several_items_may_be_repeated_together():
    line = parse("5 (0 1x2)x3 7", 10 * SECOND)
    assert [one.value for one in line if one] == [5, 0, 1, 1, 0, 1, 1, 0, 1, 1, 7]


def test_a_run_may_be_said_as_a_time():
    assert len(parse("40x10m 41", MINUTE)) == 11


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "holds no reading"),
        ("warm", "'warm' is no reading"),
        ("40x0", "x0 is 0 readings"),
        ("40x15s", "x15s is no whole number of intervals of 10s"),
        ("40xsoon", "xsoon says neither how often nor how long"),
        ("70..90", "'70..90' is a ramp of one reading"),
        ("40x99999", "x99999 is 99999 readings"),
        ("40x15000 41x15000", "has more than 20000 readings"),
        ("(0 1)x20000", "has more than 20000 readings"),
        ("(0 1", "'(0' is no reading"),
    ],
)
def test_what_is_no_line_is_told_with_its_mend(text: str, wrong: str):
    with pytest.raises(NotationError) as error:
        parse(text, 10 * SECOND)
    assert str(error.value) == wrong
    assert error.value.mend


# -- the files ------------------------------------------------------------------------------------


def test_a_test_that_comes_out_right_is_silent(tmp_path: Path):
    found = own(tmp_path, GOOD)
    assert not found.problems
    assert not failures(found.tests, demo()[1])


def test_a_test_that_comes_out_wrong_says_where_what_and_when(tmp_path: Path):
    found = own(tmp_path, GOOD.replace("at: 40s", "at: 30s").replace("{at: 30s,", "{at: 20s,", 1))
    [problem] = failures(found.tests, demo()[1])
    assert str(problem) == (
        f"{tmp_path}/tests/mine.yaml:9: tests.hot.expect.1: at 30s motor-temperature-high is none,"
        " not raised; mend the rule or the test: it is raised at 40s, is cleared at 140s"
    )


def test_no_data_raises_nothing_and_clears_nothing(tmp_path: Path):
    text = GOOD.replace("80x9 70", "80x3 missing x30 bad x30 stale x30")
    text = text.replace("at: 130s", "at: 10m").replace(
        "{at: 140s, rule: motor-temperature-high, state: cleared}",
        "{at: 12m, rule: motor-temperature-high, state: raised}",
    )
    assert not failures(own(tmp_path, text).tests, demo()[1])


def test_tests_side_by_side_do_not_see_each_other(tmp_path: Path):
    quiet = """
  - id: cold
    series: {motor_temperature: 40}
    expect: [{at: 5m, rule: motor-temperature-high, state: none}]
  - id: silent
    series: {motor_temperature: missing}
    expect: [{at: 5m, rule: motor-temperature-high, state: none}]
"""
    found = own(tmp_path, GOOD + quiet)
    assert len(found.tests) == 3
    assert not failures(found.tests, demo()[1])


def test_a_test_begins_at_the_time_of_day_that_it_says(tmp_path: Path):
    hours = Hours(begin=22 * 60, end=6 * 60)
    site, rulebook = demo()
    night = replace(rulebook.rules["motor-temperature-high"], hours=hours)
    book = replace(rulebook, rules={**rulebook.rules, night.id: night})
    text = GOOD.replace("series:", 'starts: "22:30"\n    series:')
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "mine.yaml").write_text(text)
    profiles = site_file.profiles_of(site)
    found = read_tests(book, classes_of(site), profiles, [tmp_path])
    assert not found.problems
    assert not failures(found.tests, book)
    (tmp_path / "tests" / "mine.yaml").write_text(GOOD)
    found = read_tests(book, classes_of(site), profiles, [tmp_path])
    assert failures(found.tests, book), "at eleven in the morning it does not hold"


def test_a_second_equipment_has_a_line_of_its_own(tmp_path: Path):
    other = """
    others: {room: {class: pump_room, series: {humidity: 50}}}
    expect:
      - {at: 5m, equipment: room, rule: pump-room-humidity-high, state: none}
"""
    text = GOOD.replace("\n    expect:\n", other, 1)
    rule = next(r.id for r in demo()[1].of_class("pump_room") if r.point == "humidity")
    found = own(tmp_path, text.replace("pump-room-humidity-high", rule))
    assert not found.problems
    assert not failures(found.tests, demo()[1])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "class: pump",
            "class: pomp",
            "mine.yaml:2: class: there is no class 'pomp'; did you mean 'pump'?",
        ),
        (
            "motor_temperature: 40x3",
            "motor_temprature: 40x3",
            "mine.yaml:6: tests.hot.series.motor_temprature: no pump has a point"
            " 'motor_temprature'; did you mean 'motor_temperature'?",
        ),
        (
            "80x9",
            "80*9",
            "mine.yaml:6: tests.hot.series.motor_temperature: '80*9' is no reading; write items"
            " such as 40, 40x10, 40x10m, 70..90x5, (0 1)x6, 120?, missing x3, stale, bad",
        ),
        (
            "at: 30s, rule: motor-temperature-high",
            "at: 30s, rule: motor-temperature-hihg",
            "mine.yaml:8: tests.hot.expect.0.rule: there is no rule 'motor-temperature-hihg';"
            " did you mean 'motor-temperature-high'?",
        ),
        (
            "at: 30s, rule: motor-temperature-high",
            "at: 30s, rule: bearing-vibration-high",
            "mine.yaml:8: tests.hot.expect.0.rule: bearing-vibration-high is a rule for bearing,"
            " not for pump; name a rule of the class",
        ),
        (
            "at: 30s",
            "at: 35s",
            "mine.yaml:8: tests.hot.expect.0.at: 35s is between two readings;"
            " use a multiple of the interval, 10s",
        ),
        (
            "40x3 80x9 70",
            "0x10",
            "mine.yaml:6: tests.hot.series.motor_temperature: 0x… alone is a number of base 16;"
            ' write it in quotes, "0x10", or 0',
        ),
        (
            "state: cleared",
            "state: gone",
            "mine.yaml:11: tests.hot.expect.3.state: input should be 'raised', 'none' or"
            " 'cleared' (found 'gone'); use 'raised', 'none' or 'cleared'",
        ),
        (
            "series:",
            "profile: eastron-sdm120\n    series:",
            "mine.yaml:6: tests.hot.profile: eastron-sdm120 is no pump but a single_phase_meter;"
            " name a profile of the class",
        ),
    ],
)
def test_a_mistake_is_told_with_line_field_and_mend(tmp_path: Path, old: str, new: str, said: str):
    assert said in told(tmp_path, GOOD.replace(old, new, 1))


def test_a_rule_that_is_not_judged_on_the_equipment_is_told(tmp_path: Path):
    text = GOOD.replace("series:", "profile: grundfos-ciu-pump\n    series:")
    text = text.replace("motor_temperature: 40x3 80x9 70", "fault: 0")
    found = own(tmp_path, text)
    wrong = {problem.wrong for problem in failures(found.tests, demo()[1])}
    assert wrong <= {
        "motor-temperature-high is not judged on it: a point that it needs is missing",
        "at 40s motor-temperature-high is none, not raised",
        "at 130s motor-temperature-high is none, not raised",
        "at 140s motor-temperature-high is none, not cleared",
    }


def test_a_rule_about_the_twin_needs_a_series_of_it(tmp_path: Path):
    text = """\
class: pump
tests:
  - id: alone
    series: {motor_temperature: 40, running: 1}
    expect: [{at: 30s, rule: motor-hotter-than-twin, state: none}]
"""
    [problem] = failures(own(tmp_path, text).tests, demo()[1])
    assert "is not judged on it: a point that it needs is missing" in problem.wrong
    assert problem.mend == "give it a twin by a series of one of its points, such as twin.running"
    [wrong] = told(tmp_path, text.replace("running: 1", "twin.runing: 1"))
    assert "series.twin.runing: no pump has a point 'runing'; did you mean 'running'?" in wrong


def test_a_shipped_test_says_nothing_about_a_rule_of_the_sites_own_file(tmp_path: Path):
    site, _ = demo()
    (tmp_path / "alarms").mkdir()
    text = (SHIPPED / "alarms" / "bearing.yaml").read_text().replace("above: 75", "above: 90")
    (tmp_path / "alarms" / "bearing.yaml").write_text(text)
    folders = [tmp_path, SHIPPED]
    changed = load_rulebook(site, folders)
    found = read_tests(changed, classes_of(site), site_file.profiles_of(site), folders)
    assert not failures(found.tests, changed)
    assert {"bearing-temperature-high"} <= set(untested(found.tests, changed))
    assert len(found.tests) < len(shipped().tests)
