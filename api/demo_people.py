"""The people of a demonstration: a simulated site with a new ledger gets those of the file
``people.yaml`` beside its site file, so that there is somebody on duty."""

from __future__ import annotations

from pathlib import Path

from gateway.clock import Clock
from gateway.model.equipment import Site
from rules.ledger.store import Ledger
from rules.people import people, people_file
from rules.people.accounts import ADMIN
from rules.people.roles import PROGRAM
from rules.shifts import roster_file

FILE = "people.yaml"


def file_of(site: Site) -> Path | None:
    """The file of people of a simulated site; None for a real one, or if there is none."""
    path = Path(site.file).with_name(FILE)
    return path if site.scenario is not None and path.is_file() else None


def see_to_people(ledger: Ledger, site: Site, clock: Clock) -> None:
    """Bring them in and say so, where nobody but the admin is there yet.

    Raises :class:`~gateway.documents.ConfigurationError`.
    """
    path = file_of(site)
    if path is None:
        return
    with ledger.read(site.id) as view:
        if any(person.username != ADMIN for person in people.everybody(view)):
            return
    content = people_file.read(path, site).content
    done = people_file.bring_in(
        ledger, site, content, actor=PROGRAM, now=clock.now(), password_of=ADMIN
    )
    if roster_file.holds_roster(content):
        roster_file.bring_in(ledger, site, path, actor=PROGRAM, now=clock.now())
    if done.added:
        names = ", ".join(done.added)
        print(f"dutyroom: demo people, each with the password of {ADMIN}: {names}", flush=True)
