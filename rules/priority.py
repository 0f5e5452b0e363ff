"""How urgent something is: alarms and the orders that answer them."""

from __future__ import annotations

from enum import StrEnum


class Priority(StrEnum):
    CRITICAL = "critical"
    """紧急: fire, entrapment, flooding, loss of supply; always an order."""
    MAJOR = "major"
    """重要: an order."""
    MINOR = "minor"
    """一般: an order in working time."""
    INFO = "info"
    """提示: no order."""

    @property
    def rank(self) -> int:
        """0 for the most urgent; the members are written in this order."""
        return list(Priority).index(self)
