"""The photographs of a round: each belongs to one of its lines."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import and_, false, func, or_, select

from rules.ledger import attachments
from rules.ledger.attachments import Attachment, SubjectKind
from rules.ledger.tables.rounds import round_, round_item
from rules.ledger.view import View


def subject(round_id: str, key: str) -> str:
    """What the photographs of a line belong to; no line of another round is called like it."""
    return f"{round_id}.{key}"


def of_round(view: View, round_id: str) -> dict[str, list[Attachment]]:
    """Line → those that count, oldest first."""
    found: dict[str, list[Attachment]] = {}
    for one in attachments.beginning_with(view, SubjectKind.ROUND_ITEM, f"{round_id}."):
        if one.struck_at is None:
            found.setdefault(one.subject.removeprefix(f"{round_id}."), []).append(one)
    return found


def counts(view: View, round_id: str) -> Counter[str]:
    return Counter({key: len(photos) for key, photos in of_round(view, round_id).items()})


def line_of(view: View, said: str) -> tuple[str, str, str | None] | None:
    """The round, the line and its area that photographs of ``said`` belong to; ids have dots."""
    parts = said.split(".")
    pairs = [(".".join(parts[:at]), ".".join(parts[at:])) for at in range(1, len(parts))]
    same = and_(round_.c.site_id == round_item.c.site_id, round_.c.id == round_item.c.round_id)
    either = [and_(round_item.c.round_id == one, round_item.c.key == key) for one, key in pairs]
    query = (
        select(
            round_item.c.round_id,
            round_item.c.key,
            func.coalesce(round_item.c.area, round_.c.area),
        )
        .join_from(round_item, round_, same)
        .where(round_item.c.site_id == view.site, or_(false(), *either))
    )
    found = view.connection.execute(query).first()
    return None if found is None else (found[0], found[1], found[2])
