"""The ways by which a site reaches people: what its file says of each, secrets already read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit


class ChannelKind(StrEnum):
    WEBHOOK = "webhook"
    """Another system: the notice as a signed JSON document."""
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    EMAIL = "email"
    SMS = "sms"


ROBOTS = frozenset({ChannelKind.WECOM, ChannelKind.DINGTALK, ChannelKind.FEISHU})
"""Each speaks in one group chat, and may be used so often a minute only."""

HOSTS = {
    ChannelKind.WECOM: frozenset({"qyapi.weixin.qq.com"}),
    ChannelKind.DINGTALK: frozenset({"oapi.dingtalk.com"}),
    ChannelKind.FEISHU: frozenset({"open.feishu.cn", "open.larksuite.com"}),
}
"""Where the real ones are; every other host has to be on the site's allowlist."""

ROUTINE_A_MINUTE = 12
"""Of the 20 messages a minute that a robot takes; the rest is kept for fire and entrapment."""


class People(StrEnum):
    """Whose notices a channel carries."""

    ALL = "all"
    ADDRESSED = "addressed"
    """Only those that name somebody."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Quiet:
    """Hours of the night, in minutes of the site's day; over midnight where ``start > end``."""

    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SmsGateway:
    """How a text is handed to an SMS gateway, and how that says that it has taken it."""

    method: str
    body: str
    """With ``{phone}``, ``{text}`` and ``{secret}``; with GET it is the query."""
    format: str
    """``json`` or ``form``: how what is put in is written."""
    authorization: str
    """Header of that name, with ``{secret}``; empty: none."""
    success_path: tuple[str, ...]
    """Keys down into the JSON answer."""
    success_value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    id: str
    kind: ChannelKind
    address: str = field(repr=False)
    """Web address, or ``smtp://host:port`` or ``smtps://…``; a robot's holds its secret."""
    secret: str = field(default="", repr=False)
    """What messages are signed with, or the password at the mail server."""
    priorities: frozenset[str]
    people: People = People.ALL
    quiet: Quiet | None = None
    digest_after: int | None = None
    """Routine messages a minute, after which the rest is gathered into one; None: never."""
    languages: tuple[str, ...] = ("zh",)
    to: tuple[str, ...] = ()
    """Who gets every message of it: mail addresses, or telephone numbers."""
    user: str = ""
    sender: str = ""
    sms: SmsGateway | None = None

    @property
    def host(self) -> str:
        """The only part of the address that may be shown."""
        return host_of(self.address)


def host_of(address: str) -> str:
    """The host of a web address, as names are compared; empty where there is none."""
    try:
        return (urlsplit(address).hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def plain_webhook(address: str) -> Channel:
    """What an entry of the older list ``webhooks`` stands for: everything, unsigned, one by one.

    Its id follows from the address, so that what waits for it still finds it when the list is
    written anew.
    """
    return Channel(
        id=plain_webhook_id(address),
        kind=ChannelKind.WEBHOOK,
        address=address,
        priorities=frozenset({"critical", "major", "minor", "info"}),
        languages=("zh", "en"),
    )


def plain_webhook_id(address: str) -> str:
    return f"webhook-{hashlib.sha256(address.encode()).hexdigest()[:8]}"
