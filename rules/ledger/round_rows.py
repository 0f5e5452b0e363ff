"""Rounds as readers of the ledger get them, and how they lie in its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from gateway.model.point import Text
from gateway.model.quality import Quality
from rules.inspections.compared import Compared
from rules.inspections.items import RoundItem
from rules.inspections.judge import ItemState, ProvedBy, Value, Verdict
from rules.inspections.lifecycle import Facts, RoundState, state_of
from rules.inspections.regime import Answer, Band, Choice, Level, Proof, Regime, Severity
from rules.ledger.round_proof_rows import (
    compared_of,
    proving_columns,
    proving_of,
    window_columns,
    window_of,
)
from rules.ledger.rows import OrderReference, words
from rules.people.roles import Role
from rules.rule import OrderTerms


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """The items of a round by their state."""

    total: int = 0
    automatic: int = 0
    passed: int = 0
    failed: int = 0
    waiting: int = 0
    handed_over: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """One due instance of a regime. Times in µs UTC."""

    id: str
    regime: str
    name: Text
    form: Text | None
    level: Level
    area: str | None
    """None: the whole site."""
    area_name: Text | None
    period: str
    role: Role
    countersign_role: Role | None
    statement: Text | None
    patience: int
    facts: Facts
    opened_at: int | None
    done_by: str | None
    done_by_name: str | None
    done_note: str | None
    countersigned_by: str | None
    countersigned_by_name: str | None
    countersign_note: str | None
    counts: Counts
    version: str | None
    """Of the regime's file; None: from before versions were kept."""
    consequences: Mapping[str, Any]
    """As ``inspections.consequences`` writes them."""

    def state(self, now: int) -> RoundState:
        """As it stands at ``now`` (µs UTC)."""
        return state_of(self.facts, now)

    def is_of(self, regime: Regime) -> bool:
        """Whether it was planned by this version of its regime, as far as that is known."""
        return self.version in (None, regime.version)


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundEntry:
    """What a person answered."""

    id: str
    item: str
    value: Value
    passed: bool
    note: str | None
    by: str
    by_name: str | None
    via: str
    taken_at: int | None
    received_at: int
    scanned: str | None = None
    """The area or the equipment whose code was scanned with it."""
    scanned_at: int | None = None
    compared: Compared | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SpotCheck:
    """What who countersigns found where a line was looked at again."""

    item: str
    agrees: bool
    note: str | None
    by: str
    by_name: str | None
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RoundFinding:
    """巡检异常: an item that failed."""

    id: str
    item: str
    severity: Severity
    text: Text
    order: OrderReference | None
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptItem:
    """A line with how it stands."""

    item: RoundItem
    state: ItemState
    why: Text | None
    reading: ProvedBy | None
    entry: RoundEntry | None
    """The newest."""
    scan: RoundEntry | None
    """The newest that came with a scan."""
    finding: RoundFinding | None

    def agrees(self, verdict: Verdict) -> bool:
        """Whether it stands as ``verdict`` has it."""
        return (self.state, self.why, self.reading) == (
            verdict.state,
            verdict.why,
            verdict.reading,
        )


def facts_of(row: RowMapping) -> Facts:
    return Facts(
        opens_at=row["opens_at"],
        due_at=row["due_at"],
        late_until=row["late_until"],
        started_at=row["started_at"],
        done_at=row["done_at"],
        countersigned_at=row["countersigned_at"],
        void_at=row["void_at"],
    )


def round_of(row: RowMapping, counts: Counts, names: Mapping[str, str]) -> Round:
    """A row of ``round``; ``names``: of the users that it may name."""
    countersign = row["countersign_role"]
    return Round(
        id=row["id"],
        regime=row["regime"],
        name=Text(**row["name"]),
        form=_text(row["form"]),
        level=Level(row["level"]),
        area=row["area"],
        area_name=_text(row["area_name"]),
        period=row["period"],
        role=Role(row["role"]),
        countersign_role=None if countersign is None else Role(countersign),
        statement=_text(row["statement"]),
        patience=row["patience"],
        facts=facts_of(row),
        opened_at=row["opened_at"],
        done_by=row["done_by"],
        done_by_name=names.get(row["done_by"]),
        done_note=row["done_note"],
        countersigned_by=row["countersigned_by"],
        countersigned_by_name=names.get(row["countersigned_by"]),
        countersign_note=row["countersign_note"],
        counts=counts,
        version=row["version"],
        consequences=row["consequences"],
    )


