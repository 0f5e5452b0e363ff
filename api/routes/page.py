"""The page itself, and the description of the API for people: files of ours and no others."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException

from api.problems import ProblemException, problem_response

STATIC = Path(__file__).parent.parent / "static"

_NOT_PAGES = ("/api/", "/assets/", "/docs/", "/healthz", "/metrics", "/openapi.json")


def install(app: FastAPI, static: Path) -> None:
    """Serve the built page from ``static``, and Swagger UI from its folder ``docs``.

    Any other path that a browser navigates to gives the page, whose router knows it.
    """

    @app.get("/docs", include_in_schema=False)
    @app.get("/docs/", include_in_schema=False)
    async def docs() -> FileResponse:
        return _built(static / "docs" / "docs.html")

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
