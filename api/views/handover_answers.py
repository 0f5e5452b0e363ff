"""What both crews have said at a handover, from the form in which it is signed
(``rules.handover.record``), as documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any

from api.models import shifts as models
from api.models.base import Text
from api.views import words

Rows = Sequence[Mapping[str, Any]]


def questions(rows: Rows, zone: tzinfo) -> list[models.HandoverQuestion]:
    return [
        models.HandoverQuestion(
            key=one["key"],
            asked=one["asked"],
            text=Text(**one["text"]),
            source=one.get("source", ""),
            value=None if one["value"] is None else one["value"] == 1,
            note=one["note"],
            by_name=one["by"],
            at=words.moment_if(one.get("at"), zone),
        )
        for one in rows
    ]


def rooms(rows: Rows) -> list[models.HandoverRoom]:
    """In the order of the list; a record of the first version has no ids of rooms."""
    found: dict[str, models.HandoverRoom] = {}
    for one in rows:
        name = Text(**one["room"])
        room = one.get("room_id", name.en)
        counted = models.HandoverCount(
            about=f"{room}.{one.get('key', one['name']['en'])}",
            kind=one["kind"],
            name=Text(**one["name"]),
            quantity=one["quantity"],
            counted=one["value"],
            note=one["note"],
            by_name=one["by"],
        )
        found.setdefault(room, models.HandoverRoom(id=room, name=name, items=[]))
        found[room].items.append(counted)
    return list(found.values())


def explanations(rows: Rows) -> list[models.HandoverExplanation]:
    return [
        models.HandoverExplanation(
            about=one["about"], text=_text(one), note=one["note"] or "", by_name=one["by"]
        )
        for one in rows
    ]


def repairs(rows: Rows) -> list[models.HandoverRepair]:
    return [
        models.HandoverRepair(
            about=one["about"],
            text=_text(one),
            both=one["value"] == 1,
            note=one["note"],
            by_name=one["by"],
        )
        for one in rows
    ]


def shelves(rows: Rows) -> list[models.HandoverKeptShelf]:
    return [
        models.HandoverKeptShelf(text=_text(one), reason=one["reason"], approved=one["approved"])
        for one in rows
    ]


def _text(one: Mapping[str, Any]) -> Text:
    """Of the first version only the id is known."""
    said = one.get("text", {"zh": one.get("about", ""), "en": one.get("about", "")})
    return Text(**said)
