"""The report of a probe as a document, and its hints in words."""

from __future__ import annotations

from typing import Any

from gateway.model.point import Text
from gateway.model.profile import Function
from gateway.probe.plausible import Hint
from gateway.probe.reading import Probed, Report
from gateway.profile.change import ChangeKind

_OF_A_TABLE = 3


def document(report: Report) -> dict[str, Any]:
    """The report for programs; JSON-able. ``raw``: hexadecimal words."""
    return {
        "unit": report.unit,
        "profile": report.profile,
        "answered": report.silence is None,
        "reason": report.silence,
        "restricted": report.restricted,
        "points": [_point(one) for one in report.points],
        "dead_addresses": [
            {
                "unit": report.unit,
                "function": block.function.value,
                "address": address,
                "reason": reason,
            }
            for block, reason in report.dead
            for address in range(block.address, block.end)
        ],
        "asked": [
            {
                "function": one.block.function.value,
                "address": one.block.address,
                "count": one.block.count,
                "outcome": one.outcome,
            }
            for one in report.asked
        ],
        "requests": len(report.asked),
    }


def _point(one: Probed) -> dict[str, Any]:
    said = hint_text(one)
    return {
        "key": one.point.key,
        "name": {"zh": one.point.name.zh, "en": one.point.name.en},
        "value": one.value,
        "text": one.text,
        "unit": one.point.unit,
        "quality": one.quality.word,
        "reason": one.reason,
        "function": one.place.function.value,
        "register": one.register,
        "raw": [f"0x{word:04x}" for word in one.raw],
        "verdict": "unreadable" if one.verdict is None else one.verdict.value,
        "hint": None if said is None else {"zh": said.zh, "en": said.en},
        "changes": [
            {
                "kind": hint.change.kind.value,
                "change": hint.change.told,
                "value": hint.value,
                "mends": hint.mends,
            }
            for hint in one.hints
        ],
    }


def hint_text(one: Probed) -> Text | None:
    """What to try in the profile, the likeliest first; None if nothing would help."""
    if not one.hints:
        return None
    # What mends a whole table leaves no doubt worth reading.
    shown = one.hints[:1] if one.hints[0].mends >= _OF_A_TABLE else one.hints
    said = [_said(one, hint) for hint in shown]
    return Text(zh="；或：".join(text.zh for text in said), en="; or ".join(t.en for t in said))


def _said(one: Probed, hint: Hint) -> Text:
    shown = hint.value if isinstance(hint.value, str) else f"{hint.value:.6g} {one.point.unit}"
    shown = shown.rstrip()
    told = hint.change.told
    match hint.change.kind:
        case ChangeKind.ORDER:
            zh, en = f"字节序 {told} 得 {shown}", f"byte order {told} gives {shown}"
        case ChangeKind.REGISTER:
            other = one.register + hint.change.shift
            zh = f"寄存器 {other}（{told}）得 {shown}"
            en = f"register {other} ({told}) gives {shown}"
        case ChangeKind.SCALE:
            scale = f"{one.place.scale * hint.change.factor:.6g}"
            zh, en = f"倍率 {scale}（{told}）得 {shown}", f"scale {scale} ({told}) gives {shown}"
    if hint.mends > 1:
        zh, en = f"{zh}，同一改动可修正 {hint.mends} 个值", f"{en} and mends {hint.mends} values"
    return Text(zh=zh, en=en)


def dead_spans(report: Report) -> list[tuple[Function, int, int, str]]:
    """Table, first and last register (as the manual numbers them) and reason of each row of
    neighbouring addresses that the device does not have."""
    shift = report.points[0].register - report.points[0].place.address
    spans: list[tuple[Function, int, int, str]] = []
    for block, reason in report.dead:
        first, last = block.address + shift, block.end - 1 + shift
        if spans and spans[-1][::3] == (block.function, reason) and spans[-1][2] == first - 1:
            spans[-1] = (block.function, spans[-1][1], last, reason)
        else:
            spans.append((block.function, first, last, reason))
    return spans
