"""The past of points: readings in buckets, and where there are none."""

from __future__ import annotations

from pydantic import Field

from api.models.base import Document, Moment, Number, QualityWord


class Bucket(Document):
    start: Moment
    min: Number
    mean: Number
    max: Number
    last: Number
    count: int = Field(description="Readings with a value; 0: a gap.")
    quality: QualityWord = Field(description="The worst in this time; `bad` in a gap.")


class Gap(Document):
    """A stretch from which there is no value."""

    start: Moment
    end: Moment | None = Field(description="Null while it lasts.")
    reason: str = Field(description="`code` or `code: detail`.", examples=["no_reply: unit 3, 1 s"])


class Readings(Document):
    point: str = Field(examples=["pump-2.motor_temperature"])
    start: Moment
    end: Moment
    bucket_s: float = Field(examples=[12.0])
    buckets: list[Bucket]
    gaps: list[Gap] = Field(
        description="The stretches without a value. A bucket without readings in none of them is "
        "no gap: the history leaves out what hardly differs."
    )


class Silence(Document):
    equipment: str
    gaps: list[Gap]


class Silences(Document):
    """When equipment said nothing."""

    start: Moment
    end: Moment
    items: list[Silence] = Field(description="Of that which had a gap.")
