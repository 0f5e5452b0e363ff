"""A robot of a Feishu (飞书, Lark) group.

Source: https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot — ``timestamp`` (s) and
``sign`` in the document: the HMAC-SHA256 over nothing with timestamp, line end and secret as the
key, in Base64; ``<at user_id="…">`` in the text calls somebody; ``code`` 0 for success, 19021 for
a wrong signature, 19024 for a missing keyword; 100 messages a minute and 5 a second, then 11232.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gateway.clock import Clock
from gateway.model.moment import SECOND
from rules.notify.carrier import Answer, Message, Outcome
from rules.notify.robot import by_code, told
from rules.notify.wire import Wire

_MOST = 15_000
"""Of 20 KB, the rest for who is called."""
_THROTTLED = frozenset({11232, 230020, 99991400})
_WRONG_REQUEST = 9499
"""Also said of too many in a second, and then the words tell."""
_TOO_MANY = re.compile("too many|frequen|limit", re.IGNORECASE)
_USER_ID = re.compile(r"[A-Za-z0-9_.-]+")


class Feishu:
    def __init__(self, wire: Wire, address: str, secret: str, clock: Clock) -> None:
        self._wire = wire
        self._address = address
        self._secret = secret
        self._clock = clock

    async def send(self, message: Message) -> Answer:
        ids = [one.mention or "" for one in message.people]
        called = "".join(f'\n<at user_id="{one}"></at>' for one in ids if _USER_ID.fullmatch(one))
        document: dict[str, Any] = {
            "msg_type": "text",
            "content": {"text": message.text(_MOST) + called},
        }
        if self._secret:
            at = str(self._clock.now().wall // SECOND)
            document |= {"timestamp": at, "sign": signature(self._secret, at)}
        return await told(self._wire, self._address, document, judge)


def signature(secret: str, timestamp: str) -> str:
    digest = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def judge(said: Mapping[str, Any]) -> Answer | None:
    # What it took it says in the older words too.
    code = "code" if "code" in said else "StatusCode"
    words = "msg" if "code" in said else "StatusMessage"
    answer = by_code(said, code, words, throttled=_THROTTLED)
    is_too_many = said.get(code) == _WRONG_REQUEST and _TOO_MANY.search(str(said.get(words)))
    return replace(answer, outcome=Outcome.THROTTLED) if answer and is_too_many else answer
