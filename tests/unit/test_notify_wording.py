"""What a message says, and that names in it are nothing but names (experiment 62, chat)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.notify import wording

SITE = {"id": "s", "zh": "锦绣花园", "en": "Brocade Garden"}


def notice(**changes: Any) -> dict[str, Any]:
    body = {
        "id": "alarm_raised.a1",
        "kind": "alarm_raised",
        "at": "2026-11-21T12:00:11.000+08:00",
        "subject": "a1",
        "title": {"zh": "烟感 101 火警", "en": "Detector 101: Fire"},
        "priority": "critical",
        "life_safety": True,
        "site": SITE,
        "area": {"id": "hall", "zh": "大堂", "en": "Lobby"},
        "equipment": None,
        "guidance": {"zh": "先到现场确认", "en": "Go and look"},
        "possibly_repeated": False,
    }
    return body | changes


def digest(count: int, told: int) -> dict[str, Any]:
    return notice(
        kind="digest",
        priority="major",
        life_safety=False,
        area=None,
        guidance=None,
        count=count,
        counts={"major": count - 1, "minor": 1},
        since="2026-11-21T11:59:00.000+08:00",
        titles=[{"zh": f"水泵 {n}", "en": f"Pump {n}"} for n in range(told)],
    )


def test_an_urgent_message_in_both_languages() -> None:
    body = notice(possibly_repeated=True, link="https://duty.example.org/alarms/a1")
    assert wording.text(body, ("zh", "en"), 2048) == (
        "【紧急】【生命安全】【可能重复】烟感 101 火警\n"
        "锦绣花园 · 大堂\n"
        "时间 11-21 12:00:11\n"
        "处置 先到现场确认\n"
        "\n"
        "[Critical] [LIFE SAFETY] [may be a repetition] Detector 101: Fire\n"
        "Brocade Garden, Lobby\n"
        "At 11-21 12:00:11\n"
        "Do: Go and look\n"
        "https://duty.example.org/alarms/a1"
    )


def test_a_digest_says_how_many_and_which() -> None:
    assert wording.text(digest(32, 2), ("zh",), 2048) == (
        "【汇总】32 条通知（重要 31，一般 1），最早 11-21 11:59:00\n"
        "锦绣花园\n"
        "1. 水泵 0\n"
        "2. 水泵 1\n"
        "另有 30 条"
    )


def test_a_digest_that_is_too_long_says_how_many_are_left_out() -> None:
    text = wording.text(digest(10_000, 30), ("zh",), 300)
    told = sum("水泵" in line for line in text.splitlines())
    assert len(text.encode()) <= 300
    assert told > 1
    assert text.endswith(f"另有 {10_000 - told} 条")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("2#泵 A_1 (备用)", "2#泵 A_1 (备用)"),
        ('<at user_id="all">x</at>', '＜at user_id="all"＞x＜/at＞'),
        ("<@all>", "＜＠all＞"),
        ("@所有人", "＠所有人"),
        ("[点我](http://evil.example)", "［点我］(http：//evil.example)"),
        ("**粗**`x`", "＊＊粗＊＊｀x｀"),
        ("泵\r\n\r\n【紧急】假火警", "泵 【紧急】假火警"),
        ("a\u202eb\u2066c\u200bd\x00e", "a b c d e"),
    ],
)
def test_a_name_is_a_name(name: str, shown: str) -> None:
    assert wording.inert(name) == shown


@given(st.text(max_size=300), st.integers(100, 400), st.sampled_from([("zh",), ("zh", "en")]))
def test_whatever_a_name_holds_it_adds_no_line_and_nothing_is_too_long(
    name: str, most: int, languages: tuple[str, ...]
) -> None:
    name = name.encode("utf-8", "ignore").decode()
    text = wording.text(notice(title={"zh": name, "en": name}), languages, most)
    assert len(text.encode()) <= most
    assert not {"<", ">", "@"} & set(text)
    assert len(text.splitlines()) <= len(languages) * 5 - 1
    assert "\n" not in wording.heading(notice(title={"zh": name, "en": name}), "zh")
