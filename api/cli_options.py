"""Options that several commands have, and the way from them into the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.settings import Settings, demo_site

if TYPE_CHECKING:
    from gateway.model.equipment import Site as SiteOf
    from rules.ledger.store import Ledger
    from rules.people.roles import Actor

DATA = Path("data")

Site = Annotated[
    Path | None,
    typer.Option(envvar="DUTYROOM_SITE", help="Site file.  [default: the demo site]"),
]
Data = Annotated[
    Path, typer.Option(envvar="DUTYROOM_DATA", help="Directory for everything that is kept.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@contextmanager
def ledger_at(site: Path | None, data: Path) -> Iterator[tuple[Ledger, SiteOf]]:
    """The ledger of the data directory (or the server that the environment names) and the site.

    Raises ConfigurationError or :class:`~api.settings.CannotStartError`.
    """
    from api.data_directory import DataDirectory
    from api.site_loading import load_site
    from api.stores import ledger_of

    found = load_site(Settings(site=site or demo_site(), data=data))
    ledger = ledger_of(DataDirectory.open(data))
    try:
        yield ledger, found
    finally:
        ledger.close()


def actor() -> Actor:
    """Who works on the machine itself: by the name they have there."""
    import getpass

    from rules.people.roles import Actor, Role, Via

    return Actor(username=f"command:{getpass.getuser()}", role=Role.ADMIN, via=Via.COMMAND)
