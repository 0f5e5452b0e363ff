"""Writing findings: what follows from an item that failed, all in the transaction of the failure.

Serious: an order at once, and the manager is told. Normal: an order in working time. Minor: a
line in the record. The order is the open one of the same cause, where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import update

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from gateway.model.point import Text
from rules.inspections.items import RoundItem
from rules.inspections.regime import Severity
from rules.ledger import orders, outbox
from rules.ledger.orders import Trouble
from rules.ledger.roster import calendar_of
from rules.ledger.rows import words
from rules.ledger.store import Entry
from rules.ledger.tables.rounds import round_finding
from rules.notify.notice import of_finding
from rules.rule import Priority

PRIORITIES: Mapping[Severity, Priority] = {
    Severity.SERIOUS: Priority.MAJOR,
    Severity.NORMAL: Priority.MINOR,
}


def record(
    entry: Entry, site: Site, round_id: str, item: RoundItem, *, why: Text, now: Instant
) -> bool:
    """``item`` failed, for ``why``; False if that was found in this round before: no effect."""
    finding = f"{round_id}.{item.key}"
    text = Text(
        zh=f"{item.subject_name.zh} {item.name.zh}：{why.zh}",
        en=f"{item.subject_name.en}, {item.name.en}: {why.en}",
    )
    is_new = entry.insert_once(
        round_finding,
        id=finding,
        round_id=round_id,
        item=item.key,
        severity=item.severity.value,
        text=words(text),
        at=now.wall,
    )
    if not is_new:
        return False
    if item.terms is not None:
        trouble = _trouble(finding, item, site, now)
        calendar = calendar_of(entry, site)
        reference = orders.answer_trouble(
            entry, trouble, item.terms, at=now, now=now, calendar=calendar
        )
        entry.connection.execute(
            update(round_finding)
            .where(round_finding.c.site_id == entry.site, round_finding.c.id == finding)
            .values(order_id=reference.id)
        )
    if item.severity is Severity.SERIOUS:
        priority = PRIORITIES[item.severity]
        notice = of_finding(finding=finding, text=text, priority=priority, at=now.wall)
        body = notice.body(site.zone)
        outbox.post(entry, notice.id, body, site.webhooks, priority=priority, now=now)
    return True


def _trouble(finding: str, item: RoundItem, site: Site, now: Instant) -> Trouble:
    return Trouble(
        id=finding,
        name=item.name,
        equipment=item.subject,
        equipment_name=item.subject_name,
        area=item.area or site.id,
        cause_key=item.cause_key,
        priority=PRIORITIES[item.severity],
        at=now.wall,
        is_finding=True,
    )
