"""What is known of the round or the order that an entry is about, at the moment it arrives."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import RowMapping, or_, select

from rules.actions.plan_steps import due_of_order
from rules.inspections.judge import ItemState
from rules.inspections.lifecycle import OPEN
from rules.inspections.regime import Proof
from rules.ledger import offline, order_rows, plan_steps, round_view
from rules.ledger.offline import Theirs
from rules.ledger.round_rows import KeptItem, Round
from rules.ledger.store import Entry
from rules.ledger.tables.orders import order_event
from rules.ledger.tables.rounds import round_entry
from rules.ledger.view import View
from rules.offline.protocol import (
    HARMLESS,
    Answer,
    Deed,
    Kind,
    OrderFacts,
    Photo,
    Reason,
    RoundFacts,
    Tick,
)
from rules.orders.lifecycle import OrderState
from rules.people.roles import WHOLE_SITE, Permission
from rules.plans.lifecycle import DueEvent
from rules.refusals import NotFoundError

_PERMISSIONS = {
    Kind.ORDER_ACCEPT: Permission.ACCEPT_ORDER,
    Kind.ORDER_DECLINE: Permission.ACCEPT_ORDER,
}


class LaidOutSoonError(Exception):
    """The round has just opened and has no lines yet: the entry is sent again in a moment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What an entry is about."""

    area: str | None
    """Where its permission is asked for."""
    facts: RoundFacts | OrderFacts
    round: Round | None = None
    _line: KeptItem | None = None
    _answers: list[RowMapping] = field(default_factory=list)
    _steps: list[RowMapping] = field(default_factory=list)
    _assigned_to: str | None = None
    _tick: plan_steps.Tick | None = None
    """Of somebody else, which an entry takes back."""

    @property
    def shown_area(self) -> str | None:
        """None: the whole site."""
        return None if self.area == WHOLE_SITE else self.area

    def theirs(self, reason: Reason | None, now: int) -> Theirs | None:
        """What stands in the way, for ``reason``."""
        match reason:
            case Reason.TWO_ANSWERS if self._tick is not None:
                return Theirs(event=DueEvent.TICK.value, by=self._tick.by, at=self._tick.at)
            case Reason.TWO_ANSWERS | Reason.UNSEEN_ANSWERS:
                return _answer(self._answers[-1]) if self._answers else None
            case Reason.BY_TELEMETRY if self._line is not None and self._line.reading is not None:
                reading = self._line.reading
                return Theirs(
                    state=self._line.state.value, value=reading.value, at=reading.received_at
                )
            case Reason.NOT_OPEN if self.round is not None:
                return _signed(self.round, now)
            case Reason.TAKEN | Reason.MOVED_ON if isinstance(self.facts, OrderFacts):
                return self._stepped()
        return None

    def _stepped(self) -> Theirs:
        last = self._steps[-1] if self._steps else None
        return Theirs(
            state=self.facts.state.value,
            assigned_to=self._assigned_to,
            event=None if last is None else last["event"],
            by=None if last is None else last["by"],
            at=None if last is None else last["at"],
            note=None if last is None else last["why"],
        )


def permission(kind: Kind) -> Permission:
    """What a deed of ``kind`` takes at least; its action asks for the rest."""
    if kind.is_of_round:
        return Permission.ENTER_ROUND
    if kind is Kind.ORDER_PHOTO:
        return Permission.VIEW
    return _PERMISSIONS.get(kind, Permission.COMPLETE_ORDER)


def find(
    entry: Entry,
    kind: Kind,
    subject: str,
    deed: Deed,
    *,
    version: str,
    by: str,
    device: str,
    now: int,
) -> Found:
    """Raises ``NotFoundError``, and :class:`LaidOutSoonError`. ``now``: µs UTC."""
    view = View(connection=entry.connection, site=entry.site)
    item = deed.item if isinstance(deed, Answer | Photo) else None
    seen = offline.seen(view, kind, subject, version, by=by, device=device, item=item)
    waits_for = offline.waiting_before(view, subject, by=by, item=item)
    if kind.is_of_round:
        return _of_round(view, kind, subject, item, seen=seen, waits_for=waits_for, by=by, now=now)
    tick = _tick_of_others(entry, subject, deed, by)
    return _of_order(entry, subject, seen=seen, waits_for=waits_for, by=by, tick=tick)


def _of_round(
    view: View,
    kind: Kind,
    subject: str,
    item: str | None,
    *,
    seen: int,
    waits_for: str | None,
    by: str,
    now: int,
) -> Found:
    found = round_view.round_with(view, subject)
    if found is None:
        raise NotFoundError(f"there is no round {subject}")
    state = found.state(now)
    if state in OPEN and found.opened_at is None:
        raise LaidOutSoonError
    lines = [] if item is None else round_view.items(view, subject, [item])
    line = lines[0] if lines else None
    answers = [] if kind is Kind.ROUND_PHOTO else _answers(view, subject, item, seen=seen, by=by)
    area = found.area if line is None else line.item.area or found.area
    return Found(
        area=area or (WHOLE_SITE if kind is Kind.ROUND_FINISH else None),
        round=found,
        facts=RoundFacts(
            state=state,
            has_line=item is None or line is not None,
            by_telemetry=line is not None and _is_by_telemetry(line),
            others_answers=len(answers),
            waits_for=waits_for,
        ),
        _line=line,
        _answers=answers,
    )


def _of_order(
    entry: Entry,
    subject: str,
    *,
    seen: int,
    waits_for: str | None,
    by: str,
    tick: plan_steps.Tick | None,
) -> Found:
    row = order_rows.find(entry, subject)
    if row is None:
        raise NotFoundError(f"there is no order {subject}")
    query = (
        select(order_event)
        .where(
            order_event.c.site_id == entry.site,
            order_event.c.order_id == subject,
            order_event.c.change > seen,
            order_event.c.event.not_in([event.value for event in HARMLESS]),
            or_(order_event.c.by.is_(None), order_event.c.by != by),
        )
        .order_by(order_event.c.change)
    )
    steps = list(entry.connection.execute(query).mappings())
    return Found(
        area=row["area"],
        facts=OrderFacts(
            state=OrderState(row["state"]),
            is_theirs=row["assigned_to"] == by,
            is_anybodys=row["assigned_to"] is None,
            others_steps=len(steps),
            others_tick=tick is not None,
            waits_for=waits_for,
        ),
        _steps=steps,
        _assigned_to=row["assigned_to"],
        _tick=tick,
    )


def _tick_of_others(entry: Entry, subject: str, deed: Deed, by: str) -> plan_steps.Tick | None:
    """That ``deed`` takes back."""
    if not isinstance(deed, Tick) or deed.done:
        return None
    due = due_of_order(entry, subject)
    if due is None:
        return None
    view = View(connection=entry.connection, site=entry.site)
    tick = plan_steps.ticks(view, due.id).get(deed.number)
    return None if tick is None or tick.by == by else tick


def _answers(view: View, subject: str, item: str | None, *, seen: int, by: str) -> list[RowMapping]:
    """Of others, that the person has not seen, oldest first."""
    query = select(round_entry).where(
        round_entry.c.site_id == view.site,
        round_entry.c.round_id == subject,
        round_entry.c.change > seen,
        round_entry.c.by != by,
    )
    if item is not None:
        query = query.where(round_entry.c.item == item)
    return list(view.connection.execute(query.order_by(round_entry.c.change)).mappings())


def _is_by_telemetry(line: KeptItem) -> bool:
    answered = line.entry is None and line.state in (ItemState.PASSED, ItemState.FAILED)
    return answered or line.item.proof is Proof.COMPLETION


def _answer(row: RowMapping) -> Theirs:
    return Theirs(
        by=row["by"],
        at=row["received_at"],
        value=row["value"],
        passed=row["passed"],
        note=row["note"],
    )


def _signed(found: Round, now: int) -> Theirs:
    facts = found.facts
    by, at = found.done_by, facts.done_at
    if facts.countersigned_at is not None:
        by, at = found.countersigned_by, facts.countersigned_at
    if at is None:
        at = facts.void_at or (facts.late_until if facts.late_until <= now else facts.opens_at)
    return Theirs(state=found.state(now).value, by=by, at=at, note=found.done_note)
