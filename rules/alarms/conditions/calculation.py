"""A formula over many rows at once. What is not known is NaN, and stays it: but no is no,
whatever else stands beside it in an ``and``, and yes is yes in an ``or``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import cast

import numpy as np
from numpy.typing import NDArray

from gateway.model.point import PointKind
from rules.alarms.conditions.gauges import (
    Answer,
    Fresh,
    Gauge,
    Pair,
    Positions,
    Values,
    known,
    number,
)
from rules.alarms.conditions.rows import Memory
from rules.formula import Formula, Node, Number, OfPoint
from rules.measures import Calculated
from rules.rule import Rule
from rules.twins import points_by_name

Column = NDArray[np.float64]


def _truth(says: NDArray[np.bool_], *of: Column) -> Column:
    unknown = reduce(np.logical_or, map(np.isnan, of))
    return np.where(unknown, np.nan, says)


def _and(one: Column, other: Column) -> Column:
    return np.where((one == 0) | (other == 0), 0.0, one * other)


def _or(one: Column, other: Column) -> Column:
    return np.where((one == 1) | (other == 1), 1.0, one + other)


_BINARY: Mapping[str, Callable[[Column, Column], Column]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "min": np.minimum,
    "max": np.maximum,
    "and": _and,
    "or": _or,
    "<": lambda one, other: _truth(one < other, one, other),
    "<=": lambda one, other: _truth(one <= other, one, other),
    ">": lambda one, other: _truth(one > other, one, other),
    ">=": lambda one, other: _truth(one >= other, one, other),
    "==": lambda one, other: _truth(one == other, one, other),
    "!=": lambda one, other: _truth(one != other, one, other),
}
_UNARY: Mapping[str, Callable[[Column], Column]] = {
    "abs": np.abs,
    "not": lambda one: 1.0 - one,
    "yes": lambda one: _truth(one != 0, one),
}


def value_of(node: Node, of_point: Mapping[str, Column]) -> Column:
    """``node`` for every row; ``of_point``: a column for each key that it names.

    What is no number (a quotient by nothing) is not known.
    """
    if isinstance(node, Number):
        return np.full(len(next(iter(of_point.values()))), node.value)
    if isinstance(node, OfPoint):
        return of_point[node.key]
    columns = [value_of(operand, of_point) for operand in node.operands]
    if len(columns) == 1:
        return _UNARY[node.sign](columns[0])
    with np.errstate(all="ignore"):
        found = reduce(_BINARY[node.sign], columns)
    return np.where(np.isfinite(found), found, np.nan)


class Calculations(Gauge):
    """The last reading of each point counts, whichever came last. Over a restart only flags and
    codes are kept: a number is another one by now."""

    def __init__(self, rows: Sequence[int], pairs: Sequence[Pair]) -> None:
        super().__init__(rows, pairs)
        self._formulas = [self._of(rule) for rule, _ in pairs]
        distinct = {formula.text: formula for formula in self._formulas}
        number_of = {text: at for at, text in enumerate(distinct)}
        self._distinct: Sequence[Formula] = tuple(distinct.values())
        self._which = np.array([number_of[formula.text] for formula in self._formulas], np.intp)
        shape = (len(rows), max(len(self.points(rule)) for rule, _ in pairs))
        self._value = np.full(shape, np.nan)
        self._sure = np.full(shape, np.nan)
        """The same, NaN where it is uncertain."""
        self._is_code = np.zeros(shape, np.bool_)
        for position, (rule, thing) in enumerate(pairs):
            known_as = points_by_name(thing)
            for slot, name in enumerate(self.points(rule)):
                kind = known_as[name].kind
                self._is_code[position, slot] = kind in (PointKind.FLAG, PointKind.STATE)

    @staticmethod
    def _of(rule: Rule) -> Formula:
        return cast("Calculated", rule.condition.measure).formula

    @staticmethod
    def points(rule: Rule) -> tuple[str, ...]:
        return Calculations._of(rule).points

    def take(self, fresh: Fresh) -> Answer:
        where = fresh.positions[fresh.at]
        sure = np.where(fresh.doubtful, np.nan, fresh.value)
        before = self._sure[where, fresh.slot]
        same = (sure == before) | (np.isnan(sure) & np.isnan(before))
        self.changed[where[~same & self._is_code[where, fresh.slot]]] = True
        self._value[where, fresh.slot] = fresh.value
        self._sure[where, fresh.slot] = sure
        claim = self._calculated(fresh.positions, self._value)
        if not (np.isnan(self._sure) & ~np.isnan(self._value))[fresh.positions].any():
            return Answer(claim, claim)
        return Answer(claim, self._calculated(fresh.positions, self._sure))

    def _calculated(self, where: Positions, value: Values) -> Column:
        found = np.full(len(where), np.nan)
        which = self._which[where]
        for one in np.unique(which):
            mine = np.flatnonzero(which == one)
            formula = self._distinct[one]
            columns = value[where[mine]]
            of_point = {key: columns[:, slot] for slot, key in enumerate(formula.points)}
            found[mine] = value_of(formula.root, of_point)
        return found

    def kept(self, position: int, now: int) -> Memory | None:
        codes = np.where(self._is_code[position], self._sure[position], np.nan)
        points = len(self._formulas[position].points)
        return {"values": [number(value) for value in codes[:points]]}

    def restore(self, position: int, memory: Memory, at: int) -> None:
        values = [known(value) for value in memory["values"]]
        self._value[position, : len(values)] = self._sure[position, : len(values)] = values
