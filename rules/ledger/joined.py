"""Several actions, or an action and its record, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rules.ledger.store import Entry, Ledger
from rules.ledger.view import View


class JoinedLedger(Ledger):
    """A ledger whose reads and writes belong to a transaction that is open already.

    What an action has written is undone alone where it raises; the transaction goes on.
    """

    def __init__(self, entry: Entry) -> None:
        super().__init__(entry.connection.engine)
        self._entry = entry

    @contextmanager
    def read(self, site: str) -> Iterator[View]:
        yield View(connection=self._of(site).connection, site=site)

    @contextmanager
    def write(self, site: str) -> Iterator[Entry]:
        with self._of(site).apart(Exception):
            yield self._entry

    def _of(self, site: str) -> Entry:
        if site != self._entry.site:
            raise ValueError(f"the transaction is of {self._entry.site}, and not of {site}")
        return self._entry
