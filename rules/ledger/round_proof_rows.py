"""How what proves a line of a round lies in its rows: what is asked for, the stretch of time that
was judged, the sensor beside a number by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gateway.model.point import Text
from gateway.model.quality import Quality
from rules.inspections.compared import Compared
from rules.inspections.proving import PLAIN, By, Compare, Evidence, Over, Proving
from rules.inspections.windows import Stretch
from rules.ledger.rows import words

Json = dict[str, Any]


def proving_columns(proving: Proving) -> Json | None:
    over, compare = proving.over, proving.compare
    if proving == PLAIN:
        return None
    return {
        "over": None
        if over is None
        else {"time": over.time, "by": over.by.value, "share": over.share},
        "confirm": proving.confirm,
        "evidence": [one.value for one in proving.evidence],
        "compare": None if compare is None else {"point": compare.point, "within": compare.within},
    }


def proving_of(said: Mapping[str, Any] | None) -> Proving:
    if said is None:
        return PLAIN
    over, compare = said["over"], said["compare"]
    return Proving(
        over=None if over is None else Over(**{**over, "by": By(over["by"])}),
        confirm=said["confirm"],
        evidence=tuple(Evidence(one) for one in said["evidence"]),
        compare=None if compare is None else Compare(**compare),
    )


def window_columns(window: Stretch | None) -> Json | None:
    return None if window is None else {**asdict(window), "quality": window.quality.word}


def window_of(said: Mapping[str, Any] | None) -> Stretch | None:
    if said is None:
        return None
    return Stretch(**{**said, "quality": Quality[said["quality"].upper()]})


def compared_columns(compared: Compared | None) -> Json | None:
    if compared is None:
        return None
    why = None if compared.why is None else words(compared.why)
    return {**asdict(compared), "why": why}


def compared_of(said: Mapping[str, Any] | None) -> Compared | None:
    if said is None:
        return None
    return Compared(**{**said, "why": None if said["why"] is None else Text(**said["why"])})
