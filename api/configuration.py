"""The files of a site, read together: site, profiles, rulebook, scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from api import demo_people, people_import
from api.settings import Settings
from api.site_loading import load_site
from gateway.files.documents import ConfigurationError, Problem, problem_in
from gateway.files.fields import instead
from gateway.modbus.budget import budget
from gateway.model.equipment import Framing, ModbusLink, Site
from gateway.site import files as site_file
from rules.book_folders import folders_of
from rules.people.roles import Role
from rules.rule import Rulebook
from rules.rule_tests.files import read_tests
from rules.rule_tests.run import failures, untested
from rules.rulebook import classes_of, load_rulebook, rulebook_problems
from rules.twins import is_of_twin


def load(settings: Settings) -> tuple[Site, Rulebook]:
    """The site and its rulebook; raises as :func:`load_site` does."""
    site = load_site(settings)
    return site, load_rulebook(site)


def check(settings: Settings) -> Site:
    """The site, after everything was looked through: its rulebook, and its scenario if any.

    Raises :class:`~gateway.files.documents.ConfigurationError` with every problem of all files.
    Where the site is wrong, the others are read all the same, as far as they can be without it.
    """
    found = site_file.survey(settings.site)
    problems = list(found.problems)
    if found.site is None:
        problems += rulebook_problems(found.rulebook, found.profiles)
        problems += _scenario_problems(found.scenario, settings.site)
    else:
        problems += _problems_beside(found.site)
    if problems:
        raise ConfigurationError(problems)
    return load_site(settings)


@dataclass(frozen=True, kw_only=True)
class Report:
    """What `dutyroom check` has to say of a site."""

    problems: Sequence[Problem] = ()
    warnings: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    """How many of each there are; empty where a file is wrong in itself."""


def examine(settings: Settings) -> Report:
    """Everything that :func:`check` looks at; where that is right, what the rules do too: their
    tests are run."""
    try:
        site = check(settings)
    except ConfigurationError as error:
        return Report(problems=error.problems)
    rulebook, profiles = load_rulebook(site), site_file.profiles_of(site)
    own = None if site.rulebook is None else Path(site.rulebook)
    found = read_tests(rulebook, classes_of(site), profiles, folders_of(own))
    wrong = [*found.problems, *failures(found.tests, rulebook)]
    warnings = slow_links(site) + without_twin(site, rulebook)
    if not wrong:
        warnings += [f"rules.{rule}: has no test" for rule in untested(found.tests, rulebook)]
    return Report(
        problems=ConfigurationError(wrong).problems,
        warnings=warnings,
        counts={
            "profiles": len(profiles),
            "points": len(site.points),
            "rules": len(rulebook.rules),
            "rule_tests": len(found.tests),
            "regimes": len(rulebook.regimes),
        },
    )


def slow_links(site: Site) -> list[str]:
    """Of each Modbus link that cannot keep its intervals a line with the numbers; and of each line
    behind a converter, of which nobody can tell for want of its speed."""
    found = []
    for link in site.links.values():
        if not isinstance(link, ModbusLink):
            continue
        behind = [thing for thing in site.equipment.values() if thing.link == link.id]
        told = budget(link, behind)
        if not told.keeps:
            found.append(f"links.{link.id}: cannot keep its intervals: {told.text}")
        elif link.framing is Framing.RTU and link.serial is None and link.line is None:
            found.append(f"links.{link.id}: say baud: to know whether its line keeps its intervals")
    return found


def without_twin(site: Site, rulebook: Rulebook) -> list[str]:
    """Of each rule that compares with a twin what it leaves out: a line, where the site names a
    twin for others of the class. Where it names none, it does not want the rule."""
    found = []
    for rule in rulebook.rules.values():
        of_class = [t for t in site.equipment.values() if t.equipment_class == rule.equipment_class]
        alone = [thing.id for thing in of_class if thing.twin is None]
        if any(map(is_of_twin, rule.points)) and 0 < len(alone) < len(of_class):
            found.append(f"rules.{rule.id}: not judged on {', '.join(alone)}, without a twin")
    return found


def _scenario_problems(name: str | None, site: Path) -> list[Problem]:
    """What is wrong with the scenario that a wrong site names, if it does."""
    from simulators import scenario

    return [] if name is None else scenario.scenario_problems(name, site)


def _problems_beside(site: Site) -> Iterator[Problem]:
    """What is wrong beside a site file that is right: rulebook, demo people, scenario."""
    from simulators import scenario, world

    try:
        load_rulebook(site)
    except ConfigurationError as error:
        yield from error.problems
    yield from _role_problems(site)
    people = demo_people.file_of(site)
    if people is not None:
        try:
            people_import.check(people, site)
        except ConfigurationError as error:
            yield from error.problems
    if site.scenario is None:
        return
    try:
        world.Simulation(site, scenario.load(site))
    except ConfigurationError as error:
        yield from error.problems


def _role_problems(site: Site) -> Iterator[Problem]:
    """Roles on the site's list of commands that nobody has; only from here both are known."""
    for at, command in enumerate(site.commands):
        for place, role in enumerate(command.roles):
            if role not in set(Role):
                where = ("commands", at, "roles", place)
                mend = instead(role, [known.value for known in Role])
                yield problem_in(site.file, where, f"there is no role {role!r}", mend)
