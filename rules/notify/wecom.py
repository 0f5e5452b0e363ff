"""A robot of a WeCom (企业微信) group.

Source: https://developer.work.weixin.qq.com/document/path/91770 — text of at most 2,048 bytes,
``mentioned_list`` by user id and ``mentioned_mobile_list`` by telephone, ``errcode`` 0 for
success; 20 messages a minute, then 45009.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rules.notify.carrier import Answer, Message
from rules.notify.robot import by_code, told
from rules.notify.wire import Wire

_MOST = 2048
_THROTTLED = frozenset({-1, 45009, 45033})
"""Too often, too many at once, and that they are busy."""


class WeCom:
    def __init__(self, wire: Wire, address: str) -> None:
        self._wire = wire
        self._address = address

    async def send(self, message: Message) -> Answer:
        people = message.people
        text = {
            "content": message.text(_MOST),
            "mentioned_list": [one.mention for one in people if one.mention],
            "mentioned_mobile_list": [one.phone for one in people if one.phone and not one.mention],
        }
        document = {"msgtype": "text", "text": text}
        return await told(self._wire, self._address, document, judge)


def judge(said: Mapping[str, Any]) -> Answer | None:
    return by_code(said, "errcode", "errmsg", throttled=_THROTTLED)
