"""What the embedded history holds, read without the product: every reading in every form that it
is in, so that one that is there twice is seen twice."""

from __future__ import annotations

import math
import sqlite3
import struct
import zlib
from collections.abc import Iterator
from itertools import accumulate

Reading = tuple[str, int, float | None, int]
"""Point, receive time, value, quality."""


def readings(file: sqlite3.Connection, point: str | None = None) -> list[Reading]:
    """All of them, by point and time; ``point``: only of this one."""
    names = dict(file.execute("SELECT id, name FROM points").fetchall())
    wanted = {number for number, name in names.items() if point in (None, name)}
    found = [(names[number], *rest) for number, *rest in _rows(file) if number in wanted]
    return sorted(found, key=lambda row: row[:2])


def _rows(file: sqlite3.Connection) -> Iterator[tuple[int, int, float | None, int]]:
    (hidden,) = file.execute("SELECT count(*) FROM floors").fetchone()
    assert not hidden, "something was deleted: that is not looked at here"
    for number, axis, body in file.execute(
        "SELECT point, axes.body, chunks.body FROM chunks JOIN axes ON axes.id = axis"
    ):
        times = _ints(_parts(axis)[0])
        values, quality, _ = _parts(body)
        for row in zip(times, _values(values), _ints(quality), strict=True):
            yield number, *row
    for table in ("sheets", "log"):
        for (body,) in file.execute(f"SELECT body FROM {table}"):
            numbers, times, _, quality, values, _ = _parts(body)
            yield from zip(
                _ints(numbers), _ints(times), _values(values), _ints(quality), strict=True
            )


def _parts(data: bytes) -> list[bytes]:
    parts = []
    while data:
        (size,) = struct.unpack_from("<I", data)
        parts.append(data[4 : 4 + size])
        data = data[4 + size :]
    return parts


def _ints(data: bytes) -> list[int]:
    kind, width, size, base, first = struct.unpack_from("<BBIqq", data)
    body = data[22:]
    if kind == 0:
        return [first + base * place for place in range(size)]
    if kind == 1:
        places, values = map(_ints, _parts(body))
        ends = [*places[1:], size]
        return [v for v, a, b in zip(values, places, ends, strict=True) for _ in range(b - a)]
    if kind == 2:
        return [
            base + int.from_bytes(body[at : at + width], "little")
            for at in range(0, size * width, width)
        ]
    if kind == 4:
        cycle = _ints(body)
        return cycle * (size // len(cycle))
    planes = zlib.decompress(body, -15)
    steps = [
        int.from_bytes(planes[place :: size - 1], "little") + base for place in range(size - 1)
    ]
    return [_signed(number) for number in accumulate([first, *steps])]


def _signed(number: int) -> int:
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)


def _values(data: bytes) -> list[float | None]:
    form, decimals, has_mask, length = struct.unpack_from("<BBBI", data)
    body = data[7:]
    if form == 0:
        return [None] * struct.unpack("<I", body)[0]
    if form == 5:
        numbers = [number for (number,) in struct.iter_unpack("<d", body)]
        return [None if math.isnan(number) else number for number in numbers]
    whole = _ints(body[length:])
    if form == 1:
        values: list[float | None] = [number / 10**decimals for number in whole]
    elif form == 2:
        values = [number * float(f"1e-{decimals}") for number in whole]
    else:
        size, code, short = (64, "<Q", "<d") if form == 4 else (32, "<I", "<f")
        mask = (1 << (size - 1)) - 1
        bits = [(number ^ mask if number < 0 else number) % (1 << size) for number in whole]
        values = [struct.unpack(short, struct.pack(code, one))[0] for one in bits]
    if has_mask:
        absent = zlib.decompress(body[:length], -15)
        for place in range(len(values)):
            if absent[place // 8] & 0x80 >> place % 8:
                values[place] = None
    return values


def write_version_1(path: str, rows: list[tuple[str, int, float | None, str | None, int]]) -> None:
    """A file as version 1 made it: point, time, value, text, quality a row."""
    with sqlite3.connect(path) as file:
        file.executescript(_VERSION_1)
        for point, time, value, text, quality in rows:
            file.execute("INSERT OR IGNORE INTO points (name) VALUES (?)", (point,))
            (number,) = file.execute("SELECT id FROM points WHERE name = ?", (point,)).fetchone()
            row = (number, time, value, text, quality, time - 5)
            file.execute("INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?)", row)
        file.execute("INSERT INTO cursors VALUES ('g', 'e', 7)")


_VERSION_1 = """
PRAGMA journal_mode = WAL;
CREATE TABLE points (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE readings (
  point INTEGER NOT NULL REFERENCES points (id),
  time INTEGER NOT NULL,
  value REAL,
  text TEXT,
  quality INTEGER NOT NULL,
  source_time INTEGER NOT NULL,
  PRIMARY KEY (point, time)
) WITHOUT ROWID;
CREATE TABLE cursors (
  gateway TEXT PRIMARY KEY,
  epoch TEXT NOT NULL,
  seq INTEGER NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = 1;
"""
