"""Named places where a test can kill the process, to show that nothing is lost there.

``DUTYROOM_FAILPOINT=before-commit`` kills this process by SIGKILL the first time that place is
reached; ``before-commit:3`` the third time. Unset, a place costs one comparison.
"""

from __future__ import annotations

import os
import signal
from itertools import count

_name, _, _nth = os.environ.get("DUTYROOM_FAILPOINT", "").partition(":")
_reached = count(1)

AFTER_SPOOL = "after-spool"
BEFORE_COMMIT = "before-commit"
AFTER_COMMIT = "after-commit"
BEFORE_MARK = "between-send-and-mark"
BEFORE_IN_FORCE = "before-in-force"


def reach(name: str) -> None:
    """Die here if the environment asked for it."""
    if name == _name and next(_reached) == int(_nth or 1):
        os.kill(os.getpid(), signal.SIGKILL)
