"""What the ledger knows of the time of a shift, as lines of its log.

What the system did is not copied: the lines are put together from the alarms, orders, rounds,
tests and deeds of that time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, RowMapping, Select, Table, and_, select

from gateway.model.point import Text
from rules.handover import wording
from rules.handover.wording import ALARM_EVENTS, DEEDS, ORDER_EVENTS, LogKind, LogLine
from rules.ledger.shift_log_view import ShiftLog
from rules.ledger.tables.alarms import alarm, alarm_event
from rules.ledger.tables.handover import handover_event, handover_notice, shift_log
from rules.ledger.tables.orders import order_event, work_order
from rules.ledger.tables.people import audit
from rules.ledger.tables.planned_tests import planned_test, planned_test_event
from rules.ledger.tables.rounds import round_
from rules.ledger.view import View
from rules.people import people
from rules.priority import Priority

Names = Callable[[str], Text | None]
"""How a thing is called that a deed was done to, by the subject of its row of the audit; None: by
its id."""

MOST_LINES = 2000
"""Of each kind in one log; of more the last line says so."""
_CALLING = (Priority.CRITICAL.value, Priority.MAJOR.value)


def lines(view: View, log: ShiftLog, now: int, called: Names) -> list[LogLine]:
    """What the ledger knows of the time of ``log`` until ``now`` (µs UTC), oldest first."""
    span = Span.of(view, log, now)
    found = [
        *_cut_off(_alarm_lines(view, span), span),
        *_cut_off(_order_lines(view, span), span),
        *_round_lines(view, span),
        *_test_lines(view, span),
        *_cut_off(_deed_lines(view, span, called), span),
        *_handover_lines(view, span),
        *_notice_lines(view, span),
    ]
    names = people.names(view, {line.by for line in found if line.by is not None})
    named = [line.named(names) for line in found]
    return sorted(named, key=lambda line: line.at)


def deeds_of(view: View, log: ShiftLog, now: int, called: Names) -> list[LogLine]:
    """What was changed in the time of ``log``: limits, shelves, service; oldest first."""
    found = _deed_lines(view, Span.of(view, log, now), called)
    names = people.names(view, {line.by for line in found if line.by is not None})
    return [line.named(names) for line in found]


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """The time of a log, and between which numbers its rows lie: what grows for years is not
    gone through for one shift."""

    start: int
    end: int
    after_change: int
    after_audit: int
    through_change: int | None
    through_audit: int | None

    @classmethod
    def of(cls, view: View, log: ShiftLog, now: int) -> Span:
        # A shift is opened a little late, so its first rows have numbers of the one before; where
        # it was opened long after, the log after the next one says where its rows end.
        former = _beside(view, log, shift_log.c.starts_at < log.starts_at, last=True)
        later = _beside(view, log, shift_log.c.starts_at >= log.ends_at, last=False, skip=1)
        return cls(
            start=log.starts_at,
            end=min(log.ends_at, now + 1),
            after_change=0 if former is None else former["from_change"],
            after_audit=0 if former is None else former["from_audit"],
            through_change=None if later is None else later["from_change"],
            through_audit=None if later is None else later["from_audit"],
        )

    def holds(self, table: Table) -> ColumnElement[bool]:
        """Of a table whose rows carry the number of their change."""
        return self._between(table.c.at, table.c.change, self.after_change, self.through_change)

    def holds_audit(self) -> ColumnElement[bool]:
        return self._between(audit.c.at, audit.c.number, self.after_audit, self.through_audit)

    def _between(
        self,
        at: ColumnElement[int],
        number: ColumnElement[int],
        after: int,
        through: int | None,
    ) -> ColumnElement[bool]:
        wanted = and_(at >= self.start, at < self.end, number > after)
        return wanted if through is None else and_(wanted, number <= through)


def _beside(
    view: View, log: ShiftLog, where: ColumnElement[bool], *, last: bool, skip: int = 0
) -> RowMapping | None:
    order = shift_log.c.starts_at.desc() if last else shift_log.c.starts_at
    query = (
        select(shift_log.c.from_change, shift_log.c.from_audit)
        .where(shift_log.c.site_id == view.site, shift_log.c.id != log.id, where)
        .order_by(order)
        .offset(skip)
        .limit(1)
    )
    return view.connection.execute(query).mappings().one_or_none()


def _rows(view: View, query: Select[*tuple[object, ...]]) -> Sequence[RowMapping]:
    return view.connection.execute(query.limit(MOST_LINES)).mappings().all()


def _cut_off(lines: Sequence[LogLine], span: Span) -> Sequence[LogLine]:
    """Nothing is left out without a word."""
    if len(lines) < MOST_LINES:
        return lines
    return [*lines, wording.cut_off(lines[-1].kind, span.end - 1, MOST_LINES)]


def _alarm_lines(view: View, span: Span) -> list[LogLine]:
    """Of those that call somebody."""
    query = (
        select(
            alarm_event,
            alarm.c.name,
            alarm.c.equipment_name,
            alarm.c.priority,
        )
        .join(
            alarm,
            and_(alarm.c.site_id == alarm_event.c.site_id, alarm.c.id == alarm_event.c.alarm_id),
        )
        .where(alarm_event.c.site_id == view.site, span.holds(alarm_event))
        .where(alarm_event.c.event.in_(list(ALARM_EVENTS)), alarm.c.priority.in_(_CALLING))
        .order_by(alarm_event.c.change)
    )
    return [
        wording.of_alarm(
            at=row["at"],
            alarm=row["alarm_id"],
            event=row["event"],
            name=Text(**row["name"]),
            equipment=Text(**row["equipment_name"]),
            priority=row["priority"],
            by=row["by"],
            why=row["why"],
        )
        for row in _rows(view, query)
    ]


def _order_lines(view: View, span: Span) -> list[LogLine]:
    query = (
        select(order_event, work_order.c.number, work_order.c.title, work_order.c.priority)
        .join(
            work_order,
            and_(
                work_order.c.site_id == order_event.c.site_id,
                work_order.c.id == order_event.c.order_id,
            ),
        )
        .where(order_event.c.site_id == view.site, span.holds(order_event))
        .where(order_event.c.event.in_(list(ORDER_EVENTS)))
        .order_by(order_event.c.change)
    )
    return [
        wording.of_order(
            at=row["at"],
            order=row["order_id"],
            number=row["number"],
            event=row["event"],
            title=Text(**row["title"]),
            priority=row["priority"],
            by=row["by"],
            why=row["why"],
        )
        for row in _rows(view, query)
    ]


def _round_lines(view: View, span: Span) -> list[LogLine]:
    """Done, countersigned, and those whose time passed without anybody."""
    here = round_.c.site_id == view.site
    found = []
    for happened, column, by, more in (
        ("done", round_.c.done_at, "done_by", None),
        ("countersigned", round_.c.countersigned_at, "countersigned_by", None),
        ("missed", round_.c.late_until, None, round_.c.done_at.is_(None)),
    ):
        within = and_(column >= span.start, column < span.end)
        query = select(round_).where(here, within, round_.c.void_at.is_(None))
        for row in _rows(view, query if more is None else query.where(more)):
            found.append(
                wording.of_round(
                    at=row[column.name],
                    round_id=row["id"],
                    happened=happened,
                    name=Text(**row["name"]),
                    area=None if row["area_name"] is None else Text(**row["area_name"]),
                    by=None if by is None else row[by],
                )
            )
    return found


def _test_lines(view: View, span: Span) -> list[LogLine]:
    query = (
        select(planned_test_event, planned_test.c.name)
        .join(
            planned_test,
            and_(
                planned_test.c.site_id == planned_test_event.c.site_id,
                planned_test.c.id == planned_test_event.c.test_id,
            ),
        )
        .where(planned_test_event.c.site_id == view.site, span.holds(planned_test_event))
        .where(planned_test_event.c.event.in_(list(wording.TEST_EVENTS)))
        .order_by(planned_test_event.c.change)
    )
    return [
        wording.of_test(
            at=row["at"],
            test=row["test_id"],
            event=row["event"],
            name=row["name"],
            by=row["by"],
        )
        for row in _rows(view, query)
    ]


def _deed_lines(view: View, span: Span, called: Names) -> list[LogLine]:
    query = (
        select(audit)
        .where(audit.c.site_id == view.site, span.holds_audit())
        .where(audit.c.action.in_(list(DEEDS)))
        .order_by(audit.c.number)
    )
    rows = _rows(view, query)
    names = _alarm_names(view, [row["subject"] for row in rows])
    return [
        wording.of_deed(
            at=row["at"],
            action=row["action"],
            subject=row["subject"],
            named=names.get(row["subject"]) or called(row["subject"]),
            detail=row["detail"],
            by=row["by"],
        )
        for row in rows
    ]


def _handover_lines(view: View, span: Span) -> list[LogLine]:
    query = (
        select(handover_event)
        .where(handover_event.c.site_id == view.site, span.holds(handover_event))
        .order_by(handover_event.c.change)
    )
    return [
        LogLine(
            at=row["at"],
            kind=LogKind.HANDOVER,
            event=row["event"],
            about=row["handover_id"],
            text=wording.HANDOVER_EVENTS[row["event"]],
            by=row["by"],
            note=row["why"],
        )
        for row in _rows(view, query)
    ]


def _notice_lines(view: View, span: Span) -> list[LogLine]:
    of = handover_notice.c
    query = select(handover_notice).where(of.site_id == view.site, of.at >= span.start)
    rows = _rows(view, query.where(of.at < span.end).order_by(of.at))
    names = people.names(view, {one for row in rows for one in row["people"]})
    return [
        wording.of_notice(
            at=row["at"],
            handover=row["handover_id"],
            kind=row["kind"],
            told=[names.get(one, one) for one in row["people"]],
        )
        for row in rows
    ]


def _alarm_names(view: View, ids: Sequence[str]) -> Mapping[str, Text]:
    """How an alarm that a deed was done to is called, with its equipment."""
    if not ids:
        return {}
    query = select(alarm.c.id, alarm.c.name, alarm.c.equipment_name).where(
        alarm.c.site_id == view.site, alarm.c.id.in_(ids[:500])
    )
    return {
        row["id"]: wording.alarm_title(Text(**row["equipment_name"]), Text(**row["name"]))
        for row in view.connection.execute(query).mappings()
    }
