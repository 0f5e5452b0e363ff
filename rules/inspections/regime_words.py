"""A regime in words: when it is due, and within which hours. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.model.moment import MINUTE
from gateway.model.point import Text
from rules.inspections.recurrence import Recurrence
from rules.inspections.regime import Days, Level, LocalTime, Regime, ShiftWindow, Window

_WEEKDAYS = (
    Text(zh="周一", en="Monday"),
    Text(zh="周二", en="Tuesday"),
    Text(zh="周三", en="Wednesday"),
    Text(zh="周四", en="Thursday"),
    Text(zh="周五", en="Friday"),
    Text(zh="周六", en="Saturday"),
    Text(zh="周日", en="Sunday"),
)
_BY_DAY = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EVERY: Mapping[Level, Text] = {
    Level.SHIFT: Text(zh="每班", en="every shift"),
    Level.DAILY: Text(zh="每天", en="every day"),
    Level.WEEKLY: Text(zh="每{weekday.zh}", en="every {weekday.en}"),
    Level.HALF_MONTHLY: Text(zh="每半月第 {day} 天", en="day {day} of every half month"),
    Level.MONTHLY: Text(zh="每月 {day} 日", en="day {day} of every month"),
    Level.QUARTERLY: Text(
        zh="每季第 {month} 个月 {day} 日", en="day {day} of month {month} of every quarter"
    ),
    Level.HALF_YEARLY: Text(
        zh="每半年第 {month} 个月 {day} 日", en="day {day} of month {month} of every half year"
    ),
    Level.YEARLY: Text(
        zh="每年 {month} 月 {day} 日", en="day {day} of month {month} of every year"
    ),
}


def when(regime: Regime) -> Text:
    """On which days."""
    if regime.recurs is not None:
        words = _by_rule(regime.recurs)
    else:
        place = {
            "weekday": _WEEKDAYS[((regime.on or 1) - 1) % 7],
            "day": regime.on,
            "month": regime.month,
        }
        every = _EVERY[regime.level]
        words = Text(zh=every.zh.format(**place), en=every.en.format(**place))
    if regime.days is Days.ALL:
        return words
    if regime.level in (Level.SHIFT, Level.DAILY):
        return Text(zh=f"{words.zh}，仅工作日", en=f"{words.en}, working days only")
    return Text(zh=f"{words.zh}，休息日改到工作日", en=f"{words.en}, moved to a working day")


def _by_rule(recurs: Recurrence) -> Text:
    """A plain rule in words, any other as it is written."""
    said = dict(part.split("=", 1) for part in recurs.rule.split(";"))
    every, days = said.pop("FREQ"), said.pop("BYDAY", "").split(",")
    months = said.pop("BYMONTH", "")
    named = [_WEEKDAYS[_BY_DAY.index(day)] for day in days if day in _BY_DAY]
    is_plain = every == "WEEKLY" or (every == "DAILY" and days == [""])
    if said or recurs.starts is not None or not is_plain:
        shown = recurs.rule if recurs.starts is None else f"{recurs.rule} ({recurs.starts})"
        return Text(zh=shown, en=shown)
    zh = "每" + "、".join(day.zh for day in named) if named else "每天"
    en = f"every {', '.join(day.en for day in named) or 'day'}"
    if not months:
        return Text(zh=zh, en=en)
    names = [_MONTHS[int(month) - 1] for month in months.split(",")]
    return Text(zh=f"{zh}（{months.replace(',', '、')} 月）", en=f"{en} in {', '.join(names)}")


def hours(regime: Regime, area: str | None) -> Text:
    """Within which hours in ``area``."""
    if regime.shift_window is not None:
        return _of_shift(regime.shift_window)
    return _of_day(regime.window_in(area))


def _of_day(window: Window) -> Text:
    opens, due, late = map(_local, (window.opens, window.due, window.late_until))
    return Text(
        zh=f"{opens.zh} 至 {due.zh}，最迟 {late.zh}",
        en=f"{opens.en} to {due.en}, at the latest {late.en}",
    )


def _local(at: LocalTime) -> Text:
    clock = f"{at.minutes // 60:02d}:{at.minutes % 60:02d}"
    if at.days == 0:
        return Text(zh=clock, en=clock)
    behind = Text(zh=f"{at.days} 天后", en=f"{at.days} days later")
    if at.days == 1:
        behind = Text(zh="次日", en="the day after")
    return Text(zh=f"{behind.zh} {clock}", en=f"{clock} {behind.en}")


def _of_shift(window: ShiftWindow) -> Text:
    before, late = window.due_before_end // MINUTE, window.late_by // MINUTE
    opens = Text(
        zh=f"接班后 {window.opens_after // MINUTE} 分钟",
        en=f"{window.opens_after // MINUTE} min into the shift",
    )
    if window.opens_before_end is not None:
        ahead = window.opens_before_end // MINUTE
        opens = Text(zh=f"交班前 {ahead} 分钟", en=f"{ahead} min before the end of the shift")
    return Text(
        zh=f"{opens.zh}至交班前 {before} 分钟，最迟再过 {late} 分钟",
        en=f"from {opens.en} to {before} min before its end, at the latest {late} min after that",
    )
