"""Which lines of a round are looked at again before it is countersigned; pure.

Drawn by the id of the round, so that it is the same for whoever asks, and nobody draws until it
suits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from rules.inspections.items import RoundItem
from rules.inspections.regime import Level, Proof

FEWEST = 3
_ONE_IN = 10


def sample(round_id: str, level: Level, lines: Sequence[RoundItem]) -> list[str]:
    """Keys, in the order of the lines: of a weekly round a tenth of what people answer, three at
    least; of the others none."""
    if level is not Level.WEEKLY:
        return []
    manual = [line.key for line in lines if not line.is_automatic]
    drawn = manual or [line.key for line in lines if line.proof is not Proof.COMPLETION]
    wanted = max(FEWEST, -(-len(drawn) // _ONE_IN))
    chosen = set(sorted(drawn, key=lambda key: _lot(round_id, key))[:wanted])
    return [line.key for line in lines if line.key in chosen]


def _lot(round_id: str, key: str) -> str:
    return hashlib.sha256(f"{round_id}\n{key}".encode()).hexdigest()
