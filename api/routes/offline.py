"""The offline protocol: what a phone fetches, what it sends afterwards, and what a person decides
of the rest; see ``deploy/docs/offline.md``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response

from api.auth import Visitor
from api.comparing import compared_with
from api.deps import (
    ActorNeeded,
    Cursor,
    DeskNeeded,
    Id,
    IdempotencyKey,
    PersonNeeded,
    SameOrigin,
    VisitorNeeded,
    get_visitor,
)
from api.desk import Desk
from api.models import Guidance
from api.models import offline as models
from api.models.base import Line
from api.offline_bodies import NotFittingError, clean, deed_of, photo_of
from api.problems import ProblemException, described
from api.routes.attachments import BYTES, Caption, answered, received
from api.routes.rounds import PICTURE
from api.views import offline as views
from api.views import orders as order_views
from api.views import paging, words
from gateway.model.moment import SECOND, Instant
from rules.actions.attachments import NewAttachment
from rules.ledger import offline as stored
from rules.ledger.attachments import Attachment, AttachmentKind, SubjectKind
from rules.ledger.offline import OfflineEntry
from rules.ledger.view import View
from rules.offline import deciding, taking, today
from rules.offline.facts import LaidOutSoonError
from rules.offline.protocol import Answer, Deed, Keep, Kind, Outcome, Photo, Times
from rules.offline.taking import House, Sent, Taken
from rules.shifts.local_time import date_of

router = APIRouter(prefix="/offline", tags=["offline"], dependencies=[Depends(get_visitor)])

_WRITES = described(401, 403, 404, 409, 422, 503)


@router.get(
    "/today",
    name="offline_today",
    responses={304: {"description": "As it was."}, **described(401, 422, 503)},
    response_model=models.OfflineToday,
)
async def of_today(
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    if_none_match: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Everything of today that whoever asks can do on the phone, each with the version to send
    back. With the `ETag` of the last answer it is a 304 while nothing has changed."""
    now = desk.clock.now().wall
    made = await desk.read(lambda view: _today(view, desk, visitor, now))
    body = made.model_dump(mode="json")
    body.pop("made_at")
    tag = f'"{hashlib.sha256(orjson.dumps(body)).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    asked = [one.strip().removeprefix("W/") for one in (if_none_match or "").split(",")]
    if tag in asked:
        return Response(status_code=304, headers=headers)
    return Response(made.model_dump_json(), media_type="application/json", headers=headers)


@router.post("/entries", name="offline_send", dependencies=[SameOrigin], responses=_WRITES)
async def send(
    desk: DeskNeeded, person: PersonNeeded, body: models.OfflineEntries
) -> models.OfflineResults:
    """Take what a phone has written down, in its order, each on its own: applied, known already,
    kept as a conflict, or refused and kept. Sent again it changes nothing."""
    _require_same(person, body.person)
    now = desk.clock.now()
    sent_at = _wall(body.sent_at.timestamp())
    known = await desk.read(lambda view: stored.known(view, [str(one.id) for one in body.entries]))
    taken: list[Taken] = []
    later: set[str] = set()
    for one in body.entries:
        if one.subject in later:
            continue
        entered_at = _wall(one.entered_at.timestamp())
        times = Times(
            entered_at=entered_at,
            sent_at=sent_at,
            received_at=now.wall,
            seen_at=stored.seen_at(one.version),
        )
        new = _sent(body.device, one, times)
        if new.id not in known:
            new = await _compared(desk, new, now)
        try:
            taken.append(await _take(desk, new, person, now))
        except LaidOutSoonError:
            later.add(one.subject)
    return models.OfflineResults(
        received_at=words.moment(now.wall, desk.site.zone),
        clock_offset_s=(now.wall - sent_at) / SECOND,
        results=await _results(desk, person, taken),
    )


