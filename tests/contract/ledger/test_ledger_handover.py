"""Shifts and their handover in the ledger: logs, the sheet, what forbids it, who signs."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import orjson
import pytest
from alarm_room import SITE, person
from handover_room import CHEN, CREWS, DAY, NAME, NIGHT, TODAY, HandoverRoom
from inspections import item, regime
from plan_book import every, plan
from round_desk import HERE as ROUNDS_HERE
from round_desk import TODAY as ROUND
from round_desk import Desk as RoundDesk
from staff import hire

from gateway.model.moment import HOUR
from rules.actions import alarms as alarm_actions
from rules.actions import order_crews
from rules.actions import orders as order_actions
from rules.actions.act import Act
from rules.alarms.lifecycle import AlarmState
from rules.handover import actions
from rules.handover.actions import BlockedError
from rules.handover.book import Side
from rules.handover.facts import AnswerKind
from rules.handover.lifecycle import HandoverState
from rules.handover.sheet import SectionKey, is_as_signed
from rules.handover.telling import Told
from rules.inspections import actions as round_actions
from rules.inspections.compared import Compared
from rules.inspections.judge import NewEntry as RoundEntry
from rules.inspections.regime import Answer
from rules.ledger import audit, handover_records, shift_log, shift_log_view
from rules.ledger.rows import ChangeKind
from rules.ledger.shift_log_view import NewEntry
from rules.ledger.store import Ledger
from rules.lifecycle import IllegalTransitionError
from rules.people.roles import ForbiddenError, Role, Via
from rules.plans.upkeep import Upkeep as PlanUpkeep
from rules.refusals import ConflictError, NotValidError
from rules.shifts import actions as roster
from rules.shifts.duty import Duty, Team
from rules.shifts.rotation import Shift, ShiftDay


@pytest.fixture
def room(ledger: Ledger) -> HandoverRoom:
    """Saturday, noon: the day shift is on."""
    return HandoverRoom(ledger)


def on_order(room: HandoverRoom, order: str) -> Act:
    return Act(room.ledger, SITE, order, person("li"), room.gateway.now)


def test_a_log_is_opened_with_its_shift_and_once(room: HandoverRoom) -> None:
    for _ in range(2):
        room.keep()
    (log,) = room.logs()
    assert (log.id, [one.username for one in log.crew]) == (DAY, ["zhou", "li"])
    room.go_to("20:00")
    room.go_to("20:01")
    assert [log.id for log in room.logs()] == [DAY, NIGHT]
    with room.ledger.read(SITE) as view:
        told = [c.subject for c in view.changes_after(0, 999) if c.kind is ChangeKind.SHIFT]
    assert NIGHT in told


def test_after_downtime_every_shift_since_has_its_log_and_the_old_handovers_have_lapsed(
    room: HandoverRoom,
) -> None:
    room.keep()
    room.go_to("60:00")
    assert [log.id for log in room.logs()] == [
        DAY,
        NIGHT,
        "2026-11-22.day",
        "2026-11-22.night",
        "2026-11-23.day",
    ]
    assert room.history(DAY) == ["prepare", "lapse"]
    assert room.history("2026-11-22.night") == ["prepare"], "it can still be taken over"


def test_the_log_says_what_happened_without_a_copy_of_it(room: HandoverRoom) -> None:
    room.keep()
    room.say({"pump-1.stopped": 1, "pump-2.drip": 1}, after=60)
    stopped = room.one("pump-1", "pump-stopped")
    room.acknowledge(stopped, person("zhou"))
    assert stopped.order is not None
    order_actions.accept(on_order(room, stopped.order.id))
    room.shelve(room.one("pump-2", "drip"), actor=person("zhou"))
    lines = room.lines()
    assert {
        "报警：设备 pump-1 规则 pump-stopped",
        "生成工单：#1 设备 pump-1 规则 pump-stopped",
        "确认报警：设备 pump-1 规则 pump-stopped",
        "接单：#1 设备 pump-1 规则 pump-stopped",
    } <= set(lines)
    assert "搁置报警：设备 pump-2 规则 drip" in lines
    assert not any(line.startswith("报警：设备 pump-2") for line in lines), "a minor alarm"
    room.go_to("20:30")
    assert not set(lines) & set(room.lines(NIGHT)), "what was before is not of the night"
    assert set(lines) <= set(room.lines()), "and stays with the day"


def test_what_people_write_is_added_to_and_never_overwritten(room: HandoverRoom) -> None:
    room.keep()
    first = room.write("zhou", "2 号泵异响")
    second = room.write("li", "应为 1 号泵异响", corrects=first)
    assert [(one.id, one.text, one.corrects) for one in room.entries()] == [
        (first, "2 号泵异响", None),
        (second, "应为 1 号泵异响", first),
    ]
    again = NewEntry(id=first, text="2 号泵异响", happened_at=room.gateway.now.wall)
    actions.write(room.act("zhou"), room.site, again)
    assert len(room.entries()) == 2
    with pytest.raises(ConflictError, match="was used for another"):
        actions.write(room.act("zhou"), room.site, replace(again, text="无异响"))
    ahead = NewEntry(id=str(uuid4()), text="x", happened_at=room.gateway.now.wall + 10**9)
    with pytest.raises(NotValidError, match="has not happened"):
        actions.write(room.act("zhou"), room.site, ahead)
    with pytest.raises(ForbiddenError):
        actions.write(room.act(person("lin", Role.PROJECT_MANAGER)), room.site, again)
    room.go_to("44:00")
    room.keep()
    with pytest.raises(ConflictError, match="closed"):
        room.write("zhou", "late")
    room.write("zhou", "补记：已换轴承", corrects=first)


def test_the_sheet_composes_itself_20_minutes_before_the_end(room: HandoverRoom) -> None:
    room.keep()
    room.go_to("19:39")
    assert room.history() == []
    room.say({"pump-1.stopped": 1, "pump-2.drip": 1})
    room.shelve(room.one("pump-2", "drip"))
    room.write("zhou", "钥匙在抽屉")
    room.go_to("19:40")
    assert room.history() == ["prepare"]
    assert room.section(SectionKey.RUNNING) == ["设备 pump-1：运行", "设备 pump-2：停止"]
    assert room.section(SectionKey.ALARMS) == ["设备 pump-1 规则 pump-stopped（未确认） 工单 #1"]
    (shelf,) = room.section(SectionKey.SHELVED)
    assert shelf.endswith("（待接班确认）")
    assert room.section(SectionKey.ORDERS)[0].startswith("#1 设备 pump-1")
    assert room.section(SectionKey.CHANGES)[0].startswith("搁置报警：设备 pump-2 规则 drip")
    assert room.section(SectionKey.WRITTEN) == ["钥匙在抽屉（某zhou）"]


def test_s1_4_1_6_both_sign_and_what_they_signed_is_frozen(room: HandoverRoom) -> None:
    room.meet()
    assert room.blocks() == []
    room.give()
    room.say({"pump-2.drip": 1}, after=60)
    room.keep()
    with pytest.raises(ConflictError, match="not of the incoming"):
        room.take("li")
    room.take()
    of = room.handover
    assert of.state is HandoverState.SIGNED
    outgoing, incoming = of.signature(Side.OUTGOING), of.signature(Side.INCOMING)
    assert outgoing is not None
    assert incoming is not None
    assert (outgoing.username, incoming.username) == ("zhou", "wu")
    assert is_as_signed(incoming.text, incoming.hash)
    signed = orjson.loads(incoming.text)
    assert signed["given"] == outgoing.hash, "the incoming crew signs what was given"
    assert [one["value"] for one in signed["counts"]] == [1, 1, 1, 1]
    since = signed["sheet"][-1]
    assert since["key"] == "since"
    assert "drip" in since["lines"][0]["text"]["zh"], "a lesser fault is carried over"
    before = incoming.text
    room.say({"pump-1.stopped": 1})
    room.keep()
    with pytest.raises(ConflictError, match="is signed"):
        room.take()
    assert room.handover.signatures[-1].text == before
    with room.ledger.read(SITE) as view:
        deeds = [row.action for row in audit.rows(view) if row.action.startswith("handover.")]
    assert deeds[-2:] == ["handover.give", "handover.take"]


def test_nobody_signs_for_both_crews_or_by_a_token(room: HandoverRoom) -> None:
    room.meet()
    with pytest.raises(ConflictError, match="not of the outgoing"):
        room.give("wu")
    machine = replace(person("zhou", Role.TECHNICIAN), via=Via.TOKEN)
    with pytest.raises(ForbiddenError):
        actions.give(room.act(machine), room.room())
    with pytest.raises(ConflictError, match="outgoing crew"):
        actions.arrive(room.act("zhou"), room.room(), note="I stay")
    with pytest.raises(IllegalTransitionError):
        room.give()
        room.give("li")


def test_s1_4_1_8_2_without_relief_nobody_hands_over(room: HandoverRoom) -> None:
    room.go_to("19:46")
    assert room.clauses()[3:4] == ["S1 4.1.8.2"]
    with pytest.raises(BlockedError):
        room.give()
    with pytest.raises(NotValidError, match="say who sent them"):
        actions.arrive(room.act("qian"), room.room())
    actions.arrive(room.act("qian"), room.room(), note="孙海请假")
    assert room.handover.arrivals[0].stands_in
    assert "S1 7.2" in room.clauses(), "one of two"


def test_s1_4_1_8_4_an_emergency_or_a_fire_is_being_handled(room: HandoverRoom) -> None:
    room.keep()
    room.say({"fire-1.fire": 1})
    fire = room.one("fire-1", "fire-alarm")
    room.acknowledge(fire, person("zhou"))
    room.meet()
    assert "S1 4.1.8.4" in room.clauses()
    assert fire.order is not None
    order_actions.accept(on_order(room, fire.order.id))
    order_actions.suspend(on_order(room, fire.order.id), why="other_party", note="等消防队")
    assert room.clauses() == [], "a suspended order does not block"
    room.give()


def test_s1_4_1_8_5_a_fault_stops_it_and_stays_with_the_outgoing_crew(room: HandoverRoom) -> None:
    room.meet()
    room.give()
    room.say({"pump-1.stopped": 1}, after=5)
    room.keep()
    assert room.handover.state is HandoverState.STOPPED
    assert room.handover.signature(Side.OUTGOING) is None, "what was signed is withdrawn"
    with pytest.raises(ConflictError):
        room.take()
    room.say({"pump-1.stopped": 0}, after=60)
    room.acknowledge(room.one("pump-1", "pump-stopped"), person("zhou"))
    room.keep()
    assert room.handover.state is HandoverState.MEETING
    room.give()
    room.take()
    assert room.history() == [
        *("prepare", "arrive", "arrive", "give", "stop", "resume", "give", "take")
    ]


def test_a_fault_is_seen_by_who_signs_before_the_service_has_seen_it(room: HandoverRoom) -> None:
    room.meet()
    room.say({"pump-1.leak": 1}, after=5)
    with pytest.raises(BlockedError, match=r"4\.1\.8\.5"):
        room.give()


def test_s1_7_4_a_repair_blocks_until_somebody_says_that_one_crew_can_go_on(
    room: HandoverRoom,
) -> None:
    room.keep()
    room.say({"pump-1.stopped": 1})
    stopped = room.one("pump-1", "pump-stopped")
    assert stopped.order is not None
    order_actions.accept(on_order(room, stopped.order.id))
    order_actions.arrive(on_order(room, stopped.order.id))
    room.meet()
    assert room.clauses() == ["S1 7.4", "S1 7.5"]
    room.answer("li", AnswerKind.REPAIR, stopped.order.id, 1)
    room.answer("li", AnswerKind.EXPLAIN, stopped.id, note="叶轮卡住")
    assert room.clauses() == ["S1 7.4"]
    room.answer("wu", AnswerKind.REPAIR, stopped.order.id, 0)
    assert room.clauses() == []


def test_s1_7_5_an_abnormality_is_explained_in_the_ledger_or_by_the_outgoing_crew(
    room: HandoverRoom,
) -> None:
    room.keep()
    room.say({"pump-1.stopped": 1, "pump-2.leak": 1})
    room.meet()
    assert room.clauses() == ["S1 7.5", "S1 7.5"]
    alarm_id = room.one("pump-1", "pump-stopped").id
    with pytest.raises(NotValidError, match="what is the matter"):
        room.answer("zhou", AnswerKind.EXPLAIN, alarm_id)
    with pytest.raises(ConflictError, match="not of the outgoing"):
        room.answer("wu", AnswerKind.EXPLAIN, alarm_id, note="?")
    room.answer("zhou", AnswerKind.EXPLAIN, alarm_id, note="热继电器动作")
    assert room.clauses() == ["S1 7.5"]
    leak = room.one("pump-2", "leak")
    actions_of = Act(room.ledger, SITE, leak.id, person("li"), room.gateway.now)
    alarm_actions.acknowledge(actions_of, note="机封漏，已垫布")
    assert room.clauses() == []
    assert any("热继电器动作" in line for line in room.section(SectionKey.ALARMS))


def test_s1_7_5_a_unit_of_which_nobody_knows_whether_it_runs(room: HandoverRoom) -> None:
    room.meet()
    room.gateway.clock.advance(60)
    assert room.clauses() == ["S1 7.5", "S1 7.5"]
    assert room.section(SectionKey.RUNNING)[0] == "设备 pump-1：不明"
    room.answer("zhou", AnswerKind.EXPLAIN, "pump-1", note="网关检修")
    assert len(room.clauses()) == 1


def test_s1_7_6_a_count_that_differs_is_told_with_a_note_and_blocks(room: HandoverRoom) -> None:
    room.meet()
    keys = "duty-room.plant-room-keys"
    with pytest.raises(NotValidError):
        room.answer("wu", AnswerKind.COUNT, keys, 0)
    room.answer("wu", AnswerKind.COUNT, keys, 0, "配电房钥匙未还")
    assert room.clauses() == ["S1 7.6"]
    room.answer("li", AnswerKind.COUNT, keys, 1)
    assert room.clauses() == []


def test_the_manager_lets_pass_what_holds_now_with_a_reason_and_nothing_later(
    room: HandoverRoom,
) -> None:
    room.meet()
    room.answer("zhou", AnswerKind.QUESTION, "relief_fit", 0, "发烧")
    with pytest.raises(ForbiddenError):
        room.override("zhou", reason="x")
    with pytest.raises(ForbiddenError):
        room.override(replace(CHEN, via=Via.PIN), reason="x")
    with pytest.raises(NotValidError):
        room.override(CHEN, reason=" ")
    room.override(CHEN, reason="无人替班，已电话确认")
    assert room.clauses() == []
    assert [one.overridden for one in room.blocks()] == [True]
    room.answer("wu", AnswerKind.QUESTION, "rooms_clean", 0, "地面有水")
    assert room.clauses() == ["S1 4.3.3"]
    with room.ledger.read(SITE) as view:
        (deed,) = [row for row in audit.rows(view) if row.action == "handover.override"]
    assert (deed.by, deed.detail["reason"]) == ("chen", "无人替班，已电话确认")


def test_a_shelf_goes_on_only_where_the_incoming_crew_approves_it(room: HandoverRoom) -> None:
    room.keep()
    room.go_to("19:30")
    room.say({"pump-1.drip": 1, "pump-2.drip": 1})
    for pump in ("pump-1", "pump-2"):
        room.shelve(room.one(pump, "drip"), minutes=600)
    room.meet()
    with room.ledger.read(SITE) as view:
        since = {one.alarm.equipment: one.since for one in view.shelves()}
    with pytest.raises(ConflictError, match="incoming"):
        room.answer("zhou", AnswerKind.SHELF, "drip pump-1", since["pump-1"])
    room.answer("wu", AnswerKind.SHELF, "drip pump-1", since["pump-1"])
    room.give()
    room.take()
    room.wait(1)
    states = room.states()
    assert states["pump-1 drip"] is AlarmState.SHELVED
    assert states["pump-2 drip"] is AlarmState.UNACKNOWLEDGED, "it is back and calls"


def test_the_same_answer_twice_is_one(room: HandoverRoom) -> None:
    room.meet()
    new = actions.NewAnswer(
        id=str(uuid4()), kind=AnswerKind.QUESTION, subject="checked", value=1, note=None
    )
    before = room.count("handover_answer")
    for _ in range(2):
        actions.answer(room.act("wu"), room.room(), [new])
    assert room.count("handover_answer") == before + 1
    with pytest.raises(ConflictError, match="was used for another"):
        actions.answer(room.act("wu"), room.room(), [replace(new, value=0, note="x")])


def test_a_manager_lets_pass_what_they_saw_and_not_what_came_meanwhile(room: HandoverRoom) -> None:
    room.go_to("19:46")
    seen = [one.id for one in room.blocks()]
    with pytest.raises(ConflictError, match="nobody can let this pass: Relief absent"):
        room.override(CHEN, reason="x", passed=seen)
    room.meet()
    room.answer("wu", AnswerKind.QUESTION, "rooms_clean", 0, "地面有水")
    (wet,) = [one.id for one in room.blocks()]
    room.say({"fire-1.fire": 1})
    room.override(CHEN, reason="已派保洁", passed=[wet])
    assert "S1 4.1.8.4" in room.clauses(), "nobody had seen the fire"
    assert "S1 4.3.3" not in room.clauses()
    with pytest.raises(ConflictError, match="look again"):
        room.override(CHEN, reason="已派保洁", passed=[wet])


def test_an_explanation_that_comes_twice_is_one_and_may_be_put_right(room: HandoverRoom) -> None:
    room.keep()
    room.say({"pump-1.stopped": 1})
    room.meet()
    alarm_id = room.one("pump-1", "pump-stopped").id
    new = actions.NewAnswer(
        id=str(uuid4()), kind=AnswerKind.EXPLAIN, subject=alarm_id, value=1, note="热继电器"
    )
    for _ in range(2):
        # The answer got lost on its way: the page sends the same again.
        actions.answer(room.act("zhou"), room.room(), [new])
    room.answer("zhou", AnswerKind.EXPLAIN, alarm_id, note="更正：接触器烧坏")
    assert any("接触器烧坏" in line for line in room.section(SectionKey.ALARMS))
    assert room.clauses() == []


def test_who_leads_hears_once_that_nobody_took_over_and_then_the_manager(
    room: HandoverRoom,
) -> None:
    now = room.gateway.now
    hire(room.ledger, room.site, "boss", Role.ENGINEERING_MANAGER, now)
    team = Team(id="a", name=NAME, members=CREWS["a"], leader="zhou")
    roster.put_team(room.ledger, room.site, team, actor=person("chen"), now=now)
    room.go_to("19:46")
    assert room.notices("handover") == []
    for clock in ("20:00", "20:01", "20:29"):
        room.go_to(clock)
    assert [one.people for one in room.handover.notices] == [["某zhou"]]
    for clock in ("20:30", "20:31"):
        room.go_to(clock)
    assert [(one.kind, one.people) for one in room.handover.notices] == [
        (Told.OVERDUE, ["某zhou"]),
        (Told.ESCALATED, ["某boss"]),
    ]
    assert len(room.notices("handover")) == 2
    assert "交接班逾期，已通知：某zhou" in room.section(SectionKey.PEOPLE)
    assert "交接班仍未办理，已上报：某boss" in room.lines(NIGHT)


def test_who_leads_hears_at_once_that_a_fault_stops_it_or_the_foremen_where_nobody_leads(
    room: HandoverRoom,
) -> None:
    room.meet()
    room.say({"pump-1.leak": 1}, after=5)
    room.keep()
    (told,) = room.handover.notices
    assert (told.kind, told.people) == (Told.STOPPED, ["某qian"])
    assert "交接班过程中发生故障" in told.text.zh


def test_a_shift_that_the_roster_has_no_more_is_handed_over_by_who_began_it(
    room: HandoverRoom,
) -> None:
    room.keep()
    roster.put_shifts(
        room.ledger,
        room.site,
        shifts=(Shift(id="whole", name=NAME, starts=480, ends=480),),
        anchor=TODAY,
        pattern=({"whole": "b"},),
        actor=person("chen"),
        now=room.gateway.now,
    )
    room.go_to("19:46")
    by_id = {one.id: one for one in room.logs()}
    assert set(by_id) == {DAY, "2026-11-21.whole"}, "the one that holds now has its log too"
    log = by_id[DAY]
    with room.ledger.read(SITE) as view:
        assert actions.crew_of(view, room.site, log) == ["zhou", "li"]


def test_s1_7_4_whoever_has_an_order_marks_it_as_one_for_both_crews(room: HandoverRoom) -> None:
    room.keep()
    room.say({"pump-1.stopped": 1})
    order = room.one("pump-1", "pump-stopped").order
    assert order is not None
    order_actions.accept(on_order(room, order.id))
    order_actions.arrive(on_order(room, order.id))
    stranger = Act(room.ledger, SITE, order.id, person("wu", Role.TECHNICIAN), room.gateway.now)
    with pytest.raises(ForbiddenError, match="li has the order"):
        order_crews.need_both(stranger, why="x")
    order_crews.need_both(on_order(room, order.id), why="需两人起吊")
    room.meet()
    room.answer("zhou", AnswerKind.EXPLAIN, room.one("pump-1", "pump-stopped").id, note="卡死")
    room.answer("wu", AnswerKind.REPAIR, order.id, 0)
    assert room.clauses() == ["S1 7.4"], "the order says otherwise"
    assert any("须双方共同处理：需两人起吊" in line for line in room.section(SectionKey.ORDERS))
    order_crews.need_both(on_order(room, order.id), why=None)
    assert room.clauses() == []


def test_s1_7_1_equipment_out_of_service_that_runs_is_seen(room: HandoverRoom) -> None:
    room.keep()
    act = Act(room.ledger, SITE, "pump-1", CHEN, room.gateway.now)
    alarm_actions.take_out_of_service(act, room.site, reason="检修", hours=None)
    room.meet()
    assert room.clauses() == ["S1 7.1"]
    room.answer("zhou", AnswerKind.EXPLAIN, "pump-1", note="试运行")
    assert room.clauses() == []


def test_s1_7_1_a_number_of_a_round_that_is_not_the_sensors_is_seen_until_it_is_mended(
    ledger: Ledger,
) -> None:
    gauge = item("gauge", equipment_class="pump", answer=Answer.NUMBER, unit="℃")
    desk = RoundDesk(ledger, (regime("daily-pumps", gauge),))
    desk.go("2026-11-21 08:00")
    desk.tick()
    start, end = desk.now.wall, desk.now.wall + 12 * HOUR
    team, name = Team(id="a", name=NAME), Shift(id="day", name=NAME, starts=480, ends=1200)
    day = ShiftDay(date=TODAY, shift=name, team="a", starts=start, ends=end)
    duty = Duty(day=day, team=team, crew=(), problems=(), is_override=False)
    with ledger.write(SITE) as entry:
        shift_log.open_log(entry, duty, rulebook="r", site_file="s", now=desk.now)

    def enter(value: float, said: float) -> list[str]:
        now = desk.clock.advance(60)
        differs = value - said
        told = Compared(
            point="pump-1.motor_temperature",
            value=said,
            received_at=now.wall,
            difference=differs,
            within=2,
            agrees=abs(differs) <= 2,
        )
        given = RoundEntry(id=f"entry-{now.wall}", value=value, compared=told)
        round_actions.enter(
            ledger,
            ROUNDS_HERE,
            ROUND,
            "gauge.pump-1",
            given,
            book=desk.book,
            actor=person("li", Role.TECHNICIAN),
            now=now,
        )
        with ledger.read(SITE) as view:
            (log,) = shift_log_view.logs(view)
            found = handover_records.numbers_that_differ(view, log, now.wall)
        return [one.text.zh for one in found]

    assert enter(62, 61) == []
    assert enter(70, 61) == ["设备 pump-1 gauge：记录 70 ℃，测点 61 ℃"]
    assert enter(61, 61) == [], "the newest counts"


def test_maintenance_that_comes_due_in_the_next_shift_is_on_the_sheet(room: HandoverRoom) -> None:
    """Each opens three days before its day, at six."""
    soon = plan("oil", every("15d", "2026-11-10"), at=6 * 60)
    later = plan("look", every("15d", "2026-11-11"), at=6 * 60)
    book = replace(room.book, plans={one.id: one for one in (soon, later)})
    PlanUpkeep(site=room.site, rulebook=book, ledger=room.ledger).plan(room.gateway.now)
    room.meet()
    assert room.section(SectionKey.PLANNED) == [
        f"保养 设备 {pump} oil（2026-11-25 到期）" for pump in ("pump-1", "pump-2")
    ]
