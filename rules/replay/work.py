"""A replay as a whole: which rules are tried, over which time, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from gateway.history.base import History
from gateway.model.equipment import Site
from gateway.model.moment import DAY, HOUR
from rules.overrides import variant
from rules.refusals import ConflictError, NotFoundError, NotValidError
from rules.replay.outcome import Raised, RuleOutcome, outcomes
from rules.replay.readings import read
from rules.replay.run import replayed
from rules.replay.watched import watched
from rules.rule import Rule, Rulebook
from rules.twins import is_of_twin, points_by_name

LONGEST = 92 * DAY
RUN_UP = DAY
"""µs before it that are looked at, at most."""
_SHORTEST_RUN_UP = HOUR
_READING = 0.7
"""Of the time, as a rule, is spent on reading."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """Another limit or delay of one rule, for one equipment or for all of its class."""

    rule: str
    equipment: str | None
    limit: float | None
    delay: int | None
    """µs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    start: int
    """µs UTC."""
    end: int
    readings: int
    """How many the history gave."""
    moments: int
    """How often it was looked."""
    rules: tuple[RuleOutcome, ...]


def altered(rulebook: Rulebook, site: Site, trial: Trial) -> Rulebook:
    """``rulebook`` as ``trial`` has it, whatever the site has set for single equipment.

    Raises as :func:`rules.overrides.variant` does, or ``NotFoundError``.
    """
    rule = rulebook.rules.get(trial.rule)
    if rule is None:
        raise NotFoundError(f"there is no rule {trial.rule}")
    if trial.limit is None and trial.delay is None:
        raise NotValidError("limit", "say another limit or another delay")
    if trial.equipment is not None:
        thing = site.equipment.get(trial.equipment)
        if thing is None:
            raise NotFoundError(f"there is no equipment {trial.equipment}")
        tried = variant(rule, thing, trial.limit, trial.delay)
        return replace(rulebook, variants={**rulebook.variants, (rule.id, thing.id): tried})
    concerned = [
        thing
        for thing in site.equipment.values()
        if thing.equipment_class == rule.equipment_class
        and points_by_name(thing).keys() >= {rule.point, *filter(is_of_twin, rule.points)}
    ]
    if not concerned:
        raise ConflictError(f"{rule.id} is judged on nothing at this site")
    variants = dict(rulebook.variants)
    for thing in concerned:
        variants[rule.id, thing.id] = variant(rule, thing, trial.limit, trial.delay)
    return replace(rulebook, variants=variants)


def changed(before: Rulebook, after: Rulebook, site: Site) -> list[str]:
    """Ids of the rules that may raise something else at this site, in the order of the files."""
    was, will = _judging(before, site), _judging(after, site)
    pairs = was.keys() | will.keys()
    differing = {pair[0] for pair in pairs if was.get(pair) != will.get(pair)}
    known = {**dict.fromkeys(after.rules), **dict.fromkeys(before.rules)}
    return [rule for rule in known if rule in differing]


def run(
    site: Site,
    rulebook: Rulebook,
    rules: Collection[str],
    history: History,
    *,
    raised: Sequence[Raised],
    start: int,
    end: int,
    told: Callable[[float], None],
) -> Report:
    """What ``rules`` of ``rulebook`` would have raised from ``start`` to ``end`` (µs UTC), against
    ``raised``, what was up at some time from :data:`RUN_UP` before.

    1. Read what the history has of their points, from somewhat earlier, so that what was up
       already is known. 2. Judge it. 3. Compare.
    ``told`` hears how much of 1 is done, and may raise to end it.
    """
    tried = _only(rulebook, rules)
    points = watched(tried, site.equipment.values())
    begin = start - _run_up(tried.rules.values())
    found = read(
        history,
        points,
        site.points,
        start=begin,
        end=end,
        told=lambda done: told(_READING * done),
    )
    came = replayed(
        tried, site.equipment, found, lambda done: told(_READING + (1 - _READING) * done)
    )
    told(1.0)
    return Report(
        start=start,
        end=end,
        readings=found.read,
        moments=len(found.moments),
        rules=tuple(outcomes(rules, raised, came, start, end)),
    )


def _only(rulebook: Rulebook, rules: Collection[str]) -> Rulebook:
    return replace(
        rulebook,
        rules={name: rule for name, rule in rulebook.rules.items() if name in rules},
        variants={pair: rule for pair, rule in rulebook.variants.items() if pair[0] in rules},
    )


def _run_up(rules: Iterable[Rule]) -> int:
    longest = max((max(rule.delay, rule.clear_after) for rule in rules), default=0)
    return min(_SHORTEST_RUN_UP + longest, RUN_UP)


def _judging(rulebook: Rulebook, site: Site) -> dict[tuple[str, str], tuple[object, ...]]:
    """(rule, equipment) → what decides when it raises."""
    return {
        (rule.id, thing.id): (rule.test, rule.delay, rule.clear_after, rule.hours)
        for thing in site.equipment.values()
        for rule in rulebook.of_equipment(thing)
    }
