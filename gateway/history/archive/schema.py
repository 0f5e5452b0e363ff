"""Tables of the embedded history, version 2. Times are µs UTC, receive times; ``end`` is the last
one, not behind it."""

from __future__ import annotations

VERSION = 2

BLOCK = 64
"""Points, neighbours by number, that share a sheet."""

TABLES = """
CREATE TABLE IF NOT EXISTS points (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS cursors (
  gateway TEXT PRIMARY KEY,
  epoch TEXT NOT NULL,
  seq INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  body BLOB NOT NULL
);
CREATE TABLE sheets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  block INTEGER NOT NULL,
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  body BLOB NOT NULL
);
CREATE INDEX sheets_of_block ON sheets (block, id, start, "end", rows);
CREATE TABLE axes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  block INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  body BLOB NOT NULL
);
CREATE INDEX axes_by_end ON axes (block, "end");
CREATE TABLE chunks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  point INTEGER NOT NULL REFERENCES points (id),
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  axis INTEGER NOT NULL REFERENCES axes (id),
  body BLOB NOT NULL
);
CREATE INDEX chunks_of_point ON chunks (point, "end", start, rows, axis);
CREATE TABLE rollups (
  chunk INTEGER NOT NULL,
  level INTEGER NOT NULL,
  point INTEGER NOT NULL,
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (point, level, chunk)
) WITHOUT ROWID;
CREATE TABLE floors (chunk INTEGER PRIMARY KEY, wall INTEGER NOT NULL);
CREATE TABLE newest (id INTEGER PRIMARY KEY CHECK (id = 1), body BLOB NOT NULL);
CREATE TABLE gaps (
  point INTEGER NOT NULL REFERENCES points (id),
  start INTEGER NOT NULL,
  "end" INTEGER,
  reason TEXT NOT NULL,
  PRIMARY KEY (point, start)
) WITHOUT ROWID;
"""
"""``floors``: of chunks up to this number, what is older than ``wall`` was deleted.
``newest``: the newest reading of each point among sheets and chunks."""
