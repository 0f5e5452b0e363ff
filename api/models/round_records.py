"""Findings of all rounds, and what equipment was last looked at when."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.models.base import Document, Moment, Text
from api.models.rounds import Finding, LevelWord, RoundArea

CoverageWord = Literal["fresh", "overdue", "never", "new"]


class FindingRow(Finding):
    round: str
    round_name: Text
    area: RoundArea | None
    equipment: str | None
    subject: Text = Field(description="What it is about.")
    order_state: str | None = Field(
        description="Null: a line in the record, without an order.", examples=["in_progress"]
    )


class FindingPage(Document):
    items: list[FindingRow]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class CoverageCell(Document):
    """Equipment by the rounds of one level."""

    level: LevelWord
    state: CoverageWord = Field(
        description="`fresh`; `overdue`: longer ago than its rounds are apart; `never`: by no "
        "round; `new`: its rounds came into force of late."
    )
    at: Moment | None
    days: int | None = Field(description="Whole days since; null: never.")
    round: str | None
    by: str | None = Field(description="Null, where `at` is not: telemetry.")
    by_name: str | None
    failed: int = Field(description="Lines of it that were not in order.")
    regimes: list[str]


class CoverageRow(Document):
    equipment: str
    name: Text
    equipment_class: str
    area: RoundArea
    cells: list[CoverageCell] = Field(description="Of the levels that it has rounds of.")


class CoverageMap(Document):
    levels: list[LevelWord] = Field(description="Those of this site's rounds, shortest first.")
    items: list[CoverageRow]
    unwatched: list[str] = Field(description="Equipment that no round looks at.")
