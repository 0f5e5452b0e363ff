"""What a site sets for its register, as typed records; ``register_file`` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.model.point import Text

WARRANTY = "warranty"
"""The kind of a warranty's last day, beside those that a site names."""
WARRANTY_NAME = Text(zh="保修到期", en="End of warranty")
OTHERS = "others"
"""Every class that is not named by itself."""
LEAST_YEARS: Mapping[str, int] = {"lift": 4}
"""Beginning of a class → years below which no site may go (TSG T5002: records of lifts are kept
for four years at least)."""


@dataclass(frozen=True, kw_only=True)
class RegisterBook:
    advance_days: int = 30
    """So long before a date somebody hears of it."""
    date_kinds: Mapping[str, Text] = field(default_factory=dict)
    """Key → name, of dates that law or contract set."""
    keep_years: Mapping[str, int] = field(default_factory=dict)
    """Class, or :data:`OTHERS` → years that alarms, orders and rounds are kept."""

    def name(self, kind: str) -> Text:
        """Of a kind that is not set any more, its key."""
        if kind == WARRANTY:
            return WARRANTY_NAME
        return self.date_kinds.get(kind, Text(zh=kind, en=kind))

    def kept_for(self, equipment_class: str | None) -> int | None:
        """Years that the records of a class are kept; None: for ever. Of what has no class (an
        order about an area) it is what is said of the others."""
        years = self.keep_years.get(equipment_class or OTHERS, self.keep_years.get(OTHERS))
        return None if years is None else max(years, least_years(equipment_class or OTHERS))


def least_years(equipment_class: str) -> int:
    """Below that no site may go; 0: it may."""
    return max(
        (
            years
            for beginning, years in LEAST_YEARS.items()
            if equipment_class.lower().startswith(beginning)
        ),
        default=0,
    )
