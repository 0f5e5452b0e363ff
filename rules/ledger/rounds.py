"""Writing rounds: every deed goes through the life-cycle table and leaves an event.

A round is planned once, whoever asks how often; what was answered is only ever added to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Update, and_, bindparam, delete, insert, select, update

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.inspections import consequences
from rules.inspections.calendar import Due
from rules.inspections.items import RoundItem
from rules.inspections.judge import ItemState, NewEntry, Verdict, complaint
from rules.inspections.lifecycle import RoundEvent, RoundState, step
from rules.inspections.regime import Proof, Regime
from rules.ledger import equipment_checks, findings
from rules.ledger.round_proof_rows import compared_columns
from rules.ledger.round_rows import (
    KeptItem,
    Round,
    item_columns,
    verdict_columns,
    words_if,
)
from rules.ledger.rows import ChangeKind, words
from rules.ledger.store import Entry
from rules.ledger.tables.rounds import (
    round_,
    round_duty,
    round_entry,
    round_event,
    round_finding,
    round_item,
)
from rules.orders.book import OrderBook
from rules.people.roles import Actor
from rules.refusals import ConflictError


def set_duties(entry: Entry, wanted: Collection[tuple[str, str | None]], now: int) -> None:
    """These (regime, area) are in force, no others; a new one is from now on."""
    here = round_duty.c.site_id == entry.site
    known = entry.connection.execute(select(round_duty.c.regime, round_duty.c.area).where(here))
    for regime, area in known.all():
        if (regime, area or None) not in wanted:
            one = and_(here, round_duty.c.regime == regime, round_duty.c.area == area)
            entry.connection.execute(delete(round_duty).where(one))
    for regime, place in wanted:
        entry.insert_once(round_duty, regime=regime, area=place or "", since=now)


def plan(entry: Entry, site: Site, regime: Regime, due: Due, now: int) -> bool:
    """Write a due round; False if it has been written before, and then nothing happens."""
    new = step(RoundState.NEW, RoundEvent.PLAN, round_id=due.id)
    area = None if due.area is None else site.areas[due.area]
    is_new = entry.insert_once(
        round_,
        id=due.id,
        regime=regime.id,
        name=words(regime.name),
        form=words_if(regime.form),
        level=regime.level.value,
        area=due.area,
        area_name=None if area is None else words(area.name),
        period=due.period,
        role=regime.role.value,
        countersign_role=None if regime.countersign_role is None else regime.countersign_role.value,
        statement=words_if(regime.statement),
        patience=regime.patience,
        opens_at=due.opens_at,
        due_at=due.due_at,
        late_until=due.late_until,
        planned_at=now,
        version=regime.version,
        **_following(consequences.of(regime), due, now),
    )
    if is_new:
        passed = "its whole window had passed when the duty room came back"
        why = passed if now >= due.late_until else None
        if due.is_caught_up:
            why = f"{passed}: it is open now instead"
        _note(entry, due.id, RoundEvent.PLAN, RoundState.NEW, new, at=now, why=why)
    return is_new


def lay_out(entry: Entry, round_id: str, lines: Sequence[RoundItem]) -> None:
    """Write the items of a round that nobody has opened yet, in place of those there are.

    What was found wrong before the round was set back stays as it was found: an order may stand
    on it.
    """
    of_round = and_(round_finding.c.site_id == entry.site, round_finding.c.round_id == round_id)
    query = select(round_finding.c.item).where(of_round)
    found = set(entry.connection.execute(query).scalars())
    entry.connection.execute(
        delete(round_item).where(
            round_item.c.site_id == entry.site,
            round_item.c.round_id == round_id,
            round_item.c.key.not_in(found),
        )
    )
    waiting = verdict_columns(Verdict(state=ItemState.WAITING))
    rows = [
        {
            "site_id": entry.site,
            "round_id": round_id,
            "position": position,
            **item_columns(line),
            **waiting,
        }
        for position, line in enumerate(lines)
        if line.key not in found
    ]
    if rows:
        entry.connection.execute(insert(round_item), rows)


def wipe(entry: Entry, round_id: str) -> None:
    """Its lines are as they were before telemetry said anything, but those found wrong."""
    of_round = and_(round_finding.c.site_id == entry.site, round_finding.c.round_id == round_id)
    entry.connection.execute(
        update(round_item)
        .where(round_item.c.site_id == entry.site, round_item.c.round_id == round_id)
        .where(round_item.c.key.not_in(select(round_finding.c.item).where(of_round)))
        .values(**verdict_columns(Verdict(state=ItemState.WAITING)))
    )


def open_(entry: Entry, found: Round, now: int) -> bool:
    """Its time has come; False if somebody has opened it before."""
    here = _row(entry, found.id)
    opened = entry.connection.execute(
        update(round_)
        .where(here, round_.c.opened_at.is_(None), round_.c.void_at.is_(None))
        .values(opened_at=now)
    )
    if opened.rowcount != 1:
        return False
    step(RoundState.PLANNED, RoundEvent.OPEN, round_id=found.id)
    old, new = RoundState.PLANNED, found.state(now)
    _note(entry, found.id, RoundEvent.OPEN, old, new, at=now)
    return True


def set_back(entry: Entry, found: Round, now: int) -> bool:
    """A clock that was ahead has opened it; False if somebody has answered or set it back since."""
    untouched = (round_.c.started_at.is_(None), round_.c.done_at.is_(None))
    closed = entry.connection.execute(
        update(round_)
        .where(_row(entry, found.id), *untouched)
        .where(round_.c.opened_at.is_not(None), round_.c.void_at.is_(None))
        .values(opened_at=None)
    )
    if closed.rowcount != 1:
        return False
    _step(entry, found, RoundEvent.SET_BACK, now, why="the clock that opened it was ahead")
    equipment_checks.take_back(entry, found.id, found.level)
    return True


def move(entry: Entry, found: Round, due: Due, now: int) -> None:
    """It is planned for another time; raises ``IllegalTransitionError`` unless it is planned."""
    deed = {**_times(due), **_following(found.consequences, due, now)}
    _step(entry, found, RoundEvent.MOVE, now, why=due.day.isoformat(), **deed)


def catch_up(entry: Entry, found: Round, due: Due, now: int) -> None:
    """Nobody could do it in its window: it has another one from now on."""
    why = "the duty room was away for its whole window"
    deed = {**_times(due), **_following(found.consequences, due, now)}
    _step(entry, found, RoundEvent.CATCH_UP, now, why=why, **deed)


def restore(entry: Entry, found: Round, due: Due, regime: Regime, now: int) -> None:
    """What was withdrawn is in force again, as ``regime`` is now."""
    deed = {**_times(due), **_following(consequences.of(regime), due, now)}
    _step(entry, found, RoundEvent.RESTORE, now, void_at=None, version=regime.version, **deed)


def withdraw(entry: Entry, found: Round, now: int) -> None:
    """Nobody has opened it, and its regime or its day is no longer in force."""
    why = "its regime or its day is no longer in force"
    _step(entry, found, RoundEvent.WITHDRAW, now, why=why, void_at=now)


def _times(due: Due) -> dict[str, Any]:
    return {"opens_at": due.opens_at, "due_at": due.due_at, "late_until": due.late_until}


def _following(said: Mapping[str, Any], due: Due, now: int) -> dict[str, Any]:
    """The columns of what follows when it is late or missed."""
    at = consequences.first_at(said, due_at=due.due_at, late_until=due.late_until, now=now)
    return {"consequences": said, "follows_at": at}


def fill(
    entry: Entry,
    site: Site,
    found: Round,
    said: Sequence[tuple[RoundItem, Verdict]],
    *,
    book: OrderBook,
    now: Instant,
) -> None:
    """What telemetry says of lines of ``found`` that nobody has answered.

    A failure is a finding at once; of a completion, which may yet change, when it is signed.
    """
    rows = [{"of_key": item.key, **verdict_columns(verdict)} for item, verdict in said]
    if rows:
        # In one: a round of a large site has thousands of lines, and alarms wait meanwhile.
        entry.connection.execute(_verdicts(entry.site, found.id), rows)
        equipment_checks.by_telemetry(entry, found.id, found.level, said, now.wall)
    for item, verdict in said:
        if item.proof is not Proof.COMPLETION:
            _find(entry, site, found.id, item, verdict, book=book, now=now)


def settle(
    entry: Entry,
    site: Site,
    round_id: str,
    item: RoundItem,
    verdict: Verdict,
    *,
    book: OrderBook,
    now: Instant,
) -> None:
    """A completion as it is when the round is signed."""
    _set_item(entry, round_id, item.key, verdict_columns(verdict))
    _find(entry, site, round_id, item, verdict, book=book, now=now)


def _find(
    entry: Entry,
    site: Site,
    round_id: str,
    item: RoundItem,
    verdict: Verdict,
    *,
    book: OrderBook,
    now: Instant,
) -> None:
    if verdict.state is ItemState.FAILED:
        assert verdict.why is not None
        findings.record(entry, site, round_id, item, book=book, why=verdict.why, now=now)


def has_entry(entry: Entry, entry_id: str, round_id: str, key: str, *, by: str) -> bool:
    """Whether this very answer is there; raises ``ConflictError`` where the id is another's."""
    columns = (round_entry.c.round_id, round_entry.c.item, round_entry.c.by)
    query = select(*columns).where(
        round_entry.c.site_id == entry.site, round_entry.c.id == entry_id
    )
    known = entry.connection.execute(query).one_or_none()
    if known is not None and tuple(known) != (round_id, key, by):
        raise ConflictError(f"the entry {entry_id} was used for {known.item} of {known.round_id}")
    return known is not None


