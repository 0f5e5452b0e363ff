"""What somebody reports by word of mouth, and may be about lives."""

from __future__ import annotations

from rules.priority import Priority

_CATEGORIES = frozenset({"fire", "lift"})
"""A fire, or somebody who is trapped; who makes such an order critical means no less."""


def is_life_safety(category: str, priority: Priority) -> bool:
    """Whether an order that no alarm has raised is to be told of like a fire alarm."""
    return priority is Priority.CRITICAL and category in _CATEGORIES
