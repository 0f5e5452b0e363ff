"""What the history leaves out, and what never: held against a plain loop."""

from __future__ import annotations

import math
import random
from pathlib import Path

from records import record

from gateway.history.base import Cursor
from gateway.history.embedded import EmbeddedHistory
from gateway.history.thinning import KEEP_EVERY, Thinning
from gateway.history.writer import HistoryWriter
from gateway.model.events import Record, encode
from gateway.model.frame import Frame
from gateway.model.moment import MINUTE, SECOND
from gateway.model.point import Point, PointKind, Text
from gateway.spool.queue import Spool

NOW = 1_795_233_600_000_000


def point(name: str, deadband: float | None = None, keep_every: int | None = None) -> Point:
    return Point(
        id=name,
        equipment="p",
        key=name,
        name=Text(zh=name, en=name),
        kind=PointKind.NUMBER,
        deadband=deadband,
        keep_every=keep_every,
    )


POINTS = {
    made.id: made
    for made in (
        point("p.all"),
        point("p.coarse", 0.5, MINUTE),
        point("p.fine", 0.0),
        point("p.text", 1.0, 20 * SECOND),
    )
}


def values_of(made: Record) -> dict[str, float]:
    assert isinstance(made.body, Frame)
    return dict(zip(made.body.points, made.body.value.tolist(), strict=True))


def test_a_point_without_a_deadband_keeps_everything() -> None:
    thinning = Thinning({"p.all": POINTS["p.all"]})
    made = record(1, {"p.all": 1.0, "p.unknown": 2.0}, at=NOW)
    assert thinning.thin(made) is made
    assert thinning.thin(made) is made


def test_what_has_not_moved_is_left_out_until_keep_every() -> None:
    thinning = Thinning(POINTS)
    kept = []
    for second in range(130):
        rows = {"p.all": 1.0, "p.coarse": 20.0 + 0.004 * second, "p.fine": 3.0}
        found = values_of(thinning.thin(record(second + 1, rows, at=NOW + second * SECOND)))
        kept += [(second, name) for name in found if name != "p.all"]
        assert "p.all" in found
    assert kept == [(0, "p.coarse"), (0, "p.fine"), (60, "p.coarse"), (120, "p.coarse")]
    late = record(999, {"p.fine": 3.0}, at=NOW + KEEP_EVERY)
    assert values_of(thinning.thin(late)) == {"p.fine": 3.0}


def test_a_slow_drift_is_measured_from_what_was_kept() -> None:
    thinning = Thinning(POINTS)
    kept = []
    for second in range(50):
        made = record(second + 1, {"p.coarse": second * 0.25}, at=NOW + second * SECOND)
        kept += [second] * len(values_of(thinning.thin(made)))
    assert kept == list(range(0, 50, 3))


def test_a_change_of_quality_or_text_is_never_left_out() -> None:
    thinning = Thinning(POINTS)
    said = []
    steps = [
        (1.0, "on"),
        (1.0, "on"),
        (1.0, "off"),
        (1.0, None),
        (math.nan, None),
        (math.nan, None),
        (1.0, None),
    ]
    for second, (value, text) in enumerate(steps):
        made = record(
            second + 1,
            {"p.text": value},
            at=NOW + second * SECOND,
            text={} if text is None else {0: text},
        )
        said.append(bool(values_of(thinning.thin(made))))
    assert said == [True, False, True, True, True, False, True]


def test_a_clock_that_was_set_back_leaves_nothing_out() -> None:
    thinning = Thinning(POINTS)
    for second in (100, 10):
        made = record(1, {"p.coarse": 1.0}, at=NOW + second * SECOND)
        assert values_of(thinning.thin(made)) == {"p.coarse": 1.0}
    made = record(3, {"p.coarse": 1.0}, at=NOW + 11 * SECOND)
    assert values_of(thinning.thin(made)) == {}


def test_texts_and_reasons_stay_with_their_rows() -> None:
    thinning = Thinning(POINTS)
    rows = {"p.coarse": 1.0, "p.text": 2.0, "p.all": math.nan}
    thinning.thin(record(1, rows, at=NOW, text={1: "a"}, reason={2: "no_reply"}))
    thinned = thinning.thin(record(2, rows, at=NOW + 1, text={1: "b"}, reason={2: "no_reply"}))
    assert isinstance(thinned.body, Frame)
    assert thinned.body.points == ("p.text", "p.all")
    assert (thinned.body.text, thinned.body.reason) == ({0: "b"}, {1: "no_reply"})


def test_it_is_what_a_plain_loop_leaves_out() -> None:
    rng = random.Random(3)
    thinning = Thinning(POINTS)
    kept: dict[str, tuple[float, int]] = {}
    now = NOW
    for seq in range(1, 3000):
        now += rng.choice([SECOND, 5 * SECOND])
        rows = {name: round(rng.gauss(5, 0.4), 1) for name in rng.sample(list(POINTS), 2)}
        found = values_of(thinning.thin(record(seq, rows, at=now)))
        for name, value in rows.items():
            made = POINTS[name]
            last, at = kept.get(name, (math.inf, 0))
            every = made.keep_every or KEEP_EVERY
            is_kept = (
                made.deadband is None or abs(value - last) > made.deadband or now - at >= every
            )
            assert (name in found) == is_kept
            if is_kept:
                kept[name] = (value, now)


def test_the_writer_thins_and_a_thinned_stretch_is_no_gap(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool")
    history = EmbeddedHistory(tmp_path / "history.db")
    writer = HistoryWriter(spool, history, "g", POINTS)
    writer.resume(None)
    for seq in range(1, 301):
        rows = {"p.coarse": 1.0, "p.all": 1.0} if seq < 100 or seq > 120 else {"p.all": 1.0}
        made = record(seq, rows, at=NOW + seq * SECOND, epoch=spool.epoch)
        spool.append(seq, encode(made))
    spool.sync()
    while writer.step():
        continue
    assert len(history.range("p.all", 0, 1 << 60, 999).time) == 300
    assert len(history.range("p.coarse", 0, 1 << 60, 999).time) == 5
    (gap,) = history.gaps(["p.coarse", "p.all"], NOW, NOW + 300 * SECOND)
    assert (gap.point, gap.start, gap.end) == ("p.coarse", NOW + 99 * SECOND, NOW + 121 * SECOND)
    assert gap.reason == "not_heard"
    # The same again by another writer, as after a restart: it goes on, nothing is there twice.
    writer = HistoryWriter(spool, history, "g", POINTS)
    writer.resume(writer.cursor())
    assert history.cursor("g") == Cursor(spool.epoch, 300)
    assert not writer.step()
    assert len(history.gaps(["p.coarse", "p.all", "p.fine"], NOW, NOW + 300 * SECOND)) == 2
    spool.close()
    history.close()
