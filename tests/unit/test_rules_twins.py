"""Rules that compare an equipment with its twin, which is read apart from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from duty_room import NOON, SITE, equipment, frame, rule, rulebook, site
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.history.base import Cursor
from gateway.history.embedded import EmbeddedHistory
from gateway.model.equipment import Equipment, Site, Twin
from gateway.model.events import Envelope, Record
from gateway.model.frame import Frame
from gateway.model.moment import MINUTE, SECOND, Instant
from gateway.model.point import PointKind
from gateway.model.quality import Quality
from rules.alarms.conditions import Conditions, Verdict
from rules.formula import difference, parse
from rules.limits_in_force import proofs_of
from rules.measures import AgainstTwin, Comparison
from rules.orders.proof import Proof, ProofStand
from rules.overrides import variant
from rules.refusals import ConflictError
from rules.replay import work
from rules.replay.work import Trial, altered
from rules.rule import Condition, Gate, Rule
from rules.rule_words import condition_words

FRESH = 3
"""Seconds: so long a reading of these pumps counts."""
LIMIT, DELAY, CLEAR_AFTER = 25.0, 4, 3


def pump(name: str) -> Equipment:
    return equipment(
        name,
        "pump",
        motor_temperature=PointKind.NUMBER,
        running=PointKind.FLAG,
        speed=PointKind.NUMBER,
    )


def pair(name: str, of: Equipment | None) -> Equipment:
    twin = None if of is None else Twin(id=of.id, points=of.points)
    return replace(pump(name), twin=twin)


FIRST, SECOND_ONE = pair("a", pump("b")), pump("b")
RUNNING = Gate(point="twin.running", comparison=Comparison.EQUALS, limit=1)


def hotter(gate: Gate | None = RUNNING) -> Rule:
    measure = AgainstTwin(
        formula=difference("motor_temperature", "twin.motor_temperature"), is_of_point=True
    )
    return rule(
        "hotter",
        "motor_temperature",
        Condition(comparison=Comparison.ABOVE, limit=LIMIT, measure=measure),
        gate=gate,
        delay=DELAY * SECOND,
        clear_after=CLEAR_AFTER * SECOND,
    )


def at(second: float) -> Instant:
    now = round(second * SECOND)
    return Instant(wall=NOON + now, mono=now, boot="one")


class Watch:
    """The rule on ``a``, whose twin is ``b``; each has frames of its own."""

    def __init__(self, one: Rule | None = None) -> None:
        self.rules = rulebook(one or hotter())
        self.conditions = Conditions(self.rules, [FIRST, SECOND_ONE])

    def hear(self, second: float, **readings: float | None) -> list[str]:
        """``a_motor_temperature=60``: a reading of ``a``; None: a bad one. Nothing: the clock."""
        named = {name.replace("_", ".", 1): value for name, value in readings.items()}
        good = {name: value for name, value in named.items() if value is not None}
        bad = {name: "timeout" for name, value in named.items() if value is None}
        if not named:
            return [one.turn.value for one in self.conditions.tick(at(second))]
        changes = self.conditions.step(frame(good, bad), at(second))
        return [one.turn.value for one in changes]

    def both(self, second: float, a: float, b: float) -> list[str]:
        first = self.hear(second, a_motor_temperature=a)
        return first + self.hear(second, b_motor_temperature=b, b_running=1)


# Against the plain way

_ONE = st.tuples(st.sampled_from([40.0, 40.0, 66.0, 90.0, None]), st.sampled_from([1.0, 1.0, 0.0]))
_RUNS = st.lists(
    st.tuples(st.one_of(st.none(), _ONE), st.one_of(st.none(), _ONE), st.integers(1, 6)),
    min_size=1,
    max_size=14,
)
"""What ``a`` says, what ``b`` says (None: nothing at all), and for how many seconds."""


class Plain:
    """One reading after the other."""

    def __init__(self) -> None:
        self.last: dict[str, tuple[float | None, float]] = {}
        self.gate: float | None = None
        self.state, self.since = "idle", 0.0

    def take(self, second: float, name: str, value: float | None, gate: float | None) -> list[str]:
        self.last[name] = (value, second)
        if name == "b":
            self.gate = gate
        said, difference = self._said(second)
        turns = []
        if self.state == "idle" and said == "breach":
            self.state, self.since = "pending", second
        elif self.state == "pending" and said == "normal":
            self.state = "idle"
        elif self.state == "active" and said == "normal":
            self.state, self.since = "clearing", second
        elif self.state == "clearing" and said == "breach":
            self.state = "active"
        if self.state == "clearing" and said == "normal" and second - self.since >= CLEAR_AFTER:
            self.state = "idle"
            turns.append("cleared")
        is_beyond = difference is not None and difference > LIMIT
        if self.state == "pending" and is_beyond and second - self.since >= DELAY:
            self.state = "active"
            turns.append("raised")
        return turns

    def _said(self, second: float) -> tuple[str, float | None]:
        ages = [second - self.last.get(name, (None, -math.inf))[1] for name in "ab"]
        if max(ages) > FRESH:
            self.gate = None
            return "unknown", None
        a, b = self.last["a"][0], self.last["b"][0]
        apart = None if a is None or b is None else a - b
        if self.gate == 0 or (apart is not None and apart <= LIMIT):
            return "normal", apart
        return ("unknown" if apart is None or self.gate is None else "breach"), apart


@settings(max_examples=150, deadline=None)
@given(runs=_RUNS)
def test_what_comes_of_two_that_are_read_apart_is_what_the_plain_way_says(
    runs: list[tuple[tuple[float | None, float] | None, tuple[float | None, float] | None, int]],
) -> None:
    watch, plain, second = Watch(), Plain(), 0.0
    for a, b, times in runs:
        for _ in range(times):
            second += 1
            assert watch.hear(second) == [], "the clock alone says nothing"
            if a is not None:
                said = watch.hear(second + 0.1, a_motor_temperature=a[0])
                assert said == plain.take(second + 0.1, "a", a[0], None)
            if b is not None:
                said = watch.hear(second + 0.5, b_motor_temperature=b[0], b_running=b[1])
                assert said == plain.take(second + 0.5, "b", b[0], b[1])


def test_many_pairs_in_one_frame_are_judged_each_by_its_own_twin() -> None:
    names = [f"p{number}" for number in range(200)]
    things = [pair(name, pump(names[number - 1])) for number, name in enumerate(names)]
    conditions = Conditions(rulebook(hotter()), things)
    hot = set(names[::7])
    readings = {f"{name}.motor_temperature": 90.0 if name in hot else 40.0 for name in names}
    readings |= {f"{name}.running": 1.0 for name in names}
    raised = [
        change.equipment.id
        for second in range(DELAY + 1)
        for change in conditions.step(frame(readings), at(second))
    ]
    assert set(raised) == {name for name in hot if names[names.index(name) - 1] not in hot}
    assert len(raised) == len(set(raised))


# What is old says nothing


def test_an_alarm_outlives_its_silent_twin() -> None:
    watch = Watch()
    said = [turn for second in range(8) for turn in watch.both(second, 90, 40)]
    assert said == ["raised"]
    for second in range(8, 60):
        assert watch.hear(second, a_motor_temperature=40) == [], "nobody knows how warm b is"
    assert watch.conditions.verdict("hotter", "a") is Verdict.BREACHING


@pytest.mark.parametrize("is_bad", [True, False])
def test_no_delay_runs_out_while_the_twin_is_silent_or_bad(is_bad: bool) -> None:
    watch = Watch()
    assert watch.both(0, 90, 40) == []
    for second in range(1, 60):
        said = watch.hear(second, a_motor_temperature=90)
        if is_bad:
            said += watch.hear(second, b_motor_temperature=None, b_running=None)
        assert [*said, *watch.hear(second)] == []
    assert watch.both(61, 90, 40) == ["raised"], "a delay that runs goes on"


def test_a_gate_of_the_twin_that_was_shut_long_ago_clears_nothing() -> None:
    watch = Watch()
    assert [turn for second in range(8) for turn in watch.both(second, 90, 40)] == ["raised"]
    assert watch.hear(8, b_motor_temperature=40, b_running=0) == []
    assert watch.hear(9, a_motor_temperature=90) == []
    for second in range(12, 40):
        assert watch.hear(second, a_motor_temperature=90) == []


def test_a_restart_forgets_the_numbers_and_keeps_the_alarm() -> None:
    watch = Watch()
    assert [turn for second in range(8) for turn in watch.both(second, 90, 40)] == ["raised"]
    later = Watch()
    later.conditions.restore(watch.conditions.rows())
    assert later.hear(9, a_motor_temperature=40) == []
    assert later.hear(30, a_motor_temperature=40) == []
    assert later.both(31, 40, 40) == []
    assert later.both(31 + CLEAR_AFTER, 40, 40) == ["cleared"]


def test_a_flag_of_the_twin_in_a_formula() -> None:
    measure = AgainstTwin(formula=parse("running and not twin.running"))
    condition = Condition(comparison=Comparison.EQUALS, limit=1.0, measure=measure)
    watch = Watch(replace(hotter(None), condition=condition, point="running", delay=0))
    assert watch.hear(0, a_running=1) == []
    assert watch.hear(1, b_running=1) == []
    assert watch.hear(2, b_running=0) == ["raised"]
    assert watch.hear(3, b_running=1, a_running=1) == []
    assert watch.hear(6, a_running=1) == ["cleared"]


# Who has none, and what is built on it


def installed() -> Site:
    alone = pump("c")
    return site(FIRST, SECOND_ONE, alone)


def test_a_rule_about_the_twin_is_judged_on_what_has_one_only() -> None:
    here = installed()
    book = rulebook(hotter())
    assert Conditions(book, here.equipment.values()).pairs == {("hotter", "a")}
    with pytest.raises(ConflictError, match="compares with a twin, and c has none"):
        variant(hotter(), here.equipment["c"], 30.0, None)
    tried = altered(book, here, Trial(rule="hotter", equipment=None, limit=30.0, delay=None))
    assert set(tried.variants) == {("hotter", "a")}


def test_a_repair_is_not_shown_good_while_the_twin_is_silent() -> None:
    book = rulebook(hotter())
    conditions, proofs = (
        Conditions(book, installed().equipment.values()),
        proofs_of(book, installed()),
    )
    proofs.follow(
        [
            Proof(
                order_id="o1",
                rule="hotter",
                equipment="a",
                began_at=NOON,
                hours_needed=30 * MINUTE,
                cycles_needed=None,
            )
        ]
    )

    def hear(second: int, **readings: float) -> Proof | None:
        said = frame({name.replace("_", ".", 1): value for name, value in readings.items()})
        conditions.step(said, at(second))
        proofs.take(said, at(second), conditions)
        return next(iter(proofs.take_changed()), None)

    both = {"a_motor_temperature": 41.0, "b_motor_temperature": 40.0, "b_running": 1.0}
    told = [hear(second, **both) for second in range(20)]
    assert [one.stand for one in told if one][-1] is ProofStand.IN_BAND
    later = [hear(second, a_motor_temperature=41) for second in range(20, 90)]
    last = [one for one in later if one][-1]
    assert (last.stand, last.in_band // SECOND) == (ProofStand.NO_DATA, 19 + FRESH)


def test_a_replay_reads_the_twin_too(tmp_path: Path) -> None:
    history = EmbeddedHistory(tmp_path / "history.db")
    lines: dict[str, Sequence[tuple[int, float]]] = {
        "a.motor_temperature": [(0, 40), (100, 90), (400, 60)],
        "b.motor_temperature": [(1, 40)],
        "b.running": [(1, 1), (300, 0)],
    }
    rows = sorted((second, point, value) for point, line in lines.items() for second, value in line)
    records = []
    for seq, (second, point, value) in enumerate(rows, 1):
        wall = NOON + second * SECOND
        said = Frame(
            points=(point,),
            value=np.array([value], float),
            quality=np.array([Quality.GOOD], np.uint8),
            source_time=np.array([wall]),
        )
        now = Instant(wall=wall, mono=wall, boot="b")
        envelope = Envelope(site=SITE, gateway="gw-1", epoch="e1", seq=seq, at=now)
        records.append(Record(envelope=envelope, body=said))
    history.write(records, Cursor("e1", len(records)), [])
    report = work.run(
        installed(),
        rulebook(hotter()),
        ["hotter"],
        history,
        raised=(),
        start=NOON,
        end=NOON + 10 * MINUTE,
        told=lambda _: None,
    )
    history.close()
    [one] = report.rules[0].new
    assert (one.raised_at - NOON) // SECOND == 100 + DELAY
    assert one.cleared_at is not None
    assert 300 + CLEAR_AFTER <= (one.cleared_at - NOON) // SECOND <= 312


def test_it_is_said_whose_point_is_meant() -> None:
    points = {point.key: point for point in SECOND_ONE.points}
    said = condition_words(hotter(), points)
    assert said.en == (
        "motor_temperature less motor_temperature of its twin above 25 K, "
        "while running of its twin is 1"
    )
    assert said.zh == (
        "motor_temperature减对照设备的motor_temperature高于 25 K，且对照设备的running为 1"
    )
