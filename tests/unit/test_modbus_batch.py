"""Units that are read right after one another say the same as each by itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import numpy as np
import pytest
from in_a_row import InARow
from product import ROOT

from gateway.clock import ManualClock
from gateway.modbus.decode import Columns, Decoder, Registers
from gateway.modbus.link import FailureKind, ReadFailure
from gateway.modbus.plan import Block
from gateway.modbus.poller import LinkPoller
from gateway.model.equipment import ModbusLink, Site
from gateway.model.moment import SECOND
from gateway.site.files import load

KINDS = (
    ReadFailure(FailureKind.NO_REPLY, "no_reply: x"),
    ReadFailure(FailureKind.NO_CONNECTION, "no_connection: x"),
    ReadFailure(FailureKind.WRONG_REPLY, "wrong_reply: x"),
    ReadFailure(FailureKind.EXCEPTION, "device_exception: 2", 2),
    ReadFailure(FailureKind.EXCEPTION, "device_exception: 6", 6),
)


@pytest.fixture(scope="module")
def site() -> Site:
    return load(ROOT / "deploy" / "demo" / "site.yaml")


class Moody(InARow):
    """Registers and failures by chance, the same for the same seed. ``most``: how many are read
    in a row."""

    def __init__(self, seed: int, most: int) -> None:
        self._seed = seed
        self._most = most
        self.turn = 0

    async def read(self, unit: int, block: Block) -> Registers:
        chance = random.Random(f"{self._seed} {self.turn} {unit} {block}")
        if chance.random() < 0.06:
            raise chance.choice(KINDS)
        if block.function.is_bits:
            return np.array([chance.random() < 0.5 for _ in range(block.count)])
        return np.array([chance.getrandbits(16) for _ in range(block.count)], dtype=np.uint16)

    async def read_each(
        self, wanted: Sequence[tuple[int, Block]], within: float
    ) -> tuple[list[bytes], ReadFailure | None]:
        return await super().read_each(wanted[: self._most], within)

    async def rest(self) -> None:
        """Nothing is open."""

    async def close(self) -> None:
        """Nothing is open."""


def plain(columns: Columns) -> tuple[object, ...]:
    values = [None if np.isnan(v) else float(v) for v in columns.value]
    return values, columns.quality.tolist(), dict(columns.reason), dict(columns.text)


@pytest.mark.parametrize("most", [2, 3, 100])
@pytest.mark.parametrize("name", ["pump-room", "fire", "garden"])
def test_read_in_a_row_or_one_by_one_is_the_same(site: Site, name: str, most: int) -> None:
    link = site.links[name]
    assert isinstance(link, ModbusLink)
    things = [thing for thing in site.equipment.values() if thing.link == name]

    async def told(seed: int, in_a_row: int) -> list[object]:
        session = Moody(seed, in_a_row)
        poller, clock = LinkPoller(link, things, session), ManualClock(1_800_000_000 * SECOND)
        found: list[object] = []
        for session.turn in range(60):
            said = [own async for many in poller.poll(clock.now()) for own in many.each()]
            found.append([(own.points, plain(own.columns)) for own in said])
            clock.advance(1)
        return found

    for seed in range(3):
        assert asyncio.run(told(seed, most)) == asyncio.run(told(seed, 1)), seed


def test_any_registers_of_all_units_are_decoded_as_by_each_unit(site: Site) -> None:
    chance = np.random.default_rng(7)
    pollers = [
        LinkPoller(link, [thing for thing in site.equipment.values() if thing.link == link.id])
        for link in site.links.values()
        if isinstance(link, ModbusLink)
    ]
    units = [unit for poller in pollers for unit in poller.units if unit.is_plain]
    assert len(units) > 10
    together = Decoder.of_many([unit.decoder for unit in units])
    for _ in range(50):
        replies = [
            [chance.integers(0, 1 << 16, block.count, dtype=np.uint16) for block in own.search.live]
            for own in units
        ]
        whole = [b"\3\0" + r.astype(">u2").tobytes() for own in replies for r in own]
        begin, columns = 0, together.decode_all(whole)
        for unit, own in zip(units, replies, strict=True):
            alone = unit.decoder.decode(dict(zip(unit.search.live, own, strict=True)), {})
            end = begin + len(alone.value)
            np.testing.assert_array_equal(columns.value[begin:end], alone.value)
            np.testing.assert_array_equal(columns.quality[begin:end], alone.quality)
            for words, theirs in ((columns.reason, alone.reason), (columns.text, alone.text)):
                assert {r - begin: w for r, w in words.items() if begin <= r < end} == theirs
            begin = end
