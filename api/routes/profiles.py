"""The device types that the site may use."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from api.deps import DeskNeeded, Id, get_visitor
from api.models import devices as documents
from api.problems import ProblemException, described
from api.views import devices as views

router = APIRouter(tags=["profiles"], dependencies=[Depends(get_visitor)])


@router.get("/profiles", responses=described(401, 503))
async def profiles(desk: DeskNeeded) -> documents.Profiles:
    """All of them, by class: the shipped ones and the site's own."""
    return documents.Profiles(items=views.profile_summaries(desk.site, await desk.profiles()))


@router.get("/profiles/{profile_id}", responses=described(401, 404, 422, 503))
async def profile(desk: DeskNeeded, profile_id: Id) -> documents.Profile:
    """One with its points and where they lie."""
    found = (await desk.profiles()).get(profile_id)
    if found is None:
        raise ProblemException(404, f"There is no profile {profile_id}.")
    return views.profile(desk.site, found)
