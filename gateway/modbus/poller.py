"""Which unit behind a link is read when, and what a silent one may cost its neighbours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from itertools import takewhile
from typing import Protocol
from zlib import crc32

import structlog

from gateway.modbus import meters, pdu
from gateway.modbus.agenda import Agenda
from gateway.modbus.batch import Batches, Said, one
from gateway.modbus.budget import budget, grouped, limits_of
from gateway.modbus.decode import Columns, Registers
from gateway.modbus.figures import (
    DeadAddress,
    LinkFigures,
    Traffic,
    UnitFigures,
    UnitTally,
    counts,
    summed,
)
from gateway.modbus.link import FailureKind, ModbusSession, ReadFailure
from gateway.modbus.plan import Block
from gateway.modbus.unit import ALLOWED_SILENCES, PROBE_EVERY, Device, Heard, PolledUnit
from gateway.model.equipment import Equipment, ModbusLink
from gateway.model.moment import SECOND, Instant

_log = structlog.get_logger(__name__)

TOGETHER = SECOND // 5
"""µs of a link's time within which the units that are to be read are read one right after the
other. A link that keeps its intervals is done with them within that time, however slow it is, so
a unit that is read more often waits no longer for them."""

_MOST = 64
"""Units that are read together at most."""


class Session(Protocol):
    """What the poller needs of a connection; a test puts its own in place."""

    async def read(self, unit: int, block: Block) -> Registers: ...

    async def read_each(
        self, wanted: Sequence[tuple[int, Block]], within: float
    ) -> tuple[list[bytes], ReadFailure | None]: ...

    async def rest(self) -> None:
        """Of a link of ``once``, after each poll."""

    async def close(self) -> None: ...


class LinkPoller:
    """Polls every unit behind one link.

    Building it does not connect. One poller is driven by one task.
    """

    def __init__(
        self, link: ModbusLink, equipment: Sequence[Equipment], session: Session | None = None
    ) -> None:
        self.link = link
        self.traffic = Traffic()
        self.session = ModbusSession(link, traffic=self.traffic) if session is None else session
        self.budget = budget(link, equipment)
        self._equipment = equipment
        self._devices: defaultdict[int, Device] = defaultdict(Device)
        self.units = tuple(self._groups())
        self._agenda = Agenda(self.units)
        self._doubted: dict[int, Device] = {}
        """Those of the devices that did not answer the last time."""
        shortest = min((unit.interval for unit in self.units), default=SECOND)
        self._between_probes = max(shortest, round(2 * link.timeout * SECOND))
        """µs: silent units together take no more than half of the link's time."""
        self._next_probe: Instant | None = None
        self.lead = crc32(link.id.encode()) % 1000 / 1000 * min(shortest, SECOND) / SECOND
        """Seconds after the gateway's start for its first poll, lest all links begin at once."""
        self._begun = False
        self._batches = Batches()
        meters.watch(self)

    def _groups(self) -> list[PolledUnit]:
        """In the order in which they are read. All are read at once first, so that there are
        values; then they are spread evenly, by :data:`TOGETHER` at least."""
        groups = grouped(self._equipment)
        points = {point.id: point for thing in self._equipment for point in thing.points}
        found = []
        for at, ((unit, interval), places) in enumerate(groups.items()):
            behind = [thing for thing in self._equipment if thing.unit == unit]
            slots = min(len(groups), max(1, interval // TOGETHER))
            found.append(
                PolledUnit(
                    unit=unit,
                    interval=interval,
                    points=[points[point] for point in places],
                    places=places,
                    limits=limits_of(behind),
                    device=self._devices[unit],
                    phase=interval * (at * slots // len(groups)) // slots or interval,
                )
            )
        return found

    def wait(self, now: Instant) -> int:
        """µs until the next unit is due; 0 if one is."""
        waits = [self._probe_wait(device, now) for device in self._doubted.values()]
        turn = self._agenda.wait(now)
        return min([*waits, PROBE_EVERY if turn is None else turn, PROBE_EVERY])

    async def poll(self, now: Instant, *, within: int = SECOND // 50) -> AsyncIterator[Said]:
        """Read every unit that is due at ``now``; what was read is yielded at once, of units that
        are read right after one another together, of at most ``within`` µs.

        A failure is no exception here: its rows are ``BAD`` and say why. Of the units that did not
        answer the last time at most one is tried in a round, after the others, so that together
        they cost their neighbours one timeout.
        """
        self._begin()
        due = self._round(now)
        away: dict[int, str] = {}
        at = 0
        while at < len(due):
            unit = due[at]
            if unit.unit in away:
                self._done(unit, now, whole=False)
                yield one(unit.decoder.points, unit.without_value(away[unit.unit]))
                at += 1
                continue
            was_silent = unit.silent
            batch = list(takewhile(_is_plain, due[at : at + _MOST]))
            heard = Heard()
            if len(batch) > 1:
                count, told, heard = await self._read_batch(batch, now, within)
                for said in told:
                    yield said
                at += count
                if at == len(due) or heard.is_empty:
                    continue
                unit = due[at]
            at += 1
            columns, reason = await self._read(unit, now, heard)
            yield one(unit.decoder.points, columns)
            if reason is not None:
                away[unit.unit] = reason
                for other in self._fallen(unit, was_silent, now):
                    if other not in due:
                        other.overdue()
                        self._agenda.put(other)
                        yield one(other.decoder.points, other.without_value(reason))
            elif was_silent:
                self._back()
        if self.link.once:
            await self.session.rest()

    async def close(self) -> None:
        """Close the connection."""
        await self.session.close()

    def figures(self) -> LinkFigures:
        """How the link and its units are doing."""
        tallies = self.traffic.units
        equipment: defaultdict[int, list[str]] = defaultdict(list)
        for thing in self._equipment:
            if thing.unit is not None:
                equipment[thing.unit].append(thing.id)
        return LinkFigures(
            id=self.link.id,
            where=self.link.where,
            connected=self.traffic.connected,
            reason=self.traffic.reason,
            attempts=self.traffic.attempts,
            strays=self.traffic.strays,
            busy=self.traffic.busy,
            counts=counts(summed(tallies.values())),
            units=tuple(
                UnitFigures(
                    unit=unit,
                    equipment=tuple(own),
                    silent=self._devices[unit].silent,
                    counts=counts(tallies.get(unit) or UnitTally()),
                )
                for unit, own in equipment.items()
            ),
            dead=tuple(
                DeadAddress(
                    unit=unit.unit, function=block.function, address=block.address, reason=reason
                )
                for unit in self.units
                for block, reason in unit.search.dead.items()
            ),
            budget=self.budget,
        )

    def _begin(self) -> None:
        if not self._begun and not self.budget.keeps:
            _log.warning(
                "a link cannot keep its intervals", link=self.link.id, why=self.budget.text
            )
        self._begun = True

    # -- silent units -----------------------------------------------------------------------------

    def _round(self, now: Instant) -> list[PolledUnit]:
        """What to read at ``now``: what is due of the units that answer, and of those in doubt
        one; all of them if there is nobody left to wait for it."""
        due = self._agenda.due(now)
        if not self._doubted:
            return due
        doubtful = [unit for unit in due if unit.device.silences]
        if doubtful and not self._alone:
            chosen = min(doubtful, key=lambda unit: unit.ahead(now)).unit
            doubtful = [unit for unit in doubtful if unit.unit == chosen]
        answering = [unit for unit in due if not unit.device.silences]
        return [*answering, *(doubtful or self._probed(now))]

    @property
    def _alone(self) -> bool:
        """Whether no unit answers."""
        return len(self._doubted) == len(self._devices)

    def _probe_wait(self, device: Device, now: Instant) -> int:
        """µs until a silent device may be tried; a long time for one that is not."""
        if not device.silent:
            return PROBE_EVERY
        own = 0 if device.probe is None else -now.since(device.probe)
        common = 0
        if self._next_probe is not None and not self._alone:
            common = -now.since(self._next_probe)
        return max(0, own, common)

    def _probed(self, now: Instant) -> list[PolledUnit]:
        """Of the silent units that may be tried the one that has waited longest, if any: by the
        points that are read most often."""
        ready = [
            (0 if device.probe is None else -now.since(device.probe), unit)
            for unit, device in self._doubted.items()
            if device.silent and self._probe_wait(device, now) == 0
        ]
        if not ready:
            return []
        _, chosen = min(ready)
        return [
            min((own for own in self.units if own.unit == chosen), key=lambda own: own.interval)
        ]

    def _fallen(self, unit: PolledUnit, was_silent: bool, now: Instant) -> list[PolledUnit]:
        """After a poll without an answer: the unit's other points, if nothing is known of them
        any more now, though it is not yet their turn."""
        device = unit.device
        if device.silent:
            device.probe = now.plus(PROBE_EVERY)
            if was_silent:
                self._next_probe = now.plus(self._between_probes)
        if device.misses != ALLOWED_SILENCES:
            return []
        return [own for own in self._of(unit) if own is not unit]

    def _back(self) -> None:
        """A silent unit answers again; perhaps what was wrong was the line."""
        self._next_probe = None
        for device in self._devices.values():
            device.probe = None

    # -- reading ----------------------------------------------------------------------------------

    async def _read_batch(
        self, units: Sequence[PolledUnit], now: Instant, within: int
    ) -> tuple[int, list[Said], Heard]:
        """Read ``units``, all of them plain, as far as that goes: how many were read, what they
        said, and what was heard already of the one behind them."""
        wanted = [(unit.unit, block) for unit in units for block in unit.search.live]
        replies, failure = await self.session.read_each(wanted, within / SECOND)
        read = count = 0
        for unit in units:
            if read + len(unit.search.live) > len(replies):
                break
            read += len(unit.search.live)
            count += 1
            self._done(unit, now, whole=True)
        told = self._batches.said(units[:count], replies[:read]) if count else []
        heard = Heard()
        for (_, block), reply in zip(wanted[read:], replies[read:], strict=False):
            heard.take(block, pdu.registers(reply))
        if failure is not None:
            heard.fail(wanted[len(replies)][1], failure)
        return count, told, heard

    async def _read(
        self, unit: PolledUnit, now: Instant, heard: Heard
    ) -> tuple[Columns, str | None]:
        """One poll of ``unit``, of which this much was ``heard`` already; and why, if it cannot be
        reached at all."""
        search, device = unit.search, unit.device
        blocks = search.due(now)
        # Some devices do not answer for what they do not have: that must not make them silent.
        turn = device.silences % len(blocks) if blocks else 0
        await self._ask(unit, (*blocks[turn:], *blocks[:turn]), heard)
        failures = heard.failures
        if heard.hopeless is not None:
            failures = {**dict.fromkeys(search.blocks, heard.rest), **failures}
        if search.dead:
            failures = {**failures, **search.dead}
        columns = unit.decoder.decode(heard.replies, failures)
        self._done(unit, now, whole=failures.keys() <= search.dead.keys())
        unit.learn(heard, now)
        if heard.answered or not blocks:
            self._heard(unit)
            return columns, None
        device.misses += 1
        kind = None if heard.hopeless is None else heard.hopeless.kind
        if kind is FailureKind.NO_REPLY:
            device.silences += 1
            self._doubted[unit.unit] = device
        elif kind is not FailureKind.HELD:
            self._trust(unit)
        return columns, heard.rest or None

    async def _ask(self, unit: PolledUnit, blocks: Sequence[Block], heard: Heard) -> None:
        """Read those of ``blocks`` that were not asked yet, in this order, as long as there is
        hope."""
        for block in blocks:
            if heard.hopeless is not None:
                return
            if block in heard.replies or block in heard.failures:
                continue
            try:
                heard.take(block, await self.session.read(unit.unit, block))
            except ReadFailure as failure:
                heard.fail(block, failure)

    def _heard(self, unit: PolledUnit) -> None:
        device = unit.device
        if device.misses:
            for own in self._of(unit):
                own.search.hurry()
        device.misses = 0
        self._trust(unit)

    def _trust(self, unit: PolledUnit) -> None:
        """Its device is in doubt no more; if it was silent, all its points have a turn again."""
        if unit.device.silences:
            unit.device.silences = 0
            del self._doubted[unit.unit]
            for own in self._of(unit):
                self._agenda.put(own)

    def _done(self, unit: PolledUnit, now: Instant, *, whole: bool) -> None:
        unit.done(now, whole=whole)
        self._agenda.put(unit)

    def _of(self, unit: PolledUnit) -> list[PolledUnit]:
        """All points of the same device."""
        return [own for own in self.units if own.unit == unit.unit]


def _is_plain(unit: PolledUnit) -> bool:
    return unit.is_plain
