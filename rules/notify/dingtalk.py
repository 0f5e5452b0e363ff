"""A robot of a DingTalk (钉钉) group.

Source: https://open.dingtalk.com/document/robots/custom-robot-access — with 加签 the address gets
``timestamp`` (ms) and ``sign``, the HMAC-SHA256 with the secret as key over timestamp, line end
and secret, in Base64; ``at.atMobiles``, and each of them in the text too; ``errcode`` 0 for
success, 310000 for a wrong signature or keyword; 20 messages a minute, then 130101 (of old
410100) for ten minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from gateway.clock import Clock
from rules.notify.carrier import Answer, Message
from rules.notify.robot import by_code, told
from rules.notify.wire import Wire

_MOST = 15_000
"""Of 20,000 bytes, the rest for who is called."""
_THROTTLED = frozenset({-1, 130101, 410100, 90030})


class DingTalk:
    def __init__(self, wire: Wire, address: str, secret: str, clock: Clock) -> None:
        self._wire = wire
        self._address = address
        self._secret = secret
        self._clock = clock

    async def send(self, message: Message) -> Answer:
        phones = [one.phone for one in message.people if one.phone]
        ids = [one.mention for one in message.people if one.mention and not one.phone]
        called = "".join(f"\n@{one}" for one in (*phones, *ids))
        document = {
            "msgtype": "text",
            "text": {"content": message.text(_MOST) + called},
            "at": {"atMobiles": phones, "atUserIds": ids, "isAtAll": False},
        }
        return await told(self._wire, self._signed(), document, judge)

    def _signed(self) -> str:
        if not self._secret:
            return self._address
        at = str(self._clock.now().wall // 1000)
        sign = quote_plus(signature(self._secret, at))
        joint = "&" if "?" in self._address else "?"
        return f"{self._address}{joint}timestamp={at}&sign={sign}"


def signature(secret: str, timestamp: str) -> str:
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def judge(said: Mapping[str, Any]) -> Answer | None:
    return by_code(said, "errcode", "errmsg", throttled=_THROTTLED)
