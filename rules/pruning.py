"""When rows are pruned: every hour, in small steps, and only while the wall clock is believed.

Alarms, orders, rounds, maintenance and shifts go too where the site says how long they are kept
(``register.yaml``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from gateway.clock import Clock
from gateway.model.equipment import Site
from gateway.model.moment import DAY, HOUR, MINUTE, SECOND, Instant
from rules import housekeeping
from rules.ledger import audit, equipment_register_view, pruning, records_pruning
from rules.ledger.pruning import AT_ONCE, RETENTIONS
from rules.ledger.store import Entry, Ledger
from rules.ledger.view import View
from rules.people.roles import PROGRAM
from rules.register.book import RegisterBook
from rules.register.keeping import Keeping

_EVERY_S = HOUR / SECOND
_REST_S = 1.0
"""Between two steps: whoever waits to write goes before."""
_SILENCE = DAY
"""µs without a change after which the wall clock is doubted at the start."""
_DOUBT = 30 * DAY
"""µs that nothing is pruned after a step of the wall clock, or such a start."""

_log = structlog.get_logger(__name__)


_RECORDS: Sequence[
    tuple[
        str,
        Callable[[View, Keeping, int], list[str]],
        Callable[[Entry, Sequence[str]], int],
    ]
] = (
    ("rounds", records_pruning.old_rounds, records_pruning.remove_rounds),
    ("plans", records_pruning.old_plans, records_pruning.remove_plans),
    ("shifts", records_pruning.old_shifts, records_pruning.remove_shifts),
    ("orders", records_pruning.old_orders, records_pruning.remove_orders),
    ("alarms", records_pruning.old_alarms, records_pruning.remove_alarms),
)
"""What goes by its class, in this order: how it is found, and how it is removed."""


class Records:
    """What is on record at one site, kept as long as it says."""

    def __init__(self, site: Site, book: RegisterBook, ledger: Ledger) -> None:
        self._site = site
        self._book = book
        self._ledger = ledger

    def step(self, wall: int) -> int:
        """Remove a few that are over for longer than they are kept; how many that were.

        They are looked for before anybody has to wait, and nothing that is over begins again.
        """
        if not self._book.keep_years:
            return 0
        removed = 0
        for name, old, remove in _RECORDS:
            with self._ledger.read(self._site.id) as view:
                records = equipment_register_view.records(view)
                ids = old(view, Keeping(self._site, self._book, records), wall)
            if ids:
                with self._ledger.write(self._site.id) as entry:
                    removed += remove(entry, ids)
                    audit.record(entry, PROGRAM, "records.prune", name, wall, removed=len(ids))
        return removed


class Pruner:
    """What one process prunes of one site's ledger."""

    def __init__(self, site: str, ledger: Ledger, records: Records | None = None) -> None:
        self._site = site
        self._ledger = ledger
        self._records = records
        self._offset: int | None = None
        """Of the wall clock from the monotonic one, µs; None: not looked at yet."""
        self._from: Instant | None = None
        """When the wall clock may be believed; None: now."""

    def step(self, now: Instant) -> int:
        """Remove what is too old, a little of each table; the most rows that were removed of one.
        Blocks, and raises what the ledger raises."""
        if not self._is_believed(now):
            return 0
        removed = []
        for retention in RETENTIONS:
            with self._ledger.write(self._site) as entry:
                removed.append(pruning.prune(entry, retention, now.wall))
        if any(removed):
            names = [retention.table.name for retention in RETENTIONS]
            _log.info("old rows removed", **dict(zip(names, removed, strict=True)))
        if self._records is not None and self._records.step(now.wall):
            # There may be more of them.
            return AT_ONCE
        return max(removed)

    def _is_believed(self, now: Instant) -> bool:
        offset = now.wall - now.mono
        if self._offset is None:
            last = pruning.newest(self._ledger, self._site)
            is_strange = last is not None and abs(now.wall - last) > _SILENCE
        else:
            # A clock that only drifts is none that was set.
            is_strange = abs(offset - self._offset) > MINUTE
        self._offset = offset
        if is_strange:
            self._from = now.plus(_DOUBT)
        return self._from is None or now.reached(self._from)


async def run(
    *, site: Site, book: RegisterBook, ledger: Ledger, clock: Clock, stop: asyncio.Event
) -> None:
    """Until ``stop``."""
    pruner = Pruner(site.id, ledger, Records(site, book, ledger))

    async def tick(now: Instant) -> float:
        most = await asyncio.to_thread(pruner.step, now)
        return _REST_S if most == AT_ONCE else _EVERY_S

    await housekeeping.keep("old rows", tick, clock, stop, patience=_EVERY_S)
