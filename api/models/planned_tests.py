"""Documents of planned tests (计划测试)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from api.models.base import Document, LifecycleEvent, Moment, Text, Words, example, visible

PlannedTestState = Literal["planned", "running", "passed", "failed", "cancelled"]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(visible),
]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(visible),
]
_Id = Annotated[str, StringConstraints(max_length=250, pattern=r"^[A-Za-z0-9._-]+$")]


class TestedNew(Document):
    """A piece of equipment to be tested, and what is expected of it."""

    equipment: _Id
    rules: list[_Id] | None = Field(
        default=None,
        min_length=1,
        max_length=50,
        description="The rules that are expected to raise an alarm; null: those that are about "
        "life safety, or all where none is.",
    )


class PlannedTestNew(Document):
    model_config = example(
        {
            "name": "1 号楼烟感季度测试",
            "area": "tower-1",
            "tester": "zhang",
            "starts_at": "2026-11-22T10:00:00+08:00",
            "ends_at": "2026-11-22T11:30:00+08:00",
            "note": "已通知物业前台",
            "equipment": [{"equipment": "smoke-1", "rules": ["fire-alarm"]}],
        }
    )

    name: Name
    area: _Id
    tester: _Id = Field(description="User name of who tests, and confirms each detector.")
    starts_at: AwareDatetime
    ends_at: AwareDatetime = Field(description="At most 8 hours after its start.")
    note: Words | None = Field(default=None, max_length=2000)
    equipment: list[TestedNew] = Field(min_length=1, max_length=200)


class SheetRow(Document):
    """One alarm that is expected, and when it came."""

    equipment: str = Field(examples=["smoke-1"])
    equipment_name: Text
    rule: str = Field(examples=["fire-alarm"])
    rule_name: Text
    life_safety: bool
    came_at: Moment | None = Field(description="Null: it has not come.")
    alarm: str | None = Field(description="Id of the alarm that came.")


class TestedEquipment(Document):
    """A piece of equipment under test, and where it stands now."""

    equipment: str
    equipment_name: Text
    held_until: Moment | None = Field(
        description="An alarm of it calls nobody beyond the duty room until then, unless the "
        "tester confirms it; null: none does."
    )
    confirmed_at: Moment | None = Field(description="When the alarm that is up was confirmed.")
    confirmed_by: str | None


class PlannedTest(Document):
    id: str = Field(examples=["test.3f1c9a0b7d52e684"])
    name: str
    area: str
    tester: str
    tester_name: str
    starts_at: Moment
    ends_at: Moment
    state: PlannedTestState
    created_at: Moment
    created_by: str
    started_at: Moment | None
    ended_at: Moment | None
    note: str | None
    expected: int = Field(description="Rows of the sheet.")
    came: int = Field(description="Those of them whose alarm has come.")
    equipment: list[TestedEquipment]
    sheet: list[SheetRow]
    events: list[LifecycleEvent] | None = Field(
        default=None, description="Only where one test was asked for."
    )


class PlannedTestPage(Document):
    items: list[PlannedTest]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class PlannedTestCancel(Document):
    model_config = example({"reason": "消防主机厂家改期"})

    reason: Reason


class PlannedTestEnd(Document):
    model_config = example({"note": "测试完毕，主机已复位"})

    note: Words | None = Field(default=None, max_length=2000)


class DetectorConfirm(Document):
    """The tester has set off this detector, and nobody else has."""

    model_config = example({"equipment": "smoke-1"})

    equipment: _Id
