"""One line of a round in words: the limits, the answer, and what proves it."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.model.equipment import Site
from gateway.model.moment import SECOND, iso
from gateway.model.quality import Quality
from rules.inspections.items import RoundItem
from rules.inspections.judge import ItemState, ProvedBy, Value
from rules.inspections.regime import Answer
from rules.ledger.round_rows import KeptItem, RoundEntry

_VERDICTS: Mapping[ItemState, str] = {
    ItemState.PASSED: "合格",
    ItemState.FAILED: "不合格",
    ItemState.WAITING: "未检",
    ItemState.HANDED_OVER: "未检",
}
_QUALITIES: Mapping[Quality, str] = {
    Quality.GOOD: "有效",
    Quality.UNCERTAIN: "可疑",
    Quality.STALE: "过期",
    Quality.BAD: "无效",
}


def line(site: Site, kept: KeptItem, photos: int) -> list[str]:
    """Its limits, its answer, the verdict, and what proves it; ``photos``: how many count."""
    return [
        limits(kept.item),
        _answer(kept),
        _VERDICTS[kept.state],
        "\n".join(_proof(site, kept, photos)),
    ]


def limits(item: RoundItem) -> str:
    band, unit = item.band, f" {item.unit}" if item.unit else ""
    if band.equals is not None:
        return f"＝{band.equals:g}{unit}"
    if band.low is not None and band.high is not None:
        return f"{band.low:g}～{band.high:g}{unit}"
    if band.low is not None:
        return f"≥{band.low:g}{unit}"
    return "—" if band.high is None else f"≤{band.high:g}{unit}"


def minute(site: Site, wall: int) -> str:
    """To the minute, by the site's clocks."""
    return iso(wall, site.zone)[:16].replace("T", " ")


def _answer(kept: KeptItem) -> str:
    if kept.entry is not None:
        return _said(kept.item, kept.entry.value)
    if kept.reading is not None and kept.item.is_automatic:
        return _read(kept.reading)
    return ""


def _said(item: RoundItem, value: Value) -> str:
    if item.answer is Answer.TICK:
        return "是" if value else "否"
    if item.answer is Answer.CHOICE:
        return next((one.name.zh for one in item.choices if one.key == value), str(value))
    if item.answer is Answer.NUMBER and isinstance(value, int | float):
        return f"{value:.10g} {item.unit}".strip()
    return str(value)


def _read(reading: ProvedBy) -> str:
    value = f"{reading.value:.6g} {reading.unit}".strip()
    return value if reading.text is None else f"{value} {reading.text.zh}"


def _proof(site: Site, kept: KeptItem, photos: int) -> list[str]:
    said = []
    if kept.reading is not None:
        said += _of_telemetry(site, kept, kept.reading)
    if kept.entry is not None:
        said += _of_person(site, kept, kept.entry)
    if kept.scan is not None and kept.scan.scanned_at is not None:
        said.append(f"扫码 {kept.scan.scanned} {minute(site, kept.scan.scanned_at)}")
    if photos:
        said.append(f"照片 {photos} 张")
    if kept.why is not None and kept.state is not ItemState.PASSED and kept.entry is None:
        said.append(kept.why.zh)
    return said


def _of_telemetry(site: Site, kept: KeptItem, reading: ProvedBy) -> list[str]:
    proposed = "" if kept.item.is_automatic else f"建议值 {_read(reading)}，"
    said = []
    if reading.received_at is not None:
        age = "" if reading.age is None else f"，龄期 {reading.age / SECOND:.1f} 秒"
        at = minute(site, reading.received_at)
        said.append(f"{proposed}遥测 {at}{age}，{_QUALITIES[reading.quality]}")
    if reading.source_time is not None and reading.source_time != reading.received_at:
        said.append(f"设备时间 {iso(reading.source_time, site.zone)[:19].replace('T', ' ')}")
    if reading.window is not None:
        said.append(reading.window.told().zh)
    return said


def _of_person(site: Site, kept: KeptItem, entry: RoundEntry) -> list[str]:
    said = [f"{entry.by_name or entry.by} {minute(site, entry.taken_at or entry.received_at)}"]
    compared = entry.compared
    if compared is not None and compared.difference is not None:
        differs = "" if compared.agrees is not False else "，与仪表不一致"
        unit = kept.item.unit
        said.append(f"传感器 {compared.value:g} {unit}，相差 {compared.difference:+g}{differs}")
    elif compared is not None and compared.why is not None:
        said.append(f"未比对：{compared.why.zh}")
    if entry.note:
        said.append(entry.note)
    return said
