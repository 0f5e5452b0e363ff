"""Text messages through any gateway that takes them over HTTP, one call a telephone number.

The site file says what is sent and which value in the JSON answer means that it was taken. What
is put into the template is written as its format needs it, so no text ends a string of it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import orjson

from gateway.model.channels import Channel, SmsGateway
from rules.notify.carrier import Answer, Message, Outcome
from rules.notify.wire import Reply, Wire

_MOST = 600
"""Bytes: three messages' worth of Chinese."""
_PLACE = re.compile(r"\{(phone|text|secret)\}")
_CONTENT = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
_TOO_MANY = 429


class Sms:
    def __init__(self, wire: Wire, channel: Channel, gateway: SmsGateway) -> None:
        self._wire = wire
        self._channel = channel
        self._gateway = gateway

    async def send(self, message: Message) -> Answer:
        """To everybody who does not have it yet; who has it is said in the answer."""
        numbers = {number: number for number in self._channel.to}
        numbers |= {one.username: one.phone for one in message.people if one.phone}
        if not numbers:
            return Answer(outcome=Outcome.NOBODY, detail="nobody of them has a telephone number")
        text = message.text(_MOST)
        wanted = [who for who in numbers if who not in message.reached]
        answers = await asyncio.gather(*(self._one(numbers[who], text) for who in wanted))
        taken = [one.outcome is Outcome.DELIVERED for one in answers]
        reached = tuple(who for who, is_taken in zip(wanted, taken, strict=True) if is_taken)
        if all(taken):
            return Answer(outcome=Outcome.DELIVERED, reached=reached)
        failed = [one for one in answers if one.outcome is not Outcome.DELIVERED]
        doubtful = [one for one in failed if one.outcome is Outcome.DOUBTFUL]
        return replace((doubtful or failed)[0], reached=reached)

    async def _one(self, phone: str, text: str) -> Answer:
        gateway = self._gateway
        given = {"phone": phone, "text": text, "secret": self._channel.secret}
        is_query = gateway.method == "GET"
        body = filled(gateway.body, given, "form" if is_query else gateway.format)
        address = self._channel.address
        headers = {} if is_query else {"Content-Type": _CONTENT[gateway.format]}
        if gateway.authorization:
            headers["Authorization"] = filled(gateway.authorization, given, "plain")
        if is_query:
            address += ("&" if "?" in address else "?") + body
        reply = await self._wire.send(
            address,
            method=gateway.method,
            content=None if is_query else body.encode(),
            headers=headers,
        )
        return reply if isinstance(reply, Answer) else judged(reply, gateway)


def filled(template: str, given: Mapping[str, str], form: str) -> str:
    """The template with what is ``given``; what it puts in is not looked at again."""

    def put(found: re.Match[str]) -> str:
        value = given[found[1]]
        if form == "json":
            return orjson.dumps(value).decode()[1:-1]
        return quote(value, safe="") if form == "form" else value

    return _PLACE.sub(put, template)


def judged(reply: Reply, gateway: SmsGateway) -> Answer:
    if reply.status == _TOO_MANY:
        return Answer(outcome=Outcome.THROTTLED, detail="HTTP 429")
    try:
        said: Any = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        said = None
    path = ".".join(gateway.success_path)
    for key in gateway.success_path:
        said = said.get(key) if isinstance(said, dict) else None
    if reply.status == 200 and said is not None and _plain(said) == gateway.success_value:
        return Answer(outcome=Outcome.DELIVERED)
    if said is None and reply.status == 200:
        return Answer(outcome=Outcome.DOUBTFUL, detail=f"the answer has no {path}")
    shown = f"HTTP {reply.status}" if said is None else f"{path} is {_plain(said)[:80]}"
    return Answer(outcome=Outcome.REFUSED, detail=shown)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
