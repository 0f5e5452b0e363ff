"""What a month of work orders was like: visited, in time, done again, satisfied.

Each figure is a count of a count: what it counts of says its name. With nothing to count of there
is no rate, not one of 0 or of 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Any

from sqlalchemy import Connection, and_, select

from rules.ledger.rows import OrderSource
from rules.ledger.tables.orders import order_clock, order_event, work_order
from rules.orders.clock import ClockName
from rules.orders.lifecycle import OrderEvent, OrderState
from rules.orders.targets import Indicator, visit_until
from rules.shifts.calendar import Calendar
from rules.shifts.local_time import instant_at

NOT_SATISFIED = "not satisfied"
"""How the reason begins of work that is done again because its owner wants it."""
_NO_REPAIR = (OrderSource.PLAN,)
_AGAIN = (OrderEvent.RELAPSE.value, OrderEvent.REJECT.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def percent(self) -> float | None:
        return None if self.of == 0 else 100 * self.count / self.of


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderFigures:
    month: date
    """Its first day."""
    start: int
    end: int
    """µs UTC."""
    shares: Mapping[Indicator, Share]


def month_of(day: date, zone: tzinfo) -> tuple[date, int, int]:
    """The month of ``day``: its first day, when it begins and when the next one does (µs UTC)."""
    first = day.replace(day=1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return first, instant_at(first, 0, zone), instant_at(following, 0, zone)


def read(
    connection: Connection, site: str, month: date, calendar: Calendar, visit_within_days: int
) -> OrderFigures:
    """Of the month that ``month`` lies in, by the days of the site.

    ``visit_within_days``: working days from the work found good to the visit.
    """
    first, start, end = month_of(month, calendar.zone)
    reader = _Reader(connection, site, start, end)
    return OrderFigures(
        month=first,
        start=start,
        end=end,
        shares={
            Indicator.VISITED: reader.visited(calendar, visit_within_days),
            Indicator.IN_TIME: reader.in_time(),
            Indicator.REOPENED: reader.reopened(),
            Indicator.SATISFIED: reader.satisfied(),
        },
    )


def is_visited_in_time(verified_at: int, visited_at: int, calendar: Calendar, days: int) -> bool:
    """Within so many working days (``visit_until``)."""
    return visited_at <= visit_until(verified_at, calendar, days)


class _Reader:
    def __init__(self, connection: Connection, site: str, start: int, end: int) -> None:
        self._connection = connection
        self._site = site
        self._start = start
        self._end = end

    def visited(self, calendar: Calendar, days: int) -> Share:
        """Of the requests that were closed in the month."""
        order = work_order.c
        query = select(order.verified_at, order.visited_at).where(
            order.site_id == self._site,
            order.source == OrderSource.REQUEST.value,
            order.state == OrderState.CLOSED.value,
            order.closed_at >= self._start,
            order.closed_at < self._end,
        )
        rows = self._rows(query)
        done = [
            row
            for row in rows
            if row.visited_at is not None
            and is_visited_in_time(
                row.verified_at or row.visited_at, row.visited_at, calendar, days
            )
        ]
        return Share(count=len(done), of=len(rows))

    def in_time(self) -> Share:
        """Of the repairs completed in the month that had a time limit."""
        clock = order_clock.c
        same = and_(clock.site_id == work_order.c.site_id, clock.order_id == work_order.c.id)
        query = (
            select(clock.breached_at)
            .join_from(work_order, order_clock, same)
            .where(clock.name == ClockName.COMPLETE.value, *self._completed())
        )
        rows = self._rows(query)
        return Share(count=sum(row.breached_at is None for row in rows), of=len(rows))

    def reopened(self) -> Share:
        """Of the repairs that were said to be done in the month: a relapse came, the work was
        rejected, or the owner was not satisfied."""
        done = self._orders_with((OrderEvent.COMPLETE.value,))
        again = self._orders_with(_AGAIN)
        return Share(count=len(done & again), of=len(done))

    def satisfied(self) -> Share:
        """Of the visits of the month; who was not satisfied may be visited again."""
        event = order_event.c
        query = select(event.event, event.why).where(
            event.site_id == self._site,
            event.event.in_((OrderEvent.VISIT.value, OrderEvent.REJECT.value)),
            event.at >= self._start,
            event.at < self._end,
        )
        rows = self._rows(query)
        content = sum(row.event == OrderEvent.VISIT for row in rows)
        not_content = sum(
            row.event == OrderEvent.REJECT and (row.why or "").startswith(NOT_SATISFIED)
            for row in rows
        )
        return Share(count=content, of=content + not_content)

    def _completed(self) -> Sequence[Any]:
        """What is completed, and was so in the month."""
        order = work_order.c
        return (
            order.site_id == self._site,
            order.source.not_in([one.value for one in _NO_REPAIR]),
            order.state != OrderState.VOID.value,
            order.completed_wall >= self._start,
            order.completed_wall < self._end,
        )

    def _orders_with(self, events: Sequence[str]) -> set[str]:
        event, order = order_event.c, work_order.c
        same = and_(event.site_id == order.site_id, event.order_id == order.id)
        query = (
            select(event.order_id)
            .join_from(order_event, work_order, same)
            .where(event.site_id == self._site, event.event.in_(events))
            .where(event.at >= self._start, event.at < self._end)
            .where(order.source.not_in([one.value for one in _NO_REPAIR]))
            .where(order.state != OrderState.VOID.value)
        )
        return {row.order_id for row in self._rows(query)}

    def _rows(self, query: Any) -> Sequence[Any]:
        return self._connection.execute(query).all()
