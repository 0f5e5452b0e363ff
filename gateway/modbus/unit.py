"""A unit behind a link as it is polled: its points of one interval, and what is known of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from gateway.modbus.bisect import NO_ANSWER, REFUSALS, Search
from gateway.modbus.decode import Columns, Decoder, Registers
from gateway.modbus.link import FailureKind, ReadFailure
from gateway.modbus.plan import Block
from gateway.model.moment import SECOND, Instant
from gateway.model.point import Point
from gateway.model.profile import ModbusPlace, ReadLimits

ALLOWED_SILENCES = 3
"""Polls without an answer after which a unit is only probed."""
PROBE_EVERY = 10 * SECOND
"""µs between probes of a silent unit."""
_HOPELESS = (FailureKind.NO_REPLY, FailureKind.NO_CONNECTION, FailureKind.HELD)
"""After these the unit's other blocks would only wait for the same silence."""


class Device:
    """What is known of a unit as a whole."""

    def __init__(self) -> None:
        self.silences = 0
        """Polls in a row that got no answer."""
        self.misses = 0
        """Polls in a row without a word of it, be it for want of a connection."""
        self.probe: Instant | None = None
        """When to try it next; None: at once. Of a silent unit only."""

    @property
    def silent(self) -> bool:
        return self.silences >= ALLOWED_SILENCES


class Heard:
    """What came of one poll."""

    def __init__(self) -> None:
        self.replies: dict[Block, Registers] = {}
        self.failures: dict[Block, str] = {}
        """Why the others were not read, of those that were asked."""
        self.refused: dict[Block, int] = {}
        """Those that the device does not have, by its word → exception."""
        self.answered = False
        """A value came, or an exception."""
        self.hopeless: ReadFailure | None = None
        """Why it was broken off."""
        self.left: Block | None = None
        """Where it was broken off."""

    @property
    def is_empty(self) -> bool:
        """Nothing was asked yet."""
        return not (self.replies or self.failures)

    def take(self, block: Block, reply: Registers) -> None:
        """``block`` was read."""
        self.replies[block] = reply
        self.answered = True

    def fail(self, block: Block, failure: ReadFailure) -> None:
        """``block`` was not read."""
        self.failures[block] = failure.reason
        self.answered = self.answered or failure.kind is FailureKind.EXCEPTION
        if failure.code in REFUSALS:
            self.refused[block] = failure.code or 0
        if failure.kind in _HOPELESS:
            self.hopeless, self.left = failure, block

    @property
    def rest(self) -> str:
        """Why what was not asked was not; empty if all was."""
        return "" if self.hopeless is None else self.hopeless.reason


class PolledUnit:
    """All points of one unit that are read at one interval.

    ``phase``: µs from its first poll to its second; from then on it is in step with that.
    """

    def __init__(
        self,
        *,
        unit: int,
        interval: int,
        points: Sequence[Point],
        places: Mapping[str, ModbusPlace],
        limits: ReadLimits,
        device: Device,
        phase: int,
    ) -> None:
        self.unit = unit
        self.interval = interval
        self.device = device
        self.search = Search(places, limits)
        self._points = points
        self._places = places
        self._phase = phase
        self.due: Instant | None = None
        """None: at once."""
        self._mute: Counter[Block] = Counter()
        """Blocks that got no answer in the last polls in which others did → how often."""
        self.decoder = Decoder(points, places, self.search.blocks)

    @property
    def silent(self) -> bool:
        return self.device.silent

    @property
    def is_plain(self) -> bool:
        """Whether nothing is to be learnt from its next poll, if that goes well: it answers, has
        all that is asked of it, and that is registers."""
        device = self.device
        return not (device.misses or device.silences or self._mute) and self.search.is_plain

    def ahead(self, now: Instant) -> int:
        """µs until it is due; less than 0 if it is overdue."""
        return 0 if self.due is None else -now.since(self.due)

    def done(self, now: Instant, *, whole: bool) -> None:
        """Polled at ``now``: the next poll is in step, and slots that were missed are left out.

        After a poll that was not ``whole`` it comes after 10 s at the latest: a lost reply should
        not cost points that are read once in ten minutes so long a time.
        """
        wait = self._phase
        if self.due is not None:
            wait = self.interval - max(0, now.since(self.due)) % self.interval
        self.due = now.plus(wait if whole else min(wait, PROBE_EVERY))

    def overdue(self) -> None:
        """Its values are not known any more: to be read as soon as the unit answers."""
        self.due = None

    def learn(self, heard: Heard, at: Instant) -> None:
        """Read differently from now on, if the poll at ``at`` says so."""
        dead = self.search.dead
        refused = {block: NO_ANSWER for block in heard.failures if block in dead} | heard.refused
        if self._mute:
            for block in heard.replies:
                self._mute.pop(block, None)
        if heard.answered and heard.left is not None and heard.left not in dead:
            self._mute[heard.left] += 1
            if self._mute[heard.left] >= ALLOWED_SILENCES:
                del self._mute[heard.left]
                refused[heard.left] = NO_ANSWER
        if self.search.judge(heard.replies, refused, at):
            self.decoder = Decoder(self._points, self._places, self.search.blocks)

    def without_value(self, reason: str) -> Columns:
        """Every point BAD for ``reason``."""
        return self.decoder.decode({}, dict.fromkeys(self.decoder.blocks, reason))
