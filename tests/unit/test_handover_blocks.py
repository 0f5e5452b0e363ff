"""Each clause of S1 that forbids a handover, by its number; and the life of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.point import Text
from rules.book_folders import SHIPPED
from rules.handover import telling
from rules.handover.blocks import CONDITIONS, REQUIRED_QUESTIONS, Block, Seen, blocks
from rules.handover.book import HandoverBook
from rules.handover.facts import AnswerKind, Facts, Given, Matter
from rules.handover.files import read_handover
from rules.handover.lifecycle import OPEN, HandoverEvent, HandoverState, step
from rules.handover.telling import Told
from rules.lifecycle import IllegalTransitionError

ROOT = Path(__file__).parents[2]
BOOK = read_handover([SHIPPED], None).book
QUESTION, COUNT = AnswerKind.QUESTION, AnswerKind.COUNT
PUMP = Matter(id="order-7", text=Text(zh="水泵", en="Pump"))


def all_well() -> Facts:
    answers: dict[tuple[AnswerKind, str], Given] = {}
    for question in BOOK.questions:
        answers[QUESTION, question.key] = Given(value=1)
    for key, item in BOOK.counted.items():
        answers[COUNT, key] = Given(value=item.quantity)
    relief = {"he": "何军", "sun": "孙海"}
    return Facts(answers=answers, relief=relief, required=2, arrived=frozenset(relief))


def found(facts: Facts, book: HandoverBook = BOOK) -> list[Block]:
    return blocks(book, facts)


def clauses(facts: Facts) -> list[str]:
    return [clause for block in found(facts) for clause in block.condition.clauses]


def answered(kind: AnswerKind, key: str, value: int, note: str | None = None) -> Facts:
    facts = all_well()
    return replace(facts, answers={**facts.answers, (kind, key): Given(value=value, note=note)})


def without(key: str) -> Facts:
    facts = all_well()
    kept: Mapping[tuple[AnswerKind, str], Given] = {
        about: given for about, given in facts.answers.items() if about[1] != key
    }
    return replace(facts, answers=kept)


def test_nothing_forbids_it_when_all_is_well() -> None:
    assert found(all_well()) == []


@pytest.mark.parametrize("key", ["briefed", "records_kept", "rooms_clean"])
def test_s1_4_1_8_1_status_not_explained_records_irregular_or_rooms_dirty(key: str) -> None:
    assert "S1 4.1.8.1" in clauses(without(key)), "nobody has answered"
    assert "S1 4.1.8.1" in clauses(answered(QUESTION, key, 0, "地面有积水"))
    (block,) = found(answered(QUESTION, key, 0, "地面有积水"))
    assert "地面有积水" in block.text.zh


def test_s1_4_1_8_2_the_outgoing_crew_stays_until_the_relief_has_signed_in() -> None:
    absent = replace(all_well(), arrived=frozenset())
    assert clauses(absent) == ["S1 4.1.8.2"], "and not also that it is incomplete"


def test_s1_4_1_8_3_relief_drunk_or_otherwise_unfit() -> None:
    assert "S1 4.1.8.3" in clauses(answered(QUESTION, "relief_fit", 0, "酒味"))


def test_s1_4_1_8_4_an_accident_is_being_handled() -> None:
    assert clauses(replace(all_well(), accidents=[PUMP])) == ["S1 4.1.8.4"]


def test_s1_4_1_8_5_a_fault_comes_up_during_the_handover() -> None:
    assert clauses(replace(all_well(), faults=[PUMP])) == ["S1 4.1.8.5"]


def test_s1_4_1_3_the_joint_check_finds_something() -> None:
    assert "S1 4.1.3" in clauses(answered(QUESTION, "checked", 0, "2 号泵异响"))


def test_s1_7_1_records_differ_from_the_actual_state() -> None:
    assert clauses(without("records_match")) == ["S1 7.1"]


def test_s1_7_1_a_number_that_is_not_the_sensors_is_mended_or_explained() -> None:
    differs = replace(all_well(), differing=[PUMP])
    assert clauses(differs) == ["S1 7.1"]
    told = {**differs.answers, (AnswerKind.EXPLAIN, PUMP.id): Given(value=1, note="表计待校")}
    assert found(replace(differs, answers=told)) == []


def test_s1_7_2_the_crew_is_incomplete_or_not_here() -> None:
    one = replace(all_well(), arrived=frozenset({"he"}))
    (block,) = found(one)
    assert (block.condition.clauses, block.text.zh) == (
        ("S1 7.2",),
        "接班应到 2 人，实到 1 人，未到：孙海",
    )
    stand_in = replace(all_well(), arrived=frozenset({"he", "qian"}))
    assert found(stand_in) == [], "somebody stands in"
    assert clauses(without("crews_here")) == ["S1 7.2"]


def test_s1_7_3_fatigue_drink_injury_or_illness() -> None:
    assert "S1 7.3" in clauses(without("relief_fit"))


def test_s1_7_4_a_repair_that_needs_both_crews() -> None:
    at_work = replace(all_well(), repairs=[PUMP])
    assert clauses(at_work) == ["S1 7.4"], "somebody has to say"
    about = (AnswerKind.REPAIR, PUMP.id)
    both = replace(at_work, answers={**at_work.answers, about: Given(value=1)})
    assert clauses(both) == ["S1 7.4"]
    assert found(replace(both, answers={**both.answers, about: Given(value=0)})) == []
    assert found(replace(both, repairs=[])) == [], "it was completed or suspended"
    one_crew = {**both.answers, about: Given(value=0)}
    (marked,) = found(replace(both, answers=one_crew, joint={PUMP.id: "两人起吊"}))
    assert (marked.condition.clauses, marked.answered_by) == (("S1 7.4",), None), "not by an answer"
    assert marked.text.zh.endswith("水泵（两人起吊）")


def test_s1_7_5_an_abnormality_of_which_nobody_knows_the_cause() -> None:
    abnormal = replace(all_well(), abnormal=[PUMP])
    assert clauses(abnormal) == ["S1 7.5"]
    told = {**abnormal.answers, (AnswerKind.EXPLAIN, PUMP.id): Given(value=1, note="轴承磨损")}
    assert found(replace(abnormal, answers=told)) == []


def test_s1_7_6_the_count_differs_from_the_list() -> None:
    keys = "duty-room.plant-room-keys"
    assert clauses(without(keys)) == ["S1 7.6"], "nobody has counted"
    (block,) = found(answered(COUNT, keys, 0))
    assert block.text.zh == "机房钥匙（串）：清单 1，实点 0"
    assert clauses(answered(COUNT, keys, 2)) == ["S1 7.6"], "one too many is no better"


def test_what_a_manager_has_let_pass_still_stands_there() -> None:
    facts = replace(all_well(), accidents=[PUMP], faults=[PUMP])
    passed = frozenset({found(facts)[0].id})
    one, other = blocks(BOOK, facts, passed)
    assert (one.overridden, other.overridden) == (True, False)


def test_what_says_something_else_than_was_let_pass_forbids_it_again() -> None:
    passed = frozenset({found(without("rooms_clean"))[0].id})
    assert [one.overridden for one in blocks(BOOK, without("rooms_clean"), passed)] == [True]
    flooded = answered(QUESTION, "rooms_clean", 0, "地面有水")
    assert [one.overridden for one in blocks(BOOK, flooded, passed)] == [False]
    fault = replace(all_well(), faults=[replace(PUMP, since=1)])
    passed = frozenset({found(fault)[0].id})
    again = replace(all_well(), faults=[replace(PUMP, since=2)])
    assert [one.overridden for one in blocks(BOOK, again, passed)] == [False], "it came up again"


def test_who_is_told_of_a_handover_that_does_not_come_about() -> None:
    def told(state: HandoverState, now: int, *before: Told) -> list[Told]:
        return telling.due(state, ends_at=100, escalate=30, told=before, now=now)

    stopped, overdue, escalated = Told
    assert told(HandoverState.MEETING, 99) == []
    assert told(HandoverState.STOPPED, 99) == [stopped]
    assert told(HandoverState.STOPPED, 100, stopped) == [overdue]
    assert told(HandoverState.PREPARING, 100, overdue) == [], "once"
    assert told(HandoverState.GIVEN, 129, overdue) == []
    assert told(HandoverState.GIVEN, 130, overdue) == [escalated]
    assert told(HandoverState.PREPARING, 500) == [overdue, escalated], "after downtime"
    for state in (HandoverState.SIGNED, HandoverState.LAPSED):
        assert told(state, 500) == []


def test_every_condition_is_in_the_document_with_its_clause_and_has_a_test() -> None:
    told = (ROOT / "deploy/docs/clauses.md").read_text(encoding="utf-8")
    tests = {name for name in globals() if name.startswith("test_s1_")}
    for row in CONDITIONS:
        for clause in row.clauses:
            assert clause.removeprefix("S1 ") in told, clause
        named = [
            f"test_{clause.lower().replace(' ', '_').replace('.', '_')}_" for clause in row.clauses
        ]
        assert any(test.startswith(one) for test in tests for one in named), row.key
        assert (row.seen is Seen.ANSWER) or row.key not in REQUIRED_QUESTIONS


def test_the_steps_of_s1_are_the_shipped_settings() -> None:
    minute = 60_000_000
    assert (BOOK.prepare, BOOK.arrive) == (20 * minute, 15 * minute)
    assert set(REQUIRED_QUESTIONS) == {question.key for question in BOOK.questions}


def test_a_stop_is_for_a_handover_under_way_and_nobody_signs_while_it_lasts() -> None:
    stopped = step(HandoverState.GIVEN, HandoverEvent.STOP, handover="h")
    for event in (HandoverEvent.GIVE, HandoverEvent.TAKE):
        with pytest.raises(IllegalTransitionError):
            step(stopped, event, handover="h")
    assert step(stopped, HandoverEvent.RESUME, handover="h") is HandoverState.MEETING
    with pytest.raises(IllegalTransitionError):
        step(HandoverState.PREPARING, HandoverEvent.GIVE, handover="h")
    for state in OPEN:
        assert step(state, HandoverEvent.LAPSE, handover="h") is HandoverState.LAPSED


def wrong(tmp_path: Path, old: str, new: str) -> list[str]:
    text = (SHIPPED / "handover.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "handover.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    classes = {"pump": {"running": (), "frequency": (), "current": ()}, "drive": {"running": ()}}
    found = read_handover([tmp_path], classes).problems
    return [str(one).removeprefix(f"{tmp_path}/") for one in found]


def test_a_mistake_in_the_file_is_told_with_its_line_and_the_mend(tmp_path: Path) -> None:
    told = wrong(tmp_path, "point: running, shown: [frequency, current]", "point: runing")
    assert any("handover.yaml:17: " in one and "did you mean 'running'?" in one for one in told)
    told = wrong(tmp_path, "key: records_match", "key: records_agree")
    assert any("without it nobody sees S1 7.1" in one for one in told)
    told = wrong(tmp_path, "arrive: 15m", "arrive: 30m")
    assert any("the relief is there before the sheet is" in one for one in told)
    told = wrong(tmp_path, "key: tools", "key: instruments")
    assert any("is there twice in this room" in one for one in told)
