"""What the orders of a month are measured by, from the file ``order_targets.yaml`` of a
rulebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import Field

from gateway.files.documents import Document, Finding
from gateway.files.fields import Line
from rules.orders.targets import Indicator, Target, Targets

FILE = "order_targets.yaml"


class TargetDocument(Document):
    at_least: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    at_most: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    """Percent; one of the two."""
    source: Line

    def target(self) -> Target:
        is_least = self.at_least is not None
        percent = self.at_least if self.at_least is not None else self.at_most
        return Target(percent=percent or 0.0, is_least=is_least, source=self.source)


class OrderTargetsDocument(Document):
    visit_within_days: int = Field(ge=1, le=30)
    """Working days."""
    targets: Mapping[Indicator, TargetDocument] = Field(min_length=1)

    def read(self) -> Targets:
        return Targets(
            visit_within_days=self.visit_within_days,
            by_indicator={name: one.target() for name, one in self.targets.items()},
        )


def check_targets(content: OrderTargetsDocument) -> Iterator[Finding]:
    for name, target in content.targets.items():
        if (target.at_least is None) == (target.at_most is None):
            yield ("targets", name.value), "has exactly one of at_least and at_most", "keep one"
