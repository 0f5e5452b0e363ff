"""HTTP to the destinations that are allowed, and to no other, whatever a name stands for.

The name is asked for once, the answers are looked at, and the connection goes to one of just
those addresses: a name service that answers differently the second time moves nothing. Redirects
are not followed, and proxies of the environment are not used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx2

from gateway.site.destination import is_public, written_as_address
from rules.notify.carrier import Answer, Outcome
from rules.notify.names import Resolve, resolved

TIMEOUT_S = 5.0
"""For the whole exchange; a receiver that dribbles its answer gets no more."""
CONNECT_S = 1.5
"""For an address while there is another one to try."""
_MOST = 64 * 1024
"""Bytes of an answer that are read."""


class ForbiddenDestinationError(Exception):
    """Messages may not go there; nothing was sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    status: int
    body: bytes
    """Empty where nobody reads it."""


async def destinations(
    host: str, port: int, allow: frozenset[str], resolve: Resolve = resolved
) -> list[str]:
    """The addresses to connect to for ``host``.

    Raises :class:`ForbiddenDestinationError` where one of them is not public and ``host`` is not
    allowed by name, and :class:`OSError` where there is none.
    """
    plain = host.rstrip(".").lower()
    literal = written_as_address(plain)
    found = [str(literal)] if literal is not None else list(await resolve(plain, port))
    if not found:
        raise OSError(f"{plain} has no address")
    if plain in allow:
        return found
    for one in found:
        address = written_as_address(one)
        if address is None or not is_public(address):
            raise ForbiddenDestinationError(f"{plain} is {one}, which is not public")
    return found


class _Attempt:
    """Whether anything of a message has gone out: until then nobody can have it."""

    def __init__(self) -> None:
        self.begun = False

    async def trace(self, event: str, _info: Mapping[str, object]) -> None:
        self.begun = self.begun or event.endswith("send_request_headers.started")


class Wire:
    """A way out for one channel; connects only when something is sent.

    ``allow``: hosts that may be anywhere; every other has to be on the public internet.
    """

    def __init__(
        self,
        *,
        allow: frozenset[str],
        resolve: Resolve = resolved,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._allow = allow
        self._resolve = resolve
        self._misses: dict[str, int] = {}
        """Address → how often in a row it could not be connected to; -1 for one that could."""
        self._client = httpx2.AsyncClient(
            timeout=TIMEOUT_S,
            follow_redirects=False,
            trust_env=False,
            transport=transport,
            # A connection that is kept would outlive the look at its address.
            limits=httpx2.Limits(max_keepalive_connections=0),
            headers={"User-Agent": "dutyroom"},
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

    async def send(
        self,
        address: str,
        *,
        method: str = "POST",
        content: bytes | None = None,
        headers: Mapping[str, str],
        read: bool = True,
    ) -> Reply | Answer:
        """The reply; or, where there is none, what that means for the message."""
        attempt = _Attempt()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                request = self._client.build_request(
                    method, address, content=content, headers=dict(headers)
                )
                url = request.url
                port = url.port or (443 if url.scheme == "https" else 80)
                found = await destinations(url.host, port, self._allow, self._resolve)
                return await self._first(request, found, attempt, read=read)
        except ForbiddenDestinationError as error:
            return Answer(outcome=Outcome.REFUSED, detail=f"not allowed: {error}")
        except (
            httpx2.ConnectError,
            httpx2.ConnectTimeout,
            httpx2.PoolTimeout,
            httpx2.UnsupportedProtocol,
            httpx2.InvalidURL,
            # Of a header; nothing was sent.
            UnicodeError,
        ) as error:
            return Answer(outcome=Outcome.REFUSED, detail=told(error))
        except httpx2.HTTPError as error:
            return Answer(outcome=Outcome.DOUBTFUL, detail=told(error))
        except OSError as error:
            outcome = Outcome.DOUBTFUL if attempt.begun else Outcome.REFUSED
            return Answer(outcome=outcome, detail=told(error))

    async def _first(
        self, request: httpx2.Request, found: Sequence[str], attempt: _Attempt, *, read: bool
    ) -> Reply:
        """By the first of the addresses that can be connected to; the one that worked last time
        comes first, and those that were silent last."""
        self._misses = {one: self._misses.get(one, 0) for one in found}
        *others, last = sorted(found, key=self._misses.__getitem__)
        for address in others:
            try:
                return await self._exchange(request, address, attempt, CONNECT_S, read=read)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._exchange(request, last, attempt, TIMEOUT_S, read=read)

    async def _exchange(
        self,
        request: httpx2.Request,
        address: str,
        attempt: _Attempt,
        connect_s: float,
        *,
        read: bool,
    ) -> Reply:
        # Until it is known better: it may be given up in the middle.
        self._misses[address] = max(self._misses.get(address, 0), 0) + 1
        # "Host" is in its headers already, and the certificate is still held against the name.
        there = httpx2.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            content=request.content,
            extensions={
                **request.extensions,
                "sni_hostname": request.url.host,
                "timeout": httpx2.Timeout(TIMEOUT_S, connect=connect_s).as_dict(),
                "trace": attempt.trace,
            },
        )
        try:
            response = await self._client.send(there, stream=True)
            attempt.begun = True
        finally:
            if attempt.begun:
                self._misses[address] = -1
        try:
            body = await _beginning(response) if read else b""
        finally:
            await response.aclose()
        return Reply(status=response.status_code, body=body)


async def _beginning(response: httpx2.Response) -> bytes:
    """As much as an answer of a few words may have."""
    body = b""
    async for part in response.aiter_bytes():
        body += part
        if len(body) > _MOST:
            break
    return body[:_MOST]


def told(error: Exception) -> str:
    """``error`` for people: its kind; and what it says where it tells of names, connections or
    certificates. Others quote what was sent, which may be a secret."""
    name = type(error).__name__
    if isinstance(error, OSError | httpx2.ConnectError | httpx2.ConnectTimeout) and str(error):
        return f"{name}: {error}"
    return name
