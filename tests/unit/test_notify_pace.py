"""How many messages a minute a robot gets, and which wait for room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.model.moment import MINUTE, SECOND, Instant
from rules.ledger.outbox import Waiting
from rules.notify.pace import BETWEEN, HARD, SINGLY, Next, Pace

BEGAN = Instant(wall=10**15, mono=0, boot="b")


def robot(*tries: Instant) -> Pace:
    return Pace(12, hard=HARD, tries=tries)


def play(pace: Pace, urgent: int, routine: int, now: Instant) -> list[Next]:
    """What is sent at one moment, as long as something is."""
    sent = []
    while (chosen := pace.next(Waiting(urgent=urgent, routine=routine), now)) is not Next.NOTHING:
        pace.tried(chosen, now)
        sent.append(chosen)
        urgent -= urgent if chosen is Next.ALL_URGENT else chosen is Next.URGENT
        routine -= routine if chosen is Next.ALL_ROUTINE else chosen is Next.ROUTINE
    return sent


def test_a_few_go_one_by_one() -> None:
    assert play(robot(), 0, 5, BEGAN) == [Next.ROUTINE] * 5
    assert play(robot(), 0, 12, BEGAN) == [Next.ROUTINE] * 12


def test_more_than_fit_are_gathered_at_once() -> None:
    assert play(robot(), 0, 13, BEGAN) == [Next.ALL_ROUTINE]


def test_fire_goes_first_and_alone_however_much_there_is() -> None:
    assert play(robot(), 3, 13, BEGAN) == [*[Next.URGENT] * 3, Next.ALL_ROUTINE]


def test_what_is_kept_for_fire_is_not_used_for_anything_else() -> None:
    pace = robot()
    assert len(play(pace, 0, 12, BEGAN)) == 12
    assert play(pace, 0, 1, BEGAN.plus(MINUTE - 1)) == []
    assert play(pace, 2, 1, BEGAN.plus(MINUTE - 1)) == [Next.URGENT] * 2
    assert play(pace, 0, 1, BEGAN.plus(MINUTE)) == [Next.ROUTINE]


def test_a_burning_house_has_more_fires_than_a_robot_takes() -> None:
    pace = robot()
    assert play(pace, 100, 0, BEGAN) == [Next.URGENT] * SINGLY
    assert play(pace, 100, 0, BEGAN.plus(BETWEEN)) == [Next.ALL_URGENT]
    assert play(pace, 50, 0, BEGAN.plus(2 * BETWEEN)) == [Next.ALL_URGENT]


def test_where_no_provider_counts_fire_never_waits() -> None:
    pace = Pace(60)
    assert play(pace, 500, 0, BEGAN) == [Next.URGENT] * 500


def test_a_robot_that_was_too_fast_rests_but_not_from_fire() -> None:
    pace = robot()
    pace.rest(BEGAN)
    assert play(pace, 1, 5, BEGAN) == [Next.URGENT]
    assert play(pace, 0, 5, BEGAN.plus(MINUTE)) == [Next.ROUTINE] * 5


def test_a_sender_that_takes_over_counts_what_the_last_one_sent() -> None:
    pace = robot(*[BEGAN] * 11)
    assert play(pace, 0, 1, BEGAN.plus(SECOND)) == [Next.ROUTINE]
    assert play(pace, 0, 1, BEGAN.plus(2 * SECOND)) == []


def test_a_flood_of_ten_minutes_is_four_messages_a_minute() -> None:
    pace, sent, waiting = robot(), 0, 0
    for tick in range(1200):
        waiting += 83
        now = BEGAN.plus(tick * SECOND // 2)
        chosen = pace.next(Waiting(urgent=0, routine=min(waiting, 13)), now)
        if chosen is not Next.NOTHING:
            pace.tried(chosen, now)
            sent += 1
            waiting = 0 if chosen is Next.ALL_ROUTINE else waiting - 1
    assert sent == 40


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3), st.integers(0, 40))))
def test_no_minute_ever_has_more_than_the_robot_takes(
    steps: list[tuple[int, int, int]],
) -> None:
    pace, now, at, routine_at = robot(), BEGAN, [], []
    for seconds, urgent, routine in steps:
        now = now.plus(seconds * SECOND)
        for chosen in play(pace, urgent, routine, now):
            at.append(now.mono)
            if chosen in (Next.ROUTINE, Next.ALL_ROUTINE):
                routine_at.append(now.mono)
    for mono in at:
        assert sum(mono <= other < mono + MINUTE for other in at) <= HARD
        assert sum(mono <= other < mono + MINUTE for other in routine_at) <= 12
