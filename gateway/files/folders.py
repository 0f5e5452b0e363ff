"""The documents in a folder that a site fills: which are read, and which nobody would notice."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fnmatch import fnmatch
from pathlib import Path

from gateway.files.documents import Problem

_ASIDE = (".*", "*~", "*.swp", "README*")
"""Hidden files, what editors leave behind, and words for the reader."""


def documents(folder: Path, pattern: str) -> list[Path]:
    """The files below ``folder`` that are to be read, in order; none if there is no folder."""
    return sorted(path for path in folder.glob(pattern) if not _is_aside(folder, path))


def strays(folder: Path, taken: Collection[Path], mend: str) -> Iterator[Problem]:
    """A problem for each file below ``folder`` that is not read, although somebody wrote it."""
    for path in documents(folder, "**/*"):
        if path not in taken and not path.is_dir():
            yield Problem(file=str(path), line=1, name="document", wrong="is not read", mend=mend)


def _is_aside(folder: Path, path: Path) -> bool:
    parts = path.relative_to(folder).parts
    return any(fnmatch(part, pattern) for part in parts for pattern in _ASIDE)
