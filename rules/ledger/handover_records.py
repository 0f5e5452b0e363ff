"""What was written down on a watch, held against the sensors (S1 7.1)."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import and_, select

from gateway.latest import Current
from gateway.model.equipment import Site
from gateway.model.point import Text
from gateway.model.quality import Quality
from rules.handover.book import HandoverBook
from rules.handover.facts import Matter
from rules.ledger.round_proof_rows import compared_of
from rules.ledger.shift_log_lines import Span
from rules.ledger.shift_log_view import ShiftLog
from rules.ledger.tables.rounds import round_, round_entry, round_item
from rules.ledger.tables.work import change
from rules.ledger.view import View

_ROUND = "round"


def numbers_that_differ(view: View, log: ShiftLog, now: int) -> list[Matter]:
    """Numbers that were entered in rounds in the time of ``log`` (until ``now``, µs UTC) and are
    not what the sensor said then; the newest of a line counts."""
    span = Span.of(view, log, now)
    touched = (
        select(change.c.subject)
        .where(change.c.site_id == view.site, change.c.kind == _ROUND)
        .where(change.c.id > span.after_change, change.c.at >= span.start)
    )
    line = and_(
        round_item.c.site_id == round_entry.c.site_id,
        round_item.c.round_id == round_entry.c.round_id,
        round_item.c.key == round_entry.c.item,
    )
    whole = and_(round_.c.site_id == round_entry.c.site_id, round_.c.id == round_entry.c.round_id)
    query = (
        select(
            round_entry.c.id,
            round_entry.c.round_id,
            round_entry.c.item,
            round_entry.c.value,
            round_entry.c.compared,
            round_entry.c.received_at,
            round_item.c.name,
            round_item.c.subject_name,
            round_item.c.unit,
        )
        .join_from(round_entry, round_item, line)
        .join(round_, whole)
        .where(round_entry.c.site_id == view.site, round_.c.void_at.is_(None))
        .where(round_entry.c.round_id.in_(touched))
        .order_by(round_entry.c.change)
    )
    newest = {
        (row["round_id"], row["item"]): row for row in view.connection.execute(query).mappings()
    }
    found = []
    for row in newest.values():
        said = compared_of(row["compared"])
        if said is None or said.agrees is not False or row["received_at"] < span.start:
            continue
        name, subject, unit = Text(**row["name"]), Text(**row["subject_name"]), row["unit"]
        zh = f"{subject.zh} {name.zh}：记录 {row['value']:g} {unit}，测点 {said.value:g} {unit}"
        en = f"{subject.en}, {name.en}: {row['value']:g} {unit} written, "
        en += f"{said.value:g} {unit} by the sensor"
        found.append(Matter(id=row["id"], text=Text(zh=zh, en=en)))
    return found


def running_out_of_service(
    view: View, site: Site, book: HandoverBook, currents: Mapping[str, Current]
) -> list[Matter]:
    """Equipment that is down as out of service, and runs by its own word."""
    by_class = {row.equipment_class: row for row in book.running}
    found = []
    for one in view.service_breaks():
        thing = site.equipment.get(one.equipment)
        row = None if thing is None else by_class.get(thing.equipment_class)
        current = None if row is None else currents.get(f"{one.equipment}.{row.point}")
        if thing is None or row is None or current is None:
            continue
        reading = current.reading
        if reading.quality is Quality.GOOD and reading.value == row.equals:
            zh = f"{thing.name.zh} 登记为停用，测点显示运行"
            en = f"{thing.name.en} is down as out of service, and runs by its sensor"
            found.append(Matter(id=thing.id, text=Text(zh=zh, en=en)))
    return found
