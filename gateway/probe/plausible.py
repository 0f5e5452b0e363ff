"""Whether registers can hold what a profile says, and which change of it would explain them. Pure.

Integrators make few mistakes often: the bytes in another order, a scale by tens, every address
one too high or too low. Each of them is tried on what was read. A change is named only if it
makes an implausible value plausible, and it counts for more the more values it mends at once:
order and address are mostly wrong in the whole table, a scale in all points of one unit. A change
that would spoil what is right is not named, neither is one that rests on zeros, on registers that
all hold the same, or on what devices say for "no value".
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.model.point import PointKind
from gateway.model.profile import (
    ByteOrder,
    Function,
    ModbusPlace,
    ProfilePoint,
    RegisterType,
)
from gateway.model.words import raw_bits
from gateway.profile.change import Change, ChangeKind

Words = Mapping[tuple[Function, int], int]
"""Table and PDU address → register (or bit) as read."""

_SMALLEST_FLOAT = 1e-15
"""A float that is nearer to zero and not zero is no measurement: its words are in disorder."""
_LARGEST_FREE = 1e12
"""A number without a limit is taken for one up to this size."""
_DOUBTED = 1e9
"""A float without a limit beyond this is doubted."""
_EXACT = 2**53
_Rank = tuple[int, int, int, int]
_DOUBTS = 3
"""Doubtful values that a change mends at once, from which on it is named without a sure one."""
_FACTORS = (0.1, 10.0, 0.01, 100.0, 0.001, 1000.0)
"""In the order in which they are believed."""
_MOST_NAMED = 3
_FLOATS = {RegisterType.FLOAT32: ">f", RegisterType.FLOAT64: ">d"}
_SIGNED = (RegisterType.INT16, RegisterType.INT32, RegisterType.INT64)
_BCD = (RegisterType.BCD16, RegisterType.BCD32)


class Verdict(StrEnum):
    GOOD = "good"
    ABSENT = "absent"
    """The device says that it has no value: no mistake of the profile."""
    IMPLAUSIBLE = "implausible"


@dataclass(frozen=True, kw_only=True, slots=True)
class Hint:
    """A change that makes an implausible value plausible."""

    change: Change
    value: float | str
    """What the point would read."""
    mends: int
    """Different implausible values that the same change mends, this one counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    verdict: Verdict
    hints: tuple[Hint, ...] = ()
    """The likeliest first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Subject:
    key: str
    point: ProfilePoint
    place: ModbusPlace
    raw: tuple[int, ...]


def raw_of(place: ModbusPlace, words: Words) -> tuple[int, ...] | None:
    """The registers at ``place``; None if one of them was not read."""
    span = range(place.address, place.address + place.registers)
    raw = [words.get((place.function, address)) for address in span]
    return None if None in raw else tuple(word for word in raw if word is not None)


def decoded(raw: tuple[int, ...], place: ModbusPlace) -> float | str:
    """What the registers say in the point's unit, not rounded; NaN where they are no number.

    As the gateway's decoder says it, for one value at a time. Bytes of a text that are not ASCII
    come as U+FFFD.
    """
    if place.type is RegisterType.BIT:
        return float(raw[0])
    bits = raw_bits(place, raw)
    data = bits.to_bytes(2 * len(raw))
    if place.type is RegisterType.ASCII:
        return data.decode("ascii", "replace").rstrip("\0 ")
    if place.type in _FLOATS and place.bit is None:
        number: float = struct.unpack(_FLOATS[place.type], data)[0]
    elif place.type in _BCD and place.bit is None:
        digits = data.hex()
        number = float(digits) if digits.isdecimal() else math.nan
    else:
        signed = place.type in _SIGNED and place.bit is None
        number = float(
            int.from_bytes(data, signed=signed)
            if place.bit is None
            else (bits >> place.bit) & place.mask
        )
    return number * place.scale + place.offset


def judge(
    points: Mapping[str, ProfilePoint], places: Mapping[str, ModbusPlace], words: Words
) -> Mapping[str, Judgement]:
    """Key → judgement, for each of ``places`` whose registers were all read.

    ``words``: what the places cover and, where it could be read, one register more on both
    sides: without it a table that is off by one cannot be told.
    """
    subjects = [
        _Subject(key=key, point=points[key], place=place, raw=raw)
        for key, place in places.items()
        if (raw := raw_of(place, words)) is not None
    ]
    verdicts = {subject.key: _verdict(subject) for subject in subjects}
    implausible = [one for one in subjects if verdicts[one.key] is Verdict.IMPLAUSIBLE]
    good = [one for one in subjects if verdicts[one.key] is Verdict.GOOD]
    doubtful = [one for one in good if _is_doubtful(one)]
    right = [one for one in good if one not in doubtful and _tells(one, one.raw)]
    named: dict[str, list[tuple[_Rank, Hint]]] = {}
    if len({word for one in subjects for word in one.raw}) > 1 or len(subjects) == 1:
        for change, sure, unsure in _suspicions(implausible, doubtful):
            like = _like((sure or unsure)[0], right, change)
            for key, rank, hint in _mended(change, sure, unsure, like, words):
                named.setdefault(key, []).append((rank, hint))
    return {
        key: Judgement(
            verdict=Verdict.IMPLAUSIBLE if key in named else verdict,
            hints=_likeliest(named.get(key, [])),
        )
        for key, verdict in verdicts.items()
    }


def _likeliest(named: list[tuple[_Rank, Hint]]) -> tuple[Hint, ...]:
    ranked = sorted(named, key=lambda one: one[0])
    best = -ranked[0][0][0] if ranked else 0
    return tuple(hint for rank, hint in ranked if -rank[0] * 2 > best)[:_MOST_NAMED]


def _verdict(subject: _Subject) -> Verdict:
    if _is_absent(subject.raw, subject.place):
        return Verdict.ABSENT
    plausible = _is_plausible(subject.point, subject.place, subject.raw)
    return Verdict.GOOD if plausible else Verdict.IMPLAUSIBLE


def _suspicions(
    implausible: list[_Subject], doubtful: list[_Subject]
) -> Iterator[tuple[Change, list[_Subject], list[_Subject]]]:
    """Each change with the implausible values that would have it in common, and the doubtful
    ones; a scale makes none of those plausible."""
    changes = [
        *(Change(kind=ChangeKind.ORDER, order=order) for order in ByteOrder),
        *(Change(kind=ChangeKind.REGISTER, shift=shift) for shift in (1, -1)),
        *(Change(kind=ChangeKind.SCALE, factor=factor) for factor in _FACTORS),
    ]
    for change in changes:
        groups: dict[object, tuple[list[_Subject], list[_Subject]]] = {}
        unsure = [] if change.kind is ChangeKind.SCALE else doubtful
        for at, subjects in enumerate((implausible, unsure)):
            for subject in subjects:
                if _applies(change, subject):
                    groups.setdefault(_group(change, subject), ([], []))[at].append(subject)
        for sure, others in groups.values():
            yield change, sure, others


def _applies(change: Change, subject: _Subject) -> bool:
    place = subject.place
    if place.type is RegisterType.BIT:
        return False
    match change.kind:
        case ChangeKind.ORDER:
            single = place.registers == 1
            # In one register only the order within it counts; BADC stands for both that turn it.
            known = (ByteOrder.ABCD, ByteOrder.BADC) if single else tuple(ByteOrder)
            same = change.order.low_byte_first == place.order.low_byte_first if single else False
            return change.order in known and change.order is not place.order and not same
        case ChangeKind.REGISTER:
            return True
        case ChangeKind.SCALE:
            point = subject.point
            is_count = not point.unit and not point.decimals  # a code or a number of things
            is_quantity = point.kind is PointKind.NUMBER and not is_count
            return is_quantity and not _is_a_filler(subject.raw)


def _group(change: Change, subject: _Subject) -> object:
    """Points with the same are written by the same rule, so they are wrong together."""
    match change.kind:
        case ChangeKind.ORDER:
            # A text is written by a rule of its own: it speaks neither for nor against numbers.
            place = subject.place
            return place.registers > 1, place.order, place.type is RegisterType.ASCII
        case ChangeKind.REGISTER:
            return subject.place.function
        case ChangeKind.SCALE:
            return subject.point.unit, subject.place.type, subject.place.scale


def _like(one: _Subject, right: Iterable[_Subject], change: Change) -> list[_Subject]:
    """Of what is right, that which the change would touch too; a scale is a point's own."""
    if change.kind is ChangeKind.SCALE:
        return []
    wanted = _group(change, one)
    return [other for other in right if _applies(change, other) and _group(change, other) == wanted]


