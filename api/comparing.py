"""A number that a person enters, against the sensor at the time at which it was read."""

from __future__ import annotations

from api.desk import Desk
from gateway.history.base import HistoryUnavailableError
from gateway.model.moment import DAY, MINUTE, Instant
from gateway.model.point import Text
from gateway.model.reading import Reading
from rules.inspections.compared import Compared, compare, not_compared
from rules.inspections.judge import NewEntry
from rules.inspections.proving import Compare
from rules.ledger import round_view

_NOW = MINUTE
"""µs: what was read so short a time ago is held against the newest reading."""
_LONGEST_AGO = 92 * DAY


async def compared_with(
    desk: Desk, round_id: str, key: str, entry: NewEntry, now: Instant
) -> Compared | None:
    """None where nothing is compared: the line has no sensor, or the answer is no number. A
    history that is away keeps no answer from being taken."""
    if isinstance(entry.value, bool | str):
        return None
    lines = await desk.read(lambda view: round_view.items(view, round_id, [key]))
    wanted = lines[0].item.proving.compare if lines else None
    point = None if wanted is None else desk.site.points.get(wanted.point)
    if wanted is None or point is None:
        return None
    at = _when(entry, now)
    if now.wall - at <= _NOW:
        current = desk.latest.at(now).get(point.id)
        said = None if current is None else current.reading
        return compare(wanted, point, float(entry.value), said, now.wall)
    try:
        said = await desk.in_history(lambda: _at(desk, wanted, at))
    except HistoryUnavailableError as error:
        why = Text(zh=f"历史数据读不到：{error}", en=f"the history is away: {error}")
        return not_compared(wanted, why)
    return compare(wanted, point, float(entry.value), said, at)


def _at(desk: Desk, wanted: Compare, at: int) -> Reading | None:
    return desk.history.at([wanted.point], at).get(wanted.point)


def _when(entry: NewEntry, now: Instant) -> int:
    """When it was read; a time that cannot be is taken as now."""
    at = entry.taken_at
    return at if at is not None and now.wall - _LONGEST_AGO <= at <= now.wall else now.wall
