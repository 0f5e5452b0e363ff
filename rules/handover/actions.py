"""What people do with the log of a shift and its handover. Each action is one transaction with its
line in the audit.

Each raises ``NotFoundError``, ``ForbiddenError``, ``NotValidError``, ``ConflictError``,
``IllegalTransitionError`` or ``KeyReusedError``; then nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from gateway.latest import Current
from gateway.model.equipment import Site
from gateway.model.moment import MINUTE, Instant
from rules.actions.act import Act
from rules.handover import keeping, record
from rules.handover.blocks import Block
from rules.handover.book import HandoverBook, Side
from rules.handover.facts import AnswerKind
from rules.handover.lifecycle import OPEN, HandoverEvent
from rules.handover.sheet import Section, of_document
from rules.ledger import handover as rows
from rules.ledger import handover_sheet, handover_view, shift_log, shift_log_view
from rules.ledger.handover_facts import Scene, duty_of
from rules.ledger.shift_log_view import NewEntry, ShiftLog
from rules.ledger.store import Entry
from rules.ledger.view import View
from rules.people.roles import WHOLE_SITE, ForbiddenError, Permission, Via, require
from rules.refusals import ConflictError, NotFoundError, NotValidError
from rules.rule import Rulebook

_AHEAD = MINUTE
"""µs by which a writer's clock may be ahead of ours."""


class BlockedError(ConflictError):
    """Something forbids the handover."""

    def __init__(self, blocked: Collection[Block]) -> None:
        named = "; ".join(f"{one.condition.clauses[-1]} {one.text.en}" for one in blocked)
        super().__init__(f"this shift cannot be handed over: {named}")


@dataclass(frozen=True, slots=True)
class Room:
    """Where a handover takes place: the site, its rules, and what is read there now."""

    site: Site
    rulebook: Rulebook
    currents: Mapping[str, Current]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewAnswer:
    """What somebody says; the id is made by the client."""

    id: str
    kind: AnswerKind
    subject: str
    value: int
    note: str | None


def write(act: Act, site: Site, new: NewEntry) -> None:
    """Add to the log of a shift. A new entry only while the shift goes on or is handed over; a
    correction at any time."""
    require(act.actor, Permission.WORK_SHIFT)
    with act.ledger.write(act.site) as entry:
        view = View(connection=entry.connection, site=act.site)
        log = _log(view, act.subject)
        _require_on_shift(act, crew_of(view, site, log))
        if new.happened_at > act.now.wall + _AHEAD:
            raise NotValidError("happened_at", "has not happened yet")
        known = {one.id: one for one in shift_log_view.entries(view, log.id)}
        if new.corrects is not None and new.corrects not in known:
            raise NotValidError("corrects", f"there is no entry {new.corrects} in this log")
        if new.id not in known and new.corrects is None:
            of = handover_view.handover_with(view, log.id)
            is_over = log.ends_at <= act.now.wall if of is None else of.state not in OPEN
            if is_over:
                raise ConflictError(f"the log {log.id} is closed: corrections can be added")
        shift_log.write(entry, log.id, new, actor=act.actor, now=act.now)
        if new.id not in known:
            act.record(entry, "shift.write", written=new.id, corrects=new.corrects)


def arrive(act: Act, room: Room, *, note: str | None = None) -> None:
    """Sign in as one of the relief; who is not on the roster says why they stand in."""

    def take(entry: Entry, scene: Scene) -> None:
        crew = _relief(scene)
        stands_in = act.by not in crew
        if stands_in and not (note or "").strip():
            raise NotValidError("note", f"{act.by} is not on the next shift: say who sent them")
        if act.by in crew_of(scene.view, scene.site, scene.log) and stands_in:
            raise ConflictError(f"{act.by} is of the outgoing crew")
        said = note if stands_in else None
        added = rows.arrive(
            entry, scene.handover, stands_in=stands_in, note=said, actor=act.actor, now=act.now
        )
        if added:
            act.record(entry, "handover.arrive", stands_in=stands_in, note=said)

    _step(act, room, "handover.arrive", take)


def answer(act: Act, room: Room, said: Sequence[NewAnswer]) -> None:
    """Answer what the handover asks, all of it or nothing; the newest answer counts."""

    def take(entry: Entry, scene: Scene) -> None:
        # One that came before has been checked: what it was about may be settled by it.
        known = rows.answers_with(entry, [new.id for new in said])
        for new in said:
            if new.id not in known:
                _check_answer(scene, act, new)
        added = [new.subject for new in said if _add_answer(entry, act, scene, new)]
        if added:
            act.record(entry, "handover.answer", answers=len(added), about=", ".join(added))

    _step(act, room, None, take)