def _mended(
    change: Change,
    sure: list[_Subject],
    unsure: list[_Subject],
    right: list[_Subject],
    words: Words,
) -> Iterator[tuple[str, _Rank, Hint]]:
    """Key, rank (least first) and hint for each value that the change mends."""
    mended = {
        subject.key: raw
        for subject in (*sure, *unsure)
        if (raw := raw_of(change.of(subject.place), words)) is not None
        and _convinces(subject, change.of(subject.place), raw)
    }
    own = [subject for subject in (*sure, *unsure) if subject.key in mended]
    # Many points on one and the same pattern are no more evidence than one.
    count = len({subject.raw for subject in own})
    if not any(subject.key in mended for subject in sure) and count < _DOUBTS:
        return
    spoilt = sum(_is_spoilt(other, change, words) for other in right)
    alone = count == 1
    if count <= 2 * spoilt or (alone and not _stands_alone(change, own[0], right)):
        return
    rank = (spoilt - count, -_used(change, own, words), *_belief(change, alone=alone))
    for subject in own:
        value = decoded(mended[subject.key], change.of(subject.place))
        yield subject.key, rank, Hint(change=change, value=value, mends=count)


def _used(change: Change, own: list[_Subject], words: Words) -> int:
    """How many registers that hold something the changed values would use.

    In a row of floats a wrong word order and a wrong register explain each other's values nearly
    as well; but the wrong one leaves a word of the row out and takes an empty one from beside it.
    """
    places = [change.of(subject.place) for subject in own]
    used = {
        (place.function, address)
        for place in places
        for address in range(place.address, place.address + place.registers)
    }
    return sum(1 for key in used if words.get(key))