def enter(
    entry: Entry,
    site: Site,
    found: Round,
    kept: KeptItem,
    given: NewEntry,
    *,
    book: OrderBook,
    passed: bool,
    scanned: str | None,
    actor: Actor,
    now: Instant,
) -> None:
    """Add an answer, which counts from now on; a failed one is a finding. ``scanned``: where the
    code hangs that came with it."""
    is_first = found.facts.started_at is None
    event = RoundEvent.BEGIN if is_first else RoundEvent.ENTER
    begun = {"started_at": now.wall} if is_first else {}
    change = _step(entry, found, event, now.wall, by=actor.username, why=kept.item.key, **begun)
    entry.connection.execute(
        insert(round_entry).values(
            site_id=entry.site,
            id=given.id,
            change=change,
            round_id=found.id,
            item=kept.item.key,
            value=given.value,
            passed=passed,
            note=given.note,
            by=actor.username,
            via=actor.via.value,
            taken_at=given.taken_at,
            received_at=now.wall,
            scanned=scanned,
            scanned_at=None if given.scan is None else given.scan.at,
            compared=compared_columns(given.compared),
        )
    )
    state = ItemState.PASSED if passed else ItemState.FAILED
    _set_item(entry, found.id, kept.item.key, {"state": state.value})
    equipment_checks.by_person(
        entry, found.id, found.level, kept.item, at=now.wall, by=actor.username
    )
    if not passed:
        why = complaint(kept.item, given.value, given.note)
        had_passed = kept.state is ItemState.PASSED
        item = kept.item
        findings.record(
            entry, site, found.id, item, book=book, why=why, now=now, had_passed=had_passed
        )


