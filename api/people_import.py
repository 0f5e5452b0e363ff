"""A file of people brought into the ledger: the people, and the roster if the file has one."""

from __future__ import annotations

from pathlib import Path

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.ledger.roster import staff_of
from rules.ledger.store import Ledger
from rules.people import people_file
from rules.people.people_file import Imported
from rules.people.roles import Actor
from rules.shifts import roster_file


def check(path: Path, site: Site, ledger: Ledger | None = None) -> people_file.PeopleDocument:
    """What the file holds, if nothing in it is wrong.

    ``ledger``: whose people its teams may name beside its own. Raises
    :class:`~gateway.files.documents.ConfigurationError` with every problem.
    """
    content = people_file.read(path, site).content
    if roster_file.holds_roster(content):
        if ledger is None:
            roster_file.read(path, site)
        else:
            with ledger.read(site.id) as view:
                staff = staff_of(view)
            roster_file.read(path, site, staff)
    return content


def bring_in(
    ledger: Ledger,
    site: Site,
    path: Path,
    *,
    actor: Actor,
    now: Instant,
    password_of: str | None = None,
) -> Imported:
    """Bring in what the file holds; a file with a mistake brings in nothing.

    First the people, then the roster, each whole; whoever is killed in between does it again
    and has the same. Raises as :func:`check` and ``people_file.bring_in`` do.
    """
    content = check(path, site, ledger)
    done = people_file.bring_in(
        ledger, site, content, actor=actor, now=now, password_of=password_of
    )
    if roster_file.holds_roster(content):
        roster_file.bring_in(ledger, site, path, actor=actor, now=now)
    return done
