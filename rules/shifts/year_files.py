"""The rulebook's calendar files: one a year, with its holidays and make-up working days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from pydantic import Field

from gateway.files.documents import (
    ConfigurationError,
    Document,
    Finding,
    Parsed,
    Problem,
    findings,
    salvage,
)
from gateway.files.fields import Line, Whole, Words
from rules.book_folders import folders_of, in_force
from rules.shifts.calendar import DayKind, SpecialDay, Year

PATTERN = "calendar/*.yaml"


class FestivalDocument(Document):
    name: Words
    holidays: tuple[date, ...] = Field(min_length=1)
    make_up_working: tuple[date, ...] = ()


class YearDocument(Document):
    year: Whole = Field(ge=2000, le=2199)
    provisional: bool
    source: Line
    festivals: tuple[FestivalDocument, ...] = Field(min_length=1)

    def built(self) -> Year:
        """The year of a document without a problem."""
        days = {}
        for festival in self.festivals:
            name = festival.name.text()
            for day in festival.holidays:
                days[day] = SpecialDay(kind=DayKind.HOLIDAY, name=name)
            for day in festival.make_up_working:
                days[day] = SpecialDay(kind=DayKind.MAKE_UP_WORKING, name=name)
        return Year(
            year=self.year, provisional=self.provisional, days=days, source=self.source.strip()
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class YearFiles:
    years: Mapping[int, Year]
    """Empty if there is a problem."""
    problems: Sequence[Problem]
    texts: Sequence[str]
    """Of every file, as it lies there."""


def read_years(paths: Iterable[Path]) -> YearFiles:
    """The years of the files at ``paths``, with every problem of all of them."""
    problems: list[Problem] = []
    texts: list[str] = []
    seen: dict[int, Parsed[YearDocument]] = {}
    for path in paths:
        parsed, wrong = salvage(path, YearDocument)
        problems += wrong
        if parsed is not None:
            texts.append(parsed.text)
            found = findings(_check_year(parsed, seen), _check_days(parsed.content))
            problems += [parsed.problem(*finding) for finding in found]
    years = {} if problems else {year: parsed.content.built() for year, parsed in seen.items()}
    return YearFiles(years=years, problems=problems, texts=texts)


@cache
def years_of(own: str | None) -> Mapping[int, Year]:
    """The years that a site knows whose own rulebook is the folder ``own``; read once a process.

    Raises :class:`ConfigurationError`; loading the rulebook has raised it before.
    """
    found = read_years(in_force(folders_of(None if own is None else Path(own)), PATTERN))
    if found.problems:
        raise ConfigurationError(found.problems)
    return found.years


def _check_days(content: YearDocument) -> Iterator[Finding]:
    """Every day is of this year and named once; only a day of a weekend is made up for."""
    seen: set[date] = set()
    for at, festival in enumerate(content.festivals):
        for key, days in (
            ("holidays", festival.holidays),
            ("make_up_working", festival.make_up_working),
        ):
            for place, day in enumerate(days):
                where = ("festivals", at, key, place)
                if day.year != content.year:
                    yield where, f"{day} is not of {content.year}", "move it to its year's file"
                elif day in seen:
                    yield where, f"{day} is named twice", "keep one of the two"
                elif key == "make_up_working" and day.weekday() < 5:
                    wrong = f"{day} is no day of a weekend, so it is worked anyway"
                    yield where, wrong, "mend the date, or remove it"
                seen.add(day)


def _check_year(
    parsed: Parsed[YearDocument], seen: dict[int, Parsed[YearDocument]]
) -> Iterator[Finding]:
    twin = seen.setdefault(parsed.content.year, parsed)
    if twin is not parsed:
        yield ("year",), f"is also the year of {twin.file}", "keep one of the two files"
