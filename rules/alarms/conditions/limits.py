"""The limit and the delays of every row, as arrays; those of one may become others meanwhile."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gateway.model.equipment import Equipment
from rules.alarms.comparisons import Comparisons
from rules.rule import Rule, Rulebook


class Limits:
    def __init__(self, rulebook: Rulebook, equipment: Iterable[Equipment]) -> None:
        self.pairs = [(rule, thing) for thing in equipment for rule in rulebook.judged_on(thing)]
        rules = [rule for rule, _ in self.pairs]
        self.row = {(rule.id, thing.id): row for row, (rule, thing) in enumerate(self.pairs)}
        self.test = [rule.test for rule in rules]
        conditions = [rule.condition for rule in rules]
        self.tests = Comparisons([(one.comparison, one.limit) for one in conditions])
        self.deadband = np.array([condition.deadband for condition in conditions], float)
        self.delay = np.array([rule.delay for rule in rules], np.int64)
        self.clear_after = np.array([rule.clear_after for rule in rules], np.int64)
        self._variants = rulebook.variants

    def renew(self, rulebook: Rulebook) -> tuple[list[int], list[int]]:
        """Go on by ``rulebook``, which has the same rules and other variants of them; the rows
        that are judged by something else now, and those of them with another limit."""
        named = self._variants.keys() | rulebook.variants.keys()
        self._variants = rulebook.variants
        renewed, limited = [], []
        for row in sorted(self.row[pair] for pair in named if pair in self.row):
            before, thing = self.pairs[row]
            rule = rulebook.variants.get((before.id, thing.id), rulebook.rules[before.id])
            if rule == before:
                continue
            self.pairs[row] = rule, thing
            self._put(row, rule)
            renewed.append(row)
            if rule.test != self.test[row]:
                self.test[row] = rule.test
                limited.append(row)
        return renewed, limited

    def _put(self, row: int, rule: Rule) -> None:
        self.tests.move(row, rule.condition.limit)
        self.deadband[row] = rule.condition.deadband
        self.delay[row] = rule.delay
        self.clear_after[row] = rule.clear_after
