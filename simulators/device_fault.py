"""What a device does wrong, whatever it measures. Pure.

A process fault (:class:`simulators.model.Fault`) befalls the thing that is measured; a device
fault befalls what is said of it. Three places where it acts:

1. on the values, before they are laid (:class:`Memory`): a sensor freezes, a counter starts again;
2. on the registers (:func:`spoiled`): the words for "no value", words in the wrong order;
3. on the exchange itself, which is left to the wire: no answer, a late one, an exception; nonsense
   on a topic, a report that the broker keeps, a clock of another century.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from gateway.model.equipment import Equipment
from gateway.model.moment import HOUR, SECOND
from gateway.model.profile import ModbusPlace, RegisterType
from simulators.model import Values
from simulators.registers import NOT_AVAILABLE, Run

_1970 = 86_400 * SECOND
"""µs UTC of a clock that began again when the device was switched on, the day before."""
_2099 = 4_070_908_800 * SECOND
_BEHIND = 8 * HOUR
"""By which a clock set to UTC and read as Chinese time is wrong."""


class DeviceFaultKind(StrEnum):
    # On the values.
    FROZEN = "frozen"
    """Says what it said when the fault began."""
    RESET = "reset"
    """Its counters begin again at zero; it has been exchanged."""
    ROLLOVER = "rollover"
    """Its counters begin again at ``modulus``."""
    NAN = "nan"
    INFINITY = "infinity"
    # On the registers.
    NOT_AVAILABLE = "not-available"
    """The profile's own word for "no value", or all bits set."""
    SWAPPED = "swapped"
    """The words of what takes several registers come in the other order."""
    WRONG_WORDS = "wrong-words"
    """``words`` stand where a value should."""
    # On the exchange by registers.
    MUTE = "mute"
    """No answer, no message, though it is connected."""
    SLOW = "slow"
    """Each answer takes ``wait`` s."""
    EXCEPTION = "exception"
    """Answers that it cannot, by exception ``code``; 6 is "busy"."""
    # On messages.
    NONSENSE = "nonsense"
    """What no profile describes."""
    RETAINED = "retained"
    """The broker keeps each report for whoever comes later."""
    REPEATED = "repeated"
    """Each report is sent ten times."""
    CLOCK_1970 = "clock-1970"
    CLOCK_2099 = "clock-2099"
    CLOCK_BEHIND = "clock-8h-behind"


