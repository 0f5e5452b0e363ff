"""Rows that wait for a channel which the site file no longer has: nobody would ever send them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, not_, select, update

from rules.ledger.outbox import DIGEST
from rules.ledger.store import Entry
from rules.ledger.tables.outbox import OUTSTANDING, outbox

NO_CHANNEL = "the site file has no such channel"


@dataclass(frozen=True, kw_only=True, slots=True)
class Orphan:
    """A message that waits for a channel that is none."""

    notice: str
    channel: str
    rank: int
    body: dict[str, Any]
    people: tuple[str, ...]


def lost_channels(entry: Entry, known: Collection[str]) -> list[str]:
    """Ids of channels for which something waits, and which are not ``known``."""
    query = (
        select(outbox.c.channel)
        .where(outbox.c.site_id == entry.site, OUTSTANDING, outbox.c.channel.not_in(known))
        .distinct()
        .order_by(outbox.c.channel)
    )
    return list(entry.connection.execute(query).scalars())


def urgent_orphans(entry: Entry, channel: str) -> list[Orphan]:
    """Fire and entrapment that wait for ``channel``, those gathered into one message too."""
    waiting = and_(
        outbox.c.site_id == entry.site, outbox.c.channel == channel, outbox.c.rank < 0, OUTSTANDING
    )
    digests = select(outbox.c.notice).where(waiting, outbox.c.notice.startswith(DIGEST))
    inside = and_(
        outbox.c.site_id == entry.site,
        outbox.c.channel == channel,
        outbox.c.digest.in_(digests.scalar_subquery()),
    )
    found: list[Orphan] = []
    for wanted in (and_(waiting, not_(outbox.c.notice.startswith(DIGEST))), inside):
        rows = entry.connection.execute(
            select(outbox).where(wanted).order_by(outbox.c.created_at, outbox.c.notice)
        ).mappings()
        found += [
            Orphan(
                notice=row["notice"],
                channel=row["channel"],
                rank=row["rank"],
                body=row["body"],
                people=tuple(row["people"]),
            )
            for row in rows
        ]
    return found


def drop(entry: Entry, channel: str, *, urgent_too: bool) -> int:
    """Nothing waits for ``channel`` any more; how many that were."""
    wanted = and_(outbox.c.site_id == entry.site, outbox.c.channel == channel, OUTSTANDING)
    if not urgent_too:
        wanted = and_(wanted, outbox.c.rank >= 0)
    dropped = update(outbox).where(wanted).values(state="dropped", last_error=NO_CHANNEL)
    return entry.connection.execute(dropped).rowcount