@router.put(
    "/photos/{photo_id}",
    name="offline_photo_send",
    dependencies=[SameOrigin],
    responses=described(401, 403, 408, 409, 413, 422, 503, 507),
    openapi_extra=PICTURE,
)
async def send_photo(
    *,
    desk: DeskNeeded,
    person: PersonNeeded,
    request: Request,
    photo_id: UUID,
    of: Annotated[Literal["round_item", "order"], Query()],
    subject: Annotated[models.Subject, Query()],
    version: Annotated[models.Version, Query()],
    device: Annotated[models.Device, Query()],
    username: Annotated[Line, Query(alias="person", max_length=64)],
    entered_at: Annotated[models.PhoneTime, Query()],
    sent_at: Annotated[models.PhoneTime, Query()],
    item: Annotated[models.Subject | None, Query()] = None,
    caption: Caption = None,
) -> models.OfflineResult:
    """Take a photograph (JPEG, PNG, WebP) of at most 10 MB, for a line of a round or for an order;
    it may come before or after its entry. Sent again it changes nothing."""
    _require_same(person, username)
    if (of == "round_item") is not (item is not None):
        raise ProblemException(422, "`item` is the line of a round, and only that.")
    await desk.read(lambda view: _require_room(view, str(photo_id), person))
    file = await received(desk, request, NewAttachment(kind=AttachmentKind.PHOTO))
    body = {
        "item": item,
        "media_type": file.media_type,
        "size": file.sent_size,
        "sha256": file.sent_sha256,
        "caption": caption,
    }
    now = desk.clock.now()
    new = Sent(
        id=str(photo_id),
        kind=(Kind.ROUND_PHOTO if of == "round_item" else Kind.ORDER_PHOTO).value,
        subject=subject,
        version=version,
        device=device,
        times=Times(
            entered_at=_wall(entered_at.timestamp()),
            sent_at=_wall(sent_at.timestamp()),
            received_at=now.wall,
            seen_at=stored.seen_at(version),
        ),
        body=body,
        deed=Photo(item=item, file=file, caption=caption),
    )
    try:
        taken = await _take(desk, new, person, now)
    except LaidOutSoonError:
        raise ProblemException(
            503, "The round is being laid out. Try again.", headers={"Retry-After": "5"}
        ) from None
    (result,) = await _results(desk, person, [taken])
    return result


@router.get(
    "/photos/{entry_id}",
    name="offline_photo",
    response_class=Response,
    responses={**BYTES, **described(401, 403, 404, 422, 500, 503)},
)
async def photo(desk: DeskNeeded, visitor: VisitorNeeded, entry_id: Id) -> Response:
    """The bytes of a photograph that was kept and not applied."""
    row = await desk.read(lambda view: deciding.find(view, entry_id, visitor.actor))
    if row.sha256 is None:
        raise ProblemException(404, f"There is no photograph {entry_id}.")
    return await answered(desk, _as_attachment(row, row.sha256))


