"""What might be written otherwise in a profile: one mistake of those that are made often. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.model.profile import ByteOrder, ModbusPlace


class ChangeKind(StrEnum):
    ORDER = "order"
    REGISTER = "register"
    SCALE = "scale"


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What might be written otherwise in the profile."""

    kind: ChangeKind
    order: ByteOrder = ByteOrder.ABCD
    """For ``ORDER``."""
    shift: int = 0
    """Registers, for ``REGISTER``."""
    factor: float = 1.0
    """To the scale, for ``SCALE``."""

    @property
    def told(self) -> str:
        """``CDAB``, ``+1`` or ``÷10``, the same in every language."""
        match self.kind:
            case ChangeKind.ORDER:
                return self.order.value
            case ChangeKind.REGISTER:
                return f"{self.shift:+d}"
            case ChangeKind.SCALE if self.factor < 1:
                return f"÷{1 / self.factor:.0f}"
            case ChangeKind.SCALE:
                return f"×{self.factor:.0f}"

    def of(self, place: ModbusPlace) -> ModbusPlace:
        match self.kind:
            case ChangeKind.ORDER:
                return replace(place, order=self.order)
            case ChangeKind.REGISTER:
                return replace(place, address=place.address + self.shift)
            case ChangeKind.SCALE:
                return replace(
                    place, scale=place.scale * self.factor, offset=place.offset * self.factor
                )