def _add_answer(entry: Entry, act: Act, scene: Scene, new: NewAnswer) -> bool:
    return rows.answer(
        entry,
        scene.handover,
        new.id,
        new.kind,
        new.subject,
        value=new.value,
        note=new.note,
        actor=act.actor,
        now=act.now,
    )


def override(act: Act, room: Room, *, reason: str, passed: Collection[str]) -> None:
    """Let pass those blocks whose ids are ``passed``: what the manager has seen, as it was then.
    What says something else by now, and what comes up later, forbids it again."""
    require(act.actor, Permission.OVERRIDE_HANDOVER)
    if not reason.strip():
        raise NotValidError("reason", "say why")

    def take(entry: Entry, scene: Scene) -> None:
        require(act.actor, Permission.OVERRIDE_HANDOVER, WHOLE_SITE)
        found = [one for one in scene.blocks if one.id in passed and not one.overridden]
        held = [one.condition.name.en for one in found if not one.condition.passable]
        if held:
            raise ConflictError(f"nobody can let this pass: {', '.join(held)}")
        if not found:
            raise ConflictError("none of these forbids this handover any more: look again")
        for block in found:
            rows.let_pass(entry, scene.handover, block, reason=reason, by=act.by, now=act.now)
        event = HandoverEvent.OVERRIDE
        rows.take_step(entry, scene.handover, event, act.now, by=act.by, why=reason)
        clauses = ", ".join(sorted({one.condition.clauses[-1] for one in found}))
        act.record(entry, "handover.override", reason=reason, clauses=clauses)

    _step(act, room, "handover.override", take)


def give(act: Act, room: Room) -> None:
    """Sign for the outgoing crew: the sheet as it is now is kept."""

    def take(entry: Entry, scene: Scene) -> None:
        _require_crew(act, crew_of(scene.view, scene.site, scene.log), "outgoing")
        _require_free(scene)
        sheet = handover_sheet.compose(scene)
        _sign(entry, act, scene, side=Side.OUTGOING, sheet=sheet, event=HandoverEvent.GIVE)

    _step(act, room, "handover.give", take)


def take_over(act: Act, room: Room) -> None:
    """Sign for the incoming crew: the sheet that was given, and what came up since. A shelf that
    the incoming crew has not approved ends."""

    def take(entry: Entry, scene: Scene) -> None:
        of = scene.handover
        _require_crew(act, [one.username for one in of.arrivals], "incoming")
        given = of.signature(Side.OUTGOING)
        if given is None:
            raise ConflictError("the outgoing crew has not signed yet")
        if given.username == act.by:
            raise ConflictError(f"{act.by} has signed for the outgoing crew")
        _require_free(scene)
        sheet = [
            *of_document(record.sheet_of(given.text)),
            handover_sheet.since(scene, given.at),
        ]
        ended = keeping.end_shelves(entry, scene, act.now)
        _sign(
            entry,
            act,
            scene,
            side=Side.INCOMING,
            sheet=sheet,
            event=HandoverEvent.TAKE,
            shelves_ended=ended,
        )

    _step(act, room, "handover.take", take)


def _sign(
    entry: Entry,
    act: Act,
    scene: Scene,
    *,
    side: Side,
    sheet: list[Section],
    event: HandoverEvent,
    shelves_ended: int | None = None,
) -> None:
    given = scene.handover.signature(Side.OUTGOING)
    signed = record.document(
        scene,
        sheet,
        side=side,
        by=act.by,
        given_hash=None if given is None else given.hash,
    )
    digest = rows.sign(entry, scene.handover, side, signed, actor=act.actor, now=act.now)
    rows.take_step(entry, scene.handover, event, act.now, by=act.by)
    if shelves_ended is None:
        act.record(entry, "handover.give", hash=digest)
    else:
        act.record(entry, "handover.take", hash=digest, shelves_ended=shelves_ended)


def _step(act: Act, room: Room, name: str | None, take: Callable[[Entry, Scene], None]) -> None:
    """``take`` it unless its key has taken it before; a fault that came up meanwhile stops it
    first. ``name`` None: what is taken knows by itself whether it was there before."""
    require(act.actor, Permission.WORK_SHIFT)
    with act.ledger.write(act.site) as entry:
        scene = scene_of(
            View(connection=entry.connection, site=act.site), room, act.subject, act.now
        )
        if act.actor.via is Via.TOKEN:
            # A signature is somebody's own.
            raise ForbiddenError(act.actor, Permission.WORK_SHIFT, None)
        if name is not None and not act.is_new(entry, name):
            return
        if keeping.stop_or_resume(entry, scene, act.now):
            scene = scene_of(scene.view, room, act.subject, act.now)
        if scene.handover.state not in OPEN:
            raise ConflictError(f"the handover {act.subject} is {scene.handover.state.value}")
        take(entry, scene)


