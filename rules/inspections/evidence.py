"""What the lines of a round lack that their items ask for; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rules.inspections.proving import Evidence
from rules.ledger.round_rows import KeptItem


def lacks(kept: KeptItem, photos: int) -> list[Evidence]:
    """What ``kept`` still needs; ``photos``: how many it has that count. What telemetry has
    answered needs nothing."""
    by_telemetry = kept.item.is_automatic and kept.entry is None
    has = {Evidence.QR: kept.scan is not None, Evidence.PHOTO: photos > 0}
    return [] if by_telemetry else [one for one in kept.item.proving.evidence if not has[one]]


def lacking(kept: Sequence[KeptItem], photos: Mapping[str, int]) -> dict[str, list[Evidence]]:
    """By line, those that lack something; ``photos``: line → how many."""
    found = {one.item.key: lacks(one, photos.get(one.item.key, 0)) for one in kept}
    return {key: wanted for key, wanted in found.items() if wanted}
