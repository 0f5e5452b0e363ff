"""Photographs and signatures of an order as documents, and what a contractor sees of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.models.base import Document, Guidance, Moment, PriorityWord, Text

AttachmentKind = Literal["photo", "signature", "document"]


class Attachment(Document):
    """A photograph, a signature or a document; its bytes are at `/attachments/{id}`."""

    id: str
    kind: AttachmentKind
    media_type: str = Field(examples=["image/jpeg"])
    size: int = Field(description="Bytes.", examples=[182044])
    caption: str | None
    signed_by: str | None = Field(description="Whose signature it is.", examples=["王女士"])
    by: str
    at: Moment
    struck_at: Moment | None = Field(default=None, description="Since then it no longer counts.")
    struck_by: str | None = None
    struck_why: str | None = None


class ContractorLink(Document):
    """The link of the contractor who has the order."""

    username: str
    expires_at: Moment
    url: str | None = Field(
        default=None, description="Only in the answer that makes it: nobody can be told it again."
    )


class PublicStep(Document):
    """A step of the maintenance that the order is for."""

    number: int = Field(description="From 1.")
    name: Text
    required: bool
    done_at: Moment | None


class PublicOrder(Document):
    """An order as the contractor sees it who has its link: nothing about who asked for it."""

    site: Text
    timezone: str = Field(examples=["Asia/Shanghai"])
    number: int
    you: str = Field(description="Whose link it is.")
    state: str
    priority: PriorityWord
    title: Text
    description: str | None
    category_name: Text
    equipment_name: Text
    area_name: Text
    place: str | None = Field(description="As who asked for it has said.")
    guidance: Guidance | None
    steps: list[PublicStep] = Field(description="Of a maintenance plan; else empty.")
    materials: list[Text] = Field(description="That the plan names.")
    due_at: Moment | None = Field(description="When it is to be completed.")
    explain: Text | None = Field(description="Why its clock does not run, in words.")
    suspended_why: str | None
    note: str | None
    causes: dict[str, Text]
    remedies: dict[str, Text]
    attachments: list[Attachment]
    expires_at: Moment = Field(description="Until then the link is good.")
