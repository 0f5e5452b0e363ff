"""A clock in words: what is allowed, from when, by which calendar, what did not count and why, and
how it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from gateway.model.moment import DAY, SECOND
from gateway.model.point import Text
from rules.orders.clock import CalendarKind, Clock, ClockName, ClockState, Pause, Standing
from rules.span_words import span_words

NAMES: Mapping[ClockName, Text] = {
    ClockName.RESPOND: Text(zh="接单", en="accept"),
    ClockName.ARRIVE: Text(zh="到场", en="be on site"),
    ClockName.COMPLETE: Text(zh="完工", en="complete"),
}
WHYS: Mapping[str, Text] = {
    "parts": Text(zh="等配件", en="waiting for parts"),
    "owner": Text(zh="等业主", en="waiting for the owner"),
    "contractor": Text(zh="等外委单位", en="waiting for a contractor"),
    "other": Text(zh="其他原因", en="another reason"),
    "done": Text(zh="已完工待复查", en="it lay completed"),
}
"""Why a clock did not run."""


def explain(clock: Clock, standing: Standing, pauses: Sequence[Pause], zone: tzinfo = UTC) -> Text:
    """Every second of the clock accounted for."""
    parts = [
        _allowed(clock, zone),
        *_paused(clock, standing, pauses),
        *_now(clock, standing, zone),
        _rest(clock, standing, zone),
    ]
    return Text(zh="；".join(part.zh for part in parts), en="; ".join(part.en for part in parts))


def _allowed(clock: Clock, zone: tzinfo) -> Text:
    limit, what = _limit(clock), NAMES[clock.name]
    in_working_time = clock.calendar is CalendarKind.WORKING_TIME
    if clock.started is None:
        return Text(
            zh=f"{what.zh}限时 {limit.zh}，自接单起算",
            en=f"{limit.en} allowed to {what.en}, counted from acceptance",
        )
    at = _moment(clock.started.wall, zone)
    how = (
        Text(zh="只计工作时间", en="in working time only")
        if in_working_time
        else Text(zh="全天计时", en="day and night")
    )
    return Text(
        zh=f"{what.zh}限时 {limit.zh}，自 {at} 起{how.zh}",
        en=f"{limit.en} allowed to {what.en}, counted from {at} {how.en}",
    )


def _paused(clock: Clock, standing: Standing, pauses: Sequence[Pause]) -> list[Text]:
    """How long it did not count altogether, and why."""
    started = clock.started
    if started is None or standing.paused <= 0:
        return []
    whys = list(
        dict.fromkeys(
            pause.why for pause in pauses if pause.end is None or pause.end.since(started) > 0
        )
    )
    span = span_words(standing.paused)
    zh = "、".join(_why(why).zh for why in whys)
    en = ", ".join(_why(why).en for why in whys)
    return [Text(zh=f"其中暂停 {span.zh} 不计（{zh}）", en=f"paused for {span.en} ({en})")]


def _now(clock: Clock, standing: Standing, zone: tzinfo) -> list[Text]:
    """Why it does not run at the moment."""
    if not clock.is_running:
        return []
    if standing.pause is not None:
        why, since = _why(standing.pause.why), _moment(standing.pause.start.wall, zone)
        return [Text(zh=f"自 {since} 暂停至今：{why.zh}", en=f"paused since {since}: {why.en}")]
    if standing.is_outside:
        return [Text(zh="现为非工作时间，不计时", en="not running: outside working hours")]
    return []


def _rest(clock: Clock, standing: Standing, zone: tzinfo) -> Text:
    what, rest = NAMES[clock.name], span_words(abs(standing.remaining))
    at = _moment(standing.due.wall, zone)
    if clock.started is None:
        return Text(zh=f"余 {rest.zh}，尚未起算", en=f"all {rest.en} left, not begun")
    if clock.stopped is not None:
        late = standing.state is ClockState.BREACHED
        zh, en = ("超时", "too late") if late else ("余", "to spare")
        return Text(
            zh=f"应于 {at} 前{what.zh}，已{what.zh}，{zh} {rest.zh}",
            en=f"due {at}; reached with {rest.en} {en}",
        )
    if standing.remaining <= 0:
        return Text(
            zh=f"应于 {at} 前{what.zh}，已超时 {rest.zh}", en=f"due {at}; {rest.en} too late"
        )
    said = Text(zh=f"还剩 {rest.zh}", en=f"{rest.en} left")
    if clock.breached_at is not None:
        was = _moment(clock.breached_at, zone)
        said = Text(zh=f"曾于 {was} 超时，{said.zh}", en=f"was too late at {was}, {said.en}")
    return Text(zh=f"应于 {at} 前{what.zh}，{said.zh}", en=f"due {at}; {said.en}")


def _why(why: str) -> Text:
    return WHYS.get(why, Text(zh=why, en=why))


def _moment(wall: int, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(wall / SECOND, tz=UTC).astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _limit(clock: Clock) -> Text:
    if clock.calendar is CalendarKind.ALWAYS:
        return span_words(clock.limit)
    days, rest = divmod(clock.limit, DAY)
    span = span_words(rest)
    zh = [f"{days} 个工作日"] if days else []
    en = [f"{days} working {'day' if days == 1 else 'days'}"] if days else []
    if rest or not days:
        zh.append(f"工作时间 {span.zh}")
        en.append(f"{span.en} of working time")
    return Text(zh=" ".join(zh), en=" ".join(en))
