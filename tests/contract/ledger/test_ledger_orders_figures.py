"""The figures of a month of orders, on both databases."""

from __future__ import annotations

from datetime import date

import pytest
from duty_room import NOON, SITE, site
from sqlalchemy import insert

from gateway.model.moment import DAY, HOUR
from rules.ledger import order_figures
from rules.ledger.order_figures import OrderFigures, Share
from rules.ledger.store import Entry, Ledger
from rules.ledger.tables.orders import order_clock, order_event, work_order
from rules.orders.targets import Indicator, Target
from rules.shifts.calendar import Calendar

CALENDAR = Calendar(zone=site().zone)
NOVEMBER = date(2026, 11, 30)
FRIDAY_AFTERNOON = NOON - DAY + 4 * HOUR
"""16:00 on 2026-11-20."""
WORDS = {"zh": "x", "en": "x"}


def figures(ledger: Ledger, month: date = NOVEMBER) -> OrderFigures:
    with ledger.read(SITE) as view:
        return order_figures.read(view.connection, view.site, month, CALENDAR, 1)


def order(
    entry: Entry, number: int, *events: tuple[str, int, str | None], **columns: object
) -> None:
    """An order as it lies in the ledger; ``events``: what happened, when and why."""
    row = {
        "site_id": SITE,
        "id": f"o{number}",
        "number": number,
        "source": "request",
        "equipment": f"e{number}",
        "equipment_name": WORDS,
        "area": "b1",
        "category": "lighting",
        "category_name": WORDS,
        "title": WORDS,
        "cause_key": "x",
        "priority": "minor",
        "state": "closed",
        "created_at": NOON - 20 * DAY,
        "close_after": 0,
        "materials": [],
        "promise_postponed": False,
        **columns,
    }
    entry.connection.execute(insert(work_order).values(row))
    for at, (event, when, why) in enumerate(events):
        step = {"event": event, "from_state": "x", "to_state": "x", "at": when, "why": why}
        key = {"site_id": SITE, "change": 100 * number + at, "order_id": f"o{number}"}
        entry.connection.execute(insert(order_event).values({**key, **step}))
    if "completed_wall" in columns:
        clock = {"name": "complete", "limit": HOUR, "calendar": "always", "steps_taken": 0}
        breached = columns["completed_wall"] if number % 2 else None
        key = {"site_id": SITE, "order_id": f"o{number}", "breached_at": breached}
        entry.connection.execute(insert(order_clock).values({**clock, **key}))


def test_each_figure_counts_what_it_says(ledger: Ledger) -> None:
    good, weekend = FRIDAY_AFTERNOON, 2 * DAY
    with ledger.write(SITE) as entry:
        # Found good on Friday, visited on Monday within one working day; and on Tuesday, too late.
        for number, visited in ((1, good + weekend + DAY - HOUR), (2, good + weekend + 2 * DAY)):
            order(
                entry,
                number,
                ("complete", good, None),
                ("visit", visited, "phone"),
                verified_at=good,
                visited_at=visited,
                closed_at=visited,
                completed_wall=good,
            )
        order(entry, 3, closed_at=good)  # Nobody visited it.
        order(entry, 4, closed_at=NOON - 40 * DAY, verified_at=1, visited_at=2)  # Of October.
        order(
            entry,
            5,
            ("complete", good, None),
            ("reject", good + HOUR, "not satisfied, phone: 还漏"),
            state="in_progress",
        )
        order(entry, 6, ("complete", good, None), source="plan", completed_wall=good)
        order(entry, 7, ("complete", good, None), state="void", source="alarm")
    shares = figures(ledger).shares
    assert shares == {
        Indicator.VISITED: Share(count=1, of=3),
        Indicator.IN_TIME: Share(count=1, of=2),
        Indicator.REOPENED: Share(count=1, of=3),
        Indicator.SATISFIED: Share(count=2, of=3),
    }
    assert figures(ledger, date(2026, 10, 5)).shares[Indicator.VISITED].of == 1


def test_a_month_without_orders_has_no_rates(ledger: Ledger) -> None:
    found = figures(ledger, date(2026, 12, 31))
    assert (found.month, found.end - found.start) == (date(2026, 12, 1), 31 * DAY)
    assert {share.percent for share in found.shares.values()} == {None}


@pytest.mark.parametrize(
    ("is_least", "percent", "met"), [(True, 30, True), (True, 29.9, False), (False, 31, False)]
)
def test_a_target_is_the_least_or_the_most(is_least: bool, percent: float, met: bool) -> None:
    target = Target(percent=30, is_least=is_least, source="S0")
    assert target.is_met_by(percent) is met
