"""Files of version 1, a row a reading: their readings become chunks, all or none of them."""

from __future__ import annotations

import math
import sqlite3

import numpy as np
import structlog

from gateway.history.archive import sealing
from gateway.history.archive.newest import Newest
from gateway.history.archive.rows import Rows

_log = structlog.get_logger(__name__)

_ROWS = 64 * 1024
_SELECT = """
SELECT time, value, text, quality, source_time FROM readings WHERE point = ? ORDER BY time
"""


def convert(connection: sqlite3.Connection) -> None:
    """In the transaction of the caller."""
    newest, count = Newest(), 0
    numbers = [number for (number,) in connection.execute("SELECT id FROM points").fetchall()]
    _log.info("history is converted", points=len(numbers))
    for number in numbers:
        found = connection.execute(_SELECT, (number,))
        while part := found.fetchmany(_ROWS):
            rows = _rows(number, part)
            sealing.insert_chunks(connection, rows)
            newest.take(rows)
            count += len(rows)
    newest.store(connection)
    connection.execute("DROP TABLE readings")
    _log.info("history was converted", readings=count)


def _rows(number: int, found: list[tuple[int, float | None, str | None, int, int]]) -> Rows:
    time, value, text, quality, source = zip(*found, strict=True)
    values = np.array([math.nan if one is None else one for one in value], dtype=np.float64)
    values[~np.isfinite(values)] = math.nan
    return Rows(
        point=np.full(len(found), number, dtype=np.int64),
        time=np.array(time, dtype=np.int64),
        value=values,
        quality=np.array(quality, dtype=np.uint8),
        source=np.array(source, dtype=np.int64),
        text={row: one for row, one in enumerate(text) if one is not None},
    )
