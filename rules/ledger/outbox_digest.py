"""What is too much for a channel, or was held back for the night, as one message.

A digest is a row of its own, and each gathered row names it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_, select, update

from gateway.model.moment import DAY, Instant
from rules.ledger.outbox import DIGEST, Claimed, Sender, may_go, too_far
from rules.ledger.rows import instant_columns
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables.outbox import OUTSTANDING, outbox
from rules.ledger.timers import reached

_HAS_LINK = outbox.c.body["contractor_link"].as_string().is_not(None)
SHOWN = 30
"""Messages of a digest that are told with their titles."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """What a digest tells of."""

    count: int
    by_rank: dict[int, int]
    since: int
    titles: list[dict[str, str]]
    """Of the most urgent, then the oldest."""
    people: tuple[str, ...]


def held_and_due(ledger: Ledger, site: str, channel: str, now: Instant) -> int:
    """How many held messages may go now: 0, 1, or 2 for more."""
    due = _held_and_due(site, channel, now)
    with ledger.reading() as connection:
        some = select(outbox.c.notice).where(due).limit(2).subquery()
        return int(connection.execute(select(func.count()).select_from(some)).scalar_one())


def gather(
    ledger: Ledger,
    sender: Sender,
    digest: str,
    body_of: Callable[[Gathered], dict[str, Any]],
    *,
    urgent: bool = False,
    held: bool = False,
    links_apart: bool = False,
) -> Claimed | None:
    """All that may go by a channel now as one message, claimed: fire and entrapment, or
    (``held``) what the night has held back, or else the rest. ``links_apart``: but for what has a
    contractor's link, which is for one reader alone.

    Each gathered row names the digest. A digest is not gathered again: its titles would be told
    nowhere; it is tried again as itself. None where there was nothing.
    """
    if held:
        wanted = _held_and_due(sender.site, sender.channel, sender.now)
    else:
        rank = outbox.c.rank < 0 if urgent else outbox.c.rank >= 0
        # What another sender has under way is not taken from it.
        untouched = and_(outbox.c.state == "waiting", not_(outbox.c.notice.startswith(DIGEST)))
        wanted = and_(may_go(sender.site, sender.channel, sender.now), rank, untouched)
    if links_apart:
        wanted = and_(wanted, not_(_HAS_LINK))
    with ledger.writing() as connection:
        entry = Entry(connection, sender.site)
        connection.execute(update(outbox).where(wanted).values(state="in_digest", digest=digest))
        found = _gathered(entry, sender.channel, digest)
        if found is None:
            return None
        body = body_of(found)
        entry.insert_once(
            outbox,
            notice=digest,
            channel=sender.channel,
            rank=min(found.by_rank),
            body=body,
            people=list(found.people),
            created_at=sender.now.wall,
            state="claimed",
            claimed_by=sender.claimant,
            **instant_columns("until", sender.until),
            attempts=1,
            doubtful=True,
            gathered=found.count,
        )
    return Claimed(
        notice=digest,
        channel=sender.channel,
        rank=min(found.by_rank),
        body=body,
        people=found.people,
        reached=(),
        claimant=sender.claimant,
        attempts=1,
        possibly_repeated=False,
    )


def release_held(
    ledger: Ledger, site: str, channel: str, now: Instant, *, links_only: bool = False
) -> None:
    """The night is over: what was held waits like everything else."""
    due = _held_and_due(site, channel, now)
    if links_only:
        due = and_(due, _HAS_LINK)
    with ledger.writing() as connection:
        connection.execute(update(outbox).where(due).values(state="waiting"))


def _gathered(entry: Entry, channel_id: str, digest: str) -> Gathered | None:
    of_digest = and_(
        outbox.c.site_id == entry.site, outbox.c.channel == channel_id, outbox.c.digest == digest
    )
    ranks = entry.connection.execute(
        select(outbox.c.rank, func.sum(outbox.c.gathered), func.min(outbox.c.created_at))
        .where(of_digest)
        .group_by(outbox.c.rank)
    ).all()
    if not ranks:
        return None
    urgency = (outbox.c.rank, outbox.c.created_at, outbox.c.notice)
    first = entry.connection.execute(
        select(outbox.c.body).where(of_digest).order_by(*urgency).limit(SHOWN)
    ).scalars()
    meant = entry.connection.execute(
        select(outbox.c.people).where(of_digest).order_by(*urgency)
    ).scalars()
    by_rank = {rank: int(count) for rank, count, _ in ranks}
    return Gathered(
        count=sum(by_rank.values()),
        by_rank=by_rank,
        since=min(since for _, _, since in ranks),
        titles=[dict(body["title"]) for body in first],
        people=tuple(dict.fromkeys(name for names in meant for name in names)),
    )


def _held_and_due(site: str, channel_id: str, now: Instant) -> ColumnElement[bool]:
    return and_(
        outbox.c.site_id == site,
        outbox.c.channel == channel_id,
        OUTSTANDING,
        outbox.c.state == "held",
        or_(reached(outbox, "until", now), too_far(now, DAY)),
    )
