"""What a part of the bench hands back, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure: ours, the plain way's, and what is to be reached."""

    part: str
    what: str
    unit: str
    ours: float
    plain: float | None = None
    plain_way: str = ""
    target: str = ""
    more_is_better: bool = True
    checked: str
    """What was held against the truth before this was said."""
    notes: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """How many times better than the plain way."""
        if self.plain is None or not self.ours or not self.plain:
            return None
        return self.ours / self.plain if self.more_is_better else self.plain / self.ours


class WrongError(Exception):
    """What was counted is not right: there is no figure."""


def table(figures: Sequence[Figure]) -> str:
    """All figures, one a line."""
    rows = [("part", "figure", "ours", "plain way", "", "ratio", "to reach")]
    for one in figures:
        rows.append(
            (
                one.part,
                f"{one.what}, {one.unit}",
                _number(one.ours),
                "" if one.plain is None else _number(one.plain),
                one.plain_way,
                "" if one.ratio is None else f"× {_number(one.ratio)}",
                one.target,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
