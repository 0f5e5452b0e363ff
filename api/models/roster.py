"""Documents of the roster and the calendar: who is on duty, teams, shifts, leave, working days."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

from pydantic import Field

from api.models.base import Document, Line, Moment, Text, example
from api.models.people import AreaId, RoleWord, Username
from rules.shifts.local_time import END_FORM, FORM

DutyProblemWord = Literal["empty", "below_minimum", "on_leave", "inactive", "certificate_expired"]
LeaveKindWord = Literal["annual", "sick", "personal", "compensatory", "other"]
DayKindWord = Literal["working", "weekend", "holiday", "make_up_working"]
DaySourceWord = Literal["published", "provisional", "site"]

Day = Annotated[
    datetime.date,
    Field(ge=datetime.date(2000, 1, 1), le=datetime.date(2199, 12, 31), examples=["2026-11-21"]),
]
"""A date of the site's own calendar."""
CalendarYear = Annotated[int, Field(ge=2000, le=2199)]
TimeOfDay = Annotated[str, Field(pattern=FORM, examples=["08:00"])]
TimeOrMidnight = Annotated[str, Field(pattern=END_FORM, examples=["17:30"])]
ShiftId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64, examples=["day"])]
TeamId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64, examples=["a"])]
Reason = Annotated[Line, Field(max_length=500)]
Name = Annotated[Line, Field(max_length=100)]


class NewText(Document):
    """A text for people, given from outside."""

    zh: Name
    en: Name


class TeamRef(Document):
    id: str
    name: Text


class CrewMember(Document):
    username: str
    display_name: str
    role: RoleWord
    skills: list[str] = Field(description="Empty for who may not see people.")
    instead_of: str | None = Field(description="User name of whom they stand in for.")


class DutyProblem(Document):
    """Why a shift is not held as it must be."""

    kind: DutyProblemWord
    text: Text
    username: str | None = Field(description="Whom it is about, if one person.")


class ShiftNow(Document):
    """One shift with the people who hold it."""

    id: str = Field(examples=["night"])
    name: Text
    date: datetime.date = Field(
        description="The day on which it starts; a night shift belongs to it."
    )
    starts_at: Moment = Field(alias="from")
    ends_at: Moment = Field(alias="to")
    team: TeamRef
    crew: list[CrewMember]
    problems: list[DutyProblem]


class Duty(Document):
    """Who is on duty."""

    model_config = example(
        {
            "at": "2026-11-21T18:07:12.345+08:00",
            "shift": {
                "id": "day",
                "name": {"zh": "白班", "en": "Day"},
                "date": "2026-11-21",
                "from": "2026-11-21T08:00:00.000+08:00",
                "to": "2026-11-21T20:00:00.000+08:00",
                "team": {"id": "a", "name": {"zh": "甲班", "en": "Team A"}},
                "crew": [
                    {
                        "username": "zhou",
                        "display_name": "周明",
                        "role": "officer",
                        "skills": [],
                        "instead_of": None,
                    }
                ],
                "problems": [
                    {
                        "kind": "below_minimum",
                        "text": {
                            "zh": "本班 1 人，少于规定的 2 人",
                            "en": "1 on this shift, 2 are required",
                        },
                        "username": None,
                    }
                ],
            },
            "next": None,
            "outgoing": None,
        }
    )

    at: Moment
    shift: ShiftNow | None = Field(description="Null: between shifts, or no rotation is set up.")
    next: ShiftNow | None
    outgoing: None = Field(description="The crew that has not handed over yet; not kept yet.")


class ShiftDay(ShiftNow):
    is_override: bool = Field(description="Whether something was changed for this day.")


class RosterPage(Document):
    items: list[ShiftDay]


class OverrideNew(Document):
    """Somebody stays away, comes in addition, or stands in for another, for one shift."""

    model_config = example(
        {
            "date": "2026-11-21",
            "shift": "night",
            "instead_of": "zhou",
            "username": "wu",
            "reason": "周明请假",
        }
    )

    date: Day
    shift: ShiftId
    instead_of: Username | None = Field(
        default=None, description="Who stays away; null: `username` comes in addition."
    )
    username: Username | None = Field(
        default=None, description="Who comes; null: nobody comes for `instead_of`."
    )
    reason: Reason


class Override(Document):
    id: str = Field(examples=["2026-11-21.night.3f1c0a99d2"])
    date: datetime.date
    shift: str
    instead_of: str | None
    username: str | None
    reason: str
    by: str
    at: Moment


