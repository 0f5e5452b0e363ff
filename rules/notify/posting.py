"""Putting a notice into the outbox, in the transaction of what it tells of: which channels carry
it, and what the night holds back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gateway.model.channels import Channel, ChannelKind, People, Quiet
from gateway.model.equipment import Site
from gateway.model.moment import SECOND, Instant
from rules.ledger import outbox, outbox_orphans
from rules.ledger.store import Entry
from rules.notify.notice import Notice
from rules.rule import Priority


def post(entry: Entry, site: Site, notice: Notice, now: Instant) -> None:
    """One row for each channel of ``site`` that ``notice`` is for; posted before: nothing."""
    chosen = [channel for channel in site.channels if carries(channel, notice)]
    if not chosen:
        return
    body = notice.body(site)
    for channel in chosen:
        outbox.post(
            entry,
            notice.id,
            body,
            channel.id,
            rank=outbox.rank_of(notice.priority, life_safety=notice.life_safety),
            people=notice.to,
            held_until=held_until(channel, notice, site, now),
            now=now,
        )


def settle_orphans(entry: Entry, site: Site, now: Instant) -> dict[str, int]:
    """A channel was renamed or taken out of the site file while messages waited for it: fire and
    entrapment go by the channels there are now, and nothing waits for it any more. Its id → how
    many messages that were.

    Those that no channel carries stay: the file may be put right.
    """
    settled = {}
    for lost in outbox_orphans.lost_channels(entry, [one.id for one in site.channels]):
        are_carried = True
        for orphan in outbox_orphans.urgent_orphans(entry, lost):
            now_by = [one for one in site.channels if reaches_anybody(one, orphan.people)]
            are_carried = are_carried and bool(now_by)
            for channel in now_by:
                outbox.post(
                    entry,
                    orphan.notice,
                    orphan.body,
                    channel.id,
                    rank=orphan.rank,
                    people=orphan.people,
                    now=now,
                )
        settled[lost] = outbox_orphans.drop(entry, lost, urgent_too=are_carried)
    return settled


def reaches_anybody(channel: Channel, people: Sequence[str]) -> bool:
    return channel.kind is not ChannelKind.SMS or bool(channel.to or people)


def carries(channel: Channel, notice: Notice) -> bool:
    """Whether ``notice`` goes by ``channel``: fire and entrapment go by every one that reaches
    anybody."""
    if not reaches_anybody(channel, notice.to):
        return False
    if notice.life_safety:
        return True
    if channel.people is People.ADDRESSED and not notice.to:
        return False
    return notice.priority.value in channel.priorities


def held_until(channel: Channel, notice: Notice, site: Site, now: Instant) -> Instant | None:
    """When the night is over for ``notice``; None: it goes at once."""
    if channel.quiet is None or notice.life_safety or notice.priority is Priority.CRITICAL:
        return None
    local = datetime.fromtimestamp(now.wall / SECOND, tz=UTC).astimezone(site.zone)
    end = _end(channel.quiet, local)
    if end is None:
        return None
    # By way of UTC: a night in which the clocks change is longer or shorter.
    left = end.astimezone(UTC) - local.astimezone(UTC)
    return now.plus(round(left / timedelta(microseconds=1)))


def _end(quiet: Quiet, local: datetime) -> datetime | None:
    """When the quiet hours end that ``local`` lies in; None: in none."""
    minute = local.hour * 60 + local.minute
    day = local.date()
    if quiet.start < quiet.end:
        if not quiet.start <= minute < quiet.end:
            return None
    elif minute >= quiet.start:
        day += timedelta(days=1)
    elif minute >= quiet.end:
        return None
    hour, rest = divmod(quiet.end, 60)
    return datetime(day.year, day.month, day.day, hour, rest, tzinfo=local.tzinfo)
