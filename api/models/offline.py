"""The offline protocol over HTTP: what a phone fetches, sends, and hears back; see
``deploy/docs/offline.md``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StrictBool

from api.models.base import (
    Document,
    Guidance,
    Line,
    Moment,
    Number,
    PriorityWord,
    Text,
    Words,
    example,
)
from api.models.orders import (
    Completion,
    OrderCodes,
    OrderState,
    ReasonBody,
    Requester,
    Suspension,
)
from api.models.plans import PlanDueStep, PlanMaterial
from api.models.rounds import (
    AnswerWord,
    EvidenceWord,
    Finding,
    ItemChoice,
    ItemEntry,
    ItemEquipment,
    ItemReading,
    ItemScan,
    ItemStateWord,
    RoundSignature,
    RoundSummary,
    SeverityWord,
)

KindWord = Literal[
    "round_item",
    "round_finish",
    "order_accept",
    "order_decline",
    "order_arrive",
    "order_start",
    "order_suspend",
    "order_resume",
    "order_tick",
    "order_complete",
    "round_photo",
    "order_photo",
]
ActWord = Literal[
    "order_accept",
    "order_decline",
    "order_arrive",
    "order_start",
    "order_suspend",
    "order_resume",
    "order_tick",
    "order_complete",
]
OutcomeWord = Literal["applied", "known", "conflict", "refused"]
KeptOutcomeWord = Literal["applied", "conflict", "refused"]
ReasonWord = Literal[
    "two_answers",
    "unseen_answers",
    "by_telemetry",
    "not_open",
    "laid_out_anew",
    "taken",
    "moved_on",
    "waits",
    "failed",
    "not_valid",
    "not_allowed",
    "not_found",
    "incomplete",
    "reused",
]
NoteWord = Literal["regime_changed", "clock_off", "clock_stepped", "already"]
KeepWord = Literal["mine", "theirs"]
MOST_ENTRIES = 50
PhoneTime = Annotated[
    AwareDatetime,
    Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
]
"""Of a clock that may be wrong by years: a phone whose battery was flat is in 1970."""
Device = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", examples=["phone-7f3a"])]
Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", examples=["1834-1795224000"])]
Subject = Annotated[
    str,
    Field(
        max_length=250,
        pattern=r"^[A-Za-z0-9._-]+$",
        examples=["daily-pump-room.b1-pump-room.2026-11-21"],
        description="A round, or an order.",
    ),
]


class OfflinePerson(Document):
    username: str
    display_name: str
    role: str


class OfflineLine(Document):
    """One line of a round with all that is needed to answer it without signal."""

    key: str = Field(examples=["leaks.pump-2"])
    section: Text | None
    name: Text
    guidance: Text | None
    kind: Literal["automatic", "assisted", "manual"]
    answer: AnswerWord
    unit: str
    low: Number
    high: Number
    choices: list[ItemChoice]
    severity: SeverityWord
    equipment: ItemEquipment | None
    area: str | None
    state: ItemStateWord
    why: Text | None
    by_telemetry: bool = Field(description="Answered by it: there is nothing to enter.")
    reading: ItemReading | None = Field(description="What telemetry has proved, or proposes.")
    entry: ItemEntry | None = Field(description="What a person has answered last.")
    finding: Finding | None
    evidence: list[EvidenceWord]
    lacks: list[EvidenceWord]
    scan: ItemScan | None
    codes: list[str] = Field(
        examples=[["pump-2", "H7KQ"]],
        description="What counts as a scan here: the code itself, or the last part of the "
        "address that it holds.",
    )


class OfflineRound(RoundSummary):
    version: Version
    regime_version: str | None = Field(description="Of the regime's file, by which it was planned.")
    regime_changed: bool = Field(
        description="The regime's file is another one by now; this round keeps its own."
    )
    lines: list[OfflineLine]


class OfflineOrder(Document):
    """An order with all that is needed to do it without signal."""

    id: str
    version: Version
    acts: list[ActWord] = Field(description="What may be done now.")
    number: int
    state: OrderState
    priority: PriorityWord
    category: str
    category_name: Text
    title: Text
    description: str | None
    equipment: str = Field(description="Or the area, where it is about no equipment.")
    equipment_name: Text
    area: str
    requester: Requester | None
    guidance: Guidance | None = Field(description="Of its first alarm.")
    created_at: Moment
    assigned_to: str | None
    assigned_at: Moment | None
    accepted_at: Moment | None
    arrived_at: Moment | None
    suspended_why: str | None
    due_at: Moment | None = Field(
        description="When it is to be completed; null while that clock does not run."
    )
    steps: list[PlanDueStep] = Field(default=[], description="Of an order of a plan: its sheet.")
    materials: list[PlanMaterial] = Field(default=[], description="That its plan names.")


class OfflineToday(Document):
    made_at: Moment = Field(description="By the server's clock.")
    day: str = Field(examples=["2026-11-21"])
    person: OfflinePerson
    rounds: list[OfflineRound]
    orders: list[OfflineOrder]
    codes: OrderCodes


class OfflineScan(Document):
    code: Words = Field(min_length=1, max_length=500, examples=["pump-2"])
    at: PhoneTime


class RoundItemBody(Document):
    """Of `round_item`."""

    model_config = example({"item": "leaks.pump-2", "value": True, "note": None})

    item: Subject
    value: StrictBool | float | Words
    passed: StrictBool | None = None
    note: Words | None = Field(default=None, max_length=2000)
    scan: OfflineScan | None = None


class NoBody(Document):
    """Of `order_accept`, `order_arrive`, `order_start` and `order_resume`."""


class TickBody(Document):
    """Of `order_tick`."""

    step: int = Field(ge=1, le=1000, strict=True, description="Its number, from 1.")
    done: StrictBool = Field(description="False: it was not done after all.")


BODIES: dict[str, type[Document]] = {
    "round_item": RoundItemBody,
    "round_finish": RoundSignature,
    "order_accept": NoBody,
    "order_decline": ReasonBody,
    "order_arrive": NoBody,
    "order_start": NoBody,
    "order_suspend": Suspension,
    "order_resume": NoBody,
    "order_tick": TickBody,
    "order_complete": Completion,
}
"""What the body of each kind has to be. An entry whose body does not fit is answered, and kept,
on its own: it does not make the batch invalid."""


class OfflineEntryNew(Document):
    id: UUID = Field(description="Made by the phone; never used for anything else.")
    kind: str = Field(
        pattern=r"^[a-z_]{1,32}$",
        examples=["round_item"],
        description=f"One of {', '.join(BODIES)}.",
    )
    subject: Subject
    version: Version = Field(description="Of the round or the order, as it was fetched.")
    entered_at: PhoneTime = Field(description="By the phone's clock.")
    body: dict[str, Any] = Field(
        default={},
        description="As the kind asks for: "
        + ", ".join(f"{kind} `{model.__name__}`" for kind, model in BODIES.items()),
        examples=[{"item": "leaks.pump-2", "value": True, "note": None}],
    )


class OfflineEntries(Document):
    """What a phone has written down since it had signal."""

    model_config = example(
        {
            "device": "phone-7f3a",
            "person": "li",
            "sent_at": "2026-11-21T10:31:00+08:00",
            "entries": [
                {
                    "id": "0b2f6a0e-6f0e-4d5a-9a55-1f6f2a3c4d5e",
                    "kind": "round_item",
                    "subject": "daily-pump-room.b1-pump-room.2026-11-21",
                    "version": "1834-1795224000",
                    "entered_at": "2026-11-21T09:12:00+08:00",
                    "body": {"item": "leaks.pump-2", "value": True, "note": None},
                }
            ],
        }
    )

    device: Device
    person: Line = Field(max_length=64, description="The user name of who made the entries.")
    sent_at: PhoneTime = Field(description="By the phone's clock.")
    entries: list[OfflineEntryNew] = Field(min_length=1, max_length=MOST_ENTRIES)


class OfflineTheirs(Document):
    """What stood in the way of an entry, when it arrived."""

    state: str | None = Field(description="Of the round, the line or the order.")
    event: str | None
    by: str | None
    by_name: str | None
    at: Moment | None
    value: bool | float | str | None
    passed: bool | None
    note: str | None
    assigned_to: str | None
    assigned_name: str | None


class OfflineDecision(Document):
    keep: KeepWord
    reason: str
    by: str
    by_name: str | None
    at: Moment


class OfflineConflict(Document):
    """An entry that was kept and not applied."""

    model_config = example(
        {
            "id": "0b2f6a0e-6f0e-4d5a-9a55-1f6f2a3c4d5e",
            "kind": "round_item",
            "subject": "daily-pump-room.b1-pump-room.2026-11-21",
            "subject_name": {"zh": "泵房日巡检", "en": "Daily round of the pump room"},
            "item": "leaks.pump-2",
            "item_name": {"zh": "无渗漏", "en": "No leaks"},
            "equipment_name": {"zh": "生活水泵 2", "en": "Pump 2"},
            "unit": "",
            "choices": [],
            "area": "b1-pump-room",
            "outcome": "conflict",
            "reason": "two_answers",
            "detail": None,
            "notes": [],
            "by": "li",
            "by_name": "李工",
            "device": "phone-7f3a",
            "entered_at": "2026-11-21T09:12:00.000+08:00",
            "corrected_at": "2026-11-21T09:12:03.000+08:00",
            "received_at": "2026-11-21T10:31:03.000+08:00",
            "clock_offset_s": 3.0,
            "body": {"item": "leaks.pump-2", "value": True, "note": None},
            "photo": False,
            "theirs": {
                "state": None,
                "event": None,
                "by": "wang",
                "by_name": "王工",
                "at": "2026-11-21T09:40:00.000+08:00",
                "value": False,
                "passed": False,
                "note": "地面有水",
                "assigned_to": None,
                "assigned_name": None,
            },
            "waits_for": None,
            "may_decide": True,
            "decision": None,
        }
    )

    id: str
    kind: str
    subject: str
    subject_name: Text | None
    item: str | None
    item_name: Text | None
    equipment_name: Text | None = Field(description="That the line or the order is about.")
    unit: str = Field(description="Of the line.")
    choices: list[ItemChoice] = Field(description="Of the line.")
    area: str | None
    outcome: KeptOutcomeWord
    reason: ReasonWord | None
    detail: str | None
    notes: list[NoteWord]
    by: str
    by_name: str | None
    device: str
    entered_at: Moment = Field(description="By the phone's clock.")
    corrected_at: Moment = Field(description="By the server's.")
    received_at: Moment
    clock_offset_s: float = Field(description="What the phone's clock was behind.")
    body: dict[str, Any]
    photo: bool = Field(description="There are bytes at `/offline/photos/{id}`.")
    theirs: OfflineTheirs | None
    waits_for: str | None = Field(description="The conflict that is decided first.")
    may_decide: bool = Field(description="Whoever asks may keep either.")
    decision: OfflineDecision | None


class OfflineConflictPage(Document):
    items: list[OfflineConflict]
    waiting: int = Field(description="Conflicts that nobody has decided, of all pages.")
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class OfflineResult(Document):
    id: str
    outcome: OutcomeWord
    first: KeptOutcomeWord = Field(
        description="What became of it, or, of what is known, became of it then."
    )
    reason: ReasonWord | None = None
    detail: str | None = None
    notes: list[NoteWord] = Field(default=[])
    corrected_at: Moment = Field(description="When it was entered, by the server's clock.")
    conflict: OfflineConflict | None = Field(
        default=None, description="Of what is in conflict; with the decision, if there is one."
    )


class OfflineResults(Document):
    received_at: Moment
    clock_offset_s: float = Field(description="What the phone's clock is behind; negative: ahead.")
    results: list[OfflineResult] = Field(
        description="One of each entry that was taken; one that has none is sent again."
    )


class OfflineResolution(Document):
    model_config = example({"keep": "theirs", "reason": "现场复核，以系统记录为准"})

    keep: KeepWord
    reason: Line = Field(max_length=2000)
