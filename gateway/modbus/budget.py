"""Whether a link has the time for what is asked of it. Pure, from the site file alone.

A serial line takes for every exchange: the request's and the reply's characters, a silence of
3.5 characters before each of them (or the link's pause before the request, if that is longer),
and the device's own time to answer. So does a line behind a converter or gateway on the network,
where the site file says how fast that is, and a round trip besides. Else only a pause makes a link
over TCP slow enough to reckon with; then a round trip is assumed for every exchange.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.modbus.pdu import read
from gateway.modbus.plan import Block, plan
from gateway.model.equipment import Equipment, ModbusLink, SerialPort
from gateway.model.moment import SECOND
from gateway.model.profile import ModbusPlace, ReadLimits

TURNAROUND = 0.01
"""Seconds that a device on a serial line is assumed to think; meters say 5 to 50 ms."""
ROUND_TRIP = 0.005
"""Seconds assumed for a request over TCP and its reply."""

_SILENCE = 3.5
"""Characters."""
_FAST_SILENCE = 0.00175
"""Seconds; the same whatever the speed above 19,200 baud."""
_RTU_OVERHEAD = 3
"""Bytes beside the data unit: unit and CRC."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    seconds_per_second: float
    """Of the link's time that polling takes; above 1 the intervals cannot be kept."""
    requests: int
    """Of one round over all units."""
    keeps: bool
    text: str
    """The numbers in one line, for people; empty if the link's time is not reckoned with."""


def grouped(
    equipment: Iterable[Equipment],
) -> Mapping[tuple[int, int], Mapping[str, ModbusPlace]]:
    """(unit, interval in µs) → point id → place: what one unit is read for at one interval.

    Raises :class:`ValueError` for equipment without a unit.
    """
    groups: defaultdict[tuple[int, int], dict[str, ModbusPlace]] = defaultdict(dict)
    for thing in equipment:
        if thing.unit is None:
            raise ValueError(f"{thing.id} has no Modbus unit")
        for point in thing.points:
            if point.key in thing.modbus:
                groups[thing.unit, point.interval][point.id] = thing.modbus[point.key]
    return groups


def limits_of(equipment: Iterable[Equipment]) -> ReadLimits:
    """What all of them bear: of each limit the smallest."""
    found = ReadLimits()
    for thing in equipment:
        own = thing.limits
        found = replace(
            found,
            registers=min(found.registers, own.registers),
            bits=min(found.bits, own.bits),
            gap=min(found.gap, own.gap),
        )
    return found


def silence(line: SerialPort) -> float:
    """Seconds that must lie between two frames on ``line``."""
    return _FAST_SILENCE if line.baud > 19_200 else _SILENCE * _character(line)


def budget(link: ModbusLink, equipment: Sequence[Equipment]) -> Budget:
    """Whether ``link`` keeps the intervals of ``equipment``, which is all that is behind it."""
    behind: defaultdict[int | None, list[Equipment]] = defaultdict(list)
    for thing in equipment:
        behind[thing.unit].append(thing)
    requests, per_second, share = 0, 0.0, 0.0
    for (unit, interval), places in grouped(equipment).items():
        for block in plan(places, limits_of(behind[unit])):
            requests += 1
            per_second += SECOND / interval
            share += _seconds(link, block) * SECOND / interval
    return Budget(
        seconds_per_second=round(share, 4),
        requests=requests,
        keeps=share <= 1,
        text=_text(link, per_second, share),
    )


def _seconds(link: ModbusLink, block: Block) -> float:
    """That one exchange takes, with the silence after it."""
    line = link.serial or link.line
    if line is None:
        return ROUND_TRIP + link.pause if link.pause else 0.0
    way = 0.0 if link.serial else ROUND_TRIP
    request = read(block.function, block.address, block.count)
    characters = len(request.pdu) + request.size + 2 * _RTU_OVERHEAD
    between = silence(line)
    return characters * _character(line) + between + TURNAROUND + way + max(between, link.pause)


def _character(line: SerialPort) -> float:
    """Seconds for one: a start bit, eight of data, parity if any, stop bits."""
    bits = 1 + 8 + (line.parity != "N") + line.stop_bits
    return bits / line.baud


def _text(link: ModbusLink, per_second: float, share: float) -> str:
    line = link.serial or link.line
    round_trip = f"{1000 * ROUND_TRIP:.0f} ms for a round trip"
    if line is not None:
        of = f"{line.baud} baud 8{line.parity}{line.stop_bits}"
        assumed = f"{1000 * TURNAROUND:.0f} ms for the device to answer"
        assumed += "" if link.serial else f" and {round_trip}"
    elif link.pause:
        of = "TCP"
        assumed = round_trip
    else:
        return ""
    pause = f", a pause of {1000 * link.pause:g} ms" if link.pause else ""
    needs = f"{per_second:.3g} requests/s need {share:.3g} s of each second"
    return f"{needs} ({of}{pause}, assumed {assumed})"
