"""What the printed records of a shift are filled with: 工程值班记录 and 交接班记录, in Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from api.views.shifts import sheet_of
from gateway.model.equipment import Site
from gateway.model.moment import iso
from rules.handover import record
from rules.handover.book import Side
from rules.handover.lifecycle import HandoverState
from rules.handover.sheet import TITLES
from rules.handover.wording import LogLine
from rules.ledger.handover_facts import Scene
from rules.ledger.handover_view import Signature
from rules.ledger.shift_log_view import ShiftLog, WrittenEntry
from rules.people.roles import Via

LOG, HANDOVER = "shift-log", "handover"
"""The templates."""
_SIDES = {Side.OUTGOING: "交班", Side.INCOMING: "接班"}


def of_log(
    site: Site,
    log: ShiftLog,
    entries: Sequence[WrittenEntry],
    lines: Sequence[LogLine],
    now: int,
) -> dict[str, Any]:
    """For :data:`LOG`; times in µs UTC."""
    numbers = {one.id: number for number, one in enumerate(entries, 1)}
    return {
        "footer": f"{site.name.zh} · 打印于 {_minute(site, now)}",
        "facts": [
            ["项目", site.name.zh],
            ["班次", f"{log.date.isoformat()} {log.name.zh}"],
            ["班组", log.team_name.zh],
            ["值班人员", "、".join(one.name for one in log.crew) or "无人"],
            ["开始", _minute(site, log.starts_at)],
            ["结束", _minute(site, log.ends_at)],
        ],
        "entries": [[_times(site, one), _entry(one, numbers), one.by_name] for one in entries],
        "lines": [
            [
                _minute(site, line.at),
                line.text.zh + (f"（{line.note}）" if line.note else ""),
                line.by_name or "系统",
            ]
            for line in lines
        ],
    }


def of_handover(scene: Scene) -> dict[str, Any]:
    """For :data:`HANDOVER`: what was signed, word by word; before that a draft."""
    site, log, of = scene.site, scene.log, scene.handover
    signed = of.signature(Side.INCOMING)
    if signed is None:
        text = record.document(scene, [], side=Side.OUTGOING, by="")
    else:
        text = {**orjson.loads(signed.text), **record.said_in(signed.text)}
    return {
        "footer": f"{site.name.zh} · 打印于 {_minute(site, scene.now)}",
        "remark": _REMARKS.get(of.state, "草稿，尚未双方签字"),
        "facts": [
            ["项目", site.name.zh],
            ["日期", log.date.isoformat()],
            ["交班", f"{log.name.zh} {log.team_name.zh}"],
            ["接班", f"{of.next_name.zh} {of.next_team_name.zh}"],
            ["开始", _minute(site, log.starts_at)],
            ["结束", _minute(site, log.ends_at)],
        ],
        "sections": [
            {
                "title": TITLES[section.key].zh,
                "lines": [[_short(site, log, line.at), line.text.zh] for line in section.lines],
            }
            for section in sheet_of(scene)
        ],
        **_said(text),
        "passed": [
            *(f"{'、'.join(one['clauses'])} {one['text']['zh']}" for one in text["passed"]),
            *(f"{one['by']}：{one['reason']}" for one in text["overrides"]),
        ],
        "signatures": [_signature(site, of.signature(side), side) for side in Side],
        "hash": "" if signed is None else signed.hash,
    }


_REMARKS = {
    HandoverState.SIGNED: "",
    HandoverState.LAPSED: "未办理交接，双方未签字，交接班表未留存",
}


def _said(text: Mapping[str, Any]) -> dict[str, Any]:
    """What both crews have said, in rows."""
    return {
        "questions": [
            [one["text"]["zh"] + _noted(one), _yes(one["value"]), one["by"] or ""]
            for one in text["questions"]
        ],
        "counts": [
            [
                f"{one['room']['zh']} {one['name']['zh']}{_noted(one)}",
                str(one["quantity"]),
                "" if one["value"] is None else str(one["value"]),
                one["by"] or "",
            ]
            for one in text["counts"]
        ],
        "explanations": [
            *([_called(one), one["note"] or "", one["by"]] for one in text["explanations"]),
            *(
                [_called(one), "须双方共同处理" if one["value"] == 1 else "一班可处理", one["by"]]
                for one in text["repairs"]
            ),
        ],
        "shelves": [
            [one["text"]["zh"], one["reason"], "保留" if one["approved"] else "未确认，恢复报警"]
            for one in text["shelves"]
        ],
    }


def _called(one: Mapping[str, Any]) -> str:
    """Of the first version of the document only the id is known."""
    return str(one["text"]["zh"] if "text" in one else one["about"])


def _short(site: Site, log: ShiftLog, at: int | None) -> str:
    """The time of day; of another day than the shift's, with its day."""
    if at is None:
        return ""
    minute = _minute(site, at)
    return minute[11:] if minute[:10] == log.date.isoformat() else minute[5:]


def _entry(one: WrittenEntry, numbers: Mapping[str, int]) -> str:
    corrected = "" if one.corrects is None else f"（更正第 {numbers[one.corrects]} 条）"
    return f"{numbers[one.id]}. {corrected}{one.text}"


def _times(site: Site, one: WrittenEntry) -> str:
    happened, received = _minute(site, one.happened_at), _minute(site, one.received_at)
    return happened if happened == received else f"{happened}\n录入 {received}"


def _signature(site: Site, one: Signature | None, side: Side) -> list[str]:
    if one is None:
        return [_SIDES[side], "", "", ""]
    how = "PIN" if one.via == Via.PIN else "本人登录"
    return [_SIDES[side], one.name, _minute(site, one.at), how]


def _yes(value: int | None) -> str:
    return "未回答" if value is None else "是" if value == 1 else "否"


def _noted(one: Mapping[str, Any]) -> str:
    return f"（{one['note']}）" if one["note"] else ""


def _minute(site: Site, wall: int) -> str:
    """To the minute, by the site's clocks."""
    return iso(wall, site.zone)[:16].replace("T", " ")
