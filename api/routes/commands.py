"""Telling a device something, in two steps: propose, see what it will do, confirm."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import (
    DeskNeeded,
    Id,
    IdempotencyKey,
    PersonNeeded,
    SameOrigin,
    VisitorNeeded,
    get_visitor,
)
from api.desk import Desk
from api.models import devices as documents
from api.problems import ProblemException, described
from api.views import devices as views
from gateway.bus.questions import NoAnswerError, QuestionRefusedError
from gateway.model.moment import SECOND
from gateway.model.quality import Quality
from gateway.model.refusal import NEVER_SENT
from rules.commands import actions
from rules.commands.actions import Command, Outcome
from rules.commands.lifecycle import ANSWERED_WITHIN, CommandEvent
from rules.people import people

router = APIRouter(tags=["commands"], dependencies=[Depends(get_visitor)])

_WITHIN_S = ANSWERED_WITHIN / SECOND


@router.get("/equipment/{equipment_id}/commands", responses=described(401, 404, 422, 503))
async def allowed_commands(
    desk: DeskNeeded, visitor: VisitorNeeded, equipment_id: Id
) -> documents.AllowedCommands:
    """What the site's allowlist lets whoever asks tell this equipment."""
    thing = desk.site.equipment.get(equipment_id)
    if thing is None:
        raise ProblemException(404, f"There is no equipment {equipment_id}.")
    role = visitor.actor.role.value
    return documents.AllowedCommands(items=views.allowed_commands(desk.site, thing, role))


@router.get("/commands", responses=described(401, 422, 503))
async def commands(
    desk: DeskNeeded,
    equipment: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> documents.Commands:
    """The last commands, newest first."""
    await desk.in_ledger(lambda: actions.give_up(desk.ledger, desk.site, now=desk.clock.now()))
    found, names = await desk.read(
        lambda view: (
            rows := actions.newest(view, equipment=equipment, limit=limit),
            people.names(view, {one.by for one in rows}),
        )
    )
    return documents.Commands(items=[views.command(desk.site, one, names) for one in found])


@router.post(
    "/equipment/{equipment_id}/commands",
    status_code=201,
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 409, 422, 503),
)
async def propose_command(
    desk: DeskNeeded,
    visitor: PersonNeeded,
    equipment_id: Id,
    body: documents.CommandProposal,
) -> documents.Command:
    """Say what the device is to be told. It is told nothing yet."""
    now = desk.clock.now()
    current = desk.latest.at(now).get(f"{equipment_id}.{body.point}")
    good = current is not None and current.reading.quality is Quality.GOOD
    before = current.reading.value if current is not None and good else None
    made = await desk.in_ledger(
        lambda: actions.propose(
            desk.ledger,
            desk.site,
            equipment_id,
            body.point,
            body.value,
            command_id=str(uuid.uuid4()),
            before=before,
            actor=visitor.actor,
            now=now,
        )
    )
    return views.command(desk.site, made)


@router.post(
    "/commands/{command_id}/confirm",
    dependencies=[SameOrigin],
    responses=described(401, 403, 404, 409, 422, 503),
)
async def confirm_command(
    desk: DeskNeeded,
    visitor: PersonNeeded,
    command_id: Id,
    idempotency_key: IdempotencyKey = None,
) -> documents.Command:
    """Send it. Whoever proposed it has a minute. The answer says what the device said afterwards;
    `unknown` means that somebody has to look."""
    actor = visitor.actor
    await desk.in_ledger(lambda: actions.give_up(desk.ledger, desk.site, now=desk.clock.now()))
    sent, mine = await desk.in_ledger(
        lambda: actions.confirm(
            desk.ledger,
            desk.site,
            command_id,
            actor=actor,
            now=desk.clock.now(),
            idempotency_key=idempotency_key,
        )
    )
    if not mine:
        return views.command(desk.site, sent)
    outcome = await _told(desk, sent)
    ended = await desk.in_ledger(
        lambda: actions.end(
            desk.ledger, desk.site, command_id, outcome, actor=actor, now=desk.clock.now()
        )
    )
    return views.command(desk.site, ended)


async def _told(desk: Desk, sent: Command) -> Outcome:
    """What became of it at the gateway."""
    question = {
        "command": sent.id,
        "equipment": sent.equipment,
        "point": sent.point,
        "value": sent.value,
        "role": sent.role,
        "by": sent.by,
    }
    try:
        said = await desk.questions.ask("write", question, within=_WITHIN_S)
    except NoAnswerError as error:
        return Outcome(event=CommandEvent.DOUBT, why="gateway_silent", detail=str(error))
    except QuestionRefusedError as refusal:
        event = CommandEvent.REFUSE if refusal.code in NEVER_SENT else CommandEvent.DOUBT
        return Outcome(event=event, why=refusal.code, detail=refusal.detail)
    return Outcome(event=CommandEvent.SUCCEED, read_back=said["read_back"])
