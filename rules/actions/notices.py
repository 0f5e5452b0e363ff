"""What a person may do with the channels; see the package."""

from __future__ import annotations

from gateway.model.equipment import Site
from gateway.model.moment import MINUTE, Instant, stamp
from rules.ledger import audit, outbox, outbox_view
from rules.ledger.idempotency import is_new
from rules.ledger.outbox_view import Posted
from rules.ledger.store import Ledger
from rules.ledger.view import View
from rules.notify.notice import NoticeKind, of_test
from rules.people import people
from rules.people.roles import Actor, Permission, require
from rules.refusals import ConflictError, NotFoundError


def try_channel(
    ledger: Ledger,
    site: Site,
    channel_id: str,
    *,
    actor: Actor,
    now: Instant,
    idempotency_key: str | None = None,
) -> Posted:
    """A message to whoever tries it, by this channel alone, in the outbox like every other.

    Once a minute, for a robot that is tried all the time has no room left for a fire. Raises
    ``NotFoundError``, ``ConflictError`` or ``KeyReusedError``; then nothing has changed.
    """
    require(actor, Permission.TRY_CHANNEL)
    if channel_id not in {channel.id for channel in site.channels}:
        raise NotFoundError(f"there is no channel {channel_id}")
    with ledger.write(site.id) as entry:
        view = View(connection=entry.connection, site=site.id)
        by = actor.username
        last = outbox_view.last_of_kind(view, channel_id, NoticeKind.CHANNEL_TEST)
        if is_new(entry, idempotency_key, "channel.test", channel_id, by=by, now=now):
            if last is not None and 0 <= now.wall - last.created_at < MINUTE:
                raise ConflictError(f"{channel_id} was tried less than a minute ago")
            name = people.names(view, [by]).get(by, by)
            notice = of_test(channel=channel_id, by=by, name=name, key=stamp(now.wall), at=now.wall)
            rank = outbox.rank_of(notice.priority, life_safety=False)
            outbox.post(
                entry,
                notice.id,
                notice.body(site),
                channel_id,
                rank=rank,
                people=notice.to,
                now=now,
            )
            audit.record(entry, actor, "channel.test", channel_id, now.wall)
            last = outbox_view.last_of_kind(view, channel_id, NoticeKind.CHANNEL_TEST)
    assert last is not None
    return last
