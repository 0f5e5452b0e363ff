"""What the log of a shift says of what happened, in both languages. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.model.point import Text
from rules.alarms.lifecycle import AlarmEvent
from rules.handover.lifecycle import HandoverEvent
from rules.orders.lifecycle import OrderEvent
from rules.planned_tests import PlannedEvent


class LogKind(StrEnum):
    ALARM = "alarm"
    ORDER = "order"
    ROUND = "round"
    TEST = "test"
    DEED = "deed"
    """A shelf, a limit, equipment out of service."""
    HANDOVER = "handover"


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    at: int
    """µs UTC."""
    kind: LogKind
    event: str
    about: str
    """Id of what it is about."""
    text: Text
    priority: str | None = None
    by: str | None = None
    """User name; None: nobody did it."""
    by_name: str | None = None
    note: str | None = None

    def named(self, names: Mapping[str, str]) -> LogLine:
        return self if self.by is None else replace(self, by_name=names.get(self.by, self.by))


ALARM_EVENTS: Mapping[str, Text] = {
    AlarmEvent.RAISE: Text(zh="报警", en="Alarm"),
    AlarmEvent.RELAPSE: Text(zh="再次报警", en="Alarm again"),
    AlarmEvent.ACKNOWLEDGE: Text(zh="确认报警", en="Alarm acknowledged"),
    AlarmEvent.CLEAR: Text(zh="报警恢复", en="Alarm cleared"),
    AlarmEvent.RESET: Text(zh="报警复位", en="Alarm reset"),
    AlarmEvent.SHELF_OVER: Text(zh="搁置到期", en="Shelf over"),
    AlarmEvent.EXPIRE: Text(zh="确认到期", en="Acknowledgement expired"),
}
"""Shelving by hand stands in the audit, with its reason and time."""

ORDER_EVENTS: Mapping[str, Text] = {
    OrderEvent.CREATE: Text(zh="生成工单", en="Order opened"),
    OrderEvent.ASSIGN: Text(zh="派单", en="Order assigned"),
    OrderEvent.DECLINE: Text(zh="退回工单", en="Order declined"),
    OrderEvent.ACCEPT: Text(zh="接单", en="Order accepted"),
    OrderEvent.ARRIVE: Text(zh="到场", en="On site for order"),
    OrderEvent.START: Text(zh="开始处理", en="Work begun on order"),
    OrderEvent.SUSPEND: Text(zh="挂起工单", en="Order suspended"),
    OrderEvent.RESUME: Text(zh="恢复处理", en="Order resumed"),
    OrderEvent.RESUME_ON_SITE: Text(zh="恢复处理", en="Order resumed"),
    OrderEvent.RESUME_ACCEPTED: Text(zh="恢复处理", en="Order resumed"),
    OrderEvent.BREACH: Text(zh="工单超时", en="Order past its limit"),
    OrderEvent.COMPLETE: Text(zh="完工", en="Order completed"),
    OrderEvent.REJECT: Text(zh="返工", en="Order to be done again"),
    OrderEvent.VERIFY: Text(zh="验收", en="Order verified"),
    OrderEvent.RELAPSE: Text(zh="故障重现，工单重开", en="Trouble is back, order reopened"),
    OrderEvent.VISIT: Text(zh="回访", en="Requester visited for order"),
    OrderEvent.CLOSE: Text(zh="关闭工单", en="Order closed"),
    OrderEvent.VOID: Text(zh="作废工单", en="Order void"),
}

TEST_EVENTS: Mapping[str, Text] = {
    PlannedEvent.PLAN: Text(zh="计划测试", en="Test planned"),
    PlannedEvent.START: Text(zh="测试开始", en="Test begun"),
    PlannedEvent.CALL: Text(zh="测试中未确认，转为报警", en="Held alarm called after all"),
    PlannedEvent.PASS: Text(zh="测试结束，全部到达", en="Test over, all alarms came"),
    PlannedEvent.FAIL: Text(zh="测试结束，有缺", en="Test over, alarms missing"),
    PlannedEvent.CANCEL: Text(zh="取消测试", en="Test cancelled"),
}

ROUND_EVENTS: Mapping[str, Text] = {
    "done": Text(zh="巡检完成", en="Round done"),
    "countersigned": Text(zh="巡检签认", en="Round countersigned"),
    "missed": Text(zh="巡检漏检", en="Round missed"),
}

DEEDS: Mapping[str, Text] = {
    "alarm.shelve": Text(zh="搁置报警", en="Alarm shelved"),
    "alarm.unshelve": Text(zh="取消搁置", en="Alarm taken off the shelf"),
    "equipment.out_of_service": Text(zh="设备停用", en="Taken out of service"),
    "equipment.in_service": Text(zh="设备启用", en="Brought back into service"),
    "rule.limit": Text(zh="修改限值", en="Limit changed"),
    "rule.limit_drop": Text(zh="取消本地限值", en="Limit of the site's own dropped"),
    "calendar.put": Text(zh="修改日历", en="Calendar changed"),
    "roster.override": Text(zh="调整排班", en="Roster changed"),
    "roster.override_remove": Text(zh="取消排班调整", en="Change of the roster taken back"),
    "device.command": Text(zh="下发设备指令", en="Device commanded"),
}
"""Actions of the audit that change what the next shift works with."""

HANDOVER_EVENTS: Mapping[str, Text] = {
    HandoverEvent.PREPARE: Text(zh="生成交接班表", en="Handover sheet composed"),
    HandoverEvent.ARRIVE: Text(zh="接班人员签到", en="Relief signed in"),
    HandoverEvent.STOP: Text(zh="发生故障，停止交接", en="Handover stopped by a fault"),
    HandoverEvent.RESUME: Text(zh="故障处理完，继续交接", en="Handover goes on"),
    HandoverEvent.OVERRIDE: Text(zh="经理批准例外", en="Manager let it pass"),
    HandoverEvent.GIVE: Text(zh="交班人员签字", en="Outgoing crew signed"),
    HandoverEvent.TAKE: Text(zh="接班人员签字，交接完成", en="Incoming crew signed"),
    HandoverEvent.LAPSE: Text(zh="未办理交接", en="Nobody signed the handover"),
}


NOTICES: Mapping[str, Text] = {
    "stopped": Text(zh="交接班因故障停止，已通知", en="Told that a fault stops the handover"),
    "overdue": Text(zh="交接班逾期，已通知", en="Told that the handover is overdue"),
    "escalated": Text(zh="交接班仍未办理，已上报", en="Told that the handover is still not done"),
}
"""What people were told of a handover, by the kind of the notice."""


def alarm_title(equipment: Text, name: Text) -> Text:
    return Text(zh=f"{equipment.zh} {name.zh}", en=f"{equipment.en}: {name.en}")


def of_alarm(
    *,
    at: int,
    alarm: str,
    event: str,
    name: Text,
    equipment: Text,
    priority: str,
    by: str | None,
    why: str | None,
) -> LogLine:
    return LogLine(
        at=at,
        kind=LogKind.ALARM,
        event=event,
        about=alarm,
        text=_said(ALARM_EVENTS[event], alarm_title(equipment, name)),
        priority=priority,
        by=by,
        note=why,
    )


def of_order(
    *,
    at: int,
    order: str,
    number: int,
    event: str,
    title: Text,
    priority: str,
    by: str | None,
    why: str | None,
) -> LogLine:
    numbered = Text(zh=f"#{number} {title.zh}", en=f"#{number} {title.en}")
    return LogLine(
        at=at,
        kind=LogKind.ORDER,
        event=event,
        about=order,
        text=_said(ORDER_EVENTS[event], numbered),
        priority=priority,
        by=by,
        note=why if event in _REASONED else None,
    )


_REASONED = (
    OrderEvent.DECLINE,
    OrderEvent.SUSPEND,
    OrderEvent.COMPLETE,
    OrderEvent.REJECT,
    OrderEvent.VERIFY,
    OrderEvent.VOID,
)
"""Steps of which the reason is a sentence of somebody, and not the id of something."""


def of_round(
    *, at: int, round_id: str, happened: str, name: Text, area: Text | None, by: str | None
) -> LogLine:
    where = name if area is None else Text(zh=f"{area.zh} {name.zh}", en=f"{area.en}: {name.en}")
    return LogLine(
        at=at,
        kind=LogKind.ROUND,
        event=happened,
        about=round_id,
        text=_said(ROUND_EVENTS[happened], where),
        by=by,
    )


def of_test(*, at: int, test: str, event: str, name: str, by: str | None) -> LogLine:
    return LogLine(
        at=at,
        kind=LogKind.TEST,
        event=event,
        about=test,
        text=_said(TEST_EVENTS[event], Text(zh=name, en=name)),
        by=by,
    )


def of_deed(
    *,
    at: int,
    action: str,
    subject: str,
    named: Text | None,
    detail: Mapping[str, object],
    by: str,
) -> LogLine:
    reason = detail.get("reason") or detail.get("note")
    return LogLine(
        at=at,
        kind=LogKind.DEED,
        event=action,
        about=subject,
        text=_said(DEEDS[action], named or Text(zh=subject, en=subject)),
        by=by,
        note=None if reason is None else str(reason),
    )


def of_notice(*, at: int, handover: str, kind: str, told: Sequence[str]) -> LogLine:
    """``told``: names; empty: everybody who hears of notices."""
    names = "、".join(told)
    whom = Text(zh=names or "全部通知对象", en=names or "everybody who hears of notices")
    return LogLine(
        at=at,
        kind=LogKind.HANDOVER,
        event=kind,
        about=handover,
        text=_said(NOTICES[kind], whom),
    )


def cut_off(kind: LogKind, at: int, most: int) -> LogLine:
    """Of one kind there are more than ``most``."""
    text = Text(
        zh=f"此类记录只列出前 {most} 条", en=f"only the first {most} of this kind are listed"
    )
    return LogLine(at=at, kind=kind, event="cut_off", about="", text=text)


def _said(what: Text, about: Text) -> Text:
    return Text(zh=f"{what.zh}：{about.zh}", en=f"{what.en}: {about.en}")
