"""What the plain port still answers where there is HTTPS: the way to it, and health.

A plain ASGI class around the whole application. A page is led on; a request of the API is refused,
because led on it would send its password or token in clear every time, and nobody would notice.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.edge import HEADERS
from api.problems import problem_response

_OPEN = re.compile(r"/trust(/.*)?|/healthz|/metrics")
"""What holds no secret: how to come to trust us, and what machines beside us ask."""
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?")
_HTTPS = 443


def asked_host(headers: Headers) -> str | None:
    """The host that a browser came by, an IPv6 address in brackets; None: it does not say."""
    found = _HOST.fullmatch(headers.get("host", ""))
    return None if found is None else found[1]


class PlainDoor:
    """Stands before the application on the plain port."""

    def __init__(self, app: ASGIApp, *, tls_port: int) -> None:
        self._app = app
        self._port = "" if tls_port == _HTTPS else f":{tls_port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _OPEN.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        answer = self._answer(scope)
        await answer(scope, receive, send)

    def _answer(self, scope: Scope) -> ASGIApp:
        host = asked_host(Headers(scope=scope))
        headers = {**HEADERS, "Cache-Control": "no-store", "Connection": "close"}
        if host is None:
            return problem_response(scope["path"], 400, "Say which host is meant.", headers=headers)
        address = f"https://{host}{self._port}"
        is_page = scope["method"] in ("GET", "HEAD") and not scope["path"].startswith("/api/")
        if is_page:
            way = scope.get("raw_path", b"/").partition(b"?")[0].decode("latin-1")
            query = scope.get("query_string", b"").decode("latin-1")
            # Two slashes at its beginning would be another host's address.
            to = f"{address}/{way.lstrip('/')}" + (f"?{query}" if query else "")
            return RedirectResponse(to, 307, headers=headers)
        return problem_response(
            scope["path"], 403, f"Come by HTTPS: {address}.", name="https-only", headers=headers
        )
