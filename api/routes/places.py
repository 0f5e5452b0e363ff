"""Codes at places (报修码): printing them, and what somebody without a log-in asks for there."""

from __future__ import annotations

import base64
import hashlib
import io
import secrets
from typing import Annotated
from uuid import uuid4

import segno
from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api import models
from api.auth import visit_of
from api.deps import ActorNeeded, DeskNeeded, Id, IdempotencyKey, SameOrigin, get_visitor
from api.desk import Desk
from api.models.places import PlaceCode, PlaceCodes
from api.problems import ProblemException, described
from api.settings import public_url
from api.views import words
from api.wishes import Wishes
from gateway.model.moment import iso
from rules.actions import places as actions
from rules.actions import requests
from rules.ledger import places as stored

router = APIRouter(tags=["requests"], dependencies=[Depends(get_visitor)])
public = APIRouter(prefix="/public", tags=["requests"])

_CODE_BYTES = 10
Code = Annotated[str, Path(pattern=r"^[A-Z2-7]{16}$", examples=["K7QF2M3XPAK7QF2M"])]


@router.get("/places", responses=described(401, 503))
async def places(desk: DeskNeeded, request: Request) -> PlaceCodes:
    """Every area with its code, to print and hang up."""
    codes = await desk.read(stored.codes)
    return PlaceCodes(
        items=[_place(desk, request, area, codes.get(area)) for area in desk.site.areas]
    )


@router.put(
    "/places/{area}", dependencies=[SameOrigin], responses=described(401, 403, 404, 422, 503)
)
async def hang(
    *,
    desk: DeskNeeded,
    actor: ActorNeeded,
    request: Request,
    area: Id,
    renew: Annotated[
        bool, Query(description="Another code; the one that hangs there no longer counts.")
    ] = False,
    idempotency_key: IdempotencyKey = None,
) -> PlaceCode:
    """The area's code, made where it has none."""
    code, now = _new_code(area, idempotency_key), desk.clock.now()
    hung = await desk.in_ledger(
        lambda: actions.hang(desk.ledger, desk.site, area, code, renew=renew, actor=actor, now=now)
    )
    return _place(desk, request, area, hung)


@router.get(
    "/places/{code}.svg",
    response_class=Response,
    responses={
        200: {"content": {"image/svg+xml": {}}, "description": "The code as a picture."},
        **described(401, 422),
    },
)
async def picture(request: Request, code: Code) -> Response:
    """The code as a picture to print."""
    drawn = io.BytesIO()
    qr = segno.make(_url(request, code), error="q", micro=False)
    qr.save(drawn, kind="svg", border=2, scale=8, xmldecl=False)
    return Response(drawn.getvalue(), media_type="image/svg+xml")


@public.get("/places/{code}", responses=described(404, 422, 503))
async def public_place(desk: DeskNeeded, code: Code) -> models.Place:
    """Where a code hangs; for whoever has scanned it, without a log-in."""
    area = await _area(desk, code)
    return models.Place(
        site=words.text(desk.site.name),
        area=area,
        area_name=words.text(desk.site.areas[area].name),
        categories={
            key: words.text(name) for key, name in desk.rulebook.order_book.categories.items()
        },
    )


@public.post(
    "/places/{code}/requests",
    status_code=201,
    dependencies=[SameOrigin],
    responses=described(403, 404, 409, 422, 429, 503),
)
async def ask_in_public(
    desk: DeskNeeded,
    request: Request,
    code: Code,
    body: models.PublicRequest,
    idempotency_key: IdempotencyKey = None,
) -> models.PublicReceipt:
    """Ask for a repair, without a log-in. Who asks very often has to wait."""
    wishes: Wishes = request.app.state.wishes
    wishes.may_ask(visit_of(request).address, code)
    area, now = await _area(desk, code), desk.clock.now()
    order = await desk.in_ledger(
        lambda: requests.ask_in_public(
            desk.ledger,
            desk.site,
            desk.rulebook.order_book,
            requests.Wish(
                name=body.name,
                phone=body.phone,
                place=body.place or desk.site.areas[area].name.zh,
                area=area,
                category=body.category,
                description=body.description,
            ),
            key=idempotency_key or uuid4().hex,
            now=now,
        )
    )
    return models.PublicReceipt(number=order.number, received_at=iso(now.wall, desk.site.zone))


def _new_code(area: str, key: str | None) -> str:
    """The same for a request that comes twice, so that what it renewed is renewed once."""
    seed = secrets.token_hex() if key is None else f"{area} {key}"
    return base64.b32encode(hashlib.sha256(seed.encode()).digest()[:_CODE_BYTES]).decode()


async def _area(desk: Desk, code: str) -> str:
    area = await desk.read(lambda view: stored.area_of(view, code))
    if area is None or area not in desk.site.areas:
        raise ProblemException(404, "There is no such code any more.")
    return area


def _place(desk: Desk, request: Request, area: str, code: str | None) -> PlaceCode:
    return PlaceCode(
        area=area,
        area_name=words.text(desk.site.areas[area].name),
        code=code,
        url=None if code is None else _url(request, code),
    )


def _url(request: Request, code: str) -> str:
    """Where people reach the page, else where this was asked."""
    return f"{(public_url() or str(request.base_url)).rstrip('/')}/r/{code}"
