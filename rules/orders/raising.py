"""When an alarm becomes its order: at once, or when the working time of the site begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from rules.priority import Priority

CAN_WAIT = frozenset({Priority.MINOR, Priority.INFO})
"""Priorities whose orders may wait; of anything more urgent, and of life safety, none does."""


class RaisedWhen(StrEnum):
    AT_ONCE = "at_once"
    WORKING_TIME = "working_time"


class OnReturn(StrEnum):
    """What becomes of an order that waits when its alarm returns meanwhile."""

    CANCEL = "cancel"
    KEEP = "keep"


@dataclass(frozen=True, kw_only=True, slots=True)
class Raising:
    when: RaisedWhen = RaisedWhen.AT_ONCE
    on_return: OnReturn = OnReturn.CANCEL


@dataclass(frozen=True, kw_only=True, slots=True)
class RaisingTable:
    """What the site says for each priority; of one that is not in it, at once."""

    by_priority: Mapping[Priority, Raising] = field(default_factory=dict)

    def of(self, priority: Priority, *, life_safety: bool, own: Raising | None) -> Raising:
        """``own``: what the alarm's rule says by itself."""
        if life_safety or priority not in CAN_WAIT:
            return Raising()
        return own or self.by_priority.get(priority, Raising())
