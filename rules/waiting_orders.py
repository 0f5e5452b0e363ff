"""Orders that wait for working time: a minor alarm of the night is an order of the next morning.

The wait is a timer of the alarm, so it survives whatever happens; when it is over the calendar is
asked again. Whether to wait says the rule, else the site for its priority.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.model.moment import Instant
from rules.ledger import order_rows, timers
from rules.ledger.alarms import Standing
from rules.ledger.store import Entry
from rules.ledger.timers import TimerKind
from rules.orders.book import OrderBook
from rules.orders.raising import OnReturn, RaisedWhen, Raising
from rules.rule import Rule
from rules.shifts.calendar import Calendar


def waits(
    entry: Entry,
    one: Standing,
    rule: Rule,
    *,
    book: OrderBook,
    calendar: Callable[[], Calendar],
    since: int,
    now: Instant,
) -> bool:
    """Whether the alarm gets its order later, at the first working moment from ``since`` (µs UTC)
    on; then its timer runs.

    Where there is an order of its cause already it joins that at once: nobody is called for it.
    """
    if _raising(rule, book, life_safety=one.life_safety).when is RaisedWhen.AT_ONCE:
        return False
    if order_rows.of_cause(entry, one.equipment, rule.cause_key) is not None:
        return False
    wait = calendar().next_working_moment(since) - now.wall
    if wait <= 0:
        return False
    timers.start(entry, TimerKind.ORDER, one.id, now.plus(wait), allowed=wait)
    return True


def returned(entry: Entry, alarm_id: str, rule: Rule | None, book: OrderBook) -> None:
    """Its condition has returned: an order that waits is not made, unless the site wants it."""
    raising = Raising() if rule is None else _raising(rule, book, life_safety=False)
    if raising.on_return is OnReturn.CANCEL:
        timers.cancel(entry, TimerKind.ORDER, alarm_id)


def _raising(rule: Rule, book: OrderBook, *, life_safety: bool) -> Raising:
    own = None if rule.order is None else rule.order.raising
    life_safety = life_safety or rule.life_safety
    return book.raising.of(rule.priority, life_safety=life_safety, own=own)
