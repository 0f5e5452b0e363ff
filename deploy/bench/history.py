"""Figures of the embedded history, through its real API: ``python -m deploy.bench.history``.

Process-like data: a point wanders around its working value, to 0.01, and is read every second.
Beside each figure the plain way in the same run: SQLite with a row a reading, keyed by point and
time. What was written is read back and compared before a figure is said.
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from deploy.bench.figures import WrongError
from gateway.history.base import Cursor
from gateway.history.embedded import EmbeddedHistory
from gateway.model.events import Envelope, Record
from gateway.model.frame import Frame
from gateway.model.moment import DAY, SECOND, Instant

START = 1_795_233_600_000_000
FRAMES_A_WRITE = 240
"""As many as the gateway writes at once when it catches up: 4 MB."""


def worlds(rows: int, points: int, seed: int) -> NDArray[np.float64]:
    """Values to 0.01 of ``points`` points, a column each."""
    rng = np.random.default_rng(seed)
    times = rows // points
    wander = np.cumsum(rng.normal(0, 0.05, (times, points)), axis=0)
    noise = rng.normal(0, 0.05, (times, points))
    return np.round(rng.uniform(10, 400, points) + wander + noise, 2)


def records(values: NDArray[np.float64], jitter: int, first: int = 1) -> Iterator[Record]:
    """A frame of all points a second, received up to ``jitter`` µs late."""
    times, points = values.shape
    names = tuple(f"pump-{n // 20}.point_{n % 20}" for n in range(points))
    late = np.random.default_rng(9).integers(0, jitter + 1, times)
    quality = np.zeros(points, dtype=np.uint8)
    for row in range(times):
        wall = START + (first + row) * SECOND + int(late[row])
        frame = Frame(
            points=names,
            value=values[row],
            quality=quality,
            source_time=np.full(points, wall, dtype=np.int64),
        )
        at = Instant(wall=wall, mono=wall, boot="b")
        envelope = Envelope(site="s", gateway="g", epoch="e", seq=first + row, at=at)
        yield Record(envelope=envelope, body=frame)


def batches(made: Iterator[Record]) -> Iterator[Sequence[Record]]:
    batch: list[Record] = []
    for record in made:
        batch.append(record)
        if len(batch) == FRAMES_A_WRITE:
            yield batch
            batch = []
    if batch:
        yield batch


def fill(history: EmbeddedHistory, values: NDArray[np.float64], jitter: int) -> float:
    """Seconds that ``write`` took, with the sealing and filing that it does."""
    spent = 0.0
    for batch in batches(records(values, jitter)):
        begun = perf_counter()
        history.write(batch, Cursor("e", batch[-1].envelope.seq))
        spent += perf_counter() - begun
    return spent


def timed(work: Callable[[], object], times: int = 9) -> float:
    """ms, the median."""
    spent = []
    for _ in range(times):
        begun = perf_counter()
        work()
        spent.append(perf_counter() - begun)
    return 1000 * median(spent)


def size_of(path: Path) -> int:
    """Bytes, without what is free in the file or only in its log."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)


def show(what: str, ours: str, plain: str = "", ratio: str = "") -> None:
    print(f"{what:<76} {ours:>12} {plain:>12} {ratio:>8}", flush=True)


