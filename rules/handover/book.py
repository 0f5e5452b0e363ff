"""What a site has settled about handing over a shift, as read from its rulebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.model.moment import MINUTE
from gateway.model.point import Text
from rules.priority import Priority


class Side(StrEnum):
    OUTGOING = "outgoing"
    """交班: whose shift ends."""
    INCOMING = "incoming"
    """接班: who takes over."""


class ItemKind(StrEnum):
    """What there is to count (S1 交接班制度 3)."""

    INSTRUMENT = "instrument"
    TOOL = "tool"
    KEY = "key"
    ASSET = "asset"


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What no sensor sees: somebody has to say that it is in order."""

    key: str
    asked: Side
    """Who answers."""
    text: Text
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """Something of a duty room that is counted at every handover."""

    key: str
    kind: ItemKind
    name: Text
    quantity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DutyRoom:
    id: str
    name: Text
    items: Sequence[Counted]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunningPoint:
    """How a class of equipment says that it runs, and what else is read off it."""

    equipment_class: str
    point: str
    equals: float
    """Its value while it runs."""
    shown: Sequence[str] = ()
    """Keys of points."""


@dataclass(frozen=True, kw_only=True)
class HandoverBook:
    """µs where it is a time."""

    prepare: int = 20 * MINUTE
    """Before the shift ends, the sheet is there (S1 4.1.1)."""
    arrive: int = 15 * MINUTE
    """Before the shift begins, the relief is there (S1 4.1.2)."""
    escalate: int = 30 * MINUTE
    """After the shift has ended, the manager hears of a handover that nobody has signed."""
    stopped_by: Sequence[Priority] = (Priority.CRITICAL, Priority.MAJOR)
    """An alarm of these that comes up meanwhile stops the handover (S1 4.1.8.5)."""
    questions: Sequence[Question] = ()
    rooms: Sequence[DutyRoom] = ()
    running: Sequence[RunningPoint] = ()

    @property
    def counted(self) -> dict[str, Counted]:
        """``room.item`` → what is counted."""
        return {f"{room.id}.{item.key}": item for room in self.rooms for item in room.items}

    def question(self, key: str) -> Question | None:
        return next((one for one in self.questions if one.key == key), None)
