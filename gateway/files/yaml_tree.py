"""YAML as mappings and lists that know their lines. Pure.

libyaml splits the text into events, sixty times as fast as a parser in Python does: a duty room
reads some 70 files before it stands. What an unquoted word means follows YAML 1.2 (``on`` and
``12:30`` are words, ``0x10`` and ``2026-11-22`` are not). Duplicate keys are refused; ``<<``
merges.

Source: https://yaml.org/spec/1.2.2/#103-core-schema; dates as YAML 1.1 has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import yaml  # type: ignore[import-untyped]
from yaml import events

_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_MERGE = "<<"
_TAG = "tag:yaml.org,2002:"

_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"[-+]?[0-9][0-9_]*"), int),
    (re.compile(r"[-+]?0x[0-9a-fA-F_]+"), lambda word: int(word, 16)),
    (re.compile(r"[-+]?0o[0-7_]+"), lambda word: int(word, 8)),
    (re.compile(r"[-+]?0b[01_]+"), lambda word: int(word, 2)),
    (
        re.compile(r"[-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?"),
        lambda word: float(word.replace("_", "")),
    ),
    (re.compile(r"[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)"), lambda word: float(word.replace(".", ""))),
    (re.compile(r"\.(nan|NaN|NAN)"), lambda word: float("nan")),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), date.fromisoformat),
)
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class YamlError(Exception):
    """The text is no YAML, or more than this reads; ``line`` counts from 1."""

    def __init__(self, wrong: str, line: int) -> None:
        super().__init__(wrong)
        self.wrong = wrong
        self.line = line


class DuplicateKeyError(YamlError):
    """A mapping has a key twice."""


class TooDeepError(YamlError):
    """Nested deeper than may be."""


class Table(dict[Any, Any]):
    """A mapping; ``lines``: key → line, from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[Any, int] = {}


class Items(list[Any]):
    """A list; ``lines``: the line of each item, from 1."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


def load(text: str, deepest: int) -> Any:
    """The one document in ``text``; None if it is empty. Raises :class:`YamlError`."""
    try:
        return _Builder(yaml.parse(text, Loader=_LOADER), deepest).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or "cannot be read"
        raise YamlError(str(said), mark.line + 1 if mark else 1) from None
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        raise YamlError(str(error).splitlines()[0], 1) from None


@dataclass
class _Builder:
    """Takes events until the document is built."""

    stream: Iterator[Any]
    deepest: int

    def __post_init__(self) -> None:
        self._anchors: dict[str, Any] = {}
        self._depth = 0

    def document(self) -> Any:
        tree = None
        documents = 0
        for event in self.stream:
            if isinstance(event, events.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise YamlError("a second document begins", _line(event))
                tree = self._node(next(self.stream))
        return tree

    def _node(self, event: Any) -> Any:
        if isinstance(event, events.AliasEvent):
            if event.anchor not in self._anchors:
                raise YamlError(f"nothing is called &{event.anchor}", _line(event))
            return self._anchors[event.anchor]
        if isinstance(event, events.ScalarEvent):
            return self._named(event, _scalar(event))
        self._depth += 1
        if self._depth > self.deepest:
            raise TooDeepError(f"is nested more than {self.deepest} levels deep", _line(event))
        built: Items | Table
        if isinstance(event, events.SequenceStartEvent):
            built = self._items(self._named(event, Items()))
        else:
            built = self._table(self._named(event, Table()))
        self._depth -= 1
        return built

    def _named(self, event: Any, node: Any) -> Any:
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _items(self, items: Items) -> Items:
        for event in self.stream:
            if isinstance(event, events.SequenceEndEvent):
                break
            items.lines.append(_line(event))
            items.append(self._node(event))
        return items

    def _table(self, table: Table) -> Table:
        merged: list[tuple[Any, int]] = []
        for event in self.stream:
            if isinstance(event, events.MappingEndEvent):
                break
            line = _line(event)
            key = self._node(event)
            value = self._node(next(self.stream))
            if key == _MERGE and not getattr(event, "style", None):
                merged.append((value, line))
                continue
            if not isinstance(key, Hashable):
                raise YamlError("a key is a list or a mapping", line)
            if key in table:
                raise DuplicateKeyError(f'found duplicate key "{key}"', line)
            table[key] = value
            table.lines[key] = line
        for source, line in merged:
            _merge(table, source, line)
        return table


def _merge(table: Table, source: Any, line: int) -> None:
    """What ``source``, a mapping or a list of them, says of keys that ``table`` has not."""
    for one in source if isinstance(source, Items) else [source]:
        if not isinstance(one, Table):
            raise YamlError("<< takes a mapping", line)
        for key, value in one.items():
            if key not in table:
                table[key] = value
                table.lines[key] = one.lines[key]


def _scalar(event: Any) -> Any:
    """What a word means: quoted or tagged ``!!str``, itself."""
    word = event.value
    kind = (event.tag or "").removeprefix(_TAG)
    if kind == "str" or (event.style and not kind) or kind == "!":
        return word
    if kind not in ("", "int", "float", "bool", "null"):
        raise YamlError(f"the tag {event.tag} is not known", _line(event))
    if word in _WORDS:
        return _WORDS[word]
    if word[0] in "-+.0123456789":
        for pattern, value_of in _NUMBERS:
            if pattern.fullmatch(word):
                try:
                    return value_of(word)
                except ValueError as error:
                    raise YamlError(str(error), _line(event)) from None
    return word


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
