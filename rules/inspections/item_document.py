"""What an item of a regime's file may hold."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.files.documents import Document, UnreadableError
from gateway.files.durations import Duration
from gateway.files.fields import ClassName, PointKey, Slug, Source, Words
from rules.inspections.proving import By, Compare, Evidence, Over, Proving
from rules.inspections.regime import Answer, Band, Choice, Proof, Severity

ShortSlug = Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=48)]
"""Part of the id of a round, of its findings and of their orders, which the API takes up to 250
characters long."""


class CountDocument(Document):
    """How many of the class have this value at the point."""

    point: PointKey
    equals: float = Field(allow_inf_nan=False)


class CheckDocument(Document):
    """What passes; every limit that is given has to hold."""

    low: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    equals: float | None = Field(default=None, allow_inf_nan=False)
    unit: str = ""

    def band(self) -> Band:
        return Band(low=self.low, high=self.high, equals=self.equals)


class ChoiceDocument(Document):
    key: ShortSlug
    name: Words
    passes: bool

    def choice(self) -> Choice:
        return Choice(key=self.key, name=self.name.text(), passes=self.passes)


class CompareDocument(Document):
    """A number by hand is held against this point of the same equipment."""

    point: PointKey
    within: float = Field(gt=0, allow_inf_nan=False)


class ItemDocument(Document):
    key: ShortSlug
    name: Words
    guidance: Words | None = None
    equipment_class: ClassName | None = Field(default=None, alias="class")
    where_present: bool = False
    """It is meant for those of the class only that have its point."""
    point: PointKey | None = None
    count: CountDocument | None = None
    completion: Literal["daily"] | None = None
    answer: Answer | None = None
    check: CheckDocument | None = None
    choices: tuple[ChoiceDocument, ...] = ()
    over: Duration | None = None
    by: By | None = None
    share: float | None = Field(default=None, gt=0, le=100)
    """Percent of the time."""
    confirm: bool = False
    """Telemetry proposes the value of the point, a person confirms it."""
    evidence: tuple[Evidence, ...] = ()
    compare: CompareDocument | None = None
    severity: Severity
    cause_key: Slug | None = None
    category: PointKey | None = None
    source: Source

    @property
    def ways(self) -> list[str]:
        """How it is answered; there has to be one."""
        keys = ("point", "count", "completion", "answer")
        return [key for key in keys if getattr(self, key) is not None]

    @property
    def proof(self) -> Proof | None:
        """Raises :class:`UnreadableError` if the file does not say one way."""
        if len(self.ways) != 1:
            raise UnreadableError("point")
        return None if self.ways == ["answer"] else Proof(self.ways[0])

    @property
    def judged_by(self) -> By:
        """Of a stretch of time."""
        if self.by is not None:
            return self.by
        return By.MEAN if self.share is None else By.SHARE

    def proving(self) -> Proving:
        compare = self.compare
        return Proving(
            over=None
            if self.over is None
            else Over(time=self.over, by=self.judged_by, share=self.share),
            confirm=self.confirm,
            evidence=self.evidence,
            compare=None
            if compare is None
            else Compare(point=compare.point, within=compare.within),
        )

    @property
    def point_key(self) -> str | None:
        return self.count.point if self.count is not None else self.point
