"""How a shift is handed over, from the file ``handover.yaml`` of a rulebook."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from gateway.files.documents import Document, Finding, Problem, findings, salvage
from gateway.files.durations import Duration
from gateway.files.fields import ClassName, Line, PointKey, Slug, Words, instead
from gateway.model.moment import HOUR, MINUTE
from rules.book_folders import in_force
from rules.handover.blocks import REQUIRED_QUESTIONS
from rules.handover.book import (
    Counted,
    DutyRoom,
    HandoverBook,
    ItemKind,
    Question,
    RunningPoint,
    Side,
)
from rules.priority import Priority

FILE = "handover.yaml"
_LONGEST = 4 * HOUR

Classes = Mapping[str, Mapping[str, Collection[Any]]]
"""Class → the keys of its points."""


class TimesDocument(Document):
    prepare: Duration = Field(gt=0)
    arrive: Duration = Field(gt=0)
    escalate: Duration = Field(default=30 * MINUTE, gt=0)


class RunningDocument(Document):
    equipment_class: ClassName = Field(alias="class")
    point: PointKey
    equals: Annotated[float, Field(strict=False)] = 1
    shown: tuple[PointKey, ...] = ()


class QuestionDocument(Document):
    key: PointKey
    asked: Side
    text: Words
    source: Line


class ItemDocument(Document):
    key: Slug
    kind: ItemKind
    name: Words
    quantity: int = Field(strict=True, ge=0, le=100_000)
    source: Line | None = None


class RoomDocument(Document):
    id: Slug
    name: Words
    items: tuple[ItemDocument, ...] = Field(min_length=1, max_length=200)


class HandoverDocument(Document):
    source: Line
    times: TimesDocument
    stopped_by: tuple[Priority, ...] = Field(min_length=1)
    running: tuple[RunningDocument, ...] = ()
    questions: tuple[QuestionDocument, ...] = Field(min_length=1, max_length=50)
    rooms: tuple[RoomDocument, ...] = Field(min_length=1, max_length=20)


@dataclass(frozen=True, kw_only=True)
class HandoverFile:
    book: HandoverBook
    """The defaults if there is a problem."""
    problems: Sequence[Problem] = ()
    texts: Sequence[str] = ()


def read_handover(folders: Sequence[Path], classes: Classes | None) -> HandoverFile:
    """What the file in force says; ``classes`` None: not known, and no line is blamed for one."""
    for path in in_force(folders, FILE):
        parsed, problems = salvage(path, HandoverDocument)
        if parsed is None:
            return HandoverFile(book=HandoverBook(), problems=problems)
        content = parsed.content
        found = findings(
            _check_times(content),
            _check_running(content, classes),
            _check_questions(content),
            _check_rooms(content),
        )
        problems = [*problems, *(parsed.problem(*finding) for finding in found)]
        book = HandoverBook() if problems else _book(content)
        return HandoverFile(book=book, problems=problems, texts=[parsed.text])
    return HandoverFile(book=HandoverBook())


def _check_times(content: HandoverDocument) -> Iterator[Finding]:
    times = content.times
    if times.prepare > _LONGEST:
        yield ("times", "prepare"), "is longer than 4h", "use 20m"
    if times.escalate > _LONGEST:
        yield ("times", "escalate"), "is longer than 4h", "use 30m"
    if times.arrive > times.prepare:
        wrong = "the relief is there before the sheet is"
        yield ("times", "arrive"), wrong, "make it no longer than prepare"


def _check_running(content: HandoverDocument, classes: Classes | None) -> Iterator[Finding]:
    seen: set[str] = set()
    for at, row in enumerate(content.running):
        if row.equipment_class in seen:
            yield ("running", at, "class"), "is there twice", "keep one of the two"
        seen.add(row.equipment_class)
        if classes is None:
            continue
        points = classes.get(row.equipment_class)
        if points is None:
            wrong = f"there is no class {row.equipment_class!r}"
            yield ("running", at, "class"), wrong, instead(row.equipment_class, classes)
            continue
        for where, key in (
            (("point",), row.point),
            *((("shown", place), key) for place, key in enumerate(row.shown)),
        ):
            if key not in points:
                wrong = f"{row.equipment_class} has no point {key!r}"
                yield ("running", at, *where), wrong, instead(key, points)


def _check_questions(content: HandoverDocument) -> Iterator[Finding]:
    keys = [question.key for question in content.questions]
    for at, key in enumerate(keys):
        if key in keys[:at]:
            yield ("questions", at, "key"), "is there twice", "give it another key"
    for key, clause in REQUIRED_QUESTIONS.items():
        if key not in keys:
            wrong = f"{key} is missing: without it nobody sees {clause}"
            yield ("questions",), wrong, f"add a question with key: {key}"


def _check_rooms(content: HandoverDocument) -> Iterator[Finding]:
    rooms = [room.id for room in content.rooms]
    for at, room in enumerate(content.rooms):
        if room.id in rooms[:at]:
            yield ("rooms", at, "id"), "is there twice", "give it another id"
        keys = [item.key for item in room.items]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                where = ("rooms", at, "items", place, "key")
                yield where, "is there twice in this room", "give it another key"


def _book(content: HandoverDocument) -> HandoverBook:
    return HandoverBook(
        prepare=content.times.prepare,
        arrive=content.times.arrive,
        escalate=content.times.escalate,
        stopped_by=content.stopped_by,
        running=tuple(
            RunningPoint(
                equipment_class=row.equipment_class,
                point=row.point,
                equals=row.equals,
                shown=row.shown,
            )
            for row in content.running
        ),
        questions=tuple(
            Question(key=one.key, asked=one.asked, text=one.text.text(), source=one.source)
            for one in content.questions
        ),
        rooms=tuple(
            DutyRoom(
                id=room.id,
                name=room.name.text(),
                items=tuple(
                    Counted(
                        key=item.key,
                        kind=item.kind,
                        name=item.name.text(),
                        quantity=item.quantity,
                    )
                    for item in room.items
                ),
            )
            for room in content.rooms
        ),
    )
