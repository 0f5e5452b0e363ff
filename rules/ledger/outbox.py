"""The outbox: a message is a row before it is sent, one a receiver.

A sender claims a row, sends, and marks it. Who dies in between leaves a claim that runs out;
the next sender sends again under the same id and says that it may be a repetition.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update

from gateway.model.moment import MINUTE, Instant
from rules.ledger.rows import instant_columns
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables.work import outbox
from rules.ledger.timers import reached
from rules.rule import Priority

LONGEST_WAIT = 5 * MINUTE
"""µs that a message may have to wait for its next attempt."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Claimed:
    """A message that this sender, and nobody else for the time of its claim, may send."""

    notice: str
    address: str
    body: dict[str, Any]
    claimant: str
    attempts: int
    """This one included."""
    possibly_repeated: bool


def post(
    entry: Entry,
    notice: str,
    body: dict[str, Any],
    addresses: Iterable[str],
    *,
    priority: Priority,
    now: Instant,
) -> None:
    """One row for each address; a notice that was posted before is not posted again."""
    for address in addresses:
        entry.insert_once(
            outbox,
            notice=notice,
            address=address,
            rank=priority.rank,
            body=body,
            created_at=now.wall,
            state="waiting",
            **instant_columns("until", now),
            attempts=0,
            doubtful=False,
        )


def claim(
    ledger: Ledger, site: str, address: str, *, claimant: str, now: Instant, until: Instant
) -> Claimed | None:
    """The next message to ``address``: the most urgent come first, then the oldest.

    One that was refused waits for its time meanwhile, so it holds up none behind it.
    """
    # By a clock that was wrong before a restart of the machine: no wait is meant to be so long.
    too_far = and_(outbox.c.until_boot != now.boot, outbox.c.until_wall > now.wall + LONGEST_WAIT)
    free = and_(
        outbox.c.site_id == site,
        outbox.c.address == address,
        outbox.c.state != "sent",
        or_(reached(outbox, "until", now), too_far),
    )
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
                claimed_by=claimant,
                **instant_columns("until", until),
                attempts=row["attempts"] + 1,
                # Until there is an answer.
                doubtful=True,
            )
        ).rowcount
    if taken != 1:
        return None
    return Claimed(
        notice=row["notice"],
        address=address,
        body=row["body"],
        claimant=claimant,
        attempts=row["attempts"] + 1,
        possibly_repeated=row["doubtful"],
    )


def mark_sent(ledger: Ledger, site: str, claimed: Claimed, now: Instant) -> None:
    with ledger.writing() as connection:
        connection.execute(
            update(outbox)
            .where(_row(site, claimed))
            .values(state="sent", sent_at=now.wall, last_error=None)
        )


def put_back(
    ledger: Ledger, site: str, claimed: Claimed, *, until: Instant, error: str, arrived: bool
) -> None:
    """Try again at ``until``; ``arrived``: it cannot be ruled out that the receiver has it."""
    with ledger.writing() as connection:
        connection.execute(
            update(outbox)
            .where(
                _row(site, claimed),
                outbox.c.state == "claimed",
                outbox.c.claimed_by == claimed.claimant,
                outbox.c.attempts == claimed.attempts,
            )
            .values(
                state="waiting",
                **instant_columns("until", until),
                doubtful=arrived or claimed.possibly_repeated,
                last_error=error,
            )
        )


def _row(site: str, claimed: Claimed) -> ColumnElement[bool]:
    return and_(
        outbox.c.site_id == site,
        outbox.c.notice == claimed.notice,
        outbox.c.address == claimed.address,
    )
