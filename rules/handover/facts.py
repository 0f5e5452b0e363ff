"""What is known when somebody wants to sign: what the ledger and the readings say, and answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.model.point import Text


class AnswerKind(StrEnum):
    QUESTION = "question"
    """1: in order, 0: not. About a question."""
    COUNT = "count"
    """How many there are. About an item to be counted."""
    EXPLAIN = "explain"
    """1, with the explanation as its note. About an abnormality, or a record that differs."""
    REPAIR = "repair"
    """1: needs both crews, 0: one crew can go on. About a work order."""
    SHELF = "shelf"
    """Since when (µs UTC) the shelf is in force that stays so. About a rule and equipment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Matter:
    """Something that a condition may be about: an alarm, an order, a piece of equipment."""

    text: Text
    id: str = ""
    """Empty: it is about nothing in particular."""
    since: int | None = None
    """µs UTC: when it came up, of what may come up again."""
    answerable: bool = True
    """Whether the answer that lifts its condition lifts it here too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """The newest answer to something."""

    value: int
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known when somebody wants to sign."""

    answers: Mapping[tuple[AnswerKind, str], Given] = field(default_factory=dict)
    relief: Mapping[str, str] = field(default_factory=dict)
    """User name → name of those who are to come."""
    required: int = 1
    """How many of the relief there must be."""
    arrived: frozenset[str] = frozenset()
    """User names of those who have signed in."""
    accidents: Sequence[Matter] = ()
    """Emergency and fire orders that are not over, and not suspended."""
    faults: Sequence[Matter] = ()
    """Alarms that came up since the relief is there, of a priority that stops a handover."""
    repairs: Sequence[Matter] = ()
    """Orders that somebody is at work on."""
    joint: Mapping[str, str] = field(default_factory=dict)
    """Of those that whoever is on them has marked as needing both crews: id → why."""
    abnormal: Sequence[Matter] = ()
    """Alarms and running states that nobody has explained in the ledger."""
    differing: Sequence[Matter] = ()
    """What was written down on this watch and is not what the sensors say."""
