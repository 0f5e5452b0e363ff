"""What every channel looks like to the dispatch: it is handed a message, and says how that went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from rules.notify import wording


class Outcome(StrEnum):
    DELIVERED = "delivered"
    """By the provider's own word."""
    REFUSED = "refused"
    """The receiver said no, or was never reached."""
    THROTTLED = "throttled"
    """Too many in too short a time: the channel needs a rest."""
    DOUBTFUL = "doubtful"
    """No answer that can be understood: the receiver may have it."""
    NOBODY = "nobody"
    """There is nobody whom it could reach this way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    outcome: Outcome
    detail: str = ""
    """For people; never holds a secret."""
    reached: tuple[str, ...] = ()
    """Of several people, who has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipient:
    """Somebody who is meant, as the ledger knows them at the time of sending."""

    username: str
    phone: str | None = None
    mention: str | None = None
    """What a chat robot calls them by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    id: str
    """The same at every attempt."""
    body: Mapping[str, Any]
    """The notice as a JSON object."""
    people: tuple[Recipient, ...] = ()
    reached: tuple[str, ...] = ()
    """User names of those who have it already."""
    languages: tuple[str, ...] = ("zh",)

    def text(self, most: int) -> str:
        """For people to read, in at most so many bytes."""
        return wording.text(self.body, self.languages, most)

    def heading(self) -> str:
        """In one line."""
        return wording.heading(self.body, self.languages[0])


class Carrier(Protocol):
    async def send(self, message: Message) -> Answer:
        """Never raises for the wire's sake."""
        ...
