"""Reads of a site's rounds: what is due, one round with its lines, what a week contains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    true,
)

from rules.inspections import periods
from rules.inspections.judge import ItemState
from rules.inspections.lifecycle import OPEN, RoundState
from rules.inspections.regime import Level, Proof
from rules.ledger.round_rows import (
    Counts,
    KeptItem,
    Round,
    RoundEntry,
    RoundFinding,
    entry_of,
    finding_of,
    item_of,
    round_of,
    verdict_of,
)
from rules.ledger.rows import LifecycleEvent, event_of
from rules.ledger.tables.orders import work_order
from rules.ledger.tables.rounds import (
    round_,
    round_duty,
    round_entry,
    round_event,
    round_finding,
    round_item,
)
from rules.ledger.view import View
from rules.people import people

_MAY_CHANGE = or_(
    round_item.c.proof == Proof.COMPLETION.value,
    and_(round_item.c.proof.is_not(None), round_item.c.state == ItemState.WAITING.value),
)
"""Telemetry may have more to say of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which rounds; None: all. Times in µs UTC."""

    opens_from: int | None = None
    opens_before: int | None = None
    level: Level | None = None
    state: RoundState | None = None
    or_open: bool = False
    """And whatever is open or waits for a countersignature, whenever it opened."""


def rounds(
    view: View,
    wanted: Wanted,
    *,
    now: int,
    limit: int | None = None,
    after: tuple[int, str] | None = None,
) -> list[Round]:
    """What is due first comes first; ``after``: (due_at, id) of the last one seen."""
    query = _of_site(view).order_by(round_.c.due_at, round_.c.id).limit(limit)
    spans = []
    if wanted.opens_from is not None:
        spans.append(round_.c.opens_at >= wanted.opens_from)
    if wanted.opens_before is not None:
        spans.append(round_.c.opens_at < wanted.opens_before)
    within = and_(true(), *spans)
    query = query.where(or_(within, _is_open(now)) if wanted.or_open else within)
    if wanted.level is not None:
        query = query.where(round_.c.level == wanted.level.value)
    if wanted.state is not None:
        query = query.where(state_at(now) == wanted.state.value)
    if after is not None:
        due, last = after
        later = and_(round_.c.due_at == due, round_.c.id > last)
        query = query.where(or_(round_.c.due_at > due, later))
    return _rounds(view, query)


def round_with(view: View, round_id: str) -> Round | None:
    found = _rounds(view, _of_site(view).where(round_.c.id == round_id))
    return found[0] if found else None


def daily_within(view: View, holder: Round) -> list[Round]:
    """The daily rounds of a weekly or monthly one's period and area, oldest first."""
    if holder.level is Level.DAILY:
        return []
    days = [day.isoformat() for day in periods.days_of(holder.level, holder.period)]
    query = _of_site(view).where(
        round_.c.level == Level.DAILY.value,
        round_.c.period.in_(days),
        round_.c.void_at.is_(None),
    )
    if holder.area is not None:
        query = query.where(round_.c.area == holder.area)
    return _rounds(view, query.order_by(round_.c.due_at, round_.c.id))


def completion(view: View, holder: Round, now: int) -> tuple[int, int]:
    """How many of the daily rounds of ``holder``'s period are done, and how many of them should
    be at ``now``: those that were due, and those done before that."""
    daily = daily_within(view, holder)
    done = sum(one.facts.done_at is not None for one in daily)
    expected = sum(one.facts.done_at is not None or one.facts.due_at <= now for one in daily)
    return done, expected


def items(view: View, round_id: str, keys: Collection[str] | None = None) -> list[KeptItem]:
    """The lines in their order, each with its newest entry and its finding; of ``keys`` only, if
    they are given."""
    given = _entries(view, round_id)
    entries = {entry.item: entry for entry in given}
    scans = {entry.item: entry for entry in given if entry.scanned is not None}
    found = {finding.item: finding for finding in findings(view, round_id)}
    query = (
        select(round_item)
        .where(round_item.c.site_id == view.site, round_item.c.round_id == round_id)
        .order_by(round_item.c.position)
    )
    if keys is not None:
        query = query.where(round_item.c.key.in_(keys))
    kept = []
    for row in view.connection.execute(query).mappings():
        item, verdict = item_of(row), verdict_of(row)
        kept.append(
            KeptItem(
                item=item,
                state=verdict.state,
                why=verdict.why,
                reading=verdict.reading,
                entry=entries.get(item.key),
                scan=scans.get(item.key),
                finding=found.get(item.key),
            )
        )
    return kept


def findings(view: View, round_id: str) -> list[RoundFinding]:
    """Oldest first."""
    same = and_(
        work_order.c.site_id == round_finding.c.site_id,
        work_order.c.id == round_finding.c.order_id,
    )
    query = (
        select(round_finding, work_order.c.number.label("order_number"))
        .join_from(round_finding, work_order, same, isouter=True)
        .where(round_finding.c.site_id == view.site, round_finding.c.round_id == round_id)
        .order_by(round_finding.c.at, round_finding.c.id)
    )
    return [finding_of(row) for row in view.connection.execute(query).mappings()]


def round_events(view: View, round_id: str) -> list[LifecycleEvent]:
    """Oldest first."""
    query = (
        select(round_event)
        .where(round_event.c.site_id == view.site, round_event.c.round_id == round_id)
        .order_by(round_event.c.change)
    )
    return [event_of(row) for row in view.connection.execute(query).mappings()]


