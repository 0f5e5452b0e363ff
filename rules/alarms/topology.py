"""What may explain what: who feeds a device, and through what it is read, as the site file says."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.model.equipment import Equipment, Site
from rules.rule import LINK, SUPPLY, Rule, Rulebook

LINK_CLASS = "link"


def link_id(link: str) -> str:
    """The equipment that stands for ``link`` where a link is judged like one."""
    return f"link.{link}"


class Topology:
    """Which alarms would explain which; whether they are there, the ledger knows."""

    def __init__(self, site: Site, rulebook: Rulebook) -> None:
        self._site = site
        self._rulebook = rulebook
        self._causes: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
        self._below: dict[str, set[str]] = {}
        rules = rulebook.rules.values()
        self._tagged = {
            tag: {
                one: [rule.id for rule in rulebook.of_class(one) if tag in rule.explains]
                for one in {rule.equipment_class for rule in rules}
            }
            for tag in (SUPPLY, LINK)
        }
        higher = {rule.outranked_by for rule in rules if rule.outranked_by is not None}
        self.explainers = frozenset(rule.id for rule in rules if rule.explains) | higher
        """The rules whose alarms may explain others."""
        self.explained = frozenset(
            rule.id
            for rule in rules
            if (rule.explained_by or rule.outranked_by) and not rule.life_safety
        )
        """The rules whose alarms may be explained; fire and entrapment never are."""

    def causes(self, rule: str, equipment: str) -> tuple[tuple[str, str], ...]:
        """(rule, equipment) of every alarm that would explain one by ``rule`` on ``equipment``,
        the nearest first; those that explain these are among them."""
        if rule not in self.explained:
            return ()
        found = self._causes.get((rule, equipment))
        if found is None:
            found = tuple(self._walk(self._rulebook.rules[rule], equipment))
            self._causes[rule, equipment] = found
        return found

    def hang_on(self, equipment: str) -> frozenset[str]:
        """``equipment`` itself, what it feeds, and what is read through it, at any remove."""
        if not self._below:
            for thing in self._site.equipment.values():
                for above in {thing.id, *self._nodes_above(thing)}:
                    self._below.setdefault(above, set()).add(thing.id)
        return frozenset({equipment, *self._below.get(equipment, ())})

    def _nodes_above(self, thing: Equipment) -> Iterator[str]:
        feeder = self._above(thing.supplied_by)
        while feeder is not None:
            yield feeder.id
            feeder = self._above(feeder.supplied_by)
        here: Equipment | None = thing
        while here is not None:
            yield here.id
            yield link_id(here.link)
            here = self._above(here.behind)

    def _walk(self, rule: Rule, equipment: str) -> Iterator[tuple[str, str]]:
        higher = rule.outranked_by
        while higher is not None:
            yield higher, equipment
            above = self._rulebook.rules.get(higher)
            higher = None if above is None else above.outranked_by
        thing = self._site.equipment.get(equipment)
        if thing is not None and LINK in rule.explained_by:
            yield from self._ways(thing)
        if thing is not None and SUPPLY in rule.explained_by:
            yield from self._feeds(thing)

    def _feeds(self, thing: Equipment) -> Iterator[tuple[str, str]]:
        above = self._above(thing.supplied_by)
        while above is not None:
            yield from self._rules_on(above, SUPPLY)
            above = self._above(above.supplied_by)

    def _ways(self, thing: Equipment) -> Iterator[tuple[str, str]]:
        here: Equipment | None = thing
        while here is not None:
            for rule in self._tagged[LINK].get(LINK_CLASS, ()):
                yield rule, link_id(here.link)
            here = self._above(here.behind)
            if here is not None:
                yield from self._rules_on(here, LINK)

    def _rules_on(self, thing: Equipment, tag: str) -> Iterator[tuple[str, str]]:
        for rule in self._tagged[tag].get(thing.equipment_class, ()):
            yield rule, thing.id

    def _above(self, equipment: str | None) -> Equipment | None:
        return None if equipment is None else self._site.equipment.get(equipment)
