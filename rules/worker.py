"""From records to rows, exactly once.

``take`` and ``tick`` evaluate and only remember what came of it; ``commit`` writes all of it and
the cursor in one transaction. What is not committed is replayed after a restart, into the same
ids. A ledger that cannot commit stops nothing: what has come up stays here, provisional under
its final ids, and goes into the next attempt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import structlog

from gateway import failpoint
from gateway.model.equipment import Site
from gateway.model.events import Record
from gateway.model.frame import Frame
from gateway.model.moment import SECOND, Instant
from rules import metrics
from rules.alarms.conditions import Change, ConditionRow, Conditions, Turn
from rules.alarms.links import LinkWatch
from rules.alarms.occurrence import alarm_of, returned
from rules.alarms.proofs import Proofs
from rules.alarms.topology import Topology
from rules.effects import Effects
from rules.ledger import conditions as kept_conditions
from rules.ledger import cursors, proofs, timers
from rules.ledger.cursors import NOWHERE, Cursor
from rules.ledger.rows import Alarm
from rules.ledger.store import Ledger
from rules.limits_in_force import LimitsInForce, conditions_of, proofs_of
from rules.orders.proof import Proof, ProofKey
from rules.rule import Rulebook
from rules.wall_clock import StepWatch

AT_ONCE = 100
"""Changes in one commit, so that nobody waits long for a fire that comes up meanwhile."""
QUIET = 3 * SECOND
"""µs without a record after which the clock itself moves the delays."""

_log = structlog.get_logger(__name__)


class CursorMovedError(Exception):
    """Somebody else has committed records of this gateway: load again and go on from there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """What one commit writes."""

    base: Cursor
    """Where the ledger's cursor must be."""
    target: Cursor
    changes: tuple[Change, ...]
    conditions: tuple[ConditionRow, ...]
    proofs: tuple[Proof, ...]
    steps: int
    """So often the wall clock was stepped since the last commit; that the process is new counts
    as one."""
    is_first: bool
    """Nothing was committed since the rules were loaded."""
    now: Instant


