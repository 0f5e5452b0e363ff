"""Fields that site file, profiles and rulebook share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from gateway.files.documents import Document
from gateway.model.point import Text

Slug = Annotated[str, Field(strict=True, pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
"""The id of a thing: lower-case letters, digits and hyphens."""

PointKey = Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""The key of a point within its equipment, and the name of a profile's parameter."""

ClassName = Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""A class of equipment: what its rules, forms and pages are about."""

RoleName = Annotated[str, Field(strict=True, pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""What people are, such as engineering_manager; which roles there are is not known here."""

_UNSEEN = re.compile("[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""Line ends and other controls, and what turns the direction of the text behind it around."""


def _one_line(given: str) -> str:
    if _UNSEEN.search(given):
        expected = {"expected": "one line of visible characters"}
        raise PydanticCustomError("one_line", "holds a character that nobody sees", expected)
    return given


Line = Annotated[str, Field(strict=True, min_length=1, max_length=500), AfterValidator(_one_line)]
"""A text that must not be empty, in one line."""

Whole = Annotated[int, Field(strict=True)]
"""A whole number; ``true`` and ``"1"`` are none."""


class Words(Document):
    """A text in both languages of the product."""

    zh: Line
    en: Line

    def text(self) -> Text:
        return Text(zh=self.zh, en=self.en)


def _in_both(value: object) -> object:
    return {"zh": value, "en": value} if isinstance(value, str) else value


Source = Annotated[Words, BeforeValidator(_in_both)]
"""Where something comes from; said once where it is the same in both languages."""


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