def entry_of(row: RowMapping, names: Mapping[str, str]) -> RoundEntry:
    return RoundEntry(
        id=row["id"],
        item=row["item"],
        value=row["value"],
        passed=row["passed"],
        note=row["note"],
        by=row["by"],
        by_name=names.get(row["by"]),
        via=row["via"],
        taken_at=row["taken_at"],
        received_at=row["received_at"],
        scanned=row["scanned"],
        scanned_at=row["scanned_at"],
        compared=compared_of(row["compared"]),
    )


def finding_of(row: RowMapping) -> RoundFinding:
    """A row of ``round_finding`` with its order's ``order_number``."""
    order = row["order_id"]
    return RoundFinding(
        id=row["id"],
        item=row["item"],
        severity=Severity(row["severity"]),
        text=Text(**row["text"]),
        order=None if order is None else OrderReference(id=order, number=row["order_number"]),
        at=row["at"],
    )


def item_columns(item: RoundItem) -> dict[str, Any]:
    """``item`` as the columns of its row that never change."""
    terms = item.terms
    return {
        "key": item.key,
        "section": words_if(item.section),
        "name": words(item.name),
        "guidance": words_if(item.guidance),
        "proof": None if item.proof is None else item.proof.value,
        "points": {point: words(name) for point, name in item.points.items()},
        "counted": item.counted,
        "answer": item.answer.value,
        "unit": item.unit,
        "low": item.band.low,
        "high": item.band.high,
        "equals": item.band.equals,
        "choices": [
            {"key": choice.key, "name": words(choice.name), "passes": choice.passes}
            for choice in item.choices
        ],
        "severity": item.severity.value,
        "subject": item.subject,
        "subject_name": words(item.subject_name),
        "equipment": item.equipment,
        "area": item.area,
        "cause_key": item.cause_key,
        "terms": None
        if terms is None
        else {
            "category": terms.category,
            "category_name": words(terms.category_name),
            "complete_within": terms.complete_within,
            "close_after": terms.close_after,
        },
        "source": item.source.en,
        "source_zh": item.source.zh,
        "proving": proving_columns(item.proving),
    }


def item_of(row: RowMapping) -> RoundItem:
    terms = row["terms"]
    return RoundItem(
        key=row["key"],
        section=_text(row["section"]),
        name=Text(**row["name"]),
        guidance=_text(row["guidance"]),
        proof=None if row["proof"] is None else Proof(row["proof"]),
        points={point: Text(**name) for point, name in row["points"].items()},
        counted=row["counted"],
        answer=Answer(row["answer"]),
        unit=row["unit"],
        band=Band(low=row["low"], high=row["high"], equals=row["equals"]),
        choices=tuple(
            Choice(key=one["key"], name=Text(**one["name"]), passes=one["passes"])
            for one in row["choices"]
        ),
        severity=Severity(row["severity"]),
        subject=row["subject"],
        subject_name=Text(**row["subject_name"]),
        equipment=row["equipment"],
        area=row["area"],
        cause_key=row["cause_key"],
        terms=None
        if terms is None
        else OrderTerms(
            category=terms["category"],
            category_name=Text(**terms["category_name"]),
            complete_within=terms["complete_within"],
            close_after=terms["close_after"],
        ),
        source=Text(zh=row["source_zh"] or row["source"], en=row["source"]),
        proving=proving_of(row["proving"]),
    )


def verdict_columns(verdict: Verdict) -> dict[str, Any]:
    """``verdict`` as the columns of an item's row."""
    reading = verdict.reading
    return {
        "state": verdict.state.value,
        "why": words_if(verdict.why),
        "reading": None
        if reading is None
        else {
            "value": reading.value,
            "text": words_if(reading.text),
            "quality": reading.quality.word,
            "unit": reading.unit,
            "source_time": reading.source_time,
            "received_at": reading.received_at,
            "age": reading.age,
            "window": window_columns(reading.window),
        },
    }


def verdict_of(row: RowMapping) -> Verdict:
    said = row["reading"]
    return Verdict(
        state=ItemState(row["state"]),
        why=_text(row["why"]),
        reading=None
        if said is None
        else ProvedBy(
            value=said["value"],
            text=_text(said["text"]),
            quality=Quality[said["quality"].upper()],
            unit=said["unit"],
            source_time=said["source_time"],
            received_at=said["received_at"],
            age=said["age"],
            window=window_of(said.get("window")),
        ),
    )


def words_if(value: Text | None) -> dict[str, str] | None:
    return None if value is None else words(value)


def _text(value: Mapping[str, str] | None) -> Text | None:
    return None if value is None else Text(**value)