def _belief(change: Change, *, alone: bool) -> tuple[int, int]:
    """What is believed first of changes that mend as many values: least first.

    Order and register are wrong in many points at once, a scale easily in one; by a thousand
    hardly ever.
    """
    if change.kind is not ChangeKind.SCALE:
        return (1 if change.kind is ChangeKind.ORDER else 2), 0
    near = _FACTORS.index(change.factor)
    return (0 if alone and near < _FACTORS.index(0.001) else 3), near


def _stands_alone(change: Change, subject: _Subject, right: list[_Subject]) -> bool:
    """Whether a single value is evidence enough for the change."""
    if change.kind is ChangeKind.SCALE:
        return True
    if _is_a_filler(subject.raw):
        return False
    # Some neighbour's value nearly always fits, and unlisted codes are met often: where others
    # of the table are right, one that is not is more likely a sensor at fault.
    moved = change.kind is ChangeKind.REGISTER
    return not moved or (subject.point.kind is PointKind.NUMBER and len(right) < 2)


def _is_spoilt(subject: _Subject, change: Change, words: Words) -> bool:
    place = change.of(subject.place)
    if place.address < 0:
        return True
    raw = raw_of(place, words)
    return raw is not None and not _is_plausible(subject.point, place, raw)


def _is_plausible(point: ProfilePoint, place: ModbusPlace, raw: tuple[int, ...]) -> bool:
    value = decoded(raw, place)
    match point.kind:
        case PointKind.TEXT:
            return isinstance(value, str) and all(" " <= char <= "~" for char in value)
        case PointKind.FLAG:
            return True
        case PointKind.STATE:
            return value in point.states
        case PointKind.NUMBER:
            return not isinstance(value, str) and _is_quantity(point, place, raw, value)


