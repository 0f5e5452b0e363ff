"""What goes over HTTP: the typed documents of the API, each with an example.

Times are ISO 8601 with the site's offset. A value that is not there is null, never NaN and
never zero.
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, RootModel, StringConstraints

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

Number = Annotated[float | None, AfterValidator(_finite)]

QualityWord = Literal["good", "uncertain", "stale", "bad"]
PriorityWord = Literal["critical", "major", "minor", "info"]
PointKindWord = Literal["number", "flag", "state", "text"]
AlarmState = Literal["unacknowledged", "acknowledged", "returned_unacknowledged", "closed"]
OrderState = Literal["open", "accepted", "completed", "closed"]
ClockState = Literal["running", "stopped", "breached"]
LedgerState = Literal["ok", "down"]


class Document(BaseModel):
    """Base of every document: nothing unknown is let in or out."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _example(value: dict[str, object]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": value})


class Text(Document):
    """A text for people, in both languages of the product."""

    model_config = _example({"zh": "电机温度", "en": "Motor temperature"})

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

    model_config = _example(
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


class Credentials(Document):
    model_config = _example({"username": "admin", "password": "correct horse"})

    username: Words = Field(min_length=1, max_length=64)
    password: Words = Field(min_length=1, max_length=256)


class User(Document):
    model_config = _example({"username": "admin", "display_name": "管理员", "role": "admin"})

    username: str
    display_name: str
    role: str


class AreaSummary(Document):
    id: str
    name: Text


class GatewayState(Document):
    id: str
    last_received: Moment | None = Field(description="When the newest reading came in.")
    ok: bool = Field(description="Whether readings are coming in at this moment.")


class Site(Document):
    id: str = Field(examples=["brocade-garden"])
    name: Text
    timezone: str = Field(examples=["Asia/Shanghai"])
    areas: list[AreaSummary]
    now: Moment
    version: str = Field(examples=["0.1.0"])
    simulated: bool = Field(description="True: no real equipment is behind the readings.")
    gateway: GatewayState


class LastGood(Document):
    """The newest value that could be trusted."""

    value: Number
    text: str | None
    received_at: Moment


class Reading(Document):
    """A value with its quality as judged at the moment of answering."""

    model_config = _example(
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


class Limit(Document):
    """A limit that a rule holds this point against, to be drawn as a band."""

    rule: str = Field(examples=["motor-temperature-high"])
    name: Text
    above: float | None = None
    below: float | None = None
    priority: PriorityWord


class Point(Document):
    id: str = Field(examples=["pump-2.motor_temperature"])
    key: str = Field(examples=["motor_temperature"])
    name: Text
    kind: PointKindWord
    unit: str = Field(examples=["℃"])
    decimals: int = Field(examples=[1])
    low: float | None
    high: float | None
    states: dict[str, Text] = Field(description="Code → text, for states and flags.")
    limits: list[Limit]
    reading: Reading


class Equipment(Document):
    id: str = Field(examples=["pump-2"])
    name: Text
    equipment_class: str = Field(alias="class", examples=["pump"])
    profile: str = Field(examples=["grundfos-ciu-pump"])
    vendor: str = Field(
        description="Empty: of no maker in particular, or not known.", examples=["Grundfos"]
    )
    model: Text
    area: str = Field(examples=["b1-pump-room"])
    link: str = Field(examples=["pump-room"])
    supplied_by: str | None = Field(
        description="Equipment that feeds it with power or water.", examples=["meter-1"]
    )
    supplies: list[str] = Field(description="Equipment that it feeds at first hand.")
    behind: str | None = Field(
        description="Equipment that it is read through.", examples=["fire-panel"]
    )
    worst_priority: PriorityWord | None = Field(description="Of the alarms that are not closed.")
    open_alarms: int
    quality: QualityWord = Field(description="The worst of its points.")
    points: list[Point]


class EquipmentPage(Document):
    items: list[Equipment]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class Bucket(Document):
    start: Moment
    min: Number
    mean: Number
    max: Number
    last: Number
    count: int = Field(description="Readings with a value; 0: a gap.")
    quality: QualityWord = Field(description="The worst in this time; `bad` in a gap.")


class Readings(Document):
    point: str = Field(examples=["pump-2.motor_temperature"])
    start: Moment
    end: Moment
    bucket_s: float = Field(examples=[12.0])
    buckets: list[Bucket]


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


class Alarm(Document):
    id: str = Field(examples=["pump-2.motor-temperature-high.20261121T101502-123456Z"])
    rule: str = Field(examples=["motor-temperature-high"])
    name: Text
    equipment: str = Field(examples=["pump-2"])
    equipment_name: Text
    area: str = Field(examples=["b1-pump-room"])
    point: str = Field(examples=["pump-2.motor_temperature"])
    priority: PriorityWord
    state: AlarmState
    present: bool = Field(description="Whether the condition itself is there now.")
    value: Number = Field(description="The value that raised it.")
    limit: Number
    unit: str
    raised_at: Moment
    first_reading_at: Moment = Field(description="The first breaching reading.")
    cleared_at: Moment | None
    acknowledged_at: Moment | None
    acknowledged_by: str | None
    note: str | None
    guidance: Guidance
    order: OrderRef | None
    current: Reading
    provisional: bool = Field(
        description="True while the ledger does not have it yet: it keeps its id, and can be "
        "acknowledged once it is there."
    )
    events: list[LifecycleEvent] | None = Field(
        default=None, description="Only where one alarm was asked for."
    )


class AlarmPage(Document):
    items: list[Alarm]
    next: str | None = Field(description="Cursor of the next page; null at the end.")
    ledger: LedgerState = Field(
        description="`down`: the ledger does not answer, these are the provisional alarms only."
    )


class Acknowledgement(Document):
    model_config = _example({"note": "泵房已派人查看"})

    note: Words | None = Field(default=None, max_length=2000)


class Clock(Document):
    """How long an order may take, and how much of it is left."""

    limit_s: float = Field(examples=[7200.0])
    due_at: Moment
    remaining_s: float = Field(description="Negative once the time is over.")
    state: ClockState
    explain: Text


class FindingRef(Document):
    id: str
    round: str = Field(examples=["daily-pump-room.b1-pump-room.2026-11-21"])
    item: str = Field(examples=["leaks.pump-2"])


class WorkOrder(Document):
    id: str = Field(examples=["pump-2.motor-temperature-high.20261121T101502-123456Z.order"])
    number: int = Field(examples=[1])
    category: str = Field(examples=["water_supply"])
    category_name: Text
    priority: PriorityWord
    state: OrderState
    title: Text
    equipment: str
    equipment_name: Text
    area: str
    cause_key: str = Field(examples=["motor-overheat"])
    alarms: list[str] = Field(description="Ids of the alarms that this order answers.")
    finding: FindingRef | None = Field(
        description="The finding of a round that opened it; null where an alarm did."
    )
    created_at: Moment
    accepted_at: Moment | None
    accepted_by: str | None
    completed_at: Moment | None
    completed_by: str | None
    note: str | None = Field(description="What was done, said at completion.")
    clock: Clock
    events: list[LifecycleEvent] | None = Field(
        default=None, description="Only where one order was asked for."
    )


class OrderPage(Document):
    items: list[WorkOrder]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class Completion(Document):
    model_config = _example({"note": "更换轴承，运行正常"})

    note: Annotated[Words, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        max_length=2000
    )


class SnapshotMessage(Document):
    """`event: snapshot`: everything that is not closed, and every reading.

    While the ledger does not answer, `seq` is null: the alarms are the provisional ones only, of
    the others and of the orders nothing is said, and a snapshot with all of them follows.
    """

    alarms: list[Alarm]
    orders: list[WorkOrder]
    readings: dict[str, Reading]
    now: Moment
    ledger: LedgerState
    seq: int | None = Field(description="The change id that this snapshot holds up to.")


class AlarmMessage(Document):
    """`event: alarm`: an alarm as it is now; `id:` is the change id."""

    alarm: Alarm


class OrderMessage(Document):
    """`event: order`: an order as it is now; `id:` is the change id."""

    order: WorkOrder


class ChangedMessage(Document):
    """`event: changed`: something else is not as it was; ask for it again."""

    kind: Literal["round", "roster"]
    subject: str = Field(description="The id of the round, or what of the roster changed.")


class ProvisionalMessage(Document):
    """`event: provisional`: all alarms that are up and not in the ledger, whenever that changes.

    One that is named no more has come as `event: alarm` before, or is over. `ledger: down`:
    what comes up is shown, and written when the ledger is back.
    """

    alarms: list[Alarm]
    ledger: LedgerState


class ReadingsMessage(Document):
    """`event: readings`: what changed, in value, quality or age."""

    now: Moment
    readings: dict[str, Reading]


class HeartbeatMessage(Document):
    """`event: heartbeat`: the stream is alive, and whether readings still come in."""

    now: Moment
    received_at: Moment | None


class StreamMessage(
    RootModel[
        SnapshotMessage
        | AlarmMessage
        | OrderMessage
        | ProvisionalMessage
        | ChangedMessage
        | ReadingsMessage
        | HeartbeatMessage
    ]
):
    """The `data:` of one event; `event:` tells which."""


class Health(Document):
    model_config = _example(
        {
            "status": "ok",
            "checks": {"ledger": "ok", "history": "ok", "gateway": "ok", "rules": "ok"},
            "leader": "duty-1:4711",
        }
    )

    status: Literal["ok", "failing"]
    checks: dict[str, str] = Field(description="Part → `ok`, or what is wrong.")
    leader: str | None = Field(
        description="The rules worker that leads, as machine and process; null: none was heard."
    )
