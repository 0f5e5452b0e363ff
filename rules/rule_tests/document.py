"""What a file of rule tests may hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, StrictStr

from gateway.files.documents import Document
from gateway.files.durations import Duration
from gateway.files.fields import ClassName, Line, Slug
from gateway.model.moment import SECOND
from rules.twins import PointName


def _written(value: object) -> object:
    """A lone number is a line of one reading."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.12g}" if is_number else value


Series = Mapping[PointName, Annotated[StrictStr, BeforeValidator(_written)]]
"""With a series of ``twin.<point>`` the equipment has a twin."""


class ThingDocument(Document):
    """Equipment beside the one that the test is about."""

    equipment_class: ClassName = Field(alias="class")
    series: Series = Field(default_factory=dict)


class ExpectDocument(Document):
    at: Duration
    rule: Slug
    state: Literal["raised", "none", "cleared"]
    equipment: Slug | None = None
    """One of ``others``; None: the one that the test is about."""


class RuleTestDocument(Document):
    id: Slug
    why: Line | None = None
    profile: Slug | None = None
    """Its points, in place of all points of the class."""
    interval: Duration | None = Field(default=None, gt=0)
    starts: Annotated[StrictStr, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = "11:00"
    """Of a Monday, in the site's time."""
    series: Series = Field(min_length=1)
    others: Mapping[Slug, ThingDocument] = Field(default_factory=dict)
    expect: tuple[ExpectDocument, ...] = Field(min_length=1)


class RuleTestsDocument(Document):
    equipment_class: ClassName = Field(alias="class")
    interval: Duration = Field(default=10 * SECOND, gt=0)
    """Between two readings, where a test says nothing else."""
    tests: tuple[RuleTestDocument, ...] = Field(min_length=1)
