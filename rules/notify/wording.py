"""What a message says to people: plain text, the same for every channel.

Names come from files, forms and the public; in a chat they must be nothing but names. What
could call somebody, lay a link over other words or begin a line of its own is taken out of
them; the line ends and links of the message itself are put in afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_MEANT = str.maketrans(
    {"<": "＜", ">": "＞", "@": "＠", "[": "［", "]": "］", "*": "＊", "`": "｀"}
)
_PRIORITY = {
    "zh": {"critical": "紧急", "major": "重要", "minor": "一般", "info": "提示"},
    "en": {"critical": "Critical", "major": "Major", "minor": "Minor", "info": "Info"},
}
_WORDS = {
    "zh": {
        "mark": "【{}】",
        "repeated": "可能重复",
        "life_safety": "生命安全",
        "test": "测试",
        "digest": "汇总",
        "place": "{site} · {area}",
        "at": "时间 {}",
        "guidance": "处置 {}",
        "gathered": "{count} 条通知（{counts}），最早 {since}",
        "each": "{word} {count}",
        "join": "，",
        "more": "另有 {} 条",
    },
    "en": {
        "mark": "[{}] ",
        "repeated": "may be a repetition",
        "life_safety": "LIFE SAFETY",
        "test": "Test",
        "digest": "Digest",
        "place": "{site}, {area}",
        "at": "At {}",
        "guidance": "Do: {}",
        "gathered": "{count} notices ({counts}), the oldest of {since}",
        "each": "{count} {word}",
        "join": ", ",
        "more": "and {} more",
    },
}
_ELLIPSIS = "…"


def inert(name: str) -> str:
    """``name`` in one line, with nothing in it that a chat takes for more than letters."""
    plain = _UNSEEN.sub(" ", name).translate(_MEANT)
    return plain.replace("://", "：//").strip()


def heading(body: Mapping[str, Any], language: str) -> str:
    """Marks and title, in one line."""
    said = _WORDS[language]
    marks = [_PRIORITY[language][body["priority"]]]
    if body["kind"] == "channel_test":
        marks = [said["test"]]
    if body["kind"] == "digest":
        marks = [said["digest"]]
    if body.get("life_safety"):
        marks.append(said["life_safety"])
    if body.get("possibly_repeated"):
        marks.append(said["repeated"])
    title = _gathered(body, language) if body["kind"] == "digest" else body["title"][language]
    return "".join(said["mark"].format(mark) for mark in marks) + inert(title)


def text(body: Mapping[str, Any], languages: Sequence[str], most: int) -> str:
    """The whole message in at most ``most`` bytes of UTF-8: each language after the other, the
    link last. What is too long loses lines from the end of each language."""
    link = body.get("link")
    tail = f"\n{link}" if link else ""
    share = (most - len(tail.encode())) // len(languages) - 2
    parts = [_fitted(_lines(body, language), body, language, share) for language in languages]
    return "\n\n".join(parts) + tail


def _lines(body: Mapping[str, Any], language: str) -> list[str]:
    said = _WORDS[language]
    site = inert(body["site"][language]) if body.get("site") else ""
    area = body.get("area")
    place = said["place"].format(site=site, area=inert(area[language])) if area else site
    lines = [heading(body, language), place]
    if body["kind"] == "digest":
        titles = [inert(title[language]) for title in body["titles"]]
        return [*lines, *(f"{number}. {title}" for number, title in enumerate(titles, 1))]
    lines.append(said["at"].format(_clock(body["at"])))
    if body["priority"] == "critical" and body.get("guidance"):
        lines.append(said["guidance"].format(inert(body["guidance"][language])))
    return [line for line in lines if line]


def _fitted(lines: list[str], body: Mapping[str, Any], language: str, most: int) -> str:
    """The lines that fit; of a digest it is said how many are not told."""
    head = len(lines) - len(body.get("titles", ())) if body["kind"] == "digest" else len(lines)
    for kept in range(len(lines), 0, -1):
        shown = list(lines[:kept])
        untold = body.get("count", 0) - max(0, kept - head) if body["kind"] == "digest" else 0
        if untold > 0:
            shown.append(_WORDS[language]["more"].format(untold))
        joined = "\n".join(shown)
        if len(joined.encode()) <= most:
            return joined
    return _cut(lines[0], most)


def _cut(line: str, most: int) -> str:
    room = max(0, most - len(_ELLIPSIS.encode()))
    return line.encode()[:room].decode(errors="ignore") + _ELLIPSIS


def _gathered(body: Mapping[str, Any], language: str) -> str:
    said = _WORDS[language]
    counts = [
        said["each"].format(word=_PRIORITY[language][word], count=count)
        for word, count in body["counts"].items()
    ]
    return said["gathered"].format(
        count=body["count"], counts=said["join"].join(counts), since=_clock(body["since"])
    )


def _clock(at: str) -> str:
    """``at`` (ISO 8601) as people write it."""
    return f"{at[5:10]} {at[11:19]}"
