"""What telemetry shows of a repair: cycles and time in band, from readings alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import nan

import pytest
from duty_room import DARK, HOT, Gateway, rulebook, site

from gateway.model.moment import MINUTE, SECOND
from rules.alarms.conditions import Conditions
from rules.alarms.proofs import Proofs
from rules.limits_in_force import proofs_of
from rules.measures import Comparison
from rules.orders.cycles import CycleCounter, Cycles
from rules.orders.proof import Proof, ProofStand
from rules.rule import Rule

BIT = Cycles(point="output", comparison=Comparison.EQUALS, limit=1, times=3)
STARTS = Cycles(point="starts", comparison=None, limit=1, times=3)


def with_cycles(rule: Rule, cycles: Cycles) -> Rule:
    assert rule.order is not None
    return replace(rule, order=replace(rule.order, cycles=cycles))


LAMP = with_cycles(DARK, BIT)


@dataclass
class Bench:
    """One repaired thing under watch; a poll a second."""

    rule: Rule = LAMP
    equipment: str = "lamp-1"
    gateway: Gateway = field(default_factory=Gateway)

    def __post_init__(self) -> None:
        rules = rulebook(self.rule)
        self.conditions = Conditions(rules, site().equipment.values())
        self.proofs: Proofs = proofs_of(rules, site())
        assert self.rule.order is not None
        cycles = self.rule.order.cycles
        self.proof = Proof(
            order_id="o1",
            rule=self.rule.id,
            equipment=self.equipment,
            began_at=self.gateway.now.wall,
            hours_needed=self.rule.order.close_after,
            cycles_needed=None if cycles is None else cycles.times,
        )
        self.proofs.follow([self.proof])

    def poll(self, seconds: float, **readings: float) -> Proof:
        said = {f"{self.equipment}.{key}": value for key, value in readings.items()}
        good = {point: value for point, value in said.items() if value == value}
        bad = {point: "timeout" for point in said if point not in good}
        for record in self.gateway.poll(seconds, good, bad=bad):
            self.conditions.step(record.body, record.envelope.at)
            self.proofs.take(record.body, record.envelope.at, self.conditions)
        for changed in self.proofs.take_changed():
            self.proof = changed
        return next(one.proof for one in self.proofs._watches.values())

    def cycle(self, power: float = 40, lit: float = 20) -> Proof:
        self.poll(lit, output=1, power=power)
        return self.poll(20, output=0, power=0)


def test_a_lamp_that_has_burnt_three_times_is_shown_to_be_good() -> None:
    bench = Bench()
    begun = bench.gateway.now.wall
    bench.poll(5, output=0, power=0)
    assert [bench.cycle().cycles for _ in range(2)] == [1, 2]
    done = bench.cycle()
    assert (done.cycles, done.by_cycles, done.is_enough) == (3, True, True)
    assert (done.first_at, done.last_at) == (begun + 6 * SECOND, begun + (5 + 120 - 19) * SECOND)
    assert done.in_band < 30 * MINUTE


def test_time_counts_only_where_the_rule_is_judged() -> None:
    bench = Bench(replace(DARK))
    off = bench.poll(3600, output=0, power=0)
    assert (off.stand, off.in_band, off.is_enough) == (ProofStand.NOT_JUDGED, 0, False)
    lit = bench.poll(30 * 60, output=1, power=40)
    assert (lit.stand, lit.in_band, lit.is_enough) == (
        ProofStand.IN_BAND,
        30 * MINUTE - SECOND,
        False,
    )
    assert bench.poll(1, output=1, power=40).is_enough


def test_a_run_up_takes_nothing_away_and_a_breach_in_service_takes_everything() -> None:
    bench = Bench()
    bench.poll(5, output=0, power=0)
    bench.poll(3, output=1, power=0)  # It warms up: shorter than the delay of the rule.
    bench.poll(10, output=1, power=40)
    assert bench.poll(5, output=0, power=0).cycles == 1
    bench.poll(5, output=1, power=40)
    flickered = bench.poll(2, output=1, power=0)
    assert (flickered.cycles, flickered.in_band, flickered.stand) == (0, 0, ProofStand.BREACHING)
    bench.poll(5, output=1, power=40)
    assert bench.poll(5, output=0, power=0).cycles == 0, "it was not well all the while"
    assert bench.cycle().cycles == 1


def test_a_lamp_that_stays_dark_for_less_than_the_delay_proves_nothing() -> None:
    bench = Bench()
    bench.poll(5, output=0, power=0)
    for _ in range(5):
        assert bench.cycle(power=0, lit=8).cycles == 0


@pytest.mark.parametrize(
    "gap",
    [
        lambda b: b.poll(2, output=1, power=nan),
        lambda b: b.poll(2, output=nan, power=40),
        lambda b: b.gateway.clock.advance(4),
        lambda b: b.poll(6, output=1),
    ],
    ids=["bad value", "bad bit", "silence", "stale value"],
)
def test_what_is_missing_bad_or_stale_shows_nothing(gap: Callable[[Bench], object]) -> None:
    bench = Bench()
    bench.poll(5, output=0, power=0)
    before = bench.poll(10, output=1, power=40)
    gap(bench)
    after = bench.poll(1, output=1, power=40)
    assert after.in_band - before.in_band <= 3 * SECOND
    assert after.is_enough is False
    bench.poll(10, output=1, power=40)
    assert bench.poll(5, output=0, power=0).cycles == 0, "of that cycle something is not known"
    assert bench.cycle().cycles == 1, "the next one counts"


def test_another_process_goes_on_from_what_was_kept_and_counts_no_cycle_twice() -> None:
    bench = Bench()
    bench.poll(5, output=0, power=0)
    bench.cycle()
    bench.poll(5, output=1, power=40)
    kept = bench.proof
    bench.proofs = proofs_of(rulebook(LAMP), site())
    bench.proofs.follow([kept])
    bench.poll(5, output=1, power=40)
    assert bench.poll(5, output=0, power=0).cycles == 1, "the one under way was seen in part"
    assert bench.cycle().cycles == 2


def test_what_begins_anew_knows_nothing_of_what_was_before() -> None:
    bench = Bench()
    bench.poll(5, output=0, power=0)
    bench.cycle()
    bench.proofs.follow([replace(bench.proof, began_at=bench.proof.began_at + 1, cycles=0)])
    bench.poll(1, output=0, power=0)
    assert bench.cycle().cycles == 1


def test_a_counter_counts_what_it_says_and_nothing_over_a_reset() -> None:
    counter = CycleCounter(STARTS)
    said = []
    for value, at in ((7, 1), (7, 2), (8, 3), (10, 4), (0, 5), (1, 6)):
        said.append(counter.take(value, at))
        counter.see()
    assert said == [None, None, (1, 1), (2, 3), None, (1, 5)]
    counter.lose()
    assert counter.take(20, 7) is None, "nobody knows what was in between"


def test_a_rule_without_cycles_ends_by_time_in_band() -> None:
    bench = Bench(replace(HOT, gates=()), "pump-1")
    assert bench.poll(30 * 60, motor_temperature=60).is_enough is False
    done = bench.poll(1, motor_temperature=60)
    assert (done.is_enough, done.by_cycles, done.cycles_needed) == (True, False, None)
