"""What is to be done, on the sheet of a handover: orders, rounds, tests and maintenance."""

from __future__ import annotations

from gateway.model.point import Text
from rules.handover.facts import AnswerKind
from rules.handover.sheet import Line
from rules.handover.wording import alarm_title
from rules.inspections.lifecycle import RoundState
from rules.ledger import plan_view, planned_test_view, round_view
from rules.ledger.handover_facts import Scene
from rules.ledger.round_view import Wanted
from rules.orders.lifecycle import OrderState
from rules.planned_tests import PlannedState


def orders(scene: Scene) -> list[Line]:
    lines = []
    for order in scene.orders:
        state = _ORDER_STATES.get(order.state)
        if state is None:
            continue
        who = order.assigned_name or order.assigned_to
        zh = f"#{order.number} {order.title.zh}（{state.zh}{f'，{who}' if who else ''}）"
        en = f"#{order.number} {order.title.en} ({state.en}{f', {who}' if who else ''})"
        repair = scene.facts.answers.get((AnswerKind.REPAIR, order.id))
        why = order.both_crews
        if why is not None or (repair is not None and repair.value == 1):
            zh, en = f"{zh} 须双方共同处理", f"{en} needs both crews"
        if why is not None:
            zh, en = f"{zh}：{why}", f"{en}: {why}"
        lines.append(
            Line(
                text=Text(zh=zh, en=en),
                about=order.id,
                kind="order",
                at=order.created_at,
                mark=order.priority.value,
            )
        )
    return lines


_ORDER_STATES = {
    OrderState.OPEN: Text(zh="待派", en="open"),
    OrderState.ASSIGNED: Text(zh="已派", en="assigned"),
    OrderState.ACCEPTED: Text(zh="已接", en="accepted"),
    OrderState.ON_SITE: Text(zh="到场", en="on site"),
    OrderState.IN_PROGRESS: Text(zh="处理中", en="in progress"),
    OrderState.SUSPENDED: Text(zh="挂起", en="suspended"),
    OrderState.COMPLETED: Text(zh="完工待验收", en="completed, to be verified"),
}


def rounds(scene: Scene) -> list[Line]:
    """What is open, and what was missed on this watch."""
    opened = round_view.rounds(
        scene.view,
        Wanted(opens_from=scene.log.starts_at, opens_before=scene.now, or_open=True),
        now=scene.now,
    )
    lines = []
    for one in opened:
        state = _ROUND_STATES.get(one.state(scene.now))
        if state is None or (one.facts.done_at is not None and one.countersign_role is None):
            continue
        area = None if one.area_name is None else one.area_name
        name = one.name if area is None else alarm_title(area, one.name)
        lines.append(
            Line(
                text=Text(zh=f"{name.zh}（{state.zh}）", en=f"{name.en} ({state.en})"),
                about=one.id,
                kind="round",
                at=one.facts.due_at,
            )
        )
    return lines


_ROUND_STATES = {
    RoundState.DUE: Text(zh="待巡", en="due"),
    RoundState.IN_PROGRESS: Text(zh="进行中", en="in progress"),
    RoundState.LATE: Text(zh="逾期", en="late"),
    RoundState.MISSED: Text(zh="漏检", en="missed"),
    RoundState.DONE: Text(zh="待签认", en="to be countersigned"),
}


def planned(scene: Scene) -> list[Line]:
    """Tests that run and maintenance that comes due before the next shift is over."""
    return [*_planned_tests(scene), *_planned_maintenance(scene)]


def _planned_maintenance(scene: Scene) -> list[Line]:
    """Without what has an order: that is among the orders."""
    lines = []
    for one in plan_view.not_over(scene.view):
        opens = one.facts.opens_at
        if one.order is not None or opens is None or opens >= scene.handover.next_ends_at:
            continue
        subject, name, day = one.subject_name, one.name, one.day
        lines.append(
            Line(
                text=Text(
                    zh=f"保养 {subject.zh} {name.zh}（{day} 到期）",
                    en=f"Maintenance {subject.en}: {name.en} (due {day})",
                ),
                about=one.id,
                kind="plan",
                at=opens,
            )
        )
    return lines


def _planned_tests(scene: Scene) -> list[Line]:
    tests = planned_test_view.planned_tests(
        scene.view, states=[PlannedState.PLANNED.value, PlannedState.RUNNING.value]
    )
    return [
        Line(
            text=Text(
                zh=f"测试 {one.name}（{_TEST_STATES[one.state]}）",
                en=f"Test {one.name} ({one.state.value})",
            ),
            about=one.id,
            kind="test",
            at=one.starts_at,
        )
        for one in reversed(tests)
        if one.starts_at < scene.handover.next_ends_at
    ]


_TEST_STATES = {PlannedState.PLANNED: "计划", PlannedState.RUNNING: "进行中"}
