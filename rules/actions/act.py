"""The frame of a write by a person about one thing that is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.model.moment import Instant
from rules.ledger import audit
from rules.ledger.idempotency import is_new
from rules.ledger.store import Entry, Ledger
from rules.people.roles import Actor


@dataclass(frozen=True, slots=True)
class Act:
    """Who does something with what, and when."""

    ledger: Ledger
    site: str
    subject: str
    """The id of the thing."""
    actor: Actor
    now: Instant
    key: str | None = None
    """The same key again does nothing."""
    admit: Callable[[Entry], None] | None = None
    """Raises, in the transaction and before anything is done, for who was let in by something that
    no longer counts."""

    @property
    def by(self) -> str:
        return self.actor.username

    def is_new(self, entry: Entry, name: str) -> bool:
        """Whether it is still to do; raises ``KeyReusedError``."""
        return is_new(entry, self.key, name, self.subject, by=self.by, now=self.now)

    def record(self, entry: Entry, name: str, **detail: str | float | None) -> None:
        """In the audit."""
        audit.record(entry, self.actor, name, self.subject, self.now.wall, **detail)
