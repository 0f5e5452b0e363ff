"""A replay finds what the rules would have raised, to the reading, in what the history has kept."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from duty_room import HOT, NOON, SITE, TEMPERATURE, rulebook, site

from gateway.history.base import Cursor, Gap
from gateway.history.embedded import EmbeddedHistory
from gateway.model.events import Envelope, Record
from gateway.model.frame import Frame
from gateway.model.moment import DAY, HOUR, MINUTE, SECOND, Instant
from gateway.model.quality import Quality
from rules.alarms.conditions import Conditions, Turn
from rules.measures import Count
from rules.refusals import ConflictError, NotFoundError, NotValidError
from rules.replay import readings, work
from rules.replay.outcome import Raised, RuleOutcome, outcomes
from rules.replay.run import Replayed
from rules.replay.work import Trial, altered, changed
from rules.rule import Comparison, Condition, Gate, Rule, Rulebook

GOOD = Quality.GOOD
Sample = tuple[float, float, Quality]
"""Second, value, quality."""


@pytest.fixture
def history(tmp_path: Path) -> Iterator[EmbeddedHistory]:
    made = EmbeddedHistory(tmp_path / "history.db")
    yield made
    made.close()


def write(
    history: EmbeddedHistory, said: dict[str, Sequence[Sample]], gaps: Sequence[Gap] = ()
) -> None:
    """Each reading in a frame of its own, in the order of their times."""
    rows = sorted((at, point, value, q) for point, line in said.items() for at, value, q in line)
    records = []
    for seq, (at, point, value, quality) in enumerate(rows, 1):
        wall = NOON + round(at * SECOND)
        frame = Frame(
            points=(point,),
            value=np.array([np.nan if quality is Quality.BAD else value]),
            quality=np.array([quality], np.uint8),
            source_time=np.array([wall]),
        )
        now = Instant(wall=wall, mono=wall, boot="b")
        envelope = Envelope(site=SITE, gateway="gw-1", epoch="e1", seq=seq, at=now)
        records.append(Record(envelope=envelope, body=frame))
    history.write(records, Cursor("e1", len(records)), gaps)


def run(
    history: EmbeddedHistory,
    *rules: Rule,
    book: Rulebook | None = None,
    raised: Sequence[Raised] = (),
    hours: float = 2,
) -> list[RuleOutcome]:
    tried = book or rulebook(*rules)
    report = work.run(
        site(),
        tried,
        list(tried.rules),
        history,
        raised=raised,
        start=NOON,
        end=NOON + round(hours * HOUR),
        told=lambda _: None,
    )
    return list(report.rules)


def told(outcome: RuleOutcome) -> list[tuple[float, float | None]]:
    """Seconds from the start: raised and cleared."""
    return [
        (
            (one.raised_at - NOON) / SECOND,
            None if one.cleared_at is None else (one.cleared_at - NOON) / SECOND,
        )
        for one in outcome.new
    ]


def test_a_value_that_was_not_kept_again_had_not_moved(history: EmbeddedHistory) -> None:
    write(history, {TEMPERATURE: [(0, 40, GOOD), (100, 80, GOOD), (1000, 60, GOOD)]})
    [outcome] = run(history, HOT)
    assert told(outcome) == [(110.0, 1020.0)]


def test_a_limit_that_is_higher_raises_less(history: EmbeddedHistory) -> None:
    write(
        history,
        {TEMPERATURE: [(0, 40, GOOD), (60, 80, GOOD), (300, 40, GOOD), (600, 95, GOOD)]},
    )
    tried = altered(rulebook(HOT), site(), Trial(rule="hot", equipment=None, limit=90, delay=None))
    [outcome] = run(history, book=tried)
    assert told(outcome) == [(610.0, None)]


def test_what_is_up_at_the_beginning_is_known_from_before(history: EmbeddedHistory) -> None:
    write(history, {TEMPERATURE: [(-1800, 80, GOOD), (600, 40, GOOD), (900, 80, GOOD)]})
    were = [_raised("a", -1790, 620)]
    [outcome] = run(history, HOT, raised=were)
    assert told(outcome) == [(910.0, None)]
    assert (outcome.before, outcome.after) == (0, 1)


def test_no_data_clears_nothing(history: EmbeddedHistory) -> None:
    gap = Gap(point=TEMPERATURE, start=NOON + 200 * SECOND, end=NOON + 900 * SECOND, reason="x")
    write(
        history,
        {TEMPERATURE: [(0, 40, GOOD), (100, 80, GOOD), (200, 60, GOOD), (900, 60, GOOD)]},
        [gap],
    )
    [outcome] = run(history, HOT)
    # Returned at 200 s, silent three seconds later: the return is believed at 900 s only.
    assert told(outcome) == [(110.0, 900.0)]


def test_a_bad_reading_clears_nothing_and_an_uncertain_one_neither(
    history: EmbeddedHistory,
) -> None:
    line = [
        (0, 80, GOOD),
        (50, 0, Quality.BAD),
        (300, 40, Quality.UNCERTAIN),
        (600, 40, GOOD),
    ]
    write(history, {TEMPERATURE: line})
    [outcome] = run(history, HOT)
    assert told(outcome) == [(10.0, 620.0)]


def test_a_fire_bit_of_two_seconds_is_not_missed(history: EmbeddedHistory) -> None:
    fire = replace(
        HOT,
        id="fire",
        point="fault",
        condition=Condition(comparison=Comparison.EQUALS, limit=1),
        delay=0,
        clear_after=0,
    )
    write(history, {"pump-1.fault": [(0, 0, GOOD), (3601.5, 1, GOOD), (3603.5, 0, GOOD)]})
    [outcome] = run(history, fire)
    assert told(outcome) == [(3601.5, 3603.5)]


def test_a_gate_that_opens_later_is_looked_at_when_it_opens(history: EmbeddedHistory) -> None:
    gated = replace(HOT, gates=(Gate(point="speed", comparison=Comparison.ABOVE, limit=10),))
    write(
        history,
        {
            TEMPERATURE: [(0, 80, GOOD)],
            "pump-1.speed": [(0, 0, GOOD), (500, 50, GOOD), (900, 0, GOOD)],
        },
    )
    [outcome] = run(history, gated)
    assert told(outcome) == [(510.0, 920.0)]


def test_what_is_counted_is_counted_although_no_limit_lies_between(
    history: EmbeddedHistory,
) -> None:
    counted = replace(
        HOT,
        id="restless",
        condition=Condition(
            comparison=Comparison.ABOVE,
            limit=3,
            measure=Count(comparison=None, value=0, over=10 * MINUTE),
        ),
        delay=0,
    )
    line = [(0, 1, GOOD), *((600 + 30 * n, 2 + n % 2, GOOD) for n in range(6))]
    write(history, {TEMPERATURE: line})
    [outcome] = run(history, counted)
    assert len(outcome.new) == 1
    assert 680 <= told(outcome)[0][0] <= 760


@pytest.mark.parametrize("seed", range(6))
def test_it_finds_the_same_as_the_worker_that_saw_every_poll(
    history: EmbeddedHistory, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    gated = replace(HOT, gates=(Gate(point="speed", comparison=Comparison.ABOVE, limit=10),))
    rules = (replace(HOT, id="plain"), replace(gated, id="gated", delay=3 * SECOND))
    seconds = 3000
    value = 75 + np.cumsum(rng.normal(0, 1.2, seconds)) % 14 - 7
    speed = np.where(rng.random(seconds).cumsum() % 40 < 25, 50.0, 0.0)
    quality = rng.choice([0, 0, 0, 0, 0, 0, 0, 0, 1, 3], seconds)
    line = [(n, float(value[n]), Quality(int(quality[n]))) for n in range(seconds)]
    drive = [(n, float(speed[n]), GOOD) for n in range(seconds)]
    write(history, {TEMPERATURE: line, "pump-1.speed": drive})
    found = sorted(
        (one.rule, round((alarm.raised_at - NOON) / SECOND))
        for one in run(history, *rules)
        for alarm in one.new
    )
    assert found == _live(rules, line, drive)
    assert len(found) > 5


def _live(
    rules: Sequence[Rule], line: Sequence[Sample], drive: Sequence[Sample]
) -> list[tuple[str, int]]:
    conditions = Conditions(rulebook(*rules), site().equipment.values())
    raised = []
    for (second, value, quality), (_, speed, _good) in zip(line, drive, strict=True):
        wall = NOON + round(second * SECOND)
        frame = Frame(
            points=(TEMPERATURE, "pump-1.speed"),
            value=np.array([np.nan if quality is Quality.BAD else value, speed]),
            quality=np.array([quality, GOOD], np.uint8),
            source_time=np.array([wall, wall]),
        )
        at = Instant(wall=wall, mono=wall, boot="b")
        raised += [
            (change.rule.id, round(second))
            for change in conditions.step(frame, at)
            if change.turn is Turn.RAISED
        ]
    return sorted(raised)


def test_whoever_does_not_want_it_any_more_ends_it(history: EmbeddedHistory) -> None:
    write(history, {TEMPERATURE: [(0, 40, GOOD)]})

    def told(_done: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work.run(
            site(),
            rulebook(HOT),
            ["hot"],
            history,
            raised=(),
            start=NOON,
            end=NOON + HOUR,
            told=told,
        )


# -- what is tried --------------------------------------------------------------------------------


def test_only_rules_that_may_raise_something_else_are_tried() -> None:
    before = rulebook(HOT, replace(HOT, id="other"))
    after = rulebook(replace(HOT, source="a better one"), replace(HOT, id="other", delay=5))
    assert changed(before, after, site()) == ["other"]
    assert changed(before, rulebook(HOT), site()) == ["other"], "one that is gone"
    tried = altered(before, site(), Trial(rule="hot", equipment="pump-2", limit=90, delay=None))
    assert changed(before, tried, site()) == ["hot"]


@pytest.mark.parametrize(
    ("trial", "error"),
    [
        (Trial(rule="none", equipment=None, limit=1, delay=None), NotFoundError),
        (Trial(rule="hot", equipment="none", limit=1, delay=None), NotFoundError),
        (Trial(rule="hot", equipment="lamp-1", limit=1, delay=None), ConflictError),
        (Trial(rule="hot", equipment=None, limit=None, delay=None), NotValidError),
        (Trial(rule="hot", equipment=None, limit=None, delay=-1), NotValidError),
    ],
)
def test_what_cannot_be_tried_is_refused(trial: Trial, error: type[Exception]) -> None:
    with pytest.raises(error):
        altered(rulebook(HOT), site(), trial)


# -- what came of it ------------------------------------------------------------------------------


def _raised(name: str, at: float, until: float | None, order: str | None = None) -> Raised:
    return Raised(
        id=name,
        rule="hot",
        equipment="pump-1",
        raised_at=NOON + round(at * SECOND),
        cleared_at=None if until is None else NOON + round(until * SECOND),
        order=order,
    )


def _replayed(at: float, until: float | None) -> Replayed:
    return Replayed(
        rule="hot",
        equipment="pump-1",
        raised_at=NOON + round(at * SECOND),
        value=80,
        cleared_at=None if until is None else NOON + round(until * SECOND),
    )


def compare(raised: Sequence[Raised], replayed: Sequence[Replayed]) -> RuleOutcome:
    [outcome] = outcomes(["hot"], raised, replayed, NOON, NOON + HOUR)
    return outcome


def test_what_is_gone_is_told_and_whether_it_had_an_order() -> None:
    outcome = compare(
        [_raised("a", 100, 200, "o1"), _raised("b", 1000, 1100), _raised("c", 2000, 2100)],
        [_replayed(2000, 2100)],
    )
    assert (outcome.before, outcome.after) == (3, 1)
    assert [one.id for one in outcome.removed] == ["a", "b"]
    assert [one.id for one in outcome.removed_with_order] == ["a"]
    assert outcome.new == []


def test_one_that_comes_later_is_delayed_and_one_of_several_is_not_gone() -> None:
    outcome = compare(
        [_raised("a", 100, 400), _raised("b", 500, 600), _raised("c", 700, None)],
        [_replayed(250, None)],
    )
    assert (outcome.before, outcome.after, outcome.removed) == (3, 1, [])
    assert (outcome.delayed, outcome.longest_delay) == (1, 150 * SECOND)


def test_one_that_was_not_raised_is_new() -> None:
    outcome = compare([_raised("a", 100, 200)], [_replayed(100, 200), _replayed(1000, 1100)])
    assert [one.raised_at for one in outcome.new] == [NOON + 1000 * SECOND]


def test_a_rule_that_flaps_for_three_months_is_compared_at_once() -> None:
    """A job that is silent for a minute counts as interrupted, and hears no cancel meanwhile."""
    count = 130_000
    were = [_raised(str(n), n * 60, n * 60 + 10) for n in range(count)]
    would = [_replayed(n * 60 + 30, n * 60 + 40) for n in range(0, count, 2)]
    begun = time.process_time()
    [outcome] = outcomes(["hot"], were, would, NOON, NOON + 92 * DAY)
    assert time.process_time() - begun < 10
    assert (outcome.before, outcome.after, outcome.removed) == (count, len(would), [])


@pytest.mark.parametrize("seed", range(5))
def test_which_alarms_are_the_same_is_told_as_by_looking_at_each_pair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    were = [_raised(str(n), at, _until(rng, at)) for n, at in enumerate(_times(rng))]
    would = [_replayed(at, _until(rng, at)) for at in _times(rng)]
    outcome = compare(were, would)
    assert outcome.removed == [was for was in were if not any(_meet(was, one) for one in would)]
    assert outcome.new == [one for one in would if not any(_meet(was, one) for was in were)]
    twins = [next((one for one in would if _meet(was, one)), was) for was in were]
    later = [one.raised_at - was.raised_at for was, one in zip(were, twins, strict=True)]
    assert outcome.longest_delay == max([0, *(late for late in later if late > MINUTE)])


def _times(rng: np.random.Generator) -> list[float]:
    return sorted(rng.integers(0, 3600, 25).tolist())


def _until(rng: np.random.Generator, at: float) -> float | None:
    """Of the ledger nobody says that one has ended before the next one began."""
    return None if rng.random() < 0.05 else at + float(rng.integers(0, 300))


def _meet(was: Raised, would: Replayed) -> bool:
    ended = was.cleared_at is not None and was.cleared_at + MINUTE < would.raised_at
    not_begun = would.cleared_at is not None and would.cleared_at + MINUTE < was.raised_at
    return not ended and not not_begun


def test_one_point_with_many_readings_does_not_make_it_silent(
    history: EmbeddedHistory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "_AT_ONCE", 10)
    write(history, {TEMPERATURE: [(n * 5, 40 + n % 50, GOOD) for n in range(300)]})
    heard: list[float] = []
    work.run(
        site(),
        rulebook(HOT),
        ["hot"],
        history,
        raised=(),
        start=NOON,
        end=NOON + HOUR,
        told=heard.append,
    )
    assert len(heard) > 30
    assert heard == sorted(heard)
