"""A backup: one archive of what cannot be made again, taken while everything runs.

A ``tar.gz``, readable by its owner alone, because it holds password hashes and what the site file
names. In it, in this order:

``manifest.json``   version, time, site, hashes of the other members, what the ledger holds
``ledger.jsonl``    the ledger (``rules.ledger.dump``), of one moment
``site/…``          the site file and what it names by relative path
``derived.json``    what the gateway has counted so far: run hours, starts
``history.db``      the readings, where they were asked for
``attachments/…``   the photographs and signatures that the ledger names

The spool is left out: it is on its way into history and ledger, and what a restored ledger has
not had yet is taken from it again where it is still there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from api.data_directory import DataDirectory
from api.settings import CannotStartError
from gateway.site.files import files_beside
from rules.attached_files import AttachedFiles, LostFileError
from rules.ledger import dump
from rules.ledger.attachments import hashes
from rules.ledger.audit import Verdict
from rules.ledger.dump import Contents, NotOursError, NotWholeError
from rules.ledger.store import Ledger, connect

_VERSION = 1
_MANIFEST, _LEDGER, _HISTORY, _SITE = "manifest.json", "ledger.jsonl", "history.db", "site"
_COUNTED = "derived.json"
_ATTACHMENTS = "attachments"
_CHUNK = 1 << 20

Told = Callable[[int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    made_at: str
    """ISO 8601."""
    product: str
    """The version that made it."""
    site: str
    site_file: str
    """Member."""
    ledger: Contents
    files: Mapping[str, str]
    """Member → SHA-256 of its content."""
    lost: Sequence[str] = ()
    """SHA-256 of attachments that the ledger names and whose files were gone or damaged."""

    @property
    def has_history(self) -> bool:
        return _HISTORY in self.files

    @property
    def attachments(self) -> int:
        """How many files of them are in it."""
        return sum(name.startswith(f"{_ATTACHMENTS}/") for name in self.files)


def make(
    to: Path,
    *,
    ledger: Ledger,
    site: str,
    site_file: Path,
    counted: Path,
    attached: AttachedFiles,
    history: Path | None,
    made_at: str,
    product: str,
    told: Told,
) -> Manifest:
    """Write the archive ``to``, whole or not at all; ``counted``: the gateway's checkpoint, which
    need not be there; ``history``: the file to take along."""
    with tempfile.TemporaryDirectory(prefix=f".{to.name}-", dir=to.absolute().parent) as place:
        folder = Path(place)
        with (folder / _LEDGER).open("wb") as lines:
            contents = dump.dump(ledger, lines.write, told)
        member = _copy_site(site_file, folder / _SITE)
        if counted.exists():
            # Replaced as a whole by the gateway, so it is whole at any moment.
            shutil.copyfile(counted, folder / _COUNTED)
        # After the rows: a file is there before its row, and none is ever taken away.
        lost = _copy_attachments(attached, hashes(ledger), folder / _ATTACHMENTS)
        if history is not None:
            _copy_database(history, folder / _HISTORY)
        manifest = Manifest(
            made_at=made_at,
            product=product,
            site=site,
            site_file=f"{_SITE}/{member}",
            ledger=contents,
            files={name: _hash(folder / name) for name in _members(folder)},
            lost=lost,
        )
        document = {"version": _VERSION, **asdict(manifest)}
        (folder / _MANIFEST).write_text(json.dumps(document, indent=2), encoding="utf-8")
        fresh = folder / "archive"
        _pack(folder, (_MANIFEST, *manifest.files), fresh)
        fresh.replace(to)
    return manifest


@contextmanager
def opened(archive: Path, beside: Path) -> Iterator[tuple[Manifest, Path]]:
    """The manifest and a folder with the members, each of them compared with its hash.

    ``beside``: where the folder is made, for as long as the block lasts. Raises
    :class:`CannotStartError` for what is no backup, or a damaged one.
    """
    beside.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=beside) as place:
        folder = Path(place)
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter=_for_the_owner)
            manifest = _manifest(folder)
        except (OSError, EOFError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
            raise CannotStartError(f"{archive} is no backup of dutyroom: {error}") from None
        there = set(_members(folder)) - {_MANIFEST}
        if there != set(manifest.files):
            odd = ", ".join(sorted(there ^ set(manifest.files)))
            raise CannotStartError(f"{archive} is damaged: not the files it names: {odd}")
        for name, written in manifest.files.items():
            if _hash(folder / name) != written:
                raise CannotStartError(f"{archive} is damaged: {name} is not what was written")
        yield manifest, folder


def restore(
    manifest: Manifest,
    folder: Path,
    *,
    data: DataDirectory,
    server: Ledger | None,
    site_folder: Path,
    aside: str,
    told: Told,
) -> list[Path]:
    """Put the members where they belong; what was there before is moved aside, and told of.

    ``server``: the ledger to fill; None: the file of ``data``. ``aside``: what is added to the
    name of what is moved. The ledger comes first: where it is not whole, nothing has changed.
    Raises :class:`CannotStartError`.
    """
    moved = []
    with (folder / _LEDGER).open("rb") as lines:
        try:
            if server is not None:
                dump.restore(server, lines, manifest.ledger, told)
            else:
                with closing(connect(folder / "ledger.db")) as fresh:
                    dump.restore(fresh, lines, manifest.ledger, told)
        except (NotWholeError, NotOursError) as error:
            raise CannotStartError(f"nothing was restored: {error}") from None
    targets = {
        _HISTORY: data.history,
        _COUNTED: data.counted,
        _ATTACHMENTS: data.attachments,
        _SITE: site_folder,
    }
    if server is None:
        targets["ledger.db"] = data.ledger
    for name, target in targets.items():
        if not (folder / name).exists():
            continue
        if target.exists() and (target.is_file() or any(target.iterdir())):
            moved.append(target.with_name(f"{target.name}.{aside}"))
            target.rename(moved[-1])
        elif target.is_dir():
            target.rmdir()
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / name, target)
    return moved


def in_the_way(
    manifest: Manifest, *, data: DataDirectory, server: Ledger | None, site_folder: Path
) -> list[str]:
    """What a restore would put out of its place."""
    found = [str(data.ledger)] if server is None and data.ledger.exists() else []
    if server is not None and not dump.is_empty(server):
        named = ", ".join(dump.sites(server)) or "no site"
        found.append(f"the rows in the database of the ledger (sites: {named})")
    if manifest.has_history and data.history.exists():
        found.append(str(data.history))
    if _COUNTED in manifest.files and data.counted.exists():
        found.append(str(data.counted))
    if manifest.attachments and data.attachments.is_dir() and any(data.attachments.iterdir()):
        found.append(str(data.attachments))
    if site_folder.is_dir() and any(site_folder.iterdir()):
        found.append(str(site_folder))
    return found


def refuse_if_in_use(data: DataDirectory, server: Ledger | None) -> None:
    """Raise :class:`CannotStartError` where a process still works on what is to be replaced; from
    now on none can be started there until we end."""
    data.claim()
    for service in ("broker", "gateway", "rules", "simulate"):
        data.claim_service(service)
    for path in (data.ledger, data.history):
        if path.exists() and not _is_ours(path):
            raise CannotStartError(f"{path} is in use; end every dutyroom on {data.root} first")
    if server is not None:
        with server.reading() as connection:
            others = connection.exec_driver_sql(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            ).scalar_one()
        if others:
            raise CannotStartError(
                f"{others} others are connected to the ledger's database; "
                "end every dutyroom that uses it first"
            )


def _is_ours(path: Path) -> bool:
    """Whether nobody else has the SQLite file open. It is one file afterwards, without its log."""
    with closing(sqlite3.connect(path, timeout=1)) as database:
        try:
            # The log can only be given up by the last connection.
            return database.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "delete"
        except sqlite3.OperationalError:
            return False
        except sqlite3.DatabaseError:
            return True  # It is no database, and so in nobody's use.


def _copy_site(site_file: Path, to: Path) -> PurePosixPath:
    """The site file and what it names; its path below ``to``."""
    paths = [site_file.absolute(), *files_beside(site_file)]
    root = Path(os.path.commonpath([path.parent for path in paths]))
    for path in paths:
        target = to / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(path, target)
    return PurePosixPath(paths[0].relative_to(root))


def _copy_attachments(attached: AttachedFiles, names: Sequence[str], to: Path) -> list[str]:
    """The files ``names``, each compared with its hash; those that are gone or damaged."""
    lost, there = [], AttachedFiles(to)
    for name in names:
        try:
            data = attached.read(name)
        except LostFileError:
            lost.append(name)
            continue
        there.path(name).parent.mkdir(parents=True, exist_ok=True)
        there.path(name).write_bytes(data)
    return lost


def _copy_database(path: Path, to: Path) -> None:
    """In one step, so that nobody who writes meanwhile makes it begin again."""
    with (
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target)


def _members(folder: Path) -> list[str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _pack(folder: Path, members: tuple[str, ...], to: Path) -> None:
    handle = os.open(to, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w+b") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
            for member in members:
                tar.add(folder / member, member, filter=_of_the_owner)
        file.flush()
        os.fsync(handle)


def _of_the_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mode = 0o600
    return member


def _for_the_owner(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    """``member`` as it may be unpacked, for its owner alone, whatever the archive says."""
    mode = 0o700 if member.isdir() else 0o600
    return tarfile.data_filter(member, folder).replace(mode=mode, deep=False)


def _manifest(folder: Path) -> Manifest:
    said = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    if said.pop("version") != _VERSION:
        raise ValueError("it is of another version")
    held = said.pop("ledger")
    contents = Contents(
        revision=held["revision"],
        rows=held["rows"],
        audits={site: Verdict(**verdict) for site, verdict in held["audits"].items()},
    )
    return Manifest(ledger=contents, **said)
