"""Errors as RFC 9457 problems, everywhere and without a trace."""

from __future__ import annotations

import http
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic.json_schema import models_json_schema
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from api.models import Problem, ProblemError
from api.views.paging import BadCursorError
from api.written_paths import written
from gateway.history.base import HistoryUnavailableError
from rules.ledger.idempotency import KeyReusedError
from rules.lifecycle import IllegalTransitionError
from rules.refusals import ConflictError, NotFoundError, NotValidError

MEDIA_TYPE = "application/problem+json"
SIGNING = "signing-pin"
"""The header with which a write is signed by PIN, as the description calls it."""

_NAMES = {
    400: "bad-request",
    401: "not-logged-in",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "too-slow",
    409: "conflict",
    413: "too-large",
    422: "not-valid",
    429: "too-many-requests",
    500: "internal",
    503: "unavailable",
    507: "no-room",
}

_MEANINGS: Mapping[type[Exception], tuple[int, str | None]] = {
    NotFoundError: (404, None),
    ConflictError: (409, None),
    KeyReusedError: (409, None),
    IllegalTransitionError: (409, None),
    BadCursorError: (400, "This cursor was not given out here."),
    OperationalError: (503, "The ledger does not answer. Try again."),
    PoolTimeoutError: (503, "The ledger is too busy. Try again."),
    HistoryUnavailableError: (503, "The history does not answer."),
}
"""What the parts below raise → status, and a detail where theirs is not for people."""

log = structlog.get_logger(__name__)


class ProblemException(HTTPException):
    """An error that a handler answers with; ``detail`` is one sentence for people."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """``name``: of the problem, where the status alone does not tell it."""
        super().__init__(status, detail, dict(headers) if headers else None)
        self.name = name


def problem_response(
    path: str,
    status: int,
    detail: str,
    *,
    name: str | None = None,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[ProblemError] | None = None,
) -> JSONResponse:
    """The answer for one error; ``path`` is what was asked for."""
    name = name or _NAMES.get(status)
    body = Problem(
        type="about:blank" if name is None else f"urn:dutyroom:problem:{name}",
        title=http.HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=path,
        errors=list(errors) if errors else None,
    )
    return JSONResponse(
        body.model_dump(exclude_none=True),
        status_code=status,
        headers=dict(headers) if headers else None,
        media_type=MEDIA_TYPE,
    )


def described(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The ``responses=`` of a route that may answer with these problems."""
    return {
        status: {
            "description": http.HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def describe_in(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI ``document`` with every error described as a problem.

    FastAPI describes 422 as its own ``HTTPValidationError``; here it is a problem like the rest.
    """
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    _, definitions = models_json_schema(
        [(Problem, "serialization")], ref_template="#/components/schemas/{model}"
    )
    schemas.update(definitions["$defs"])
    for operations in document["paths"].values():
        for operation in operations.values():
            answers = [422] if "422" in operation["responses"] else []
            if any(one["name"] == SIGNING for one in operation.get("parameters", ())):
                answers = [403, 422, 429]  # a PIN may be wrong, and who guesses has to wait
            operation["responses"].update(
                {str(status): told for status, told in described(*answers).items()}
            )
    return document


def install(app: FastAPI) -> None:
    """Have ``app`` answer every error with a problem, and describe it so."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe_in(plain())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> Response:
        return problem_response(
            request.url.path,
            error.status_code,
            str(error.detail),
            name=getattr(error, "name", None),
            headers=error.headers,
        )

    @app.exception_handler(RequestValidationError)
    async def on_not_valid(request: Request, error: RequestValidationError) -> Response:
        complaints = [
            ProblemError(where=_encodable(".".join(map(str, item["loc"]))), message=item["msg"])
            for item in error.errors()
        ]
        return problem_response(
            request.url.path, 422, "The request is not valid.", errors=complaints
        )

    @app.exception_handler(NotValidError)
    async def on_contradictory(request: Request, error: NotValidError) -> Response:
        complaint = ProblemError(where=f"body.{error.field}", message=str(error))
        return problem_response(
            request.url.path, 422, "The request is not valid.", errors=[complaint]
        )

    for kind, (status, detail) in _MEANINGS.items():
        app.add_exception_handler(kind, _handler(status, detail))


def _handler(
    status: int, detail: str | None
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answers ``status`` with ``detail``, or else with what the exception says."""
    headers = {"Retry-After": "5"} if status == 503 else None

    async def answer(request: Request, error: Exception) -> Response:
        if status == 503:
            # The driver's own words: SQLAlchemy's would lay statement and values into the log.
            cause = getattr(error, "orig", None) or error
            log.warning("cannot answer", path=written(request.url.path), error=str(cause))
        return problem_response(
            request.url.path, status, detail or sentence(str(error)), headers=headers
        )

    return answer


def _encodable(text: str) -> str:
    """``text`` without lone surrogates, which a name in a request's body may have."""
    return text.encode("utf-8", "replace").decode()


def sentence(text: str) -> str:
    """``text`` with a full stop, and a capital unless it begins with an id."""
    first = text.split(" ", 1)[0]
    return f"{text[:1].upper() if first.isalpha() else text[:1]}{text[1:]}."
