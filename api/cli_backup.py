"""``dutyroom backup`` and ``dutyroom restore``."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli_options import DATA, Data, Site, actor, ledger_at
from api.settings import CannotStartError, demo_site

if TYPE_CHECKING:
    from api.backup import Manifest
    from rules.ledger.store import Ledger

Force = Annotated[bool, typer.Option("--force", help="Put it in place of what is there.")]


@contextmanager
def _for_the_owner_alone() -> Iterator[None]:
    """What is written meanwhile, nobody else can read: there are secrets in it."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@_for_the_owner_alone()
def backup(
    file: Annotated[Path, typer.Argument(help="Where the archive goes, such as monday.tar.gz.")],
    site: Site = None,
    data: Data = DATA,
    with_history: Annotated[
        bool, typer.Option("--with-history", help="The readings too; they may be many.")
    ] = False,
    force: Force = False,
) -> None:
    """Write ledger, site file and rulebook into one archive, while everything runs.

    The archive holds password hashes and what the site file names: keep it as you keep keys.
    Ends with code 1 where the audit is broken or photographs are lost; the archive is made all the
    same.
    """
    from api import backup as archive
    from api.data_directory import DataDirectory
    from api.in_force import FilesInForce
    from api.servers import history_server
    from gateway.clock import SystemClock
    from gateway.model.moment import iso
    from rules.attached_files import AttachedFiles
    from rules.ledger import dump

    if file.exists() and not force:
        raise CannotStartError(f"{file} is there already; --force replaces it")
    if not file.absolute().parent.is_dir():
        raise CannotStartError(f"there is no folder {file.absolute().parent}")
    directory = DataDirectory(data.absolute())
    given = site or demo_site()
    files = FilesInForce(directory.in_force)
    in_force = files.site if files.is_of(given) else None
    history = directory.history if with_history else None
    if history is not None and history_server() is not None:
        raise CannotStartError("the history is on a server: back it up there (influx backup)")
    if history is not None and not history.exists():
        raise CannotStartError(f"there is no history at {history}")
    with (
        ledger_at(in_force or given, data) as (ledger, found),
        _bar("reading the ledger", dump.size(ledger)) as told,
    ):
        manifest = archive.make(
            file,
            ledger=ledger,
            site=found.id,
            site_file=in_force or given,
            counted=directory.counted,
            attached=AttachedFiles(directory.attachments),
            history=history,
            made_at=iso(SystemClock().now().wall, found.zone),
            product=_product(),
            told=told,
        )
        _note(ledger, found.id, file, manifest, with_history=with_history)
    _tell(manifest)
    print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
    if _warn(manifest):
        raise typer.Exit(1)


def _note(ledger: Ledger, site: str, file: Path, manifest: Manifest, *, with_history: bool) -> None:
    """Of every backup a row in the audit, from which the page says when the last one was made. It
    is not in the archive itself. Where it cannot be written the archive is as good."""
    from sqlalchemy.exc import SQLAlchemyError

    from gateway.clock import SystemClock
    from rules.ledger import audit

    verdict = manifest.ledger.audits.get(site)
    detail: dict[str, str | float | None] = {
        "file": file.name,
        "bytes": file.stat().st_size,
        "history": "with" if with_history else "without",
        "audit_broken_at": None if verdict is None else verdict.first_bad,
        "files_lost": len(manifest.lost),
    }
    try:
        with ledger.write(site) as entry:
            now = SystemClock().now().wall
            audit.record(entry, actor(), "backup.make", "backup", now, **detail)
    except SQLAlchemyError as error:
        print(f"the ledger cannot note this backup: {error}", file=sys.stderr)


