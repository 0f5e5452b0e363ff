"""One comparison a row, as arrays: what every row of the conditions is tested by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rules.rule import Comparison

_Rows = NDArray[np.intp]
_Values = NDArray[np.float64]


class Comparisons:
    """``rows`` are the positions of the rows asked about; ``value`` has one for each of them.

    NaN is beyond no limit of "above" or "below", equal to nothing, and unequal to everything.
    """

    def __init__(self, comparisons: Sequence[tuple[Comparison, float]]) -> None:
        kinds = [kind for kind, _ in comparisons]
        self.ordered = np.array([k in (Comparison.ABOVE, Comparison.BELOW) for k in kinds], bool)
        self._equal = np.array([k is Comparison.EQUALS for k in kinds], bool)
        # "Below" is "above" with the sign turned, so that there is one comparison.
        self._sign = np.array([-1.0 if k is Comparison.BELOW else 1.0 for k in kinds])
        self._limit = np.array([limit for _, limit in comparisons], float)
        self._signed_limit = self._sign * self._limit
        self._all_ordered = bool(self.ordered.all())

    def move(self, row: int, limit: float) -> None:
        """``row`` has the limit ``limit`` from now on."""
        self._limit[row] = limit
        self._signed_limit[row] = self._sign[row] * limit

    def beyond(
        self, rows: _Rows, value: _Values, deadband: float | _Values = 0.0
    ) -> NDArray[np.bool_]:
        """Whether ``value`` passes its limit, moved inwards by ``deadband``."""
        limit = self._signed_limit[rows]
        return self._passed(rows, value, value * self._sign[rows] > limit - deadband)

    def sides(
        self, rows: _Rows, value: _Values, deadband: _Values
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether ``value`` passes its limit, and whether it passes that moved inwards."""
        signed, limit = value * self._sign[rows], self._signed_limit[rows]
        outer = self._passed(rows, value, signed > limit)
        return outer, self._passed(rows, value, signed > limit - deadband)

    def _passed(self, rows: _Rows, value: _Values, ordered: NDArray[np.bool_]) -> NDArray[np.bool_]:
        if self._all_ordered:
            return ordered
        same = value == self._limit[rows]
        return np.where(self.ordered[rows], ordered, same == self._equal[rows])
