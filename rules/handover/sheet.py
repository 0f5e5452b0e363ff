"""The sheet of a handover: what is handed over, as sections of lines. Pure.

What was signed is the canonical JSON of such a sheet with everything that was said about it; its
hash proves that it is what it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import orjson

from gateway.model.point import Text


class SectionKey(StrEnum):
    """In the order of the sheet."""

    PEOPLE = "people"
    RUNNING = "running"
    OUT_OF_BAND = "out_of_band"
    ALARMS = "alarms"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    ORDERS = "orders"
    ROUNDS = "rounds"
    CHANGES = "changes"
    PLANNED = "planned"
    WRITTEN = "written"
    SINCE = "since"
    """What has come up since the outgoing crew signed, and does not stop the handover."""


TITLES: Mapping[SectionKey, Text] = {
    SectionKey.PEOPLE: Text(zh="交接班人员", en="People on and off"),
    SectionKey.RUNNING: Text(zh="运行设备", en="Running units"),
    SectionKey.OUT_OF_BAND: Text(zh="超出范围的读数", en="Readings out of band"),
    SectionKey.ALARMS: Text(zh="未结束的报警", en="Open alarms"),
    SectionKey.SHELVED: Text(zh="搁置的报警（须接班确认）", en="Shelved alarms (to be approved)"),
    SectionKey.SUPPRESSED: Text(
        zh="被抑制的报警与停用设备", en="Suppressed alarms and equipment out of service"
    ),
    SectionKey.ORDERS: Text(zh="未完成的工单", en="Orders not finished"),
    SectionKey.ROUNDS: Text(zh="未完成的巡检", en="Rounds not finished"),
    SectionKey.CHANGES: Text(zh="本班变更", en="Changed on this watch"),
    SectionKey.PLANNED: Text(zh="计划的工作与测试", en="Planned works and tests"),
    SectionKey.WRITTEN: Text(zh="本班手写记录", en="Written on this watch"),
    SectionKey.SINCE: Text(zh="交班签字之后", en="Since the outgoing crew signed"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    text: Text
    about: str = ""
    """Id of what it is about, and ``kind`` what that is: alarm, order, round, equipment, test,
    plan."""
    kind: str = ""
    at: int | None = None
    """µs UTC: since when, or when."""
    mark: str = ""
    """A priority, or ``running``, ``standing``, ``unknown``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    key: SectionKey
    lines: Sequence[Line]


Sheet = Sequence[Section]


def frozen(document: Mapping[str, Any]) -> tuple[str, str]:
    """``document`` as the text that is signed, and its hash (SHA-256, hex)."""
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return text.decode(), hashlib.sha256(text).hexdigest()


def is_as_signed(text: str, digest: str) -> bool:
    return hashlib.sha256(text.encode()).hexdigest() == digest


def as_document(sheet: Sheet) -> list[dict[str, Any]]:
    """``sheet`` as JSON."""
    return [
        {"key": section.key.value, "lines": [asdict(line) for line in section.lines]}
        for section in sheet
    ]


def of_document(document: Sequence[Mapping[str, Any]]) -> list[Section]:
    """What :func:`as_document` made."""
    return [
        Section(
            key=SectionKey(section["key"]),
            lines=[Line(**{**line, "text": Text(**line["text"])}) for line in section["lines"]],
        )
        for section in document
    ]
