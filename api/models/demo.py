"""Documents of the demonstration's panel: faults of simulated equipment, and what came of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.models.alarms import AlarmState
from api.models.base import Document, Moment, PriorityWord, Text, example

FaultKind = Annotated[str, StringConstraints(max_length=40, pattern=r"^[a-z0-9-]+$")]
_Id = Annotated[str, StringConstraints(max_length=250, pattern=r"^[A-Za-z0-9._-]+$")]


class FaultSubject(Document):
    id: str = Field(description="Of the equipment, or of the link.")
    name: Text


class FaultOffer(Document):
    kind: str = Field(examples=["dry-run"])
    subjects: list[FaultSubject] = Field(description="What it can befall, where you may.")


class FaultOrder(Document):
    id: str
    number: int
    raised_at: Moment


class FaultAlarm(Document):
    """An alarm that came up while the fault lasted, of what it can reach."""

    id: str
    name: Text
    equipment: str
    equipment_name: Text
    priority: PriorityWord
    state: AlarmState
    raised_at: Moment
    order: FaultOrder | None


class PlayedFault(Document):
    id: str
    kind: str
    subject: FaultSubject
    at: Moment = Field(description="When it was asked for.")
    begun: bool = Field(description="False until the simulated devices have heard of it.")
    left: int = Field(description="s until it ends by itself; 0: it is over.")
    alarms: list[FaultAlarm] = Field(description="The first first.")


class FaultPanel(Document):
    offers: list[FaultOffer]
    faults: list[PlayedFault] = Field(description="The newest first; over ones for half an hour.")
    players: Literal["ok", "away"] = Field(description="`away`: nobody plays the devices now.")


class FaultNew(Document):
    model_config = example({"kind": "dry-run", "subject": "pump-1", "lasts": 180})

    kind: FaultKind
    subject: _Id
    lasts: int = Field(default=180, ge=30, le=1800, description="s.")
