"""Where the rulebook's files are: a site's own folder stands before the shipped one, file by
file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gateway.files.folders import documents

SHIPPED = Path(__file__).parent / "book"


def folders_of(own: Path | None) -> Sequence[Path]:
    """The folders of a site whose own one is ``own``, the one that wins first."""
    return (SHIPPED,) if own is None else (own, SHIPPED)


def in_force(folders: Sequence[Path], pattern: str) -> list[Path]:
    """The files of that pattern, one a name, the first folder that has it."""
    named: dict[str, Path] = {}
    for folder in folders:
        for path in documents(folder, pattern):
            named.setdefault(path.name, path)
    return [named[name] for name in sorted(named)]
