"""Wishes for faults, from whoever shows the demonstration to the world that plays it.

``wishes.jsonl`` lies beside the world and only grows, a wish a line; the world remembers up to
which byte it has taken them, so none is lost or taken twice over a kill of either side.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, fields
from pathlib import Path

from simulators.injection import Wish

_FILE = "wishes.jsonl"
_KNOWN = frozenset(field.name for field in fields(Wish))


def ask(folder: Path, wish: Wish) -> None:
    """Add ``wish``, durably; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(wish)).encode() + b"\n"
    handle = os.open(folder / _FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line)
        os.fsync(handle)
    finally:
        os.close(handle)


def size(folder: Path) -> int:
    """How many bytes of wishes there are."""
    try:
        return (folder / _FILE).stat().st_size
    except FileNotFoundError:
        return 0


def after(folder: Path, taken: int) -> tuple[list[Wish], int]:
    """The whole wishes behind byte ``taken``, and up to which byte they go."""
    end = size(folder)
    if end <= taken:
        return [], min(taken, end)
    with (folder / _FILE).open("rb") as file:
        file.seek(taken)
        text = file.read(end - taken)
    whole = text[: text.rfind(b"\n") + 1]
    found = [wish for line in whole.splitlines() if (wish := _wish(line)) is not None]
    return found, taken + len(whole)


def _wish(line: bytes) -> Wish | None:
    """None for what a kill has left half written."""
    try:
        plain = json.loads(line)
        return Wish(**{name: value for name, value in plain.items() if name in _KNOWN})
    except (ValueError, TypeError, AttributeError):
        return None
