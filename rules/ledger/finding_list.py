"""The findings of all rounds, newest first."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, or_, select

from gateway.model.point import Text
from rules.inspections.regime import Severity
from rules.ledger.round_rows import RoundFinding, finding_of
from rules.ledger.tables.orders import work_order
from rules.ledger.tables.rounds import round_, round_finding, round_item
from rules.ledger.view import View
from rules.orders.lifecycle import NOT_CLOSED

_OPEN = [state.value for state in NOT_CLOSED]


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedFinding:
    finding: RoundFinding
    round: str
    round_name: Text
    area: str | None
    equipment: str | None
    subject_name: Text
    order_state: str | None
    """None: a line in the record, without an order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which; None: all."""

    is_open: bool | None = None
    """Whether its order is not closed; one without an order is not open."""
    severity: Severity | None = None
    area: str | None = None


def findings(
    view: View, wanted: Wanted, *, limit: int, before: tuple[int, str] | None = None
) -> list[ListedFinding]:
    """``before``: (at, id) of the last one seen."""
    line = and_(
        round_item.c.site_id == round_finding.c.site_id,
        round_item.c.round_id == round_finding.c.round_id,
        round_item.c.key == round_finding.c.item,
    )
    whole = and_(
        round_.c.site_id == round_finding.c.site_id, round_.c.id == round_finding.c.round_id
    )
    order = and_(
        work_order.c.site_id == round_finding.c.site_id,
        work_order.c.id == round_finding.c.order_id,
    )
    query = (
        select(
            round_finding,
            work_order.c.number.label("order_number"),
            work_order.c.state.label("order_state"),
            round_.c.name.label("round_name"),
            round_item.c.area,
            round_item.c.equipment,
            round_item.c.subject_name,
        )
        .join_from(round_finding, round_item, line)
        .join(round_, whole)
        .join(work_order, order, isouter=True)
        .where(round_finding.c.site_id == view.site)
        .order_by(round_finding.c.at.desc(), round_finding.c.id.desc())
        .limit(limit)
    )
    if wanted.is_open is not None:
        still = work_order.c.state.in_(_OPEN)
        over = or_(work_order.c.state.is_(None), work_order.c.state.not_in(_OPEN))
        query = query.where(still if wanted.is_open else over)
    if wanted.severity is not None:
        query = query.where(round_finding.c.severity == wanted.severity.value)
    if wanted.area is not None:
        query = query.where(round_item.c.area == wanted.area)
    if before is not None:
        at, last = before
        same = and_(round_finding.c.at == at, round_finding.c.id < last)
        query = query.where(or_(round_finding.c.at < at, same))
    return [
        ListedFinding(
            finding=finding_of(row),
            round=row["round_id"],
            round_name=Text(**row["round_name"]),
            area=row["area"],
            equipment=row["equipment"],
            subject_name=Text(**row["subject_name"]),
            order_state=row["order_state"],
        )
        for row in view.connection.execute(query).mappings()
    ]
