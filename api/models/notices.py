"""Messages to people: what was sent by which channel, and how the channels are doing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.models.base import Document, Moment, PriorityWord, Text, example

ChannelKindWord = Literal["webhook", "wecom", "dingtalk", "feishu", "email", "sms"]
NoticeState = Literal["waiting", "held", "claimed", "sent", "in_digest", "dropped"]


class AddressedTo(Document):
    username: str
    display_name: str


class NoticeSent(Document):
    """A message by one channel, sent or not."""

    model_config = example(
        {
            "id": "alarm_raised.pump-2.motor-temperature-high.20261121T100712-345000Z",
            "channel": "engineering-group",
            "kind": "alarm_raised",
            "title": {
                "zh": "2 号生活水泵 电机温度高",
                "en": "Supply pump 2: Motor temperature high",
            },
            "priority": "major",
            "life_safety": False,
            "subject": "pump-2.motor-temperature-high.20261121T100712-345000Z",
            "to": [],
            "state": "sent",
            "attempts": 1,
            "possibly_repeated": False,
            "error": None,
            "created_at": "2026-11-21T18:07:12.345+08:00",
            "not_before": None,
            "sent_at": "2026-11-21T18:07:12.812+08:00",
            "digest": None,
            "gathered": 1,
        }
    )

    id: str = Field(description="Of the notice; the same by every channel.")
    channel: str
    kind: str = Field(examples=["alarm_raised"])
    title: Text
    priority: PriorityWord
    life_safety: bool = Field(description="Fire or entrapment.")
    subject: str = Field(description="Id of the alarm, order or finding that it tells of.")
    to: list[AddressedTo] = Field(description="Who is meant; empty: everybody who hears of it.")
    state: NoticeState = Field(
        description="`held`: until quiet hours are over. `in_digest`: gathered into `digest`. "
        "`dropped`: there is nobody whom this channel could reach, or the site file has no such "
        "channel any more."
    )
    attempts: int
    possibly_repeated: bool = Field(description="An attempt ended without an answer.")
    error: str | None = Field(
        description="How the last attempt failed. Of one that is `sent`: who of several it did not "
        "reach. Of one that is `dropped`: why."
    )
    created_at: Moment
    not_before: Moment | None = Field(description="While it waits: when it is tried next.")
    sent_at: Moment | None
    digest: str | None = Field(description="The notice into which it was gathered.")
    gathered: int = Field(description="How many a digest stands for; 1: it is none.")


class NoticePage(Document):
    items: list[NoticeSent]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class QuietHours(Document):
    start: str = Field(examples=["22:00"])
    end: str = Field(examples=["07:00"])


class NoticeChannel(Document):
    """A way by which people hear of notices, without its secrets."""

    model_config = example(
        {
            "id": "engineering-group",
            "kind": "wecom",
            "host": "qyapi.weixin.qq.com",
            "priorities": ["critical", "major", "minor"],
            "people": "all",
            "quiet": {"start": "22:00", "end": "07:00"},
            "digest_after": 12,
            "waiting": 0,
            "oldest_waiting": None,
            "last_sent": "2026-11-21T18:07:12.812+08:00",
            "failing_since": None,
            "error": None,
        }
    )

    id: str
    kind: ChannelKindWord
    host: str = Field(description="Of its address, whose rest may be a secret.")
    priorities: list[PriorityWord]
    people: Literal["all", "addressed"]
    quiet: QuietHours | None
    digest_after: int | None = Field(
        description="Routine messages a minute before the rest is gathered; null: never."
    )
    waiting: int = Field(description="Messages that are not sent, held ones too.")
    oldest_waiting: Moment | None = Field(description="Held ones left out.")
    last_sent: Moment | None
    failing_since: Moment | None = Field(description="Null: the last attempt was taken.")
    error: str | None = Field(description="How the last attempt failed.")


class NoticeChannels(Document):
    items: list[NoticeChannel]