def finish(entry: Entry, found: Round, *, by: str, note: str | None, now: int) -> None:
    """Raises ``IllegalTransitionError`` where the state does not allow it."""
    deed = {"done_at": now, "done_by": by, "done_note": note}
    _step(entry, found, RoundEvent.FINISH, now, by=by, why=note, **deed)


def countersign(entry: Entry, found: Round, *, by: str, note: str | None, now: int) -> None:
    """Raises ``IllegalTransitionError`` where the state does not allow it."""
    deed = {"countersigned_at": now, "countersigned_by": by, "countersign_note": note}
    _step(entry, found, RoundEvent.COUNTERSIGN, now, by=by, why=note, **deed)


def tell(entry: Entry, round_ids: Collection[str], now: int) -> None:
    """Time has changed these, or telemetry: let whoever is looking ask again."""
    for round_id in round_ids:
        entry.changed(ChangeKind.ROUND, round_id, now)


def _verdicts(site: str, round_id: str) -> Update:
    """Takes the columns of a verdict and, as ``of_key``, the key of its line."""
    return (
        update(round_item)
        .where(
            round_item.c.site_id == site,
            round_item.c.round_id == round_id,
            round_item.c.key == bindparam("of_key"),
        )
        .values({name: bindparam(name) for name in ("state", "why", "reading")})
    )


def _set_item(entry: Entry, round_id: str, key: str, columns: Mapping[str, Any]) -> None:
    entry.connection.execute(
        update(round_item)
        .where(
            round_item.c.site_id == entry.site,
            round_item.c.round_id == round_id,
            round_item.c.key == key,
        )
        .values(**columns)
    )


def _step(
    entry: Entry,
    found: Round,
    happened: RoundEvent,
    now: int,
    *,
    by: str | None = None,
    why: str | None = None,
    **deed: Any,
) -> int:
    """The round after ``happened``, which has set the columns ``deed``; the id of the change."""
    old = found.state(now)
    new = step(old, happened, round_id=found.id)
    if deed:
        entry.connection.execute(update(round_).where(_row(entry, found.id)).values(**deed))
    return _note(entry, found.id, happened, old, new, at=now, by=by, why=why)


def _note(
    entry: Entry,
    round_id: str,
    happened: RoundEvent,
    old: RoundState,
    new: RoundState,
    *,
    at: int,
    by: str | None = None,
    why: str | None = None,
) -> int:
    change = entry.changed(ChangeKind.ROUND, round_id, at)
    entry.connection.execute(
        insert(round_event).values(
            site_id=entry.site,
            change=change,
            round_id=round_id,
            at=at,
            event=happened.value,
            from_state=old.value,
            to_state=new.value,
            by=by,
            why=why,
        )
    )
    return change


def _row(entry: Entry, round_id: str) -> ColumnElement[bool]:
    return and_(round_.c.site_id == entry.site, round_.c.id == round_id)
