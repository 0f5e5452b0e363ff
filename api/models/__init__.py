"""What goes over HTTP: the typed documents of the API, each with an example.

Times are ISO 8601 with the site's offset. A value that is not there is null, never NaN and
never zero.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, RootModel

from api.models.alarms import (
    Acknowledgement,
    Alarm,
    AlarmFigures,
    AlarmPage,
    AlarmRef,
    AlarmState,
    LoadRule,
    NoteBody,
    OutOfService,
    OutOfServiceList,
    OutOfServiceRequest,
    Shelf,
    ShelfInForce,
    ShelfList,
    ShelveRequest,
)
from api.models.attachments import (
    Attachment,
    AttachmentKind,
    ContractorLink,
    PublicOrder,
    PublicStep,
)
from api.models.base import (
    Document,
    FindingRef,
    Guidance,
    LastGood,
    LedgerState,
    LifecycleEvent,
    Moment,
    Number,
    OrderRef,
    PointKindWord,
    PriorityWord,
    Problem,
    ProblemError,
    QualityWord,
    Reading,
    Text,
    Words,
    example,
    visible,
)
from api.models.order_figures import IndicatorName, OrderFigures, OrderIndicator
from api.models.orders import (
    Assignment,
    Candidate,
    Candidates,
    Clock,
    Completion,
    Material,
    OrderCodes,
    OrderNew,
    OrderPage,
    OrderProof,
    OrderSource,
    OrderState,
    Pause,
    Place,
    Promise,
    PromiseChange,
    PublicReceipt,
    PublicRequest,
    ReasonBody,
    Requester,
    RequestNew,
    Suspension,
    Verification,
    Visit,
    WorkOrder,
)
from api.models.readings import Bucket, Gap, Readings, Silence, Silences

__all__ = [
    "Acknowledgement",
    "Alarm",
    "AlarmFigures",
    "AlarmMessage",
    "AlarmPage",
    "AlarmRef",
    "AlarmState",
    "AreaSummary",
    "Assignment",
    "Attachment",
    "AttachmentKind",
    "Bucket",
    "Candidate",
    "Candidates",
    "ChangedMessage",
    "Clock",
    "Completion",
    "ContractorLink",
    "Credentials",
    "Document",
    "Equipment",
    "EquipmentPage",
    "FindingRef",
    "Gap",
    "GatewayState",
    "GoodReadings",
    "Guidance",
    "Health",
    "HeartbeatMessage",
    "IndicatorName",
    "LastGood",
    "LedgerState",
    "LifecycleEvent",
    "Limit",
    "LoadRule",
    "Material",
    "Moment",
    "NoteBody",
    "Number",
    "OrderCodes",
    "OrderFigures",
    "OrderIndicator",
    "OrderMessage",
    "OrderNew",
    "OrderPage",
    "OrderProof",
    "OrderRef",
    "OrderSource",
    "OrderState",
    "OutOfService",
    "OutOfServiceList",
    "OutOfServiceRequest",
    "Pause",
    "Place",
    "Point",
    "PointKindWord",
    "PriorityWord",
    "Problem",
    "ProblemError",
    "Promise",
    "PromiseChange",
    "ProvisionalMessage",
    "PublicOrder",
    "PublicReceipt",
    "PublicRequest",
    "PublicStep",
    "QualityWord",
    "Reading",
    "Readings",
    "ReadingsMessage",
    "ReasonBody",
    "RequestNew",
    "Requester",
    "Shelf",
    "ShelfInForce",
    "ShelfList",
    "ShelveRequest",
    "Silence",
    "Silences",
    "Site",
    "SnapshotMessage",
    "StreamMessage",
    "Suspension",
    "Text",
    "User",
    "Verification",
    "Visit",
    "Words",
    "WorkOrder",
    "example",
    "visible",
]


class Credentials(Document):
    model_config = example({"username": "admin", "password": "correct horse"})

    username: Words = Field(min_length=1, max_length=64)
    password: Words = Field(min_length=1, max_length=256)


class User(Document):
    model_config = example({"username": "admin", "display_name": "管理员", "role": "admin"})

    username: str
    display_name: str
    role: str


class AreaSummary(Document):
    id: str
    name: Text


class GatewayState(Document):
    id: str
    last_received: Moment | None = Field(description="When the newest reading came in.")
    ok: bool = Field(description="Whether readings are coming in at this moment.")


class CertificateState(Document):
    """The certificate that our own HTTPS is served with."""

    ends: Moment
    days_left: int = Field(description="Negative behind its end.")
    warning: str | None = Field(description="What has to be said of it; from 30 days before on.")
    own_authority: bool = Field(description="Signed by the duty room's own: `/trust` says more.")
    fingerprint: str | None = Field(description="SHA-256 of the own authority's certificate.")


class Site(Document):
    id: str = Field(examples=["brocade-garden"])
    name: Text
    timezone: str = Field(examples=["Asia/Shanghai"])
    areas: list[AreaSummary]
    now: Moment
    version: str = Field(examples=["0.1.0"])
    simulated: bool = Field(description="True: no real equipment is behind the readings.")
    certificate: CertificateState | None = Field(
        default=None, description="Null: the page is served by plain HTTP, or through a proxy."
    )
    demo_faults: bool = Field(
        default=False, description="Whether faults can be injected here: demonstrations only."
    )
    gateway: GatewayState


class Limit(Document):
    """A limit that a rule holds this point against, to be drawn as a band."""

    rule: str = Field(examples=["motor-temperature-high"])
    name: Text
    above: float | None = None
    below: float | None = None
    priority: PriorityWord


class Point(Document):
    id: str = Field(examples=["pump-2.motor_temperature"])
    key: str = Field(examples=["motor_temperature"])
    name: Text
    kind: PointKindWord
    unit: str = Field(examples=["℃"])
    decimals: int = Field(examples=[1])
    low: float | None
    high: float | None
    states: dict[str, Text] = Field(description="Code → text, for states and flags.")
    limits: list[Limit]
    reading: Reading


class Equipment(Document):
    id: str = Field(examples=["pump-2"])
    name: Text
    equipment_class: str = Field(alias="class", examples=["pump"])
    profile: str = Field(examples=["grundfos-ciu-pump"])
    vendor: str = Field(
        description="Empty: of no maker in particular, or not known.", examples=["Grundfos"]
    )
    model: Text
    area: str = Field(examples=["b1-pump-room"])
    link: str = Field(examples=["pump-room"])
    supplied_by: str | None = Field(
        description="Equipment that feeds it with power or water.", examples=["meter-1"]
    )
    supplies: list[str] = Field(description="Equipment that it feeds at first hand.")
    behind: str | None = Field(
        description="Equipment that it is read through.", examples=["fire-panel"]
    )
    twin: str | None = Field(
        description="Another of its class, with which rules compare it.", examples=["pump-2"]
    )
    worst_priority: PriorityWord | None = Field(description="Of the alarms that are not closed.")
    open_alarms: int
    quality: QualityWord = Field(description="The worst of its points.")
    points: list[Point]


class EquipmentPage(Document):
    items: list[Equipment]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class SnapshotMessage(Document):
    """`event: snapshot`: everything that is not closed. Every reading has come before it.

    While the ledger does not answer, `seq` is null: the alarms are the provisional ones only, of
    the others and of the orders nothing is said, and a snapshot with all of them follows.
    """

    alarms: list[Alarm]
    orders: list[WorkOrder]
    now: Moment
    ledger: LedgerState
    seq: int | None = Field(description="The change id that this snapshot holds up to.")


class AlarmMessage(Document):
    """`event: alarm`: an alarm as it is now; `id:` is the change id."""

    alarm: Alarm


class OrderMessage(Document):
    """`event: order`: an order as it is now; `id:` is the change id."""

    order: WorkOrder


class ChangedMessage(Document):
    """`event: changed`: something else is not as it was; ask for it again."""

    kind: Literal["round", "roster", "planned_test", "aside", "register", "plan", "shift"]
    subject: str = Field(
        description="The id of the round or the planned test, or what of the roster changed."
    )


class ProvisionalMessage(Document):
    """`event: provisional`: all alarms that are up and not in the ledger, whenever that changes.

    One that is named no more has come as `event: alarm` before, or is over. `ledger: down`:
    what comes up is shown, and written when the ledger is back.
    """

    alarms: list[Alarm]
    ledger: LedgerState


class GoodReadings(Document):
    """Readings of one moment that are good and plain numbers: each is its own last good one, and
    has neither text nor reason."""

    received_at: Moment
    source_at: Moment
    stale_after_s: float
    values: dict[str, float] = Field(examples=[{"pump-2.motor_temperature": 63.5}])


class ReadingsMessage(Document):
    """`event: readings`: what changed, in value, quality or age."""

    now: Moment
    every: bool = Field(description="Of every point there is; else of those that changed.")
    good: list[GoodReadings] = Field(description="The most of them, said briefly.")
    readings: dict[str, Reading] = Field(description="All others.")


class HeartbeatMessage(Document):
    """`event: heartbeat`: the stream is alive, and whether readings still come in."""

    now: Moment
    received_at: Moment | None


class StreamMessage(
    RootModel[
        SnapshotMessage
        | AlarmMessage
        | OrderMessage
        | ProvisionalMessage
        | ChangedMessage
        | ReadingsMessage
        | HeartbeatMessage
    ]
):
    """The `data:` of one event; `event:` tells which."""


class Health(Document):
    model_config = example(
        {
            "status": "ok",
            "checks": {"ledger": "ok", "history": "ok", "gateway": "ok", "rules": "ok"},
            "leader": "duty-1:4711",
        }
    )

    status: Literal["ok", "failing"]
    checks: dict[str, str] = Field(description="Part → `ok`, or what is wrong.")
    warnings: list[str] = Field(
        default_factory=list, description="What is not wrong yet: a certificate that ends soon."
    )
    leader: str | None = Field(
        description="The rules worker that leads, as machine and process; null: none was heard."
    )
