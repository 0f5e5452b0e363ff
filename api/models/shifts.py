"""Documents of the log of a shift and of its handover (值班记录、交接班)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field, StrictInt, StringConstraints

from api.models.base import Document, LifecycleEvent, Moment, Text, Words, example, visible

LogKindWord = Literal["alarm", "order", "round", "test", "deed", "handover"]
HandoverStateWord = Literal["preparing", "meeting", "stopped", "given", "signed", "lapsed"]
SideWord = Literal["outgoing", "incoming"]
SeenWord = Literal["system", "answer"]
AnswerKindWord = Literal["question", "count", "explain", "repair", "shelf"]
ItemKindWord = Literal["instrument", "tool", "key", "asset"]
SectionWord = Literal[
    "people",
    "running",
    "out_of_band",
    "alarms",
    "shelved",
    "suppressed",
    "orders",
    "rounds",
    "changes",
    "planned",
    "written",
    "since",
]
_Said = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4000),
    AfterValidator(visible),
]
_Note = Annotated[Words, StringConstraints(max_length=2000)]


class CrewPerson(Document):
    username: str
    name: str


class ShiftLogSummary(Document):
    id: str = Field(examples=["2026-11-21.day"], description="The day on which it starts, and it.")
    shift: str
    name: Text
    team: str
    team_name: Text
    starts_at: Moment
    ends_at: Moment
    opened_at: Moment
    crew: list[CrewPerson] = Field(description="Who was planned when it was opened.")
    handover: HandoverStateWord | None = Field(
        description="How it stands with handing it over; null: that has not begun."
    )


class ShiftEntry(Document):
    """What somebody wrote. It stays as it is; a correction is another one."""

    id: UUID
    text: str
    corrects: UUID | None
    by: str
    by_name: str
    happened_at: Moment
    received_at: Moment


class LogLine(Document):
    """What the ledger knows of the time of a shift."""

    at: Moment
    kind: LogKindWord
    event: str
    about: str = Field(description="The id of the alarm, order, round, test or thing.")
    text: Text
    priority: str | None
    by: str | None
    by_name: str | None
    note: str | None


class ShiftLog(ShiftLogSummary):
    entries: list[ShiftEntry] = Field(description="As they came.")
    lines: list[LogLine] = Field(description="Oldest first.")


class ShiftLogPage(Document):
    items: list[ShiftLogSummary]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class ShiftLogNow(Document):
    log: ShiftLog | None = Field(description="Null: no shift holds now.")


class ShiftEntryNew(Document):
    model_config = example(
        {
            "id": "0b9f6f3e-2b1c-4a55-9a5b-3f1f0a8a7f10",
            "text": "2 号生活水泵机封渗水，已垫吸水布，待厂家",
            "happened_at": "2026-11-21T14:05:00+08:00",
            "corrects": None,
        }
    )

    id: UUID = Field(description="Made by the client: the same entry twice is one.")
    text: _Said
    happened_at: (
        Annotated[
            AwareDatetime,
            Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC)),
        ]
        | None
    ) = Field(default=None, description="Null: now.")
    corrects: UUID | None = Field(default=None, description="An entry of the same log.")


class SheetLine(Document):
    text: Text
    about: str
    kind: str = Field(description="alarm, order, round, equipment, test or plan; or nothing.")
    at: Moment | None
    mark: str = Field(description="A priority, running, standing, unknown, approved; or nothing.")


class SheetSection(Document):
    key: SectionWord
    title: Text
    lines: list[SheetLine]


class HandoverBlock(Document):
    """Something that forbids the handover."""

    id: str = Field(description="Once it says something else it is another one.")
    key: str = Field(examples=["relief-absent"])
    clauses: list[str] = Field(examples=[["S1 4.1.8.2"]])
    seen: SeenWord
    name: Text
    text: Text
    mend: Text = Field(description="What to do.")
    about: str
    answered_by: AnswerKindWord | None = Field(
        description="The kind of answer that lifts it; null: the thing itself has to change."
    )
    overridden: bool = Field(description="The manager has let it pass.")
    passable: bool = Field(description="Whether a manager may.")


class HandoverQuestion(Document):
    key: str
    asked: SideWord
    text: Text
    source: str
    value: bool | None
    note: str | None
    by_name: str | None
    at: Moment | None


class HandoverCount(Document):
    about: str = Field(examples=["duty-room.plant-room-keys"])
    kind: ItemKindWord
    name: Text
    quantity: int
    counted: int | None
    note: str | None
    by_name: str | None


class HandoverRoom(Document):
    id: str
    name: Text
    items: list[HandoverCount]


class HandoverShelf(Document):
    about: str
    alarm: str
    name: Text
    reason: str
    by: str
    since: Moment
    until: Moment
    value: int = Field(description="What an answer says that means this shelf.")
    approved: bool


class HandoverExplanation(Document):
    about: str = Field(description="The id of an alarm, of equipment or of an entry of a round.")
    text: Text
    note: str
    by_name: str


class HandoverRepair(Document):
    about: str = Field(description="The id of a work order.")
    text: Text
    both: bool = Field(description="Whether it needs both crews.")
    note: str | None
    by_name: str


class HandoverKeptShelf(Document):
    """A shelf as the record has it."""

    text: Text
    reason: str
    approved: bool = Field(description="Not approved: it ended when the incoming crew signed.")


class HandoverNotice(Document):
    kind: Literal["stopped", "overdue", "escalated"]
    people: list[str] = Field(description="Names; empty: everybody who hears of notices.")
    text: Text
    at: Moment


class HandoverArrival(Document):
    username: str
    name: str
    at: Moment
    stands_in: bool
    note: str | None
    late_minutes: int


class HandoverOverride(Document):
    reason: str
    by: str
    by_name: str
    at: Moment
    blocks: list[Text]


class HandoverSignature(Document):
    side: SideWord
    username: str
    name: str
    by_pin: bool
    at: Moment
    hash: str = Field(description="SHA-256 of what was signed.")
    intact: bool = Field(description="Whether what is kept is what was signed.")
    withdrawn_at: Moment | None


class HandoverSummary(Document):
    id: str = Field(examples=["2026-11-21.day"], description="That of the shift which ends.")
    state: HandoverStateWord
    name: Text
    team_name: Text
    ends_at: Moment
    next_name: Text
    next_team_name: Text
    prepared_at: Moment
    signed_at: Moment | None
    signed_by: list[str] = Field(description="Names, outgoing first.")


class HandoverPage(Document):
    items: list[HandoverSummary]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class Handover(HandoverSummary):
    next_id: str
    starts_at: Moment
    next_starts_at: Moment
    next_ends_at: Moment
    arrive_by: Moment
    met_at: Moment | None
    overdue: bool = Field(description="The shift is over and nobody has taken over.")
    crew: list[CrewPerson] = Field(description="Who may sign for the outgoing crew.")
    relief: list[CrewPerson] = Field(description="Who is to come, by the roster.")
    arrivals: list[HandoverArrival]
    blocks: list[HandoverBlock]
    questions: list[HandoverQuestion]
    rooms: list[HandoverRoom]
    explanations: list[HandoverExplanation]
    repairs: list[HandoverRepair]
    kept_shelves: list[HandoverKeptShelf]
    shelves: list[HandoverShelf] = Field(description="To be approved; of an open one.")
    sheet: list[SheetSection] = Field(
        description="As it is now; once signed, as it was signed. Empty where nobody signed it."
    )
    overrides: list[HandoverOverride]
    notices: list[HandoverNotice] = Field(description="Who was told that it is late.")
    signatures: list[HandoverSignature]
    events: list[LifecycleEvent]


class HandoverNow(Document):
    handover: Handover | None = Field(description="Null: none is open.")
    prepares_at: Moment | None = Field(
        description="When the sheet of the running shift composes itself; null: no shift holds."
    )


class ArrivalNew(Document):
    model_config = example({"note": None})

    note: _Note | None = Field(
        default=None, description="Who is not on the next shift says why they stand in."
    )


class AnswerNew(Document):
    id: UUID = Field(description="Made by the client: the same answer twice is one.")
    kind: AnswerKindWord
    subject: Annotated[
        str, StringConstraints(min_length=1, max_length=400), AfterValidator(visible)
    ]
    value: Annotated[StrictInt, Field(ge=0, le=2**53)] = 1
    note: _Note | None = None


class AnswersNew(Document):
    """What one of the crews says, with one signature."""

    model_config = example(
        {
            "answers": [
                {
                    "id": "5b0d5a52-6a55-4a1c-8f0e-0b8a2f5e9c33",
                    "kind": "question",
                    "subject": "rooms_clean",
                    "value": 1,
                    "note": None,
                }
            ]
        }
    )

    answers: list[AnswerNew] = Field(min_length=1, max_length=300)


class HandoverOverrideNew(Document):
    model_config = example(
        {"reason": "替班人员已电话确认，半小时内到岗", "blocks": ["5d41402abc4b2a76b971"]}
    )

    reason: _Said
    blocks: list[Annotated[str, StringConstraints(min_length=1, max_length=40)]] = Field(
        min_length=1, max_length=500, description="Ids of what is let pass, as it was seen."
    )
