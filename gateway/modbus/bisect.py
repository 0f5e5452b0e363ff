"""Which addresses a device does not have, found by halving what it refuses. Pure.

A device that lacks one register of a block refuses all of it. The block is then read without the
registers nobody asked for, and after that in halves, until the one value is named that the device
refuses by itself. That one is left out, and tried again ever more rarely.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from gateway.modbus.pdu import EXCEPTIONS
from gateway.modbus.plan import Block, plan
from gateway.model.moment import DAY, HOUR, MINUTE, SECOND, Instant
from gateway.model.profile import ModbusPlace, ReadLimits
from gateway.model.reason import Reason

REFUSALS = frozenset({1, 2, 3, 4})
"""Exceptions that speak of an address; a device that is busy (5, 6) has it."""

NO_ANSWER = 0
"""In place of an exception: of a device that says nothing to what it does not have."""

_RETRIES = (10 * SECOND, MINUTE, 10 * MINUTE)
"""µs after which a dead address is tried again, the last one for ever. A device that is starting
may refuse what it has a moment later."""

_LACKING = frozenset({1, 2})
"""Exceptions that mean: I have no such thing."""


_MERGES = (10 * MINUTE, HOUR, DAY)
"""µs without a refusal after which what was split is read together again, the last one for ever.
Without it a device that now and then refuses for no lasting reason would end as many requests."""


@dataclass(kw_only=True, slots=True)
class _Dead:
    reason: str
    retry: Instant
    tries: int = 1


class Search:
    """The blocks by which ``places`` (keyed by anything) are read, as far as is known by now."""

    def __init__(self, places: Mapping[str, ModbusPlace], limits: ReadLimits) -> None:
        self._places = dict(places)
        self._limits = limits
        self._narrow = replace(limits, gap=0)
        self._live: dict[Block, frozenset[str]] = {}
        """Block → what is read by it."""
        self.live: tuple[Block, ...] = ()
        """What it has, in order."""
        self._dead: dict[Block, _Dead] = {}
        self._hurried = False
        self._merge: Instant | None = None
        """When to read together what was split; None: nothing was."""
        self._merges = 0
        self._plan(self._places, limits)
        self.live = tuple(sorted(self._live))
        self._of_registers = not any(block.function.is_bits for block in self.live)

    @property
    def is_plain(self) -> bool:
        """It has all that is asked of it, as far as is known, and that is registers."""
        return self._of_registers and bool(self.live) and not self._dead and self._merge is None

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Every place lies whole in one of them; the dead ones are the last."""
        return (*self.live, *self._dead)

    @property
    def dead(self) -> Mapping[Block, str]:
        """Blocks of one value that the device does not have → reason of their points."""
        return {block: dead.reason for block, dead in self._dead.items()}

    def due(self, now: Instant) -> tuple[Block, ...]:
        """What to read at ``now``: all that lives, and of the dead at most one."""
        if not self._dead:
            return self.live
        retried = [
            (dead.retry.since(now), block)
            for block, dead in self._dead.items()
            if self._hurried or now.reached(dead.retry)
        ]
        return (*self.live, *(block for _, block in sorted(retried)[:1]))

    def hurry(self) -> None:
        """The device was away and is back: perhaps another one, or mended."""
        self._hurried = bool(self._dead)

    def judge(self, read: Iterable[Block], refused: Mapping[Block, int], now: Instant) -> bool:
        """Learn from a poll at ``now``; whether ``blocks`` are others than before.

        ``read``: the blocks that came. ``refused``: those that the device refused → exception,
        one of ``REFUSALS`` or ``NO_ANSWER``.

        1. A dead address that answers brings back all of them: the reason was none of theirs.
        2. A block of several values is halved; one of a single value is dead.
        3. What was split long ago is read together again.
        """
        is_old = self._merge is not None and now.reached(self._merge)
        if not (self._dead or refused or is_old):
            return False
        before = self.blocks
        if any(block in self._dead for block in read):
            self._dead.clear()
            self._hurried = False
            self._plan(self._places, self._narrow)
        else:
            for block, code in refused.items():
                self._refuse(block, code, now)
            if self._merge is not None and now.reached(self._merge):
                self._together()
        self.live = tuple(sorted(self._live))
        return self.blocks != before

    def _plan(self, places: Mapping[str, ModbusPlace], limits: ReadLimits) -> None:
        self._live = {}
        self._read_also(places, limits)

    def _read_also(self, places: Mapping[str, ModbusPlace], limits: ReadLimits) -> None:
        for block in plan(places, limits):
            own = frozenset(key for key, place in places.items() if block.holds(place))
            self._live[block] = self._live.get(block, frozenset()) | own

    def _refuse(self, block: Block, code: int, now: Instant) -> None:
        known = self._dead.get(block)
        if known is not None:
            self._hurried = False
            # With nothing left to read it is worth asking: this may be no matter of addresses.
            wait = _RETRIES[min(known.tries, len(_RETRIES) - 1)] if self._live else _RETRIES[0]
            known.retry = now.plus(wait)
            known.tries += 1
            return
        places = {key: self._places[key] for key in self._live.pop(block)}
        groups = _groups(block, places, self._narrow)
        if not groups:
            self._dead[block] = _Dead(reason=_reason(block, code), retry=now.plus(_RETRIES[0]))
        for group in groups:
            self._read_also(group, self._narrow)
        self._merge = now.plus(_MERGES[min(self._merges, len(_MERGES) - 1)])

    def _together(self) -> None:
        self._merge = None
        self._merges += 1
        own = {key: self._places[key] for keys in self._live.values() for key in keys}
        self._plan(own, self._narrow)


def _groups(
    block: Block, places: Mapping[str, ModbusPlace], narrow: ReadLimits
) -> list[dict[str, ModbusPlace]]:
    """The values of ``block`` in groups that are each read by less; none if it is of one value.

    Without the registers that nobody asked for, if there are any; else those of either half, and
    each that lies across the middle by itself.
    """
    if plan(places, narrow) != (block,):
        return [dict(places)]
    groups: defaultdict[tuple[int, int], dict[str, ModbusPlace]] = defaultdict(dict)
    middle = block.address + block.count // 2
    for key, place in places.items():
        start, end = place.address, place.address + place.registers
        if end <= middle:
            group = (block.address, 0)
        elif start >= middle:
            group = (middle, 0)
        else:
            group = (start, end)
        groups[group][key] = place
    spans = {(place.address, place.registers) for place in places.values()}
    return [] if len(spans) == 1 else list(groups.values())


def _reason(block: Block, code: int) -> str:
    where = f"{block.function} {block.address}"
    if code in _LACKING:
        return Reason.NO_REGISTER.told(where)
    why = "no reply" if code == NO_ANSWER else f"{code} {EXCEPTIONS[code]}"
    return Reason.NO_REGISTER.told(f"{where}, {why}")
