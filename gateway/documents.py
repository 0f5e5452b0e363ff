"""Reading the files that a site may change: YAML with line numbers, every error at once.

A document is parsed by ruamel (round trip, which remembers lines and refuses duplicate keys),
checked by a pydantic model with ``extra="forbid"``, and every complaint becomes a
:class:`Problem` with file, line, name, what is wrong and what would be right.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

Where = tuple[str | int, ...]


class Document(BaseModel):
    """Base of every record in a file: unknown keys fail."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One mistake in a file."""

    file: str
    line: int
    name: str
    """The offending thing by its path in the document, e.g. ``equipment.pump-1.link``."""
    wrong: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.name}: {self.wrong}; {self.mend}"


class ConfigurationError(Exception):
    """Every problem found, in the order of the files and lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.file, p.line, p.name))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, kw_only=True)
class Parsed(Generic[M]):
    """A checked document together with the lines it came from."""

    content: M
    file: str
    text: str
    tree: Any = field(repr=False)
    lost: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Key of a list → ids of its items that :func:`salvage` left out."""

    def problem(self, where: Sequence[str | int], wrong: str, mend: str) -> Problem:
        """A problem at ``where`` (keys and list positions from the top of the document)."""
        place = tuple(where)
        return Problem(
            file=self.file,
            line=line_of(self.tree, place),
            name=name_of(self.tree, place),
            wrong=wrong,
            mend=mend,
        )


def read(path: Path, model: type[M]) -> Parsed[M]:
    """The document at ``path`` as ``model``; raises :class:`ConfigurationError`."""
    parsed, problems = salvage(path, model)
    if problems or parsed is None:
        raise ConfigurationError(problems)
    return parsed


def salvage(path: Path, model: type[M]) -> tuple[Parsed[M] | None, list[Problem]]:
    """The document at ``path`` and what is wrong with it.

    Unknown keys and list items that are wrong are left out, so that the rest can be checked in
    the same pass; None where that is not enough to make a ``model`` of it.
    """
    file = str(path)
    try:
        text = path.read_text(encoding="utf-8")
        tree = _parse(file, text)
    except FileNotFoundError:
        return None, [_whole(file, "there is no such file", "check the path")]
    except (OSError, UnicodeDecodeError) as error:
        return None, [_whole(file, f"cannot be read: {error}", "make it a readable UTF-8 file")]
    except ConfigurationError as error:
        return None, error.problems
    try:
        return Parsed(content=model.model_validate(tree), file=file, text=text, tree=tree), []
    except ValidationError as error:
        problems = _problems(file, tree, error)
        rest, lost = _without(tree, [(item["type"], item["loc"]) for item in error.errors()])
    try:
        content = model.model_validate(rest)
    except ValidationError:
        return None, problems
    return Parsed(content=content, file=file, text=text, tree=rest, lost=lost), problems


def _without(
    tree: Any, errors: Sequence[tuple[str, Where]]
) -> tuple[Any, Mapping[str, frozenset[str]]]:
    """``tree`` without its unknown keys and wrong list items, and the ids of those items."""
    rest = copy.deepcopy(tree)
    lost: defaultdict[str, set[str]] = defaultdict(set)
    wrong: defaultdict[Where, set[int]] = defaultdict(set)
    for kind, where in errors:
        node = rest
        steps: list[str | int] = []
        for step in where:
            if isinstance(node, list) and isinstance(step, int):
                wrong[tuple(steps)].add(step)
                break
            if not _has(node, step):
                break
            if kind == "extra_forbidden" and len(steps) == len(where) - 1:
                del node[step]
                break
            node = node[step]
            steps.append(step)
    for where, indexes in wrong.items():
        node = rest
        for step in where:
            node = node[step]
        lines = dict(node.lc.data)
        kept = [at for at in range(len(node)) if at not in indexes]
        for at in sorted(indexes, reverse=True):
            lost[str(where[-1])].add(str(node[at].get("id")) if isinstance(node[at], dict) else "")
            del node[at]
        node.lc.data = {new: lines[old] for new, old in enumerate(kept)}
    return rest, {key: frozenset(ids) for key, ids in lost.items()}


def line_of(tree: Any, where: Where) -> int:
    """The 1-based line of the deepest part of ``where`` that the document has."""
    line, node = 1, tree
    for step in where:
        marks = getattr(node, "lc", None)
        try:
            if isinstance(node, dict) and step in node:
                line = marks.key(step)[0] + 1  # type: ignore[union-attr]
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                line = marks.item(step)[0] + 1  # type: ignore[union-attr]
            else:
                break
        except (AttributeError, KeyError, TypeError):
            break
        node = node[step]
    return line


def name_of(tree: Any, where: Where) -> str:
    """``where`` as a dotted name, list items called by their ``id`` or ``key`` if they have one."""
    parts: list[str] = []
    node = tree
    for step in where:
        node = node[step] if _has(node, step) else None
        label = node.get("id", node.get("key")) if isinstance(node, dict) else None
        parts.append(str(label) if isinstance(step, int) and label else str(step))
    return ".".join(parts) or "document"


def _has(node: Any, step: str | int) -> bool:
    if isinstance(node, dict):
        return step in node
    return isinstance(node, list) and isinstance(step, int) and step < len(node)


def _whole(file: str, wrong: str, mend: str) -> Problem:
    return Problem(file=file, line=1, name="document", wrong=wrong, mend=mend)


def _parse(file: str, text: str) -> Any:
    yaml = YAML(typ="rt")
    try:
        tree = yaml.load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigurationError(
            [
                Problem(
                    file=file,
                    line=line,
                    name="document",
                    wrong=str(error.problem).splitlines()[0],
                    mend="keep one of the two",
                )
            ]
        ) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigurationError(
            [
                Problem(
                    file=file,
                    line=mark.line + 1 if mark else 1,
                    name="document",
                    wrong=f"is no valid YAML: {error.problem or error.context}",
                    mend="mend the indentation or the quoting here",
                )
            ]
        ) from None
    except (YAMLError, ValueError) as error:
        raise ConfigurationError(
            [_whole(file, f"is no valid YAML: {error}", "remove what is not text")]
        ) from None
    if not isinstance(tree, dict):
        raise ConfigurationError(
            [_whole(file, "is empty or no mapping", "start with the keys of this kind of file")]
        )
    return tree


def _problems(file: str, tree: Any, error: ValidationError) -> list[Problem]:
    found = []
    for item in error.errors():
        where = tuple(step for step in item["loc"] if _keeps(tree, step))
        found.append(
            Problem(
                file=file,
                line=line_of(tree, where),
                name=name_of(tree, where),
                wrong=_wrong(item),
                mend=_mend(item),
            )
        )
    return found


def _keeps(tree: Any, step: str | int) -> bool:
    # pydantic puts names of union branches into the path, such as "function-after[...]".
    return isinstance(step, int) or not ("[" in step or step.endswith("()"))


def _wrong(item: Any) -> str:
    if item["type"] == "missing":
        return "is missing"
    if item["type"] == "extra_forbidden":
        return "is not a known key"
    given = item.get("input")
    message = str(item["msg"]).removeprefix("Value error, ")
    shown = f" (found {given!r})" if isinstance(given, str | int | float | bool) else ""
    return message[:1].lower() + message[1:] + shown


def _mend(item: Any) -> str:
    expected = item.get("ctx", {}).get("expected")
    match item["type"]:
        case "missing":
            return "add it"
        case "extra_forbidden":
            return "remove it or mend its spelling"
        case _ if expected:
            return f"use {expected}"
        case _:
            return "give a value of the kind that is asked for"
