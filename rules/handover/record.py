"""What is signed: the sheet with everything that was said about it, as one document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from rules.handover.book import HandoverBook, Side
from rules.handover.facts import AnswerKind
from rules.handover.sheet import Section, as_document
from rules.handover.wording import alarm_title
from rules.ledger.handover_facts import Scene
from rules.ledger.handover_sheet import is_approved
from rules.ledger.handover_view import Answer, Handover
from rules.ledger.rows import words
from rules.ledger.shift_log_view import ShiftLog

VERSION = 2
"""Of the document; a record that was signed is read as what it was."""


def document(
    scene: Scene, sheet: list[Section], *, side: Side, by: str, given_hash: str | None = None
) -> dict[str, Any]:
    """``sheet``: as it is when ``by`` signs for ``side``; ``given_hash``: of what the outgoing
    crew has signed before."""
    log, handover = scene.log, scene.handover
    return {
        "version": VERSION,
        "handover": handover.id,
        "side": side.value,
        "by": by,
        "at": scene.now,
        "given": given_hash,
        "shift": _shift(log),
        "next": {
            "id": handover.next_id,
            "name": words(handover.next_name),
            "team": words(handover.next_team_name),
            "starts_at": handover.next_starts_at,
            "ends_at": handover.next_ends_at,
        },
        "sheet": as_document(sheet),
        **said(scene),
        "passed": [
            {
                "clauses": list(block.condition.clauses),
                "name": words(block.condition.name),
                "text": words(block.text),
            }
            for block in scene.blocks
            if block.overridden
        ],
        "overrides": [
            {"reason": reason, "by": by_name, "at": at}
            for reason, by_name, at in dict.fromkeys(
                (one.reason, one.by_name, one.at) for one in handover.overrides
            )
        ],
    }


def said(scene: Scene) -> dict[str, Any]:
    """What both crews have said, as it stands in the document."""
    handover, book = scene.handover, scene.book
    return {
        "questions": _questions(handover, book),
        "counts": _counts(handover, book),
        "explanations": _about(scene, AnswerKind.EXPLAIN),
        "repairs": _about(scene, AnswerKind.REPAIR),
        "shelves": _shelves(scene),
    }


def said_in(text: str) -> dict[str, Any]:
    """The same of a document that was signed; what its version did not have is empty."""
    found = orjson.loads(text)
    names = ("questions", "counts", "explanations", "repairs", "shelves")
    return {name: found.get(name, []) for name in names}


def sheet_of(text: str) -> list[dict[str, Any]]:
    """The sheet of a document that was signed, for ``rules.handover.sheet.of_document``."""
    found: list[dict[str, Any]] = orjson.loads(text)["sheet"]
    return found


def _shift(log: ShiftLog) -> dict[str, Any]:
    return {
        "id": log.id,
        "name": words(log.name),
        "team": words(log.team_name),
        "starts_at": log.starts_at,
        "ends_at": log.ends_at,
        "crew": [one.name for one in log.crew],
    }


def _questions(handover: Handover, book: HandoverBook) -> list[dict[str, Any]]:
    answers = {one.subject: one for one in handover.answers if one.kind is AnswerKind.QUESTION}
    return [
        {
            "key": question.key,
            "asked": question.asked.value,
            "source": question.source,
            "text": words(question.text),
            **_said(answers.get(question.key)),
        }
        for question in book.questions
    ]


def _counts(handover: Handover, book: HandoverBook) -> list[dict[str, Any]]:
    answers = {one.subject: one for one in handover.answers if one.kind is AnswerKind.COUNT}
    return [
        {
            "room_id": room.id,
            "room": words(room.name),
            "key": item.key,
            "name": words(item.name),
            "kind": item.kind.value,
            "quantity": item.quantity,
            **_said(answers.get(f"{room.id}.{item.key}")),
        }
        for room in book.rooms
        for item in room.items
    ]


def _about(scene: Scene, kind: AnswerKind) -> list[dict[str, Any]]:
    return [
        {"about": one.subject, "text": words(scene.called(one.subject)), **_said(one)}
        for one in scene.handover.answers
        if one.kind is kind
    ]


def _shelves(scene: Scene) -> list[dict[str, Any]]:
    return [
        {
            "text": words(alarm_title(one.alarm.equipment_name, one.alarm.name)),
            "reason": one.reason,
            "approved": is_approved(scene, one),
        }
        for one in scene.view.shelves()
    ]


def _said(answer: Answer | None) -> Mapping[str, Any]:
    if answer is None:
        return {"value": None, "note": None, "by": None, "at": None}
    return {"value": answer.value, "note": answer.note, "by": answer.by_name, "at": answer.at}
