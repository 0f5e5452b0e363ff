"""What an entry of a phone is, and what becomes of it: one table for each kind of deed. Pure.

What may not be is decided by the action itself; here is only what the action cannot know: that
the person has not seen what somebody else has done since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from gateway.model.moment import MINUTE
from rules.attached_files import AttachedFile
from rules.inspections.judge import NewEntry
from rules.inspections.lifecycle import OPEN, RoundState
from rules.ledger.order_steps import Work
from rules.orders.lifecycle import TAKEN, OrderEvent, OrderState

CLOCK_OFF = 5 * MINUTE
"""µs by which a phone's clock may differ before it is said."""


class Kind(StrEnum):
    ROUND_ITEM = "round_item"
    ROUND_FINISH = "round_finish"
    ORDER_ACCEPT = "order_accept"
    ORDER_DECLINE = "order_decline"
    ORDER_ARRIVE = "order_arrive"
    ORDER_START = "order_start"
    ORDER_SUSPEND = "order_suspend"
    ORDER_RESUME = "order_resume"
    ORDER_TICK = "order_tick"
    """A step of the maintenance that the order is for."""
    ORDER_COMPLETE = "order_complete"
    ROUND_PHOTO = "round_photo"
    ORDER_PHOTO = "order_photo"

    @property
    def is_of_round(self) -> bool:
        return self.value.startswith("round_")


class Outcome(StrEnum):
    APPLIED = "applied"
    KNOWN = "known"
    """It was here before; no row has this outcome."""
    CONFLICT = "conflict"
    REFUSED = "refused"


class Reason(StrEnum):
    TWO_ANSWERS = "two_answers"
    UNSEEN_ANSWERS = "unseen_answers"
    BY_TELEMETRY = "by_telemetry"
    NOT_OPEN = "not_open"
    LAID_OUT_ANEW = "laid_out_anew"
    TAKEN = "taken"
    MOVED_ON = "moved_on"
    WAITS = "waits"
    FAILED = "failed"
    NOT_VALID = "not_valid"
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    INCOMPLETE = "incomplete"
    REUSED = "reused"

    @property
    def outcome(self) -> Outcome:
        return Outcome.REFUSED if self in REFUSALS else Outcome.CONFLICT


REFUSALS = (
    Reason.NOT_VALID,
    Reason.NOT_ALLOWED,
    Reason.NOT_FOUND,
    Reason.INCOMPLETE,
    Reason.REUSED,
)
"""Nobody has to decide anything: who entered it enters it again, if it should be."""


class Note(StrEnum):
    """What is said with an outcome, and changes nothing of it."""

    REGIME_CHANGED = "regime_changed"
    """The round keeps the version by which it was planned."""
    CLOCK_OFF = "clock_off"
    CLOCK_STEPPED = "clock_stepped"
    """By the phone's clock it was entered after it was sent, or before what the person saw."""
    ALREADY = "already"
    """The same person had done it by another way."""


class Keep(StrEnum):
    MINE = "mine"
    """The phone's."""
    THEIRS = "theirs"
    """What stands."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A line of a round; ``given.id`` is the entry's own."""

    item: str
    given: NewEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class Finish:
    note: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """Of an order; which one, the entry's kind says."""

    note: str | None = None
    """The reason, where it is given back."""
    why: str | None = None
    work: Work | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    """A step of a plan's order is done, or is not after all."""

    number: int
    """From 1."""
    done: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Photo:
    """Its file lies there already."""

    item: str | None
    """The line; None: of an order."""
    file: AttachedFile
    caption: str | None


