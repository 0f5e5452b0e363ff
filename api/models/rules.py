"""Documents of the rulebook: rules, the site's own limits, replays."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from api.models.base import (
    Document,
    Guidance,
    Moment,
    Number,
    OrderRef,
    PriorityWord,
    Text,
    example,
    visible,
)

JobStateWord = Literal["running", "done", "failed", "cancelled", "interrupted"]
RuleSourceWord = Literal["shipped", "site"]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(visible),
]
_Id = Annotated[str, StringConstraints(max_length=250, pattern=r"^[A-Za-z0-9._-]+$")]
_Limit = Annotated[float, Field(allow_inf_nan=False)]
_Delay = Annotated[float, Field(ge=0, le=30 * 24 * 3600, description="Seconds.")]


class RuleOverride(Document):
    """A limit that the site has set for one piece of equipment, in place of the file's."""

    model_config = example(
        {
            "rule": "motor-temperature-high",
            "equipment": "pump-1",
            "equipment_name": {"zh": "1 号生活泵", "en": "Domestic pump 1"},
            "limit": 90.0,
            "delay_s": None,
            "reason": "The motor is of class F.",
            "by": "zhang",
            "at": "2026-11-21T18:07:12.345+08:00",
            "in_force": True,
        }
    )

    rule: str
    equipment: str
    equipment_name: Text
    limit: Number = Field(description="Null: the file's.")
    delay_s: float | None = Field(description="Null: the file's.")
    reason: str
    by: str
    at: Moment
    in_force: bool = Field(
        description="False where the files have changed and it cannot be any more: the file's "
        "own limit is in force."
    )


class RuleSummary(Document):
    """A rule as a list shows it."""

    id: str = Field(examples=["motor-temperature-high"])
    equipment_class: str = Field(alias="class", examples=["pump"])
    name: Text
    priority: PriorityWord
    life_safety: bool = Field(description="Fire or entrapment: never suppressed.")
    point: str = Field(description="Key of the point that it watches.")
    condition: Text = Field(description="When it raises, in words.")
    limit: Number = Field(description="Null where there is no single number that says it.")
    unit: str
    adjustable: bool = Field(description="Whether a site may set another limit.")
    delay_s: float
    clear_after_s: float
    has_order: bool
    source: Text = Field(description="Where the limit comes from, or `[site setting]`.")
    file: str = Field(description="Name of the file, such as `alarms/pump.yaml`.")
    of: RuleSourceWord = Field(description="Whether the file is a shipped one or the site's own.")
    tests: int = Field(description="How many rule tests say something of it.")
    equipment: int = Field(description="How many installed things it is judged on.")
    overrides: int


class Rules(Document):
    fingerprint: str = Field(description="Hash over the files: what is in force.")
    items: list[RuleSummary]


class RuleEquipment(Document):
    """An installed thing that a rule is judged on, with what is in force for it."""

    id: str
    name: Text
    area: str
    twin: Text | None = Field(
        description="What it is compared with; null where the rule is about nothing else."
    )
    limit: Number
    delay_s: float
    override: RuleOverride | None


class RuleDetails(RuleSummary):
    guidance: Guidance
    cause_key: str
    judged_on: list[RuleEquipment]
    without_twin: list[Text] = Field(
        description="Equipment of the class that it is not judged on, because the site names no "
        "twin for it; empty where the rule compares with none."
    )


class RuleOverrideBody(Document):
    """Another limit, another delay, or both."""

    model_config = example({"limit": 90.0, "reason": "The motor is of class F."})

    limit: _Limit | None = None
    delay_s: _Delay | None = None
    reason: Reason


class ReplayBody(Document):
    """One rule with another limit or delay, over the last days."""

    model_config = example({"rule": "motor-temperature-high", "limit": 80.0, "days": 7})

    rule: _Id
    equipment: _Id | None = Field(default=None, description="Null: all of its class.")
    limit: _Limit | None = None
    delay_s: _Delay | None = None
    days: int = Field(default=7, ge=1, le=92)


class ReplayedAlarm(Document):
    """One that there would have been."""

    equipment: str
    raised_at: Moment
    cleared_at: Moment | None
    value: Number


class RemovedAlarm(Document):
    """One that was raised and would not have been."""

    id: str
    equipment: str
    raised_at: Moment
    cleared_at: Moment | None
    order: OrderRef | None = Field(description="What it led to.")


class RuleReplay(Document):
    """What a rule would have raised against what was raised."""

    rule: str
    before: int = Field(description="Alarms that were raised.")
    after: int = Field(description="Alarms that there would have been.")
    removed: int
    removed_with_order: int = Field(description="Of the removed ones, those with an order.")
    new: int
    delayed: int
    longest_delay_s: float
    removed_alarms: list[RemovedAlarm] = Field(description="The first hundred.")
    new_alarms: list[ReplayedAlarm] = Field(description="The first hundred.")


class ReplayResult(Document):
    from_: Moment = Field(alias="from")
    to: Moment
    readings: int
    moments: int = Field(description="How often the rules were looked at.")
    rules: list[RuleReplay]


class ReplayTrial(Document):
    """What is tried."""

    rule: str
    equipment: str | None
    limit: Number
    delay_s: float | None
    from_: Moment = Field(alias="from")
    to: Moment


class Replay(Document):
    """A replay as a job."""

    id: str
    state: JobStateWord
    progress: float = Field(ge=0, le=1)
    cancelling: bool
    trial: ReplayTrial
    by: str
    created_at: Moment
    ended_at: Moment | None
    detail: str | None = Field(description="Why it failed.")
    result: ReplayResult | None


class Replays(Document):
    items: list[Replay]
