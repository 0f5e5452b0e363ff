"""A webhook: the notice as a JSON document, posted to an address of the site file.

2xx is success. Redirects are not followed and proxies of the environment are not used: the
message goes to the address that the site file names, or nowhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Self

import httpx2
import orjson

TIMEOUT_S = 5.0
"""For the whole exchange; a receiver that dribbles its answer gets no more."""


class Outcome(StrEnum):
    DELIVERED = "delivered"
    REFUSED = "refused"
    """The receiver said no, or was never reached."""
    DOUBTFUL = "doubtful"
    """No answer: the receiver may have it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    outcome: Outcome
    detail: str = ""


class Webhook:
    """Sends to any number of addresses; connects only in ``send``."""

    def __init__(self, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._client = httpx2.AsyncClient(
            timeout=TIMEOUT_S,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
            headers={"Content-Type": "application/json", "User-Agent": "dutyroom"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def send(self, address: str, key: str, body: Mapping[str, Any]) -> Answer:
        """Post ``body`` under the idempotency key ``key``; never raises for the wire's sake."""
        try:
            async with (
                asyncio.timeout(TIMEOUT_S),
                self._client.stream(
                    "POST",
                    address,
                    content=orjson.dumps(body),
                    headers={"Idempotency-Key": key},
                ) as response,
            ):
                # The status is the whole answer: a body, however long, is not read.
                if response.is_success:
                    return Answer(outcome=Outcome.DELIVERED)
                return Answer(outcome=Outcome.REFUSED, detail=f"HTTP {response.status_code}")
        except (
            httpx2.ConnectError,
            httpx2.ConnectTimeout,
            httpx2.PoolTimeout,
            httpx2.UnsupportedProtocol,
            httpx2.InvalidURL,
        ) as error:
            return Answer(outcome=Outcome.REFUSED, detail=_told(error))
        except (httpx2.HTTPError, TimeoutError, OSError) as error:
            return Answer(outcome=Outcome.DOUBTFUL, detail=_told(error))


def place(address: str) -> str:
    """Scheme and host of ``address``, for logs: its path and query may be the secret of who may
    post there."""
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL:
        url = httpx2.URL()
    return f"{url.scheme}://{url.host}" if url.host else "an address that is none"


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
