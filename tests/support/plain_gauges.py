"""What rules that look back over time have to say, worked out again for each reading from all that
came before it: the plain way, for the tests to compare with."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.model.moment import SECOND
from rules.measures import SLICES
from rules.rule import Rule

Said = tuple[int, float | None]
"""Second, and a good value; None: nothing usable."""


@dataclass
class Plain:
    """One row: idle, pending, active or clearing, by the second."""

    rule: Rule
    state: str = "idle"
    since: int = 0

    def move(self, second: int, said: bool | None, began: int | None = None) -> str | None:
        if self.state == "idle" and said is True:
            self.state, self.since = "pending", second if began is None else began
        elif self.state == "pending" and said is False:
            self.state = "idle"
        elif self.state == "active" and said is False:
            self.state, self.since = "clearing", second
        elif self.state == "clearing" and said is True:
            self.state = "active"
        if (
            self.state == "clearing"
            and said is False
            and second - self.since >= self.rule.clear_after // SECOND
        ):
            self.state = "idle"
            return "cleared"
        if self.state == "pending" and second - self.since >= self.rule.delay // SECOND:
            self.state = "active"
            return "raised"
        return None

    def beyond(self, value: float) -> bool:
        held = self.state in ("active", "clearing")
        deadband = self.rule.condition.deadband if held else 0.0
        return value > self.rule.condition.limit - deadband


def rate(said: Sequence[Said], over: int, patience: int, per: int) -> float | None:
    """Per ``per`` s, against the newest sample at least ``over`` s old; samples lie a twelfth
    apart."""
    now, value = said[-1]
    if value is None:
        return None
    samples: list[tuple[int, float]] = []
    for second, one in said[:-1]:
        if one is not None and (not samples or second - samples[-1][0] >= over / SLICES):
            samples.append((second, one))
    fit = [(second, one) for second, one in samples if over <= now - second <= over + patience]
    if not fit:
        return None
    second, one = fit[-1]
    return (value - one) / (now - second) * per


def count(said: Sequence[Said], over: int, patience: int) -> tuple[float, bool] | None:
    """How often it has become 1 in the last ``over`` s, and whether all of them were seen."""
    now, value = said[-1]
    if value is None:
        return None
    good = [(second, one) for second, one in said if one is not None]
    events = [
        second
        for (_, before), (second, one) in itertools.pairwise(good)
        if one == 1 and before != 1 and now - second < over
    ]
    known = good[0][0]
    for (before, _), (second, _) in itertools.pairwise(good):
        if second - before > patience:
            known = second
    return float(len(events)), now - known >= over


def unchanged_for(said: Sequence[Said], by: float, patience: int) -> int | None:
    """Seconds that the value has been the same, without the gaps."""
    if said[-1][1] is None:
        return None
    since, reference, seen = 0, math.nan, 0
    for second, one in said:
        if one is None:
            continue
        if not abs(one - reference) <= by:
            since, reference = second, one
        elif second - seen > patience:
            since += second - seen
        seen = second
    return said[-1][0] - since


def share(said: Sequence[Said], low: float, high: float, over: int, patience: int) -> float | None:
    """% of the time outside, of the last ``over`` s and up to a twelfth more; None: not known to
    be beyond or within any limit."""
    good = [(second, one) for second, one in said if one is not None]
    if said[-1][1] is None or not good:
        return None
    now, origin = said[-1][0], good[0][0]
    length = over // SLICES
    begin = origin + ((now - origin) // length - SLICES) * length
    outside = inside = 0
    for (second, one), (after, _) in itertools.pairwise(good):
        if after - second > patience:
            continue
        lasted = max(0, after - max(second, begin))
        if low <= one <= high:
            inside += lasted
        else:
            outside += lasted
    span = now - begin
    return 100 * outside / span, 100 * (span - inside) / span  # type: ignore[return-value]
