"""Run hours and starts go on exactly where a kill interrupted them."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from spools import kill

from gateway.derive import Derivation
from gateway.model.equipment import Equipment
from gateway.model.events import Envelope, Record, decode, encode
from gateway.model.frame import Frame
from gateway.model.moment import SECOND, Instant
from gateway.model.point import Point, PointKind, Text
from gateway.model.profile import Derived, DerivedKind
from gateway.model.quality import Quality
from gateway.spool.queue import CONSUMERS, Spool
from gateway.tally import CONSUMER, Tally

NAME = Text(zh="泵", en="Pump")
WALL = 1_795_000_000 * SECOND


def point(key: str, **facts: object) -> Point:
    given = {"kind": PointKind.NUMBER, "decimals": 6, **facts}
    return Point(id=f"p.{key}", equipment="p", key=key, name=NAME, **given)  # type: ignore[arg-type]


PUMP = Equipment(
    id="p",
    name=NAME,
    equipment_class="pump",
    profile="p",
    model=NAME,
    area="a",
    link="l",
    unit=1,
    poll=SECOND,
    points=(point("running", kind=PointKind.FLAG), point("hours"), point("starts")),
    derived={
        "hours": Derived(kind=DerivedKind.RUN_HOURS, of=("running",)),
        "starts": Derived(kind=DerivedKind.STARTS, of=("running",)),
    },
)


class Pump:
    """A gateway that polls one pump, which runs for 6 s of every 10."""

    def __init__(self, folder: Path) -> None:
        consumers = (*CONSUMERS, CONSUMER)
        self.spool = Spool.open(
            folder / "spool", consumers=consumers, segment_bytes=2000, recent_bytes=0
        )
        self.tally = Tally([PUMP], self.spool, folder / "derived.json")
        self.tally.resume()

    def poll(self, second: int) -> Frame:
        at = Instant(wall=WALL + second * SECOND, mono=second * SECOND, boot="b")
        received = Frame(
            points=("p.running",),
            value=np.array([float(second % 10 < 6)]),
            quality=np.array([Quality.GOOD], dtype=np.uint8),
            source_time=np.array([at.wall]),
        )
        frame = self.tally.step(received, at)
        seq = self.spool.next_seq
        envelope = Envelope(site="s", gateway="g", epoch=self.spool.epoch, seq=seq, at=at)
        self.spool.append(seq, encode(Record(envelope=envelope, body=frame)))
        return frame

    def keep(self) -> None:
        self.tally.keep(self.tally.checkpoint())


def counted(frame: Frame) -> tuple[float, float]:
    """Run hours and starts."""
    values = dict(zip(frame.points, frame.value.tolist(), strict=True))
    return values["p.hours"], values["p.starts"]


_POLLING = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:4]
from test_tally import Pump
pump = Pump(Path(sys.argv[1]))
second = int(sys.argv[4])
while True:
    for _ in range(3):
        second += 1
        pump.poll(second)
    pump.spool.sync()
    if second % 7 == 0:
        pump.keep()
    print(second, flush=True)
"""


@pytest.mark.slow
def test_after_kill_minus_nine_run_hours_are_exact(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    here = Path(__file__).parent
    second = 0
    for _ in range(6):
        asked = [str(tmp_path), str(here), str(here.parent / "support"), str(second)]
        running = subprocess.Popen(
            [sys.executable, "-c", _POLLING, *asked], stdout=subprocess.PIPE, text=True
        )
        assert running.stdout is not None
        for _ in range(chance.randint(5, 120)):
            second = int(running.stdout.readline())
        running.send_signal(signal.SIGKILL)
        said = running.stdout.read().split("\n")[:-1]
        running.wait()
        second = max(second, *map(int, said)) if said else second
        # Not everything that was synced was said.
        pump = Pump(tmp_path)
        newest = decode(pump.spool.last(1).records[0][1]).envelope.at
        second = newest.mono // SECOND
        kill(pump.spool)
    pump = Pump(tmp_path)
    first, *others = (decode(data) for _, data in pump.spool.read(0, limit=1 << 30).records)
    assert others[-1].envelope.at.mono == second * SECOND
    # No poll was missed, so the truth is known: it ran from 0…5 s to the next of every 10.
    assert first.envelope.at.mono == SECOND
    truth = Derivation([PUMP])
    for now in range(1, second + 2):
        at = Instant(wall=WALL + now * SECOND, mono=now * SECOND, boot="b")
        expected = truth.step(
            Frame(
                points=("p.running",),
                value=np.array([float(now % 10 < 6)]),
                quality=np.array([Quality.GOOD], dtype=np.uint8),
                source_time=np.array([at.wall]),
            ),
            at,
        )
    assert counted(pump.poll(second + 1)) == counted(expected)
    assert counted(expected)[1] >= 6


def test_records_behind_the_checkpoint_stay_in_the_spool(tmp_path: Path) -> None:
    pump = Pump(tmp_path)
    for second in range(200):
        pump.poll(second)
        pump.spool.sync()
        if second == 100:
            pump.keep()
    for consumer in CONSUMERS:
        pump.spool.release(consumer, pump.spool.newest)
    pump.spool.sync()
    first = decode(pump.spool.read(0, limit=1).records[0][1]).envelope.seq
    assert 50 < first <= 102
    pump.keep()
    pump.spool.sync()
    kill(pump.spool)
    again = Pump(tmp_path)
    assert again.tally.checkpoint().state == pump.tally.checkpoint().state


def test_what_was_counted_outlives_the_spool_and_a_broken_file_is_kept_aside(
    tmp_path: Path,
) -> None:
    pump = Pump(tmp_path)
    for second in range(20):
        hours, starts = counted(pump.poll(second))
    pump.keep()
    pump.spool.close()
    for path in (tmp_path / "spool").iterdir():
        path.unlink()
    again = Pump(tmp_path)
    assert again.spool.epoch != pump.spool.epoch
    more_hours, more_starts = counted(again.poll(20))
    assert (more_hours, more_starts) == (pytest.approx(hours), starts + 1)
    again.spool.close()
    (tmp_path / "derived.json").write_bytes(b'{"epoch": 1')
    broken = Pump(tmp_path)
    assert (tmp_path / "derived.broken").exists()
    # What the spool still has is counted again.
    assert counted(broken.poll(30))[1] == 0
    broken.keep()
    assert (tmp_path / "derived.json").exists()


def test_the_rows_of_a_message_are_told_from_what_followed_from_them(tmp_path: Path) -> None:
    pump = Pump(tmp_path)
    frame = pump.poll(1)
    assert frame.points == ("p.running", "p.hours", "p.starts")
    assert pump.tally.sources(frame).points == ("p.running",)
    assert pump.tally.sources(frame).value.tolist() == [1.0]
    plain = pump.tally.sources(frame)
    assert pump.tally.sources(plain) is plain
