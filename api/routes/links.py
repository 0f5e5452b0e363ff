"""How the way to the devices is doing, as the gateway tells, and reading a device by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Depends

from api.deps import DeskNeeded, Id, PersonNeeded, SameOrigin, get_visitor
from api.desk import Desk
from api.models import devices as documents
from api.problems import ProblemException, described, sentence
from api.views import devices as views
from gateway.bus.questions import NoAnswerError, QuestionRefusedError
from rules.ledger import audit
from rules.people.roles import Permission, require

router = APIRouter(tags=["links"], dependencies=[Depends(get_visitor)])

_LINKS_WITHIN_S = 5.0
_PROBE_WITHIN_S = 60.0
"""A device that answers slowly, and each of its unreadable addresses, take their time."""


@router.get("/links", responses=described(401, 503))
async def links(desk: DeskNeeded) -> documents.Links:
    """Every link, what could not be read, and what waits to be kept; 503 while the gateway does
    not answer."""
    return views.links(desk.site, await _asked(desk, "links", {}, within=_LINKS_WITHIN_S))


@router.post(
    "/links/{link_id}/probe",
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 409, 422, 503),
)
async def probe(
    desk: DeskNeeded, visitor: PersonNeeded, link_id: Id, body: documents.ProbeRequest
) -> documents.Probe:
    """Read every point of a profile once, through the gateway's own link; nothing is kept.

    For what is implausible it is said what in the profile would make it plausible.
    """
    actor = visitor.actor
    require(actor, Permission.PROBE_DEVICE)
    if link_id not in desk.site.links:
        raise ProblemException(404, f"There is no link {link_id}.")
    now = desk.clock.now()

    detail = {"unit": body.unit, "profile": body.profile}

    def note() -> None:
        with desk.ledger.write(desk.site.id) as entry:
            audit.record(entry, actor, "device.probe", link_id, now.wall, **detail)

    await desk.in_ledger(note)
    question = {"link": link_id, **body.model_dump()}
    return views.probe(await _asked(desk, "probe", question, within=_PROBE_WITHIN_S))


async def _asked(
    desk: Desk, kind: str, body: Mapping[str, Any], *, within: float
) -> Mapping[str, Any]:
    try:
        return await desk.questions.ask(kind, body, within=within)
    except NoAnswerError:
        raise ProblemException(
            503, "The gateway does not answer.", name="gateway-silent", headers={"Retry-After": "5"}
        ) from None
    except QuestionRefusedError as refusal:
        name = refusal.code.replace("_", "-")
        raise ProblemException(409, sentence(refusal.detail), name=name) from None
