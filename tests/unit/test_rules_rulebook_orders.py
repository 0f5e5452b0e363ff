"""What a rule says of its order: what shows that the work is good, and when it is made."""

from __future__ import annotations

from pathlib import Path

import pytest
from duty_room import equipment, site

from gateway.files.documents import ConfigurationError
from gateway.model.point import PointKind
from rules.book_folders import SHIPPED
from rules.measures import Comparison
from rules.order_files import TIME_LIMITS
from rules.order_targets import FILE as TARGETS
from rules.orders.raising import OnReturn, RaisedWhen, Raising
from rules.orders.targets import Indicator
from rules.priority import Priority
from rules.rule import OrderTerms, Rulebook
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
    order: {category: lighting, complete_within: 2h, close_after: 8hMORE}
    source: "[site setting]"
"""
LAMP = equipment("lamp-1", "lamp", power=PointKind.NUMBER, output=PointKind.FLAG)


def load(folder: Path, more: str = "", *, rule: str = RULE, **files: str) -> Rulebook:
    (folder / "alarms").mkdir(exist_ok=True)
    (folder / "categories.yaml").write_text(CATEGORIES)
    (folder / "alarms" / "lamp.yaml").write_text(rule.replace("MORE", more))
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return load_rulebook(site(LAMP), [folder])


def terms(folder: Path, more: str) -> OrderTerms:
    found = load(folder, more).rules["dark"].order
    assert found is not None
    return found


def problems(folder: Path, more: str = "", *, rule: str = RULE, **files: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(folder, more, rule=rule, **files)
    return [str(problem).removeprefix(f"{folder}/") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("said", "cycles"),
    [
        ("{point: output, times: 3}", ("output", Comparison.EQUALS, 1.0, 3)),
        ("{point: power, above: 5, times: 2}", ("power", Comparison.ABOVE, 5.0, 2)),
        ("{counter: power, times: 20}", ("power", None, 1.0, 20)),
    ],
)
def test_how_cycles_are_counted(tmp_path: Path, said: str, cycles: tuple[object, ...]) -> None:
    found = terms(tmp_path, f", cycles: {said}").cycles
    assert found is not None
    assert (found.point, found.comparison, found.limit, found.times) == cycles


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("{point: switch, times: 3}", "no lamp has a point 'switch'"),
        ("{counter: starts, times: 3}", "no lamp has a point 'starts'"),
        ("{times: 3}", "counts exactly one of point and counter"),
        ("{point: output, counter: power, times: 3}", "counts exactly one of point and counter"),
        ("{point: power, times: 3}", "does not say at which value of 'power' a cycle"),
        ("{point: power, above: 5, below: 9, times: 3}", "more than one thing that a cycle is"),
        ("{counter: power, above: 5, times: 3}", "does not fit a counter"),
        ("{counter: output, times: 3}", "'output' is no counter"),
        ("{point: output, times: 0}", "times"),
    ],
)
def test_cycles_that_cannot_be_counted(tmp_path: Path, said: str, complaint: str) -> None:
    (found, *_) = problems(tmp_path, f", cycles: {said}")
    assert found.startswith("alarms/lamp.yaml:12:")
    assert complaint in found


def test_when_an_order_is_made(tmp_path: Path) -> None:
    waits = terms(tmp_path, ", raised: working_time, on_return: keep").raising
    assert waits == Raising(when=RaisedWhen.WORKING_TIME, on_return=OnReturn.KEEP)
    assert terms(tmp_path, ", raised: at_once").raising == Raising()
    assert terms(tmp_path, "").raising is None


@pytest.mark.parametrize(
    ("rule", "more", "complaint"),
    [
        (
            RULE.replace("priority: minor", "priority: major"),
            ", raised: working_time",
            "an order of priority major does not wait",
        ),
        (
            RULE.replace("priority: minor", "priority: minor\n    life_safety: true"),
            ", raised: working_time",
            "life safety does not wait",
        ),
        (RULE, ", on_return: keep", "and none waits"),
    ],
)
def test_what_is_urgent_does_not_wait(tmp_path: Path, rule: str, more: str, complaint: str) -> None:
    (found,) = problems(tmp_path, more, rule=rule)
    assert complaint in found


def test_the_site_says_for_each_priority_and_urgent_ones_never_wait(tmp_path: Path) -> None:
    limits = (SHIPPED / TIME_LIMITS).read_text()
    urgent = limits.replace("  minor: {when", "  major: {when")
    found = problems(tmp_path, time_limits=urgent)
    assert any("priority major does not wait for working time" in one for one in found)


def test_the_shipped_settings() -> None:
    book = load_rulebook(site(LAMP)).order_book
    minor = book.raising.of(Priority.MINOR, life_safety=False, own=None)
    assert minor.when is RaisedWhen.WORKING_TIME
    own = Raising(when=RaisedWhen.WORKING_TIME)
    for priority, life_safety in ((Priority.MAJOR, False), (Priority.MINOR, True)):
        made = book.raising.of(priority, life_safety=life_safety, own=own)
        assert made.when is RaisedWhen.AT_ONCE
    assert set(book.targets.by_indicator) == set(Indicator)
    assert book.targets.by_indicator[Indicator.VISITED].percent == 30


def test_a_target_is_one_number(tmp_path: Path) -> None:
    wrong = (SHIPPED / TARGETS).read_text().replace("at_least: 30", "at_least: 30, at_most: 40")
    (found,) = problems(tmp_path, order_targets=wrong)
    assert found.startswith("order_targets.yaml:6:")
    assert "exactly one of at_least and at_most" in found
