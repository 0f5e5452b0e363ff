"""The people of a demonstration: a simulated site with a new ledger gets those of the file
``people.yaml`` beside its site file, so that there is somebody on duty."""

from __future__ import annotations

from pathlib import Path

from api import people_import
from gateway.clock import Clock
from gateway.model.equipment import Site
from rules.ledger.roster import rotation_of
from rules.ledger.store import Ledger
from rules.people import people
from rules.people.accounts import ADMIN
from rules.people.roles import PROGRAM
from rules.shifts import roster_file

FILE = "people.yaml"


def file_of(site: Site) -> Path | None:
    """The file of people of a simulated site; None for a real one, or if there is none."""
    path = Path(site.file).with_name(FILE)
    return path if site.scenario is not None and path.is_file() else None


def see_to_people(ledger: Ledger, site: Site, clock: Clock) -> None:
    """Bring them in and say so, where nobody but the admin is there yet, or no roster.

    Raises :class:`~gateway.files.documents.ConfigurationError`.
    """
    path = file_of(site)
    if path is None:
        return
    with ledger.read(site.id) as view:
        is_staffed = any(person.username != ADMIN for person in people.everybody(view))
        has_rotation = rotation_of(view, site.zone) is not None
    if is_staffed:
        # Only where a kill came between the two is there a roster left to bring in.
        if not has_rotation and roster_file.holds_roster(people_import.check(path, site, ledger)):
            roster_file.bring_in(ledger, site, path, actor=PROGRAM, now=clock.now())
        return
    done = people_import.bring_in(
        ledger, site, path, actor=PROGRAM, now=clock.now(), password_of=ADMIN
    )
    if done.added:
        names = ", ".join(done.added)
        print(f"dutyroom: demo people, each with the password of {ADMIN}: {names}", flush=True)