Deed: TypeAlias = Answer | Finish | Step | Tick | Photo


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """µs UTC; the first two by the phone's clock."""

    entered_at: int
    sent_at: int
    received_at: int
    seen_at: int = 0
    """When the last thing happened that the person saw, by our clock: it was entered after."""

    @property
    def offset(self) -> int:
        """What the phone's clock is behind ours; negative: ahead."""
        return self.received_at - self.sent_at

    @property
    def corrected(self) -> int:
        """When it was entered, by our clock."""
        return min(max(self.entered_at + self.offset, self.seen_at), self.received_at)

    @property
    def is_stepped(self) -> bool:
        """The phone's clock was set between entering and sending."""
        return self.entered_at > self.sent_at or self.entered_at + self.offset < self.seen_at

    def notes(self) -> list[Note]:
        off = [Note.CLOCK_OFF] if abs(self.offset) > CLOCK_OFF else []
        return off + ([Note.CLOCK_STEPPED] if self.is_stepped else [])


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundFacts:
    """A round when an entry about it arrives."""

    state: RoundState
    has_line: bool = True
    by_telemetry: bool = False
    """Telemetry has answered the line."""
    others_answers: int = 0
    """Answers of somebody else that the person has not seen: to the line, or to any line where
    the round is signed."""
    waits_for: str | None = None
    """An earlier entry of the same person, of this line or the whole round, nobody has decided."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderFacts:
    """An order when an entry about it arrives."""

    state: OrderState
    is_theirs: bool = True
    """Whoever entered it has the order."""
    is_anybodys: bool = False
    """Nobody has it."""
    others_steps: int = 0
    """Steps of somebody else that the person has not seen."""
    others_tick: bool = False
    """An entry takes back the tick of somebody else."""
    waits_for: str | None = None


HARMLESS = (OrderEvent.JOIN, OrderEvent.ESCALATE, OrderEvent.BREACH, OrderEvent.REMIND)
"""Of an order: nothing that a person has done with it."""

ALREADY: Mapping[Kind, Sequence[OrderState]] = {
    Kind.ORDER_ACCEPT: TAKEN,
    Kind.ORDER_ARRIVE: (OrderState.ON_SITE, OrderState.IN_PROGRESS),
    Kind.ORDER_START: (OrderState.IN_PROGRESS,),
}
"""Where the order stands when the person has done it by another way."""

RoundRow: TypeAlias = tuple[Reason, Callable[[RoundFacts], bool]]
OrderRow: TypeAlias = tuple[Reason, Callable[[OrderFacts], bool]]

_SHUT: RoundRow = (Reason.NOT_OPEN, lambda facts: facts.state not in OPEN)
_WAITS: RoundRow = (Reason.WAITS, lambda facts: facts.waits_for is not None)
_GONE: RoundRow = (Reason.LAID_OUT_ANEW, lambda facts: not facts.has_line)

ROUND: Mapping[Kind, Sequence[RoundRow]] = {
    Kind.ROUND_ITEM: (
        _SHUT,
        _GONE,
        (Reason.BY_TELEMETRY, lambda facts: facts.by_telemetry),
        (Reason.TWO_ANSWERS, lambda facts: facts.others_answers > 0),
        _WAITS,
    ),
    Kind.ROUND_FINISH: (
        _SHUT,
        _WAITS,
        (Reason.UNSEEN_ANSWERS, lambda facts: facts.others_answers > 0),
    ),
    Kind.ROUND_PHOTO: (_SHUT, _GONE),
}
"""The first row that holds is the reason of the conflict; none: there is none."""

_ELSEWHERE: OrderRow = (
    Reason.TAKEN,
    lambda facts: facts.others_steps > 0 and not facts.is_theirs and not facts.is_anybodys,
)
_STEPPED: OrderRow = (Reason.MOVED_ON, lambda facts: facts.others_steps > 0)
_AFTER: OrderRow = (Reason.WAITS, lambda facts: facts.waits_for is not None)
_TO_TAKE = (OrderState.OPEN, OrderState.ASSIGNED)

ORDER: Mapping[Kind, Sequence[OrderRow]] = {
    Kind.ORDER_ACCEPT: (
        _ELSEWHERE,
        # That it was given to who accepts it is what they both want.
        (Reason.MOVED_ON, lambda facts: facts.others_steps > 0 and facts.state not in _TO_TAKE),
        _AFTER,
    ),
    **dict.fromkeys(
        (
            Kind.ORDER_DECLINE,
            Kind.ORDER_ARRIVE,
            Kind.ORDER_START,
            Kind.ORDER_SUSPEND,
            Kind.ORDER_RESUME,
            Kind.ORDER_COMPLETE,
        ),
        (_ELSEWHERE, _STEPPED, _AFTER),
    ),
    Kind.ORDER_TICK: (
        _ELSEWHERE,
        _STEPPED,
        (Reason.TWO_ANSWERS, lambda facts: facts.others_tick),
        _AFTER,
    ),
    Kind.ORDER_PHOTO: (),
}


def conflict(kind: Kind, facts: RoundFacts | OrderFacts) -> Reason | None:
    """Why an entry of ``kind`` is not even tried; None: its action decides."""
    if isinstance(facts, RoundFacts):
        return next((reason for reason, holds in ROUND[kind] if holds(facts)), None)
    return next((reason for reason, holds in ORDER[kind] if holds(facts)), None)


def is_already(kind: Kind, facts: RoundFacts | OrderFacts) -> bool:
    """Whether the same person has done it by another way, as on the page."""
    return (
        isinstance(facts, OrderFacts)
        and facts.is_theirs
        and facts.others_steps == 0
        and facts.state in ALREADY.get(kind, ())
    )
