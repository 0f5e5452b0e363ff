"""How a rule names points: ``key`` is one of the equipment itself, ``twin.key`` one of the
equipment that the site file names as its twin. Pure.

A rule that names its twin is judged only on equipment that has one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from gateway.model.equipment import Equipment
from gateway.model.point import Point

OF_TWIN = "twin."

PointName = Annotated[str, Field(strict=True, pattern=r"^(twin\.)?[a-z][a-z0-9_]*$", max_length=69)]
"""In a file: the key of a point of the equipment, or of its twin."""


def is_of_twin(name: str) -> bool:
    return name.startswith(OF_TWIN)


def key_of(name: str) -> str:
    """The key within the class, of whichever of the two."""
    return name.removeprefix(OF_TWIN)


def point_id(thing: Equipment, name: str) -> str:
    """Of a point that a rule on ``thing`` names."""
    if not is_of_twin(name):
        return f"{thing.id}.{name}"
    if thing.twin is None:
        raise LookupError(f"{thing.id} has no twin")
    return f"{thing.twin.id}.{key_of(name)}"


def points_by_name(thing: Equipment) -> Mapping[str, Point]:
    """All that a rule on ``thing`` may name."""
    points = {point.key: point for point in thing.points}
    if thing.twin is not None:
        points |= {f"{OF_TWIN}{point.key}": point for point in thing.twin.points}
    return points
