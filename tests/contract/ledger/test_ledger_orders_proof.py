"""Telemetry shows that a repair holds, on both databases: durable, once, and never too early."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest
from duty_room import HOT, SITE
from order_desk import BOSS, OrderDesk

from gateway.model.moment import DAY, MINUTE, SECOND, iso
from rules.ledger.store import Ledger
from rules.measures import Comparison
from rules.orders.cycles import Cycles
from rules.orders.lifecycle import OrderState
from rules.orders.proof import Proof, ProofStand
from rules.refusals import NotValidError

assert HOT.order is not None
CYCLES = Cycles(point="speed", comparison=Comparison.ABOVE, limit=0, times=3)
COUNTED = replace(HOT, order=replace(HOT.order, cycles=CYCLES))


@pytest.fixture
def desk(ledger: Ledger) -> OrderDesk:
    """A pump that was repaired; telemetry watches it from now on."""
    desk = OrderDesk(ledger, rules=(COUNTED,))
    desk.heat()
    desk.do("accept")
    desk.run(21)
    desk.do("complete", note="bearing")
    desk.run(1, speed=0)
    return desk


def cycle(desk: OrderDesk) -> Proof:
    desk.run(10, speed=50)
    return proof(desk, desk.run(10, speed=0).proofs)


def proof(desk: OrderDesk, proofs: tuple[Proof, ...] | None = None) -> Proof:
    (one,) = desk.order().proofs if proofs is None else proofs
    return one


def test_so_many_cycles_verify_the_order_and_its_history_says_which(desk: OrderDesk) -> None:
    desk.run(1, speed=0)
    begun = desk.gateway.now.wall
    assert [cycle(desk).cycles for _ in range(2)] == [1, 2]
    assert desk.order().state is OrderState.COMPLETED
    last = cycle(desk)
    order = desk.order()
    assert (order.state, order.verified_by) == (OrderState.CLOSED, None)
    first_at, last_at = begun + SECOND, begun + 51 * SECOND
    assert (last.first_at, last.last_at) == (first_at, last_at)
    verified = next(one for one in desk.events() if one.event == "verify")
    assert verified.why == f"telemetry: 3 cycles {iso(first_at)} {iso(last_at)}"
    assert order.verifies_at is None


@pytest.mark.parametrize("commits", [True, False], ids=["committed", "killed before the commit"])
def test_a_restart_counts_no_cycle_twice_and_verifies_nothing_early(
    desk: OrderDesk, commits: bool
) -> None:
    desk.run(1, speed=0)
    cycle(desk)
    records = desk.gateway.poll(10, {"pump-1.motor_temperature": 60, "pump-1.speed": 50})
    records += desk.gateway.poll(5, {"pump-1.motor_temperature": 60, "pump-1.speed": 0})
    desk.worker.take(records)
    if commits:
        desk.worker.commit(desk.gateway.now)
    desk.restart()
    # The spool gives everything again that was said.
    desk.worker.take(desk.gateway.said)
    assert proof(desk, desk.tick().proofs).cycles <= 2
    desk.restart()
    desk.worker.take(desk.gateway.said)
    desk.tick(30 * 60)
    assert (proof(desk).cycles <= 2, desk.order().state) == (True, OrderState.COMPLETED)
    desk.run(1, speed=0)
    cycle(desk)
    cycle(desk)
    assert desk.order().state is OrderState.CLOSED


def test_a_relapse_reopens_and_what_was_shown_before_counts_no_more(desk: OrderDesk) -> None:
    desk.run(1, speed=0)
    cycle(desk)
    assert cycle(desk).cycles == 2
    assert desk.heat().state is OrderState.OPEN
    assert desk.order().proofs == ()
    desk.do("accept")
    desk.do("complete", note="again")
    assert desk.run(10, speed=0).proofs == (), "it is still coming back to normal"
    desk.run(20, speed=0)
    desk.run(1, speed=0)
    assert cycle(desk).cycles == 1


def test_bad_data_verify_nothing_and_somebody_says_why_it_is_good(desk: OrderDesk) -> None:
    dead = desk.run(40 * 60, motor_temperature=nan)
    assert (dead.state, proof(desk).stand) == (OrderState.COMPLETED, ProofStand.NO_DATA)
    assert (proof(desk).in_band, dead.verifies_at) == (0, None)
    assert desk.tick(DAY // SECOND).state is OrderState.COMPLETED
    over = desk.do("verify", BOSS, passed=True, note="现场测过，传感器另修")
    assert (over.state, over.verified_by) == (OrderState.CLOSED, "chen")


def test_who_says_so_too_early_is_heard_and_rejected_work_is_watched_anew(
    desk: OrderDesk,
) -> None:
    desk.run(1, speed=0)
    cycle(desk)
    assert desk.do("verify", BOSS, passed=False, note="仍有异响").proofs == ()
    desk.do("complete", note="again")
    desk.run(2, speed=0)
    assert proof(desk).cycles == 0
    assert desk.do("verify", BOSS, passed=True, note=None).state is OrderState.CLOSED
    with desk.ledger.read(SITE) as view:
        (kept,) = view.orders(states=None)[0].proofs
    assert kept.cycles == 0, "what was shown until then stays to be seen"


def test_time_in_band_is_kept_now_and_then_and_an_early_end_is_not_lost(desk: OrderDesk) -> None:
    kept = proof(desk, desk.run(10 * 60, speed=0).proofs).in_band
    assert 9 * MINUTE <= kept <= 10 * MINUTE
    desk.restart()
    order = desk.run(5, speed=0)
    assert proof(desk, order.proofs).in_band == kept
    over = desk.run(21 * 60, speed=0)
    assert over.state is OrderState.CLOSED
    why = next(one.why for one in desk.events() if one.event == "verify")
    assert why is not None and why.startswith("telemetry: 18")


def test_the_order_of_a_rule_that_is_gone_waits_for_somebody(desk: OrderDesk) -> None:
    desk.rules = (replace(COUNTED, id="other"),)
    desk.restart()
    desk.tick()
    desk.run(40 * 60)
    assert desk.order().state is OrderState.COMPLETED
    with pytest.raises(NotValidError, match="telemetry"):
        desk.do("verify", BOSS, passed=True, note=None)