class Overrides(Document):
    items: list[Override]


class LeaveNew(Document):
    model_config = example(
        {
            "username": "zhou",
            "from": "2026-11-21",
            "to": "2026-11-25",
            "kind": "annual",
            "reason": "年休假",
        }
    )

    username: Username
    first: Day = Field(alias="from", description="The first day of the leave.")
    last: Day = Field(alias="to", description="The last day of the leave.")
    kind: LeaveKindWord
    reason: Reason


class Leave(Document):
    id: str = Field(examples=["2026-11-21.leave.0b7d1e55aa"])
    username: str
    first: datetime.date = Field(alias="from")
    last: datetime.date = Field(alias="to")
    kind: LeaveKindWord | None = Field(description="Null for who may not know.")
    reason: str | None = Field(description="Null for who may not know.")
    by: str
    at: Moment


class Leaves(Document):
    items: list[Leave]


class TeamBody(Document):
    """A team but for its id."""

    model_config = example(
        {
            "name": {"zh": "甲班", "en": "Team A"},
            "areas": ["b1-pump-room"],
            "members": ["zhou", "li"],
            "leader": "qian",
        }
    )

    name: NewText
    areas: list[AreaId] = Field(
        default=[], max_length=200, description="It answers for them; empty: for the whole site."
    )
    members: list[Username] = Field(default=[], max_length=200)
    leader: Username | None = Field(
        default=None, description="Answers for the team; on duty with it only as a member."
    )


class Team(Document):
    id: str = Field(examples=["a"])
    name: Text
    areas: list[str]
    members: list[str]
    leader: str | None


class Teams(Document):
    items: list[Team]


class ShiftBody(Document):
    """A shift as it is set up."""

    id: ShiftId
    name: NewText
    starts: TimeOfDay
    ends: TimeOfDay = Field(description="Not later than `starts`: on the next day.")
    minimum: int = Field(default=1, ge=1, le=200, description="People that it needs.")


class RotationBody(Document):
    anchor: Day = Field(description="A day on which the pattern's first day is worked.")
    pattern: list[dict[ShiftId, TeamId]] = Field(
        min_length=1,
        max_length=400,
        description="Shift → team for each day; repeated for ever, before the anchor too.",
    )


class ShiftsBody(Document):
    model_config = example(
        {
            "items": [
                {
                    "id": "day",
                    "name": {"zh": "白班", "en": "Day"},
                    "starts": "08:00",
                    "ends": "20:00",
                    "minimum": 2,
                },
                {
                    "id": "night",
                    "name": {"zh": "夜班", "en": "Night"},
                    "starts": "20:00",
                    "ends": "08:00",
                    "minimum": 2,
                },
            ],
            "rotation": {
                "anchor": "2026-11-02",
                "pattern": [{"day": "a", "night": "b"}, {"day": "b", "night": "c"}],
            },
        }
    )

    items: list[ShiftBody] = Field(min_length=1, max_length=24)
    rotation: RotationBody


class Shift(Document):
    id: str
    name: Text
    starts: str = Field(examples=["20:00"])
    ends: str = Field(examples=["08:00"], description="Not later than `starts`: next day.")
    minimum: int
    team: str | None = Field(description="Whose it is today.")


class Rotation(Document):
    teams: list[str] = Field(description="Those in the pattern, in order.")
    anchor: datetime.date
    days: int = Field(description="After so many days it begins again.")
    pattern: list[dict[str, str]]


class Shifts(Document):
    items: list[Shift]
    rotation: Rotation | None


class WorkingHours(Document):
    """Of every working day; orders of minor priority run in them."""

    model_config = example({"starts": "08:00", "ends": "17:30"})

    starts: TimeOfDay
    ends: TimeOrMidnight


class DayBody(Document):
    """What a day is from now on, at this site."""

    model_config = example(
        {"kind": "make_up_working", "name": {"zh": "调休", "en": "Make-up"}, "reason": "通知"}
    )

    kind: DayKindWord
    name: NewText | None = None
    reason: Reason


class CalendarDay(Document):
    date: datetime.date
    kind: DayKindWord
    name: Text | None
    source: DaySourceWord = Field(
        description="`provisional`: the year's arrangement is not published, or not known here."
    )


class Calendar(Document):
    year: int = Field(examples=[2026])
    provisional: bool = Field(
        description="True: make-up working days are not known, and holidays may be longer."
    )
    working_hours: WorkingHours
    items: list[CalendarDay] = Field(description="Every day of the year.")
