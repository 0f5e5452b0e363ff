"""Rounds over HTTP: what is due, one round with its lines, and what a person answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, StrictBool

from api.models.attachments import Attachment
from api.models.base import (
    Document,
    LifecycleEvent,
    Moment,
    Number,
    OrderRef,
    QualityWord,
    Text,
    Words,
)

LevelWord = Literal[
    "shift",
    "daily",
    "weekly",
    "half_monthly",
    "monthly",
    "quarterly",
    "half_yearly",
    "yearly",
]
RoundStateWord = Literal[
    "planned", "due", "in_progress", "late", "missed", "done", "countersigned", "void"
]
ItemStateWord = Literal["waiting", "passed", "failed", "handed_over"]
SeverityWord = Literal["serious", "normal", "minor"]
AnswerWord = Literal["tick", "number", "choice", "text"]
ByWord = Literal["mean", "min", "max", "last", "share", "starts"]
EvidenceWord = Literal["qr", "photo"]
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
        examples=["2026-11-21"],
        description="A day, a shift of it `2026-11-21-night`, a week `2026-W47`, half a month "
        "`2026-11-H2`, a month `2026-11`, a quarter `2026-Q4`, half a year `2026-H2`, a year "
        "`2026`.",
    )
    opens_at: Moment
    due_at: Moment
    late_until: Moment = Field(description="From then on it is missed.")
    version: str | None = Field(
        examples=["3f9a1c20b7de"],
        description="Of its regime's file; null: from before versions were kept.",
    )
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


class ItemWindow(Document):
    """What the history said of the point over a stretch of time."""

    start: Moment
    end: Moment
    min: Number
    mean: Number = Field(description="Weighted by time.")
    max: Number
    last: Number
    share: Number = Field(description="Percent of the covered time within the limits.")
    starts: int = Field(description="How often it went from 0 to something else.")
    count: int = Field(description="Readings in the history, which leaves out what did not move.")
    covered: Number = Field(description="Percent of the time with good readings.")
    quality: QualityWord = Field(description="The worst.")
    gaps: int
    text: Text


class ItemOver(Document):
    """The stretch of time that an item is judged over."""

    seconds: Number
    by: ByWord
    share: Number = Field(description="Percent of the time, with `by: share`: less fails.")


class ItemCompared(Document):
    """A number by hand against the sensor."""

    point: str
    value: Number = Field(description="The sensor's; null: it said nothing that counts.")
    received_at: Moment | None
    difference: Number = Field(description="The person's number less the sensor's.")
    within: Number = Field(description="A larger difference is a disagreement.")
    agrees: bool | None
    why: Text | None


class ItemDrift(Document):
    """How the differences from the sensor go on over the last rounds of this line."""

    rounds: int
    mean: Number
    slope: Number = Field(description="Change in a week; null: too few rounds to tell.")


class ItemScan(Document):
    """The code that was scanned."""

    place: str = Field(description="Area or equipment.", examples=["b1-pump-room"])
    at: Moment = Field(description="By the clock of who scanned it.")
    by: str


class SpotCheck(Document):
    """What who countersigns found where the line was looked at again."""

    agrees: bool
    note: str | None
    by: str
    by_name: str | None
    at: Moment


class ItemOffline(Document):
    """Another answer to the line, which waits for a person's decision."""

    id: str = Field(description="Of the conflict.")
    reason: str = Field(examples=["two_answers"])
    value: bool | float | str | None
    note: str | None
    by: str
    by_name: str | None
    taken_at: Moment = Field(description="By the server's clock.")
    received_at: Moment


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
    window: ItemWindow | None = Field(
        default=None, description="The stretch of time that was judged; `value` is of it."
    )


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
    compared: ItemCompared | None = None


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
    kind: Literal["automatic", "assisted", "manual"] = Field(
        description="Assisted: `reading` is a proposal, which a person confirms or changes."
    )
    answer: AnswerWord = Field(description="What a person gives, also where it is handed over.")
    unit: str
    low: Number
    high: Number
    choices: list[ItemChoice]
    source: Text = Field(description="Where the item comes from.")
    severity: SeverityWord = Field(description="Of a failure.")
    equipment: ItemEquipment | None
    point: str | None = Field(examples=["bearing-2.temperature"])
    state: ItemStateWord
    why: Text | None = Field(description="Why a person has to answer, or why it failed.")
    reading: ItemReading | None
    entry: ItemEntry | None = Field(description="The newest.")
    finding: Finding | None
    over: ItemOver | None = None
    evidence: list[EvidenceWord] = Field(description="What an answer has to come with.")
    lacks: list[EvidenceWord] = Field(description="What of it is still missing.")
    scan: ItemScan | None = Field(description="The newest.")
    photos: list[Attachment]
    drift: ItemDrift | None
    spot_check: SpotCheck | None
    sampled: bool = Field(description="To be looked at again before the round is countersigned.")
    offline: list[ItemOffline] = Field(
        description="What phones without signal have entered too, and nobody has decided yet."
    )


class WalkLeg(Document):
    """A way between two scans. Only shown: a clock or a distance may be wrong."""

    by: str
    by_name: str | None
    start: RoundArea
    to: RoundArea
    left_at: Moment
    came_at: Moment
    metres: Number
    seconds: Number
    fast: bool = Field(description="Faster than anybody walks a round.")


class FindingCounts(Document):
    serious: int
    normal: int
    minor: int
    open: int = Field(description="Those whose order is not closed.")


class RegimeCount(Document):
    """The rounds of one regime in the period, and what they found."""

    regime: str
    name: Text
    due: int
    done: int
    late: int = Field(description="Of the done ones, those after their time.")
    missed: int
    findings: FindingCounts


class AreaSummary(Document):
    """What the period brought in one area."""

    area: RoundArea | None = Field(description="Null: rounds and orders of the whole site.")
    regimes: list[RegimeCount]
    orders_open: int = Field(description="Now.")


class Round(RoundSummary):
    rows: list[RoundItem] = Field(
        description="Its lines; before it opens as they would be if it opened now."
    )
    findings: list[Finding]
    events: list[LifecycleEvent]
    contains: list[RoundSummary] = Field(
        description="Of a weekly or monthly round: the daily rounds of its period."
    )
    walk: list[WalkLeg] = Field(
        description="The ways between scans whose length the site file says."
    )
    summary: list[AreaSummary] = Field(
        description="Of a monthly round, or one of a longer period: by area."
    )
    statement: Text | None = Field(description="What who signs says with it.")
    done_note: str | None
    countersign_note: str | None


class EntryScan(Document):
    """The code that hangs at the place or on the equipment."""

    code: Words = Field(
        min_length=1,
        max_length=500,
        description="As it was read: an address, or the letters below the code.",
    )
    at: TakenAt = Field(description="When, by the clock of who scanned it.")


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
    scan: EntryScan | None = None


class SpotCheckNew(Document):
    model_config = _example({"agrees": True, "note": None})

    agrees: StrictBool
    note: Words | None = Field(
        default=None, max_length=2000, description="What is not as it was written; then needed."
    )


class RoundSignature(Document):
    model_config = _example({"note": "无异常"})

    note: Words | None = Field(default=None, max_length=2000)
