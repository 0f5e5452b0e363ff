"""Making a file of SQLite one with a write-ahead log, beside others. That it waits for who makes
it too: test_history_embedded.py."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.write_ahead import keep_a_log_ahead


def test_bug_a_file_that_cannot_be_written_was_asked_for_five_seconds(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE kept (value)")
    asked: list[str] = []
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.set_trace_callback(asked.append)
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            keep_a_log_ahead(connection)
    assert len(asked) == 1
