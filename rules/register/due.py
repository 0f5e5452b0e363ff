"""Which dates of a piece of equipment come near, and which have passed. ``today`` is a date of the
site's own; on its last day a date has not passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from rules.register.book import WARRANTY, RegisterBook
from rules.register.record import Record


class Stage(StrEnum):
    LATER = "later"
    NEAR = "near"
    """Within its advance, today included."""
    PASSED = "passed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    kind: str
    due_on: date
    stage: Stage
    days: int
    """Until then; negative: since then."""


def stage_of(due_on: date, today: date, book: RegisterBook) -> Stage:
    if due_on < today:
        return Stage.PASSED
    near = due_on <= today + timedelta(days=book.advance_days)
    return Stage.NEAR if near else Stage.LATER


def dues(record: Record, today: date, book: RegisterBook) -> list[Due]:
    """All dates of ``record``, the soonest first; what is retired has none."""
    if record.attributes.retired_on is not None and record.attributes.retired_on <= today:
        return []
    dates = [(one.kind, one.next_due) for one in record.dates]
    if record.attributes.warranty_until is not None:
        dates.append((WARRANTY, record.attributes.warranty_until))
    return [
        Due(
            kind=kind,
            due_on=due_on,
            stage=stage_of(due_on, today, book),
            days=(due_on - today).days,
        )
        for kind, due_on in sorted(dates, key=lambda one: (one[1], one[0]))
    ]


def worst(found: list[Due]) -> Stage | None:
    """The stage that somebody has to look at first; None: none of them."""
    stages = {one.stage for one in found}
    return next((one for one in (Stage.PASSED, Stage.NEAR) if one in stages), None)
