"""Teams, rotations, overrides, leave, and the working days of the site's calendar.

Dates and times of day are the site's own. Persons are named by user name; that they are people of
the site is checked when they are entered, and a name stays readable when they are not any more.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from rules.ledger.tables.base import metadata

# "areas": those it answers for (片区责任制); empty: the whole site.
team = Table(
    "team",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("name", JSON, nullable=False),
    Column("areas", JSON, nullable=False),
    Column("leader", Text),
    PrimaryKeyConstraint("site_id", "id"),
)

team_member = Table(
    "team_member",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("team", Text, nullable=False),
    Column("username", Text, nullable=False),
    # Of the first to be named: 0.
    Column("position", Integer, nullable=False),
    PrimaryKeyConstraint("site_id", "team", "username"),
    ForeignKeyConstraint(["site_id", "team"], ["team.site_id", "team.id"]),
)

# Minutes since midnight; one that does not end later than it starts ends on the next day.
shift = Table(
    "shift",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("name", JSON, nullable=False),
    Column("starts", Integer, nullable=False),
    Column("ends", Integer, nullable=False),
    Column("minimum", Integer, nullable=False),
    PrimaryKeyConstraint("site_id", "id"),
)

# One row a site. "pattern": shift → team for each day, the first of them worked on the anchor.
rotation = Table(
    "rotation",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("anchor", Date, nullable=False),
    Column("pattern", JSON, nullable=False),
    PrimaryKeyConstraint("site_id"),
)

# The id is made of what is said, so the same can be said only once.
roster_override = Table(
    "roster_override",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    # Later ones build on earlier ones.
    Column("change", BigInteger, nullable=False),
    Column("date", Date, nullable=False),
    Column("shift", Text, nullable=False),
    Column("instead_of", Text),
    Column("username", Text),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "id"),
    CheckConstraint("instead_of IS NOT NULL OR username IS NOT NULL", name="somebody"),
    Index(None, "site_id", "date"),
)

# Both dates are days of the leave.
leave = Table(
    "leave",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("username", Text, nullable=False),
    Column("first", Date, nullable=False),
    Column("last", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "id"),
    CheckConstraint("first <= last", name="order"),
    Index(None, "site_id", "username"),
)

# Days that are not what the rulebook's calendar says.
calendar_day = Table(
    "calendar_day",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("date", Date, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", JSON),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "date"),
    CheckConstraint(
        "kind IN ('working', 'weekend', 'holiday', 'make_up_working')",
        name="kind",
    ),
)

# One row a site; without it the default is in force. Minutes since midnight.
working_hours = Table(
    "working_hours",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("starts", Integer, nullable=False),
    Column("ends", Integer, nullable=False),
    PrimaryKeyConstraint("site_id"),
    CheckConstraint("starts < ends", name="order"),
)
