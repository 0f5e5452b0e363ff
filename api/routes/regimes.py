"""Inspection regimes: what is looked at, how often, by whom; and each version that there was."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api.deps import DeskNeeded, Id, get_visitor
from api.desk import Desk
from api.models import regimes as models
from api.problems import ProblemException, described
from api.views.regimes import RegimeViews, regime_views
from rules.ledger import regime_versions

router = APIRouter(tags=["rounds"], dependencies=[Depends(get_visitor)])


@router.get("/regimes", responses=described(401, 503))
async def regimes(desk: DeskNeeded) -> models.Regimes:
    """Every regime, with where it is in force and when its next round is due."""
    return (await _views(desk)).all()


@router.get("/regimes/{regime_id}", responses=described(401, 404, 422, 503))
async def regime(desk: DeskNeeded, regime_id: Id) -> models.RegimeDetails:
    """One with its items and their sources, and every version that rounds were planned by."""
    found = desk.rulebook.regimes.get(regime_id)
    if found is None:
        raise ProblemException(404, f"There is no regime {regime_id}.")
    return (await _views(desk)).one(found)


@router.get("/regimes/{regime_id}/versions/{version}", responses=described(401, 404, 422, 503))
async def regime_version(desk: DeskNeeded, regime_id: Id, version: Id) -> models.RegimeFile:
    """The file as it was, also of a regime that is gone: what a round was planned by."""
    found = await desk.read(lambda view: regime_versions.document(view, regime_id, version))
    if found is None:
        raise ProblemException(404, f"There is no version {version} of {regime_id}.")
    return (await _views(desk)).file(*found)


async def _views(desk: Desk) -> RegimeViews:
    now = desk.clock.now().wall
    return await desk.read(lambda view: regime_views(view, desk.site, desk.rulebook, now))
