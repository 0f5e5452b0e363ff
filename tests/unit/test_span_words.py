"""Lengths of time as people say them."""

from __future__ import annotations

import pytest

from gateway.model.moment import DAY, HOUR, MINUTE, SECOND
from gateway.model.point import Text
from rules.span_words import span_words


@pytest.mark.parametrize(
    ("span", "zh", "en"),
    [
        (0, "0 秒", "0 s"),
        (30 * SECOND, "30 秒", "30 s"),
        (MINUTE, "1 分钟", "1 min"),
        (90 * SECOND, "1 分 30 秒", "1 min 30 s"),
        (HOUR, "1 小时", "1 h"),
        (HOUR + 30 * MINUTE, "1 小时 30 分", "1 h 30 min"),
        (DAY, "24 小时", "24 h"),
        (2 * DAY, "48 小时", "48 h"),
        (7 * DAY, "7 天", "7 days"),
        (7 * DAY + HOUR, "169 小时", "169 h"),
    ],
)
def test_in_words(span: int, zh: str, en: str) -> None:
    assert span_words(span) == Text(zh=zh, en=en)
