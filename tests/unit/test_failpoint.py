import os
import signal
import subprocess
import sys

import pytest

PROGRAM = """
from gateway import failpoint
for _ in range(3):
    failpoint.reach(failpoint.BEFORE_COMMIT)
    print("reached", flush=True)
"""


def run(value: str) -> tuple[int, int]:
    """Exit code and how often the place was passed alive."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "DUTYROOM_FAILPOINT": value},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.count("reached")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", (0, 3)),
        ("after-commit", (0, 3)),
        ("before-commit", (-signal.SIGKILL, 0)),
        ("before-commit:3", (-signal.SIGKILL, 2)),
    ],
)
def test_the_named_place_kills_and_no_other(value, expected):
    assert run(value) == expected