def scene_of(view: View, room: Room, shift_id: str, now: Instant) -> Scene:
    """Raises ``NotFoundError``."""
    found = handover_view.handover_with(view, shift_id)
    if found is None:
        raise NotFoundError(f"there is no handover of {shift_id}")
    return Scene(
        view=view,
        site=room.site,
        rulebook=room.rulebook,
        log=_log(view, shift_id),
        handover=found,
        currents=room.currents,
        now=now.wall,
    )


def _check_answer(scene: Scene, act: Act, new: NewAnswer) -> None:
    """That it is asked, and of whom."""
    asked, wrong = _asked(scene, new)
    if wrong is not None:
        raise NotValidError("subject", wrong)
    if new.kind in (AnswerKind.QUESTION, AnswerKind.REPAIR) and new.value not in (0, 1):
        raise NotValidError("value", "is 1 for yes or 0 for no")
    if new.value < 0:
        raise NotValidError("value", "is not less than 0")
    if _wants_note(scene.book, new) and not (new.note or "").strip():
        raise NotValidError("note", "say what is the matter")
    arrived = {one.username for one in scene.handover.arrivals}
    outgoing = set(crew_of(scene.view, scene.site, scene.log))
    sides = {Side.OUTGOING: outgoing, Side.INCOMING: arrived}
    of = outgoing | arrived if asked is None else sides[asked]
    word = "two crews" if asked is None else f"{asked.value} crew"
    if act.by not in of:
        raise ConflictError(f"{act.by} is not of the {word}")


def _asked(scene: Scene, new: NewAnswer) -> tuple[Side | None, str | None]:
    """Who answers (None: either crew), and what is wrong with what it is about."""
    if new.kind is AnswerKind.QUESTION:
        question = scene.book.question(new.subject)
        if question is None:
            return None, f"there is no question {new.subject}"
        return question.asked, None
    known: Mapping[AnswerKind, tuple[Side | None, Collection[str]]] = {
        AnswerKind.COUNT: (None, scene.book.counted),
        AnswerKind.EXPLAIN: (Side.OUTGOING, scene.explainable),
        AnswerKind.REPAIR: (None, [one.id for one in scene.facts.repairs]),
        AnswerKind.SHELF: (Side.INCOMING, [one.subject for one in keeping.shelves(scene)]),
    }
    side, subjects = known[new.kind]
    return side, None if new.subject in subjects else f"{new.subject} is not asked about"


def _wants_note(book: HandoverBook, new: NewAnswer) -> bool:
    if new.kind is AnswerKind.EXPLAIN:
        return True
    if new.kind is AnswerKind.QUESTION:
        return new.value == 0
    item = book.counted.get(new.subject)
    return new.kind is AnswerKind.COUNT and item is not None and item.quantity != new.value


def _log(view: View, shift_id: str) -> ShiftLog:
    found = shift_log_view.log_with(view, shift_id)
    if found is None:
        raise NotFoundError(f"there is no log of the shift {shift_id}")
    return found


def crew_of(view: View, site: Site, log: ShiftLog) -> list[str]:
    """Who holds the shift: by the roster as it is now, and who has signed in for it. Where the
    roster has no such shift any more: who was planned when it began."""
    duty = duty_of(view, site, log.date, log.shift)
    crew = log.crew if duty is None else [one.person for one in duty.crew]
    planned = [one.username for one in crew]
    former = handover_view.handover_before(view, log)
    came = [] if former is None else [one.username for one in former.arrivals]
    return list(dict.fromkeys([*planned, *came]))


def _relief(scene: Scene) -> Collection[str]:
    return scene.facts.relief


def _require_on_shift(act: Act, crew: Collection[str]) -> None:
    if act.by not in crew:
        require(act.actor, Permission.WORK_SHIFT, WHOLE_SITE)


def _require_crew(act: Act, crew: Collection[str], side: str) -> None:
    if act.by not in crew:
        raise ConflictError(f"{act.by} is not of the {side} crew: the roster says who is")


def _require_free(scene: Scene) -> None:
    found = [block for block in scene.blocks if not block.overridden]
    if found:
        raise BlockedError(found)
