"""Documents of the equipment register (台账)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from api.models.attachments import Attachment
from api.models.base import Document, Moment, Text, example, visible
from api.models.rules import JobStateWord

DueStage = Literal["later", "near", "passed"]
DueFilter = Literal["near", "passed", "any"]
_Words = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(visible)]
_Short = Annotated[_Words, Field(max_length=100)]


def _none_if_empty(value: str | None) -> str | None:
    return value or None


_Said = Annotated[_Short | None, AfterValidator(_none_if_empty)]
_Name = Annotated[_Words, Field(min_length=1, max_length=100)]


class RegisterAttributes(Document):
    """What a piece of equipment is. Where the site file has it, that says name, area and class:
    they may be left out."""

    name_zh: _Said = None
    name_en: _Said = None
    area: _Said = None
    equipment_class: _Said = Field(default=None, examples=["extinguisher"])
    model: _Said = None
    serial: _Said = None
    manufacturer: _Said = None
    purchased_on: date | None = None
    installed_on: date | None = None
    commissioned_on: date | None = None
    warranty_until: date | None = Field(default=None, description="Its last day.")
    retired_on: date | None = Field(default=None, description="No date is due from then on.")
    supplier: _Said = None
    supplier_phone: _Said = None
    team: _Said = Field(default=None, description="Id of a team.")
    place: Annotated[_Words | None, Field(max_length=200), AfterValidator(_none_if_empty)] = None
    remark: Annotated[_Words | None, Field(max_length=500), AfterValidator(_none_if_empty)] = None


class RegisterDate(Document):
    """A date that law or contract set."""

    kind: Annotated[str, Field(max_length=64)] = Field(examples=["lift_inspection"])
    last_on: date | None = None
    next_due: date = Field(description="On this day it has not passed yet.")
    who: _Said = Field(default=None, description="Who does it.")


class SparePart(Document):
    name: _Name
    model: _Said = None
    quantity: float = Field(ge=0, le=1e9, allow_inf_nan=False)
    minimum: float | None = Field(default=None, ge=0, le=1e9, allow_inf_nan=False)
    place: _Said = None


class RegisterPut(Document):
    """All that is to be said of a piece of equipment; what is left out is taken away."""

    model_config = example(
        {
            "version": 0,
            "attributes": {
                "name_zh": "1 号楼大堂灭火器箱",
                "area": "tower-1",
                "equipment_class": "extinguisher",
                "installed_on": "2024-05-01",
            },
            "dates": [{"kind": "extinguisher_service", "next_due": "2027-05-01"}],
            "parts": [{"name": "4kg 干粉灭火器", "quantity": 2, "minimum": 1}],
        }
    )

    version: int = Field(ge=0, le=2**31 - 1, description="The one that was seen; 0: none yet.")
    attributes: RegisterAttributes
    dates: list[RegisterDate] = Field(default=[], max_length=30)
    parts: list[SparePart] = Field(default=[], max_length=200)


class RegisterDue(Document):
    kind: str = Field(examples=["lift_inspection", "warranty"])
    name: Text
    due_on: date
    stage: DueStage
    days: int = Field(description="Until then; negative: since then.")


class RegisterEntry(Document):
    """One line of the register."""

    equipment: str = Field(examples=["lift-1"])
    name: Text
    area: str | None
    equipment_class: str | None
    reached: bool = Field(description="The site file has it: a gateway reads it.")
    version: int = Field(description="0: nothing was written of it yet.")
    attributes: RegisterAttributes
    dues: list[RegisterDue] = Field(description="All of them, the soonest first.")
    due: DueStage | None = Field(description="The worst of them; null: none is near or passed.")
    low_parts: int = Field(description="Spare parts of which there are fewer than the minimum.")


class RegisterPage(Document):
    items: list[RegisterEntry]
    total: int = Field(description="How many there are with these filters, on all pages.")
    next: str | None = Field(description="Cursor of the next page; null: this is the last.")


class RegisterRecord(RegisterEntry):
    """Everything that the register says of one piece of equipment."""

    dates: list[RegisterDate]
    parts: list[SparePart]
    attachments: list[Attachment]
    changed_at: Moment | None
    changed_by: str | None


class RegisterFieldChange(Document):
    field: str = Field(examples=["serial", "dates.lift_inspection"])
    before: str | None
    after: str | None


class RegisterChange(Document):
    version: int
    at: Moment
    by: str
    fields: list[RegisterFieldChange]


class RegisterFinding(Document):
    """What a round has found on it."""

    id: str
    round: str
    round_name: Text
    severity: str
    text: Text
    order: str | None
    at: Moment


class RegisterServiceStep(Document):
    """It was taken out of service, or brought back."""

    out: bool
    at: Moment
    by: str
    reason: str | None


class RegisterMaintenance(Document):
    """What happened to maintenance of it and no order tells."""

    due: str
    name: Text
    event: Literal["announce", "postpone", "record", "miss", "void"]
    by: str | None
    why: str | None
    at: Moment


class RegisterRanMonth(Document):
    """What a counter of hours says of one month."""

    month: str = Field(examples=["2026-11"])
    point: str = Field(description="Id of the point that counts.", examples=["pump-1.run_hours"])
    name: Text
    hours: float | None = Field(
        description="Run in this month; null: the counter fell, so nobody knows."
    )
    total: float = Field(description="h, what it said last in this month.")
    at: Moment = Field(description="When it said so.")


class RegisterRunHours(Document):
    items: list[RegisterRanMonth] = Field(description="Newest first.")


class RegisterPast(Document):
    """What happened to it beside alarms and orders; each list the newest first."""

    changes: list[RegisterChange]
    findings: list[RegisterFinding]
    service: list[RegisterServiceStep]
    maintenance: list[RegisterMaintenance]


class RegisterDateKind(Document):
    kind: str
    name: Text


class RegisterBook(Document):
    """What the site sets for its register, and what a record may name."""

    advance_days: int
    date_kinds: list[RegisterDateKind]
    keep_years: dict[str, int] = Field(
        description="Class, or `others` → years that alarms, orders and rounds are kept; a class "
        "that none of them is about: for ever."
    )
    classes: list[str] = Field(description="Those of equipment in file or register.")


class RegisterCellError(Document):
    """What is wrong in a workbook, and where."""

    where: str = Field(examples=["台账!C5"])
    sheet: str
    row: int
    column: str
    message: Text


class RegisterImportChange(Document):
    equipment: str
    new: bool
    fields: list[RegisterFieldChange]


class RegisterImport(Document):
    """What a workbook has changed, or would change."""

    done: bool = Field(description="False: nothing was changed, this was a try.")
    changed: int
    unchanged: int
    changes: list[RegisterImportChange] = Field(description="The first 200 of them.")
    errors: list[RegisterCellError] = Field(
        description="The first 200; with one of them nothing is changed."
    )


class RegisterImportJob(Document):
    """A workbook that is being taken in, or was."""

    id: str
    state: JobStateWord
    progress: float = Field(ge=0, le=1)
    dry_run: bool
    by: str
    created_at: Moment
    ended_at: Moment | None
    detail: str | None = Field(description="Why it failed.")
    result: RegisterImport | None
