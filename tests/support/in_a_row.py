"""What a pretended connection needs to be read in a row."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.modbus.decode import Registers
from gateway.modbus.link import ReadFailure
from gateway.modbus.plan import Block


class InARow:
    """``read_each`` by one ``read`` after the other."""

    async def read(self, unit: int, block: Block) -> Registers:
        raise NotImplementedError

    async def read_each(
        self, wanted: Sequence[tuple[int, Block]], within: float
    ) -> tuple[list[bytes], ReadFailure | None]:
        replies: list[bytes] = []
        for unit, block in wanted:
            try:
                registers = await self.read(unit, block)
            except ReadFailure as failure:
                return replies, failure
            head = bytes((block.function.code, 2 * block.count))
            replies.append(head + registers.astype(">u2").tobytes())
        return replies, None