def _is_quantity(
    point: ProfilePoint, place: ModbusPlace, raw: tuple[int, ...], value: float
) -> bool:
    if not math.isfinite(value):
        return False
    # Rounded like a reading: 100.04 % is 100 to a device that resolves whole percents.
    shown = round(value, point.decimals)
    if (point.low is not None and shown < point.low) or (
        point.high is not None and shown > point.high
    ):
        return False
    if place.type in _FLOATS:
        return value == 0 or abs(value) >= _SMALLEST_FLOAT
    return not _is_disordered(point, place, raw, value)


def _is_disordered(
    point: ProfilePoint, place: ModbusPlace, raw: tuple[int, ...], value: float
) -> bool:
    """Whether a quantity of several registers is what no counter comes to in its life."""
    if place.type in _BCD or place.registers == 1 or not point.unit or point.high is not None:
        return False
    # A count of exactly n × 65 536 is rarer than two words the wrong way round.
    bits = raw_bits(place, raw)
    return (bits != 0 and bits & 0xFFFF == 0) or abs(value / place.scale) > _EXACT


def _is_doubtful(subject: _Subject) -> bool:
    """Whether a value passes although it is what words in disorder often make: a float far below
    what the point resolves or enormous, or more than half of what a
    counter without limit can hold."""
    point, place = subject.point, subject.place
    if point.kind is not PointKind.NUMBER or place.registers == 1 or not any(subject.raw):
        return False
    if place.type in _FLOATS:
        value = decoded(subject.raw, place)
        if isinstance(value, str):
            return False
        too_large = point.high is None and abs(value) > _DOUBTED
        return too_large or abs(value) < 0.01 * 10.0**-point.decimals
    unsigned = place.type not in (*_BCD, *_SIGNED)
    free = bool(point.unit) and point.high is None and unsigned
    return free and raw_bits(place, subject.raw) >> (16 * place.registers - 1) == 1


def _convinces(subject: _Subject, place: ModbusPlace, raw: tuple[int, ...]) -> bool:
    """Whether the changed value is one that chance would not easily bring about."""
    if not _tells(subject, raw) or _is_absent(raw, place):
        return False
    # The changed scale may be finer than what the point says it resolves.
    finer = replace(subject.point, decimals=subject.point.decimals + 3)
    if not _is_plausible(finer, place, raw):
        return False
    value = decoded(raw, place)
    if isinstance(value, str):
        return len(value) > 1
    if subject.point.kind is not PointKind.NUMBER:
        return value != 0
    if place.type in _FLOATS and abs(value) < 10.0 ** -(subject.point.decimals + 1):
        return False
    return value != 0 and abs(value) < _LARGEST_FREE


def _tells(subject: _Subject, raw: tuple[int, ...]) -> bool:
    """Whether a value says anything of how it is written: zeros look alike in every way."""
    return subject.point.kind is not PointKind.FLAG and any(raw) and not _is_a_filler(raw)


def _is_a_filler(raw: tuple[int, ...]) -> bool:
    """What devices put where they have no value: all ones, largest or smallest signed number."""
    head, rest = raw[0], set(raw[1:])
    return (head in (0xFFFF, 0x7FFF) and rest <= {0xFFFF}) or (head == 0x8000 and rest <= {0})


def _is_absent(raw: tuple[int, ...], place: ModbusPlace) -> bool:
    if not place.absent or place.type in (RegisterType.BIT, RegisterType.ASCII):
        return False
    whole = raw_bits(place, raw)
    said = whole
    if place.absent_in is not None:
        bit, width = place.absent_in
        said = (whole >> bit) & ((1 << width) - 1)
    elif place.width is not None:
        said = (whole >> (place.bit or 0)) & place.mask
    return said in place.absent
