"""What the documents of the API are made of."""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Moment = Annotated[
    str,
    Field(
        json_schema_extra={"format": "date-time"},
        examples=["2026-11-21T18:07:12.345+08:00"],
    ),
]


def _finite(value: float | None) -> float | None:
    """JSON has no NaN and no infinity."""
    return value if value is not None and math.isfinite(value) else None


_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(value: str) -> str:
    """``value``; raises ValueError where it holds what nobody would see."""
    if _UNSEEN.search(value):
        raise ValueError("holds a control character or half a character")
    return value


Words = Annotated[str, AfterValidator(visible)]
"""Text from outside: no NUL, which PostgreSQL refuses, no lone surrogate, which JSON lets through
and nothing can encode, and nothing unseen that would turn what stands behind it around."""

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(visible)
]
"""Words that have to be said: blanks alone are none. Of ``Words`` it could not be made, for a
length is looked at before what comes behind a validator is stripped."""

Number = Annotated[float | None, AfterValidator(_finite)]

QualityWord = Literal["good", "uncertain", "stale", "bad"]
PriorityWord = Literal["critical", "major", "minor", "info"]
PointKindWord = Literal["number", "flag", "state", "text"]
LedgerState = Literal["ok", "down"]


class Document(BaseModel):
    """Base of every document: nothing unknown is let in or out."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def example(value: dict[str, object]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": value})


class Text(Document):
    """A text for people, in both languages of the product."""

    model_config = example({"zh": "电机温度", "en": "Motor temperature"})

    zh: str
    en: str


class Guidance(Document):
    """What to do, step by step, in both languages."""

    zh: list[str]
    en: list[str]


class ProblemError(Document):
    """One thing that is wrong with a request."""

    where: str = Field(description="Part and name, such as `query.limit` or `body.username`.")
    message: str


class Problem(Document):
    """An error as RFC 9457 has it; `application/problem+json`."""

    model_config = example(
        {
            "type": "urn:dutyroom:problem:not-found",
            "title": "Not found",
            "status": 404,
            "detail": "There is no alarm pump-9.motor-temperature-high.",
            "instance": "/api/v1/alarms/pump-9.motor-temperature-high",
        }
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[ProblemError] | None = Field(
        default=None, description="For a request that was not valid: every complaint."
    )


class LastGood(Document):
    """The newest value that could be trusted."""

    value: Number
    text: str | None
    received_at: Moment


class Reading(Document):
    """A value with its quality as judged at the moment of answering."""

    model_config = example(
        {
            "value": 61.4,
            "text": None,
            "quality": "good",
            "reason": None,
            "received_at": "2026-11-21T18:07:12.345+08:00",
            "source_at": "2026-11-21T18:07:12.345+08:00",
            "last_good": {
                "value": 61.4,
                "text": None,
                "received_at": "2026-11-21T18:07:12.345+08:00",
            },
            "stale_after_s": 3.0,
        }
    )

    value: Number = Field(description="Null where there is none; a state or flag gives its code.")
    text: str | None = Field(description="Only for text points.")
    quality: QualityWord
    reason: str | None = Field(description="Why the quality is not good.")
    received_at: Moment | None = Field(description="Null: nothing was ever received.")
    source_at: Moment | None = Field(description="By the device's own clock.")
    last_good: LastGood | None
    stale_after_s: float = Field(description="Older than this a value is stale.")


class OrderRef(Document):
    id: str
    number: int


class LifecycleEvent(Document):
    """One step in the life of an alarm or an order."""

    at: Moment
    event: str = Field(examples=["acknowledge"])
    from_state: str
    to_state: str
    by: str | None = Field(description="A user name, or null where nobody did it.")
    why: str | None


class FindingRef(Document):
    id: str
    round: str = Field(examples=["daily-pump-room.b1-pump-room.2026-11-21"])
    item: str = Field(examples=["leaks.pump-2"])
