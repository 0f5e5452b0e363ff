"""What of the site somebody is shown: everything, or what a screen on a wall shows.

People see the whole site, wherever they may act. A screen hangs where anybody passes: it shows
its areas, and nothing that is private of who asked for something.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from api import models
from gateway.model.equipment import Site


class _InArea(Protocol):
    @property
    def area(self) -> str | None: ...


T = TypeVar("T", bound=_InArea)
V = TypeVar("V")


@dataclass(frozen=True, kw_only=True, slots=True)
class Seeing:
    areas: frozenset[str] = frozenset()
    """Empty: the whole site. What is the whole site's is then in no area."""
    private: bool = True

    @property
    def places(self) -> Seeing:
        """The same of what is never private: a screen of the whole site sees that as people do."""
        return Seeing(areas=self.areas)

    def area(self, area: str | None) -> bool:
        return not self.areas or area in self.areas

    def of(self, things: Iterable[T]) -> list[T]:
        """Those in sight."""
        return [thing for thing in things if self.area(thing.area)]

    def points(self, site: Site, by_point: Mapping[str, V]) -> dict[str, V]:
        """``by_point`` without the points of equipment that is out of sight."""
        if not self.areas:
            return dict(by_point)
        return {
            point.id: by_point[point.id]
            for thing in site.equipment.values()
            if self.area(thing.area)
            for point in thing.points
            if point.id in by_point
        }

    def order(self, document: models.WorkOrder) -> models.WorkOrder:
        """``document`` without what is nobody's business where anybody passes."""
        if self.private:
            return document
        return document.model_copy(update={"requester": None, "description": None, "note": None})


EVERYTHING = Seeing()
