"""A small formula over the points of one equipment: read by Python's own parser, and nothing of
Python beyond it. Only what is listed here is let in; it becomes a tree of its own.

``+ - * /``, comparisons, ``and or not``, ``abs min max``, numbers, keys of points and
``twin.<key>``. A flag may stand where a yes or no is wanted: ``pressure < 0.3 and not running``.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gateway.model.point import PointKind
from rules.twins import OF_TWIN

_ARITHMETIC: Mapping[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
}
_COMPARED: Mapping[type[ast.AST], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_CALLS = {"abs": (1, 1), "min": (2, 8), "max": (2, 8)}
"""Name → the least and the most of what it takes."""
_LONGEST = 500
_DEEPEST = 20
_MEND = "use points, numbers, + - * /, < <= > >= == !=, and or not, abs() min() max()"


class FormulaError(ValueError):
    """It is no formula: what is wrong, and what would be right."""

    def __init__(self, wrong: str, mend: str = _MEND) -> None:
        super().__init__(f"{wrong}; {mend}")
        self.wrong = wrong
        self.mend = mend


@dataclass(frozen=True, kw_only=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, kw_only=True, slots=True)
class OfPoint:
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    sign: str
    """Arithmetic, ``abs min max``, a comparison, ``and or not``; or ``yes``, which makes a flag a
    yes or no."""
    operands: tuple[Node, ...]

    @property
    def is_truth(self) -> bool:
        return self.sign in _TRUTHS


Node = Number | OfPoint | Operation
_TRUTHS = frozenset({*_COMPARED.values(), "and", "or", "not", "yes"})


@dataclass(frozen=True)
class Formula:
    text: str
    root: Node

    @property
    def points(self) -> tuple[str, ...]:
        """Keys, in the order in which they are first named."""
        nodes = _all(self.root)
        return tuple(dict.fromkeys(node.key for node in nodes if isinstance(node, OfPoint)))

    @property
    def flags(self) -> frozenset[str]:
        """Keys of those that stand for a yes or no."""
        return frozenset(
            node.key
            for parent in _all(self.root)
            if isinstance(parent, Operation) and parent.sign == "yes"
            for node in parent.operands
            if isinstance(node, OfPoint)
        )

    @property
    def is_truth(self) -> bool:
        """Whether it says yes or no and not a number."""
        return isinstance(self.root, Operation) and self.root.is_truth

    def __str__(self) -> str:
        return f"({self.text})"


def difference(point: str, other: str) -> Formula:
    """How far ``point`` is above ``other``."""
    operands = (OfPoint(key=point), OfPoint(key=other))
    return Formula(f"{point} - {other}", Operation(sign="-", operands=operands))


def distance(point: str, other: str) -> Formula:
    """How far ``point`` is from ``other``, to either side."""
    root = Operation(sign="abs", operands=(difference(point, other).root,))
    return Formula(f"abs({point} - {other})", root)


def parse(text: str) -> Formula:
    """The formula in ``text``; raises :class:`FormulaError`."""
    if len(text) > _LONGEST:
        raise FormulaError(f"has more than {_LONGEST} characters", "make a shorter one")
    try:
        root = _node(ast.parse(text.strip(), mode="eval").body, _DEEPEST)
    except FormulaError:
        raise
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise FormulaError(f"cannot be read: {getattr(error, 'msg', None) or error}") from None
    if isinstance(root, OfPoint):
        root = Operation(sign="yes", operands=(root,))
    formula = Formula(text.strip(), root)
    if not formula.points:
        raise FormulaError("names no point, so it never changes", "name the points it is about")
    return formula


def _node(given: ast.expr, depth: int) -> Node:
    if depth == 0:
        raise FormulaError(f"is nested more than {_DEEPEST} deep", "make two rules of it")
    match given:
        case ast.Constant(value=float() | int() as value) if not isinstance(value, bool):
            return Number(value=_finite(value))
        case ast.Name(id=key):
            return OfPoint(key=key)
        case ast.Attribute(value=ast.Name(id="twin"), attr=key):
            return OfPoint(key=f"{OF_TWIN}{key}")
        case ast.Compare():
            return _comparison(given, depth - 1)
    sign, operands = _operation(given, depth - 1)
    return Operation(sign=sign, operands=operands)


def _operation(given: ast.expr, depth: int) -> tuple[str, tuple[Node, ...]]:
    match given:
        case ast.UnaryOp(op=ast.USub(), operand=of):
            return "-", (Number(value=0.0), _number(of, depth))
        case ast.UnaryOp(op=ast.Not(), operand=of):
            return "not", (_truth(of, depth),)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _ARITHMETIC:
            return _ARITHMETIC[type(sign)], (_number(left, depth), _number(right, depth))
        case ast.BoolOp(op=both, values=parts):
            word = "and" if isinstance(both, ast.And) else "or"
            return word, tuple(_truth(part, depth) for part in parts)
        case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if name in _CALLS:
            least, most = _CALLS[name]
            if not least <= len(parts) <= most:
                raise FormulaError(f"{name}() takes {least} to {most}", "mend what it is given")
            return name, tuple(_number(part, depth) for part in parts)
    raise FormulaError(f"{_shown(given)} is nothing that a formula may hold")


def _finite(value: float) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise FormulaError("holds a number that is too large", "give a smaller one")
    return number


def _shown(given: ast.expr) -> str:
    return repr(ast.unparse(given)[:40])


def _comparison(given: ast.Compare, depth: int) -> Node:
    """``a < b < c`` says that both hold."""
    sides = [_number(side, depth) for side in (given.left, *given.comparators)]
    signs = [_COMPARED.get(type(sign)) for sign in given.ops]
    if None in signs:
        raise FormulaError(f"{_shown(given)} compares by what is no number")
    both = tuple(
        Operation(sign=str(sign), operands=(left, right))
        for sign, left, right in zip(signs, sides, sides[1:], strict=False)
    )
    return both[0] if len(both) == 1 else Operation(sign="and", operands=both)


def _number(given: ast.expr, depth: int) -> Node:
    node = _node(given, depth)
    if isinstance(node, Operation) and node.is_truth:
        raise FormulaError(
            f"{_shown(given)} is a yes or no where a number is wanted",
            "compare numbers, and join comparisons by and, or",
        )
    return node


def _truth(given: ast.expr, depth: int) -> Node:
    node = _node(given, depth)
    if isinstance(node, OfPoint):
        return Operation(sign="yes", operands=(node,))
    if not (isinstance(node, Operation) and node.is_truth):
        raise FormulaError(
            f"{_shown(given)} is a number where a yes or no is wanted",
            "compare it with something",
        )
    return node


def _all(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Operation):
        for operand in node.operands:
            yield from _all(operand)


def complaints(
    formula: Formula, units: Mapping[str, str], kinds: Mapping[str, PointKind]
) -> Iterator[tuple[str, str]]:
    """(what is wrong, mend) where the points of these units and kinds do not go together."""
    for key in sorted(formula.flags):
        if key in kinds and kinds[key] is not PointKind.FLAG:
            yield f"{key} is no flag and says neither yes nor no", f"compare it: {key} > 0"
    try:
        _unit(formula.root, units)
    except FormulaError as error:
        yield error.wrong, error.mend


def _unit(node: Node, units: Mapping[str, str]) -> str | None:
    """The unit of what ``node`` says; None where it goes with any: a number, a product, a point
    without one."""
    if isinstance(node, Number):
        return None
    if isinstance(node, OfPoint):
        return units.get(node.key) or None
    found = [_unit(operand, units) for operand in node.operands]
    if node.is_truth and node.sign not in _COMPARED.values():
        return None
    if node.sign in ("*", "/"):
        return None
    known = sorted({unit for unit in found if unit is not None})
    if len(known) > 1:
        shown = " and ".join(repr(unit) for unit in known)
        raise FormulaError(f"{node.sign!r} joins units {shown}", "bring them to one unit by * or /")
    return known[0] if known and not node.is_truth else None