K = DeviceFaultKind
BY_REGISTERS = frozenset(
    {K.NAN, K.INFINITY, K.NOT_AVAILABLE, K.SWAPPED, K.WRONG_WORDS, K.SLOW, K.EXCEPTION}
    | {K.FROZEN, K.RESET, K.ROLLOVER, K.MUTE}
)
"""What can befall a device that is asked for registers."""
BY_MESSAGES = frozenset(
    {K.NONSENSE, K.RETAINED, K.REPEATED, K.CLOCK_1970, K.CLOCK_2099, K.CLOCK_BEHIND}
    | {K.FROZEN, K.RESET, K.ROLLOVER, K.MUTE, K.NAN, K.INFINITY}
)
"""What can befall one that sends messages."""
NEEDS: Mapping[DeviceFaultKind, tuple[str, ...]] = {
    K.SLOW: ("wait",),
    K.EXCEPTION: ("code",),
    K.WRONG_WORDS: ("words",),
    K.RESET: ("points",),
    K.ROLLOVER: ("points", "modulus"),
}
"""Kind → the fields beside the common ones that it cannot do without."""
OWN = ("wait", "code", "words", "modulus")
"""Fields that fit only the kinds that need them."""
_NO_NUMBERS = {K.NAN: math.nan, K.INFINITY: math.inf}
_FLOATS = {RegisterType.FLOAT32: ">f", RegisterType.FLOAT64: ">d"}
_CLOCKS = {K.CLOCK_1970: _1970, K.CLOCK_2099: _2099}
EXCHANGE = (K.MUTE, K.EXCEPTION, K.SLOW)
"""What befalls all that is behind one unit, the worst first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceFault:
    """One fault of one device. Times in s since the world began."""

    equipment: str
    kind: DeviceFaultKind
    begins: float = 0.0
    ends: float = math.inf
    points: tuple[str, ...] = ()
    """Keys that it befalls; empty: all."""
    wait: float = 0.0
    code: int = 0
    words: tuple[int, ...] = ()
    modulus: float = 0.0

    def befalls(self, key: str) -> bool:
        return not self.points or key in self.points


DeviceFaults = Mapping[str, Sequence[DeviceFault]]
"""Equipment id → the faults that its device has now."""


@dataclass
class Memory:
    """What devices said when their faults began."""

    _then: dict[DeviceFault, Mapping[str, float]] = field(default_factory=dict)

    def disturbed(self, values: Values, faults: DeviceFaults) -> Values:
        """``values`` as their devices have them."""
        if not faults and not self._then:
            return values
        current = {fault for own in faults.values() for fault in own}
        self._then = {fault: then for fault, then in self._then.items() if fault in current}
        changed = {}
        for name, own in faults.items():
            said = dict(values[name])
            for fault in own:
                then = self._then.setdefault(fault, values[name])
                said |= {
                    key: _value(fault, value, then[key])
                    for key, value in said.items()
                    if fault.befalls(key)
                }
            changed[name] = said
        return {**values, **changed}


def _value(fault: DeviceFault, value: float, then: float) -> float:
    if fault.kind is K.FROZEN:
        return then
    if fault.kind is K.RESET:
        return value - then
    if fault.kind is K.ROLLOVER:
        return value % fault.modulus
    return value


def spoken(values: Mapping[str, float], faults: Sequence[DeviceFault]) -> Mapping[str, float]:
    """What a device that sends messages has instead of ``values``."""
    said = dict(values)
    for fault in faults:
        if fault.kind in _NO_NUMBERS:
            said |= {key: _NO_NUMBERS[fault.kind] for key in said if fault.befalls(key)}
    return said


def device_clock(now: int, faults: Sequence[DeviceFault]) -> int:
    """What the device takes for ``now``, µs UTC."""
    for fault in faults:
        if fault.kind in _CLOCKS:
            return _CLOCKS[fault.kind] + now % HOUR
        if fault.kind is K.CLOCK_BEHIND:
            return now - _BEHIND
    return now


def spoiled(runs: Sequence[Run], thing: Equipment, faults: Sequence[DeviceFault]) -> list[Run]:
    """``runs`` of the unit of ``thing`` with its words as the faulty device has them."""
    spoiled = [replace(run, words=list(run.words)) for run in runs]
    for fault in faults:
        for key, place in thing.modbus.items():
            if fault.befalls(key):
                _spoil(spoiled, place, fault)
    return spoiled


def _spoil(runs: Sequence[Run], place: ModbusPlace, fault: DeviceFault) -> None:
    for run in runs:
        first = place.address - run.start
        if run.function is not place.function or not 0 <= first < len(run.words):
            continue
        words = run.words[first : first + place.registers]
        run.words[first : first + place.registers] = _instead(words, place, fault)


def _instead(words: list[int], place: ModbusPlace, fault: DeviceFault) -> list[int]:
    """What stands in the registers of ``place`` instead of ``words``."""
    count = len(words)
    if fault.kind in _NO_NUMBERS and place.type in _FLOATS:
        packed = struct.pack(_FLOATS[place.type], _NO_NUMBERS[fault.kind])
        return _ordered(list(struct.unpack(f">{count}H", packed)), place)
    if place.function.is_bits:
        return words
    if fault.kind is K.NOT_AVAILABLE:
        return _ordered(_no_value(place, words), place)
    if fault.kind is K.SWAPPED and count > 1:
        return words[::-1]
    if fault.kind is K.WRONG_WORDS:
        return [fault.words[at % len(fault.words)] for at in range(count)]
    return words


def _ordered(words: list[int], place: ModbusPlace) -> list[int]:
    """``words``, the most significant first, in the order of ``place``."""
    if place.order.low_word_first:
        words = words[::-1]
    if place.order.low_byte_first:
        words = [(word & 0xFF) << 8 | word >> 8 for word in words]
    return words


def _no_value(place: ModbusPlace, words: Sequence[int]) -> list[int]:
    """By which the device says that it has none; the neighbours of a part are left."""
    absent = place.absent[0] if place.absent else None
    if absent is None:
        return [NOT_AVAILABLE] * len(words)
    if place.width is not None and absent <= place.mask:
        kept = words[0] & ~(place.mask << (place.bit or 0))
        return [kept | absent << (place.bit or 0)]
    return [absent >> 16 * at & 0xFFFF for at in reversed(range(len(words)))]


NONSENSE = (
    b"\xff\xfe\x00\xc3\x28",
    b"",
    b"null",
    b"[]",
    b"{",
    b'{"switch:0": 7, "state": {}, "params": [1, 2]}',
    b'{"params": {"switch:0": {"output": "maybe", "apower": "1e999"}}, "state": ["ON"]}',
    b"[" * 20_000,
    b'{"apower": ' + b"9" * 5000 + b"}",
)
"""Payloads that come instead of reports, one after the other."""


def topics(thing: Equipment) -> Iterator[str]:
    """Where the device speaks, each topic once."""
    yield from dict.fromkeys(place.topic for place in thing.mqtt.values())
