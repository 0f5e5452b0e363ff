"""The page itself, and the description of the API for people: files of ours and no others."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import ProblemException, problem_response

STATIC = Path(__file__).parent.parent / "static"

# What Python knows of kinds of files is what the machine knows, which may be less.
mimetypes.add_type("application/manifest+json", ".webmanifest")

_NOT_PAGES = ("/api/", "/assets/", "/docs/", "/healthz", "/metrics", "/openapi.json")


_SMALLEST = 1000
"""Bytes of a file that is worth packing."""


class Packed:
    """ASGI middleware: the built files go out by gzip where the browser takes it.

    Nothing of the API does: what is secret in an answer is not to be guessed from its length.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._packed = GZipMiddleware(app, minimum_size=_SMALLEST, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        of_page = scope["type"] == "http" and scope["path"].startswith("/assets/")
        await (self._packed if of_page else self._plain)(scope, receive, send)


def install(app: FastAPI, static: Path) -> None:
    """Serve the built page from ``static``, and Swagger UI from its folder ``docs``.

    Any other path that a browser navigates to gives the page, whose router knows it.
    """

    @app.get("/docs", include_in_schema=False)
    @app.get("/docs/", include_in_schema=False)
    async def docs() -> FileResponse:
        return _built(static / "docs" / "docs.html")

    app.add_middleware(Packed)
    if static.is_dir():
        app.frontend("/", directory=static, fallback=None)

    @app.exception_handler(404)
    async def on_not_found(request: Request, error: HTTPException) -> Response:
        index = static / "index.html"
        if _is_navigation(request) and index.is_file():
            return FileResponse(index)
        return problem_response(request.url.path, 404, _detail(error), headers=error.headers)


def _built(path: Path) -> FileResponse:
    if not path.is_file():
        raise ProblemException(404, "The page is not built: run make web.")
    return FileResponse(path)


def _is_navigation(request: Request) -> bool:
    return (
        request.method in ("GET", "HEAD")
        and not request.url.path.startswith(_NOT_PAGES)
        and "text/html" in request.headers.get("accept", "")
    )


def _detail(error: HTTPException) -> str:
    own = isinstance(error, ProblemException)
    return str(error.detail) if own else "There is nothing at this address."
