"""The messages of the live stream: what is read for them, and how they are written.

Rows are read in a thread, all of one moment; documents are made of them on the event loop,
where the latest readings are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi.sse import format_sse_event
from pydantic import BaseModel

from api import models
from api.seeing import EVERYTHING, Seeing
from api.views import alarms, orders, words
from api.views.readings import Readings
from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.alarms.lifecycle import NOT_CLOSED as ALARMS_NOT_CLOSED
from rules.ledger.rows import Alarm, Change, ChangeKind, WorkOrder
from rules.ledger.view import View
from rules.orders.lifecycle import NOT_CLOSED as ORDERS_NOT_CLOSED

RESUMED_AT_MOST = 500
"""Changes; a page that missed more gets everything anew."""
_READ_AT_ONCE = 500
_RETRY_MS = 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """An alarm or an order as it is now, and the newest change that led there; of anything else
    only that it changed."""

    change: int
    subject: Alarm | WorkOrder | Change


@dataclass(frozen=True, kw_only=True, slots=True)
class Missed:
    """What a page that comes back has missed."""

    through: int
    changed: Sequence[Changed]


@dataclass(frozen=True, kw_only=True, slots=True)
class Everything:
    """What a page that is new has to see; of a ledger that does not answer, nothing."""

    through: int | None
    """None: the ledger does not answer."""
    alarms: Sequence[Alarm]
    orders: Sequence[WorkOrder]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pending:
    """What is up and not in the ledger, and whether the ledger works."""

    alarms: Sequence[Alarm]
    ledger: models.LedgerState


def changes(view: View, *, after: int) -> tuple[int, list[Changed]]:
    """What changed after ``after``, as far as is read at once, and the id of the last change.

    Several changes of one alarm or order are one here: the newest.
    """
    found = view.changes_after(after, _READ_AT_ONCE)
    return (found[-1].id if found else after), _subjects(view, found)


def opening(view: View, last_event_id: int | None, known: int | None) -> Missed | Everything | int:
    """What a stream starts with: what was missed, if all of that is still known; ``known`` itself,
    if nothing has changed since that change."""
    through = view.last_change_id()
    if last_event_id is not None and 0 <= through - last_event_id <= RESUMED_AT_MOST:
        found = view.changes_after(last_event_id, RESUMED_AT_MOST)
        # Change ids of a site have no holes, so one that is missing was cleared away.
        if len(found) == through - last_event_id:
            return Missed(through=through, changed=_subjects(view, found))
    if through == known:
        return through
    return Everything(
        through=through,
        alarms=view.alarms(states=ALARMS_NOT_CLOSED),
        orders=view.orders(states=ORDERS_NOT_CLOSED),
    )


UNREAD = Everything(through=None, alarms=(), orders=())
"""What there is to see while the ledger does not answer."""


def _subjects(view: View, found: Sequence[Change]) -> list[Changed]:
    newest = {(change.kind, change.subject): change for change in found}
    named = [change.subject for change in newest.values() if change.kind is ChangeKind.ALARM]
    # Together: in a flood there are hundreds, and what is around them is read once for all.
    rows = {alarm.id: alarm for alarm in view.alarms(ids=named)} if named else {}
    changed = []
    for change in sorted(newest.values(), key=lambda change: change.id):
        row = _row(view, change, rows)
        if row is not None:
            changed.append(Changed(change=change.id, subject=row))
    return changed


def _row(
    view: View, change: Change, alarms: Mapping[str, Alarm]
) -> Alarm | WorkOrder | Change | None:
    if change.kind is ChangeKind.ALARM:
        return alarms.get(change.subject)
    if change.kind is ChangeKind.ORDER:
        return view.order(change.subject)
    return change


def missed_messages(
    start: Missed, pending: Pending, readings: Readings, seeing: Seeing = EVERYTHING
) -> list[bytes]:
    """What a page that comes back gets behind all readings."""
    missed = [changed_message(changed, readings, seeing) for changed in start.changed]
    return [*(one for one in missed if one), provisional_message(pending, readings, seeing)]


def snapshot_message(
    start: Everything, pending: Pending, readings: Readings, seeing: Seeing = EVERYTHING
) -> bytes:
    """``event: snapshot``: what a page that is new gets behind all readings."""
    zone, now = readings.site.zone, readings.now
    rows = {row.id for row in start.alarms}
    documents = [alarms.document(row, readings, zone) for row in seeing.of(start.alarms)]
    snapshot = models.SnapshotMessage(
        alarms=documents
        + [
            alarms.document(alarm, readings, zone, provisional=True)
            for alarm in seeing.of(pending.alarms)
            if alarm.id not in rows
        ],
        orders=[
            seeing.order(orders.document(row, now, readings.site))
            for row in seeing.of(start.orders)
        ],
        now=words.moment(now.wall, zone),
        ledger=pending.ledger if start.through is not None else "down",
        seq=start.through,
    )
    return _message("snapshot", snapshot, change=start.through)


def provisional_message(pending: Pending, readings: Readings, seeing: Seeing = EVERYTHING) -> bytes:
    """``event: provisional``; it has no id, because each says all there is to say."""
    zone = readings.site.zone
    told = models.ProvisionalMessage(
        alarms=[
            alarms.document(alarm, readings, zone, provisional=True)
            for alarm in seeing.of(pending.alarms)
        ],
        ledger=pending.ledger,
    )
    return _message("provisional", told)


def changed_message(changed: Changed, readings: Readings, seeing: Seeing = EVERYTHING) -> bytes:
    """``event: alarm`` or ``event: order`` with the document, ``event: changed`` without; empty
    for what is out of sight."""
    row, zone = changed.subject, readings.site.zone
    if not isinstance(row, Change) and not seeing.area(row.area):
        return b""
    if isinstance(row, Change):
        told = models.ChangedMessage.model_validate(
            {"kind": row.kind.value, "subject": row.subject}
        )
        return _message("changed", told, change=changed.change)
    if isinstance(row, Alarm):
        alarm = models.AlarmMessage(alarm=alarms.document(row, readings, zone))
        return _message("alarm", alarm, change=changed.change)
    document = seeing.order(orders.document(row, readings.now, readings.site))
    return _message("order", models.OrderMessage(order=document), change=changed.change)


def readings_message(
    readings: Readings, points: Mapping[str, object], seeing: Seeing = EVERYTHING
) -> bytes:
    """``event: readings`` of ``points``; it has no id, because nothing is missed by missing it."""
    return _message("readings", _readings(readings, points, seeing, every=False))


def every_reading_message(readings: Readings, seeing: Seeing = EVERYTHING) -> bytes:
    """The same of every point, the silent ones too: what every stream begins with. It tells the
    browser how soon to retry."""
    told = _readings(readings, readings.site.points, seeing, every=True)
    return _message("readings", told, retry=_RETRY_MS)


def _readings(
    readings: Readings, points: Mapping[str, object], seeing: Seeing, *, every: bool
) -> models.ReadingsMessage:
    good, others = readings.told(seeing.points(readings.site, points))
    now = words.moment(readings.now.wall, readings.site.zone)
    return models.ReadingsMessage(now=now, every=every, good=good, readings=others)


def heartbeat_message(site: Site, now: Instant, received: Instant | None) -> bytes:
    """``event: heartbeat``."""
    heartbeat = models.HeartbeatMessage(
        now=words.moment(now.wall, site.zone),
        received_at=words.moment_if(None if received is None else received.wall, site.zone),
    )
    return _message("heartbeat", heartbeat)


def _message(
    event: str, document: BaseModel, *, change: int | None = None, retry: int | None = None
) -> bytes:
    return format_sse_event(
        event=event,
        data_str=document.model_dump_json(by_alias=True),
        id=None if change is None else str(change),
        retry=retry,
    )
