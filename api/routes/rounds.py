"""Rounds: what is due, filling one in, signing and countersigning it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import (
    ActorNeeded,
    Cursor,
    DeskNeeded,
    Id,
    IdempotencyKey,
    SameOrigin,
    get_visitor,
)
from api.desk import Desk
from api.models import rounds as models
from api.problems import ProblemException, described
from api.views import paging
from api.views import rounds as views
from gateway.model.moment import SECOND
from rules.inspections import actions
from rules.inspections.judge import NewEntry
from rules.inspections.lifecycle import RoundState
from rules.inspections.regime import Level
from rules.ledger import round_view
from rules.ledger.round_view import Wanted
from rules.ledger.view import View
from rules.shifts.local_time import date_of, instant_at

router = APIRouter(tags=["rounds"], dependencies=[Depends(get_visitor)])

_WRITES = described(401, 403, 404, 409, 422, 503)
_DAY = timedelta(days=1)


@router.get("/rounds", responses=described(400, 401, 422, 503))
async def rounds(
    *,
    desk: DeskNeeded,
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
        items=[views.summary(one, now, desk.site.zone) for one in page],
        next=paging.cursor(page[-1].facts.due_at, page[-1].id) if more else None,
    )


@router.get("/rounds/{round_id}", name="round", responses=described(401, 404, 422, 503))
async def one_round(desk: DeskNeeded, round_id: Id) -> models.Round:
    """One round with its lines, findings and history."""
    return await _document(desk, round_id)


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
    )
    await desk.in_ledger(
        lambda: actions.enter(desk.ledger, desk.site, round_id, key, entry, actor=actor, now=now)
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
    """Sign the round: every line is answered."""
    now = desk.clock.now()
    note = body.note if body else None
    await desk.in_ledger(
        lambda: actions.finish(
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


@router.post("/rounds/{round_id}/countersign", dependencies=[SameOrigin], responses=_WRITES)
async def countersign(
    desk: DeskNeeded,
    actor: ActorNeeded,
    round_id: Id,
    body: models.RoundSignature | None = None,
    idempotency_key: IdempotencyKey = None,
) -> models.Round:
    """Countersign what somebody else has signed."""
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


async def _document(desk: Desk, round_id: str) -> models.Round:
    now = desk.clock.now().wall

    def read(view: View) -> models.Round | None:
        found = round_view.round_with(view, round_id)
        if found is None:
            return None
        return views.document(
            found,
            round_view.items(view, round_id),
            round_view.findings(view, round_id),
            round_view.round_events(view, round_id),
            round_view.daily_within(view, found),
            now=now,
            zone=desk.site.zone,
        )

    document = await desk.read(read)
    if document is None:
        raise ProblemException(404, f"There is no round {round_id}.")
    return document
