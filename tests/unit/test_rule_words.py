"""What a rule watches, in both languages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from duty_room import HOT, site

from gateway.model.moment import HOUR, MINUTE
from gateway.model.point import Text
from rules.measures import Absent, Count, Hours, NoData, Outside, Rate, Unchanged
from rules.rule import Comparison, Condition, Gate, Rule
from rules.rule_words import condition_words

POINTS = {
    point.key: replace(
        point, states={0: Text(zh="正常", en="well"), 1: Text(zh="故障", en="broken")}
    )
    if point.key == "fault"
    else point
    for point in site().equipment["pump-1"].points
}
ABOVE, EQUALS = Comparison.ABOVE, Comparison.EQUALS


def measured(measure: object, limit: float = 5, comparison: Comparison = ABOVE) -> Rule:
    condition = Condition(comparison=comparison, limit=limit, measure=measure)  # type: ignore[arg-type]
    return replace(HOT, condition=condition)


@pytest.mark.parametrize(
    ("rule", "zh", "en"),
    [
        (HOT, "motor_temperature高于 75 ℃", "motor_temperature above 75 ℃"),
        (
            replace(HOT, point="fault", condition=Condition(comparison=EQUALS, limit=1)),
            "fault为“故障”",
            "fault is broken",
        ),
        (
            replace(HOT, gates=(Gate(point="fault", comparison=EQUALS, limit=0),)),
            "motor_temperature高于 75 ℃，且fault为“正常”",
            "motor_temperature above 75 ℃, while fault is well",
        ),
        (
            replace(HOT, hours=Hours(begin=22 * 60, end=6 * 60, days=frozenset({5, 6}))),
            "motor_temperature高于 75 ℃；仅 周六、周日 22:00–06:00",
            "motor_temperature above 75 ℃; only Sat, Sun 22:00–06:00",
        ),
        (
            measured(Rate(per=MINUTE, over=10 * MINUTE)),
            "motor_temperature每 1 分钟的变化（近 10 分钟）高于 5 ℃/min",
            "change of motor_temperature per 1 min over 10 min above 5 ℃/min",
        ),
        (
            measured(Outside(low=10, high=None, over=HOUR), 20),
            "近 1 小时内motor_temperature超出 10… 的时间高于 20 %",
            "motor_temperature outside 10… for a share above 20 % of 1 h",
        ),
        (
            measured(Count(comparison=None, value=0, over=HOUR)),
            "近 1 小时内motor_temperature变化的次数高于 5",
            "motor_temperature changed, times in 1 h above 5",
        ),
        (
            measured(Unchanged(by=0.5), 1, EQUALS),
            "motor_temperature变化不超过 0.5",
            "motor_temperature changes by no more than 0.5",
        ),
        (
            measured(NoData(), 1, EQUALS),
            "motor_temperature没有有效读数",
            "no good reading of motor_temperature",
        ),
        (
            replace(
                measured(
                    Absent(
                        comparison=EQUALS,
                        value=1,
                        point="speed",
                        expected=ABOVE,
                        expected_value=0,
                    ),
                    1,
                    EQUALS,
                ),
                point="fault",
            ),
            "fault为“故障”之后没有出现：speed高于 0",
            "after fault is broken, not followed by speed above 0",
        ),
    ],
)
def test_in_words(rule: Rule, zh: str, en: str) -> None:
    assert condition_words(rule, POINTS) == Text(zh=zh, en=en)
