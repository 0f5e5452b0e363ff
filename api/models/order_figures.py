"""What a month of work orders was like."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.models.base import Document, Moment, Text

IndicatorName = Literal["visited", "in_time", "reopened", "satisfied"]


class OrderIndicator(Document):
    name: IndicatorName
    label: Text
    how: Text = Field(description="How it was computed, in words.")
    count: int
    of: int
    percent: float | None = Field(description="Null: there is nothing to count of.")
    target: float | None = Field(description="Percent, a setting of the site.")
    target_is_least: bool
    met: bool | None
    source: str | None = Field(description="Where the target comes from.")


class OrderFigures(Document):
    month: str = Field(examples=["2026-11"])
    start: Moment
    end: Moment
    indicators: list[OrderIndicator]