class Worker:
    """The rules of one site over the records of its gateway.

    Evaluation (``take``, ``tick``, ``batch``, ``settle``) belongs to one thread; ``write`` may
    run in another one meanwhile.
    """

    _changes: list[Change]
    _conditions: Conditions
    _proofs: Proofs
    _under_way: Sequence[Proof]
    """As the ledger said last."""
    _unanchored: int
    _heard: Instant | None
    """When it was first noticed that no record came since; None: one has just come."""

    def __init__(self, *, site: Site, rulebook: Rulebook, ledger: Ledger) -> None:
        self._site = site
        self._limits = LimitsInForce(site, rulebook)
        self._under_way = ()
        self._ledger = ledger
        # A limit of its own changes nothing of what explains what.
        self._topology = Topology(site, rulebook)
        self._reset()

    @property
    def cursor(self) -> tuple[str, int] | None:
        """(epoch, seq) of the last record whose effect is committed."""
        return (self._committed.epoch, self._committed.seq) if self._committed.epoch else None

    @property
    def has_changes(self) -> bool:
        """Whether there is something that people are waiting for."""
        return bool(self._changes)

    @property
    def waiting(self) -> int:
        """How many alarms that began or ended are not written."""
        return len(self._changes)

    def load(self) -> None:
        """Go on from what the ledger holds; what was not committed is forgotten."""
        with self._ledger.read(self._site.id) as view:
            cursor = cursors.load(view.connection, self._site.id, self._site.gateway)
            rows = kept_conditions.load(view.connection, self._site.id)
            self._limits.see(view)
            self._under_way = proofs.under_way(view)
        self._limits.renewed()
        self._reset()
        self._conditions.restore(rows)
        self._proofs.follow(self._under_way)
        self._committed = self._reached = cursor

    def take(self, records: Iterable[Record]) -> None:
        """Evaluate records in their order; one that had its effect before is passed over."""
        for record in records:
            envelope = record.envelope
            if (envelope.site, envelope.gateway) != (self._site.id, self._site.gateway):
                continue
            if not self._reached.takes(envelope.epoch, envelope.seq):
                continue
            self._reached = self._reached.at(envelope.epoch, envelope.seq)
            self._heard = None
            if self._steps.seen(envelope.at):
                self._conditions.anchor_again(envelope.at)
            # After a pause the first frame is no clock yet for what other devices have to say.
            is_clock = envelope.at.since(self._records.unbroken_since(envelope.at)) >= QUIET
            for frame in self._said(record):
                self._changes += self._conditions.step(frame, envelope.at, is_clock=is_clock)
                self._proofs.take(frame, envelope.at, self._conditions)

    def tick(self, now: Instant) -> None:
        """Move the delays by the clock, where no records do it.

        While records come, their receive times are the clock: a backlog is judged as it
        happened, and no delay runs out before the reading that would have ended it is seen.
        For the same reason a pause, of this process or of all, counts as if a record had come.
        """
        if self._steps.seen(now):
            self._unanchored += 1
            self._conditions.anchor_again(now)
        if self._ticks.unbroken_since(now) is now or self._heard is None:
            self._heard = now
        if now.since(self._heard) >= QUIET:
            self._changes += self._conditions.tick(now)

    def provisional(self) -> list[Alarm]:
        """The alarms that are no rows yet, as they stand; one whose condition has returned
        meanwhile still waits to be seen by somebody."""
        alarms: dict[str, Alarm] = {}
        for change in self._changes:
            if change.turn is Turn.RAISED:
                alarms[change.occurrence] = alarm_of(change)
            elif change.occurrence in alarms:
                alarms[change.occurrence] = returned(alarms[change.occurrence], change)
        return list(alarms.values())

    def commit(self, now: Instant) -> None:
        """Write what has come up; raises what the ledger raises, and then nothing is lost."""
        batch = self.batch(now)
        self.write(batch)
        self.settle(batch)

    def batch(self, now: Instant) -> Batch:
        """What is to be written as of now."""
        self._keep_dirty()
        changes = _first_of(self._changes)
        # What stands behind the cursor is written; as long as something is not, it stays.
        is_all = len(changes) == len(self._changes)
        return Batch(
            base=self._committed,
            target=self._reached if is_all else self._committed,
            changes=changes,
            conditions=tuple(self._unkept.values()) if is_all else (),
            proofs=tuple(self._unkept_proofs.values()) if is_all else (),
            steps=self._unanchored,
            is_first=self._is_first,
            now=now,
        )

    def write(self, batch: Batch) -> None:
        """One transaction: alarms, orders, timers, messages, conditions, and the cursor.

        1. See where the cursor is. At the target already: an earlier attempt was committed
           although its answer was lost, and there is nothing to do. Elsewhere:
           :class:`CursorMovedError`.
        2. Withdraw what these rules judge no more, the first time.
        3. Write alarms that began and ended, their orders and messages, in their order.
        4. Let fall due what is due.
        5. Keep the conditions, what is shown of repairs, and the cursor.
        """
        with self._ledger.write(self._site.id) as entry:
            found = cursors.load(entry.connection, self._site.id, self._site.gateway)
            if found not in (batch.base, batch.target):
                raise CursorMovedError(f"the cursor is at {found.epoch}:{found.seq}")
            if found != batch.base:
                return
            self._limits.see(entry)
            if batch.steps:
                timers.anchor_again(entry, batch.now)
            effects = Effects(
                entry=entry,
                site=self._site,
                rulebook=self._limits.rulebook,
                topology=self._topology,
                now=batch.now,
            )
            if batch.is_first:
                effects.withdraw_others(self._conditions.pairs)
                effects.reconsider_orders()
            for change in batch.changes:
                effects.write(change)
            effects.keep_proofs(batch.proofs)
            effects.let_fall_due()
            effects.finish()
            kept_conditions.save(entry, batch.conditions)
            self._under_way = proofs.under_way(entry)
            if batch.target != found or found.is_due(batch.now):
                cursors.save(entry, self._site.gateway, batch.target, batch.now)
            if batch.changes:
                failpoint.reach(failpoint.BEFORE_COMMIT)
        if batch.changes:
            failpoint.reach(failpoint.AFTER_COMMIT)
        for one in effects.set_aside:
            metrics.set_aside.inc()
            _log.error(
                "the ledger can never take this",
                what=one.what,
                subject=one.subject,
                error=one.error,
            )

    def settle(self, batch: Batch) -> None:
        """``batch`` is committed: forget what it held."""
        self._committed = batch.target
        written = {id(change) for change in batch.changes}
        self._changes = [change for change in self._changes if id(change) not in written]
        for row in batch.conditions:
            if self._unkept.get((row.rule, row.equipment)) is row:
                del self._unkept[row.rule, row.equipment]
        for proof in batch.proofs:
            if self._unkept_proofs.get(proof.key) is proof:
                del self._unkept_proofs[proof.key]
        self._proofs.follow(self._under_way)
        self._unanchored -= batch.steps
        self._is_first = False
        renewed = self._limits.renewed()
        if renewed is not None:
            self._keep_dirty()
            self._conditions.judge_by(renewed)

    def _keep_dirty(self) -> None:
        dirty = self._conditions.take_dirty()
        self._unkept.update({(row.rule, row.equipment): row for row in dirty})
        self._unkept_proofs.update({one.key: one for one in self._proofs.take_changed()})

    def _said(self, record: Record) -> list[Frame]:
        """Readings of devices, and what follows of them, or of an event, for their link."""
        of_link = self._links.take(record)
        frames = [record.body] if isinstance(record.body, Frame) else []
        return frames if of_link is None else [*frames, of_link]

    def _reset(self) -> None:
        self._links = LinkWatch(self._site)
        self._records = _Flow()
        self._ticks = _Flow()
        self._conditions = conditions_of(self._limits.rulebook, self._site)
        self._proofs = proofs_of(self._limits.rulebook, self._site)
        self._committed = self._reached = NOWHERE
        self._changes = []
        self._unkept_proofs: dict[ProofKey, Proof] = {}
        self._unkept: dict[tuple[str, str], ConditionRow] = {}
        self._heard = None
        self._steps = StepWatch()
        self._unanchored = 1
        self._is_first = True


def _first_of(changes: Sequence[Change]) -> tuple[Change, ...]:
    """What the next commit writes. In a flood it is short, and fire and entrapment go before.

    Of one rule on one piece of equipment everything stays in its order.
    """
    if len(changes) <= AT_ONCE:
        return tuple(changes)
    ranked = sorted(changes, key=lambda change: not change.rule.life_safety)
    return tuple(ranked[:AT_ONCE])


class _Flow:
    """Tells since when instants have followed one another without a pause of :data:`QUIET`."""

    def __init__(self) -> None:
        self._last: Instant | None = None
        self._begun: Instant | None = None

    def unbroken_since(self, at: Instant) -> Instant:
        """``at`` itself where it is the first, or the first after a pause."""
        if self._begun is None or self._last is None or not 0 <= at.since(self._last) <= QUIET:
            self._begun = at
        self._last = at
        return self._begun
