"""Writing findings: what follows from an item that failed, all in the transaction of the failure.

Serious: an order at once, and the manager is told. Normal: an order in working time. Minor: a
line in the record. The order is the open one of the same cause, where there is one.

An item has one finding in a round. It is made again where the item had passed in between, or
where its order is not running any more: then what was mended is wrong again, and all follows
once more. Its words are those of the last time; what was said before stays in the entries.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, and_, select, update

from gateway.model.equipment import Site
from gateway.model.moment import Instant, stamp
from gateway.model.point import Text
from rules.inspections.items import RoundItem
from rules.inspections.regime import Severity
from rules.ledger import order_rows, orders
from rules.ledger.orders import Trouble
from rules.ledger.roster import calendar_of
from rules.ledger.rows import words
from rules.ledger.store import Entry
from rules.ledger.tables.rounds import round_finding
from rules.notify.notice import of_finding
from rules.notify.posting import post
from rules.orders.book import OrderBook
from rules.orders.lifecycle import RUNNING
from rules.rule import Priority

PRIORITIES: Mapping[Severity, Priority] = {
    Severity.SERIOUS: Priority.MAJOR,
    Severity.NORMAL: Priority.MINOR,
}


def record(
    entry: Entry,
    site: Site,
    round_id: str,
    item: RoundItem,
    *,
    book: OrderBook,
    why: Text,
    now: Instant,
    had_passed: bool = False,
) -> bool:
    """``item`` failed, for ``why``; False if that was found in this round before: no effect.

    ``had_passed``: until now it was in order. ``book`` says how long an order may take.
    """
    finding = f"{round_id}.{item.key}"
    text = Text(
        zh=f"{item.subject_name.zh} {item.name.zh}：{why.zh}",
        en=f"{item.subject_name.en}, {item.name.en}: {why.en}",
    )
    is_first = entry.insert_once(
        round_finding,
        id=finding,
        round_id=round_id,
        item=item.key,
        severity=item.severity.value,
        text=words(text),
        at=now.wall,
    )
    if not is_first:
        if not had_passed and not _has_ended(entry, finding):
            return False
        _set(entry, finding, text=words(text))
    occurrence = finding if is_first else f"{finding}.{stamp(now.wall)}"
    if item.terms is not None:
        trouble = _trouble(occurrence, finding, item, site, now)
        calendar = calendar_of(entry, site)
        reference = orders.answer_trouble(
            entry, trouble, item.terms, at=now, now=now, calendar=calendar, book=book
        )
        _set(entry, finding, order_id=reference.id)
    if item.severity is Severity.SERIOUS:
        priority = PRIORITIES[item.severity]
        notice = of_finding(finding=occurrence, text=text, priority=priority, at=now.wall)
        post(entry, site, notice, now)
    return True


def _has_ended(entry: Entry, finding: str) -> bool:
    """Whether the finding has an order, and nobody is at work on that any more."""
    order_id = entry.connection.execute(
        select(round_finding.c.order_id).where(_row(entry, finding))
    )
    order = order_rows.find(entry, order_id.scalar_one())
    return order is not None and order["state"] not in RUNNING


def _set(entry: Entry, finding: str, **columns: object) -> None:
    entry.connection.execute(update(round_finding).where(_row(entry, finding)).values(**columns))


def _row(entry: Entry, finding: str) -> ColumnElement[bool]:
    return and_(round_finding.c.site_id == entry.site, round_finding.c.id == finding)


def _trouble(occurrence: str, finding: str, item: RoundItem, site: Site, now: Instant) -> Trouble:
    return Trouble(
        id=occurrence,
        name=item.name,
        equipment=item.subject,
        equipment_name=item.subject_name,
        area=item.area or site.id,
        cause_key=item.cause_key,
        priority=PRIORITIES[item.severity],
        at=now.wall,
        finding=finding,
    )
