"""Filling the history from the spool: what a write that failed does not lose, and what a restart
finds again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from records import record

from gateway.history.base import Cursor, Gap, HistoryUnavailableError
from gateway.history.embedded import EmbeddedHistory
from gateway.history.writer import HistoryWriter
from gateway.model.events import Envelope, GatewayEvent, GatewayEventKind, Record, encode
from gateway.model.moment import SECOND, Instant
from gateway.model.point import Point, PointKind, Text
from gateway.spool.queue import Spool

NOW = 1_795_233_600_000_000
POINTS = {
    name: Point(
        id=name,
        equipment="p",
        key=name,
        name=Text(zh=name, en=name),
        kind=PointKind.NUMBER,
        deadband=0.5 if name == "p.thinned" else None,
    )
    for name in ("p.a", "p.b", "p.thinned")
}


class House:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spool = Spool.open(folder / "spool")
        self.history = EmbeddedHistory(folder / "history.db")
        self.writer = HistoryWriter(self.spool, self.history, "g", POINTS)
        self.writer.resume(self.writer.cursor())

    def hear(self, second: int, **values: float) -> None:
        rows = {f"p.{key}": value for key, value in values.items()}
        bad = [row for row, value in enumerate(rows.values()) if math.isnan(value)]
        seq = self.spool.next_seq
        at = NOW + second * SECOND
        reason = dict.fromkeys(bad, "no_reply: unit 3")
        self._append(record(seq, rows, at=at, epoch=self.spool.epoch, reason=reason))

    def start(self, second: int) -> None:
        at = NOW + second * SECOND
        envelope = Envelope(
            site="s",
            gateway="g",
            epoch=self.spool.epoch,
            seq=self.spool.next_seq,
            at=Instant(wall=at, mono=at, boot="b"),
        )
        event = GatewayEvent(kind=GatewayEventKind.STARTED, subject="g")
        self._append(Record(envelope=envelope, body=event))

    def _append(self, made: Record) -> None:
        self.spool.append(made.envelope.seq, encode(made))
        self.spool.sync()

    def write(self) -> None:
        while self.writer.step():
            continue

    def again(self) -> House:
        self.end()
        return House(self.folder)

    def end(self) -> None:
        self.spool.close()
        self.history.close()

    def gaps(self, point: str) -> list[tuple[float, float | None, str]]:
        found = self.history.gaps([point], 0, 1 << 61)
        return [
            (
                (gap.start - NOW) / SECOND,
                None if gap.end is None else (gap.end - NOW) / SECOND,
                gap.reason,
            )
            for gap in found
        ]


def test_a_write_that_failed_is_tried_again_with_its_gaps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bug: what was thinned and found missing in a batch was worked out anew at each try, when
    the thinning had kept it and the gap was no news any more."""
    house = House(tmp_path)
    house.hear(0, a=1, b=1, thinned=1)
    house.write()
    for second in range(1, 9):
        house.hear(second, a=math.nan, b=1, thinned=5)
    house.hear(9, a=2, b=1, thinned=5)
    write = house.history.write
    tries: list[Sequence[Gap]] = []

    def fails(records: Sequence[Record], cursor: Cursor, gaps: Sequence[Gap] = ()) -> None:
        tries.append(gaps)
        if len(tries) < 3:
            raise HistoryUnavailableError("away")
        write(records, cursor, gaps)

    monkeypatch.setattr(house.history, "write", fails)
    for _ in range(2):
        with pytest.raises(HistoryUnavailableError):
            house.writer.step()
        house.hear(9 + len(tries), a=2, b=1, thinned=5)
    house.write()
    assert tries[0] == tries[1] == tries[2] != ()
    assert house.gaps("p.a") == [(0, 9, "no_reply: unit 3")]
    assert len(house.history.range("p.b", 0, 1 << 61, 99).time) == 12
    assert house.history.range("p.thinned", 0, 1 << 61, 99).value.tolist() == [1, 5]
    assert house.spool.backlog("history") == 0
    house.end()


def test_gaps_go_on_over_restarts_and_say_that_the_gateway_was_down(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.start(0)
    house.hear(1, a=1, b=1, thinned=1)
    for second in range(2, 50):
        house.hear(second, a=math.nan, b=1, thinned=1)
    house.write()
    house = house.again()
    assert house.gaps("p.a") == [(1, None, "no_reply: unit 3")]
    # A restart of 2 s is none.
    house.start(51)
    house.hear(52, a=math.nan, b=1, thinned=1)
    house.write()
    house = house.again()
    house.start(500)
    house.hear(501, a=1, b=1, thinned=1)
    house.hear(502, a=1, b=1, thinned=1)
    house.write()
    assert house.gaps("p.a") == [(1, 501, "no_reply: unit 3")]
    assert house.gaps("p.b") == [(52, 501, "gateway_down")]
    ((start, end, reason),) = house.gaps("p.thinned")
    assert (end, reason) == (501, "gateway_down")
    assert 1 < start <= 52
    house.end()


def test_a_point_that_was_never_heard_of_has_one_gap_however_often_we_start(
    tmp_path: Path,
) -> None:
    house = House(tmp_path)
    for second in (0, 100, 200):
        house.start(second)
        for later in range(1, 9):
            house.hear(second + later, b=1, thinned=1)
        house.write()
        house = house.again()
    assert house.gaps("p.a") == [(0, None, "not_heard")]
    house.end()
