"""The outbox: a message is a row before it is sent, one a channel.

A sender claims a row, sends, and marks it. Who dies in between leaves a claim that runs out;
the next sender sends again under the same id and says that it may be a repetition. What is too
much for a channel is gathered: a digest is a row of its own, and each gathered row names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from gateway.model.moment import MINUTE, Instant
from rules.ledger.rows import instant_columns
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables.outbox import OUTSTANDING, channel, outbox
from rules.ledger.timers import reached
from rules.rule import Priority

LONGEST_WAIT = 5 * MINUTE
"""µs that a message may have to wait for its next attempt."""
LIFE_SAFETY = -1
"""Rank of fire and entrapment."""
DIGEST = "digest."
"""The ids of digests begin with it."""
_TRIES = 24
"""So many last attempts by a channel are remembered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """A message that this sender, and nobody else for the time of its claim, may send."""

    notice: str
    channel: str
    rank: int
    body: dict[str, Any]
    people: tuple[str, ...]
    """User names of those who are meant."""
    reached: tuple[str, ...]
    """Those of them who have it from an earlier attempt."""
    claimant: str
    attempts: int
    """This one included."""
    possibly_repeated: bool

    @property
    def life_safety(self) -> bool:
        return self.rank == LIFE_SAFETY


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """How much there is to send by a channel now, counted as far as it matters."""

    urgent: int
    routine: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """Who claims for which channel, and until when."""

    site: str
    channel: str
    claimant: str
    now: Instant
    until: Instant


def rank_of(priority: Priority, *, life_safety: bool) -> int:
    return LIFE_SAFETY if life_safety else priority.rank


def post(
    entry: Entry,
    notice: str,
    body: dict[str, Any],
    to_channel: str,
    *,
    rank: int,
    now: Instant,
    people: Sequence[str] = (),
    held_until: Instant | None = None,
) -> bool:
    """A row for one channel; False for a notice that was posted before, and nothing changes."""
    return entry.insert_once(
        outbox,
        notice=notice,
        channel=to_channel,
        rank=rank,
        body=body,
        people=list(people),
        created_at=now.wall,
        state="waiting" if held_until is None else "held",
        **instant_columns("until", held_until or now),
        attempts=0,
        doubtful=False,
    )


def waiting(ledger: Ledger, site: str, channel: str, now: Instant, *, most: int) -> Waiting:
    """What may be tried now, each kind counted up to ``most``."""
    free = may_go(site, channel, now)
    urgent = select(outbox.c.rank).where(free, outbox.c.rank < 0).limit(most).subquery()
    routine = select(outbox.c.rank).where(free, outbox.c.rank >= 0).limit(most).subquery()
    with ledger.reading() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(one)).scalar_one()
            for one in (urgent, routine)
        ]
    return Waiting(urgent=counts[0], routine=counts[1])


def claim(
    ledger: Ledger, sender: Sender, *, urgent: bool | None = None, digests: bool = False
) -> Claimed | None:
    """The next message by a channel: the most urgent come first, then the oldest.

    ``urgent``: only fire and entrapment, or only the others; ``digests``: only what was gathered
    before. One that was refused waits for its time meanwhile, so it holds up none behind it.
    """
    free = may_go(sender.site, sender.channel, sender.now)
    if urgent is not None:
        free = and_(free, outbox.c.rank < 0 if urgent else outbox.c.rank >= 0)
    if digests:
        free = and_(free, outbox.c.notice.startswith(DIGEST))
    urgency = (outbox.c.rank, outbox.c.created_at, outbox.c.notice)
    query = select(outbox).where(free).order_by(*urgency).limit(1)
    with ledger.reading() as connection:
        row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    with ledger.writing() as connection:
        taken = connection.execute(
            update(outbox)
            .where(free, outbox.c.notice == row["notice"], outbox.c.attempts == row["attempts"])
            .values(
                state="claimed",
                claimed_by=sender.claimant,
                **instant_columns("until", sender.until),
                attempts=row["attempts"] + 1,
                # Until there is an answer.
                doubtful=True,
            )
        ).rowcount
    if taken != 1:
        return None
    return Claimed(
        notice=row["notice"],
        channel=sender.channel,
        rank=row["rank"],
        body=row["body"],
        people=tuple(row["people"]),
        reached=tuple(row["reached"]),
        claimant=sender.claimant,
        attempts=row["attempts"] + 1,
        possibly_repeated=row["doubtful"],
    )


