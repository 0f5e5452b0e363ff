"""The answers of phones without signal that wait beside those of a round's lines."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from api.models.rounds import ItemOffline
from api.views import words
from rules.ledger import offline
from rules.ledger.view import View
from rules.offline.protocol import Kind, Times
from rules.people import people


def of_lines(view: View, round_id: str, zone: ZoneInfo) -> dict[str, list[ItemOffline]]:
    """By line, oldest first; of those that nobody has decided."""
    rows = [one for one in offline.of_subjects(view, [round_id]) if one.kind == Kind.ROUND_ITEM]
    names = people.names(view, {row.by for row in rows}) if rows else {}
    found: dict[str, list[ItemOffline]] = {}
    for row in rows:
        times = Times(entered_at=row.entered_at, sent_at=row.sent_at, received_at=row.received_at)
        found.setdefault(row.item or "", []).append(
            ItemOffline(
                id=row.id,
                reason="" if row.reason is None else row.reason.value,
                value=row.body.get("value"),
                note=row.body.get("note"),
                by=row.by,
                by_name=names.get(row.by),
                taken_at=words.moment(times.corrected, zone),
                received_at=words.moment(row.received_at, zone),
            )
        )
    return found
