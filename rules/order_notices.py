"""What is told of a work order, and to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import RowMapping, bindparam, select

from gateway.model.moment import stamp
from gateway.model.point import Text
from rules.ledger.store import Entry
from rules.ledger.tables.alarms import alarm
from rules.notify.notice import Notice, NoticeKind
from rules.orders.clock import ClockName
from rules.orders.life_safety import is_life_safety
from rules.people.roles import NAMES, Role
from rules.priority import Priority

_LIFE_SAFETY = (
    select(alarm.c.id)
    .where(alarm.c.site_id == bindparam("site"), alarm.c.order_id == bindparam("order"))
    .where(alarm.c.life_safety)
    .limit(1)
)
_LATE: Mapping[ClockName, Text] = {
    ClockName.RESPOND: Text(zh="无人接单", en="has not been accepted in time"),
    ClockName.ARRIVE: Text(zh="未按时到场", en="has nobody on site in time"),
    ClockName.COMPLETE: Text(zh="超时", en="is overdue"),
}
_WAITS: Mapping[ClockName, Text] = {
    ClockName.RESPOND: Text(zh="尚未接单", en="is not accepted"),
    ClockName.ARRIVE: Text(zh="尚未到场", en="has nobody on site"),
    ClockName.COMPLETE: Text(zh="尚未完工", en="is not completed"),
}


def of_assignment(
    entry: Entry, row: RowMapping, *, to: str, at: int, link: str | None = None
) -> Notice:
    """For whom it was given to: once for every time. ``link``: the id of their own."""
    title = _title(row)
    return _notice(
        entry,
        row,
        NoticeKind.ORDER_ASSIGNED,
        f"{row['id']}.{to}.{stamp(at)}",
        Text(
            zh=f"工单 {row['number']} 派给你：{title.zh}",
            en=f"Order {row['number']} is yours: {title.en}",
        ),
        at=at,
        to=(to,),
        contractor_link=link,
    )


def of_breach(
    entry: Entry, row: RowMapping, name: ClockName, *, to: tuple[str, ...], at: int
) -> Notice:
    """For whoever has it (``to``), and for all who hear of notices where nobody has. Told again
    where the order has become more urgent since."""
    title, late = _title(row), _LATE[name]
    about = f"{row['id']}.{name.value}.{stamp(at)}"
    return _notice(
        entry,
        row,
        NoticeKind.ORDER_BREACHED,
        about,
        Text(
            zh=f"工单 {row['number']} {late.zh}：{title.zh}",
            en=f"Order {row['number']} {late.en}: {title.en}",
        ),
        at=at,
        to=to,
    )


def of_promise(entry: Entry, row: RowMapping, *, to: tuple[str, ...], at: int) -> Notice:
    """It is not done by the time that was promised to whoever asked."""
    title = _title(row)
    return _notice(
        entry,
        row,
        NoticeKind.ORDER_BREACHED,
        f"{row['id']}.promise.{stamp(at)}",
        Text(
            zh=f"工单 {row['number']} 已过承诺时间：{title.zh}",
            en=f"Order {row['number']} is past the time promised: {title.en}",
        ),
        at=at,
        to=to,
    )


def of_visit(entry: Entry, row: RowMapping, *, to: tuple[str, ...], at: int) -> Notice:
    """Nobody has asked in time whether who wanted it is content (回访)."""
    title = _title(row)
    return _notice(
        entry,
        row,
        NoticeKind.ORDER_BREACHED,
        f"{row['id']}.visit.{stamp(at)}",
        Text(
            zh=f"工单 {row['number']} 未按时回访：{title.zh}",
            en=f"Order {row['number']} has had no return visit in time: {title.en}",
        ),
        at=at,
        to=to,
    )


def of_step(
    entry: Entry, row: RowMapping, name: ClockName, step: int, *, to: tuple[str, ...], at: int
) -> Notice:
    """A step of the escalation, for those whom it means."""
    title, waits = _title(row), _WAITS[name]
    return _notice(
        entry,
        row,
        NoticeKind.ORDER_ESCALATED,
        f"{row['id']}.{name.value}.{step}.{stamp(at)}",
        Text(
            zh=f"工单 {row['number']} {waits.zh}，请督办：{title.zh}",
            en=f"Order {row['number']} {waits.en}, see to it: {title.en}",
        ),
        at=at,
        to=to,
    )


def of_nobody(
    entry: Entry,
    row: RowMapping,
    name: ClockName,
    step: int,
    roles: Sequence[Role],
    *,
    at: int,
) -> Notice:
    """Steps have nobody in them, or (without a role) nobody is there to take the order at all."""
    title = _title(row)
    who = Text(zh="技工、领班在岗", en="technician or foreman on duty")
    if roles:
        names = [NAMES[role] for role in dict.fromkeys(roles)]
        who = Text(
            zh="、".join(one.zh for one in names) + "可通知",
            en=" and no ".join(one.en.lower() for one in names),
        )
    return _notice(
        entry,
        row,
        NoticeKind.NOBODY_THERE,
        f"{row['id']}.{name.value}.{step}.{stamp(at)}",
        Text(
            zh=f"工单 {row['number']} 无{who.zh}，已上报：{title.zh}",
            en=f"Order {row['number']} has no {who.en}, passed on: {title.en}",
        ),
        at=at,
        to=(),
    )


def _notice(
    entry: Entry,
    row: RowMapping,
    kind: NoticeKind,
    about: str,
    title: Text,
    *,
    at: int,
    to: tuple[str, ...],
    contractor_link: str | None = None,
) -> Notice:
    return Notice(
        id=f"{kind}.{about}",
        kind=kind,
        at=at,
        subject=row["id"],
        title=title,
        priority=Priority(row["priority"]),
        to=to,
        life_safety=_is_life_safety(entry, row),
        area=row["area"],
        equipment=Text(**row["equipment_name"]),
        contractor_link=contractor_link,
    )


def _title(row: RowMapping) -> Text:
    return Text(**row["title"])


def _is_life_safety(entry: Entry, row: RowMapping) -> bool:
    """Whether one of its alarms is of fire or entrapment, or somebody has said so."""
    if is_life_safety(row["category"], Priority(row["priority"])):
        return True
    known = {"site": entry.site, "order": row["id"]}
    return entry.connection.execute(_LIFE_SAFETY, known).first() is not None