def mark_sent(
    ledger: Ledger, site: str, claimed: Claimed, now: Instant, *, error: str | None = None
) -> None:
    """``error``: it has arrived, but not with everybody."""
    with ledger.writing() as connection:
        connection.execute(
            update(outbox)
            .where(_row(site, claimed))
            .values(
                state="sent",
                sent_at=now.wall,
                last_error=error,
                doubtful=claimed.possibly_repeated,
            )
        )
        _note(Entry(connection, site), claimed.channel, now, error=None)


def put_back(
    ledger: Ledger,
    site: str,
    claimed: Claimed,
    *,
    now: Instant,
    until: Instant,
    error: str,
    arrived: bool,
    reached: Sequence[str] = (),
) -> None:
    """Try again at ``until``; ``arrived``: it cannot be ruled out that the receiver has it;
    ``reached``: who of several certainly has."""
    with ledger.writing() as connection:
        connection.execute(
            update(outbox)
            .where(_row(site, claimed), _is_mine(claimed))
            .values(
                state="waiting",
                **instant_columns("until", until),
                doubtful=arrived or claimed.possibly_repeated,
                reached=[*claimed.reached, *reached],
                last_error=error,
            )
        )
        _note(Entry(connection, site), claimed.channel, now, error=error)


def drop(ledger: Ledger, site: str, claimed: Claimed, *, error: str) -> None:
    """There is nobody whom it could reach by this channel, now or later."""
    with ledger.writing() as connection:
        connection.execute(
            update(outbox)
            .where(_row(site, claimed), _is_mine(claimed))
            .values(state="dropped", doubtful=False, last_error=error)
        )


def tries(ledger: Ledger, site: str, channel_id: str) -> tuple[int, ...]:
    """When the last attempts by a channel were (µs UTC)."""
    with ledger.reading() as connection:
        found = connection.execute(_channel(site, channel_id)).mappings().one_or_none()
    return () if found is None else tuple(found["tries"])


def _note(entry: Entry, channel_id: str, now: Instant, *, error: str | None) -> None:
    """How an attempt ended."""
    found = entry.connection.execute(_channel(entry.site, channel_id)).mappings().one_or_none()
    before = dict(found) if found else {"sent_at": None, "failing_since": None, "tries": []}
    is_well = error is None
    entry.put(
        channel,
        [
            {
                "id": channel_id,
                "sent_at": now.wall if is_well else before["sent_at"],
                "failing_since": None if is_well else before["failing_since"] or now.wall,
                "last_error": error,
                "tries": [*before["tries"], now.wall][-_TRIES:],
            }
        ],
    )


def _channel(site: str, channel_id: str) -> Any:
    return select(channel).where(channel.c.site_id == site, channel.c.id == channel_id)


def may_go(site: str, channel_id: str, now: Instant) -> ColumnElement[bool]:
    """What may be tried now."""
    return and_(
        outbox.c.site_id == site,
        outbox.c.channel == channel_id,
        # As the index has it, so that it serves.
        OUTSTANDING,
        outbox.c.state != "held",
        or_(reached(outbox, "until", now), too_far(now, LONGEST_WAIT)),
    )


def too_far(now: Instant, most: int) -> ColumnElement[bool]:
    """By a clock that was wrong before a restart of the machine: no wait is meant to be so long."""
    return and_(outbox.c.until_boot != now.boot, outbox.c.until_wall > now.wall + most)


def _is_mine(claimed: Claimed) -> ColumnElement[bool]:
    return and_(
        outbox.c.state == "claimed",
        outbox.c.claimed_by == claimed.claimant,
        outbox.c.attempts == claimed.attempts,
    )


def _row(site: str, claimed: Claimed) -> ColumnElement[bool]:
    return and_(
        outbox.c.site_id == site,
        outbox.c.notice == claimed.notice,
        outbox.c.channel == claimed.channel,
    )
