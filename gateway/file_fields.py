"""Fields that site file, profiles and rulebook share."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated

from pydantic import Field

from gateway.documents import Document
from gateway.model.point import Text

Slug = Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
"""The id of a thing: lower-case letters, digits and hyphens."""

PointKey = Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""The key of a point within its equipment, and the name of a profile's parameter."""

ClassName = Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""A class of equipment: what its rules, forms and pages are about."""

Line = Annotated[str, Field(strict=True, min_length=1, max_length=500)]
"""A text that must not be empty."""

Whole = Annotated[int, Field(strict=True)]
"""A whole number; ``true`` and ``"1"`` are none."""


class Words(Document):
    """A text in both languages of the product."""

    zh: Line
    en: Line

    def text(self) -> Text:
        return Text(zh=self.zh, en=self.en)


def instead(given: str, known: Iterable[str]) -> str:
    """The mend for a name that is not known: the nearest one that is, or all there are."""
    names = sorted(known)
    near = get_close_matches(given, names, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    if not names:
        return "there is none yet: add it"
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"use one of {shown}"
