"""Documents of maintenance plans (保养计划) and of what is due of them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from api.models.base import (
    Document,
    LifecycleEvent,
    Moment,
    Number,
    Text,
    Words,
    example,
    visible,
)
from api.models.orders import Material

PlanDueState = Literal["planned", "due", "in_progress", "late", "overdue", "done", "missed", "void"]
PlanTriggerWord = Literal["schedule", "completion", "counter"]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(visible),
]


class PlanStep(Document):
    name: Text
    source: Text
    required: bool = Field(description="Nobody finishes the work without it or a reason.")


class PlanDueStep(PlanStep):
    number: int = Field(description="From 1.")
    done_at: Moment | None = Field(description="Null: nobody has ticked it.")
    done_by: str | None


class PlanMaterial(Document):
    name: Text
    quantity: Number
    unit: str


class PlanAdvance(Document):
    """The notice that is raised before the day."""

    days: int
    text: Text
    source: Text


class PlanDoer(Document):
    contractor: str | None = Field(description="User name of who gets its orders.")
    team: str | None
    skill: str | None


class PlanCounter(Document):
    """How far a counter has grown since the last time."""

    point: str = Field(description="Id of the point.", examples=["pump-1.run_hours"])
    name: Text
    unit: str
    grown: float
    every: float
    last: Number = Field(description="What it said last; null: it was never heard.")
    last_at: Moment | None
    stand: Literal["counting", "stale", "never_heard"] = Field(
        description="`stale`: nothing good was heard of late, and nothing is counted meanwhile."
    )
    turns: int = Field(description="How often it was set back, or its device was replaced.")


class PlanDue(Document):
    """One that is due, or was, or will be."""

    id: str = Field(examples=["lift-half-monthly.lift-1.2026-11-27"])
    plan: str
    name: Text
    category: str
    subject: str = Field(description="Id of the equipment, the area or the site.")
    subject_name: Text
    area: str | None = Field(description="Null: the whole site.")
    equipment: str | None
    trigger: PlanTriggerWord
    day: date | None = Field(description="Null: only a counter knows.")
    original_day: date | None = Field(description="Before it was postponed.")
    state: PlanDueState
    opens_at: Moment | None = Field(description="When its order is raised.")
    due_at: Moment | None
    overdue_at: Moment | None
    notice_at: Moment | None = Field(description="When its advance notice is to be raised.")
    noticed_at: Moment | None = Field(description="When it was.")
    opened_at: Moment | None
    order: str | None
    order_number: int | None
    postponed: int = Field(description="How often.")
    done_at: Moment | None
    done_by: str | None
    done_note: str | None
    void_by: str | None
    counters: list[PlanCounter] = Field(description="Of what is not over.")


class PlanDueWhole(PlanDue):
    """With what is to be done, and what has happened."""

    steps: list[PlanDueStep]
    unticked_why: str | None = Field(
        description="Why it was finished without every step that is required."
    )
    materials: list[PlanMaterial]
    used: list[Material] = Field(description="What was, of materials.")
    duration_minutes: int | None
    labour_minutes: int | None = Field(description="How long it took.")
    doer: PlanDoer
    advance: PlanAdvance | None
    source: Text
    postponed_at_most: int = Field(description="Days after the original one; 0: not at all.")
    events: list[LifecycleEvent]


class PlanDuePage(Document):
    items: list[PlanDue]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class PlanSubject(Document):
    """What a plan is about, and what of it is due next."""

    id: str
    name: Text
    area: str | None
    equipment: str | None
    next: PlanDue | None = Field(description="Null: it is not planned yet.")
    next_day: date | None = Field(description="Of that, or what the calendar will bring.")


class PlanSummary(Document):
    id: str = Field(examples=["lift-half-monthly"])
    name: Text
    category: str
    category_name: Text
    every: str | None = Field(description="By schedule.", examples=["15 days"])
    rrule: str | None
    anchor: date | None
    after: str | None = Field(description="After the last time.", examples=["12 months"])
    counters: list[str] = Field(description="Keys of the points that it counts.")
    allowed_days: int
    grace_days: int
    notice_days: int | None
    source: Text
    subjects: list[PlanSubject]


class PlanList(Document):
    items: list[PlanSummary]


class Plan(PlanSummary):
    """With what is to be done, and its past."""

    steps: list[PlanStep]
    materials: list[PlanMaterial]
    duration_minutes: int | None
    doer: PlanDoer
    advance: PlanAdvance | None
    past: list[PlanDue] = Field(description="The last hundred, newest first.")


class PlanMonth(Document):
    """How many of a plan there are in a month, by state; `planned` includes what the calendar
    will bring."""

    month: int = Field(ge=1, le=12)
    planned: int = 0
    due: int = 0
    in_progress: int = 0
    late: int = 0
    overdue: int = 0
    done: int = 0
    missed: int = 0
    void: int = 0


class PlanYearRow(Document):
    plan: str
    name: Text
    category: str
    category_name: Text
    months: list[PlanMonth] = Field(description="Those in which there is one.")


class PlanYear(Document):
    year: int
    rows: list[PlanYearRow]


class PlanPostpone(Document):
    model_config = example({"to": "2026-12-04", "reason": "备件未到"})

    to: date
    reason: Reason


class PlanVoid(Document):
    model_config = example({"reason": "设备已拆除"})

    reason: Reason


class PlanRecord(Document):
    model_config = example({"done_at": "2026-11-20T15:30:00+08:00", "note": "厂家保养"})

    done_at: AwareDatetime | None = Field(default=None, description="Null: now.")
    note: Words | None = Field(default=None, max_length=2000)
    materials: list[Material] = Field(default=[], max_length=50)
    labour_minutes: int | None = Field(default=None, ge=0, le=100000)
    unticked_why: Reason | None = Field(
        default=None, description="Why without every step that is required."
    )


class PlanTick(Document):
    model_config = example({"done": True})

    done: bool = Field(description="False: it is not done after all.")
