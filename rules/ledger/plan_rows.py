"""What is due of maintenance plans as readers of the ledger get it, and how it lies in its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import RowMapping

from gateway.model.point import Text
from rules.ledger.rows import OrderReference, words
from rules.orders.lifecycle import OrderState
from rules.plans.calendar import Times
from rules.plans.counting import Count
from rules.plans.lifecycle import DueState, Facts, state_of
from rules.plans.plan import Advance, Doer, Material, Plan, Step, Trigger

_DONE = (OrderState.COMPLETED, OrderState.VERIFIED, OrderState.CLOSED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What is to be done, as the plan said it when this was planned."""

    category_name: Text
    steps: tuple[Step, ...]
    materials: tuple[Material, ...]
    duration: int | None
    """µs."""
    doer: Doer
    advance: Advance | None
    source: Text


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanDue:
    """One due instance of a plan. Times in µs UTC."""

    id: str
    plan: str
    name: Text
    category: str
    subject: str
    subject_name: Text
    area: str | None
    """None: the whole site."""
    equipment: str | None
    period: str
    """The day as the plan says it, or a number."""
    number: int | None
    trigger: Trigger
    original_day: date | None
    day: date | None
    """None: only a counter knows."""
    notice_at: int | None
    noticed_at: int | None
    facts: Facts
    content: Content
    order: OrderReference | None
    order_state: OrderState | None
    has_own_end: bool
    """Recorded, missed or void by itself; else it is its order that says so."""
    postponed: int
    """How often."""
    done_by: str | None
    done_note: str | None
    unticked_why: str | None
    """Why it was finished without every step that is required."""
    materials: tuple[Mapping[str, Any], ...]
    """What was used: {name, quantity, unit, price}."""
    labour_minutes: int | None
    void_by: str | None

    def state(self, now: int) -> DueState:
        """As it stands at ``now`` (µs UTC)."""
        return state_of(self.facts, now)

    @property
    def is_over(self) -> bool:
        return self.facts.is_over

    @property
    def is_opened(self) -> bool:
        return self.facts.opened_at is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """How far a counter has grown for what is due next."""

    plan: str
    subject: str
    point: str
    """Point key."""
    due: str
    count: Count


def due_of(row: RowMapping) -> PlanDue:
    """A row of ``plan_due`` joined with what its order says (``plan_view``)."""
    order, said = row["order_id"], row["order_state"]
    state = None if said is None else OrderState(said)
    is_done, is_void = state in _DONE, state is OrderState.VOID
    facts = Facts(
        opens_at=row["opens_at"],
        due_at=row["due_at"],
        overdue_at=row["overdue_at"],
        opened_at=row["opened_at"],
        started_at=row["order_accepted_at"],
        done_at=row["done_at"] or (row["order_completed_at"] if is_done else None),
        missed_at=row["missed_at"],
        void_at=row["void_at"] or (row["order_voided_at"] if is_void else None),
    )
    return PlanDue(
        id=row["id"],
        plan=row["plan"],
        name=Text(**row["name"]),
        category=row["category"],
        subject=row["subject"],
        subject_name=Text(**row["subject_name"]),
        area=row["area"],
        equipment=row["equipment"],
        period=row["period"],
        number=row["number"],
        trigger=Trigger(row["trigger"]),
        original_day=row["original_day"],
        day=row["day"],
        notice_at=row["notice_at"],
        noticed_at=row["noticed_at"],
        facts=facts,
        content=_content(row["content"]),
        order=None if order is None else OrderReference(id=order, number=row["order_number"]),
        order_state=state,
        has_own_end=any(row[key] is not None for key in ("done_at", "missed_at", "void_at")),
        postponed=row["postponed"],
        done_by=row["done_by"] or (row["order_completed_by"] if is_done else None),
        done_note=row["done_note"] or (row["order_note"] if is_done else None),
        unticked_why=row["unticked_why"],
        materials=tuple(row["materials"] or (row["order_materials"] if is_done else None) or ()),
        labour_minutes=_first(row["labour_minutes"], row["order_minutes"] if is_done else None),
        void_by=row["void_by"] or (row["order_voided_by"] if is_void else None),
    )


def count_of(row: RowMapping) -> Counted:
    return Counted(
        plan=row["plan"],
        subject=row["subject"],
        point=row["point"],
        due=row["due_id"],
        count=Count(
            grown=row["grown"],
            last=row["last"],
            last_at=row["last_at"],
            fallen=row["fallen"],
            fallen_at=row["fallen_at"],
            turns=row["turns"],
        ),
    )


def count_columns(counted: Counted) -> dict[str, Any]:
    count = counted.count
    return {
        "plan": counted.plan,
        "subject": counted.subject,
        "point": counted.point,
        "due_id": counted.due,
        "grown": count.grown,
        "last": count.last,
        "last_at": count.last_at,
        "fallen": count.fallen,
        "fallen_at": count.fallen_at,
        "turns": count.turns,
    }


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)


def times_columns(times: Times | None) -> dict[str, int | None]:
    if times is None:
        return dict.fromkeys(("notice_at", "opens_at", "due_at", "overdue_at"))
    return {
        "notice_at": times.notice_at,
        "opens_at": times.opens_at,
        "due_at": times.due_at,
        "overdue_at": times.overdue_at,
    }


def content_of(plan: Plan) -> dict[str, Any]:
    """What ``plan`` says is to be done, as it lies in a row."""
    advance = plan.advance
    return {
        "category_name": words(plan.category_name),
        "steps": [
            {"name": words(one.name), "source": words(one.source), "required": one.required}
            for one in plan.steps
        ],
        "materials": [
            {"name": words(one.name), "quantity": one.quantity, "unit": one.unit}
            for one in plan.materials
        ],
        "duration": plan.duration,
        "doer": {
            "contractor": plan.doer.contractor,
            "team": plan.doer.team,
            "skill": plan.doer.skill,
        },
        "advance": None
        if advance is None
        else {
            "days": advance.days,
            "text": words(advance.text),
            "source": words(advance.source),
        },
        "source": words(plan.source),
    }


def _content(said: Mapping[str, Any]) -> Content:
    advance = said["advance"]
    return Content(
        category_name=Text(**said["category_name"]),
        steps=tuple(
            Step(
                name=Text(**one["name"]),
                source=_source(one["source"]),
                # What was planned before steps could be required has none.
                required=one.get("required", False),
            )
            for one in said["steps"]
        ),
        materials=tuple(
            Material(name=Text(**one["name"]), quantity=one["quantity"], unit=one["unit"])
            for one in said["materials"]
        ),
        duration=said["duration"],
        doer=Doer(**said["doer"]),
        advance=None
        if advance is None
        else Advance(
            days=advance["days"],
            text=Text(**advance["text"]),
            source=_source(advance["source"]),
        ),
        source=_source(said["source"]),
    )


def _source(said: str | Mapping[str, str]) -> Text:
    """What was planned before sources had two languages has a single line."""
    return Text(zh=said, en=said) if isinstance(said, str) else Text(**said)
