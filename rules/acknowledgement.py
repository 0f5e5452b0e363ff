"""How long an acknowledgement holds, from the file ``acknowledgement.yaml`` of a rulebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from gateway.files.documents import Document, Finding, Problem, findings, salvage
from gateway.files.durations import parse
from gateway.files.fields import Line
from gateway.model.moment import MINUTE
from rules.book_folders import in_force
from rules.priority import Priority

FILE = "acknowledgement.yaml"
_NEVER = "never"


def _held(value: object) -> int | None:
    return None if value == _NEVER else parse(value if isinstance(value, str) else "")


class AcknowledgementDocument(Document):
    source: Line
    holds: Mapping[Priority, Annotated[int | None, BeforeValidator(_held)]] = Field(min_length=1)


@dataclass(frozen=True, kw_only=True)
class Acknowledgement:
    holds: Mapping[Priority, int] = field(default_factory=dict)
    """µs; a priority for which it never expires is not in it."""
    problems: Sequence[Problem] = ()
    texts: Sequence[str] = ()


def read_acknowledgement(folders: Sequence[Path]) -> Acknowledgement:
    """What the file in force says; without one no acknowledgement expires."""
    for path in in_force(folders, FILE):
        parsed, problems = salvage(path, AcknowledgementDocument)
        if parsed is None or problems:
            return Acknowledgement(problems=problems)
        found = findings(_check(parsed.content))
        return Acknowledgement(
            holds={one: held for one, held in parsed.content.holds.items() if held is not None},
            problems=[parsed.problem(*finding) for finding in found],
            texts=[parsed.text],
        )
    return Acknowledgement()


def _check(document: AcknowledgementDocument) -> Iterator[Finding]:
    for priority in Priority:
        if priority not in document.holds:
            yield (
                ("holds",),
                f"does not say how long for {priority}",
                f"add {priority}: 1h, or never",
            )
    for priority, held in document.holds.items():
        if held is not None and held < MINUTE:
            yield ("holds", priority), "nobody gets anywhere so fast", "give it a minute at least"
