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

    def beyond(
        self, rows: _Rows, value: _Values, deadband: float | _Values = 0.0
    ) -> NDArray[np.bool_]:
        """Whether ``value`` passes its limit, moved inwards by ``deadband``."""
        same = value == self._limit[rows]
        passed: NDArray[np.bool_] = np.where(
            self.ordered[rows],
            self._sign[rows] * value > self._sign[rows] * self._limit[rows] - deadband,
            np.where(self._equal[rows], same, ~same),
        )
        return passed
