"""The outermost layer: headers that every answer carries, a cap on bodies, the last catch.

A plain ASGI class and not ``BaseHTTPMiddleware``, which would buffer streams and hide
disconnects.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import DURATION, REQUESTS
from api.problems import ProblemException, problem_response
from api.written_paths import written

BODY_LIMIT = 256 * 1024
"""Bytes; no request of ours comes near. FastAPI's own ``max_body_size`` answers in plain text."""
_FILE_LIMIT = 11 * 1024 * 1024
"""Of a photograph; its route has the exact limit, and says so."""
_FILES = re.compile(
    r"/api/v1/((orders|register|public/links)/[^/]+/attachments|register-imports"
    r"|rounds/[^/]+/items/[^/]+/photos|offline/photos/[^/]+)"
)

_CSP = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # charts and Swagger set style attributes
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every answer that has none of its own."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FOR_EVER = "public, max-age=31536000, immutable"

log = structlog.get_logger(__name__)


class Edge:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._headers = dict(HEADERS)
        if secure:
            self._headers["Strict-Transport-Security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        answer = _Answer(scope, send, self._headers)
        try:
            limit = _FILE_LIMIT if _FILES.fullmatch(scope["path"]) else BODY_LIMIT
            if _declared_length(scope) > limit:
                await _too_large(scope, limit)(scope, receive, answer.send)
            else:
                await self._app(scope, _capped(receive, limit), answer.send)
        except Exception:
            log.exception("request failed", method=scope["method"], path=written(scope["path"]))
            if answer.status is not None:
                raise  # the answer has begun: only closing the connection can tell
            response = problem_response(
                scope["path"], 500, "Something went wrong here; it has been logged."
            )
            await response(scope, receive, answer.send)
        finally:
            answer.count(time.perf_counter() - started)


class _Answer:
    """The sending side of one request: adds the headers and remembers the status."""

    def __init__(self, scope: Scope, send: Send, headers: Mapping[str, str]) -> None:
        self._scope = scope
        self._send = send
        self._headers = headers
        self.status: int | None = None
        self.is_stream = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", self._cache())
            self.is_stream = headers.get("content-type", "").startswith("text/event-stream")
        await self._send(message)

    def count(self, seconds: float) -> None:
        operation = getattr(self._scope.get("route"), "name", "other")
        method = self._scope["method"]
        # A made-up method must not make a new series.
        REQUESTS.labels(
            method if method in _METHODS else "other", operation, str(self.status or 0)
        ).inc()
        if not self.is_stream:
            DURATION.labels(operation).observe(seconds)

    def _cache(self) -> str:
        path = self._scope["path"]
        if path.startswith("/assets/") and self.status == 200:
            return _FOR_EVER  # the build puts a hash of the content into these names
        return "no-store" if path.startswith("/api/") else "no-cache"


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _too_large(scope: Scope, limit: int) -> ASGIApp:
    return problem_response(
        scope["path"],
        413,
        f"A request may have {limit} bytes.",
        headers={"Connection": "close"},
    )


def _capped(receive: Receive, limit: int) -> Receive:
    """``receive`` that refuses a body which turns out longer than it may be."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise ProblemException(
                413, f"A request may have {limit} bytes.", headers={"Connection": "close"}
            )
        return message

    return limited
