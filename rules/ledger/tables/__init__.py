"""The tables, valid on SQLite and on PostgreSQL. Times are integer µs UTC, ids are slugs.

``base``: what all share. ``work``: alarms, orders and what moves them. ``people``: users,
sessions, audit. ``roster``: teams, shifts, calendar. ``rounds``: inspections.

Every row carries ``site_id`` except users and sessions: a person may serve several sites.
"""

from rules.ledger.tables import people, roster, rounds, work
from rules.ledger.tables.base import metadata

__all__ = ["metadata", "people", "roster", "rounds", "work"]
