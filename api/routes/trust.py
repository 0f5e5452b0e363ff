"""How a phone comes to trust our authority; for everybody, also over plain HTTP.

Of a duty room without an authority of its own there is nothing here.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.problems import ProblemException
from api.tls import names, trust
from api.tls.door import asked_host
from api.tls.in_force import Tls
from api.tls.reading import Certificate

router = APIRouter(include_in_schema=False)


@router.get("/trust")
async def page(
    request: Request,
    lang: Annotated[str | None, Query(max_length=8)] = None,
    accept_language: Annotated[str, Header()] = "",
    user_agent: Annotated[str, Header()] = "",
) -> HTMLResponse:
    authority = _authority(request)
    by_browser = "en" if accept_language.strip().lower().startswith("en") else "zh"
    language = lang if lang in trust.languages() else by_browser
    document = trust.page(authority, _ways(request), language=language, device=user_agent)
    return HTMLResponse(document, headers={"Vary": "Accept-Language, User-Agent"})


@router.get(f"/trust/{trust.FILE}")
async def authority(request: Request) -> Response:
    disposition = f'attachment; filename="{trust.FILE}"'
    headers = {"Content-Disposition": disposition, "Cache-Control": "no-store"}
    return Response(_authority(request).der, media_type=trust.MIME, headers=headers)


def _authority(request: Request) -> Certificate:
    tls: Tls | None = request.app.state.tls
    if tls is None or tls.authority is None:
        raise ProblemException(404, "This duty room has no certificate authority of its own.")
    return tls.authority


def _ways(request: Request) -> trust.Ways:
    """By the name that the browser came by, unless that is one which only this machine knows."""
    host = asked_host(request.headers)
    if host is None or host in ("localhost", "127.0.0.1", "[::1]"):
        host = names.shown(names.reachable(names.of_machine()))
    plain, secure = request.app.state.plain_port, request.app.state.tls_port
    return trust.Ways(trust=f"http://{host}:{plain}/trust", page=f"https://{host}:{secure}/")
