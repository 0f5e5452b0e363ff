"""What a person may do to the register. Each action is one transaction: the record, its change,
and its line in the audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gateway.model.equipment import Site
from gateway.model.moment import Instant
from rules.actions.act import Act
from rules.ledger import equipment_register, equipment_register_view
from rules.ledger.roster import teams_of
from rules.ledger.store import Entry
from rules.ledger.view import View
from rules.people.roles import Permission, require
from rules.refusals import ConflictError, NotFoundError, NotValidError
from rules.register.book import WARRANTY, RegisterBook
from rules.register.due import Stage, dues
from rules.register.record import Known, Record, check, differences, without_said
from rules.register.sheets import Cells, Import, Misplaced, read
from rules.shifts.local_time import date_of


class NotRightError(NotValidError):
    """A workbook with mistakes: nothing was changed."""

    def __init__(self, errors: Sequence[Misplaced]) -> None:
        first = errors[0]
        super().__init__(first.where, first.wrong.en)
        self.errors = errors


def known(view: View, site: Site, book: RegisterBook) -> Known:
    """What a record may name now."""
    return Known(site=site, teams={team.id for team in teams_of(view)}, book=book)


def put(act: Act, site: Site, book: RegisterBook, wanted: Record) -> Record:
    """``wanted`` in place of what is there; its version says which one was seen.

    Raises ``ConflictError`` where somebody has changed it since, ``NotValidError``, and
    ``ForbiddenError``: a piece of equipment is moved to another area by who may act in both.
    """
    require(act.actor, Permission.EDIT_REGISTER)
    with act.ledger.write(act.site) as entry:
        view = View(connection=entry.connection, site=act.site)
        found = equipment_register_view.record_of(view, act.subject)
        before = found or Record(equipment=act.subject)
        for area in {area_of(before, site), area_of(wanted, site)} - {None}:
            require(act.actor, Permission.EDIT_REGISTER, area)
        if not act.is_new(entry, "register.put"):
            return before
        if wanted.version != before.version:
            raise ConflictError(
                f"the record of {act.subject} was changed since: it is version {before.version}"
            )
        for name, wrong in check(wanted, known(view, site, book)):
            raise NotValidError(name, wrong.en)
        after = replace(
            wanted,
            attributes=without_said(wanted, site),
            dates=tuple(sorted(wanted.dates, key=lambda one: one.kind)),
        )
        if after == before and before.version > 0:
            return before
        equipment_register.put(entry, [(before, after)], actor=act.actor, at=act.now.wall)
        _pass_over(entry, site, book, [after], act.now)
        fields = ", ".join(one.field for one in differences(before, after))
        act.record(entry, "register.put", version=after.version + 1, fields=fields[:500])
        return replace(after, version=after.version + 1)


def would_change(view: View, site: Site, book: RegisterBook, sheets: Mapping[str, Cells]) -> Import:
    """What :func:`take_in` would do with a workbook."""
    return read(sheets, known(view, site, book), equipment_register_view.records(view))


def take_in(act: Act, site: Site, book: RegisterBook, sheets: Mapping[str, Cells]) -> Import:
    """All that a workbook says, or nothing; ``act.subject`` is the hash of its bytes.

    It is compared with the register before anybody has to wait, and once more only where somebody
    has changed that since. Raises :class:`NotRightError` where anything in it is wrong, and
    ``ForbiddenError`` where it changes equipment in an area of others.
    """
    require(act.actor, Permission.EDIT_REGISTER)
    with act.ledger.read(act.site) as view:
        seen = _compared_with(view)
        found = would_change(view, site, book, sheets)
    with act.ledger.write(act.site) as entry:
        view = View(connection=entry.connection, site=act.site)
        if not act.is_new(entry, "register.import"):
            return Import(changed=(), unchanged=0, errors=())
        if _compared_with(view) != seen:
            found = would_change(view, site, book, sheets)
        if found.errors:
            raise NotRightError(found.errors)
        touched = {area_of(one, site) for pair in found.changed for one in pair} - {None}
        for area in sorted(filter(None, touched)):
            require(act.actor, Permission.EDIT_REGISTER, area)
        equipment_register.put(entry, found.changed, actor=act.actor, at=act.now.wall)
        after = [one for _, one in found.changed]
        _pass_over(entry, site, book, after, act.now)
        act.record(entry, "register.import", changed=len(after), unchanged=found.unchanged)
        return found


def area_of(record: Record, site: Site) -> str | None:
    """Where a piece of equipment is; None: nobody has said so."""
    thing = site.equipment.get(record.equipment)
    return record.attributes.area if thing is None else thing.area


def class_of(record: Record, site: Site) -> str | None:
    thing = site.equipment.get(record.equipment)
    return record.attributes.equipment_class if thing is None else thing.equipment_class


def find(view: View, site: Site, equipment: str) -> Record:
    """What is written of it; raises ``NotFoundError`` where neither file nor register has it."""
    found = equipment_register_view.record_of(view, equipment)
    if found is None and equipment not in site.equipment:
        raise NotFoundError(f"there is no equipment {equipment}")
    return found or Record(equipment=equipment)


def _compared_with(view: View) -> object:
    """What a workbook is compared with, in so far as people change it."""
    return equipment_register_view.versions(view), {team.id for team in teams_of(view)}


def _pass_over(
    entry: Entry, site: Site, book: RegisterBook, records: Sequence[Record], now: Instant
) -> None:
    """A warranty that was over before it was written down is no news."""
    today = date_of(now.wall, site.zone)
    over = [
        (record.equipment, one)
        for record in records
        for one in dues(record, today, book)
        if one.kind == WARRANTY and one.stage is Stage.PASSED
    ]
    equipment_register.count_as_told(entry, over, now.wall)