def undone(view: View, *, late_after: int) -> list[Round]:
    """What nobody has signed, of the rounds that are missed only after ``late_after`` (µs UTC)."""
    query = _of_site(view).where(
        round_.c.done_at.is_(None), round_.c.void_at.is_(None), round_.c.late_until > late_after
    )
    return _rounds(view, query.order_by(round_.c.opens_at, round_.c.id))


def never_opened(view: View, round_ids: Collection[str]) -> list[Round]:
    """Those of ``round_ids`` that are planned and were never opened."""
    if not round_ids:
        return []
    query = _of_site(view).where(
        round_.c.id.in_(round_ids), round_.c.opened_at.is_(None), round_.c.void_at.is_(None)
    )
    return _rounds(view, query)


def unsettled(view: View, round_ids: Collection[str]) -> set[str]:
    """Those of which telemetry may have more to say."""
    query = (
        select(round_item.c.round_id)
        .where(round_item.c.site_id == view.site, _MAY_CHANGE)
        .where(round_item.c.round_id.in_(round_ids))
        .distinct()
    )
    return set(view.connection.execute(query).scalars())


def unsettled_lines(view: View, round_id: str) -> dict[str, Proof]:
    """Its lines of which telemetry may have more to say, in their order → how they are proved."""
    query = (
        select(round_item.c.key, round_item.c.proof)
        .where(round_item.c.site_id == view.site, round_item.c.round_id == round_id, _MAY_CHANGE)
        .order_by(round_item.c.position)
    )
    return {key: Proof(proof) for key, proof in view.connection.execute(query)}


def item_states(view: View, round_id: str, keys: Collection[str]) -> dict[str, ItemState]:
    """How the lines ``keys`` stand."""
    query = select(round_item.c.key, round_item.c.state).where(
        round_item.c.site_id == view.site,
        round_item.c.round_id == round_id,
        round_item.c.key.in_(keys),
    )
    return {key: ItemState(state) for key, state in view.connection.execute(query)}


def voided(view: View, *, opens_from: int) -> dict[str, Round | None]:
    """By id every round that opens from ``opens_from`` (µs UTC) on; None: it is not void."""
    opens = round_.c.opens_at >= opens_from
    known = select(round_.c.id).where(round_.c.site_id == view.site, opens)
    void = _rounds(view, _of_site(view).where(opens, round_.c.void_at.is_not(None)))
    return {
        **dict.fromkeys(view.connection.execute(known).scalars()),
        **{found.id: found for found in void},
    }


def duties(view: View) -> dict[tuple[str, str | None], int]:
    """(Regime, area; None: the whole site) → since when it is in force, µs UTC."""
    query = select(round_duty).where(round_duty.c.site_id == view.site)
    return {
        (row["regime"], row["area"] or None): row["since"]
        for row in view.connection.execute(query).mappings()
    }


def state_at(now: int) -> ColumnElement[str]:
    """``lifecycle.state_of`` as an expression over a row of ``round``."""
    return case(
        (round_.c.void_at.is_not(None), literal(RoundState.VOID.value)),
        (round_.c.countersigned_at.is_not(None), literal(RoundState.COUNTERSIGNED.value)),
        (round_.c.done_at.is_not(None), literal(RoundState.DONE.value)),
        (round_.c.opens_at > now, literal(RoundState.PLANNED.value)),
        (round_.c.late_until <= now, literal(RoundState.MISSED.value)),
        (round_.c.due_at <= now, literal(RoundState.LATE.value)),
        (round_.c.started_at.is_(None), literal(RoundState.DUE.value)),
        else_=literal(RoundState.IN_PROGRESS.value),
    )


def _is_open(now: int) -> ColumnElement[bool]:
    awaits = and_(
        round_.c.done_at.is_not(None),
        round_.c.countersigned_at.is_(None),
        round_.c.countersign_role.is_not(None),
    )
    return or_(awaits, state_at(now).in_([state.value for state in OPEN]))


def _of_site(view: View) -> Select[*tuple[object, ...]]:
    return select(round_).where(round_.c.site_id == view.site)


def _rounds(view: View, query: Select[*tuple[object, ...]]) -> list[Round]:
    rows = view.connection.execute(query).mappings().all()
    counts = _counts(view, [row["id"] for row in rows])
    named = {row[column] for row in rows for column in ("done_by", "countersigned_by")}
    names = people.names(view, named - {None})
    return [round_of(row, counts.get(row["id"], Counts()), names) for row in rows]


def _counts(view: View, ids: Sequence[str]) -> dict[str, Counts]:
    """The items of each round by state; SQLite takes only so many ids in one statement."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for start in range(0, len(ids), 500):
        query = (
            select(
                round_item.c.round_id,
                round_item.c.state,
                func.count(),
                func.count(round_item.c.proof),
            )
            .where(round_item.c.site_id == view.site)
            .where(round_item.c.round_id.in_(ids[start : start + 500]))
            .group_by(round_item.c.round_id, round_item.c.state)
        )
        for round_id, state, lines, automatic in view.connection.execute(query):
            of_round = found[round_id]
            of_round[state] = lines
            of_round["automatic"] = of_round.get("automatic", 0) + automatic
    return {
        round_id: Counts(total=sum(of_round.get(state, 0) for state in ItemState), **of_round)
        for round_id, of_round in found.items()
    }


def _entries(view: View, round_id: str) -> list[RoundEntry]:
    """Oldest first."""
    query = (
        select(round_entry)
        .where(round_entry.c.site_id == view.site, round_entry.c.round_id == round_id)
        .order_by(round_entry.c.change)
    )
    rows = view.connection.execute(query).mappings().all()
    names = people.names(view, {row["by"] for row in rows})
    return [entry_of(row, names) for row in rows]
