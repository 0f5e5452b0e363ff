"""What the rules say of themselves on the bus, and the alarms that are up and no rows yet.

An alarm is shown from the first word that names it. It goes only when the ledger has it, under
the same id, or when the rules name it no more **and** the ledger was looked into since without
finding it: between a commit and our next look it is in neither, and must not blink.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import structlog

from gateway.clock import Clock
from gateway.model.moment import SECOND, Instant
from rules.ledger.rows import Alarm
from rules.provisional import UnreadableWordError, Word, decode, most_urgent

FRESH = 5 * SECOND
"""µs for which a word holds; the rules speak every second."""
HELD = 1000
"""Alarms kept; of more, which no worker can have meant, the most urgent and newest."""
_REMEMBERED = 2000
"""Ids of alarms that have lately become rows: a word that was on its way names them still."""

_log = structlog.get_logger(__name__)


class Provisional:
    """Belongs to the event loop. Building one hears nothing: subscribe :meth:`hear`."""

    def __init__(self, site: str, clock: Clock) -> None:
        self._site = site
        self._clock = clock
        self._alarms: dict[str, Alarm] = {}
        self._leaving: set[str] = set()
        self._rows: dict[str, None] = {}
        self._heard: Instant | None = None
        self._word: Word | None = None
        self.version = 0
        """Counts the changes of what :meth:`alarms` gives."""

    def hear(self, _topic: str, payload: bytes) -> None:
        """A word of the rules; what is none is passed over."""
        try:
            word = decode(payload)
        except UnreadableWordError as error:
            _log.warning("unreadable word of the rules", error=str(error))
            return
        if word.site != self._site:
            return
        self._word, self._heard = word, self._clock.now()
        said = {alarm.id: alarm for alarm in word.alarms if alarm.id not in self._rows}
        # One who has not seen everything yet, or cannot say everything, takes nothing back.
        if word.complete and not word.unsaid:
            self._leaving = self._alarms.keys() - said.keys()
        self._leaving -= said.keys()
        if any(self._alarms.get(key) != alarm for key, alarm in said.items()):
            self._alarms.update(said)
            if len(self._alarms) > HELD:
                kept = most_urgent(self._alarms.values(), HELD)
                self._alarms = {alarm.id: alarm for alarm in kept}
                self._leaving &= self._alarms.keys()
            self.version += 1

    def alarms(self) -> list[Alarm]:
        """Newest first."""
        return sorted(
            self._alarms.values(), key=lambda alarm: (alarm.raised_at, alarm.id), reverse=True
        )

    def alarm(self, alarm_id: str) -> Alarm | None:
        return self._alarms.get(alarm_id)

    def leaving(self) -> frozenset[str]:
        """Those that the rules name no more: take this before a look into the ledger, and
        :meth:`let_go` of it after one that found everything there is."""
        return frozenset(self._leaving)

    def let_go(self, ids: Collection[str]) -> None:
        self._drop(self._leaving.intersection(ids))

    def are_rows(self, ids: Iterable[str]) -> None:
        """The ledger has these."""
        found = list(ids)
        self._rows.update(dict.fromkeys(found))
        while len(self._rows) > _REMEMBERED:
            del self._rows[next(iter(self._rows))]
        self._drop(found)

    def word(self) -> Word | None:
        """The last word of the rules, if it is fresh."""
        if self._heard is None or self._clock.now().since(self._heard) > FRESH:
            return None
        return self._word

    @property
    def ledger_takes(self) -> bool:
        """False where the rules say that the ledger does not take what comes up."""
        word = self.word()
        return word is None or word.ledger_takes

    def _drop(self, ids: Iterable[str]) -> None:
        gone = self._alarms.keys() & set(ids)
        for key in gone:
            del self._alarms[key]
        self._leaving -= gone
        self.version += bool(gone)
