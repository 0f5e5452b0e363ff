"""Telling of dates: that one comes near, and that it has passed, each once.

Whoever does it, and however often: of what somebody was told is a row, written with the message.
A date that is put off is another date, and is told of anew.
"""

from __future__ import annotations

from datetime import timedelta

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from gateway.model.point import Text
from rules.ledger import equipment_register, equipment_register_view
from rules.ledger.roster import people_of
from rules.ledger.store import Entry, Ledger
from rules.ledger.view import View
from rules.notify.notice import Notice, NoticeKind
from rules.notify.posting import post
from rules.people.roles import Role
from rules.priority import Priority
from rules.register.book import RegisterBook
from rules.register.due import Due, Stage, dues
from rules.register.record import Record
from rules.shifts.local_time import date_of

_LOOK_BACK = timedelta(days=3660)


class Upkeep:
    """The dates of one site."""

    def __init__(self, *, site: Site, book: RegisterBook, ledger: Ledger) -> None:
        self._site = site
        self._book = book
        self._ledger = ledger
        self._kept: object = None
        """The day and the register of which nobody has to be told any more."""

    def keep(self, now: Instant) -> int:
        """Tell of what has come near or passed and nobody has heard of; how many that were."""
        with self._ledger.read(self._site.id) as view:
            versions = equipment_register_view.versions(view)
            stand = (date_of(now.wall, self._site.zone), versions)
            if stand == self._kept:
                return 0
            if not self._untold(view, now):
                self._kept = stand
                return 0
        with self._ledger.write(self._site.id) as entry:
            # Again, now that nobody else writes.
            view = View(connection=entry.connection, site=entry.site)
            found = self._untold(view, now)
            for record, due in found:
                if equipment_register.tell_once(entry, record.equipment, due, now.wall):
                    self._tell(entry, record, due, now)
            return len(found)

    def _untold(self, view: View, now: Instant) -> list[tuple[Record, Due]]:
        today = date_of(now.wall, self._site.zone)
        records = equipment_register_view.records(view)
        pending = [
            (record, due)
            for record in records.values()
            for due in dues(record, today, self._book)
            if due.stage is not Stage.LATER and due.due_on > today - _LOOK_BACK
        ]
        if not pending:
            return []
        told = equipment_register_view.told(view, today - _LOOK_BACK)
        return [
            (record, due)
            for record, due in pending
            if (record.equipment, due.kind, due.due_on, due.stage) not in told
        ]

    def _tell(self, entry: Entry, record: Record, due: Due, now: Instant) -> None:
        thing = self._site.equipment.get(record.equipment)
        if thing is None:
            attributes = record.attributes
            zh = attributes.name_zh or record.equipment
            name, area = Text(zh=zh, en=attributes.name_en or zh), attributes.area
        else:
            name, area = thing.name, thing.area
        people = people_of(entry)
        managers = sorted(
            username
            for username, one in people.items()
            if one.active and one.role is Role.ENGINEERING_MANAGER
        )
        notice = of_date(
            record.equipment, name, due, self._book, area=area, to=tuple(managers), at=now.wall
        )
        post(entry, self._site, notice, now)


def of_date(
    equipment: str,
    name: Text,
    due: Due,
    book: RegisterBook,
    *,
    area: str | None,
    to: tuple[str, ...],
    at: int,
) -> Notice:
    """For the engineering manager. Where there is none, for everybody who hears of notices."""
    kind, day = book.name(due.kind), due.due_on.isoformat()
    if due.stage is Stage.PASSED:
        title = Text(
            zh=f"{name.zh} {kind.zh}已过期（{day}）", en=f"{name.en}: {kind.en} has passed ({day})"
        )
    else:
        title = Text(
            zh=f"{name.zh} {kind.zh}将于 {day} 到期", en=f"{name.en}: {kind.en} is due on {day}"
        )
    return Notice(
        id=f"{NoticeKind.REGISTER_DATE}.{equipment}.{due.kind}.{day}.{due.stage}",
        kind=NoticeKind.REGISTER_DATE,
        at=at,
        subject=equipment,
        title=title,
        priority=Priority.MAJOR if due.stage is Stage.PASSED else Priority.MINOR,
        to=to,
        area=area,
        equipment=name,
    )
