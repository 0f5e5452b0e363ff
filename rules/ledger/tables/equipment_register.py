"""The equipment register (台账): what each piece of equipment is, beside what the site file says of
how it is reached."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Double,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from rules.ledger.tables.base import metadata

# Name, area and class are null where the site file has the equipment: there they are said once.
# "version" counts its changes, so that nobody overwrites what somebody else has just written.
registered = Table(
    "registered",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("name_zh", Text),
    Column("name_en", Text),
    Column("area", Text),
    Column("equipment_class", Text),
    Column("model", Text),
    Column("serial", Text),
    Column("manufacturer", Text),
    Column("purchased_on", Date),
    Column("installed_on", Date),
    Column("commissioned_on", Date),
    Column("warranty_until", Date),
    Column("retired_on", Date),
    Column("supplier", Text),
    Column("supplier_phone", Text),
    Column("team", Text),
    Column("place", Text),
    Column("remark", Text),
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
    PrimaryKeyConstraint("site_id", "equipment"),
)

# When somebody has to look at it by law or by contract: the lift's annual inspection.
register_date = Table(
    "register_date",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("last_on", Date),
    Column("next_due", Date, nullable=False),
    Column("who", Text),
    PrimaryKeyConstraint("site_id", "equipment", "kind"),
    Index(None, "site_id", "next_due"),
)

register_part = Table(
    "register_part",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("model", Text),
    Column("quantity", Double, nullable=False),
    # Below it somebody has to buy; null: nobody watches it.
    Column("minimum", Double),
    Column("place", Text),
    PrimaryKeyConstraint("site_id", "equipment", "position"),
)

# Only ever added to. "fields": a list of {field, before, after}. An import is one change of many.
register_change = Table(
    "register_change",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("change", BigInteger, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("fields", JSON, nullable=False),
    PrimaryKeyConstraint("site_id", "change", "equipment"),
    Index(None, "site_id", "equipment", "change"),
)

# Of which dates the manager has heard: that one comes near, and that it has passed. It outlives
# the message itself, which is pruned.
register_told = Table(
    "register_told",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("equipment", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("due_on", Date, nullable=False),
    Column("stage", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id", "equipment", "kind", "due_on", "stage"),
    CheckConstraint("stage IN ('near', 'passed')", name="stage"),
)
