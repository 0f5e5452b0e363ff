"""How every state machine of the rules is written: one table, and this one way to step it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


class IllegalTransitionError(Exception):
    """An event that the state does not allow; nothing was changed."""

    def __init__(self, subject: str, state: str, event: str) -> None:
        self.subject = subject
        self.state = state
        self.event = event
        super().__init__(f"{subject} is {state}: {event} is not possible")


def step(table: Mapping[tuple[S, E], S], state: S, event: E, *, subject: str) -> S:
    """The state after ``event``; raises :class:`IllegalTransitionError`."""
    after = table.get((state, event))
    if after is None:
        raise IllegalTransitionError(subject, state.value, event.value)
    return after
