"""Rows of the outbox and channels → documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from api.models import Text
from api.models import notices as documents
from gateway.model.channels import Channel
from gateway.model.moment import iso
from rules.ledger.outbox_view import Health, Posted
from rules.rule import Priority

_NOT_YET = ("waiting", "held")


def notice(row: Posted, names: Mapping[str, str], zone: tzinfo) -> documents.NoticeSent:
    body = row.body
    return documents.NoticeSent(
        id=row.notice,
        channel=row.channel,
        kind=body["kind"],
        title=_text(body["title"]),
        priority=body["priority"],
        life_safety=body.get("life_safety", False),
        subject=body["subject"],
        to=[
            documents.AddressedTo(username=name, display_name=names.get(name, name))
            for name in row.people
        ],
        state=row.state,
        attempts=row.attempts,
        possibly_repeated=row.possibly_repeated and row.state != "claimed",
        error=row.error,
        created_at=iso(row.created_at, zone),
        not_before=iso(row.until, zone) if row.state in _NOT_YET else None,
        sent_at=_moment(row.sent_at, zone),
        digest=row.digest,
        gathered=row.gathered,
    )


def channel(terms: Channel, health: Health, zone: tzinfo) -> documents.NoticeChannel:
    quiet = terms.quiet
    return documents.NoticeChannel(
        id=terms.id,
        kind=terms.kind.value,
        host=terms.host,
        priorities=[one.value for one in Priority if one.value in terms.priorities],
        people=terms.people.value,
        quiet=None
        if quiet is None
        else documents.QuietHours(start=_clock(quiet.start), end=_clock(quiet.end)),
        digest_after=terms.digest_after,
        waiting=health.waiting,
        oldest_waiting=_moment(health.oldest, zone),
        last_sent=_moment(health.sent_at, zone),
        failing_since=_moment(health.failing_since, zone),
        error=health.error,
    )


def _text(said: Mapping[str, Any]) -> Text:
    return Text(zh=said["zh"], en=said["en"])


def _moment(wall: int | None, zone: tzinfo) -> str | None:
    return None if wall is None else iso(wall, zone)


def _clock(minutes: int) -> str:
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}"
