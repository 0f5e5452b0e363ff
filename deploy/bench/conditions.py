"""Rules a second: 10,000 points with three rules each, beside a loop over the readings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import isnan
from time import perf_counter

import numpy as np

from deploy.bench.figures import Figure, WrongError
from gateway.model.equipment import Equipment
from gateway.model.frame import Frame
from gateway.model.moment import MINUTE, SECOND, Instant, stamp
from gateway.model.point import Point, PointKind, Text
from gateway.model.quality import Quality
from rules.alarms.conditions import Conditions, Turn
from rules.rule import Comparison, Condition, Gate, Guidance, OrderTerms, Priority, Rule, Rulebook

_START = 1_795_233_600 * SECOND
_DEVICES, _POINTS = 100, 100
_ROUNDS = 120
"""Polls of all devices, a second apart."""
_CHECKED = 40
"""Of these the events of both ways are compared."""
_TARGET = 5_000_000
_Event = tuple[Turn, str, int]


def evaluations() -> list[Figure]:
    things, book = _things(), _book()
    whole = _frames(things, _ROUNDS)
    single = [[frame] for frame in _joined(whole)]
    rows = _DEVICES * _POINTS * 3
    for frames in (whole, single):
        ours = _heard(Conditions(book, things), frames[:_CHECKED])
        plain = _heard(_Loop(book, things), frames[:_CHECKED])
        if sorted(ours) != sorted(plain) or not plain:
            raise WrongError(f"{len(ours)} events, the loop has {len(plain)}, or others")
    loop = rows * _CHECKED / _timed(lambda: _heard(_Loop(book, things), whole[:_CHECKED]))
    found = []
    for what, frames in (
        (f"a frame of {_DEVICES * _POINTS:,} points", single),
        (f"{_DEVICES} frames of {_POINTS} points", whole),
    ):
        conditions = Conditions(book, things)
        _heard(conditions, frames[:5])
        spent = _timed(lambda c=conditions, f=frames[5:]: _heard(c, f))  # type: ignore[misc]
        found.append(
            Figure(
                part="rules",
                what=f"evaluations, {what}, 3 rules each",
                unit="1/s",
                ours=rows * (_ROUNDS - 5) / spent,
                plain=loop,
                plain_way="a loop over the readings",
                target=f"{_TARGET:,}",
                checked=f"{len(plain):,} events of both ways are the same",
            )
        )
    return found


def _timed(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


def _heard(judge: Conditions | _Loop, rounds: Sequence[Sequence[Frame]]) -> list[_Event]:
    events = []
    for second, frames in enumerate(rounds):
        mono = second * SECOND
        at = Instant(wall=_START + mono, mono=mono, boot="bench")
        for frame in frames:
            events += [(one.turn, one.occurrence, one.at.wall) for one in judge.step(frame, at)]
    return events


def _things() -> list[Equipment]:
    return [_thing(f"device-{number}") for number in range(_DEVICES)]


def _thing(name: str) -> Equipment:
    words = Text(zh=name, en=name)
    return Equipment(
        id=name,
        name=words,
        equipment_class="device",
        profile="bench",
        model=words,
        area="b1",
        link="lan",
        unit=1,
        poll=SECOND,
        points=tuple(
            Point(
                id=f"{name}.p{number}",
                equipment=name,
                key=f"p{number}",
                name=words,
                kind=PointKind.NUMBER,
            )
            for number in range(_POINTS)
        ),
    )


def _book() -> Rulebook:
    """Of each point: high with a deadband, low while the next point runs, and outside a code."""
    rules = {}
    for number in range(_POINTS):
        beside = Gate(point=f"p{(number + 1) % _POINTS}", comparison=Comparison.ABOVE, limit=5)
        for rule in (
            _rule(f"high-{number}", number, Comparison.ABOVE, 90, deadband=5),
            _rule(f"low-{number}", number, Comparison.BELOW, 10, deadband=2, gate=beside),
            _rule(f"code-{number}", number, Comparison.EQUALS, 50),
        ):
            rules[rule.id] = rule
    return Rulebook(rules=rules, fingerprint="bench")


def _rule(
    name: str,
    number: int,
    comparison: Comparison,
    limit: float,
    *,
    deadband: float = 0.0,
    gate: Gate | None = None,
) -> Rule:
    words = Text(zh=name, en=name)
    return Rule(
        id=name,
        equipment_class="device",
        name=words,
        point=f"p{number}",
        condition=Condition(comparison=comparison, limit=limit, deadband=deadband),
        gates=() if gate is None else (gate,),
        delay=3 * SECOND,
        clear_after=2 * SECOND,
        priority=Priority.MAJOR,
        cause_key=name,
        guidance=Guidance(zh=("看",), en=("look",)),
        order=OrderTerms(
            category="power", category_name=words, complete_within=MINUTE, close_after=MINUTE
        ),
        source=words,
        file="bench",
    )


def _frames(things: Sequence[Equipment], rounds: int) -> list[list[Frame]]:
    """A slow swing of every point around 50, one in a hundred beyond its limits now and then, and
    one reading in a thousand bad or uncertain."""
    draw = np.random.default_rng(5)
    count = _DEVICES * _POINTS
    phase, swing = draw.uniform(0, 2 * np.pi, count), draw.uniform(5, 41, count)
    made = []
    for second in range(rounds):
        value = np.round(50 + swing * np.sin(phase + second / 12), 1)
        quality = np.zeros(count, np.uint8)
        quality[draw.random(count) < 0.001] = Quality.BAD
        quality[draw.random(count) < 0.001] = Quality.UNCERTAIN
        value[quality == Quality.BAD] = np.nan
        made.append(
            [
                Frame(
                    points=tuple(point.id for point in thing.points),
                    value=value[number * _POINTS : (number + 1) * _POINTS],
                    quality=quality[number * _POINTS : (number + 1) * _POINTS],
                    source_time=np.zeros(_POINTS, np.int64),
                )
                for number, thing in enumerate(things)
            ]
        )
    # One tuple a list of points, as the decoder gives them.
    lists = [frame.points for frame in made[0]]
    return [
        [
            Frame(
                points=points,
                value=frame.value,
                quality=frame.quality,
                source_time=frame.source_time,
            )
            for points, frame in zip(lists, frames, strict=True)
        ]
        for frames in made
    ]


def _joined(rounds: Iterable[Sequence[Frame]]) -> list[Frame]:
    points: tuple[str, ...] | None = None
    joined = []
    for frames in rounds:
        points = points or tuple(name for frame in frames for name in frame.points)
        joined.append(
            Frame(
                points=points,
                value=np.concatenate([frame.value for frame in frames]),
                quality=np.concatenate([frame.quality for frame in frames]),
                source_time=np.concatenate([frame.source_time for frame in frames]),
            )
        )
    return joined


@dataclass(slots=True)
class _Row:
    rule: Rule
    equipment: str
    state: str = "idle"
    since: Instant | None = None
    first: str = ""


@dataclass(frozen=True, slots=True)
class _Happened:
    turn: Turn
    occurrence: str
    at: Instant


@dataclass
class _Loop:
    """The plain way: an object a rule and equipment, asked at each reading of its points."""

    book: Rulebook
    things: Sequence[Equipment]
    of_point: dict[str, list[_Row]] = field(default_factory=dict)
    value: dict[str, tuple[float, bool]] = field(default_factory=dict)
    pending: dict[int, _Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for thing in self.things:
            for rule in self.book.rules.values():
                row = _Row(rule, thing.id)
                for key in {rule.point, *(gate.point for gate in rule.gates)}:
                    self.of_point.setdefault(f"{thing.id}.{key}", []).append(row)

    def step(self, frame: Frame, at: Instant) -> list[_Happened]:
        touched: dict[int, _Row] = {}
        for number, name in enumerate(frame.points):
            quality = frame.quality[number]
            value = float(frame.value[number]) if quality < Quality.STALE else float("nan")
            self.value[name] = value, bool(quality == Quality.UNCERTAIN)
            for row in self.of_point.get(name, ()):
                touched[id(row)] = row
        happened = []
        for row in touched.values():
            if self._ends(row, at):
                happened.append(_happened(Turn.CLEARED, row, at))
        for key, row in list(self.pending.items()):
            if row.since is not None and at.since(row.since) >= row.rule.delay:
                row.state = "active"
                del self.pending[key]
                happened.append(_happened(Turn.RAISED, row, at))
        return happened

    def _ends(self, row: _Row, at: Instant) -> bool:
        said = self._said(row)
        if row.state == "idle" and said is True:
            row.state, row.since, row.first = "pending", at, stamp(at.wall)
            self.pending[id(row)] = row
        elif row.state == "pending" and said is False:
            row.state = "idle"
            del self.pending[id(row)]
        elif row.state == "active" and said is False:
            row.state, row.since = "clearing", at
        elif row.state == "clearing" and said is True:
            row.state = "active"
        if row.state != "clearing" or said is not False or row.since is None:
            return False
        over = at.since(row.since) >= row.rule.clear_after
        row.state = "idle" if over else row.state
        return over

    def _said(self, row: _Row) -> bool | None:
        """Breaching, normal, or not known."""
        rule, held = row.rule, row.state in ("active", "clearing")
        value, doubtful = self.value.get(f"{row.equipment}.{rule.point}", (float("nan"), False))
        is_open = True
        for gate in rule.gates:
            at_gate, gate_doubtful = self.value.get(
                f"{row.equipment}.{gate.point}", (float("nan"), False)
            )
            if isnan(at_gate) or (gate_doubtful and at_gate <= gate.limit):
                is_open = False
            elif at_gate <= gate.limit:
                return False
        if isnan(value):
            return None
        if doubtful and not _beyond(rule.condition, value, 0.0):
            return None
        if _beyond(rule.condition, value, rule.condition.deadband if held else 0.0):
            return True if is_open else None
        return False


def _beyond(condition: Condition, value: float, deadband: float) -> bool:
    if condition.comparison is Comparison.ABOVE:
        return value > condition.limit - deadband
    if condition.comparison is Comparison.BELOW:
        return value < condition.limit + deadband
    return value == condition.limit


def _happened(turn: Turn, row: _Row, at: Instant) -> _Happened:
    return _Happened(turn, f"{row.equipment}.{row.rule.id}.{row.first}", at)
