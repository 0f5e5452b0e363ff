"""The offline protocol's own decisions: every kind of entry × whatever has happened meanwhile."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inspections import at

from api.offline_bodies import NotFittingError, clean, deed_of
from gateway.model.moment import HOUR, MINUTE, SECOND
from rules.inspections.lifecycle import OPEN, RoundState
from rules.ledger.offline import seen_at
from rules.offline.protocol import (
    ORDER,
    ROUND,
    Answer,
    Kind,
    Note,
    OrderFacts,
    Outcome,
    Reason,
    RoundFacts,
    Step,
    Tick,
    Times,
    conflict,
    is_already,
)
from rules.offline.today import ACTS
from rules.orders.lifecycle import RESUMING, TAKEN, TRANSITIONS, OrderEvent, OrderState

ITEM, FINISH, ROUND_PHOTO = Kind.ROUND_ITEM, Kind.ROUND_FINISH, Kind.ROUND_PHOTO
DUE = RoundFacts(state=RoundState.DUE)
EVENTS = {
    Kind.ORDER_ACCEPT: OrderEvent.ACCEPT,
    Kind.ORDER_DECLINE: OrderEvent.DECLINE,
    Kind.ORDER_ARRIVE: OrderEvent.ARRIVE,
    Kind.ORDER_START: OrderEvent.START,
    Kind.ORDER_SUSPEND: OrderEvent.SUSPEND,
    Kind.ORDER_COMPLETE: OrderEvent.COMPLETE,
}


def test_each_kind_has_its_table() -> None:
    assert set(ROUND) | set(ORDER) == set(Kind)
    assert {kind for kind in Kind if kind.is_of_round} == set(ROUND)


@pytest.mark.parametrize(
    ("kind", "said", "reason"),
    [
        (ITEM, {}, None),
        (ITEM, {"others_answers": 1}, Reason.TWO_ANSWERS),
        (ITEM, {"by_telemetry": True}, Reason.BY_TELEMETRY),
        (ITEM, {"has_line": False}, Reason.LAID_OUT_ANEW),
        (ITEM, {"waits_for": "e1"}, Reason.WAITS),
        # Of two, the one that a person can do nothing about.
        (ITEM, {"by_telemetry": True, "others_answers": 1}, Reason.BY_TELEMETRY),
        (FINISH, {}, None),
        (FINISH, {"others_answers": 2}, Reason.UNSEEN_ANSWERS),
        (FINISH, {"others_answers": 2, "waits_for": "e1"}, Reason.WAITS),
        (ROUND_PHOTO, {"waits_for": "e1", "by_telemetry": True}, None),
        (ROUND_PHOTO, {"has_line": False}, Reason.LAID_OUT_ANEW),
    ],
)
@pytest.mark.parametrize("state", OPEN)
def test_an_entry_of_an_open_round(
    kind: Kind, said: dict[str, Any], reason: Reason | None, state: RoundState
) -> None:
    assert conflict(kind, RoundFacts(state=state, **said)) is reason


@pytest.mark.parametrize("kind", ROUND)
@pytest.mark.parametrize("state", [one for one in RoundState if one not in OPEN])
def test_a_round_that_is_not_open_takes_nothing_whatever_else_is_known(
    kind: Kind, state: RoundState
) -> None:
    for line, telemetry, others in itertools.product((True, False), (True, False), (0, 3)):
        facts = RoundFacts(
            state=state, has_line=line, by_telemetry=telemetry, others_answers=others
        )
        assert conflict(kind, facts) is Reason.NOT_OPEN
    assert Reason.NOT_OPEN.outcome is Outcome.CONFLICT


MINE = {"is_theirs": True, "is_anybodys": False}
HERS = {"is_theirs": False, "is_anybodys": False}
NOBODYS = {"is_theirs": False, "is_anybodys": True}


@pytest.mark.parametrize(
    ("kind", "state", "said", "reason"),
    [
        ("order_accept", "open", NOBODYS, None),
        # The foreman has given it to who accepts it.
        ("order_accept", "assigned", {**MINE, "others_steps": 1}, None),
        ("order_accept", "assigned", {**HERS, "others_steps": 1}, Reason.TAKEN),
        ("order_accept", "accepted", {**HERS, "others_steps": 1}, Reason.TAKEN),
        # Completed by another, and open again since: whoever saw it open may take it.
        ("order_accept", "open", {**NOBODYS, "others_steps": 3}, None),
        ("order_accept", "closed", {**MINE, "others_steps": 2}, Reason.MOVED_ON),
        ("order_complete", "in_progress", MINE, None),
        # Sent back as not good after somebody completed it: the old note does not complete it.
        ("order_complete", "in_progress", {**MINE, "others_steps": 1}, Reason.MOVED_ON),
        ("order_complete", "assigned", {**HERS, "others_steps": 1}, Reason.TAKEN),
        ("order_complete", "open", {**NOBODYS, "others_steps": 1}, Reason.MOVED_ON),
        ("order_start", "suspended", {**MINE, "others_steps": 1}, Reason.MOVED_ON),
        ("order_start", "accepted", {**MINE, "waits_for": "e1"}, Reason.WAITS),
        # A foreman acts on an order that a contractor has: the action decides.
        ("order_complete", "in_progress", HERS, None),
        # What somebody else has ticked is not taken back unseen.
        ("order_tick", "in_progress", {**MINE, "others_tick": True}, Reason.TWO_ANSWERS),
        (
            "order_tick",
            "in_progress",
            {**MINE, "others_tick": True, "others_steps": 1},
            Reason.MOVED_ON,
        ),
        ("order_photo", "completed", {**HERS, "others_steps": 5, "waits_for": "e1"}, None),
    ],
)
def test_an_entry_of_an_order(
    kind: str, state: str, said: dict[str, Any], reason: Reason | None
) -> None:
    assert conflict(Kind(kind), OrderFacts(state=OrderState(state), **said)) is reason


@pytest.mark.parametrize("kind", [one for one in ORDER if one is not Kind.ORDER_PHOTO])
@given(
    state=st.sampled_from([one for one in OrderState if one is not OrderState.NEW]),
    whose=st.sampled_from([MINE, HERS, NOBODYS]),
    others=st.integers(0, 3),
    waits=st.sampled_from([None, "e1"]),
)
def test_no_step_of_an_order_is_taken_over_what_the_person_has_not_seen(
    kind: Kind, state: OrderState, whose: dict[str, bool], others: int, waits: str | None
) -> None:
    facts = OrderFacts(state=state, others_steps=others, waits_for=waits, **whose)
    reason = conflict(kind, facts)
    if waits is not None:
        assert reason is not None
    if others and kind is not Kind.ORDER_ACCEPT:
        assert reason in (Reason.TAKEN, Reason.MOVED_ON)
    if not others and waits is None:
        assert reason is None
    assert reason is None or reason.outcome is Outcome.CONFLICT
    assert not (is_already(kind, facts) and others)


def test_what_one_has_done_on_the_page_is_done() -> None:
    for state in TAKEN:
        assert is_already(Kind.ORDER_ACCEPT, OrderFacts(state=state))
        assert not is_already(Kind.ORDER_ACCEPT, OrderFacts(state=state, is_theirs=False))
    assert is_already(Kind.ORDER_START, OrderFacts(state=OrderState.IN_PROGRESS))
    assert not is_already(Kind.ORDER_COMPLETE, OrderFacts(state=OrderState.COMPLETED))
    assert not is_already(ITEM, DUE)


def test_the_acts_of_the_phone_are_those_of_the_life_cycle() -> None:
    for state in OrderState:
        told = set(ACTS.get(state, ()))
        possible = {kind for kind, event in EVENTS.items() if (state, event) in TRANSITIONS}
        if any((state, event) in TRANSITIONS for event in RESUMING.values()):
            possible.add(Kind.ORDER_RESUME)
        assert told == (possible if state is not OrderState.COMPLETED else set()), state


NOW = at("2026-11-21 10:31")


@given(
    true_age=st.integers(0, 12 * HOUR),
    wrong=st.integers(-40 * 365 * 24 * HOUR, 40 * 365 * 24 * HOUR),
)
def test_the_corrected_time_is_the_true_one_however_wrong_the_phone_is(
    true_age: int, wrong: int
) -> None:
    times = Times(entered_at=NOW - true_age + wrong, sent_at=NOW + wrong, received_at=NOW)
    assert times.corrected == NOW - true_age
    assert (Note.CLOCK_OFF in times.notes()) is (abs(wrong) > 5 * MINUTE)
    assert Note.CLOCK_STEPPED not in times.notes()


def test_a_clock_that_was_flat_when_it_was_entered_leads_to_no_time_before_what_was_seen() -> None:
    times = Times(entered_at=0, sent_at=NOW, received_at=NOW + SECOND, seen_at=NOW - HOUR)
    assert times.corrected == NOW - HOUR
    assert times.notes() == [Note.CLOCK_STEPPED]
    assert seen_at(f"1834-{NOW - HOUR}") == NOW - HOUR
    assert [seen_at(one) for one in ("0", "x-1", f"1-{1 << 70}", "²-³")] == [0, 0, 0, 0]


def test_a_clock_that_was_set_back_between_entering_and_sending_leads_to_no_time_ahead() -> None:
    times = Times(entered_at=NOW + 3 * HOUR, sent_at=NOW, received_at=NOW + SECOND)
    assert times.corrected == NOW + SECOND
    assert times.notes() == [Note.CLOCK_STEPPED]


PLAIN = Times(entered_at=NOW - HOUR, sent_at=NOW, received_at=NOW)


def test_a_body_is_read_as_its_kind_asks() -> None:
    scan = {"code": "pump-2", "at": "2026-11-21T10:00:00+08:00"}
    late = Times(entered_at=NOW - HOUR, sent_at=NOW, received_at=NOW + 2 * HOUR)
    deed = deed_of("round_item", "e1", {"item": "clean", "value": True, "scan": scan}, late)
    assert isinstance(deed, Answer)
    assert (deed.item, deed.given.id, deed.given.value) == ("clean", "e1", True)
    # The phone is two hours behind.
    assert deed.given.taken_at == NOW + HOUR
    assert deed.given.scan is not None
    assert deed.given.scan.at == at("2026-11-21 12:00")
    step = deed_of("order_suspend", "e1", {"why": "parts", "note": None}, PLAIN)
    assert step == Step(why="parts")
    assert deed_of("order_tick", "e1", {"step": 3, "done": True}, PLAIN) == Tick(
        number=3, done=True
    )


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("order_void", {"reason": "x"}),
        ("round_photo", {"item": "clean"}),
        ("round_item", {"item": "clean"}),
        ("round_item", {"item": "clean", "value": None}),
        ("round_item", {"item": "clean", "value": True, "more": 1}),
        ("order_suspend", {"why": "weather"}),
        ("order_decline", {"reason": "  "}),
        ("order_complete", {}),
        ("order_accept", {"note": "x"}),
        ("order_tick", {"step": 0, "done": True}),
        ("order_tick", {"step": 1, "done": 1}),
    ],
)
def test_a_body_that_does_not_fit_says_why(kind: str, body: dict[str, Any]) -> None:
    with pytest.raises(NotFittingError) as told:
        deed_of(kind, "e1", body, PLAIN)
    assert str(told.value)


def test_whatever_json_can_say_can_be_kept() -> None:
    deep: Any = "x"
    for _ in range(40):
        deep = {"deeper": [deep]}
    said = json.loads('{"half": "\\ud800", "nul": "a\\u0000b", "nan": NaN, "long": 1e999}')
    kept = clean({**said, "big": 10**30, "deep": deep, "plain": [1, True, None, 0.5, "中"]})
    assert kept["plain"] == [1, True, None, 0.5, "中"]
    text = json.dumps(kept, ensure_ascii=False, allow_nan=False)
    assert text.encode()
    assert "\\u0000" not in text
    assert isinstance(kept["big"], str)
    assert text.count("deeper") < 10
