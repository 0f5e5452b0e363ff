"""How far the records of a gateway have had their effect: part of the effect's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, select

from gateway.model.moment import SECOND, Instant
from rules.ledger.rows import instant, instant_columns
from rules.ledger.store import Entry
from rules.ledger.tables.work import cursor

HEARTBEAT = 5 * SECOND
"""µs after which the cursor is written although it did not move: the rules are alive."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """The last record of a gateway that had its effect, and how far other spools were read."""

    epoch: str
    seq: int
    ordinal: int
    """Counts the changes from one spool to another."""
    committed: Instant | None = field(default=None, compare=False)
    """When this was written, by the clocks of the rules."""
    others: Mapping[str, Cursor] = field(default_factory=dict, compare=False)
    """Epoch → where the rules left that spool. It may come back: a folder that was not mounted,
    a backup restored. What had its effect then has none again, what came later still has."""

    def takes(self, epoch: str, seq: int) -> bool:
        """Whether this record has yet to have its effect."""
        if epoch == self.epoch:
            return seq > self.seq
        left = self.others.get(epoch)
        return left is None or seq > left.seq

    def at(self, epoch: str, seq: int) -> Cursor:
        """The cursor after this record."""
        if epoch == self.epoch:
            return replace(self, seq=seq)
        others = {name: left for name, left in self.others.items() if name != epoch}
        if self.epoch:
            others[self.epoch] = replace(self, others={})
        return Cursor(epoch=epoch, seq=seq, ordinal=self.ordinal + 1, others=others)

    def is_due(self, now: Instant) -> bool:
        """Whether it is time to write it again."""
        written = self.committed
        return written is not None and not 0 <= now.since(written) < HEARTBEAT


NOWHERE = Cursor(epoch="", seq=0, ordinal=0)
"""Before the first record ever."""


def load(connection: Connection, site: str, gateway: str) -> Cursor:
    """The cursor in force; :data:`NOWHERE` where the gateway was never heard."""
    rows = connection.execute(
        select(cursor)
        .where(cursor.c.site_id == site, cursor.c.gateway == gateway)
        .order_by(cursor.c.ordinal.desc())
    ).mappings()
    found = [
        Cursor(
            epoch=row["epoch"],
            seq=row["seq"],
            ordinal=row["ordinal"],
            committed=instant(row, "at"),
        )
        for row in rows
    ]
    if not found:
        return NOWHERE
    newest, *others = found
    return replace(newest, others={left.epoch: left for left in others})


def save(entry: Entry, gateway: str, new: Cursor, now: Instant) -> None:
    """Write ``new`` and where it left the spools that were in force since it was last written."""
    entry.put(
        cursor,
        [
            {
                "gateway": gateway,
                "epoch": one.epoch,
                "seq": one.seq,
                "ordinal": one.ordinal,
                **instant_columns("at", now),
            }
            for one in (new, *new.others.values())
        ],
    )
