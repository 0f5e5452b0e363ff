"""The audit: reading it, and whether it is whole. Nothing here changes it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import Cursor, DeskNeeded, VisitorNeeded, get_visitor
from api.models import Words
from api.models import people as documents
from api.problems import described
from api.views import paging
from api.views import people as views
from rules.ledger import audit
from rules.ledger.view import View
from rules.people import people
from rules.people.roles import Permission, require

router = APIRouter(tags=["audit"], dependencies=[Depends(get_visitor)])

_Filter = Annotated[Words | None, Query(min_length=1, max_length=250)]


@router.get("/audit", responses=described(400, 401, 403, 422, 503))
async def audit_list(
    *,
    desk: DeskNeeded,
    visitor: VisitorNeeded,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Cursor = None,
    subject: _Filter = None,
    by: _Filter = None,
) -> documents.AuditPage:
    """Who did what, newest first; of one `subject` or one person if named."""
    require(visitor.actor, Permission.VIEW_AUDIT)
    place = paging.place(cursor, int)
    before = int(place[0]) if place else None

    def look(view: View) -> tuple[list[audit.AuditRow], dict[str, str]]:
        rows = audit.newest(view, limit=limit + 1, before=before, subject=subject, by=by)
        return rows, people.names(view, {row.by for row in rows})

    found, names = await desk.read(look)
    page, more = found[:limit], len(found) > limit
    return documents.AuditPage(
        items=[views.audit_row(row, names, desk.site.zone) for row in page],
        next=paging.cursor(page[-1].number) if more else None,
    )


@router.get("/audit/verify", responses=described(401, 403, 503))
async def verify_audit(desk: DeskNeeded, visitor: VisitorNeeded) -> documents.AuditVerdict:
    """Go through every row: is each as it was written, and is none missing?"""
    require(visitor.actor, Permission.VIEW_AUDIT)
    return views.verdict(await desk.read(audit.verify))
