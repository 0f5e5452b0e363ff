"""What was sent, what waits and why, and how each channel is doing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, and_, func, or_, select

from rules.ledger.tables.outbox import OUTSTANDING, channel, outbox
from rules.ledger.view import View

Place = tuple[int, str, str]
"""Where a page of the list ended: created_at, notice, channel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Posted:
    """A row of the outbox."""

    notice: str
    channel: str
    body: Mapping[str, Any]
    people: tuple[str, ...]
    state: str
    created_at: int
    until: int
    """µs UTC: while waiting or held, not before."""
    attempts: int
    possibly_repeated: bool
    sent_at: int | None
    error: str | None
    digest: str | None
    """The notice into which it was gathered."""
    gathered: int
    """How many are gathered in it, itself for one that is no digest."""

    @property
    def place(self) -> Place:
        return (self.created_at, self.notice, self.channel)


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    waiting: int
    """Not sent, held ones and those under way too."""
    oldest: int | None
    """µs UTC: since when the oldest of them waits, held ones left out."""
    sent_at: int | None
    failing_since: int | None
    error: str | None


def posted(
    view: View,
    *,
    limit: int,
    states: Collection[str] | None = None,
    channels: Collection[str] | None = None,
    digest: str | None = None,
    before: Place | None = None,
) -> list[Posted]:
    """Newest first; ``digest``: only what was gathered into that notice."""
    wanted = [outbox.c.site_id == view.site]
    if states is not None:
        wanted.append(outbox.c.state.in_(states))
    if channels is not None:
        wanted.append(outbox.c.channel.in_(channels))
    if digest is not None:
        wanted.append(outbox.c.digest == digest)
    if before is not None:
        at, notice, by = before
        same = outbox.c.created_at == at
        wanted.append(
            or_(
                outbox.c.created_at < at,
                and_(same, outbox.c.notice < notice),
                and_(same, outbox.c.notice == notice, outbox.c.channel < by),
            )
        )
    query = (
        select(outbox)
        .where(*wanted)
        .order_by(outbox.c.created_at.desc(), outbox.c.notice.desc(), outbox.c.channel.desc())
        .limit(limit)
    )
    return [_posted(row) for row in view.connection.execute(query).mappings()]


def last_of_kind(view: View, channel_id: str, kind: str) -> Posted | None:
    """The newest message by a channel whose id begins with ``kind``."""
    query = (
        select(outbox)
        .where(
            outbox.c.site_id == view.site,
            outbox.c.channel == channel_id,
            outbox.c.notice.startswith(f"{kind}.", autoescape=True),
        )
        .order_by(outbox.c.created_at.desc())
        .limit(1)
    )
    row = view.connection.execute(query).mappings().one_or_none()
    return None if row is None else _posted(row)


def healths(view: View, ids: Sequence[str]) -> dict[str, Health]:
    """How each of the channels ``ids`` is doing."""
    here = and_(outbox.c.site_id == view.site, OUTSTANDING)
    oldest = func.min(outbox.c.created_at).filter(outbox.c.state != "held")
    counts = {
        name: (count, since)
        for name, count, since in view.connection.execute(
            select(outbox.c.channel, func.count(), oldest).where(here).group_by(outbox.c.channel)
        )
    }
    known = {
        row["id"]: row
        for row in view.connection.execute(
            select(channel).where(channel.c.site_id == view.site)
        ).mappings()
    }
    return {name: _health(counts.get(name, (0, None)), known.get(name)) for name in ids}


def _health(waiting: tuple[int, int | None], row: RowMapping | None) -> Health:
    count, oldest = waiting
    return Health(
        waiting=count,
        oldest=oldest,
        sent_at=row["sent_at"] if row else None,
        failing_since=row["failing_since"] if row else None,
        error=row["last_error"] if row else None,
    )


def _posted(row: RowMapping) -> Posted:
    return Posted(
        notice=row["notice"],
        channel=row["channel"],
        body=row["body"],
        people=tuple(row["people"]),
        state=row["state"],
        created_at=row["created_at"],
        until=row["until_wall"],
        attempts=row["attempts"],
        possibly_repeated=row["doubtful"],
        sent_at=row["sent_at"],
        error=row["last_error"],
        digest=row["digest"],
        gathered=row["gathered"],
    )
