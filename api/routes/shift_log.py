"""The log of a shift (工程值班记录): reading it, writing in it, printing it."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.deps import (
    ActorNeeded,
    Cursor,
    DeskNeeded,
    Id,
    SameOrigin,
    get_visitor,
)
from api.desk import Desk
from api.models import shifts as models
from api.problems import ProblemException, described
from api.reports import shifts as reports
from api.reports.typeset import typeset
from api.views import paging
from api.views import shifts as views
from rules.handover import actions
from rules.ledger import handover_view, shift_log_lines, shift_log_view
from rules.ledger.handover_facts import names_of
from rules.ledger.shift_log_view import NewEntry, ShiftLog
from rules.ledger.view import View

router = APIRouter(tags=["shifts"], dependencies=[Depends(get_visitor)])

_WRITES = described(401, 403, 404, 409, 422, 503)
PDF = {200: {"content": {"application/pdf": {}}, "description": "The record, to be printed."}}


@router.get("/shift-log", responses=described(400, 401, 422, 503))
async def shift_logs(
    desk: DeskNeeded,
    *,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> models.ShiftLogPage:
    """The logs, newest first."""
    place = paging.place(cursor, int, str)
    before = (int(place[0]), str(place[1])) if place else None

    def read(view: View) -> models.ShiftLogPage:
        found = shift_log_view.logs(view, limit=limit + 1, before=before)
        page, more = found[:limit], len(found) > limit
        handed = {one.id: one for one in handover_view.handovers_of(view, [o.id for o in page])}
        return models.ShiftLogPage(
            items=[views.log_summary(one, handed.get(one.id), desk.site.zone) for one in page],
            next=paging.cursor(page[-1].starts_at, page[-1].id) if more else None,
        )

    return await desk.read(read)


@router.get("/shift-log/current", responses=described(401, 503))
async def running_log(desk: DeskNeeded) -> models.ShiftLogNow:
    """That of the shift which holds now."""
    now = desk.clock.now().wall

    def read(view: View) -> models.ShiftLogNow:
        found = next(iter(shift_log_view.logs(view, limit=1)), None)
        holds = found is not None and found.starts_at <= now < found.ends_at
        return models.ShiftLogNow(log=_document(desk, view, found) if found and holds else None)

    return await desk.read(read)


@router.get("/shift-log/{shift_id}", responses=described(401, 404, 422, 503))
async def shift_log(desk: DeskNeeded, shift_id: Id) -> models.ShiftLog:
    """One log: what people wrote, and what the ledger knows of its time."""
    return await desk.read(lambda view: _document(desk, view, _found(view, shift_id)))


@router.post(
    "/shift-log/{shift_id}/entries",
    status_code=201,
    dependencies=[SameOrigin],
    responses=_WRITES,
)
async def write_entry(
    desk: DeskNeeded, actor: ActorNeeded, shift_id: Id, body: models.ShiftEntryNew
) -> models.ShiftLog:
    """Write in the log of a shift that goes on, or correct what was written in any."""
    act = desk.act(shift_id, actor, None)
    new = NewEntry(
        id=str(body.id),
        text=body.text,
        happened_at=views.wall_of(body.happened_at, act.now.wall),
        corrects=None if body.corrects is None else str(body.corrects),
    )
    await desk.in_ledger(partial(actions.write, act, desk.site, new))
    return await shift_log(desk, shift_id)


@router.get(
    "/shift-log/{shift_id}/record.pdf",
    response_class=Response,
    responses={**PDF, **described(401, 404, 422, 503)},
)
async def print_log(desk: DeskNeeded, shift_id: Id) -> Response:
    """工程值班记录, to be printed."""
    now = desk.clock.now().wall

    def read(view: View) -> dict[str, object]:
        log = _found(view, shift_id)
        called = names_of(desk.site, desk.rulebook)
        return reports.of_log(
            desk.site,
            log,
            shift_log_view.entries(view, shift_id),
            shift_log_lines.lines(view, log, now, called),
            now,
        )

    return await printed(desk, reports.LOG, await desk.read(read), shift_id)


async def printed(desk: Desk, template: str, data: dict[str, object], name: str) -> Response:
    """``data`` set by ``template`` as a PDF called ``name``."""
    made = await desk.in_files(partial(typeset, template, data))
    headers = {"Content-Disposition": f'inline; filename="{template}-{name}.pdf"'}
    return Response(made, media_type="application/pdf", headers=headers)


def _found(view: View, shift_id: str) -> ShiftLog:
    found = shift_log_view.log_with(view, shift_id)
    if found is None:
        raise ProblemException(404, f"There is no log of the shift {shift_id}.")
    return found


def _document(desk: Desk, view: View, log: ShiftLog) -> models.ShiftLog:
    called = names_of(desk.site, desk.rulebook)
    return views.log_document(
        log,
        handover_view.handover_with(view, log.id),
        shift_log_view.entries(view, log.id),
        shift_log_lines.lines(view, log, desk.clock.now().wall, called),
        desk.site.zone,
    )
