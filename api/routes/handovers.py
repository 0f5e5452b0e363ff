"""Handing a shift over (交接班): the sheet, what forbids it, answers, signatures, the record."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.deps import ActorNeeded, Cursor, DeskNeeded, Id, IdempotencyKey, SameOrigin, get_visitor
from api.desk import Desk
from api.models import shifts as models
from api.problems import described
from api.reports import shifts as reports
from api.routes.shift_log import PDF, printed
from api.views import paging, words
from api.views import shifts as views
from rules.actions.act import Act
from rules.handover import actions
from rules.handover.actions import NewAnswer, Room
from rules.handover.facts import AnswerKind
from rules.ledger import handover_view, shift_log_view
from rules.ledger.view import View

router = APIRouter(tags=["shifts"], dependencies=[Depends(get_visitor)])

_WRITES = described(401, 403, 404, 409, 422, 503)


async def get_handover_act(
    desk: DeskNeeded, actor: ActorNeeded, shift_id: Id, idempotency_key: IdempotencyKey = None
) -> Act:
    return desk.act(shift_id, actor, idempotency_key)


HandoverAct = Annotated[Act, Depends(get_handover_act)]


@router.get("/handovers", responses=described(400, 401, 422, 503))
async def handovers(
    desk: DeskNeeded,
    *,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> models.HandoverPage:
    """Newest first."""
    place = paging.place(cursor, int, str)
    before = (int(place[0]), str(place[1])) if place else None

    def read(view: View) -> models.HandoverPage:
        found = handover_view.handovers(view, limit=limit + 1, before=before)
        page, more = found[:limit], len(found) > limit
        logs = {one.id: one for one in shift_log_view.logs_of(view, [o.id for o in page])}
        return models.HandoverPage(
            items=[views.handover_summary(one, logs[one.id], desk.site.zone) for one in page],
            next=paging.cursor(page[-1].next_starts_at, page[-1].id) if more else None,
        )

    return await desk.read(read)


@router.get("/handovers/current", responses=described(401, 503))
async def open_handover(desk: DeskNeeded) -> models.HandoverNow:
    """The newest that nobody has signed yet."""
    room, now = _room(desk), desk.clock.now()

    def read(view: View) -> models.HandoverNow:
        found = handover_view.handovers(view, only_open=True, limit=1)
        scene = actions.scene_of(view, room, found[0].id, now) if found else None
        log = next(iter(shift_log_view.logs(view, limit=1)), None)
        holds = log is not None and log.starts_at <= now.wall < log.ends_at
        prepares = log.ends_at - room.rulebook.handover.prepare if log and holds else None
        return models.HandoverNow(
            handover=None if scene is None else views.handover_document(scene),
            prepares_at=words.moment_if(prepares, desk.site.zone),
        )

    return await desk.read(read)


@router.get("/handovers/{shift_id}", responses=described(401, 404, 422, 503))
async def handover(desk: DeskNeeded, shift_id: Id) -> models.Handover:
    """One handover, with its sheet and what forbids it now."""
    room, now = _room(desk), desk.clock.now()
    return await desk.read(
        lambda view: views.handover_document(actions.scene_of(view, room, shift_id, now))
    )


@router.post("/handovers/{shift_id}/arrivals", dependencies=[SameOrigin], responses=_WRITES)
async def sign_in(
    desk: DeskNeeded, act: HandoverAct, body: models.ArrivalNew | None = None
) -> models.Handover:
    """Somebody of the relief is there (接班签到); who stands in says why."""
    note = None if body is None else body.note
    return await _done(desk, act, partial(actions.arrive, act, _room(desk), note=note))


@router.post("/handovers/{shift_id}/answers", dependencies=[SameOrigin], responses=_WRITES)
async def answer(desk: DeskNeeded, act: HandoverAct, body: models.AnswersNew) -> models.Handover:
    """Answer questions, count items, explain abnormalities, say of repairs whether they need both
    crews, approve shelves: all of it or nothing. The newest answer counts."""
    said = [
        NewAnswer(
            id=str(one.id),
            kind=AnswerKind(one.kind),
            subject=one.subject,
            value=one.value,
            note=one.note,
        )
        for one in body.answers
    ]
    return await _done(desk, act, partial(actions.answer, act, _room(desk), said))


@router.post("/handovers/{shift_id}/override", dependencies=[SameOrigin], responses=_WRITES)
async def override(
    desk: DeskNeeded, act: HandoverAct, body: models.HandoverOverrideNew
) -> models.Handover:
    """The manager lets pass what they have seen, as it was; what says something else by now, and
    what comes up later, forbids it again."""
    work = partial(
        actions.override, act, _room(desk), reason=body.reason, passed=frozenset(body.blocks)
    )
    return await _done(desk, act, work)


@router.post("/handovers/{shift_id}/give", dependencies=[SameOrigin], responses=_WRITES)
async def give(desk: DeskNeeded, act: HandoverAct) -> models.Handover:
    """Sign for the outgoing crew (交班签字). 409 with each clause that forbids it."""
    return await _done(desk, act, partial(actions.give, act, _room(desk)))


@router.post("/handovers/{shift_id}/take", dependencies=[SameOrigin], responses=_WRITES)
async def take(desk: DeskNeeded, act: HandoverAct) -> models.Handover:
    """Sign for the incoming crew (接班签字): the handover is done, and its record frozen. A shelf
    that was not approved ends."""
    return await _done(desk, act, partial(actions.take_over, act, _room(desk)))


@router.get(
    "/handovers/{shift_id}/record.pdf",
    response_class=Response,
    responses={**PDF, **described(401, 404, 422, 503)},
)
async def print_handover(desk: DeskNeeded, shift_id: Id) -> Response:
    """交接班记录, to be printed: what was signed; before that a draft."""
    room, now = _room(desk), desk.clock.now()
    data = await desk.read(
        lambda view: reports.of_handover(actions.scene_of(view, room, shift_id, now))
    )
    return await printed(desk, reports.HANDOVER, data, shift_id)


def _room(desk: Desk) -> Room:
    return Room(desk.site, desk.rulebook, desk.latest.snapshot(desk.clock.now()))


async def _done(desk: Desk, act: Act, work: Callable[[], None]) -> models.Handover:
    await desk.in_ledger(work)
    return await handover(desk, act.subject)
