"""The files of a site, read together: site, profiles, rulebook, scenario."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from api import demo_people, people_import
from api.data_directory import DataDirectory
from api.settings import CannotStartError, Settings
from gateway import site as site_file
from gateway.documents import ConfigurationError, Problem
from gateway.model.equipment import Broker, Site
from rules.rule import Rulebook
from rules.rulebook import load_rulebook, rulebook_problems


def load_site(settings: Settings) -> Site:
    """The site with its links where the settings say.

    Raises :class:`~gateway.documents.ConfigurationError`, or
    :class:`~api.settings.CannotStartError` for a link that it does not have.
    """
    site = site_file.load(settings.site)
    for link, (host, port) in settings.links.items():
        try:
            site = site_file.with_link_address(site, link, host, port)
        except KeyError as error:
            raise CannotStartError(f"--link {link}: {error.args[0]}") from None
    return site


def load(settings: Settings) -> tuple[Site, Rulebook]:
    """The site and its rulebook; raises as :func:`load_site` does."""
    site = load_site(settings)
    return site, load_rulebook(site)


def check(settings: Settings) -> Site:
    """The site, after everything was looked through: its rulebook, and its scenario if any.

    Raises :class:`~gateway.documents.ConfigurationError` with every problem of all files. Where
    the site is wrong, the others are read all the same, as far as they can be without it.
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
        yield from {*error.problems, *world.unplayable(site)}


def with_broker(site: Site, data: DataDirectory) -> tuple[Site, Broker]:
    """``site`` with the broker that its MQTT devices and the bus are to use.

    Raises :class:`~api.settings.CannotStartError` if the site names none and none was started.
    """
    if site.broker is not None:
        return site, site.broker
    broker = data.own_broker()
    if broker is None:
        raise CannotStartError(
            "there is no broker: name one in the site file, or start `dutyroom broker` first"
        )
    return site_file.with_broker(site, broker), broker
