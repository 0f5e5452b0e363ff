"""How far a reading can be trusted."""

from __future__ import annotations

from enum import IntEnum


class Quality(IntEnum):
    """Ordered from best to worst, so that the worst of several is their maximum."""

    GOOD = 0
    UNCERTAIN = 1
    """A value, but outside what the profile says the device can report, or of doubtful time."""
    STALE = 2
    """A value that was good and is now older than the point's ``stale_after``."""
    BAD = 3
    """No value: the device, the link or the reply failed, or the device says "not available"."""

    @property
    def word(self) -> str:
        """The name used in the API and on the page."""
        return self.name.lower()
