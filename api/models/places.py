"""Places where a code hangs by which anybody can ask for a repair, as documents."""

from __future__ import annotations

from pydantic import Field

from api.models.base import Document, Text


class PlaceCode(Document):
    """An area, and the code that hangs there."""

    area: str = Field(examples=["garage"])
    area_name: Text
    code: str | None = Field(description="Null: none has been made for it.")
    url: str | None = Field(
        description="What the QR code says, by the address at which this was asked.",
        examples=["https://duty.example.org/r/K7QF2M3XPA"],
    )


class PlaceCodes(Document):
    items: list[PlaceCode]
