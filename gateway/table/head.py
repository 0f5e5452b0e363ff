"""What a point table says of the profile as a whole: rows before the headings, or options."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gateway.model.profile import Function
from gateway.table.cells import CellError, function, whole

HEAD: Mapping[str, str] = {
    "profile": "--profile",
    "class": "--class",
    "generic": "#generic",
    "vendor": "--vendor",
    "model_zh": "--model",
    "model_en": "--model-en",
    "verified": "--verified",
    "source": "--source",
    "first_register": "--first-register",
    "function": "--function",
    "limits": "#limits",
}
"""Key of a row ``#key, value`` → where it is said, as a mistake in it names it. Besides them
``#parameter NAME``."""

_PARAMETER = "parameter "
T = TypeVar("T")
Wrong = tuple[str, str, str]
"""Key, what is wrong, the mend."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    said: Mapping[str, str]
    first_register: int | None = None
    """None: to be found out from the addresses."""
    function: Function | None = None
    """Of points that do not say it."""
    limits: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def document(self, points: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """A profile file with ``points``, its keys in the order of the shipped ones."""
        said = self.said
        made: dict[str, Any] = {"profile": said["profile"], "class": said["class"]}
        if said.get("generic"):
            made["generic"] = re.split(r"[\s,;]+", said["generic"].strip())
        if said.get("vendor"):
            made["vendor"] = said["vendor"]
        model = said.get("model_zh") or said.get("model_en") or ""
        made["model"] = {"zh": model, "en": said.get("model_en") or model}
        made["protocol"] = "modbus"
        made["verified"] = said.get("verified") or "unverified"
        made["source"] = said["source"]
        made["first_register"] = self.first_register or 0
        if self.limits:
            made["limits"] = dict(self.limits)
        groups = sorted({point["group"] for point in points if "group" in point})
        if groups:
            made["groups"] = {name: {"every": int(name.rpartition("-")[2])} for name in groups}
        if self.parameters:
            made["parameters"] = {name: dict(one) for name, one in self.parameters.items()}
        made["points"] = list(points)
        return made


def head_of(said: Mapping[str, str]) -> tuple[Head, list[Wrong]]:
    """What ``said`` (key → text) says, and what is wrong with it."""
    wrong: list[Wrong] = [*_unknown(said), *_missing(said)]

    def read(key: str, how: Callable[[str], T]) -> T | None:
        text = said.get(key)
        if not text:
            return None
        try:
            return how(text)
        except CellError as error:
            wrong.append((key, error.wrong, error.mend))
            return None

    parameters = {
        key.removeprefix(_PARAMETER).strip(): read(key, _settings)
        for key in said
        if key.startswith(_PARAMETER)
    }
    head = Head(
        said=said,
        first_register=read("first_register", whole),
        function=read("function", function),
        limits=read("limits", _settings) or {},
        parameters={name: _parameter(one) for name, one in parameters.items() if one is not None},
    )
    return head, wrong


def _unknown(said: Mapping[str, str]) -> Iterator[Wrong]:
    for key in said:
        if key not in HEAD and not key.startswith(_PARAMETER):
            known = ", ".join(f"#{one}" for one in HEAD)
            yield key, "is nothing that a profile says", f"use one of {known}, #parameter NAME"


def _missing(said: Mapping[str, str]) -> Iterator[Wrong]:
    examples = {"profile": "acme-em3", "class": "meter", "source": '"ACME EM3 manual, 2024"'}
    for key, example in examples.items():
        if not said.get(key):
            yield key, "is not said", f"give {HEAD[key]} {example}"
    if not (said.get("model_zh") or said.get("model_en")):
        yield "model_zh", "is not said", 'give --model "EM3 三相电表"'


def _settings(text: str) -> Mapping[str, Any]:
    """``low=1 high=6 stride=10`` as keys and whole numbers; ``order`` is a word."""
    found: dict[str, Any] = {}
    for part in text.split():
        key, _, value = part.partition("=")
        if not key or not value:
            raise CellError(f"{part!r} is no setting", "write them as low=1 high=6 stride=10")
        found[key] = value if key == "order" else whole(value)
    return found


def _parameter(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """``bits`` and ``order`` of values that share a register are a mapping of their own."""
    pack = {key: value for key, value in said.items() if key in ("bits", "order")}
    rest = {key: value for key, value in said.items() if key not in pack}
    return {**rest, "pack": pack} if pack else rest
