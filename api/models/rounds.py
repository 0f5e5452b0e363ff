"""Rounds over HTTP: what is due, one round with its lines, and what a person answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, StrictBool

from api.models import Document, LifecycleEvent, Moment, Number, OrderRef, QualityWord, Text, Words

LevelWord = Literal["daily", "weekly", "monthly"]
RoundStateWord = Literal[
    "planned", "due", "in_progress", "late", "missed", "done", "countersigned", "void"
]
ItemStateWord = Literal["waiting", "passed", "failed", "handed_over"]
SeverityWord = Literal["serious", "normal", "minor"]
AnswerWord = Literal["tick", "number", "choice", "text"]
TakenAt = Annotated[
    AwareDatetime,
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC)),
]


def _example(value: dict[str, object]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": value})


class RoundArea(Document):
    id: str = Field(examples=["b1-pump-room"])
    name: Text


class ItemCounts(Document):
    """The items of a round by their state; before it opens all wait."""

    total: int
    automatic: int = Field(description="Those that telemetry answers where it can.")
    passed: int
    failed: int
    waiting: int
    handed_over: int = Field(description="Telemetry cannot answer them: a person has to.")


class RoundSummary(Document):
    id: str = Field(examples=["daily-pump-room.b1-pump-room.2026-11-21"])
    regime: str = Field(examples=["daily-pump-room"])
    name: Text
    form: Text | None = Field(description="The form (表格) that it fills.")
    level: LevelWord
    area: RoundArea | None = Field(description="Null: the whole site.")
    period: str = Field(
        examples=["2026-11-21"], description="A day, a week `2026-W47` or a month `2026-11`."
    )
    opens_at: Moment
    due_at: Moment
    late_until: Moment = Field(description="From then on it is missed.")
    state: RoundStateWord = Field(description="As of the moment of answering.")
    items: ItemCounts
    role: str = Field(examples=["technician"], description="Who does it.")
    countersign_role: str | None = Field(examples=["engineering_manager"])
    started_at: Moment | None = Field(description="The first answer of a person.")
    done_at: Moment | None
    done_by: str | None
    done_by_name: str | None
    countersigned_at: Moment | None
    countersigned_by: str | None
    countersigned_by_name: str | None


class RoundPage(Document):
    items: list[RoundSummary]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class ItemEquipment(Document):
    id: str = Field(examples=["pump-2"])
    name: Text


class ItemChoice(Document):
    key: str
    name: Text


class ItemReading(Document):
    """What the item was judged by, as it was then."""

    model_config = _example(
        {
            "value": 61.4,
            "text": None,
            "quality": "good",
            "source_time": "2026-11-21T08:00:00.120+08:00",
            "received_at": "2026-11-21T08:00:00.345+08:00",
            "age": 0.8,
            "unit": "℃",
        }
    )

    value: Number
    text: Text | None = Field(description="A state in words, or which units run.")
    quality: QualityWord
    source_time: Moment | None = Field(description="Null: computed from other rounds.")
    received_at: Moment | None
    age: Number = Field(description="Seconds since it was received, when it was judged.")
    unit: str


class ItemEntry(Document):
    """What a person answered; a later one supersedes it, and both are kept."""

    id: str
    value: bool | float | str
    note: str | None
    by: str
    by_name: str | None
    via: str
    taken_at: Moment | None = Field(description="By the clock of who entered it.")
    received_at: Moment


class Finding(Document):
    """巡检异常: an item that failed."""

    id: str
    item: str
    severity: SeverityWord
    text: Text
    order: OrderRef | None = Field(description="The order that it raised or joined.")
    at: Moment


class RoundItem(Document):
    key: str = Field(examples=["bearing-temperature.bearing-2"])
    section: Text | None
    name: Text
    guidance: Text | None
    kind: Literal["automatic", "manual"]
    answer: AnswerWord = Field(description="What a person gives, also where it is handed over.")
    unit: str
    low: Number
    high: Number
    choices: list[ItemChoice]
    source: str = Field(description="Where the item comes from.")
    severity: SeverityWord = Field(description="Of a failure.")
    equipment: ItemEquipment | None
    point: str | None = Field(examples=["bearing-2.temperature"])
    state: ItemStateWord
    why: Text | None = Field(description="Why a person has to answer, or why it failed.")
    reading: ItemReading | None
    entry: ItemEntry | None = Field(description="The newest.")
    finding: Finding | None


class Round(RoundSummary):
    rows: list[RoundItem] = Field(
        description="Its lines; before it opens as they would be if it opened now."
    )
    findings: list[Finding]
    events: list[LifecycleEvent]
    contains: list[RoundSummary] = Field(
        description="Of a weekly or monthly round: the daily rounds of its period."
    )
    statement: Text | None = Field(description="What who signs says with it.")
    done_note: str | None
    countersign_note: str | None


class RoundEntryNew(Document):
    model_config = _example(
        {
            "entry": "0b2f6a0e-6f0e-4d5a-9a55-1f6f2a3c4d5e",
            "value": True,
            "passed": None,
            "note": None,
            "taken_at": "2026-11-21T09:12:00.000+08:00",
        }
    )

    entry: UUID = Field(description="Made by the client; the same again changes nothing.")
    value: StrictBool | float | Words
    passed: bool | None = Field(
        default=None, description="False: it is not in order, whatever the value says."
    )
    note: Words | None = Field(default=None, max_length=2000)
    taken_at: TakenAt | None = None


class RoundSignature(Document):
    model_config = _example({"note": "无异常"})

    note: Words | None = Field(default=None, max_length=2000)
