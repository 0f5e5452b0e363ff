"""What telemetry has shown of a repair so far."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ProofKey = tuple[str, str, str, int]
"""Order, rule, equipment, and when it began."""


class ProofStand(StrEnum):
    """What the last readings say."""

    IN_BAND = "in_band"
    NOT_JUDGED = "not_judged"
    """A gate of the rule is shut: the lamp is off."""
    NO_DATA = "no_data"
    BREACHING = "breaching"


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """How far one rule has been shown to stay quiet for one order."""

    order_id: str
    rule: str
    equipment: str
    began_at: int
    """µs UTC; another one means that it began anew."""
    hours_needed: int
    """µs in band."""
    cycles_needed: int | None
    """None: its cycles are not counted."""
    in_band: int = 0
    """µs so far."""
    cycles: int = 0
    first_at: int | None = None
    """µs UTC: when the first cycle began, and when the last one ended."""
    last_at: int | None = None
    stand: ProofStand = ProofStand.NO_DATA
    judged_at: int | None = None
    """µs UTC: up to when it is told."""

    @property
    def key(self) -> ProofKey:
        return self.order_id, self.rule, self.equipment, self.began_at

    @property
    def by_cycles(self) -> bool:
        return self.cycles_needed is not None and self.cycles >= self.cycles_needed

    @property
    def is_enough(self) -> bool:
        """Of cycles and hours, whichever comes first; with no hours asked for, a moment."""
        shown = self.by_cycles or self.in_band >= max(self.hours_needed, 1)
        return shown and self.stand is not ProofStand.BREACHING

    @property
    def ends_at(self) -> int | None:
        """µs UTC: when it has been in band for long enough, if it stays so; None: it is not."""
        if self.stand is not ProofStand.IN_BAND or self.judged_at is None:
            return None
        return self.judged_at + max(0, self.hours_needed - self.in_band)
