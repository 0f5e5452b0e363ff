"""The real conditions over readings of the past."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from gateway.model.equipment import Equipment
from gateway.model.frame import Frame
from gateway.model.moment import Instant
from gateway.model.quality import Quality
from rules.alarms.conditions import Change, Conditions, Turn
from rules.replay.readings import Readings
from rules.rule import Rulebook

_TOLD_EVERY = 2000


@dataclass(slots=True)
class Replayed:
    """An alarm that there would have been."""

    rule: str
    equipment: str
    raised_at: int
    """µs UTC."""
    value: float
    cleared_at: int | None = None


def replayed(
    rulebook: Rulebook,
    equipment: Mapping[str, Equipment],
    readings: Readings,
    told: Callable[[float], None],
) -> list[Replayed]:
    """What the rules make of the readings; ``told`` hears how much is done, and may raise."""
    conditions = Conditions(rulebook, equipment.values())
    value = np.full(len(readings.points), np.nan)
    quality = np.full(len(readings.points), Quality.BAD, np.uint8)
    behind = np.searchsorted(readings.time, readings.moments, "right").tolist()
    found: list[Replayed] = []
    open_: dict[tuple[str, str], Replayed] = {}
    done = 0
    for number, (moment, upto) in enumerate(zip(readings.moments.tolist(), behind, strict=True)):
        if upto > done:
            column = readings.column[done:upto]
            value[column] = readings.value[done:upto]
            quality[column] = readings.quality[done:upto]
            done = upto
        frame = Frame(
            points=readings.points,
            value=value.copy(),
            quality=quality.copy(),
            source_time=np.full(len(value), moment, np.int64),
        )
        at = Instant(wall=moment, mono=moment, boot="replay")
        for change in conditions.step(frame, at):
            _note(change, found, open_)
        if number % _TOLD_EVERY == 0:
            told(number / len(readings.moments))
    return found


def _note(change: Change, found: list[Replayed], open_: dict[tuple[str, str], Replayed]) -> None:
    key = change.rule.id, change.equipment.id
    if change.turn is Turn.RAISED:
        open_[key] = Replayed(
            rule=change.rule.id,
            equipment=change.equipment.id,
            raised_at=change.at.wall,
            value=change.value,
        )
        found.append(open_[key])
    elif key in open_:
        open_.pop(key).cleared_at = change.at.wall
