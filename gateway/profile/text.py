"""A profile as the text of its file, written as the shipped ones are."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarint import HexCapsInt

_ON_ONE_LINE = ("name", "model", "modbus", "mqtt", "derived", "write", "limits", "every")


def profile_text(
    document: Mapping[str, Any], *, comment: str = "", hexadecimal: Collection[int] = ()
) -> str:
    """``document`` as YAML with ``comment`` (lines without ``#``) before it.

    ``hexadecimal``: points, by their place in the list, whose registers are written so.
    """
    yaml = YAML()
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.allow_unicode = True
    head = {key: _laid(key, value) for key, value in document.items() if key != "points"}
    points = [
        _point(point, is_hex=at in hexadecimal) for at, point in enumerate(document["points"])
    ]
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    text = io.StringIO()
    yaml.dump(CommentedMap(head), text)
    text.write("\n")
    yaml.dump(CommentedMap({"points": points}), text)
    return "\n".join([*lines, text.getvalue()])


def _point(point: Mapping[str, Any], *, is_hex: bool) -> CommentedMap:
    made = CommentedMap({key: _laid(key, value) for key, value in point.items()})
    if is_hex and "modbus" in made:
        register = made["modbus"]["register"]
        made["modbus"]["register"] = HexCapsInt(register, width=4 if register > 0xFF else 2)
    return made


def _laid(key: str, value: Any) -> Any:
    """Short mappings on one line, as people write them."""
    if isinstance(value, Mapping):
        made = CommentedMap({inner: _laid(str(inner), one) for inner, one in value.items()})
        if key in _ON_ONE_LINE or not any(isinstance(one, Mapping) for one in value.values()):
            made.fa.set_flow_style()
        return made
    if isinstance(value, list | tuple):
        made_list = CommentedSeq(value)
        made_list.fa.set_flow_style()
        return made_list
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value
