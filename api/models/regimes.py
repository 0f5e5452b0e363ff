"""Documents of the inspection regimes: what is looked at, how often, by whom."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.models.base import Document, Moment, Number, Text
from api.models.rounds import AnswerWord, EvidenceWord, ItemOver, LevelWord, SeverityWord
from api.models.rules import RuleSourceWord


class RegimePlace(Document):
    """An area in which it is in force, or the whole site."""

    area: str | None = Field(examples=["b1-pump-room"], description="Null: the whole site.")
    name: Text
    hours: Text = Field(description="The window of a round here.")
    next_opens_at: Moment | None = Field(description="Null: no shift, or no day, is known.")
    next_due_at: Moment | None


class RegimeConsequence(Document):
    tell: list[str] = Field(examples=[["foreman"]], description="Roles.")
    finding: SeverityWord | None


class RegimeSummary(Document):
    id: str = Field(examples=["monthly-fire"])
    name: Text
    form: Text | None = Field(description="The form (表格) that it fills.")
    level: LevelWord
    when: Text = Field(description="On which days.")
    role: str = Field(examples=["technician"])
    countersign_role: str | None
    items: int
    places: list[RegimePlace] = Field(
        description="Empty: the site has no equipment that it is about."
    )
    version: str = Field(examples=["3f9a1c20b7de"], description="Hash of its file.")
    since: Moment | None = Field(
        description="When this version came into force; null: no round was planned by it yet."
    )


class Regimes(Document):
    items: list[RegimeSummary]


class RegimeItem(Document):
    key: str
    section: Text | None
    name: Text
    guidance: Text | None
    equipment_class: str | None = Field(alias="class", description="A line for each of these.")
    proof: str | None = Field(description="How telemetry answers it; null: a person does.")
    point: str | None
    answer: AnswerWord
    unit: str
    low: Number
    high: Number
    equals: Number
    severity: SeverityWord
    over: ItemOver | None = Field(description="The stretch of time that it is judged over.")
    confirm: bool = Field(description="Telemetry proposes the value, a person confirms it.")
    evidence: list[EvidenceWord] = Field(description="What an answer has to come with.")
    compared_with: str | None = Field(
        description="The point of the same equipment that a number by hand is held against."
    )
    source: Text = Field(description="A clause, or `[NV]`: not verified, a site's own setting.")


class RegimeVersion(Document):
    version: str
    since: Moment
    seen_at: Moment = Field(description="When rounds were last planned by it.")


class RegimeDetails(RegimeSummary):
    source: Text
    file: str = Field(examples=["regimes/monthly-fire.yaml"])
    of: RuleSourceWord
    catch_up: Literal["missed", "open"] = Field(
        description="What becomes of a round whose whole window passed during a downtime."
    )
    late: RegimeConsequence | None
    missed: RegimeConsequence | None
    statement: Text | None
    rows: list[RegimeItem]
    versions: list[RegimeVersion] = Field(description="The newest first.")


class RegimeFile(RegimeVersion):
    regime: str
    document: str = Field(description="The file as it was.")
