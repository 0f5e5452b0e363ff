"""Which unit behind a link is read when, and what a silent one may cost its neighbours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from gateway.modbus.decode import Columns, Decoder, Registers
from gateway.modbus.link import FailureKind, ModbusSession, ReadFailure
from gateway.modbus.plan import Block, plan
from gateway.model.equipment import Equipment, ModbusLink
from gateway.model.moment import SECOND, Instant

ALLOWED_SILENCES = 3
"""Polls without an answer after which a unit is only probed."""
PROBE_EVERY = 10 * SECOND
"""µs between probes of a silent unit."""

_HOPELESS = (FailureKind.NO_REPLY, FailureKind.NO_CONNECTION)
"""After these the unit's other blocks would only wait for the same silence."""
_ILLEGAL_ADDRESS = 2


class Session(Protocol):
    """What the poller needs of a connection; a test puts its own in place."""

    async def read(self, unit: int, block: Block) -> Registers: ...

    async def close(self) -> None: ...


class PolledUnit:
    """All points of one unit that are read at one interval."""

    def __init__(self, unit: int, poll: int, equipment: Sequence[Equipment]) -> None:
        self.unit = unit
        self.poll = poll
        self._places = {
            f"{thing.id}.{key}": place for thing in equipment for key, place in thing.modbus.items()
        }
        self._points = [point for thing in equipment for point in thing.points]
        self.decoder = Decoder(self._points, self._places, plan(self._places))
        self.silences = 0
        """Polls in a row that got no answer."""
        self._due: Instant | None = None

    @property
    def silent(self) -> bool:
        return self.silences >= ALLOWED_SILENCES

    def wait(self, now: Instant) -> int:
        """µs until the next poll; 0 if it is due."""
        return 0 if self._due is None else max(0, -now.since(self._due))

    def narrow(self) -> None:
        """Read no register that nobody asked for: the device has refused a block."""
        blocks = plan(self._places, max_gap=0)
        if blocks != self.decoder.blocks:
            self.decoder = Decoder(self._points, self._places, blocks)

    def done(self, now: Instant) -> None:
        """Polled at ``now``: the next due time is in step with the first poll, slots that were
        missed left out. How the poll went decides between polling and probing."""
        every = max(self.poll, PROBE_EVERY) if self.silent else self.poll
        late = 0 if self._due is None else max(0, now.since(self._due)) % every
        self._due = now.plus(every - late)


class LinkPoller:
    """Polls every unit behind one link.

    Building it does not connect. One poller is driven by one task.
    """

    def __init__(
        self, link: ModbusLink, equipment: Sequence[Equipment], session: Session | None = None
    ) -> None:
        self.link = link
        self._session = ModbusSession(link) if session is None else session
        groups: defaultdict[tuple[int, int], list[Equipment]] = defaultdict(list)
        for thing in equipment:
            if thing.unit is None:
                raise ValueError(f"{thing.id} has no Modbus unit")
            groups[thing.unit, thing.poll].append(thing)
        self.units = tuple(PolledUnit(unit, poll, own) for (unit, poll), own in groups.items())

    def wait(self, now: Instant) -> int:
        """µs until the next unit is due; 0 if one is."""
        return min((unit.wait(now) for unit in self.units), default=PROBE_EVERY)

    async def poll(self, now: Instant) -> AsyncIterator[tuple[tuple[str, ...], Columns]]:
        """Read every unit that is due at ``now``; each is yielded as soon as it was read.

        A failure is no exception here: its rows are ``BAD`` and say why. Of the units that have
        fallen silent at most one is tried in a round, after the others, so that together they
        cost their neighbours one timeout.
        """
        due = [unit for unit in self.units if unit.wait(now) == 0]
        silent = [unit for unit in due if unit.silent]
        for unit in (*(unit for unit in due if not unit.silent), *silent[:1]):
            points = unit.decoder.points
            columns = await self._read(unit)
            unit.done(now)
            yield points, columns

    async def close(self) -> None:
        """Close the connection."""
        await self._session.close()

    async def _read(self, unit: PolledUnit) -> Columns:
        decoder = unit.decoder
        replies: dict[Block, Registers] = {}
        failures: dict[Block, str] = {}
        silent = refused = False
        for block in decoder.blocks:
            try:
                replies[block] = await self._session.read(unit.unit, block)
            except ReadFailure as failure:
                failures[block] = failure.reason
                refused = refused or failure.code == _ILLEGAL_ADDRESS
                if failure.kind in _HOPELESS:
                    first = block is decoder.blocks[0]
                    silent = first and failure.kind is FailureKind.NO_REPLY
                    failures = dict.fromkeys(decoder.blocks, failure.reason) | failures
                    break
        unit.silences = unit.silences + 1 if silent else 0
        if refused:
            unit.narrow()
        return decoder.decode(replies, failures)
