"""What a site sets for its register, from the file ``register.yaml`` of a rulebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from gateway.files.documents import Document, Finding, Problem, findings, salvage
from gateway.files.fields import ClassName, Line, PointKey, Words
from rules.book_folders import in_force
from rules.register.book import WARRANTY, RegisterBook, least_years

FILE = "register.yaml"


class DateKindDocument(Document):
    name: Words
    source: Line


class RegisterDocument(Document):
    advance_days: int = Field(strict=True, ge=0, le=366)
    dates: Mapping[PointKey, DateKindDocument]
    keep_years: Mapping[ClassName, int] = Field(default={})

    def book(self) -> RegisterBook:
        return RegisterBook(
            advance_days=self.advance_days,
            date_kinds={key: kind.name.text() for key, kind in self.dates.items()},
            keep_years=self.keep_years,
        )


@dataclass(frozen=True, kw_only=True)
class RegisterFile:
    book: RegisterBook = field(default_factory=RegisterBook)
    problems: Sequence[Problem] = ()
    texts: Sequence[str] = ()


def read_register_book(folders: Sequence[Path]) -> RegisterFile:
    """What the file in force says, with every problem of it."""
    for path in in_force(folders, FILE):
        parsed, problems = salvage(path, RegisterDocument)
        if parsed is None or problems:
            return RegisterFile(problems=problems)
        found = [parsed.problem(*finding) for finding in findings(_check(parsed.content))]
        return RegisterFile(
            book=RegisterBook() if found else parsed.content.book(),
            problems=found,
            texts=[parsed.text],
        )
    return RegisterFile()


def _check(content: RegisterDocument) -> Iterator[Finding]:
    if WARRANTY in content.dates:
        yield ("dates", WARRANTY), "is a date that every register has", "remove it"
    for name, years in content.keep_years.items():
        least = max(1, least_years(name))
        if not least <= years <= 100:
            wrong = f"records of {name!r} are kept for {years} years"
            yield ("keep_years", name), wrong, f"give it {least} at least, 100 at most"
