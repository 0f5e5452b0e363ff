"""The rulebook that the worker judges by: the files with the site's own limits over them.

Somebody may set a limit at any moment. Every commit looks what there is (in its own thread and
transaction); what has changed is in force from the next reading on, also for alarms that are up.
"""

from __future__ import annotations

import structlog

from gateway.model.equipment import Equipment, Site
from rules.alarms.conditions import Conditions
from rules.alarms.links import link_equipment
from rules.alarms.proofs import Proofs
from rules.ledger import overrides
from rules.ledger.store import Entry
from rules.ledger.view import View
from rules.overrides import LimitOverride, laid_over
from rules.rule import Rulebook

_log = structlog.get_logger(__name__)


class LimitsInForce:
    """``see`` may run in another thread than ``renewed``, not at the same time."""

    def __init__(self, site: Site, rulebook: Rulebook) -> None:
        self._site = site
        self._files = rulebook
        self._seen: tuple[LimitOverride, ...] = ()
        self._in_force: tuple[LimitOverride, ...] = ()
        self.rulebook = rulebook

    def see(self, source: View | Entry) -> None:
        """Look what the site has set."""
        self._seen = overrides.load(source)

    def renewed(self) -> Rulebook | None:
        """The rulebook, if what was seen last is not in force yet; from now on it is."""
        if self._seen == self._in_force:
            return None
        self._in_force = self._seen
        self.rulebook, fallen = laid_over(self._files, self._site, self._seen)
        for one in fallen:
            _log.warning(
                "the file's own limit is in force",
                rule=one.override.rule,
                equipment=one.override.equipment,
                why=one.why,
            )
        return self.rulebook


def conditions_of(rulebook: Rulebook, site: Site) -> Conditions:
    """Every rule on everything of the site that is judged; nothing is known yet."""
    return Conditions(rulebook, _judged(site))


def proofs_of(rulebook: Rulebook, site: Site) -> Proofs:
    """What may be watched of repairs: every rule on everything of the site that is judged."""
    return Proofs(
        {
            (rule.id, thing.id): (rule, thing)
            for thing in _judged(site)
            for rule in rulebook.judged_on(thing)
        }
    )


def _judged(site: Site) -> list[Equipment]:
    return [*site.equipment.values(), *link_equipment(site)]
