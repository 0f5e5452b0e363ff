"""What is put aside at present: shelves with what lies on them, and equipment out of service."""

from __future__ import annotations

from dataclasses import dataclass

from rules.ledger.rows import AlarmReference


@dataclass(frozen=True, kw_only=True, slots=True)
class ShelfInForce:
    """A shelf with what lies on it, whether its alarm is there or over."""

    alarm: AlarmReference
    """The newest of the rule on the equipment: it is taken off the shelf by its id."""
    rule: str
    area: str
    life_safety: bool
    is_there: bool
    since: int
    until: int
    """µs UTC, as the one before."""
    by: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceBreak:
    """A piece of equipment that is out of service: nobody is called for it."""

    equipment: str
    since: int
    until: int | None
    """µs UTC; None: until somebody brings it back."""
    by: str
    reason: str
