"""Documents of the screens on a wall."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from api.models.base import Document, Moment, example
from api.models.people import Areas, Name

ScreenName = Annotated[Name, Field(max_length=60, examples=["值班室东墙"])]

_EXAMPLE: dict[str, object] = {
    "id": "4c1f9e20b7aa",
    "name": "值班室东墙",
    "areas": [],
    "created_at": "2026-11-21T09:12:44.007+08:00",
    "created_by": "admin",
    "opened_at": "2026-11-21T09:20:10.552+08:00",
    "link_ends_at": None,
    "link_over": False,
    "last_seen_at": "2026-11-21T19:41:58.120+08:00",
    "address": "192.168.1.40",
    "agent": "Mozilla/5.0 … Chrome/150.0",
}


class ScreenNew(Document):
    model_config = example({"name": "值班室东墙", "areas": []})

    name: ScreenName
    areas: Areas = Field(default_factory=list)


class Screen(Document):
    """A screen that may look and nothing else; in the audit it is called `kiosk:` and its name."""

    model_config = example(_EXAMPLE)

    id: str
    name: str
    areas: Areas = Field(description="What it shows; empty: the whole site.")
    created_at: Moment
    created_by: str
    opened_at: Moment | None = Field(description="Null: its link was never followed.")
    link_ends_at: Moment | None = Field(description="Null: the link was used.")
    link_over: bool = Field(description="It was not used in time.")
    last_seen_at: Moment | None
    address: str | None = Field(description="Where it was opened last.")
    agent: str | None


class Screens(Document):
    items: list[Screen]


class ScreenMade(Screen):
    """A new screen."""

    model_config = example(
        {
            **_EXAMPLE,
            "opened_at": None,
            "link_ends_at": "2026-11-28T09:12:44.007+08:00",
            "last_seen_at": None,
            "address": None,
            "agent": None,
            "key": "drl_Yk3vT0…",
        }
    )

    key: str = Field(description="Told only now; the link is `/wall#k=` and this.")


class ScreenKey(Document):
    model_config = example({"key": "drl_Yk3vT0"})

    key: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_-]+$")]


class OwnScreen(Document):
    """What a screen knows of itself."""

    model_config = example({"name": "值班室东墙", "areas": []})

    name: str
    areas: Areas
