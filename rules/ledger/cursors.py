"""How far the records of a gateway have had their effect: part of the effect's transaction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, select

from rules.ledger.store import Entry
from rules.ledger.tables import cursor


@dataclass(frozen=True, kw_only=True, slots=True)
class Cursor:
    """The last record of a gateway that had its effect, and the spools that were before."""

    epoch: str
    seq: int
    ordinal: int
    """Counts the gateway's spools."""
    retired: frozenset[str] = field(default=frozenset(), compare=False)
    """Epochs of spools that are gone: a late record of theirs changes nothing."""

    def takes(self, epoch: str, seq: int) -> bool:
        """Whether this record has yet to have its effect."""
        if epoch == self.epoch:
            return seq > self.seq
        return epoch not in self.retired

    def at(self, epoch: str, seq: int) -> Cursor:
        """The cursor after this record."""
        if epoch == self.epoch:
            return replace(self, seq=seq)
        retired = self.retired | {self.epoch} if self.epoch else self.retired
        return Cursor(epoch=epoch, seq=seq, ordinal=self.ordinal + 1, retired=retired)


NOWHERE = Cursor(epoch="", seq=0, ordinal=0)
"""Before the first record ever."""


def load(connection: Connection, site: str, gateway: str) -> Cursor:
    """The cursor in force; :data:`NOWHERE` where the gateway was never heard."""
    rows = connection.execute(
        select(cursor.c.epoch, cursor.c.seq, cursor.c.ordinal)
        .where(cursor.c.site_id == site, cursor.c.gateway == gateway)
        .order_by(cursor.c.ordinal.desc())
    ).all()
    if not rows:
        return NOWHERE
    (epoch, seq, ordinal), *older = rows
    return Cursor(
        epoch=epoch, seq=seq, ordinal=ordinal, retired=frozenset(row.epoch for row in older)
    )


def save(entry: Entry, gateway: str, new: Cursor) -> None:
    columns = {"epoch": new.epoch, "seq": new.seq, "ordinal": new.ordinal}
    entry.put(cursor, [{"gateway": gateway, **columns}])
