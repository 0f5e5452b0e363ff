"""The link of a contractor, who does not log in, to the one order that they have (外包维修链接)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api import models
from api.auth import visit_of
from api.deps import DeskNeeded, Id, IdempotencyKey, OrderAct, SameOrigin, get_visitor
from api.desk import Desk
from api.models.orders import Line
from api.models.plans import PlanTick
from api.problems import described
from api.routes.attachments import BYTES, UPLOAD, answered, received
from api.settings import public_url
from api.uses import Uses
from api.views import attachments as attachment_views
from api.views import orders as order_views
from api.views import words
from rules.actions import attachments, plan_steps
from rules.actions import contractor_links as actions
from rules.actions import orders as order_actions
from rules.actions.act import Act
from rules.actions.attachments import NewAttachment
from rules.actions.contractor_links import Held
from rules.contractor_link import LONGEST
from rules.ledger import contractor_links as stored
from rules.ledger import plan_view
from rules.ledger.attachments import Attachment, AttachmentKind
from rules.ledger.contractor_links import ContractorLink
from rules.ledger.order_steps import Work
from rules.ledger.plan_rows import PlanDue
from rules.ledger.plan_steps import Tick, ticks
from rules.ledger.rows import WorkOrder
from rules.ledger.view import View
from rules.orders.clock import ClockName
from rules.refusals import NotFoundError

router = APIRouter(tags=["orders"], dependencies=[Depends(get_visitor)])
public = APIRouter(prefix="/public/links", tags=["contractor"])

_ADDRESS = "/orders/{order_id}/contractor-link"
_WRITES = described(403, 404, 409, 422, 429, 503)
StepNumber = Annotated[int, Path(ge=1, le=1000)]
Token = Annotated[str, Path(max_length=LONGEST, examples=["w8dJcVb2x1Qk5n0TzR4sYpLh7uEaGf3M"])]


@router.post(
    _ADDRESS,
    status_code=201,
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 409, 422, 503),
)
async def make_link(desk: DeskNeeded, act: OrderAct, request: Request) -> models.ContractorLink:
    """Another link for the contractor who has the order; the one before is no good any more."""
    link = await desk.in_ledger(partial(actions.renew, act, desk.links))
    return link_document(desk, link, link_url(desk, request, link))


@router.delete(
    _ADDRESS,
    status_code=204,
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 409, 422, 503),
)
async def revoke_link(desk: DeskNeeded, act: OrderAct) -> None:
    """Nobody comes in by it any more."""
    await desk.in_ledger(partial(actions.revoke, act))


async def get_held(desk: DeskNeeded, request: Request, token: Token) -> Held:
    """What the link stands for: 404 where it is unknown, expired, revoked, or its order is over or
    with somebody else, and nobody is told which."""
    now = desk.clock.now().wall
    try:
        return await desk.read(lambda view: actions.held(view, token, now))
    except NotFoundError:
        uses: Uses = request.app.state.uses
        uses.was_wrong(visit_of(request).address)
        raise


HeldNeeded = Annotated[Held, Depends(get_held)]


async def get_link_act(
    *,
    desk: DeskNeeded,
    held: HeldNeeded,
    request: Request,
    token: Token,
    idempotency_key: IdempotencyKey = None,
) -> Act:
    """What the contractor does with their order; whether the link is still good is looked at once
    more, in the transaction of the deed."""
    uses: Uses = request.app.state.uses
    uses.use(held.link.id)
    now = desk.clock.now()
    admit = partial(actions.admit, token, now.wall)
    key = idempotency_key
    return Act(desk.ledger, desk.site.id, held.order.id, held.actor, now, key, admit)


LinkAct = Annotated[Act, Depends(get_link_act)]


@public.get("/{token}", responses=described(404, 422, 429, 503))
async def public_order(desk: DeskNeeded, held: HeldNeeded) -> models.PublicOrder:
    """The order, for the contractor who has it."""
    return await _document(desk, held)


@public.post("/{token}/accept", dependencies=[SameOrigin], responses=_WRITES)
async def public_accept(desk: DeskNeeded, held: HeldNeeded, act: LinkAct) -> models.PublicOrder:
    """Take the order."""
    return await _done(desk, held, partial(order_actions.accept, act))


@public.post("/{token}/arrive", dependencies=[SameOrigin], responses=_WRITES)
async def public_arrive(desk: DeskNeeded, held: HeldNeeded, act: LinkAct) -> models.PublicOrder:
    """Say that one is there."""
    return await _done(desk, held, partial(order_actions.arrive, act))


@public.post("/{token}/start", dependencies=[SameOrigin], responses=_WRITES)
async def public_start(desk: DeskNeeded, held: HeldNeeded, act: LinkAct) -> models.PublicOrder:
    """Begin the work."""
    return await _done(desk, held, partial(order_actions.start, act))


@public.post("/{token}/suspend", dependencies=[SameOrigin], responses=_WRITES)
async def public_suspend(
    desk: DeskNeeded, held: HeldNeeded, act: LinkAct, body: models.Suspension
) -> models.PublicOrder:
    """One cannot go on for now: the clocks pause."""
    return await _done(
        desk, held, partial(order_actions.suspend, act, why=body.why, note=body.note)
    )


@public.post("/{token}/resume", dependencies=[SameOrigin], responses=_WRITES)
async def public_resume(desk: DeskNeeded, held: HeldNeeded, act: LinkAct) -> models.PublicOrder:
    """Go on with it."""
    return await _done(desk, held, partial(order_actions.resume, act))


@public.post("/{token}/complete", dependencies=[SameOrigin], responses=_WRITES)
async def public_complete(
    desk: DeskNeeded, held: HeldNeeded, act: LinkAct, body: models.Completion
) -> models.PublicOrder:
    """Say that the work is done, and what was done."""
    book, work = desk.rulebook.order_book, Work(**body.model_dump())
    return await _done(desk, held, partial(order_actions.complete, act, work, book))


@public.post("/{token}/steps/{step}", dependencies=[SameOrigin], responses=_WRITES)
async def public_tick(
    desk: DeskNeeded, held: HeldNeeded, act: LinkAct, step: StepNumber, body: PlanTick
) -> models.PublicOrder:
    """A step of the maintenance is done, or is not after all."""
    await desk.in_ledger(partial(plan_steps.tick_of_order, act, step, done=body.done))
    return await _document(desk, held)


@public.post(
    "/{token}/attachments",
    status_code=201,
    dependencies=[SameOrigin],
    responses=described(403, 404, 408, 409, 413, 422, 429, 503, 507),
    openapi_extra=UPLOAD,
)
async def public_attach(
    *,
    desk: DeskNeeded,
    act: LinkAct,
    request: Request,
    caption: Annotated[Line | None, Query(max_length=200)] = None,
) -> models.Attachment:
    """Add a photograph."""
    new = NewAttachment(kind=AttachmentKind.PHOTO, caption=caption)
    file = await received(desk, request, new, outside=True)
    row = await desk.in_ledger(partial(attachments.attach, act, new, file))
    return attachment_views.document(row, desk.site.zone)


@public.get(
    "/{token}/attachments/{attachment_id}",
    response_class=Response,
    responses={**BYTES, **described(404, 422, 429, 500, 503)},
)
async def public_attachment(desk: DeskNeeded, held: HeldNeeded, attachment_id: Id) -> Response:
    """The bytes of a photograph of this order."""
    theirs = await desk.read(lambda view: attachments.seen_by_contractor(view, held.order.id))
    found = next((one for one in theirs if one.id == attachment_id), None)
    if found is None:
        raise NotFoundError(f"there is no attachment {attachment_id}")
    return await answered(desk, found)


def link_url(desk: Desk, request: Request, link: ContractorLink) -> str:
    """Its address, for whoever has made it."""
    base = public_url() or str(request.base_url)
    return f"{base.rstrip('/')}/c/{desk.links.token(desk.site.id, link.id)}"


def link_document(
    desk: Desk, link: ContractorLink, url: str | None = None
) -> models.ContractorLink:
    expires_at = words.moment(link.expires_at, desk.site.zone)
    return models.ContractorLink(username=link.username, expires_at=expires_at, url=url)


def link_of(view: View, order: WorkOrder, now: int) -> ContractorLink | None:
    """The one that is good, of the order as it is."""
    link = stored.of_order(view, order.id)
    if link is None or link.expires_at <= now or link.username != order.assigned_to:
        return None
    return link


def _photograph(one: Attachment, held: Held, zone: ZoneInfo) -> models.Attachment:
    """Of who else has taken it they are not told."""
    document = attachment_views.document(one, zone)
    by = one.by if one.by == held.person.username else ""
    return document.model_copy(update={"by": by})


def _maintenance(view: View, order: str) -> tuple[PlanDue | None, Mapping[int, Tick]]:
    """What the order is for, where it is of a plan, and what is ticked of it."""
    found = plan_view.dues(view, plan_view.Wanted(order=order), limit=1)
    return (found[0], ticks(view, found[0].id)) if found else (None, {})


def _steps(due: PlanDue, ticked: Mapping[int, Tick], zone: ZoneInfo) -> list[models.PublicStep]:
    found = []
    for number, one in enumerate(due.content.steps, start=1):
        tick = ticked.get(number)
        done_at = words.moment_if(None if tick is None else tick.at, zone)
        name = words.text(one.name)
        found.append(
            models.PublicStep(number=number, name=name, required=one.required, done_at=done_at)
        )
    return found


async def _done(desk: Desk, held: Held, take: Callable[[], WorkOrder]) -> models.PublicOrder:
    order = await desk.in_ledger(take)
    return await _document(desk, Held(order=order, person=held.person, link=held.link))


async def _document(desk: Desk, held: Held) -> models.PublicOrder:
    order, site = held.order, desk.site
    alarms, attached, due, ticked = await desk.read(
        lambda view: (
            view.alarms(ids=order.alarms) if order.alarms else [],
            attachments.seen_by_contractor(view, order.id),
            *_maintenance(view, order.id),
        )
    )
    now = desk.clock.now()
    clocks = order_views.clocks(order, now, site)
    clock = next((one for one in clocks if one.name == ClockName.COMPLETE), None)
    codes = order_views.codes(desk.rulebook.order_book)
    area = site.areas.get(order.area)
    said = alarms[0].guidance if alarms else None
    return models.PublicOrder(
        site=words.text(site.name),
        timezone=site.timezone,
        number=order.number,
        you=held.person.display_name,
        state=order.state.value,
        priority=order.priority.value,
        title=words.text(order.title),
        description=order.description,
        category_name=words.text(order.category_name),
        equipment_name=words.text(order.equipment_name),
        area_name=words.text(site.name if area is None else area.name),
        place=None if order.requester is None else order.requester.place,
        guidance=None if said is None else models.Guidance(zh=list(said.zh), en=list(said.en)),
        steps=[] if due is None else _steps(due, ticked, site.zone),
        materials=[] if due is None else [words.text(one.name) for one in due.content.materials],
        due_at=None if clock is None or clock.started_at is None else clock.due_at,
        explain=None if clock is None or clock.state == "running" else clock.explain,
        suspended_why=order.suspended_why,
        note=order.note,
        causes=codes.causes,
        remedies=codes.remedies,
        attachments=[_photograph(one, held, site.zone) for one in attached],
        expires_at=words.moment(held.link.expires_at, site.zone),
    )
