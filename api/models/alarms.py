"""Alarms as documents, and what is said about one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.models.base import (
    Document,
    Guidance,
    LedgerState,
    LifecycleEvent,
    Line,
    Moment,
    Number,
    OrderRef,
    PriorityWord,
    Reading,
    Text,
    Words,
    example,
)

AlarmState = Literal[
    "unacknowledged",
    "acknowledged",
    "returned_unacknowledged",
    "latched",
    "shelved",
    "suppressed",
    "out_of_service",
    "closed",
]
Reason = Line


class AlarmRef(Document):
    """Another alarm, in a line."""

    id: str
    name: Text
    equipment: str
    equipment_name: Text
    raised_at: Moment


class Shelf(Document):
    """Put aside for a time: nobody is called for it, and it ends by itself."""

    until: Moment
    by: str
    reason: str


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
    life_safety: bool = Field(
        default=False, description="Of fire or lift equipment: only the manager may put it aside."
    )
    value: Number = Field(description="The value that raised it.")
    limit: Number = Field(description="Null where the rule has no single limit.")
    unit: str
    raised_at: Moment
    first_reading_at: Moment = Field(description="The first breaching reading.")
    last_raised_at: Moment | None = Field(
        default=None, description="When it last came back; the same as `raised_at` if never."
    )
    count: int = Field(default=1, description="How often it has come up before it was over.")
    cleared_at: Moment | None
    acknowledged_at: Moment | None
    acknowledged_by: str | None
    acknowledged_until: Moment | None = Field(
        default=None, description="When the acknowledgement expires and it calls again."
    )
    latches: bool = Field(
        default=False, description="When it has returned it stays until somebody resets it."
    )
    shelf: Shelf | None = None
    explained_by: AlarmRef | None = Field(
        default=None, description="The alarm that explains this one (`suppressed`)."
    )
    explains: int = Field(default=0, description="How many alarms this one explains at present.")
    first_out: bool = Field(
        default=False, description="Of those that it explains and itself, it was there first."
    )
    planned_test: str | None = Field(
        default=None, description="Id of the planned test that expected it when it came up."
    )
    held_until: Moment | None = Field(
        default=None,
        description="Nobody is called beyond the duty room until then, unless the tester confirms "
        "it; null: not held.",
    )
    confirmed_at: Moment | None = None
    confirmed_by: str | None = Field(
        default=None, description="Who confirmed that it was set off for the planned test."
    )
    note: str | None
    guidance: Guidance
    order: OrderRef | None
    order_at: Moment | None = Field(
        default=None, description="When it becomes an order, where that waits for working time."
    )
    current: Reading
    provisional: bool = Field(
        description="True while the ledger does not have it yet: it keeps its id, and can be "
        "acknowledged once it is there."
    )
    explained: list[AlarmRef] | None = Field(
        default=None, description="What it explains; only where one alarm was asked for."
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
    model_config = example({"note": "泵房已派人查看"})

    note: Words | None = Field(default=None, max_length=2000)


class ShelveRequest(Document):
    model_config = example({"minutes": 240, "reason": "传感器待更换，备件明日到"})

    minutes: int = Field(ge=1, le=7 * 24 * 60, description="For how long; at most a week.")
    reason: Reason = Field(max_length=500)


class NoteBody(Document):
    """Why, where that is worth saying."""

    model_config = example({"note": "现场已查看"})

    note: Words | None = Field(default=None, max_length=2000)


class ShelfInForce(Document):
    """A rule that is put aside on one piece of equipment: it calls nobody meanwhile."""

    rule: str
    alarm: AlarmRef = Field(description="The newest of it there; unshelve it to end this.")
    area: str
    life_safety: bool
    present: bool = Field(description="The alarm is there; false: it is over.")
    since: Moment
    until: Moment
    by: str
    reason: str


class ShelfList(Document):
    items: list[ShelfInForce]


class OutOfServiceRequest(Document):
    model_config = example({"reason": "水泵大修", "hours": 48})

    reason: Reason = Field(max_length=500)
    hours: int | None = Field(
        default=None, ge=1, le=24 * 90, description="Null: until somebody brings it back."
    )


class OutOfService(Document):
    """A piece of equipment of which nothing calls at present."""

    equipment: str
    equipment_name: Text
    since: Moment
    until: Moment | None
    by: str
    reason: str


class OutOfServiceList(Document):
    items: list[OutOfService]


class LoadRule(Document):
    """One rule on one piece of equipment, and how often it has called."""

    rule: str
    name: Text
    equipment: str
    equipment_name: Text
    count: int


class AlarmFigures(Document):
    """How much the alarms ask of the people on duty, over a time."""

    start: Moment
    end: Moment
    alarms: int
    per_day: float = Field(description="Mean over the time.")
    busiest_10_min: int = Field(description="The most within ten minutes.")
    flood_share: float = Field(description="Share of the time with more than 10 in ten minutes.")
    by_priority: dict[str, int]
    top: list[LoadRule] = Field(description="The ten that called most often.")
    chattering: list[LoadRule] = Field(description="Those that came up 3 times in a minute.")
    stale: list[AlarmRef] = Field(description="Those that have been up for more than 24 h.")
    shelved: int = Field(description="On the shelf at present.")
    suppressed: int = Field(description="Explained by others, over the time.")
    unordered: int = Field(description="Alarms that no order answered.")
