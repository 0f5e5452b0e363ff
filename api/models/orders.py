"""Work orders and owners' requests as documents, and what is said about one."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from api.models.attachments import Attachment, ContractorLink
from api.models.base import (
    Document,
    FindingRef,
    LifecycleEvent,
    Line,
    Moment,
    PriorityWord,
    Text,
    Words,
    example,
)

OrderState = Literal[
    "open",
    "assigned",
    "accepted",
    "on_site",
    "in_progress",
    "suspended",
    "completed",
    "verified",
    "closed",
    "void",
]
OrderSource = Literal["alarm", "finding", "request", "person", "plan"]
ClockName = Literal["respond", "arrive", "complete"]
ClockState = Literal["waiting", "running", "paused", "stopped", "breached"]


class Pause(Document):
    """A stretch that a clock does not count."""

    start: Moment
    end: Moment | None
    why: str = Field(examples=["parts"])


class Clock(Document):
    """How long something may take, and how much of it is left."""

    name: ClockName = "complete"
    limit_s: float = Field(examples=[7200.0])
    started_at: Moment | None = None
    due_at: Moment = Field(description="While it is paused: as if it went on now.")
    remaining_s: float = Field(description="Negative once the time is over.")
    state: ClockState
    calendar: Literal["always", "working_time"] = "always"
    pauses: list[Pause] = Field(default=[])
    explain: Text


class Requester(Document):
    """Who asked for it (报修人)."""

    name: str = Field(examples=["王女士"])
    phone: str | None
    place: str = Field(examples=["1 号楼 2 单元 801"])


class Promise(Document):
    """When it was promised to be done; postponed once at most (S0)."""

    until: Moment
    by: str
    postponed: bool
    reason: str | None


class Material(Document):
    name: Line = Field(max_length=100)
    quantity: float = Field(gt=0, le=100000)
    unit: Words = Field(max_length=16)
    price: float | None = Field(default=None, ge=0, description="Yuan a unit.")


class OrderProof(Document):
    """What telemetry has shown since the work was done, of one rule of its alarms."""

    rule: str = Field(examples=["motor-temperature-high"])
    equipment: str
    cycles: int = Field(description="Duty cycles since, in band all along.")
    cycles_needed: int | None = Field(description="Null: they are not counted.")
    in_band_s: float = Field(description="Seconds since, in band by good data.")
    in_band_needed_s: float
    first_at: Moment | None = Field(description="When the first of the cycles began.")
    last_at: Moment | None = Field(description="When the last of them ended.")
    stand: Literal["in_band", "not_judged", "no_data", "breaching"]
    enough: bool


class WorkOrder(Document):
    id: str = Field(examples=["pump-2.motor-temperature-high.20261121T101502-123456Z.order"])
    number: int = Field(examples=[1])
    source: OrderSource = "alarm"
    category: str = Field(examples=["water_supply"])
    category_name: Text
    priority: PriorityWord
    state: OrderState
    title: Text
    description: str | None = None
    equipment: str = Field(description="Or the area, where it is about no equipment.")
    equipment_name: Text
    area: str
    cause_key: str = Field(examples=["motor-overheat"])
    alarms: list[str] = Field(description="Ids of the alarms that this order answers.")
    finding: FindingRef | None = Field(
        description="The finding of a round that opened it; null where none did."
    )
    requester: Requester | None = None
    promise: Promise | None = None
    created_at: Moment
    created_by: str | None = None
    assigned_at: Moment | None = None
    assigned_to: str | None = Field(default=None, description="Who has it, or is to take it.")
    assigned_name: str | None = None
    accepted_at: Moment | None
    accepted_by: str | None
    arrived_at: Moment | None = None
    suspended_why: str | None = None
    both_crews: str | None = Field(
        default=None, description="Why one crew alone cannot go on with it; null: it can."
    )
    completed_at: Moment | None
    completed_by: str | None
    verified_at: Moment | None = None
    verified_by: str | None = Field(default=None, description="Null: telemetry has shown it.")
    verifies_at: Moment | None = Field(
        default=None, description="When telemetry will have shown it, if nothing comes back."
    )
    proofs: list[OrderProof] = Field(
        default=[], description="Cycles or time, whichever comes first; all of them are needed."
    )
    visited_at: Moment | None = None
    satisfied: bool | None = None
    closed_at: Moment | None = None
    note: str | None = Field(description="What was done, said at completion.")
    cause_code: str | None = None
    remedy_code: str | None = None
    materials: list[Material] = Field(default=[])
    labour_minutes: int | None = None
    cost: float | None = Field(default=None, description="Yuan, as agreed with who asked for it.")
    clock: Clock = Field(description="The one that ends next; of an order that is done the last.")
    clocks: list[Clock] = Field(default=[])
    escalated_to: str | None = Field(default=None, description="Role that has heard of it.")
    events: list[LifecycleEvent] | None = Field(
        default=None, description="Only where one order was asked for."
    )
    attachments: list[Attachment] | None = Field(
        default=None, description="Only where one order was asked for."
    )
    contractor_link: ContractorLink | None = Field(
        default=None, description="Only where one order was asked for, and to whoever assigns it."
    )


class OrderPage(Document):
    items: list[WorkOrder]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class OrderNew(Document):
    """An order that somebody makes."""

    model_config = example(
        {
            "category": "lighting",
            "priority": "minor",
            "title": "地库 B 区灯管更换",
            "area": "garage",
        }
    )

    category: Line = Field(max_length=64)
    priority: PriorityWord = "minor"
    title: Line = Field(max_length=200)
    description: Words | None = Field(default=None, max_length=2000)
    equipment: str | None = Field(default=None, max_length=100)
    area: str | None = Field(default=None, max_length=100)


class RequestNew(Document):
    """What an owner asks for, taken down at the desk (报修)."""

    model_config = example(
        {
            "name": "王女士",
            "phone": "13900000000",
            "place": "1 号楼 2 单元 801",
            "category": "water_supply",
            "priority": "major",
            "description": "厨房水龙头漏水",
        }
    )

    name: Line = Field(max_length=64)
    phone: Words | None = Field(default=None, max_length=32)
    place: Line = Field(max_length=200)
    area: str | None = Field(default=None, max_length=100)
    category: Line = Field(max_length=64)
    priority: PriorityWord = "minor"
    description: Line = Field(max_length=2000)
    cost: float | None = Field(default=None, ge=0, le=1_000_000)
    promised_until: AwareDatetime | None = None


class Place(Document):
    """Where a QR code hangs: what whoever scans it is asked for."""

    site: Text
    area: str
    area_name: Text
    categories: dict[str, Text]


class PublicRequest(Document):
    """What somebody asks for without being logged in."""

    model_config = example(
        {"name": "李先生", "phone": "13900000001", "category": "lift", "description": "电梯异响"}
    )

    name: Line = Field(max_length=64)
    phone: Words | None = Field(default=None, max_length=32)
    place: Words = Field(default="", max_length=200)
    category: Line = Field(max_length=64)
    description: Line = Field(max_length=2000)


class PublicReceipt(Document):
    number: int
    received_at: Moment


class PromiseChange(Document):
    model_config = example({"until": "2026-11-23T18:00:00+08:00", "reason": "等配件"})

    until: AwareDatetime
    reason: Words | None = Field(default=None, max_length=500)


class Assignment(Document):
    model_config = example({"username": "li", "note": "带上备用轴承"})

    username: Line = Field(max_length=64)
    note: Words | None = Field(default=None, max_length=2000)


class ReasonBody(Document):
    model_config = example({"reason": "不在本班组负责区域"})

    reason: Line = Field(max_length=2000)


class Suspension(Document):
    model_config = example({"why": "parts", "note": "等机械密封"})

    why: Literal["parts", "owner", "contractor", "other"]
    note: Words | None = Field(default=None, max_length=2000)


class Completion(Document):
    model_config = example({"note": "更换轴承，运行正常"})

    note: Line = Field(max_length=2000)
    cause_code: Words | None = Field(default=None, max_length=64)
    remedy_code: Words | None = Field(default=None, max_length=64)
    materials: list[Material] = Field(default=[], max_length=50)
    labour_minutes: int | None = Field(default=None, ge=0, le=100000)
    unticked_why: Line | None = Field(
        default=None,
        max_length=500,
        description="Of an order of a plan: why without every step that is required.",
    )


class Verification(Document):
    model_config = example({"passed": True, "note": "现场复核正常"})

    passed: bool
    note: Words | None = Field(default=None, max_length=2000)


class Visit(Document):
    model_config = example({"satisfied": True, "note": "电话回访，业主满意", "how": "phone"})

    satisfied: bool
    how: Literal["phone", "home", "message"] = "phone"
    note: Words | None = Field(default=None, max_length=2000)


class Candidate(Document):
    """Somebody who could take the order, the best first."""

    username: str
    display_name: str
    role: str
    contractor: bool
    on_duty: bool
    in_area: bool = Field(description="Of the team or area that answers for the place.")
    skilled: bool = Field(description="Has a skill of the order's category.")
    open_orders: int
    last_assigned_at: Moment | None
    warning: Text | None = Field(default=None, description="Such as a certificate that is over.")


class Candidates(Document):
    items: list[Candidate]


class OrderCodes(Document):
    """Words to choose from when an order is completed."""

    causes: dict[str, Text]
    remedies: dict[str, Text]
    categories: dict[str, Text]
