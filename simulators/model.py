"""What a simulated class of equipment is made of. Pure.

A :class:`Model` plays the things of some classes. A *body* is one thing that changes as a whole,
with every piece of equipment that reports on it: a lift is its own body, a booster set is one
body for its tank and all its pumps. What a body is at one moment is a frozen dataclass, its state.

Bodies reach each other only through what they give (:class:`Effect`) and what is given to them
(:class:`Given`), one tick later; so the order in which they are stepped does not matter.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

from gateway.model.equipment import Equipment

NOMINAL = 220.0
"""V between a phase and neutral."""
_LIVE = 0.6 * NOMINAL
"""V below which contactors drop out and drives stop."""

Values = Mapping[str, Mapping[str, float]]
"""Equipment id → point key → value."""
Deed = tuple[str, str]
"""(equipment id, what it did), for the event log."""
State = TypeVar("State")


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultKind:
    """A way in which equipment can fail."""

    name: str
    befalls: tuple[str, ...]
    """Classes of equipment."""
    heats: bool = False
    """Whether a scenario must say by how many K."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """One fault of one thing. Times in s since the world began."""

    equipment: str
    kind: str
    begins: float
    ends: float
    rise: float
    """K; only for kinds that heat."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mains:
    """The supply of a thing."""

    voltage: float = NOMINAL
    """V between phase and neutral."""

    @property
    def live(self) -> bool:
        return self.voltage > _LIVE


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """What a piece of equipment does to others."""

    draws: float = 0.0
    """W that it takes itself from what supplies it."""
    heat: float = 0.0
    """W that it gives off into its area."""
    feeds: Mains | None = None
    """What it passes on to those it supplies; None: what it is supplied with itself."""
    turns: bool = False
    """Whether a machine is running."""
    silent: bool = False
    """Whether it does not answer, so that nothing is known of it."""
    leaks: bool = False
    """Whether it lets water onto the floor of its area."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """What reaches one piece of equipment in one tick."""

    faults: Mapping[str, Fault] = field(default_factory=dict)
    """Kind → fault that it has now."""
    mains: Mains = field(default_factory=Mains)
    load: float = 0.0
    """W that everything draws which it supplies."""
    turns: bool = True
    """Whether the machine that it is mounted on runs."""
    heat: float = 0.0
    """W that the equipment in its area gives off."""
    wet: bool = False
    """Whether something in its area lets water onto the floor."""
    told: Mapping[str, float] = field(default_factory=dict)
    """Point key → value that its device has just been told to take. Who has no use for it, or
    cannot hear, goes on as before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What reaches everything in one tick, and each thing apart."""

    elapsed: float
    """s since the scenario began, negative while the world warms up."""
    ambient: float
    """℃ outside."""
    motor_time: float
    """s: τ of the motors' heat."""
    room_time: float
    """s: τ of the rooms' heat."""
    demand: float
    """Flow of water that is wanted, in pumps."""
    around: Mapping[str, Around]
    """Equipment id → what reaches it, for the equipment of the whole site."""


class Model(Protocol):
    """How bodies of one kind behave."""

    @property
    def name(self) -> str:
        """By which the bodies of this kind are kept in the state file."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of the equipment that it plays."""

    @property
    def faults(self) -> tuple[FaultKind, ...]: ...

    def body_of(self, thing: Equipment) -> str:
        """Which body ``thing`` reports on."""

    def begin(self, things: Sequence[Equipment], ambient: float) -> Any:
        """The state of the body of ``things`` in a new world."""

    def step(
        self, things: Sequence[Equipment], before: Any, given: Given, dt: float
    ) -> tuple[Any, list[Deed]]:
        """The state ``dt`` s later, and what ``things`` did."""

    def values(self, things: Sequence[Equipment], state: Any) -> Values:
        """What ``things`` have to say."""

    def effects(self, things: Sequence[Equipment], state: Any) -> Mapping[str, Effect]:
        """Equipment id → what it does to others; left out where it does nothing."""

    def members(self, state: Any) -> frozenset[int | str]:
        """What it counts apart, such as the pumps of a set: another site may have others."""

    def plain(self, state: Any) -> dict[str, Any]:
        """``state`` as what JSON can hold."""

    def restored(self, plain: Mapping[str, Any]) -> Any:
        """The inverse; raises KeyError, TypeError or ValueError for what is no state."""


def _nothing(_state: object) -> Effect:
    return Effect()


@dataclass(frozen=True, kw_only=True)
class Single(Generic[State]):
    """A :class:`Model` whose bodies are one piece of equipment each, made of its functions."""

    name: str
    classes: tuple[str, ...]
    faults: tuple[FaultKind, ...]
    first: Callable[[Equipment, float], State]
    """(thing, ambient) → its state in a new world."""
    moved: Callable[[State, Around, Given, float], tuple[State, list[str]]]
    """(before, what reaches it, what reaches all, dt) → (state, what it did)."""
    said: Callable[[State], Mapping[str, float]]
    """Point key → value."""
    effect: Callable[[State], Effect] = _nothing
    state: Callable[..., State]
    """What makes a state from its own fields."""

    def body_of(self, thing: Equipment) -> str:
        return thing.id

    def begin(self, things: Sequence[Equipment], ambient: float) -> State:
        return self.first(things[0], ambient)

    def step(
        self, things: Sequence[Equipment], before: State, given: Given, dt: float
    ) -> tuple[State, list[Deed]]:
        name = things[0].id
        after, did = self.moved(before, given.around[name], given, dt)
        return after, [(name, word) for word in did]

    def values(self, things: Sequence[Equipment], state: State) -> Values:
        return {things[0].id: self.said(state)}

    def effects(self, things: Sequence[Equipment], state: State) -> Mapping[str, Effect]:
        return {things[0].id: self.effect(state)}

    def members(self, _state: State) -> frozenset[int | str]:
        return frozenset()

    def plain(self, state: Any) -> dict[str, Any]:
        return asdict(state)

    def restored(self, plain: Mapping[str, Any]) -> State:
        return self.state(**plain)


def public_mains(elapsed: float) -> float:
    """V of the street's supply, which wanders a little around its nominal value."""
    return NOMINAL + 2.2 * math.sin(elapsed / 97) + 0.8 * math.sin(elapsed / 13)


def towards(value: float, target: float, dt: float, time: float) -> float:
    """``value`` after ``dt`` s on its way to ``target`` with the time constant ``time``."""
    return value + (target - value) * min(dt / time, 1.0)


def chance(*key: object) -> float:
    """A number from 0 up to 1 that follows from ``key`` alone."""
    digest = hashlib.blake2s(repr(key).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32


def wobble(seed: str, age: float, period: float) -> float:
    """A slow unrest between −1 and 1 that is another one for each ``seed``."""
    shift = _shift(seed)
    return 0.6 * math.sin(age / period + shift) + 0.4 * math.sin(2.7 * age / period + 3 * shift)


@lru_cache(maxsize=1000)
def _shift(seed: str) -> float:
    return 20 * chance(seed)
