"""What a person may do to a round. Each action is one transaction: the step, its event, the
change, what follows from it, and its line in the audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.inspections.evidence import lacking
from rules.inspections.judge import ItemState, NewEntry, answer_passes, judge_completion
from rules.inspections.lifecycle import OPEN, RoundState
from rules.inspections.proving import Evidence
from rules.inspections.regime import Proof
from rules.inspections.scans import scanned_place
from rules.inspections.spot_checks import require_checked
from rules.ledger import audit, round_photos, round_view, rounds
from rules.ledger.idempotency import is_new
from rules.ledger.round_rows import KeptItem, Round
from rules.ledger.store import Ledger
from rules.ledger.view import View
from rules.orders.book import OrderBook
from rules.people.roles import WHOLE_SITE, Actor, Permission, require
from rules.refusals import ConflictError, NotFoundError


def enter(
    ledger: Ledger,
    site: Site,
    round_id: str,
    key: str,
    given: NewEntry,
    *,
    book: OrderBook,
    actor: Actor,
    now: Instant,
) -> None:
    """Answer one line; a failed one becomes a finding, and by its severity an order, whose clocks
    are those of ``book``. A scan that comes with it has to be of the place or the equipment.

    Raises ``NotFoundError``, ``NotValidError`` (no answer to this line), ``ConflictError`` (the
    round is not open, telemetry has answered, the id was used for something else) or
    ``ForbiddenError``; then nothing has changed.
    """
    require(actor, Permission.ENTER_ROUND)
    with ledger.write(site.id) as entry:
        view = View(connection=entry.connection, site=site.id)
        found = _round(view, round_id)
        kept = next(iter(round_view.items(view, round_id, [key])), None)
        if kept is None:
            raise NotFoundError(f"there is no item {key} in {round_id}")
        require(actor, Permission.ENTER_ROUND, kept.item.area or found.area or WHOLE_SITE)
        if rounds.has_entry(entry, given.id, round_id, key, by=actor.username):
            return
        _require_answerable(found, kept, now)
        passed = answer_passes(kept.item, given.value, given.passed)
        scanned = scanned_place(view, site, found, kept.item, given.scan, now=now)
        rounds.enter(
            entry,
            site,
            found,
            kept,
            given,
            book=book,
            passed=passed,
            scanned=scanned,
            actor=actor,
            now=now,
        )
        audit.record(
            entry,
            actor,
            "round.enter",
            round_id,
            now.wall,
            item=key,
            value=given.value,
            passed=passed,
            note=given.note,
        )


def finish(
    ledger: Ledger,
    site: Site,
    round_id: str,
    *,
    book: OrderBook,
    actor: Actor,
    now: Instant,
    note: str | None = None,
    idempotency_key: str | None = None,
) -> None:
    """Sign the round. Raises as :func:`enter` does; ``ConflictError`` where a line is open, or
    lacks the scan or the photograph that its item asks for."""
    require(actor, Permission.ENTER_ROUND)
    with ledger.write(site.id) as entry:
        view = View(connection=entry.connection, site=site.id)
        found = _round(view, round_id)
        require(actor, Permission.ENTER_ROUND, found.area or WHOLE_SITE)
        by = actor.username
        if not is_new(entry, idempotency_key, "round.finish", round_id, by=by, now=now):
            return
        _require_open(found, now)
        kept = round_view.items(view, round_id)
        unanswered = [
            one.item.key
            for one in kept
            if one.state in (ItemState.WAITING, ItemState.HANDED_OVER)
            and one.item.proof is not Proof.COMPLETION
        ]
        if unanswered:
            raise ConflictError(f"not answered yet: {', '.join(unanswered)}")
        missing = lacking(kept, round_photos.counts(view, round_id))
        if missing:
            raise ConflictError(f"not shown yet: {_lacking_words(missing)}")
        for one in kept:
            if one.item.proof is Proof.COMPLETION:
                done, expected = round_view.completion(view, found, now.wall)
                verdict = judge_completion(one.item, done=done, expected=expected)
                rounds.settle(entry, site, round_id, one.item, verdict, book=book, now=now)
        rounds.finish(entry, found, by=by, note=note, now=now.wall)
        audit.record(entry, actor, "round.finish", round_id, now.wall, note=note)


def countersign(
    ledger: Ledger,
    site: Site,
    round_id: str,
    *,
    actor: Actor,
    now: Instant,
    note: str | None = None,
    idempotency_key: str | None = None,
) -> None:
    """Confirm what somebody else has signed. Raises as :func:`enter` does; ``ConflictError`` while
    a line of the sample was not looked at again."""
    require(actor, Permission.COUNTERSIGN_ROUND)
    with ledger.write(site.id) as entry:
        view = View(connection=entry.connection, site=site.id)
        found = _round(view, round_id)
        require(actor, Permission.COUNTERSIGN_ROUND, found.area or WHOLE_SITE)
        by = actor.username
        if not is_new(entry, idempotency_key, "round.countersign", round_id, by=by, now=now):
            return
        if found.countersign_role is None:
            raise ConflictError(f"{round_id} is not countersigned by anybody")
        if found.done_by == by and found.state(now.wall) is RoundState.DONE:
            raise ConflictError("who signed a round does not countersign it")
        if found.state(now.wall) is RoundState.DONE:
            require_checked(view, found)
        rounds.countersign(entry, found, by=by, note=note, now=now.wall)
        audit.record(entry, actor, "round.countersign", round_id, now.wall, note=note)


def _lacking_words(missing: Mapping[str, Sequence[Evidence]]) -> str:
    names = {Evidence.QR: "a scan", Evidence.PHOTO: "a photograph"}
    return "; ".join(
        f"{key} lacks {' and '.join(names[one] for one in wanted)}"
        for key, wanted in missing.items()
    )


def _round(view: View, round_id: str) -> Round:
    found = round_view.round_with(view, round_id)
    if found is None:
        raise NotFoundError(f"there is no round {round_id}")
    return found


def _require_open(found: Round, now: Instant) -> None:
    state = found.state(now.wall)
    if state not in OPEN:
        raise ConflictError(f"{found.id} is {state.value}: it cannot be filled in")
    if found.opened_at is None:
        raise ConflictError(f"{found.id} is being laid out: try again in a moment")


def _require_answerable(found: Round, kept: KeptItem, now: Instant) -> None:
    _require_open(found, now)
    by_telemetry = kept.entry is None and kept.state in (ItemState.PASSED, ItemState.FAILED)
    if by_telemetry or kept.item.proof is Proof.COMPLETION:
        raise ConflictError(f"{kept.item.key} is answered by telemetry")
