"""The tables, valid on SQLite and on PostgreSQL. Times are integer µs UTC, ids are slugs.

``base``: what all share. ``work``: where the rules are and what is outstanding. ``alarms``,
``orders``, ``outbox``: those themselves, and messages to people. ``requests``: where anybody can
ask for a repair. ``people``: users, sessions, audit. ``roster``: teams, shifts, calendar.
``rounds``: inspections. ``rules``: limits of the site's own, and long jobs. ``commands``: what
devices were told. ``attachments``: photographs and signatures. ``contractor_links``: how somebody
without a log-in works on one order. ``planned_tests``: those, and what they hold.
``equipment_register``: what each piece of equipment is (台账).
``plans``: maintenance that is due.
``handover``: the log of every shift, and how it was handed over.
``offline``: what phones wrote down without signal.
``kiosks``: screens on a wall that may only look.

Every row carries ``site_id`` except users and sessions: a person may serve several sites.
"""

from rules.ledger.tables import (
    alarms,
    attachments,
    commands,
    contractor_links,
    equipment_register,
    handover,
    kiosks,
    offline,
    orders,
    outbox,
    people,
    planned_tests,
    plans,
    requests,
    roster,
    rounds,
    rules,
    work,
)
from rules.ledger.tables.base import metadata

__all__ = [
    "alarms",
    "attachments",
    "commands",
    "contractor_links",
    "equipment_register",
    "handover",
    "kiosks",
    "metadata",
    "offline",
    "orders",
    "outbox",
    "people",
    "planned_tests",
    "plans",
    "requests",
    "roster",
    "rounds",
    "rules",
    "work",
]
