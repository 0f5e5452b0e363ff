"""A message to people, before it is known who gets it and how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import Any

from gateway.model.moment import iso
from gateway.model.point import Text
from rules.ledger.rows import Alarm, words
from rules.rule import Priority


class NoticeKind(StrEnum):
    ALARM_RAISED = "alarm_raised"
    ORDER_BREACHED = "order_breached"
    FINDING_SERIOUS = "finding_serious"


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    id: str
    """A function of what it tells of: telling it again is the same notice."""
    kind: NoticeKind
    at: int
    subject: str
    title: Text
    priority: Priority

    def body(self, zone: tzinfo) -> dict[str, Any]:
        """The notice as a JSON object."""
        return {
            "id": self.id,
            "kind": self.kind.value,
            "at": iso(self.at, zone),
            "subject": self.subject,
            "title": words(self.title),
            "priority": self.priority.value,
        }


def of_alarm(alarm: Alarm) -> Notice:
    return Notice(
        id=f"{NoticeKind.ALARM_RAISED}.{alarm.id}",
        kind=NoticeKind.ALARM_RAISED,
        at=alarm.raised_at,
        subject=alarm.id,
        title=Text(
            zh=f"{alarm.equipment_name.zh} {alarm.name.zh}",
            en=f"{alarm.equipment_name.en}: {alarm.name.en}",
        ),
        priority=alarm.priority,
    )


def of_breach(*, order: str, number: int, title: Text, priority: Priority, at: int) -> Notice:
    return Notice(
        id=f"{NoticeKind.ORDER_BREACHED}.{order}",
        kind=NoticeKind.ORDER_BREACHED,
        at=at,
        subject=order,
        title=Text(
            zh=f"工单 {number} 超时：{title.zh}", en=f"Order {number} is overdue: {title.en}"
        ),
        priority=priority,
    )


def of_finding(*, finding: str, text: Text, priority: Priority, at: int) -> Notice:
    """For the manager, at once (S1 4.5)."""
    return Notice(
        id=f"{NoticeKind.FINDING_SERIOUS}.{finding}",
        kind=NoticeKind.FINDING_SERIOUS,
        at=at,
        subject=finding,
        title=Text(zh=f"巡检重大异常：{text.zh}", en=f"Serious finding: {text.en}"),
        priority=priority,
    )
