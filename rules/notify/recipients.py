"""Who is meant, as the ledger knows them when the message goes: a number that was put right
meanwhile is the one that is called, and who has left is called no more. Contractors too."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, select

from rules.ledger.store import Ledger
from rules.ledger.tables.people import membership, user
from rules.notify.carrier import Recipient


def recipients(ledger: Ledger, site: str, usernames: Sequence[str]) -> tuple[Recipient, ...]:
    if not usernames:
        return ()
    here = and_(
        membership.c.username == user.c.username,
        membership.c.site_id == site,
        membership.c.active,
    )
    query = (
        select(user.c.username, user.c.phone, user.c.mention)
        .join(membership, here)
        .where(user.c.username.in_(usernames))
    )
    with ledger.reading() as connection:
        found = {row.username: row for row in connection.execute(query)}
    return tuple(
        Recipient(username=name, phone=found[name].phone, mention=found[name].mention)
        for name in usernames
        if name in found
    )
