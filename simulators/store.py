"""The simulated world on disk: its state, and the log of everything that happened in it.

``state.json`` is replaced as a whole. ``events.jsonl`` only grows, one event a line, each on the
disk before the state that counts it. A world that was set back by a kill makes the same events
with the same numbers again; those are in the log already and are not written twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from gateway.model.moment import iso, stamp
from simulators.world import Event, World, from_plain, to_plain


class WorldStore:
    """The folder of a simulated world. Opening repairs a last line that was cut by a kill."""

    def __init__(self, folder: Path, *, scenario: str) -> None:
        """``scenario``: the fingerprint of the scenario, for another one is another world."""
        folder.mkdir(parents=True, exist_ok=True)
        self._state = folder / "state.json"
        self._scenario = scenario
        self._log = (folder / "events.jsonl").open("a+b", buffering=0)
        self._last = self._numbered()

    def load(self) -> World | None:
        """The world as it was left; None where there is none for this scenario.

        A state that cannot be read is kept aside as ``state.unreadable``.
        """
        try:
            plain = json.loads(self._state.read_bytes())
            if plain["scenario"] != self._scenario:
                return None
            return from_plain(plain["world"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            self._state.replace(self._state.with_suffix(".unreadable"))
            return None

    def save(self, world: World) -> None:
        """Replace the state by ``world``, durably."""
        plain = {"scenario": self._scenario, "world": to_plain(world)}
        fresh = self._state.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(json.dumps(plain).encode())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._state)
        _sync_folder(self._state.parent)

    def begin(self, world: World, wall: int) -> None:
        """``world`` begins at ``wall`` (µs UTC); the log of an earlier one is put aside."""
        if self._last:
            path = self._state.with_name("events.jsonl")
            path.replace(path.with_name(f"events-until-{stamp(wall)}.jsonl"))
            self._log.close()
            self._log = path.open("a+b", buffering=0)
            self._last = 0
        self.save(world)

    def append(self, events: Iterable[Event], wall: int) -> None:
        """Log ``events``, which happened at ``wall`` (µs UTC); known numbers are passed over."""
        lines = [
            json.dumps({"at": iso(wall), **asdict(event)}).encode() + b"\n"
            for event in events
            if event.number > self._last
        ]
        if lines:
            self._log.write(b"".join(lines))
            os.fsync(self._log.fileno())
            self._last += len(lines)

    def close(self) -> None:
        self._log.close()

    def _numbered(self) -> int:
        """The number of the last whole event; a line cut short by a kill is cut off."""
        self._log.seek(0)
        text = self._log.read()
        whole = text[: text.rfind(b"\n") + 1]
        if len(whole) < len(text):
            self._log.truncate(len(whole))
        lines = whole.splitlines()
        return int(json.loads(lines[-1])["number"]) if lines else 0


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
