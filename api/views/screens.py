"""Screens on a wall as documents."""

from __future__ import annotations

from datetime import tzinfo

from api.models import screens as documents
from api.views import words
from gateway.model.moment import Instant
from rules.people.kiosks import Kiosk


def screen(found: Kiosk, now: Instant, zone: tzinfo) -> documents.Screen:
    is_open = found.opened_at is not None
    return documents.Screen(
        id=found.id,
        name=found.name,
        areas=list(found.areas),
        created_at=words.moment(found.created_at, zone),
        created_by=found.created_by,
        opened_at=words.moment_if(found.opened_at, zone),
        link_ends_at=None if is_open else words.moment(found.key_ends_at(), zone),
        link_over=not is_open and now.wall >= found.key_ends_at(),
        last_seen_at=words.moment_if(found.last_seen_at, zone),
        address=found.address,
        agent=found.agent,
    )