@router.get("/conflicts", name="offline_conflicts", responses=described(400, 401, 403, 422, 503))
async def conflicts(
    *,
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    state: Annotated[Literal["open", "resolved", "all"], Query()] = "open",
    outcome: Annotated[Literal["conflict", "refused", "all"], Query()] = "conflict",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> models.OfflineConflictPage:
    """What was kept and not applied, oldest first: one's own, and what one may decide."""
    wanted = replace(
        deciding.seen_by(visitor.actor),
        waiting={"open": True, "resolved": False, "all": None}[state],
        outcome=None if outcome == "all" else Outcome(outcome),
    )
    place = paging.place(cursor, int)
    after = int(place[0]) if place else None

    def read(view: View) -> models.OfflineConflictPage:
        found = stored.listed(view, wanted, limit=limit + 1, after=after)
        page, more = found[:limit], len(found) > limit
        known = views.Known(view, page, desk.site, visitor.actor)
        return models.OfflineConflictPage(
            items=[views.conflict(row, known) for row in page],
            waiting=stored.waiting(view, deciding.seen_by(visitor.actor)),
            next=paging.cursor(page[-1].number) if more else None,
        )

    return await desk.read(read)


@router.post(
    "/conflicts/{entry_id}/resolve",
    name="offline_resolve",
    dependencies=[SameOrigin],
    responses=_WRITES,
)
async def resolve(
    *,
    desk: DeskNeeded,
    actor: ActorNeeded,
    entry_id: Id,
    body: models.OfflineResolution,
    idempotency_key: IdempotencyKey = None,
) -> models.OfflineConflict:
    """Decide which counts. `mine` is the phone's, and is done now as who entered it, by the same
    rules as ever: where they forbid it this is a 409. `theirs` leaves everything as it is."""
    deciding.require_any(actor)
    act = desk.act(entry_id, actor, idempotency_key)
    row = await desk.read(lambda view: deciding.find(view, entry_id, actor))
    deed = await _deed_again(desk, row, act.now)
    decided = await desk.in_ledger(
        partial(
            deciding.resolve,
            act,
            _house(desk),
            keep=Keep(body.keep),
            reason=body.reason,
            deed=deed,
        )
    )
    return await desk.read(
        lambda view: views.conflict(decided, views.Known(view, [decided], desk.site, actor))
    )


def _today(view: View, desk: Desk, visitor: Visitor, now: int) -> models.OfflineToday:
    zone, actor = desk.site.zone, visitor.actor
    orders = today.orders(view, actor)
    alarms = view.alarms(ids=[one.order.alarms[0] for one in orders if one.order.alarms])
    guidance = {
        alarm.id: Guidance(zh=list(alarm.guidance.zh), en=list(alarm.guidance.en))
        for alarm in alarms
    }
    found = today.rounds(view, desk.site, desk.rulebook, actor, now)
    return models.OfflineToday(
        made_at=words.moment(now, zone),
        day=date_of(now, zone).isoformat(),
        person=models.OfflinePerson(
            username=actor.username,
            display_name=visitor.user.display_name,
            role=actor.role.value,
        ),
        rounds=[views.round_(one, now, zone) for one in found],
        orders=[views.order(one, guidance, desk.site) for one in orders],
        codes=order_views.codes(desk.rulebook.order_book),
    )


async def _take(desk: Desk, new: Sent, person: Visitor, now: Instant) -> Taken:
    return await desk.in_ledger(
        partial(taking.take, _house(desk), new, actor=person.actor, now=now)
    )


def _sent(device: str, one: models.OfflineEntryNew, times: Times) -> Sent:
    body: dict[str, Any] = clean(one.body)
    deed: Deed | None = None
    problem = None
    try:
        deed = deed_of(one.kind, str(one.id), body, times)
    except NotFittingError as error:
        problem = str(error)
    return Sent(
        id=str(one.id),
        kind=one.kind,
        subject=one.subject,
        version=one.version,
        device=device,
        times=times,
        body=body,
        deed=deed,
        problem=problem,
    )


async def _compared(desk: Desk, new: Sent, now: Instant) -> Sent:
    """With the sensor's reading at the time at which it was entered, where there is one."""
    if not isinstance(new.deed, Answer):
        return new
    return replace(new, deed=await _with_reading(desk, new.subject, new.deed, now))


async def _with_reading(desk: Desk, subject: str, deed: Answer, now: Instant) -> Answer:
    compared = await compared_with(desk, subject, deed.item, deed.given, now)
    return replace(deed, given=replace(deed.given, compared=compared))


async def _deed_again(desk: Desk, row: OfflineEntry, now: Instant) -> Deed | None:
    """What an entry that was kept asks for; None: it is not valid."""
    if row.sha256 is not None:
        return photo_of(row.body, row.sha256)
    try:
        deed = deed_of(row.kind, row.id, row.body, row.times)
    except NotFittingError:
        return None
    if isinstance(deed, Answer):
        return await _with_reading(desk, row.subject, deed, now)
    return deed


async def _results(
    desk: Desk, person: Visitor, taken: Sequence[Taken]
) -> list[models.OfflineResult]:
    def read(view: View) -> list[models.OfflineResult]:
        rows = [one.row for one in taken]
        known = views.Known(view, rows, desk.site, person.actor)
        return [views.result(one, known) for one in taken]

    return await desk.read(read)


def _house(desk: Desk) -> House:
    return House(ledger=desk.ledger, site=desk.site, rulebook=desk.rulebook)


def _require_same(person: Visitor, username: str) -> None:
    """What one person has entered is not sent as another's."""
    if person.actor.username != username:
        raise ProblemException(
            409, f"These are entries of {username}, who is not logged in.", name="other-person"
        )


def _require_room(view: View, photo_id: str, person: Visitor) -> None:
    if stored.known(view, [photo_id]):
        return
    if stored.photos_waiting(view, person.actor.username) >= taking.MOST_PHOTOS:
        raise ProblemException(
            409, f"{taking.MOST_PHOTOS} photographs of yours wait for a decision.", name="too-many"
        )


def _as_attachment(row: OfflineEntry, sha256: str) -> Attachment:
    return Attachment(
        id=row.id,
        subject_kind=SubjectKind.ORDER,
        subject=row.subject,
        kind=AttachmentKind.PHOTO,
        media_type=row.body["media_type"],
        size=row.body.get("kept_size", row.body["size"]),
        sha256=sha256,
        caption=row.body["caption"],
        signed_by=None,
        by=row.by,
        at=row.received_at,
    )


def _wall(seconds: float) -> int:
    """µs UTC."""
    return round(seconds * SECOND)
