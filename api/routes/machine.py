"""For machines: health and metrics."""

from __future__ import annotations

from collections.abc import Awaitable

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.deps import DeskNeeded
from api.desk import Desk
from api.models import Health
from api.tls.in_force import Tls
from api.views import equipment
from gateway.model.moment import SECOND

router = APIRouter(tags=["machine"])

_OK = "ok"
_RULES_LATE = 30 * SECOND
"""µs without a commit of the rules; they commit whenever records come, and every few seconds."""


@router.get("/healthz", responses={503: {"model": Health, "description": "What is wrong."}})
async def healthz(desk: DeskNeeded, request: Request, response: Response) -> Health:
    """Whether the parts behind the page answer, and readings come in.

    A certificate that ends soon, or has ended, is a warning: alarms come all the same.
    """
    any_point = list(desk.site.points)[:1]
    checks = {
        "ledger": await _asked(desk.read(lambda view: view.last_change_id())),
        "history": await _asked(desk.in_history(lambda: desk.history.latest(any_point))),
        "gateway": _gateway(desk),
        "rules": await _rules(desk),
    }
    well = all(said == _OK for said in checks.values())
    response.status_code = 200 if well else 503
    word = desk.provisional.word()
    return Health(
        status="ok" if well else "failing",
        checks=checks,
        warnings=_warnings(desk, request.app.state.tls),
        leader=None if word is None else word.worker,
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "Prometheus text format."}},
)
async def metrics() -> Response:
    """Counters in the Prometheus text format."""
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _warnings(desk: Desk, tls: Tls | None) -> list[str]:
    warning = None if tls is None else tls.certificate.warning(desk.clock.now().wall)
    return [] if warning is None else [warning]


async def _asked(question: Awaitable[object]) -> str:
    try:
        await question
    except Exception as error:
        # Any failure counts; only its kind is told, because whoever asks is not logged in.
        return f"does not answer ({type(error).__name__})"
    return _OK


async def _rules(desk: Desk) -> str:
    """The rules write their cursor every few seconds, whether or not something happened."""
    word = desk.provisional.word()
    if word is not None and not word.ledger_takes:
        return f"the ledger takes nothing; {len(word.alarms) + word.unsaid} alarms are provisional"
    try:
        committed = await desk.read(lambda view: view.committed(desk.site.gateway))
    except Exception as error:
        return f"not known ({type(error).__name__})"
    if committed is None:
        return "nothing committed yet"
    age = desk.clock.now().since(committed)
    return _OK if abs(age) <= _RULES_LATE else f"last commit {age // SECOND} s ago"


def _gateway(desk: Desk) -> str:
    now, received = desk.clock.now(), desk.latest.received
    if received is None:
        return "nothing received yet"
    if not equipment.is_heard(desk.site, now, received):
        silent = now.since(received) // SECOND
        return f"silent for {silent} s" if silent >= 0 else f"its clock is {-silent} s ahead"
    return _OK
