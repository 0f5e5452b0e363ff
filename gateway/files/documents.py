"""Reading the files that a site may change: YAML with line numbers, every error at once.

A document is parsed by :mod:`gateway.files.yaml_tree`, which remembers lines and refuses duplicate
keys, checked by a pydantic model with ``extra="forbid"``, and every complaint becomes a
:class:`Problem` with file, line, name, what is wrong and what would be right.

So that one mistake hides no other, :func:`salvage` makes a document of what is right in a wrong
one. To read a field of it that is wrong raises :class:`UnreadableError`: no check can build on
such a field by accident, and :func:`findings` ends a check where it would.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from gateway.files import yaml_tree
from gateway.files.yaml_tree import DuplicateKeyError, TooDeepError, YamlError

Where = tuple[str | int, ...]
Finding = tuple[Where, str, str]
"""Place in a document, what is wrong there, what would be right."""

LARGEST = 4_000_000
"""Characters of a file; some 50 ms of reading for each 100 000."""
_DEEPEST = 50
"""Levels of nesting; the deepest document that is known has 6."""

_SALVAGE = object()
"""Validation context: make what can be made."""
_UNREADABLE = object()
"""Stands for a wrong or missing value until its document is made."""


class UnreadableError(Exception):
    """The field is wrong in the file, and a problem has been noted for it."""


class Document(BaseModel):
    """Base of every record in a file: unknown keys fail.

    A model says what a field may hold; how fields go together is checked afterwards, on what
    :func:`salvage` gives.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    if not TYPE_CHECKING:  # or every misspelt attribute would pass the type checker

        def __getattr__(self, name: str) -> Any:
            if name in type(self).model_fields:
                raise UnreadableError(name)
            return super().__getattr__(name)

    @field_validator("*", mode="wrap")
    @classmethod
    def _or_unreadable(
        cls, given: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        if info.context is not _SALVAGE:
            return handler(given)
        try:
            return handler(given)
        except ValidationError:
            return _UNREADABLE

    @model_validator(mode="wrap")
    @classmethod
    def _as_far_as_readable(
        cls, given: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        if info.context is not _SALVAGE:
            return handler(given)
        said = given if isinstance(given, dict) else {}
        keys = {key.alias or name: key.is_required() for name, key in cls.model_fields.items()}
        known = {key: said.get(key, _UNREADABLE) for key in keys if keys[key] or key in said}
        document = handler(known)
        for name in [name for name, value in vars(document).items() if value is _UNREADABLE]:
            del vars(document)[name]
        return document


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

    def problem(self, where: Sequence[str | int], wrong: str, mend: str) -> Problem:
        """A problem at ``where`` (keys and list positions from the top of the document)."""
        return _problem(self.file, self.tree, tuple(where), wrong, mend)


def findings(*checks: Iterable[Finding]) -> Iterator[Finding]:
    """What each check finds until it comes to a field that is wrong in the file."""
    for check in checks:
        with suppress(UnreadableError):
            yield from check


def problem_in(file: str, where: Where, wrong: str, mend: str) -> Problem:
    """A problem at ``where`` of a document read before: the file is read again for its lines."""
    try:
        tree = _parse(file, _text(Path(file)))
    except (OSError, UnicodeDecodeError, ConfigurationError):
        tree = {}
    return _problem(file, tree, where, wrong, mend)


def _problem(file: str, tree: Any, where: Where, wrong: str, mend: str) -> Problem:
    where = _as_written(tree, where)
    return Problem(
        file=file, line=line_of(tree, where), name=name_of(tree, where), wrong=wrong, mend=mend
    )


def _as_written(tree: Any, where: Where) -> Where:
    """``where`` without the place in a list where one item is written without the list."""
    steps: list[str | int] = []
    node = tree
    for step in where:
        if isinstance(step, int) and isinstance(node, dict):
            continue
        steps.append(step)
        node = node[step] if _has(node, step) else None
    return tuple(steps)


def salvage(path: Path, model: type[M]) -> tuple[Parsed[M] | None, list[Problem]]:
    """The document at ``path`` and what is wrong with it; None if it is no document at all.

    With problems, the document is to be checked further but not to be used: a field that is
    wrong or missing raises :class:`UnreadableError`.
    """
    text, problems = read(path)
    return (None, problems) if text is None else salvage_text(str(path), text, model)


def read(path: Path) -> tuple[str | None, list[Problem]]:
    """The text of the file at ``path``; None with why it cannot be read."""
    file = str(path)
    try:
        return _text(path), []
    except FileNotFoundError:
        return None, [_whole(file, "there is no such file", "check the path")]
    except (OSError, UnicodeDecodeError) as error:
        return None, [_whole(file, f"cannot be read: {error}", "make it a readable UTF-8 file")]


def salvage_text(file: str, text: str, model: type[M]) -> tuple[Parsed[M] | None, list[Problem]]:
    """As :func:`salvage`, of the ``text`` that ``file`` has."""
    try:
        tree = _parse(file, text)
    except ConfigurationError as error:
        return None, list(error.problems)
    problems: list[Problem] = []
    try:
        content = model.model_validate(tree)
    except ValidationError as error:
        problems = _problems(file, tree, error)
        content = model.model_validate(tree, context=_SALVAGE)
    return Parsed(content=content, file=file, text=text, tree=tree), problems


def _text(path: Path) -> str:
    """The file as far as it may be read: one character more than :data:`LARGEST` is too large."""
    with path.open(encoding="utf-8") as file:
        return file.read(LARGEST + 1)


def line_of(tree: Any, where: Where) -> int:
    """The 1-based line of the deepest part of ``where`` that the document has."""
    line, node = 1, tree
    for step in where:
        if not _has(node, step):
            break
        lines = getattr(node, "lines", None)
        if lines is not None:
            line = lines[step]
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


def _whole(file: str, wrong: str, mend: str, line: int = 1) -> Problem:
    return Problem(file=file, line=line, name="document", wrong=wrong, mend=mend)


def _parse(file: str, text: str) -> Any:
    """The tree of ``text``, a mapping; raises :class:`ConfigurationError`."""
    if len(text) > LARGEST:
        wrong = f"has more than {LARGEST} characters"
        raise ConfigurationError([_whole(file, wrong, "check that it is the right file")])
    try:
        tree = yaml_tree.load(text, _DEEPEST)
    except YamlError as error:
        raise ConfigurationError([_no_document(file, error)]) from None
    if not isinstance(tree, dict):
        raise ConfigurationError(
            [_whole(file, "is empty or no mapping", "start with the keys of this kind of file")]
        )
    return tree


def _no_document(file: str, error: YamlError) -> Problem:
    match error:
        case DuplicateKeyError():
            wrong, mend = error.wrong, "keep one of the two"
        case TooDeepError():
            wrong = error.wrong
            mend = "close the brackets, or check that it is the right file"
        case _:
            wrong = f"is no valid YAML: {error.wrong}"
            mend = "mend the indentation or the quoting here, and remove what is not text"
    return _whole(file, wrong, mend, error.line)


def _problems(file: str, tree: Any, error: ValidationError) -> list[Problem]:
    items = error.errors()
    return [
        _problem(
            file,
            tree,
            tuple(step for step in item["loc"] if _keeps(tree, step)),
            _wrong(item),
            _mend(item),
        )
        for item in items
        if not _only_follows(item, items)
    ]


def _only_follows(item: Any, items: Sequence[Any]) -> bool:
    """Whether a list is called too short only because pydantic left out the items it told of."""
    place = item["loc"]
    return item["type"] == "too_short" and any(
        other["loc"][: len(place)] == place and len(other["loc"]) > len(place) for other in items
    )


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
