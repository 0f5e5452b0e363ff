"""The equipment register (台账): what each piece of equipment is, its papers, dates and parts."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api import models, register_labels, register_workbook
from api.deps import (
    ActorNeeded,
    Cursor,
    DeskNeeded,
    EquipmentAct,
    Id,
    IdempotencyKey,
    JobsThere,
    SameOrigin,
    get_visitor,
)
from api.desk import Desk
from api.models import register as documents
from api.models.orders import Line
from api.problems import ProblemException, described
from api.register_labels import Label
from api.routes.attachments import UPLOAD, received
from api.settings import public_url
from api.uses import Uses
from api.views import attachments as attachment_views
from api.views import paging
from api.views import register as views
from api.views.register import RegisterViews
from rules.actions import attachments, register_imports
from rules.actions.attachments import NewAttachment
from rules.ledger import attachments as kept
from rules.ledger import equipment_register_view as stored_register
from rules.ledger import jobs, plan_view
from rules.ledger.attachments import AttachmentKind, SubjectKind
from rules.ledger.jobs import JobKind
from rules.ledger.view import View
from rules.people.roles import Permission, require
from rules.refusals import ConflictError
from rules.register import actions
from rules.register.actions import area_of, class_of
from rules.register.record import Record
from rules.register.sheets import written
from rules.shifts.local_time import date_of

router = APIRouter(tags=["register"], dependencies=[Depends(get_visitor)])

_PAST = 60
"""Of each kind of happening."""
_WRITES = described(401, 403, 404, 409, 422, 503)
_XLSX = {
    "content": {register_workbook.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}
}
_Area = Annotated[str | None, Query(max_length=64)]
_Class = Annotated[str | None, Query(alias="class", max_length=64)]


@router.get("/register-book", responses=described(401, 503))
async def register_book(desk: DeskNeeded) -> documents.RegisterBook:
    """What the site sets for its register, and the classes that there are."""
    book, records = desk.rulebook.register, await _everything(desk)
    return documents.RegisterBook(
        advance_days=book.advance_days,
        date_kinds=[
            documents.RegisterDateKind(kind=kind, name=models.Text(zh=name.zh, en=name.en))
            for kind, name in book.date_kinds.items()
        ],
        keep_years=dict(book.keep_years),
        classes=sorted({found for one in records if (found := class_of(one, desk.site))}),
    )


@router.get("/register", responses=described(400, 401, 422, 503))
async def register(
    desk: DeskNeeded,
    *,
    area: _Area = None,
    equipment_class: _Class = None,
    due: Annotated[
        documents.DueFilter | None, Query(description="Only with a date near, passed, or either.")
    ] = None,
    low_parts: Annotated[
        bool, Query(description="Only with fewer spare parts than the minimum.")
    ] = False,
    q: Annotated[
        str | None, Query(max_length=100, description="In id, name, model, serial, maker, place.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Cursor = None,
) -> documents.RegisterPage:
    """All equipment in site file or register, by area and id."""
    place = paging.place(cursor, str, str)
    shown = _views(desk)
    found = [
        entry
        for entry in map(shown.entry, await _everything(desk, area, equipment_class))
        if _is_due(entry, due) and (not low_parts or entry.low_parts) and _has(entry, q)
    ]
    rest = [one for one in found if place is None or (one.area or "", one.equipment) > place]
    page = rest[:limit]
    more = len(rest) > limit
    return documents.RegisterPage(
        items=page,
        total=len(found),
        next=paging.cursor(page[-1].area or "", page[-1].equipment) if more else None,
    )


@router.get("/register/{equipment_id}", responses=described(401, 404, 422, 503))
async def registered(desk: DeskNeeded, equipment_id: Id) -> documents.RegisterRecord:
    """All that the register says of one piece of equipment, with its papers."""
    return await _record(desk, equipment_id)


@router.put("/register/{equipment_id}", dependencies=[SameOrigin], responses=_WRITES)
async def put_registered(
    desk: DeskNeeded, act: EquipmentAct, equipment_id: Id, body: documents.RegisterPut
) -> documents.RegisterRecord:
    """Say what it is, in place of what was said; 409 where somebody has changed it since.
    Equipment that the site file does not have needs a name, an area and a class."""
    wanted, book = views.wanted(equipment_id, body), desk.rulebook.register
    await desk.in_ledger(partial(actions.put, act, desk.site, book, wanted))
    return await _record(desk, equipment_id)


@router.get("/register/{equipment_id}/past", responses=described(401, 404, 422, 503))
async def register_past(desk: DeskNeeded, equipment_id: Id) -> documents.RegisterPast:
    """What happened to it beside alarms and orders: changes of its record, findings of rounds,
    when it was out of service, maintenance that was put off, missed or recorded."""

    def read(view: View) -> documents.RegisterPast:
        actions.find(view, desk.site, equipment_id)
        return _views(desk).past(
            stored_register.changes(view, equipment_id, limit=_PAST),
            stored_register.findings(view, equipment_id, limit=_PAST),
            stored_register.service_steps(view, equipment_id, limit=_PAST),
            plan_view.happened(view, equipment_id, limit=_PAST),
        )

    return await desk.read(read)


@router.post(
    "/register/{equipment_id}/attachments",
    status_code=201,
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 408, 409, 413, 422, 503, 507),
    openapi_extra=UPLOAD,
)
async def attach_to_equipment(
    *,
    desk: DeskNeeded,
    act: EquipmentAct,
    request: Request,
    kind: models.AttachmentKind = "photo",
    caption: Annotated[Line | None, Query(max_length=200)] = None,
) -> models.Attachment:
    """Add a photograph (JPEG, PNG, WebP) or a document (PDF too) of at most 10 MB; a piece of
    equipment takes 100."""
    await desk.in_ledger(partial(attachments.may_attach_to_equipment, act, desk.site))
    new = NewAttachment(kind=AttachmentKind(kind), caption=caption)
    file = await received(desk, request, new)
    row = await desk.in_ledger(partial(attachments.attach_to_equipment, act, desk.site, new, file))
    return attachment_views.document(row, desk.site.zone)


@router.get(
    "/register.xlsx",
    response_class=Response,
    responses={200: {**_XLSX, "description": "A workbook."}, **described(401, 422, 503)},
)
async def export_register(
    desk: DeskNeeded, area: _Area = None, equipment_class: _Class = None
) -> Response:
    """The register as a workbook, which can be changed and brought back."""
    records = await _everything(desk, area, equipment_class)
    known = await desk.read(lambda view: actions.known(view, desk.site, desk.rulebook.register))
    notes = [
        ("类型 kind", "法定日期 / statutory dates"),
        *((kind, name.zh) for kind, name in known.book.date_kinds.items()),
        ("区域 area", ""),
        *((one.id, one.name.zh) for one in desk.site.areas.values()),
        ("责任班组 team", ""),
        *((team, "") for team in sorted(known.teams)),
    ]
    made = await desk.in_files(lambda: register_workbook.workbook(written(records, known), notes))
    today = date_of(desk.clock.now().wall, desk.site.zone)
    name = f"register-{desk.site.id}-{today}.xlsx"
    return Response(
        made,
        media_type=register_workbook.MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post(
    "/register-imports",
    status_code=201,
    dependencies=[SameOrigin],
    responses=described(401, 403, 408, 409, 413, 422, 503),
    openapi_extra={"requestBody": {"required": True, **_XLSX}},
)
async def begin_import(
    *,
    desk: DeskNeeded,
    actor: ActorNeeded,
    running: JobsThere,
    request: Request,
    dry_run: Annotated[
        bool, Query(description="Change nothing: say what it would change, or all its mistakes.")
    ] = False,
    idempotency_key: IdempotencyKey = None,
) -> documents.RegisterImportJob:
    """Take a workbook in, whole or not at all. It is done by a process of its own, one at a time:
    ask for the job until it has ended."""
    require(actor, Permission.EDIT_REGISTER)
    if running is None:
        raise ConflictError("nothing here runs long jobs")
    uses: Uses = request.app.state.uses
    async with uses.body(request, register_workbook.MOST_BYTES) as data:
        begin = partial(register_imports.begin, desk.ledger, desk.site.id, data)
        job, is_new = await desk.in_ledger(
            lambda: begin(
                dry_run=dry_run,
                actor=actor,
                now=desk.clock.now(),
                idempotency_key=idempotency_key,
            )
        )
        if is_new:
            await desk.in_files(partial(running.start, job.id, "register-job", data))
    return views.import_job(job, desk.site.zone)


@router.get("/register-imports/{import_id}", responses=described(401, 404, 422, 503))
async def register_import(desk: DeskNeeded, import_id: Id) -> documents.RegisterImportJob:
    """How far it is, and what it has changed, or every mistake with its cell."""
    wall = desk.clock.now().wall
    found = await desk.read(lambda view: jobs.job_with(view, import_id, wall))
    if found is None or found.kind is not JobKind.REGISTER_IMPORT:
        raise ProblemException(404, f"There is no import {import_id}.")
    return views.import_job(found, desk.site.zone)


@router.get(
    "/register-labels",
    response_class=Response,
    responses={
        200: {"content": {"text/html": {}}, "description": "A document to print."},
        **described(401, 404, 422, 503),
    },
)
async def register_labels_page(
    *,
    desk: DeskNeeded,
    request: Request,
    equipment: Annotated[list[str] | None, Query(max_length=600)] = None,
    area: _Area = None,
    equipment_class: _Class = None,
) -> Response:
    """Labels with QR codes to stick on, three side by side on A4: of some equipment, or of all
    with these filters, 600 at most. A code leads to the page of its equipment."""
    chosen = None if equipment is None else set(equipment)
    records = [
        one
        for one in await _everything(desk, area, equipment_class)
        if chosen is None or one.equipment in chosen
    ]
    if len(records) > register_labels.MOST:
        raise ProblemException(
            422, f"These are {len(records)} labels: choose {register_labels.MOST} at most."
        )
    shown = _views(desk)
    base = (public_url() or str(request.base_url)).rstrip("/")
    labels = [
        Label(
            equipment=one.equipment,
            name=shown.name(one).zh,
            area=_area_name(desk, one),
            url=f"{base}/e/{one.equipment}",
        )
        for one in records
    ]
    made = await desk.in_files(lambda: register_labels.page(labels, desk.site.name.zh))
    return Response(made, media_type="text/html; charset=utf-8")


def _views(desk: Desk) -> RegisterViews:
    today = date_of(desk.clock.now().wall, desk.site.zone)
    return RegisterViews(site=desk.site, book=desk.rulebook.register, today=today)


async def _everything(
    desk: Desk, area: str | None = None, equipment_class: str | None = None
) -> list[Record]:
    found = views.everything(desk.site, await desk.read(stored_register.records))
    return [
        one
        for one in found
        if area in (None, area_of(one, desk.site))
        and equipment_class in (None, class_of(one, desk.site))
    ]


async def _record(desk: Desk, equipment: str) -> documents.RegisterRecord:
    def read(view: View) -> documents.RegisterRecord:
        return _views(desk).record(
            actions.find(view, desk.site, equipment),
            kept.of_subject(view, SubjectKind.EQUIPMENT, equipment),
            stored_register.changed(view, equipment),
        )

    return await desk.read(read)


def _is_due(entry: documents.RegisterEntry, due: documents.DueFilter | None) -> bool:
    if due is None:
        return True
    return any(one.stage == due or (due == "any" and one.stage != "later") for one in entry.dues)


def _has(entry: documents.RegisterEntry, q: str | None) -> bool:
    if not q:
        return True
    said = entry.attributes
    places: Iterable[str | None] = (
        *(entry.equipment, entry.name.zh, entry.name.en, said.model, said.serial),
        *(said.manufacturer, said.place),
    )
    return any(q.casefold() in one.casefold() for one in places if one)


def _area_name(desk: Desk, record: Record) -> str:
    area = desk.site.areas.get(area_of(record, desk.site) or "")
    return "" if area is None else area.name.zh
