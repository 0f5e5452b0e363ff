"""How long somebody who guesses has to wait: pure, in constant memory.

A key may be tried some times freely; then each further try makes the wait twice as long, up to a
limit. A key that was left alone for long enough is forgotten. When there are too many keys, the
one tried longest ago goes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from gateway.model.moment import HOUR, SECOND, Instant

FORGOTTEN = HOUR
"""µs of peace after which earlier tries count no more."""


@dataclass(frozen=True, slots=True)
class _Tries:
    count: int
    last: Instant


class Throttle:
    """Not for several threads at once."""

    def __init__(self, *, free: int, longest: int, keys: int = 10_000) -> None:
        """``free`` tries without a wait; ``longest`` in µs; ``keys`` remembered at most."""
        self._free = free
        self._longest = longest
        self._keys = keys
        self._tries: OrderedDict[Hashable, _Tries] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tries)

    def wait(self, key: Hashable, now: Instant) -> int:
        """µs until ``key`` may be tried again; 0: now."""
        tries = self._tries.get(key)
        if tries is None:
            return 0
        return max(0, self._delay(tries.count) - now.since(tries.last))

    def tried(self, key: Hashable, now: Instant) -> None:
        """Count a try, before it is known whether it is right: many may come at once."""
        tries = self._tries.pop(key, None)
        fresh = tries is None or now.since(tries.last) >= FORGOTTEN + self._longest
        count = 1 if fresh or tries is None else tries.count + 1
        self._tries[key] = _Tries(count, now)
        if len(self._tries) > self._keys:
            self._tries.popitem(last=False)

    def was_right(self, key: Hashable, *, forget: bool) -> None:
        """Take the last try back; ``forget``: all of them."""
        tries = self._tries.get(key)
        if tries is None:
            return
        if forget or tries.count == 1:
            del self._tries[key]
        else:
            self._tries[key] = _Tries(tries.count - 1, tries.last)

    def _delay(self, count: int) -> int:
        beyond = count - self._free
        if beyond < 0:
            return 0
        return min(self._longest, SECOND << min(beyond, 30))
