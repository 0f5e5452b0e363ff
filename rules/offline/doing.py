"""The action that an entry asks for: the same as the button's on the page, never around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.model.equipment import Site
from rules.actions import attachments, orders, plan_steps, round_photos
from rules.actions.act import Act
from rules.actions.attachments import NewAttachment
from rules.actions.order_step import NotTheirsError
from rules.inspections import actions as rounds
from rules.ledger.attachments import AttachmentKind
from rules.ledger.idempotency import KeyReusedError
from rules.ledger.order_steps import Work
from rules.lifecycle import IllegalTransitionError
from rules.offline.protocol import Answer, Deed, Finish, Kind, Photo, Reason, Step, Tick
from rules.orders.book import OrderBook
from rules.people.roles import ForbiddenError
from rules.refusals import ConflictError, NotFoundError, NotValidError

_MEANS: Mapping[type[Exception], Reason] = {
    NotTheirsError: Reason.TAKEN,
    ForbiddenError: Reason.NOT_ALLOWED,
    NotFoundError: Reason.NOT_FOUND,
    NotValidError: Reason.NOT_VALID,
    KeyReusedError: Reason.REUSED,
}
_CONTRADICTS: Mapping[Kind, Reason] = {
    Kind.ROUND_ITEM: Reason.REUSED,
    Kind.ROUND_FINISH: Reason.INCOMPLETE,
    Kind.ROUND_PHOTO: Reason.NOT_VALID,
}
"""What a ``ConflictError`` of an action means, where the round is open and nothing else stands in
the way: the id is another answer's, lines are open, the line has photographs enough."""


def reason_of(error: Exception, kind: Kind) -> Reason:
    """Why an entry is kept whose action has raised ``error``."""
    for known, reason in _MEANS.items():
        if isinstance(error, known):
            return reason
    if isinstance(error, IllegalTransitionError):
        return Reason.NOT_OPEN if kind.is_of_round else Reason.MOVED_ON
    if isinstance(error, ConflictError):
        return _CONTRADICTS.get(kind, Reason.MOVED_ON)
    return Reason.FAILED


def do(act: Act, site: Site, kind: Kind, deed: Deed, book: OrderBook) -> None:
    """Raises what the action raises; the key of ``act`` is the entry's id."""
    if isinstance(deed, Answer):
        rounds.enter(
            act.ledger,
            site,
            act.subject,
            deed.item,
            deed.given,
            book=book,
            actor=act.actor,
            now=act.now,
        )
    elif isinstance(deed, Finish):
        rounds.finish(
            act.ledger,
            site,
            act.subject,
            book=book,
            actor=act.actor,
            now=act.now,
            note=deed.note,
            idempotency_key=act.key,
        )
    elif isinstance(deed, Photo):
        _attach(act, deed)
    elif isinstance(deed, Tick):
        plan_steps.tick_of_order(act, deed.number, done=deed.done)
    else:
        _STEPS[kind](act, deed, book)


def _attach(act: Act, photo: Photo) -> None:
    if photo.item is not None:
        round_photos.attach(act, photo.item, photo.file, caption=photo.caption)
        return
    new = NewAttachment(kind=AttachmentKind.PHOTO, caption=photo.caption)
    attachments.attach(act, new, photo.file)


def _complete(act: Act, step: Step, book: OrderBook) -> None:
    orders.complete(act, step.work or Work(note=""), book)


_STEPS: Mapping[Kind, Callable[[Act, Step, OrderBook], object]] = {
    Kind.ORDER_ACCEPT: lambda act, step, book: orders.accept(act),
    Kind.ORDER_DECLINE: lambda act, step, book: orders.decline(act, reason=step.note or ""),
    Kind.ORDER_ARRIVE: lambda act, step, book: orders.arrive(act),
    Kind.ORDER_START: lambda act, step, book: orders.start(act),
    Kind.ORDER_SUSPEND: lambda act, step, book: orders.suspend(
        act, why=step.why or "other", note=step.note
    ),
    Kind.ORDER_RESUME: lambda act, step, book: orders.resume(act),
    Kind.ORDER_COMPLETE: _complete,
}
