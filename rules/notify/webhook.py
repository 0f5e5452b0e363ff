"""A webhook: the notice as a JSON document, posted to an address of the site file.

2xx is success: the status is the whole answer, a body, however long, is not read. With a secret
the receiver can tell that it is from us and of now: ``X-Dutyroom-Signature`` is ``sha256=`` and
the HMAC-SHA256, in hexadecimal, over the value of ``X-Dutyroom-Timestamp`` (seconds since 1970),
a full stop and the body as it came.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx2
import orjson

from gateway.clock import Clock
from gateway.model.channels import host_of
from gateway.model.moment import SECOND
from rules.notify.carrier import Answer, Message, Outcome
from rules.notify.wire import Wire

_TOO_MANY = 429
_PLAIN = "".join(map(chr, range(0x21, 0x7F)))


class Webhook:
    """The carrier for one address."""

    def __init__(self, wire: Wire, address: str, secret: str, clock: Clock) -> None:
        self._wire = wire
        self._address = address
        self._secret = secret.encode()
        self._clock = clock

    async def send(self, message: Message) -> Answer:
        content = orjson.dumps(message.body)
        headers = {}
        if self._secret:
            at = str(self._clock.now().wall // SECOND)
            headers = {
                "X-Dutyroom-Timestamp": at,
                "X-Dutyroom-Signature": f"sha256={signature(self._secret, at, content)}",
            }
        return await posted(self._wire, self._address, message.id, content, headers)


class Outlet:
    """Posts unsigned documents to addresses that somebody named on the command line: naming one
    there allows it."""

    def __init__(self, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._transport = transport
        self._wires: dict[str, Wire] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for wire in self._wires.values():
            await wire.__aexit__(kind, error, trace)

    async def send(self, address: str, key: str, body: Mapping[str, Any]) -> Answer:
        """Post ``body`` under the idempotency key ``key``; never raises for the wire's sake."""
        host = host_of(address)
        if host not in self._wires:
            self._wires[host] = Wire(allow=frozenset({host}), transport=self._transport)
        return await posted(self._wires[host], address, key, orjson.dumps(body), {})


def signature(secret: bytes, timestamp: str, body: bytes) -> str:
    return hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


async def posted(
    wire: Wire, address: str, key: str, content: bytes, headers: Mapping[str, str]
) -> Answer:
    reply = await wire.send(
        address,
        content=content,
        headers={
            "Content-Type": "application/json",
            # A header has no other letters.
            "Idempotency-Key": quote(key, safe=_PLAIN),
            **headers,
        },
        read=False,
    )
    if isinstance(reply, Answer):
        return reply
    if 200 <= reply.status < 300:
        return Answer(outcome=Outcome.DELIVERED)
    throttled = reply.status == _TOO_MANY
    outcome = Outcome.THROTTLED if throttled else Outcome.REFUSED
    return Answer(outcome=outcome, detail=f"HTTP {reply.status}")


def place(address: str) -> str:
    """Scheme and host of ``address``, for logs: its path and query may be the secret of who may
    post there."""
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL:
        url = httpx2.URL()
    return f"{url.scheme}://{url.host}" if url.host else "an address that is none"