def writing(folder: Path, rows: int, points: int) -> None:
    values = worlds(rows, points, 1)
    plain = plain_rate(folder / "plain.db", values[: max(1, min(len(values), 400_000 // points))])
    for jitter, said in ((0, "times on the second"), (5_000, "times up to 5 ms late")):
        path = folder / f"jitter-{jitter}.db"
        history = EmbeddedHistory(path)
        spent = fill(history, values, jitter)
        size = size_of(path) / values.size
        check(history, values)
        begun = perf_counter()
        history.settle()
        rate = values.size / (spent + perf_counter() - begun)
        check(history, values)
        show(
            f"written and all of it filed, rows/s ({points} points a frame, {said})",
            f"{rate:,.0f}",
            f"{plain[0]:,.0f}",
            f"{rate / plain[0]:.1f}",
        )
        show("  bytes a reading, as left by the writing", f"{size:.2f}", f"{plain[1]:.1f}")
        show("  … all of it filed", f"{size_of(path) / values.size:.2f}")
        history.close()
        path.unlink()


def check(history: EmbeddedHistory, values: NDArray[np.float64]) -> None:
    """Raises WrongError unless some points have all that was written, bit by bit."""
    points = values.shape[1]
    for point in (0, points // 2, points - 1):
        found = history.range(f"pump-{point // 20}.point_{point % 20}", 0, 1 << 62, values.size)
        if found.value.tolist() != values[:, point].tolist():
            raise WrongError(f"point {point} has not what was written")


def plain_rate(path: Path, values: NDArray[np.float64]) -> tuple[float, float]:
    """Rows/s and bytes a row of a table with a row a reading."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE readings (point INTEGER, time INTEGER, value REAL, quality INTEGER, "
        "source_time INTEGER, PRIMARY KEY (point, time)) WITHOUT ROWID"
    )
    spent = 0.0
    for batch in batches(records(values, 0)):
        begun = perf_counter()
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?, ?)",
            sorted(
                (point, record.envelope.at.wall, value, 0, record.envelope.at.wall)
                for record in batch
                if isinstance(record.body, Frame)
                for point, value in enumerate(record.body.value.tolist())
            ),
        )
        connection.execute("COMMIT")
        spent += perf_counter() - begun
    connection.close()
    size = size_of(path)
    return values.size / spent, size / values.size


def charts(folder: Path) -> None:
    """30 days of one point (of 8 that are read together) at 1 s."""
    history = EmbeddedHistory(folder / "month.db")
    days = 30
    values = worlds(days * 86_400 * 8, 8, 2)
    fill(history, values, 5_000)
    check(history, values)
    end = START + days * DAY
    point = "pump-0.point_3"
    parts = history.buckets(point, START, end + DAY, 500)
    if parts.count.sum() != len(values):
        raise WrongError(f"{parts.count.sum()} of {len(values)} readings are in the parts")
    for span, said in (
        (days * DAY, "30 days at 1 s"),
        (7 * DAY, "7 days"),
        (DAY, "1 day"),
        (DAY // 24, "1 hour"),
    ):
        took = timed(partial(history.buckets, point, end - span, end, 500))
        show(f"{said} of a point in 500 parts, ms", f"{took:.1f}")
    took = timed(lambda: history.range(point, end - 15 * DAY, end, 3600))
    show("an hour of readings, 15 days ago, ms", f"{took:.1f}")
    took = timed(lambda: history.at([point], end - 15 * DAY))
    show("a point at a moment 15 days ago, ms", f"{took:.1f}")
    show("  bytes a reading", f"{size_of(folder / 'month.db') / values.size:.2f}")
    history.close()


def newest(folder: Path, points: int) -> None:
    path = folder / "newest.db"
    history = EmbeddedHistory(path)
    values = worlds(points * 200, points, 3)
    fill(history, values, 5_000)
    names = [f"pump-{n // 20}.point_{n % 20}" for n in range(points)]
    show(f"latest of {points:,} points, ms", f"{timed(lambda: history.latest(names)):.1f}")

    def elsewhere() -> None:
        other = EmbeddedHistory(path, read_only=True)
        other.latest(names)
        other.close()

    show("  … the first time, in another process, ms", f"{timed(elsewhere):.1f}")
    wall = START + 100 * SECOND
    took = timed(lambda: history.at(names[:1000], wall), 3)
    show("  1,000 points at a moment, ms", f"{took:.1f}")
    history.close()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=10_000_000, help="readings to write")
    asked.add_argument("--points", type=int, default=1000, help="points a frame")
    asked.add_argument("--only", choices=("writing", "charts", "newest"))
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="dutyroom-bench-") as name:
        show("embedded history", "dutyroom", "a row each", "ratio")
        if given.only in (None, "writing"):
            writing(Path(name), given.rows, given.points)
        if given.only in (None, "charts"):
            charts(Path(name))
        if given.only in (None, "newest"):
            newest(Path(name), 10_000)


if __name__ == "__main__":
    main()
