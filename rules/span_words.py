"""Lengths of time in words of both languages. Pure."""

from __future__ import annotations

from gateway.model.moment import DAY, HOUR, MINUTE, SECOND
from gateway.model.point import Text


def span_words(span: int) -> Text:
    """``span`` (µs) by its two largest units: ``1 小时 30 分``, ``10 分钟``, ``7 天``.

    Up to two days it is hours, as the time limits of the trade are said: ``24 小时``.
    """
    days, beyond = divmod(span, DAY)
    if days > 2 and not beyond:
        return Text(zh=f"{days} 天", en=f"{days} days")
    hours, rest = divmod(span, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds = rest // SECOND
    if hours:
        parts = ((hours, "小时", "h"), (minutes, "分", "min"))
    else:
        parts = ((minutes, "分", "min"), (seconds, "秒", "s"))
    # "24 小时 0 分" reads like a figure that somebody measured.
    said = [one for one in parts if one[0]] or [parts[-1]]
    zh = " ".join(f"{n} {unit}" for n, unit, _ in said)
    # Alone, a minute is a length of time and not a part of one.
    return Text(
        zh=f"{zh}钟" if len(said) == 1 and zh.endswith("分") else zh,
        en=" ".join(f"{n} {unit}" for n, _, unit in said),
    )
