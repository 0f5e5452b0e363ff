"""What a site says about its work orders, as read from its rulebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.model.moment import DAY
from gateway.model.point import Text
from rules.orders.escalation import Escalation
from rules.orders.limits import TimeLimits
from rules.orders.raising import RaisingTable
from rules.orders.targets import Targets


@dataclass(frozen=True, kw_only=True)
class OrderBook:
    time_limits: TimeLimits = field(default_factory=TimeLimits)
    escalation: Escalation = field(default_factory=Escalation)
    raising: RaisingTable = field(default_factory=RaisingTable)
    targets: Targets = field(default_factory=Targets)
    causes: Mapping[str, Text] = field(default_factory=dict)
    """What may have been wrong."""
    remedies: Mapping[str, Text] = field(default_factory=dict)
    """What may have been done."""
    categories: Mapping[str, Text] = field(default_factory=dict)
    contractor_link: int = 14 * DAY
    """µs for which a contractor's link to an order is good."""
    skills: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Category → skills of which any is enough; a category without asks for none."""
