"""What makes a number out of readings, for rules that compare something else than a reading.

A gauge holds all rows of one kind of measure; position ``i`` in its arrays is row ``rows[i]`` of
the conditions. It is asked when a frame has something for it, and never otherwise, but for a
silence. What it remembers it says again when it changes, and never on every reading.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.model.equipment import Equipment
from rules.alarms.conditions.rows import Memory
from rules.rule import Rule

Positions = NDArray[np.intp]
Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Times = NDArray[np.int64]
Pair = tuple[Rule, Equipment]


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a frame has for a gauge."""

    positions: Positions
    """Those that it has something for, each once."""
    at: Positions
    """Of each reading its place in ``positions``."""
    slot: Positions
    """Of each reading which of the points of its rule it is of."""
    value: Values
    """NaN where it is not usable."""
    doubtful: Flags
    shut: Flags
    """Of each position whether a gate of its row is shut."""
    held: Flags
    """Of each position whether its alarm is there."""
    now: int
    """On the :class:`~rules.alarms.conditions.timeline.Timeline`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of each position, one column each."""

    claim: Values
    """What it is at most in favour of an alarm that can be known: beyond the limit it breaches."""
    deny: Values
    """What it must come to for a return to be believed; NaN: nobody knows."""
    age: Times | None = None
    """µs since what it says began; None: it begins now."""
    shown: Values | None = None
    """The value that people see; None: the number itself."""
    moved: Flags | None = None
    """Where what goes on has begun at another time than was said."""
    stale: Flags | None = None
    """Where something is too old to be believed, a gate included."""


class Gauge(ABC):
    needs_reading = False
    """Whether a delay runs out at a reading of its own only, and not by the clock."""

    def __init__(self, rows: Sequence[int], pairs: Sequence[Pair]) -> None:
        self.rows = np.array(rows, np.intp)
        self.changed = np.zeros(len(rows), np.bool_)
        """Where there is something to be kept again."""

    @staticmethod
    def points(rule: Rule) -> tuple[str, ...]:
        """Keys of what it is made of, by slot."""
        return (rule.point,)

    @abstractmethod
    def take(self, fresh: Fresh) -> Answer: ...

    def kept(self, position: int, now: int) -> Memory | None:
        """What to go on from after a restart at ``now`` or later."""
        return None

    def restore(self, position: int, memory: Memory, at: int) -> None:
        """The inverse of :meth:`kept`; ``at``: its ``now``."""
        raise NotImplementedError

    def renew(self, position: int, rule: Rule) -> None:
        """``rule`` has another limit or another delay now."""
        self.changed[position] = True


def stale_after(rule: Rule, thing: Equipment) -> int:
    """µs without a reading of the rule's point after which its value is not the present one."""
    return next(point.stale_after for point in thing.points if point.key == rule.point)


def number(value: float) -> float | None:
    """``value`` as it is kept."""
    return None if np.isnan(value) else float(value)


def known(kept: float | None) -> float:
    """The inverse of :func:`number`."""
    return float("nan") if kept is None else float(kept)
