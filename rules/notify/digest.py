"""The message that stands for many: how many of each priority, since when, and the titles of the
first ones."""

from __future__ import annotations

from typing import Any

from gateway.model.channels import Channel
from gateway.model.equipment import Site
from gateway.model.moment import Instant, iso, stamp
from gateway.model.point import Text
from rules.ledger.outbox import DIGEST, LIFE_SAFETY
from rules.ledger.outbox_digest import Gathered
from rules.ledger.rows import words
from rules.notify.notice import NoticeKind
from rules.rule import Priority

_BY_RANK = {one.rank: one for one in Priority} | {LIFE_SAFETY: Priority.CRITICAL}


def digest_id(channel: Channel, now: Instant) -> str:
    return f"{DIGEST}{channel.id}.{stamp(now.wall)}"


def body_of(site: Site, channel: Channel, found: Gathered, now: Instant) -> dict[str, Any]:
    """In the shape of a notice, with ``count``, ``counts``, ``since`` and ``titles`` besides."""
    counts: dict[str, int] = {}
    for rank in sorted(found.by_rank):
        word = _BY_RANK[rank].value
        counts[word] = counts.get(word, 0) + found.by_rank[rank]
    return {
        "id": digest_id(channel, now),
        "kind": NoticeKind.DIGEST.value,
        "at": iso(now.wall, site.zone),
        "subject": channel.id,
        "title": words(Text(zh=f"{found.count} 条通知", en=f"{found.count} notices")),
        "priority": _BY_RANK[min(found.by_rank)].value,
        "life_safety": LIFE_SAFETY in found.by_rank,
        "site": {"id": site.id, **words(site.name)},
        "area": None,
        "equipment": None,
        "guidance": None,
        "count": found.count,
        "counts": counts,
        "since": iso(found.since, site.zone),
        "titles": found.titles,
    }
