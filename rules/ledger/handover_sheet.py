"""The sheet of a handover, composed of what the ledger and the readings say at one moment."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from gateway.latest import Current
from gateway.model.equipment import Equipment
from gateway.model.point import Point, PointKind, Text
from rules.alarms.conditions import State
from rules.alarms.lifecycle import AlarmState
from rules.handover import wording
from rules.handover.book import RunningPoint
from rules.handover.facts import AnswerKind
from rules.handover.sheet import Line, Section, SectionKey
from rules.handover.wording import alarm_title
from rules.ledger import handover_works, shift_log_lines, shift_log_view
from rules.ledger.aside import ShelfInForce
from rules.ledger.handover_facts import Scene, is_known, names_of
from rules.ledger.rows import Alarm
from rules.ledger.tables.work import condition

_MOST = 200
"""Lines of a section; the last one says how many more there are."""
_ASIDE = (AlarmState.SUPPRESSED, AlarmState.OUT_OF_SERVICE)


def compose(scene: Scene) -> list[Section]:
    """Every section in its order, empty ones too."""
    sections = {
        SectionKey.PEOPLE: _people(scene),
        SectionKey.RUNNING: [_unit(*unit, scene) for unit in scene.running()],
        SectionKey.OUT_OF_BAND: _out_of_band(scene),
        SectionKey.ALARMS: [
            _alarm(scene, alarm)
            for alarm in scene.alarms
            if alarm.state not in (*_ASIDE, AlarmState.SHELVED)
        ],
        SectionKey.SHELVED: [_shelf(scene, shelf) for shelf in scene.view.shelves()],
        SectionKey.SUPPRESSED: _put_aside(scene),
        SectionKey.ORDERS: handover_works.orders(scene),
        SectionKey.ROUNDS: handover_works.rounds(scene),
        SectionKey.CHANGES: _changes(scene),
        SectionKey.PLANNED: handover_works.planned(scene),
        SectionKey.WRITTEN: _written(scene),
    }
    return [Section(key=key, lines=_few(lines)) for key, lines in sections.items()]


def since(scene: Scene, given_at: int) -> Section:
    """What has come up since the outgoing crew signed at ``given_at`` (µs UTC): carried over."""
    lines = [
        _alarm(scene, alarm)
        for alarm in scene.alarms
        if max(alarm.raised_at, alarm.last_raised_at or 0) >= given_at
    ]
    return Section(key=SectionKey.SINCE, lines=_few(lines))


def shelf_subject(rule: str, equipment: str) -> str:
    """What an answer about a shelf is about."""
    return f"{rule} {equipment}"


def is_approved(scene: Scene, shelf: ShelfInForce) -> bool:
    """Whether the incoming crew has said that this very shelf stays."""
    subject = shelf_subject(shelf.rule, shelf.alarm.equipment)
    given = scene.facts.answers.get((AnswerKind.SHELF, subject))
    return given is not None and given.value == shelf.since


def _few(lines: Sequence[Line]) -> Sequence[Line]:
    if len(lines) <= _MOST:
        return lines
    more = len(lines) - _MOST
    return [*lines[:_MOST], Line(text=Text(zh=f"另有 {more} 条", en=f"and {more} more"))]


def _people(scene: Scene) -> list[Line]:
    log, of = scene.log, scene.handover
    off = "、".join(one.name for one in log.crew)
    lines = [
        Line(
            text=Text(
                zh=f"交班 {log.name.zh} {log.team_name.zh}：{off or '无人'}",
                en=f"Off: {log.name.en}, {log.team_name.en}: {off or 'nobody'}",
            )
        )
    ]
    on = "、".join(scene.facts.relief.values())
    lines.append(
        Line(
            text=Text(
                zh=f"接班 {of.next_name.zh} {of.next_team_name.zh}：{on or '无人'}",
                en=f"On: {of.next_name.en}, {of.next_team_name.en}: {on or 'nobody'}",
            )
        )
    )
    due = of.next_starts_at - scene.book.arrive
    for arrival in of.arrivals:
        late = max(0, arrival.at - due) // 60_000_000
        role = ("，替班", ", stands in") if arrival.stands_in else ("", "")
        tail = (f"，迟到 {late} 分钟", f", {late} min late") if late else ("", "")
        text = Text(
            zh=f"{arrival.name} 已签到{role[0]}{tail[0]}",
            en=f"{arrival.name} has signed in{role[1]}{tail[1]}",
        )
        lines.append(Line(text=text, at=arrival.at))
    lines += [
        Line(
            text=wording.of_notice(
                at=one.at, handover=of.id, kind=one.kind.value, told=one.people
            ).text,
            at=one.at,
        )
        for one in of.notices
    ]
    for problem in () if scene.relief is None else scene.relief.problems:
        lines.append(Line(text=problem.text, mark="minor"))
    return lines


def _unit(thing: Equipment, row: RunningPoint, current: Current | None, scene: Scene) -> Line:
    points = {point.key: point for point in thing.points}
    if current is None or not is_known(current):
        mark, said = "unknown", Text(zh="不明", en="unknown")
    elif current.reading.value == row.equals:
        mark, said = "running", Text(zh="运行", en="running")
    else:
        mark, said = "standing", Text(zh="停止", en="standing")
    zh, en = f"{thing.name.zh}：{said.zh}", f"{thing.name.en}: {said.en}"
    for key in row.shown:
        point, shown = points.get(key), scene.currents.get(f"{thing.id}.{key}")
        if point is None or shown is None or not is_known(shown):
            continue
        value = _value(point, shown.reading.value)
        zh, en = f"{zh}，{point.name.zh} {value}", f"{en}, {point.name.en} {value}"
    at = None if current is None else current.reading.received
    return Line(text=Text(zh=zh, en=en), about=thing.id, kind="equipment", at=at, mark=mark)


def _out_of_band(scene: Scene) -> list[Line]:
    """What breaches a rule now and has no alarm of its own on this sheet."""
    told = {(alarm.rule, alarm.equipment) for alarm in scene.alarms}
    query = select(condition).where(
        condition.c.site_id == scene.view.site,
        condition.c.state.in_([State.PENDING.name.lower(), State.ACTIVE.name.lower()]),
    )
    lines = []
    for row in scene.view.connection.execute(query).mappings():
        rule = scene.rulebook.rules.get(row["rule"])
        thing = scene.site.equipment.get(row["equipment"])
        if rule is None or thing is None or (rule.id, thing.id) in told:
            continue
        point = next((one for one in thing.points if one.key == rule.point), None)
        title, value = alarm_title(thing.name, rule.name), row["value"]
        shown = "" if point is None or value is None else f" {_value(point, value)}"
        lines.append(
            Line(
                text=Text(zh=f"{title.zh}{shown}", en=f"{title.en}{shown}"),
                about=thing.id,
                kind="equipment",
                at=row["since_wall"],
                mark=rule.priority.value,
            )
        )
    return lines


def _value(point: Point, value: float | None) -> str:
    if value is None:
        return "—"
    if point.kind is PointKind.NUMBER:
        return f"{value:.{point.decimals}f} {point.unit}".rstrip()
    state = point.states.get(int(value))
    return f"{value:.10g}" if state is None else state.zh


def _alarm(scene: Scene, alarm: Alarm) -> Line:
    title = alarm_title(alarm.equipment_name, alarm.name)
    told = _ALARM_STATES[alarm.state]
    zh, en = f"{title.zh}（{told.zh}）", f"{title.en} ({told.en})"
    why = (alarm.note or "").strip() or scene.explanations.get(alarm.id)
    if why:
        zh, en = f"{zh} {why}", f"{en} {why}"
    if alarm.order is not None:
        zh, en = f"{zh} 工单 #{alarm.order.number}", f"{en} order #{alarm.order.number}"
    return Line(
        text=Text(zh=zh, en=en),
        about=alarm.id,
        kind="alarm",
        at=alarm.raised_at,
        mark=alarm.priority.value,
    )


_ALARM_STATES = {
    AlarmState.UNACKNOWLEDGED: Text(zh="未确认", en="not acknowledged"),
    AlarmState.ACKNOWLEDGED: Text(zh="已确认", en="acknowledged"),
    AlarmState.RETURNED_UNACKNOWLEDGED: Text(zh="已恢复，未确认", en="returned, not acknowledged"),
    AlarmState.LATCHED: Text(zh="已恢复，待复位", en="returned, to be reset"),
    AlarmState.SHELVED: Text(zh="已搁置", en="shelved"),
    AlarmState.SUPPRESSED: Text(zh="被抑制", en="suppressed"),
    AlarmState.OUT_OF_SERVICE: Text(zh="设备停用", en="out of service"),
}


def _shelf(scene: Scene, shelf: ShelfInForce) -> Line:
    title = alarm_title(shelf.alarm.equipment_name, shelf.alarm.name)
    approved = is_approved(scene, shelf)
    said = ("接班已确认", "approved") if approved else ("待接班确认", "to be approved")
    return Line(
        text=Text(
            zh=f"{title.zh}：{shelf.reason}（{said[0]}）",
            en=f"{title.en}: {shelf.reason} ({said[1]})",
        ),
        about=shelf.alarm.id,
        kind="alarm",
        at=shelf.since,
        mark="approved" if approved else "",
    )


def _put_aside(scene: Scene) -> list[Line]:
    breaks = [
        Line(
            text=Text(
                zh=f"{name.zh} 停用：{one.reason}", en=f"{name.en} out of service: {one.reason}"
            ),
            about=one.equipment,
            kind="equipment",
            at=one.since,
        )
        for one in scene.view.service_breaks()
        for name in (_equipment_name(scene, one.equipment),)
    ]
    return [*breaks, *(_alarm(scene, one) for one in scene.alarms if one.state in _ASIDE)]


def _equipment_name(scene: Scene, equipment: str) -> Text:
    thing = scene.site.equipment.get(equipment)
    return Text(zh=equipment, en=equipment) if thing is None else thing.name


def _changes(scene: Scene) -> list[Line]:
    """What is not as it was when the shift began."""
    called = names_of(scene.site, scene.rulebook)
    lines = [
        Line(
            text=Text(
                zh=f"{line.text.zh}{f'，{line.note}' if line.note else ''}（{line.by_name}）",
                en=f"{line.text.en}{f', {line.note}' if line.note else ''} ({line.by_name})",
            ),
            about=line.about,
            at=line.at,
        )
        for line in shift_log_lines.deeds_of(scene.view, scene.log, scene.now, called)
    ]
    files = (
        (scene.log.rulebook, scene.rulebook.fingerprint, Text(zh="规则文件", en="Rule files")),
        (scene.log.site_file, scene.site.fingerprint, Text(zh="站点文件", en="Site file")),
    )
    for before, after, name in files:
        if before != after:
            text = Text(
                zh=f"{name.zh}已变更：{before} → {after}", en=f"{name.en}: {before} → {after}"
            )
            lines.append(Line(text=text))
    return lines


def _written(scene: Scene) -> list[Line]:
    """What people wrote, without what was corrected."""
    entries = shift_log_view.entries(scene.view, scene.log.id)
    corrected = {one.corrects for one in entries}
    return [
        Line(
            text=Text(zh=f"{one.text}（{one.by_name}）", en=f"{one.text} ({one.by_name})"),
            at=one.happened_at,
        )
        for one in entries
        if one.id not in corrected
    ]
