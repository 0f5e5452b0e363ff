"""A message to people, before it is known who gets it and how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from gateway.model.equipment import Site
from gateway.model.moment import iso, stamp
from gateway.model.point import Text
from rules.ledger.rows import Alarm, words
from rules.rule import Guidance, Priority


class NoticeKind(StrEnum):
    ALARM_RAISED = "alarm_raised"
    ALARM_AGAIN = "alarm_again"
    """Its acknowledgement has expired, its shelf is over, or what explained it is gone."""
    ORDER_ASSIGNED = "order_assigned"
    ORDER_BREACHED = "order_breached"
    ORDER_ESCALATED = "order_escalated"
    """Somebody higher hears of it."""
    NOBODY_THERE = "nobody_there"
    """A step of an escalation, or a shift, has nobody in it."""
    REQUEST_RECEIVED = "request_received"
    FINDING_SERIOUS = "finding_serious"
    ROUND_LATE = "round_late"
    ROUND_MISSED = "round_missed"
    REGISTER_DATE = "register_date"
    """A date in the equipment register comes near or has passed."""
    PLAN_AHEAD = "plan_ahead"
    """Maintenance that has to be announced before its day."""
    HANDOVER_STOPPED = "handover_stopped"
    HANDOVER_OVERDUE = "handover_overdue"
    HANDOVER_ESCALATED = "handover_escalated"
    """A shift that is not handed over: stopped by a fault, late, and still not done."""
    CHANNEL_TEST = "channel_test"
    """Somebody tries whether a channel reaches them."""
    DIGEST = "digest"
    """Several others, gathered."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    id: str
    """A function of what it tells of: telling it again is the same notice."""
    kind: NoticeKind
    at: int
    subject: str
    title: Text
    priority: Priority
    to: tuple[str, ...] = ()
    """User names of those who are meant; empty: everybody who hears of notices."""
    life_safety: bool = False
    """Fire or entrapment: never held back, never put into a digest, said again in doubt."""

    area: str | None = None
    """Id."""
    equipment: Text | None = None
    guidance: Text | None = None
    """What to do first."""
    contractor_link: str | None = None
    """Id of the link of whoever is meant, where they have one; never its token."""

    def body(self, site: Site) -> dict[str, Any]:
        """The notice as a JSON object; it says where it is from, for one receiver may have
        several sites."""
        area = None if self.area is None else site.areas.get(self.area)
        body = {
            "id": self.id,
            "kind": self.kind.value,
            "at": iso(self.at, site.zone),
            "subject": self.subject,
            "title": words(self.title),
            "priority": self.priority.value,
            "life_safety": self.life_safety,
            "site": {"id": site.id, **words(site.name)},
            "area": None if area is None else {"id": area.id, **words(area.name)},
            "equipment": None if self.equipment is None else words(self.equipment),
            "guidance": None if self.guidance is None else words(self.guidance),
        }
        if self.contractor_link is not None:
            body["contractor_link"] = self.contractor_link
        return body


def of_alarm(alarm: Alarm) -> Notice:
    return Notice(
        id=f"{NoticeKind.ALARM_RAISED}.{alarm.id}",
        kind=NoticeKind.ALARM_RAISED,
        at=alarm.raised_at,
        subject=alarm.id,
        title=_title(alarm),
        priority=alarm.priority,
        life_safety=alarm.life_safety,
        area=alarm.area,
        equipment=alarm.equipment_name,
        guidance=_first(alarm.guidance),
    )


def of_alarm_again(alarm: Alarm, at: int) -> Notice:
    """It calls again at ``at``: each time is another notice."""
    return Notice(
        id=f"{NoticeKind.ALARM_AGAIN}.{alarm.id}.{stamp(at)}",
        kind=NoticeKind.ALARM_AGAIN,
        at=at,
        subject=alarm.id,
        title=_title(alarm),
        priority=alarm.priority,
        life_safety=alarm.life_safety,
        area=alarm.area,
        equipment=alarm.equipment_name,
        guidance=_first(alarm.guidance),
    )


def _first(guidance: Guidance) -> Text | None:
    """Its first line: the others are on the page."""
    if not guidance.zh or not guidance.en:
        return None
    return Text(zh=guidance.zh[0], en=guidance.en[0])


def _title(alarm: Alarm) -> Text:
    return Text(
        zh=f"{alarm.equipment_name.zh} {alarm.name.zh}",
        en=f"{alarm.equipment_name.en}: {alarm.name.en}",
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


def of_round(
    *, round_id: str, name: Text, area: str | None, is_missed: bool, to: tuple[str, ...], at: int
) -> Notice:
    """A round is late, or missed; for those whom its regime names."""
    kind = NoticeKind.ROUND_MISSED if is_missed else NoticeKind.ROUND_LATE
    said = Text(zh="漏检", en="missed") if is_missed else Text(zh="逾期未检", en="late")
    return Notice(
        id=f"{kind}.{round_id}",
        kind=kind,
        at=at,
        subject=round_id,
        title=Text(zh=f"巡检{said.zh}：{name.zh}", en=f"Round {said.en}: {name.en}"),
        priority=Priority.MINOR,
        to=to,
        area=area,
    )


def of_plan_ahead(
    *, due: str, day: date, title: Text, area: str | None, subject_name: Text, at: int
) -> Notice:
    """Maintenance on ``day`` is announced; postponed to another day it is announced again."""
    return Notice(
        id=f"{NoticeKind.PLAN_AHEAD}.{due}.{day.isoformat()}",
        kind=NoticeKind.PLAN_AHEAD,
        at=at,
        subject=due,
        title=title,
        priority=Priority.MINOR,
        area=area,
        equipment=subject_name,
    )


def of_test(*, channel: str, by: str, name: str, key: str, at: int) -> Notice:
    """For whoever tries ``channel``, by that channel alone."""
    return Notice(
        id=f"{NoticeKind.CHANNEL_TEST}.{channel}.{key}",
        kind=NoticeKind.CHANNEL_TEST,
        at=at,
        subject=channel,
        title=Text(zh=f"测试消息，发送人 {name}", en=f"Test message, sent by {name}"),
        priority=Priority.INFO,
        to=(by,),
    )
