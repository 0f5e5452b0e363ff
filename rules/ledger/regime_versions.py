"""Which version of each regime is in force, since when, and what it said: a round keeps the
version by which it was planned, whatever becomes of the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from rules.inspections.regime import Regime
from rules.ledger.store import Entry
from rules.ledger.tables.rounds import regime_version
from rules.ledger.view import View


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """Times in µs UTC."""

    regime: str
    version: str
    since: int
    """When it came into force, the last time that it did."""
    seen_at: int
    """When rounds were last planned by it."""


def versions(view: View) -> dict[str, list[Version]]:
    """Regime → its versions, the one that was in force last at the end."""
    columns = [regime_version.c[name] for name in ("regime", "version", "since", "seen_at")]
    query = (
        select(*columns)
        .where(regime_version.c.site_id == view.site)
        .order_by(regime_version.c.since, regime_version.c.version)
    )
    found: defaultdict[str, list[Version]] = defaultdict(list)
    for row in view.connection.execute(query).mappings():
        found[row["regime"]].append(Version(**row))
    return dict(found)


def document(view: View, regime: str, version: str) -> tuple[Version, str] | None:
    """A version with its file as it was; None where there was none such."""
    query = select(regime_version).where(
        regime_version.c.site_id == view.site,
        regime_version.c.regime == regime,
        regime_version.c.version == version,
    )
    row = view.connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    found = Version(regime=regime, version=version, since=row["since"], seen_at=row["seen_at"])
    return found, row["document"]


def seen(
    entry: Entry, regimes: Iterable[Regime], known: Mapping[str, list[Version]], now: int
) -> None:
    """Rounds are planned by these at ``now``; a version that was not the last comes into force."""
    rows = []
    for regime in regimes:
        last = known.get(regime.id, [None])[-1]
        is_same = last is not None and last.version == regime.version
        rows.append(
            {
                "regime": regime.id,
                "version": regime.version,
                "document": regime.document,
                "since": last.since if is_same and last is not None else now,
                "seen_at": now,
            }
        )
    entry.put(regime_version, rows)
