"""What is known of the rules beside themselves: the points of their classes, and their tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.model.equipment import Site
from gateway.profile.files import ProfileFile
from rules.book_folders import folders_of
from rules.rule import Rulebook
from rules.rule_tests.files import read_tests
from rules.rulebook import Classes, classes_of


@dataclass(frozen=True, kw_only=True)
class RulesKnown:
    classes: Classes
    tests: Mapping[str, int]
    """Rule → how many tests say something of it."""


def rules_known(site: Site, rulebook: Rulebook, profiles: Mapping[str, ProfileFile]) -> RulesKnown:
    """Reads files: it blocks."""
    classes = classes_of(site)
    own = None if site.rulebook is None else Path(site.rulebook)
    found = read_tests(rulebook, classes, profiles, folders_of(own))
    named = Counter(
        rule for test in found.tests for rule in {expected.rule for expected in test.expects}
    )
    return RulesKnown(classes=classes, tests=named)
