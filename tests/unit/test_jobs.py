"""Processes of long jobs: none stays behind, and none holds up whoever started it."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import jobs
from api.jobs import Jobs

_ENDS = "pass"
_DEAF = """
import signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").close()
signal.pause()
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jobs]:
    monkeypatch.setattr(jobs, "_GRACE_S", 0.2)
    subject = Jobs(tmp_path / "site.yaml", tmp_path)
    yield subject
    subject.close()


def started(
    made: Jobs, monkeypatch: pytest.MonkeyPatch, *words: str
) -> tuple[int, threading.Thread]:
    """Its process, and who waits for that."""
    monkeypatch.setattr(jobs, "command", lambda *_: [sys.executable, "-c", *words])
    made.start("job-1")
    [thread] = [one for one in threading.enumerate() if one.name == "job-1"]
    return made._running[-1].pid, thread


def test_a_job_that_has_ended_leaves_no_process_behind(
    made: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, thread = started(made, monkeypatch, _ENDS)
    thread.join(20)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not made._running


def test_a_job_that_does_not_want_to_end_is_ended_and_holds_nobody_up(
    made: Jobs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "deaf")
    pid, thread = started(made, monkeypatch, _DEAF, str(tmp_path / "deaf"))
    (tmp_path / "deaf").read_bytes()
    begun = time.monotonic()
    made.close()
    assert time.monotonic() - begun < 5
    thread.join(20)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
