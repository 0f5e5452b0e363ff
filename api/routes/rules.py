"""The rulebook, and limits that the site sets for one piece of equipment."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from api.deps import ActorNeeded, DeskNeeded, Id, IdempotencyKey, SameOrigin, get_visitor
from api.desk import Desk
from api.models import rules as models
from api.problems import ProblemException, described
from api.views.rules import RuleViews
from gateway.model.moment import SECOND
from rules.actions import limits as actions
from rules.ledger import overrides

router = APIRouter(tags=["rules"], dependencies=[Depends(get_visitor)])

_WRITES = described(401, 403, 404, 409, 422, 503)


@router.get("/rules", responses=described(401, 422, 503))
async def rules(
    desk: DeskNeeded,
    equipment_class: Annotated[
        str | None, Query(alias="class", max_length=64, pattern="^[a-z][a-z0-9_]*$")
    ] = None,
) -> models.Rules:
    """Every rule that is in force, in the order of the files, or those of one class."""
    return (await _views(desk)).rules(equipment_class)


@router.get("/rules/{rule_id}", responses=described(401, 404, 422, 503))
async def rule(desk: DeskNeeded, rule_id: Id) -> models.RuleDetails:
    """One with its guidance, and the limit that is in force for each thing it is judged on."""
    found = desk.rulebook.rules.get(rule_id)
    if found is None:
        raise ProblemException(404, f"There is no rule {rule_id}.")
    return (await _views(desk)).rule(found)


@router.put(
    "/rules/{rule_id}/overrides/{equipment_id}", dependencies=[SameOrigin], responses=_WRITES
)
async def put_override(
    *,
    desk: DeskNeeded,
    actor: ActorNeeded,
    rule_id: Id,
    equipment_id: Id,
    body: models.RuleOverrideBody,
    idempotency_key: IdempotencyKey = None,
) -> models.RuleDetails:
    """Set another limit or delay for one piece of equipment. In force within seconds, also for an
    alarm that is up."""
    now = desk.clock.now()
    await desk.in_ledger(
        lambda: actions.set_limit(
            desk.ledger,
            desk.site,
            desk.rulebook,
            rule_id,
            equipment_id,
            limit=body.limit,
            delay=None if body.delay_s is None else round(body.delay_s * SECOND),
            reason=body.reason,
            actor=actor,
            now=now,
            idempotency_key=idempotency_key,
        )
    )
    return (await _views(desk)).rule(desk.rulebook.rules[rule_id])


@router.delete(
    "/rules/{rule_id}/overrides/{equipment_id}",
    status_code=204,
    dependencies=[SameOrigin],
    responses=_WRITES,
)
async def drop_override(
    desk: DeskNeeded,
    actor: ActorNeeded,
    rule_id: Id,
    equipment_id: Id,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Let the file's limit be in force again."""
    now = desk.clock.now()
    await desk.in_ledger(
        lambda: actions.drop_limit(
            desk.ledger,
            desk.site,
            rule_id,
            equipment_id,
            actor=actor,
            now=now,
            idempotency_key=idempotency_key,
        )
    )
    return Response(status_code=204)


async def _views(desk: Desk) -> RuleViews:
    known = await desk.rules_known()
    return RuleViews(
        site=desk.site,
        rulebook=desk.rulebook,
        classes=known.classes,
        tests=known.tests,
        overrides=await desk.read(overrides.load),
    )
