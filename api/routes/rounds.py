"""Rounds: what is due, filling one in, signing and countersigning it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api.comparing import compared_with
from api.deps import (
    ActorNeeded,
    Cursor,
    DeskNeeded,
    Id,
    IdempotencyKey,
    SameOrigin,
    VisitorNeeded,
    get_visitor,
)
from api.desk import Desk
from api.models import Attachment
from api.models import rounds as models
from api.problems import ProblemException, described
from api.reports.rounds import ROUND, Record, of_round
from api.routes.attachments import Caption, received
from api.routes.shift_log import PDF, printed
from api.views import attachments as photo_views
from api.views import offline_lines as offline_views
from api.views import paging
from api.views import rounds as views
from gateway.model.moment import SECOND
from rules.actions import round_photos
from rules.actions.attachments import NewAttachment
from rules.inspections import actions, spot_checks
from rules.inspections.items import RoundItem
from rules.inspections.judge import NewEntry, Scan
from rules.inspections.lifecycle import RoundState
from rules.inspections.regime import Level
from rules.inspections.sample import sample
from rules.inspections.walks import legs
from rules.ledger import offline, round_checks, round_series, round_summary, round_view
from rules.ledger import round_photos as photos_of
from rules.ledger.attachments import AttachmentKind
from rules.ledger.round_rows import Round
from rules.ledger.round_view import Wanted
from rules.ledger.view import View
from rules.shifts.local_time import date_of, instant_at

router = APIRouter(tags=["rounds"], dependencies=[Depends(get_visitor)])

_WRITES = described(401, 403, 404, 409, 422, 503)
_DAY = timedelta(days=1)
PICTURE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The photograph itself. What it is, its first bytes say.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/jpeg", "image/png", "image/webp")
        },
    }
}


@router.get("/rounds", responses=described(400, 401, 422, 503))
async def rounds(
    *,
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    first: Annotated[
        date | None, Query(alias="from", description="The first day on which it may open.")
    ] = None,
    last: Annotated[date | None, Query(alias="to", description="The last such day.")] = None,
    level: Annotated[models.LevelWord | None, Query()] = None,
    state: Annotated[models.RoundStateWord | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> models.RoundPage:
    """Rounds, what is due first at the top. Without days: what opens today, and whatever is open
    or waits for a countersignature."""
    now = desk.clock.now().wall
    wanted = _wanted(desk, now, (first, last), level, state)
    place = paging.place(cursor, int, str)
    after = (int(place[0]), str(place[1])) if place else None
    found = await desk.read(
        lambda view: round_view.rounds(view, wanted, now=now, limit=limit + 1, after=after)
    )
    page, more = found[:limit], len(found) > limit
    return models.RoundPage(
        items=[
            views.summary(one, now, desk.site.zone) for one in page if visitor.seeing.area(one.area)
        ],
        next=paging.cursor(page[-1].facts.due_at, page[-1].id) if more else None,
    )


@router.get("/rounds/{round_id}", name="round", responses=described(401, 404, 422, 503))
async def one_round(desk: DeskNeeded, round_id: Id) -> models.Round:
    """One round with its lines, findings and history."""
    return await _document(desk, round_id)


@router.get(
    "/rounds/{round_id}/record.pdf",
    response_class=Response,
    responses={**PDF, **described(401, 404, 422, 503)},
)
async def print_round(desk: DeskNeeded, round_id: Id) -> Response:
    """The form (表格) of the round, to be printed; before it is signed a draft."""
    now = desk.clock.now().wall

    def read(view: View) -> dict[str, object] | None:
        found = round_view.round_with(view, round_id)
        if found is None:
            return None
        items = round_view.items(view, round_id)
        more = _more(view, desk, found, [one.item for one in items], now)
        record = Record(
            site=desk.site,
            round=found,
            items=items,
            findings=round_view.findings(view, round_id),
            contained=round_view.daily_within(view, found),
            photos={key: len(photos) for key, photos in more.photos.items()},
            checks=more.checks,
            sample=more.sample,
            summary=more.summary,
            conflicts=offline.of_subjects(view, [round_id]),
            now=now,
        )
        return of_round(record)

    data = await desk.read(read)
    if data is None:
        raise ProblemException(404, f"There is no round {round_id}.")
    return await printed(desk, ROUND, data, round_id)


@router.post("/rounds/{round_id}/items/{key}", dependencies=[SameOrigin], responses=_WRITES)
async def enter(
    desk: DeskNeeded, actor: ActorNeeded, round_id: Id, key: Id, body: models.RoundEntryNew
) -> models.Round:
    """Answer one line. It is written before this answers; a later answer supersedes it."""
    now = desk.clock.now()
    taken = body.taken_at
    entry = NewEntry(
        id=str(body.entry),
        value=body.value,
        passed=body.passed,
        note=body.note,
        taken_at=None if taken is None else round(taken.timestamp() * SECOND),
        scan=None if body.scan is None else _scan(body.scan),
    )
    entry = replace(entry, compared=await compared_with(desk, round_id, key, entry, now))
    book = desk.rulebook.order_book
    await desk.in_ledger(
        lambda: actions.enter(
            desk.ledger, desk.site, round_id, key, entry, book=book, actor=actor, now=now
        )
    )
    return await _document(desk, round_id)


@router.post(
    "/rounds/{round_id}/items/{key}/photos",
    status_code=201,
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 408, 409, 413, 422, 503, 507),
    openapi_extra=PICTURE,
    name="round_photo",
)
async def photo(
    *,
    desk: DeskNeeded,
    actor: ActorNeeded,
    request: Request,
    round_id: Id,
    key: Id,
    caption: Caption = None,
    idempotency_key: IdempotencyKey = None,
) -> Attachment:
    """Add a photograph (JPEG, PNG, WebP) of at most 10 MB to a line; a line takes 10."""
    act = desk.act(round_id, actor, idempotency_key)
    await desk.in_ledger(partial(round_photos.may_attach, act, key))
    new = NewAttachment(kind=AttachmentKind.PHOTO, caption=caption)
    file = await received(desk, request, new)
    kept = await desk.in_ledger(partial(round_photos.attach, act, key, file, caption=caption))
    return photo_views.document(kept, desk.site.zone)


@router.post(
    "/rounds/{round_id}/items/{key}/spot-check", dependencies=[SameOrigin], responses=_WRITES
)
async def spot_check(
    *,
    desk: DeskNeeded,
    actor: ActorNeeded,
    round_id: Id,
    key: Id,
    body: models.SpotCheckNew,
    idempotency_key: IdempotencyKey = None,
) -> models.Round:
    """Say of a signed line, looked at again, whether it is as it was written; what is not becomes
    a finding."""
    act = desk.act(round_id, actor, idempotency_key)
    await desk.in_ledger(
        lambda: spot_checks.check(
            act,
            desk.site,
            key,
            agrees=body.agrees,
            note=body.note,
            book=desk.rulebook.order_book,
        )
    )
    return await _document(desk, round_id)


@router.post("/rounds/{round_id}/finish", dependencies=[SameOrigin], responses=_WRITES)
async def finish(
    desk: DeskNeeded,
    actor: ActorNeeded,
    round_id: Id,
    body: models.RoundSignature | None = None,
    idempotency_key: IdempotencyKey = None,
) -> models.Round:
    """Sign the round: every line is answered, with the scan and the photograph that its item
    asks for."""
    now = desk.clock.now()
    note = body.note if body else None
    await desk.in_ledger(
        lambda: actions.finish(
            desk.ledger,
            desk.site,
            round_id,
            book=desk.rulebook.order_book,
            actor=actor,
            now=now,
            note=note,
            idempotency_key=idempotency_key,
        )
    )
    return await _document(desk, round_id)


@router.post("/rounds/{round_id}/countersign", dependencies=[SameOrigin], responses=_WRITES)
async def countersign(
    desk: DeskNeeded,
    actor: ActorNeeded,
    round_id: Id,
    body: models.RoundSignature | None = None,
    idempotency_key: IdempotencyKey = None,
) -> models.Round:
    """Countersign what somebody else has signed; of a weekly round the sample was looked at."""
    now = desk.clock.now()
    note = body.note if body else None
    await desk.in_ledger(
        lambda: actions.countersign(
            desk.ledger,
            desk.site,
            round_id,
            actor=actor,
            now=now,
            note=note,
            idempotency_key=idempotency_key,
        )
    )
    return await _document(desk, round_id)


def _wanted(
    desk: Desk,
    now: int,
    days: tuple[date | None, date | None],
    level: models.LevelWord | None,
    state: models.RoundStateWord | None,
) -> Wanted:
    zone = desk.site.zone
    first, last = days
    unsaid = first is None and last is None
    if unsaid:
        first = last = date_of(now, zone)
    return Wanted(
        opens_from=None if first is None else instant_at(first, 0, zone),
        opens_before=None if last is None or last == date.max else instant_at(last + _DAY, 0, zone),
        level=None if level is None else Level(level),
        state=None if state is None else RoundState(state),
        or_open=unsaid,
    )


def _scan(said: models.EntryScan) -> Scan:
    return Scan(said.code, round(said.at.timestamp() * SECOND))


def _more(view: View, desk: Desk, found: Round, lines: list[RoundItem], now: int) -> views.More:
    walked = round_series.scans(view, desk.site, found.id)
    is_compared = any(line.proving.compare is not None for line in lines)
    return views.More(
        photos=photos_of.of_round(view, found.id),
        drifts=round_series.drifts(view, found) if is_compared else {},
        checks=round_checks.of_round(view, found.id),
        sample=sample(found.id, found.level, lines) if found.countersign_role else (),
        walk=legs(walked, desk.site.walks, found.id),
        summary=round_summary.summary(view, desk.site, found, now),
        offline=offline_views.of_lines(view, found.id, desk.site.zone),
    )


async def _document(desk: Desk, round_id: str) -> models.Round:
    now = desk.clock.now().wall

    def read(view: View) -> models.Round | None:
        found = round_view.round_with(view, round_id)
        if found is None:
            return None
        items = round_view.items(view, round_id)
        return views.document(
            found,
            items,
            round_view.findings(view, round_id),
            round_view.round_events(view, round_id),
            round_view.daily_within(view, found),
            more=_more(view, desk, found, [one.item for one in items], now),
            site=desk.site,
            now=now,
        )

    document = await desk.read(read)
    if document is None:
        raise ProblemException(404, f"There is no round {round_id}.")
    return document
