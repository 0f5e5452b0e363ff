"""What the printed form (表格) of a round is filled with, in Chinese."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.reports.round_lines import line, minute
from gateway.model.equipment import Site
from gateway.model.point import Text
from rules.inspections.lifecycle import RoundState
from rules.inspections.regime import Severity
from rules.ledger.offline import OfflineEntry
from rules.ledger.round_rows import KeptItem, Round, RoundFinding, SpotCheck
from rules.ledger.round_summary import AreaSummary

ROUND = "round"
"""The template."""
SEVERITIES: Mapping[Severity, str] = {
    Severity.SERIOUS: "重大",
    Severity.NORMAL: "一般",
    Severity.MINOR: "轻微",
}
_STATES: Mapping[RoundState, str] = {
    RoundState.PLANNED: "未到时间",
    RoundState.DUE: "待检",
    RoundState.IN_PROGRESS: "进行中",
    RoundState.LATE: "超时未完成",
    RoundState.MISSED: "漏检",
    RoundState.DONE: "已完成",
    RoundState.COUNTERSIGNED: "已会签",
    RoundState.VOID: "已撤销",
}
_SIGNED = (RoundState.DONE, RoundState.COUNTERSIGNED)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One round with everything that its form says, as it stands at ``now`` (µs UTC)."""

    site: Site
    round: Round
    items: Sequence[KeptItem]
    findings: Sequence[RoundFinding]
    contained: Sequence[Round]
    """The daily rounds of its period."""
    photos: Mapping[str, int]
    """Line → how many count."""
    checks: Mapping[str, SpotCheck]
    sample: Collection[str]
    summary: Sequence[AreaSummary]
    conflicts: Sequence[OfflineEntry]
    """What phones wrote down without signal, and nobody has decided."""
    now: int


def of_round(of: Record) -> dict[str, Any]:
    """For :data:`ROUND`."""
    site, found = of.site, of.round
    state = found.state(of.now)
    names = {kept.item.key: _about(kept) for kept in of.items}
    return {
        "title": (found.form or found.name).zh,
        "footer": f"{site.name.zh} · {found.id} · 打印于 {minute(site, of.now)}",
        "draft": "" if state in _SIGNED else f"{_STATES[state]}，尚未签字",
        "facts": _facts(of, _STATES[state]),
        "sections": _sections(of),
        "findings": [
            [
                SEVERITIES[one.severity],
                one.text.zh,
                "" if one.order is None else f"{one.order.number} 号",
            ]
            for one in of.findings
        ],
        "contains": _contains(of),
        "summary": [row for one in of.summary for row in _summed(site, one)],
        "checks": [[names.get(key, key), *_checked(site, of.checks.get(key))] for key in of.sample],
        "conflicts": [
            [
                names.get(one.item or "", one.item or "整次巡检"),
                str(one.body.get("value", "")),
                one.by,
                minute(site, one.entered_at),
            ]
            for one in of.conflicts
        ],
        "statement": "" if found.statement is None else found.statement.zh,
        "signatures": _signatures(of),
    }


def _facts(of: Record, state: str) -> list[list[str]]:
    site, found = of.site, of.round
    counts, facts = found.counts, found.facts
    entries = [kept.entry for kept in of.items if kept.entry is not None]
    walked = dict.fromkeys(entry.by_name or entry.by for entry in entries)
    return [
        ["项目", site.name.zh],
        ["巡检", found.name.zh],
        ["区域", "全站" if found.area_name is None else found.area_name.zh],
        ["周期", found.period],
        ["应检时间", f"{minute(site, facts.opens_at)} 至 {minute(site, facts.due_at)}"],
        ["状态", state],
        ["巡检人", "、".join(walked) or "无"],
        [
            "检查项",
            f"共 {counts.total} 项，合格 {counts.passed}，不合格 {counts.failed}，"
            f"未检 {counts.waiting + counts.handed_over}",
        ],
        ["照片", f"{sum(of.photos.values())} 张"],
        ["制度版本", found.version or "—"],
    ]


def _sections(of: Record) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for number, kept in enumerate(of.items, 1):
        title = _zh(kept.item.section) or "检查内容"
        if not made or made[-1]["title"] != title:
            made.append({"title": title, "lines": []})
        photos = of.photos.get(kept.item.key, 0)
        made[-1]["lines"].append([str(number), _about(kept), *line(of.site, kept, photos)])
    return made


def _contains(of: Record) -> list[list[str]]:
    """By regime and area, how many of the daily rounds were due, done and missed."""
    rows: dict[str, list[int]] = {}
    for one in of.contained:
        area = "" if one.area_name is None else f" {one.area_name.zh}"
        row = rows.setdefault(f"{one.name.zh}{area}", [0, 0, 0])
        is_done = one.facts.done_at is not None
        row[0] += is_done or one.facts.due_at <= of.now
        row[1] += is_done
        row[2] += one.state(of.now) is RoundState.MISSED
    return [[name, *map(str, row)] for name, row in rows.items()]


def _summed(site: Site, one: AreaSummary) -> list[list[str]]:
    area = "全站" if one.area is None else site.areas[one.area].name.zh
    return [
        [
            area,
            count.name.zh,
            *map(str, (count.due, count.done, count.late, count.missed)),
            str(sum(count.findings.values())),
            str(count.findings_open),
        ]
        for _, count in sorted(one.regimes.items())
    ]


def _checked(site: Site, check: SpotCheck | None) -> list[str]:
    if check is None:
        return ["未抽查", "", ""]
    said = "与记录一致" if check.agrees else "与记录不符"
    said += f"：{check.note}" if check.note else ""
    return [said, check.by_name or check.by, minute(site, check.at)]


def _signatures(of: Record) -> list[list[str]]:
    found = of.round
    by, facts = found.done_by_name or found.done_by, found.facts
    rows = [_signature(of.site, "巡检人", by, facts.done_at, found.done_note)]
    if found.countersign_role is not None:
        by, note = found.countersigned_by_name or found.countersigned_by, found.countersign_note
        rows.append(_signature(of.site, "会签人", by, facts.countersigned_at, note))
    return rows


def _signature(
    site: Site, whose: str, name: str | None, at: int | None, note: str | None
) -> list[str]:
    return [whose, name or "", "" if at is None else minute(site, at), note or ""]


def _about(kept: KeptItem) -> str:
    item = kept.item
    return item.name.zh if item.equipment is None else f"{item.subject_name.zh} {item.name.zh}"


def _zh(words: Text | None) -> str:
    return "" if words is None else words.zh
