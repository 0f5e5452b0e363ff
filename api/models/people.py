"""Documents of people: who they are, what they may do, their sessions, tokens, and the audit."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from api.models import User
from api.models.base import Document, Moment, Text, Words, example, visible

RoleWord = Literal[
    "officer", "technician", "foreman", "engineering_manager", "project_manager", "admin"
]
CertificateStateWord = Literal["valid", "expiring", "expired", "unlimited"]
ViaWord = Literal["session", "pin", "token", "command", "link", "kiosk", "system"]

USERNAME = r"^[a-z0-9][a-z0-9._-]*$"
Username = Annotated[str, Field(pattern=USERNAME, max_length=64, examples=["zhou"])]
"""Lower-case letters, digits, dots, hyphens; it is in addresses and in the audit for ever."""
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\r\n\t]*$"),
    AfterValidator(visible),
]
AreaId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
Areas = Annotated[
    list[AreaId],
    Field(max_length=200, description="Where they may act; empty: everywhere on the site."),
]
NewPassword = Annotated[Words, Field(min_length=8, max_length=256)]
Pin = Annotated[str, Field(pattern=r"^[0-9]{4,8}$", examples=["4711"])]


class Role(Document):
    """A role and what it may do."""

    role: RoleWord
    name: Text
    permissions: list[str] = Field(examples=[["view", "alarm.acknowledge"]])


class Roles(Document):
    items: list[Role]


class OwnSession(Document):
    created_at: Moment
    ends_at: Moment = Field(description="If nothing more is heard until then.")


class LoggedIn(Document):
    """Who is asking, and what they may do here."""

    model_config = example(
        {
            "user": {"username": "zhou", "display_name": "周明", "role": "officer"},
            "role_name": {"zh": "值班员", "en": "Duty officer"},
            "permissions": ["alarm.acknowledge", "people.view", "round.enter", "view"],
            "areas": [],
            "has_pin": True,
            "session": {
                "created_at": "2026-11-21T08:00:03.120+08:00",
                "ends_at": "2026-11-21T20:00:03.120+08:00",
            },
        }
    )

    user: User
    role_name: Text
    permissions: list[str]
    areas: Areas
    has_pin: bool
    session: OwnSession | None = Field(description="Null for a machine's token.")


class CertificateNew(Document):
    name: Name = Field(examples=["消防设施操作员"])
    number: Words = Field(default="", max_length=100)
    expires_on: date | None = Field(
        default=None, description="Its last day; null: it does not expire."
    )


class Certificate(CertificateNew):
    state: CertificateStateWord


class Person(Document):
    """Somebody of this site. Telephone, mention and certificates are null or empty for whoever
    lacks `people.view`; one's own are always there."""

    model_config = example(
        {
            "username": "zhou",
            "display_name": "周明",
            "role": "officer",
            "areas": [],
            "skills": ["消防"],
            "certificates": [
                {
                    "name": "消防设施操作员",
                    "number": "3101-0001",
                    "expires_on": "2027-05-31",
                    "state": "valid",
                }
            ],
            "phone": "138 0000 0001",
            "mention": "@zhouming",
            "contractor": False,
            "can_log_in": True,
            "has_pin": True,
            "active": True,
        }
    )

    username: str
    display_name: str
    role: RoleWord
    areas: Areas
    skills: list[str]
    certificates: list[Certificate]
    phone: str | None
    mention: str | None = Field(description="What a chat robot calls them by.")
    contractor: bool = Field(description="Of another firm: hears of things, never logs in.")
    can_log_in: bool
    has_pin: bool
    active: bool


class People(Document):
    items: list[Person]


class PersonNew(Document):
    model_config = example(
        {
            "username": "zhou",
            "display_name": "周明",
            "role": "officer",
            "skills": ["消防"],
            "certificates": [{"name": "消防设施操作员", "expires_on": "2027-05-31"}],
            "phone": "138 0000 0001",
            "password": "correct horse",
        }
    )

    username: Username
    display_name: Name
    role: RoleWord
    areas: Areas = Field(default_factory=list)
    skills: list[Name] = Field(default_factory=list, max_length=50)
    certificates: list[CertificateNew] = Field(default_factory=list, max_length=50)
    phone: Name | None = None
    mention: Name | None = None
    contractor: bool = False
    can_log_in: bool | None = Field(
        default=None, description="Null: whoever is no contractor may, once there is a password."
    )
    active: bool = True
    password: NewPassword | None = None


