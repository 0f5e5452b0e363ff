"""What goes out of the conditions, and what is kept of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from gateway.model.equipment import Equipment
from gateway.model.moment import Instant
from rules.rule import Rule

Memory = Mapping[str, Any]
"""What a gauge remembers, as JSON: times as µs before ``at``, an instant."""


class State(IntEnum):
    IDLE = 0
    PENDING = 1
    ACTIVE = 2
    CLEARING = 3


class Verdict(StrEnum):
    """What the readings say of one rule on one piece of equipment."""

    IN_BAND = "in_band"
    """The condition was judged, and is false."""
    BREACHING = "breaching"
    """Also for less than its delay; or it has not returned for long enough."""
    NOT_JUDGED = "not_judged"
    """A gate is shut, or it is outside its hours."""
    UNKNOWN = "unknown"


class Turn(StrEnum):
    RAISED = "raised"
    CLEARED = "cleared"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """An alarm begins or ends."""

    turn: Turn
    rule: Rule
    equipment: Equipment
    occurrence: str
    """The alarm's id: a function of equipment, rule and first breaching reading."""
    first: int
    """µs UTC, receive time of the first breaching reading; where something did not come or did
    not change, of the last one that did."""
    value: float
    """The first breaching value."""
    at: Instant


@dataclass(frozen=True, kw_only=True, slots=True)
class ConditionRow:
    """One row as it is kept over a restart."""

    rule: str
    equipment: str
    state: State
    since: Instant
    """When the row came to be pending or clearing."""
    first: int
    first_value: float | None
    value: float | None
    """The last usable value at the time the row was kept: on the same side of the limit and of
    the deadband as every value since."""
    gate_values: tuple[float | None, ...]
    """One for each gate of the rule, in its order, and one for its ``clear``."""
    test: str
    """:attr:`Rule.test` by which ``value`` and ``gate_values`` were kept."""
    memory: Memory | None = None
    """What the rule's gauge remembers; None: nothing, or it has none."""


_LIMIT = re.compile(r"(.*) \S+ deadband \S+((?: while .*)?(?: until .*)?)", re.DOTALL)


def only_limit_differs(one: str, other: str) -> bool:
    """Of two tests (:attr:`Rule.test`), whether they are of the same thing."""
    of_one, of_other = _LIMIT.fullmatch(one), _LIMIT.fullmatch(other)
    return of_one is not None and of_other is not None and of_one.groups() == of_other.groups()
