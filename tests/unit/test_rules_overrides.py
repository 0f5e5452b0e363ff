"""No limit of a site's own silences fire or entrapment, whichever rule it is set for."""

from __future__ import annotations

import pytest
from duty_room import equipment, site

from gateway.model.equipment import Equipment
from gateway.model.point import PointKind
from rules.overrides import LONGEST_DELAY, variant
from rules.refusals import ConflictError, NotValidError
from rules.rule import Comparison, Rule
from rules.rulebook import load_rulebook

BOOK = load_rulebook(site()).rules
LIFE_SAFETY = [rule for rule in BOOK.values() if rule.life_safety]


def thing(rule: Rule) -> Equipment:
    return equipment("thing-1", rule.equipment_class, **{rule.point: PointKind.NUMBER})


def test_the_book_has_rules_about_fire_and_entrapment() -> None:
    assert {rule.equipment_class for rule in LIFE_SAFETY} >= {"fire_detector", "lift"}


@pytest.mark.parametrize("rule", LIFE_SAFETY, ids=lambda rule: rule.id)
def test_no_rule_about_life_safety_is_made_slower(rule: Rule) -> None:
    for delay in (rule.delay + 1, LONGEST_DELAY):
        with pytest.raises(NotValidError, match="fire or entrapment"):
            variant(rule, thing(rule), None, delay)
    assert variant(rule, thing(rule), None, rule.delay) == rule


@pytest.mark.parametrize("rule", LIFE_SAFETY, ids=lambda rule: rule.id)
def test_no_rule_about_life_safety_is_made_less_sensitive(rule: Rule) -> None:
    further = -1 if rule.condition.comparison is Comparison.BELOW else 1
    with pytest.raises((NotValidError, ConflictError)):
        variant(rule, thing(rule), rule.condition.limit + further, None)


def test_a_rule_about_something_else_may_be_slower_and_less_sensitive() -> None:
    hot = BOOK["motor-temperature-high"]
    assert hot.limit is not None
    slower = variant(hot, thing(hot), hot.limit + 5, hot.delay + 1)
    assert (slower.limit, slower.delay) == (hot.limit + 5, hot.delay + 1)
