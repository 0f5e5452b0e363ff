"""Texts and times as they go over HTTP."""

from __future__ import annotations

from datetime import tzinfo

from api import models
from gateway.model.moment import iso
from gateway.model.point import Text
from rules.ledger.rows import LifecycleEvent


def text(value: Text) -> models.Text:
    return models.Text(zh=value.zh, en=value.en)


def moment(wall: int, zone: tzinfo) -> str:
    """``wall`` (µs UTC) with the offset of ``zone``."""
    return iso(wall, zone)


def moment_if(wall: int | None, zone: tzinfo) -> str | None:
    return None if wall is None else iso(wall, zone)


def events(steps: list[LifecycleEvent], zone: tzinfo) -> list[models.LifecycleEvent]:
    """The life of an alarm or an order, oldest first."""
    return [
        models.LifecycleEvent(
            at=iso(step.at, zone),
            event=step.event,
            from_state=step.from_state,
            to_state=step.to_state,
            by=step.by,
            why=step.why,
        )
        for step in steps
    ]


def same(name: str) -> models.Text:
    """An id that has no words (any more), as it is in both languages."""
    return models.Text(zh=name, en=name)