@_for_the_owner_alone()
def restore(
    file: Annotated[Path, typer.Argument(help="What `dutyroom backup` wrote.")],
    data: Data = DATA,
    site_folder: Annotated[
        Path | None,
        typer.Option(help="Where the site file and what it names go.  [default: DATA/site]"),
    ] = None,
    force: Force = False,
) -> None:
    """Bring back what is in an archive, after comparing every part of it with its hash.

    Refuses while anything runs on the target, and where something is there already; --force moves
    that aside (the rows of a ledger on a server are replaced).
    """
    from api import backup as archive
    from api.data_directory import DataDirectory
    from api.servers import ledger_server
    from gateway.clock import SystemClock
    from rules.ledger.store import connect

    directory = DataDirectory.open(data)
    target = (site_folder or directory.root / "site").absolute()
    address = ledger_server()
    server = None if address is None else connect(address)
    try:
        archive.refuse_if_in_use(directory, server)
        with archive.opened(file, directory.root) as (manifest, folder):
            there = archive.in_the_way(manifest, data=directory, server=server, site_folder=target)
            if there and not force:
                raise CannotStartError(
                    f"in the way: {', '.join(there)}; --force puts the backup in their place"
                )
            total = sum(manifest.ledger.rows.values())
            with _bar("filling the ledger", total) as told:
                moved = archive.restore(
                    manifest,
                    folder,
                    data=directory,
                    server=server,
                    site_folder=target,
                    aside=f"before-{SystemClock().now().wall // 1_000_000}",
                    told=told,
                )
    finally:
        if server is not None:
            server.close()
    for path in moved:
        print(f"moved aside: {path}")
    _tell(manifest)
    _tell_lost(manifest, "they were lost when it was made")
    _tell_verified(manifest)
    print(f"site file: {target / Path(manifest.site_file).relative_to('site')}")
    print("Sessions are not in a backup: everybody logs in again.")
    print("Machines' tokens, screens and contractors' links are not in a backup: make new ones.")


def _tell(manifest: Manifest) -> None:
    held = manifest.ledger
    rows = {name: count for name, count in held.rows.items() if count}
    print(f"site {manifest.site}, made {manifest.made_at} by dutyroom {manifest.product}")
    print(f"ledger at revision {held.revision}: {sum(rows.values())} rows")
    print(*(f"  {name} {count}" for name, count in sorted(rows.items())), sep="\n")
    others = [name for name in manifest.files if name.startswith("site/")]
    print(f"site file and {len(others) - 1} files that it names")
    print(f"files of photographs and signatures: {manifest.attachments}")
    print("history: " + ("yes" if manifest.has_history else "not in it"))


def _warn(manifest: Manifest) -> bool:
    """Say loudly which audits are broken and which files are lost; whether there are any."""
    _tell_lost(manifest, "take them from an older backup")
    for site, verdict in manifest.ledger.broken.items():
        print(
            f"dutyroom: THE AUDIT OF {site} IS BROKEN at row {verdict.first_bad}: {verdict.why}; "
            "the backup holds it as it is: keep the older ones, and find out who changed it",
            file=sys.stderr,
        )
    return bool(manifest.ledger.broken or manifest.lost)


def _tell_lost(manifest: Manifest, mend: str) -> None:
    if manifest.lost:
        print(
            f"dutyroom: {len(manifest.lost)} OF THE PHOTOGRAPHS ARE LOST: gone or damaged, and "
            f"not in the backup; {mend}: {', '.join(manifest.lost)}",
            file=sys.stderr,
        )


def _tell_verified(manifest: Manifest) -> None:
    whole = [
        f"the audit of {site} ({verdict.rows} rows)"
        for site, verdict in manifest.ledger.audits.items()
        if verdict.ok
    ]
    said = ("verified: every file by its hash", "the rows of every table", *whole)
    print(", ".join(said))
    for site, verdict in manifest.ledger.broken.items():
        print(
            f"restored; the audit of {site} is broken at row {verdict.first_bad}, "
            f"as it was in the backup: {verdict.why}"
        )


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, if somebody looks at it."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda rows: progress.advance(task, rows)


def _product() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("dutyroom")
    except PackageNotFoundError:
        return "0+source"
