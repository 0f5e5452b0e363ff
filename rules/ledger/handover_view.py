"""Reading handovers: each with who has come, what was answered, let pass and signed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, Table, and_, select

from gateway.model.point import Text
from rules.handover.book import Side
from rules.handover.facts import AnswerKind, Given
from rules.handover.lifecycle import OPEN, HandoverState
from rules.handover.telling import Told
from rules.ledger.rows import LifecycleEvent, event_of
from rules.ledger.shift_log_view import ShiftLog
from rules.ledger.tables.handover import (
    handover,
    handover_answer,
    handover_arrival,
    handover_event,
    handover_notice,
    handover_override,
    handover_signature,
)
from rules.ledger.view import View
from rules.people import people


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    username: str
    name: str
    stands_in: bool
    note: str | None
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    kind: AnswerKind
    subject: str
    value: int
    note: str | None
    by: str
    by_name: str
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    found: str
    """The id of what was let pass."""
    block: str
    subject: str
    text: Text
    """What it said then."""
    reason: str
    by: str
    by_name: str
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Notified:
    """Somebody was told that it is late, or stopped."""

    kind: Told
    people: Sequence[str]
    """Names; empty: everybody who hears of notices."""
    text: Text
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    side: Side
    username: str
    name: str
    via: str
    at: int
    text: str
    """What was signed."""
    hash: str
    withdrawn_at: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Handover:
    """Times in µs UTC."""

    id: str
    """That of the shift which ends."""
    next_date: date
    next_shift: str
    next_name: Text
    next_team: str
    next_team_name: Text
    next_starts_at: int
    next_ends_at: int
    state: HandoverState
    prepared_at: int
    met_at: int | None
    signed_at: int | None
    lapsed_at: int | None
    arrivals: Sequence[Arrival]
    answers: Sequence[Answer]
    """The newest of each subject."""
    overrides: Sequence[Override]
    signatures: Sequence[Signature]
    """Withdrawn ones too, in their order."""
    notices: Sequence[Notified]
    """Oldest first."""

    @property
    def next_id(self) -> str:
        """Of the log of the shift that takes over."""
        return f"{self.next_date.isoformat()}.{self.next_shift}"

    @property
    def given(self) -> Mapping[tuple[AnswerKind, str], Given]:
        return {
            (one.kind, one.subject): Given(value=one.value, note=one.note) for one in self.answers
        }

    @property
    def passed(self) -> frozenset[str]:
        """The ids of what a manager has let pass."""
        return frozenset(one.found for one in self.overrides)

    def signature(self, side: Side) -> Signature | None:
        """The one in force."""
        found = [one for one in self.signatures if one.side is side and one.withdrawn_at is None]
        return found[-1] if found else None


def handover_with(view: View, handover_id: str) -> Handover | None:
    found = _handovers(view, _of_site(view).where(handover.c.id == handover_id))
    return found[0] if found else None


def handovers(
    view: View,
    *,
    only_open: bool = False,
    limit: int | None = None,
    before: tuple[int, str] | None = None,
) -> list[Handover]:
    """The newest first; ``before``: (next_starts_at, id) of the last one seen."""
    query = _of_site(view).order_by(handover.c.next_starts_at.desc(), handover.c.id.desc())
    if only_open:
        query = query.where(handover.c.state.in_([state.value for state in OPEN]))
    if before is not None:
        at, last = before
        same = and_(handover.c.next_starts_at == at, handover.c.id < last)
        query = query.where((handover.c.next_starts_at < at) | same)
    return _handovers(view, query.limit(limit))


def known(view: View, ids: Sequence[str]) -> set[str]:
    """Which of the shifts ``ids`` have one."""
    query = select(handover.c.id).where(handover.c.site_id == view.site, handover.c.id.in_(ids))
    return set(view.connection.execute(query).scalars())


def handovers_of(view: View, ids: Sequence[str]) -> list[Handover]:
    """By the ids of their shifts, as far as there are any."""
    return _handovers(view, _of_site(view).where(handover.c.id.in_(ids)))


def handover_before(view: View, log: ShiftLog) -> Handover | None:
    """By which the shift of ``log`` has begun."""
    query = _of_site(view).where(
        handover.c.next_date == log.date, handover.c.next_shift == log.shift
    )
    found = _handovers(view, query.order_by(handover.c.next_starts_at.desc()).limit(1))
    return found[0] if found else None


def events(view: View, handover_id: str) -> list[LifecycleEvent]:
    """Oldest first."""
    query = (
        select(handover_event)
        .where(handover_event.c.site_id == view.site, handover_event.c.handover_id == handover_id)
        .order_by(handover_event.c.change)
    )
    return [event_of(row) for row in view.connection.execute(query).mappings()]


_AS_THEY_LIE = (
    "id",
    "next_date",
    "next_shift",
    "next_team",
    "next_starts_at",
    "next_ends_at",
    "prepared_at",
    "met_at",
    "signed_at",
    "lapsed_at",
)


def _of_site(view: View) -> Select[Any]:
    return select(handover).where(handover.c.site_id == view.site)


def _handovers(view: View, query: Select[Any]) -> list[Handover]:
    rows = view.connection.execute(query).mappings().all()
    ids = [row["id"] for row in rows]
    arrivals = _parts(view, ids, handover_arrival, "at", "username")
    answers = _parts(view, ids, handover_answer, "change", "by")
    overrides = _parts(view, ids, handover_override, "at", "by")
    signatures = _parts(view, ids, handover_signature, "number", "username")
    notices = _notices(view, ids)
    return [
        Handover(
            **{name: row[name] for name in _AS_THEY_LIE},
            next_name=Text(**row["next_name"]),
            next_team_name=Text(**row["next_team_name"]),
            state=HandoverState(row["state"]),
            arrivals=[
                Arrival(
                    username=one["username"],
                    name=one["called"],
                    stands_in=one["stands_in"],
                    note=one["note"],
                    at=one["at"],
                )
                for one in arrivals[row["id"]]
            ],
            answers=_newest(answers[row["id"]]),
            overrides=[
                Override(
                    found=one["found"],
                    block=one["block"],
                    subject=one["subject"],
                    text=Text(**one["text"]),
                    reason=one["reason"],
                    by=one["by"],
                    by_name=one["called"],
                    at=one["at"],
                )
                for one in overrides[row["id"]]
            ],
            signatures=[
                Signature(
                    side=Side(one["side"]),
                    username=one["username"],
                    name=one["called"],
                    via=one["via"],
                    at=one["at"],
                    text=one["text"],
                    hash=one["hash"],
                    withdrawn_at=one["withdrawn_at"],
                )
                for one in signatures[row["id"]]
            ],
            notices=notices[row["id"]],
        )
        for row in rows
    ]


def _notices(view: View, ids: Sequence[str]) -> Mapping[str, list[Notified]]:
    found: defaultdict[str, list[Notified]] = defaultdict(list)
    if not ids:
        return found
    of = handover_notice.c
    query = select(handover_notice).where(of.site_id == view.site, of.handover_id.in_(ids))
    rows = view.connection.execute(query.order_by(of.at)).mappings().all()
    names = people.names(view, {one for row in rows for one in row["people"]})
    for row in rows:
        found[row["handover_id"]].append(
            Notified(
                kind=Told(row["kind"]),
                people=[names.get(one, one) for one in row["people"]],
                text=Text(**row["text"]),
                at=row["at"],
            )
        )
    return found


def _newest(rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
    """Of each subject the last, in the order of their first answers."""
    found: dict[tuple[str, str], Answer] = {}
    for row in rows:
        found[row["kind"], row["subject"]] = Answer(
            kind=AnswerKind(row["kind"]),
            subject=row["subject"],
            value=row["value"],
            note=row["note"],
            by=row["by"],
            by_name=row["called"],
            at=row["at"],
        )
    return list(found.values())


def _parts(
    view: View, ids: Sequence[str], table: Table, order: str, whose: str
) -> Mapping[str, list[dict[str, Any]]]:
    """The rows of ``table`` by handover, in order; ``called`` is the name of whose each is."""
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    if not ids:
        return found
    query = (
        select(table)
        .where(table.c.site_id == view.site, table.c.handover_id.in_(ids))
        .order_by(table.c[order])
    )
    rows = view.connection.execute(query).mappings().all()
    names = people.names(view, {row[whose] for row in rows})
    for row in rows:
        called = names.get(row[whose], row[whose])
        found[row["handover_id"]].append({**row, "called": called})
    return found
