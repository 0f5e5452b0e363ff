"""The files that are in force: the last ones that were right, kept in the data directory.

A duty room must come up again whatever somebody is writing into its site file at the moment. So
the services read a copy: the site file and what it names by relative path, taken together, checked
as copied, and put in force by one rename. A kill at any moment leaves the old ones or the new.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from api import configuration, demo_people
from api.settings import Settings
from gateway import failpoint
from gateway.files.documents import ConfigurationError, Problem
from gateway.site import files as site_file

_POINTER = "current.json"
_TRIES = 3
_KEPT = 3
"""Sets that are kept, the one in force among them, for whoever wants to see what was."""


class FilesInForce:
    """The copies in one folder; building it touches nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def site(self) -> Path | None:
        """The site file in force; None where none was ever right here."""
        try:
            pointer = json.loads((self._folder / _POINTER).read_text(encoding="utf-8"))
            path = self._folder / pointer["set"] / pointer["site"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return path if path.is_file() else None

    def is_of(self, given: Path) -> bool:
        """Whether what is in force was taken from the file ``given``."""
        try:
            pointer = json.loads((self._folder / _POINTER).read_text(encoding="utf-8"))
            return bool(pointer["from"] == str(given.absolute()))
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def adopt(self, settings: Settings) -> Path:
        """Put the files of ``settings.site`` in force; where the copy of the site file is.

        Raises ConfigurationError with every problem, and then what was in force still is.
        """
        given = settings.site.absolute()
        people = demo_people.file_of(configuration.check(settings))
        paths = [given, *site_file.files_beside(given)]
        if people is not None:
            paths.append(people.absolute())
        root = Path(os.path.commonpath([path.parent for path in paths]))
        name = self._copied(root, paths, given)
        copy = self._folder / name
        failpoint.reach(failpoint.BEFORE_IN_FORCE)
        pointer = {"set": name, "site": str(given.relative_to(root)), "from": str(given)}
        self._point_to(pointer)
        self._forget_old(name)
        return copy / given.relative_to(root)

    def _copied(self, root: Path, paths: Sequence[Path], given: Path) -> str:
        """The name of the checked copy: the fingerprint of what was copied, not of what was there
        a moment before. Files that change under our hands are copied again."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for _ in range(_TRIES):
            name = _fingerprint(root, paths)
            if (self._folder / name).is_dir():
                return name
            fresh = self._folder / f"{name}.new"
            shutil.rmtree(fresh, ignore_errors=True)
            _copy(root, paths, fresh)
            there = [fresh / path.relative_to(root) for path in paths]
            if _fingerprint(fresh, there) == name:
                self._check(fresh / given.relative_to(root), given)
                fresh.rename(self._folder / name)
                return name
            shutil.rmtree(fresh)
        raise ConfigurationError(
            [
                Problem(
                    file=str(given),
                    line=1,
                    name="site",
                    wrong="is being changed",
                    mend="save the files, then try again",
                )
            ]
        )

    def _check(self, copied: Path, given: Path) -> None:
        """What was changed while it was copied is wrong under the name that people know."""
        try:
            configuration.check(Settings(site=copied, data=self._folder))
        except ConfigurationError as error:
            raise ConfigurationError(
                replace(problem, file=str(given)) for problem in error.problems
            ) from None

    def _point_to(self, pointer: dict[str, str]) -> None:
        fresh = self._folder / f"{_POINTER}.new"
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(pointer, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._folder / _POINTER)

    def _forget_old(self, name: str) -> None:
        sets = [path for path in self._folder.iterdir() if path.is_dir() and path.name != name]
        sets.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in sets[_KEPT - 1 :]:
            shutil.rmtree(path, ignore_errors=True)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if file.is_file())
        else:
            yield path


def _fingerprint(root: Path, paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in _files(paths):
        digest.update(str(file.relative_to(root)).encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _copy(root: Path, paths: Sequence[Path], to: Path) -> None:
    """Every file durably, readable by its owner alone: one may hold the broker's password."""
    for file in _files(paths):
        target = to / file.relative_to(root)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(file.read_bytes())
            out.flush()
            os.fsync(handle)
