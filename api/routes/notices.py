"""What was sent to whom and by which way, how the ways are doing, and trying one."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

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
from api.models import Words
from api.models import notices as documents
from api.problems import described
from api.views import notices as views
from api.views import paging
from rules.actions import notices as notice_actions
from rules.ledger import outbox_view
from rules.ledger.outbox_view import Health, Posted
from rules.ledger.view import View
from rules.people import people
from rules.people.roles import Permission, require

router = APIRouter(tags=["notices"], dependencies=[Depends(get_visitor)])


@router.get("/notices", responses=described(400, 401, 403, 422, 503))
async def notices(
    *,
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    state: Annotated[list[documents.NoticeState | Literal["all"]] | None, Query()] = None,
    channel: Annotated[list[Words] | None, Query(max_length=50)] = None,
    digest: Annotated[
        Words | None, Query(max_length=250, description="Only what was gathered into this notice.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
) -> documents.NoticePage:
    """Messages by every channel, newest first; of the states and channels named, else all."""
    require(visitor.actor, Permission.VIEW_NOTICES)
    place = paging.place(cursor, int, str, str)
    before = (int(place[0]), str(place[1]), str(place[2])) if place else None
    states = None if not state or "all" in state else state

    def look(view: View) -> tuple[list[Posted], dict[str, str]]:
        rows = outbox_view.posted(
            view, limit=limit + 1, states=states, channels=channel, digest=digest, before=before
        )
        return rows, people.names(view, {name for row in rows for name in row.people})

    found, names = await desk.read(look)
    page, more = found[:limit], len(found) > limit
    return documents.NoticePage(
        items=[views.notice(row, names, desk.site.zone) for row in page],
        next=paging.cursor(*page[-1].place) if more else None,
    )


@router.get("/channels", responses=described(401, 403, 503))
async def channels(desk: DeskNeeded, visitor: VisitorNeeded) -> documents.NoticeChannels:
    """Every way by which people hear of notices, and how it is doing."""
    require(visitor.actor, Permission.VIEW_NOTICES)
    terms = desk.site.channels

    def look(view: View) -> dict[str, Health]:
        return outbox_view.healths(view, [one.id for one in terms])

    healths = await desk.read(look)
    return documents.NoticeChannels(
        items=[views.channel(one, healths[one.id], desk.site.zone) for one in terms]
    )


@router.post(
    "/channels/{channel_id}/test",
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 409, 422, 503),
)
async def try_channel(
    desk: DeskNeeded, actor: ActorNeeded, channel_id: Id, idempotency_key: IdempotencyKey = None
) -> documents.NoticeSent:
    """Send a message to yourself by this channel; once a minute. What becomes of it is told by
    `GET /notices`."""
    now = desk.clock.now()
    done = await desk.in_ledger(
        lambda: notice_actions.try_channel(
            desk.ledger,
            desk.site,
            channel_id,
            actor=actor,
            now=now,
            idempotency_key=idempotency_key,
        )
    )
    names = await desk.read(lambda view: people.names(view, done.people))
    return views.notice(done, names, desk.site.zone)
