"""What telemetry shows of a repair: a rule watched on the equipment that was repaired, until it has
stayed in band for so many duty cycles or for so long. Pure.

In band means: by good readings that are all there, the rule's condition was judged and is false.
Where readings are missing, bad, stale or doubtful nothing counts, and where a gate is shut
nothing is judged; neither takes anything away. A breach, however short, begins everything anew;
only a run-up right after a gate has opened, which the rule's own delay forgives, does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from gateway.model.equipment import Equipment
from gateway.model.frame import Frame
from gateway.model.moment import MINUTE, SECOND, Instant
from gateway.model.quality import Quality
from rules.alarms.conditions import Conditions, Verdict
from rules.orders.cycles import CycleCounter
from rules.orders.proof import Proof, ProofKey, ProofStand
from rules.rule import Rule
from rules.twins import points_by_name

KEPT_EVERY = MINUTE
"""µs in band that may be lost with a restart; no cycle ever is, but the one under way."""
TOLD_EVERY = 10 * SECOND
"""µs at least between two tellings that it stands otherwise: data may come and go every second."""


class Proofs:
    """The proofs that are under way."""

    def __init__(self, rules: Mapping[tuple[str, str], tuple[Rule, Equipment]]) -> None:
        """``rules``: (rule, equipment) → both, of everything that is judged."""
        self._rules = rules
        self._watches: dict[ProofKey, _Watch] = {}
        self._by_point: dict[str, list[_Watch]] = {}

    def follow(self, proofs: Collection[Proof]) -> None:
        """These are under way, and no others. One that is known goes on from what is known of it
        here, which may be more than was kept."""
        wanted = {proof.key: proof for proof in proofs}
        if wanted.keys() == self._watches.keys():
            return
        watches = {}
        for key, proof in wanted.items():
            pair = self._rules.get((proof.rule, proof.equipment))
            if pair is not None:
                watches[key] = self._watches.get(key) or _Watch(proof, *pair)
        self._watches = watches
        self._by_point = {}
        for watch in watches.values():
            for point in watch.points:
                self._by_point.setdefault(point, []).append(watch)

    def take(self, frame: Frame, at: Instant, conditions: Conditions) -> None:
        """A frame that ``conditions`` have just taken."""
        if self._by_point.keys().isdisjoint(frame.points):
            return
        touched: dict[int, _Watch] = {}
        for row, point in enumerate(frame.points):
            for watch in self._by_point.get(point, ()):
                watch.read(point, float(frame.value[row]), int(frame.quality[row]), at)
                touched[id(watch)] = watch
        for watch in touched.values():
            watch.judge(conditions.verdict(watch.rule.id, watch.proof.equipment), at)

    def take_changed(self) -> Sequence[Proof]:
        """Those that differ from what was last kept; asked once."""
        return [watch.keep() for watch in self._watches.values() if watch.is_to_keep]


class _Watch:
    def __init__(self, proof: Proof, rule: Rule, thing: Equipment) -> None:
        cycles = None if rule.order is None else rule.order.cycles
        has = points_by_name(thing)
        wanted = [key for key in sorted(rule.points) if key in has]
        self.rule = rule
        self.proof = self._kept = proof
        self._stale = {has[key].id: has[key].stale_after for key in wanted}
        self._patience = min(self._stale.values(), default=0)
        self._counter: CycleCounter | None = None
        self._bit = ""
        if cycles is not None and cycles.point in has and proof.cycles_needed is not None:
            self._counter = CycleCounter(cycles)
            self._bit = has[cycles.point].id
            self._stale.setdefault(self._bit, has[cycles.point].stale_after)
        self._seen: dict[str, Instant] = {}
        """When the last reading of a point came, if that was a good one."""
        self._fresh_bit: float | None = None
        self._steady: Instant | None = None
        """When it was last in band, without a break since."""
        self._is_settled = False
        """It has been in band since its gates opened."""

    @property
    def points(self) -> Collection[str]:
        return self._stale

    @property
    def is_to_keep(self) -> bool:
        now, kept = self.proof, self._kept
        if now.cycles != kept.cycles or now.in_band < kept.in_band:
            return True
        if now.in_band - kept.in_band >= KEPT_EVERY or now.is_enough != kept.is_enough:
            return True
        age = (now.judged_at or 0) - (kept.judged_at or 0)
        return now.stand is not kept.stand and not 0 <= age < TOLD_EVERY

    def keep(self) -> Proof:
        self._kept = self.proof
        return self.proof

    def read(self, point: str, value: float, quality: int, at: Instant) -> None:
        if quality != Quality.GOOD:
            self._seen.pop(point, None)
            return
        if point == self._bit and self._counter is not None:
            last = self._seen.get(point)
            if last is None or not 0 <= at.since(last) <= self._stale[point]:
                self._counter.lose()
            self._fresh_bit = value
        self._seen[point] = at

    def judge(self, verdict: Verdict, at: Instant) -> None:
        """After all readings of a frame: what they say together."""
        stand = self._stand(verdict, at)
        if stand is ProofStand.IN_BAND:
            self._count_time(at)
            self._is_settled = True
        else:
            self._steady = None
        if stand is ProofStand.NOT_JUDGED:
            self._is_settled = False
        if stand is ProofStand.BREACHING and self._is_settled:
            self._begin_anew()
        if self._counter is not None:
            self._count_cycles(self._counter, stand, at)
        self.proof = replace(self.proof, stand=stand, judged_at=at.wall)

    def _stand(self, verdict: Verdict, at: Instant) -> ProofStand:
        for point, stale in self._stale.items():
            seen = self._seen.get(point)
            if seen is None or not 0 <= at.since(seen) <= stale:
                return ProofStand.NO_DATA
        return _STANDS[verdict]

    def _count_time(self, at: Instant) -> None:
        if self._steady is not None:
            passed = at.since(self._steady)
            if 0 <= passed <= self._patience:
                self.proof = replace(self.proof, in_band=self.proof.in_band + passed)
        self._steady = at

    def _count_cycles(self, counter: CycleCounter, stand: ProofStand, at: Instant) -> None:
        value, self._fresh_bit = self._fresh_bit, None
        if stand is ProofStand.NO_DATA:
            counter.lose()
            return
        ended = None if value is None else counter.take(value, at.wall)
        if stand is ProofStand.IN_BAND:
            counter.see()
        if ended is None or stand is ProofStand.BREACHING:
            return
        more, begun = ended
        first = self.proof.first_at or begun
        cycles = self.proof.cycles + more
        self.proof = replace(self.proof, cycles=cycles, first_at=first, last_at=at.wall)

    def _begin_anew(self) -> None:
        self._is_settled = False
        if self._counter is not None:
            self._counter.lose()
        self.proof = replace(self.proof, in_band=0, cycles=0, first_at=None, last_at=None)


_STANDS = {
    Verdict.IN_BAND: ProofStand.IN_BAND,
    Verdict.NOT_JUDGED: ProofStand.NOT_JUDGED,
    Verdict.UNKNOWN: ProofStand.NO_DATA,
    Verdict.BREACHING: ProofStand.BREACHING,
}