class PersonChange(Document):
    """Only the fields given change; a list is replaced whole."""

    model_config = example({"role": "foreman", "areas": ["b1-pump-room"]})

    display_name: Name | None = None
    role: RoleWord | None = None
    areas: Areas | None = None
    skills: list[Name] | None = Field(default=None, max_length=50)
    certificates: list[CertificateNew] | None = Field(default=None, max_length=50)
    phone: Name | None = Field(default=None, description="Null takes it away.")
    mention: Name | None = Field(default=None, description="Null takes it away.")
    contractor: bool | None = None
    can_log_in: bool | None = None
    active: bool | None = None


class PasswordGiven(Document):
    model_config = example({"password": "correct horse"})

    password: NewPassword


class PasswordChange(Document):
    model_config = example({"old": "correct horse", "new": "battery staple"})

    old: Words = Field(min_length=1, max_length=256)
    new: NewPassword


class PinChange(Document):
    model_config = example({"password": "correct horse", "pin": "4711"})

    password: Words = Field(min_length=1, max_length=256)
    pin: Pin


class Session(Document):
    model_config = example(
        {
            "id": "5f0c9a1be27d",
            "username": "zhou",
            "created_at": "2026-11-21T08:00:03.120+08:00",
            "last_seen_at": "2026-11-21T09:12:44.007+08:00",
            "ends_at": "2026-11-21T21:12:44.007+08:00",
            "address": "10.0.0.17",
            "agent": "Mozilla/5.0",
            "current": True,
        }
    )

    id: str
    username: str
    created_at: Moment
    last_seen_at: Moment
    ends_at: Moment
    address: str
    agent: str
    current: bool = Field(description="The one that this was asked with.")


class Sessions(Document):
    items: list[Session]


class Ended(Document):
    """How many sessions have ended."""

    sessions: int


class TokenNew(Document):
    model_config = example(
        {"name": "building-display", "role": "officer", "areas": [], "expires_on": "2027-11-30"}
    )

    name: Annotated[str, Field(pattern=USERNAME, max_length=60)]
    role: RoleWord
    areas: Areas = Field(default_factory=list)
    expires_on: date | None = Field(description="Its last day; null: it does not expire.")


class Token(Document):
    """A machine's token; in the audit it is called `token:` and its name."""

    model_config = example(
        {
            "id": "9b1f04c2aa63",
            "name": "building-display",
            "role": "officer",
            "areas": [],
            "expires_on": "2027-11-30",
            "expired": False,
            "created_at": "2026-11-21T09:12:44.007+08:00",
            "created_by": "admin",
            "last_used_at": None,
        }
    )

    id: str
    name: str
    role: RoleWord
    areas: Areas
    expires_on: date | None
    expired: bool
    created_at: Moment
    created_by: str
    last_used_at: Moment | None


class Tokens(Document):
    items: list[Token]


class TokenIssued(Token):
    """A new token."""

    model_config = example(
        {
            "id": "9b1f04c2aa63",
            "name": "building-display",
            "role": "officer",
            "areas": [],
            "expires_on": "2027-11-30",
            "expired": False,
            "created_at": "2026-11-21T09:12:44.007+08:00",
            "created_by": "admin",
            "last_used_at": None,
            "token": "drt_Yk3vT0…",
        }
    )

    token: str = Field(description="Told only now; send it as `Authorization: Bearer drt_…`.")


class AuditRow(Document):
    model_config = example(
        {
            "number": 412,
            "at": "2026-11-21T18:09:30.004+08:00",
            "by": "zhou",
            "by_name": "周明",
            "via": "session",
            "action": "alarm.acknowledge",
            "subject": "pump-2.motor-temperature-high.20261121T100702-345000Z",
            "detail": {"note": "到现场看"},
        }
    )

    number: int
    at: Moment
    by: str = Field(description="A user name, `token:` or `command:` and a name, or `-`.")
    by_name: str | None
    via: ViaWord
    action: str
    subject: str
    detail: dict[str, str | int | float | bool | None]


class AuditPage(Document):
    items: list[AuditRow]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class AuditBad(Document):
    number: int


class AuditVerdict(Document):
    """Whether every row is as it was written, and none is missing."""

    model_config = example(
        {"ok": True, "rows": 412, "head": "9f2c…", "first_bad": None, "why": None}
    )

    ok: bool
    rows: int
    head: str = Field(
        description="Hash of the last row that is well; a copy kept elsewhere proves all before."
    )
    first_bad: AuditBad | None
    why: str | None
