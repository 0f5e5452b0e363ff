"""What a rule watches, said in both languages. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.model.point import Text
from rules.formula import Formula
from rules.measures import (
    Absent,
    Calculated,
    Comparison,
    Count,
    Hours,
    NoData,
    Outside,
    Rate,
    Unchanged,
)
from rules.rule import Gate, Rule
from rules.rulebook_checks import KnownPoint
from rules.span_words import span_words
from rules.twins import is_of_twin, key_of

_SIGNS = {
    Comparison.ABOVE: Text(zh="高于", en="above"),
    Comparison.BELOW: Text(zh="低于", en="below"),
    Comparison.EQUALS: Text(zh="为", en="is"),
    Comparison.NOT_EQUALS: Text(zh="不为", en="is not"),
}
_DAYS = Text(zh="一二三四五六日", en="Mon Tue Wed Thu Fri Sat Sun")


def condition_words(rule: Rule, points: Mapping[str, KnownPoint]) -> Text:
    """When it raises, without its delay; ``points``: those of its class by key."""
    said = _Sayer(points)
    whole = said.watched(rule)
    for gate in rule.gates:
        whole = Text(
            zh=f"{whole.zh}，且{said.gate(gate).zh}", en=f"{whole.en}, while {said.gate(gate).en}"
        )
    if rule.clear is not None:
        until = said.gate(rule.clear)
        whole = Text(zh=f"{whole.zh}；直到{until.zh}", en=f"{whole.en}; until {until.en}")
    if rule.hours is not None:
        hours = _hours(rule.hours)
        whole = Text(zh=f"{whole.zh}；仅 {hours.zh}", en=f"{whole.en}; only {hours.en}")
    return whole


@dataclass(frozen=True)
class _Sayer:
    points: Mapping[str, KnownPoint]

    def gate(self, gate: Gate) -> Text:
        return self.compared(gate.point, gate.comparison, gate.limit)

    def watched(self, rule: Rule) -> Text:
        condition, name = rule.condition, self.name(rule.point)
        limit = f"{condition.limit:g} {rule.unit(self.unit(rule.point))}".rstrip()
        sign = _SIGNS[condition.comparison]
        match condition.measure:
            case None:
                return self.compared(rule.point, condition.comparison, condition.limit)
            case Rate(per=per, over=over):
                each, window = span_words(per), span_words(over)
                zh = f"{name.zh}每 {each.zh}的变化（近 {window.zh}）{sign.zh} {limit}"
                en = f"change of {name.en} per {each.en} over {window.en} {sign.en} {limit}"
            case Outside(low=low, high=high, over=over):
                window = span_words(over)
                band = f"{'' if low is None else f'{low:g}'}…{'' if high is None else f'{high:g}'}"
                zh = f"近 {window.zh}内{name.zh}超出 {band} 的时间{sign.zh} {limit}"
                en = f"{name.en} outside {band} for a share {sign.en} {limit} of {window.en}"
            case Count(over=over) as count:
                event, window = self.counted(rule.point, count), span_words(over)
                zh = f"近 {window.zh}内{event.zh}的次数{sign.zh} {limit}"
                en = f"{event.en}, times in {window.en} {sign.en} {limit}"
            case Unchanged(by=by):
                zh, en = f"{name.zh}变化不超过 {by:g}", f"{name.en} changes by no more than {by:g}"
            case NoData():
                zh, en = f"{name.zh}没有有效读数", f"no good reading of {name.en}"
            case Absent() as absent:
                after = self.compared(rule.point, absent.comparison, absent.value)
                missing = self.compared(absent.point, absent.expected, absent.expected_value)
                zh = f"{after.zh}之后没有出现：{missing.zh}"
                en = f"after {after.en}, not followed by {missing.en}"
            case Calculated(formula=formula, is_of_point=True):
                apart = self.apart(formula)
                zh, en = f"{apart.zh}{sign.zh} {limit}", f"{apart.en} {sign.en} {limit}"
            case Calculated(formula=formula):
                if formula.is_truth:
                    return Text(zh=formula.text, en=formula.text)
                zh, en = f"{formula.text} {sign.zh} {limit}", f"{formula.text} {sign.en} {limit}"
        return Text(zh=zh, en=en)

    def apart(self, formula: Formula) -> Text:
        """Of ``difference`` and ``distance``."""
        one, other = self.name(formula.points[0]), self.name(formula.points[-1])
        if formula.text.startswith("abs"):
            return Text(zh=f"{one.zh}与{other.zh}之差", en=f"{one.en}, apart from {other.en},")
        return Text(zh=f"{one.zh}减{other.zh}", en=f"{one.en} less {other.en}")

    def counted(self, key: str, count: Count) -> Text:
        if count.comparison is None:
            name = self.name(key)
            return Text(zh=f"{name.zh}变化", en=f"{name.en} changed")
        return self.compared(key, count.comparison, count.value)

    def compared(self, key: str, comparison: Comparison, limit: float) -> Text:
        name, sign, value = self.name(key), _SIGNS[comparison], self.value(key, limit)
        return Text(zh=f"{name.zh}{sign.zh}{value.zh}", en=f"{name.en} {sign.en} {value.en}")

    def name(self, key: str) -> Text:
        point = self.points.get(key_of(key))
        name = Text(zh=key, en=key) if point is None else point.name
        if is_of_twin(key) and point is not None:
            return Text(zh=f"对照设备的{name.zh}", en=f"{name.en} of its twin")
        return name

    def unit(self, key: str) -> str:
        point = self.points.get(key_of(key))
        return "" if point is None else point.unit

    def value(self, key: str, limit: float) -> Text:
        point = self.points.get(key_of(key))
        state = None if point is None else point.states.get(int(limit))
        if state is not None and limit == int(limit):
            return Text(zh=f"“{state.zh}”", en=state.en)
        plain = f"{limit:g} {self.unit(key)}".rstrip()
        return Text(zh=f" {plain}", en=plain)


def _hours(hours: Hours) -> Text:
    when = f"{_minute(hours.begin)}–{_minute(hours.end)}"
    if len(hours.days) == 7:
        return Text(zh=when, en=when)
    days = sorted(hours.days)
    zh = "、".join(f"周{_DAYS.zh[day]}" for day in days)
    en = ", ".join(_DAYS.en.split()[day] for day in days)
    return Text(zh=f"{zh} {when}", en=f"{en} {when}")


def _minute(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
