"""The spool: nothing synced is lost or doubled, damage is quarantined and counted."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import gateway.segment
import gateway.spool
from gateway.segment import pack, scan
from gateway.spool import Spool, SpoolBusyError, SpoolFullError


def payload(seq: int) -> bytes:
    return f"record {seq} ".encode() * (1 + seq % 5)


def fill(spool: Spool, count: int) -> None:
    for _ in range(count):
        seq = spool.next_seq
        spool.append(seq, payload(seq))
    spool.sync()


def everything(spool: Spool, after: int = 0) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    while True:
        stretch = spool.read(after, limit=7)
        found += stretch.records
        after = stretch.through
        if after >= stretch.head:
            return found


def expected(*seqs: int) -> list[tuple[int, bytes]]:
    return [(seq, payload(seq)) for seq in seqs]


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.segment"))


def test_what_was_synced_is_there_after_a_restart(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path)
    epoch = spool.epoch
    fill(spool, 20)
    spool.close()
    again = Spool.open(tmp_path)
    assert again.epoch == epoch
    assert again.next_seq == 21
    fill(again, 3)
    assert everything(again) == expected(*range(1, 24))
    assert again.torn == 0


def test_only_synced_records_are_read(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path)
    spool.append(1, payload(1))
    assert spool.next_seq == 2
    assert spool.read(0, limit=10).records == ()
    assert spool.synced == 0
    assert spool.sync() == 1
    assert spool.read(0, limit=10).records == tuple(expected(1))


def test_a_wrong_number_or_an_empty_record_is_refused(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path)
    with pytest.raises(ValueError, match="expected 1"):
        spool.append(2, b"x")
    with pytest.raises(ValueError, match="0 bytes"):
        spool.append(1, b"")
    assert spool.next_seq == 1


def test_reads_are_cut_by_count_and_by_bytes(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, segment_bytes=100)
    fill(spool, 30)
    by_count = spool.read(4, limit=3)
    assert [seq for seq, _ in by_count.records] == [5, 6, 7]
    assert (by_count.through, by_count.head) == (7, 30)
    assert [seq for seq, _ in spool.read(4, limit=99, max_bytes=1).records] == [5]
    assert spool.read(30, limit=3).through == 30
    assert everything(spool, 11) == expected(*range(12, 31))


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path)
    with pytest.raises(SpoolBusyError, match="in use"):
        Spool.open(tmp_path)
    spool.close()
    Spool.open(tmp_path).close()


def test_segments_go_when_every_consumer_has_passed_them(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, consumers=("history", "rules"), segment_bytes=1)
    for _ in range(10):
        fill(spool, 1)
    spool.release("history", 9)
    spool.release("stranger", 10)
    spool.sync()
    assert len(segments(tmp_path)) == 10
    spool.release("rules", 4)
    spool.release("rules", 2)
    spool.sync()
    assert everything(spool) == expected(*range(5, 11))
    assert spool.backlog("rules") == 6
    stretch = spool.read(0, limit=99)
    assert stretch.through == stretch.head == 10
    spool.release("rules", 10)
    spool.release("history", 10)
    spool.sync()
    assert everything(spool) == expected(10)
    assert spool.next_seq == 11


def test_a_queue_that_nobody_reads_does_not_fill_the_disk(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, segment_bytes=1000, capacity_bytes=5000)
    for _ in range(1000):
        fill(spool, 1)
    assert spool.size < 7000
    kept = everything(spool)
    assert kept == expected(*range(kept[0][0], 1001))
    assert spool.shed == kept[0][0] - 1 > 0


@pytest.mark.parametrize("cut", [1, 5, 9, 14])
def test_a_torn_tail_is_quarantined_and_counted(tmp_path: Path, cut: int) -> None:
    spool = Spool.open(tmp_path)
    fill(spool, 10)
    spool.close()
    (path,) = segments(tmp_path)
    os.truncate(path, path.stat().st_size - cut)
    again = Spool.open(tmp_path)
    assert everything(again) == expected(*range(1, 10))
    assert again.torn == 1
    # Number 10 was synced and may be known to somebody: it is never given out again.
    assert again.next_seq == 11
    fill(again, 1)
    assert everything(again) == expected(*range(1, 10), 11)
    again.close()
    assert Spool.open(tmp_path).torn == 0
    assert len(list((tmp_path / "quarantine").iterdir())) == 1


def test_records_cut_off_whole_are_counted_and_their_numbers_not_used_again(
    tmp_path: Path,
) -> None:
    spool = Spool.open(tmp_path)
    fill(spool, 10)
    spool.close()
    (path,) = segments(tmp_path)
    os.truncate(path, sum(len(pack(seq, payload(seq))) for seq in range(1, 8)))
    again = Spool.open(tmp_path)
    assert (again.torn, again.next_seq) == (3, 11)


def test_one_flipped_byte_costs_one_record(tmp_path: Path) -> None:
    whole = b"".join(pack(seq, payload(seq)) for seq in range(1, 11))
    fifth = sum(len(pack(seq, payload(seq))) for seq in range(1, 5))
    for place in (fifth + 4, fifth + 8, fifth + 12):
        folder = tmp_path / str(place)
        spool = Spool.open(folder)
        fill(spool, 10)
        spool.close()
        damaged = bytearray(whole)
        damaged[place] ^= 1
        segments(folder)[0].write_bytes(damaged)
        again = Spool.open(folder)
        assert everything(again) == expected(1, 2, 3, 4, 6, 7, 8, 9, 10)
        assert (again.torn, again.next_seq) == (1, 11)
        (copy,) = (folder / "quarantine").iterdir()
        assert copy.read_bytes() == damaged[fifth : fifth + len(pack(5, payload(5)))]


def test_any_damage_anywhere_never_gives_a_wrong_record() -> None:
    chance = random.Random(7)
    whole = b"".join(pack(seq, b"same size %06d" % seq) for seq in range(1, 40))
    for _ in range(2000):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        del damaged[chance.randint(len(damaged) - 60, len(damaged)) :]
        found = scan(bytes(damaged), 1)
        for seq, start, size in zip(found.seqs, found.starts, found.sizes, strict=True):
            assert bytes(damaged[start : start + size]) == b"same size %06d" % seq
        assert found.damage or len(damaged) in range(0, len(whole) + 1, len(whole) // 39)


def test_damage_in_a_sealed_segment_is_stepped_over_and_counted_when_read(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, segment_bytes=200)
    for _ in range(40):
        fill(spool, 1)
    spool.close()
    third = segments(tmp_path)[2]
    first = int(third.stem)
    data = bytearray(third.read_bytes())
    data[20] ^= 0xFF
    third.write_bytes(data)
    again = Spool.open(tmp_path, segment_bytes=200)
    assert again.torn == 0
    assert everything(again) == expected(*(seq for seq in range(1, 41) if seq != first))
    assert again.torn == 1
    everything(again)
    assert again.torn == 1


def test_files_deleted_while_it_runs_cost_what_was_in_them_and_no_more(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path, segment_bytes=200)
    for _ in range(20):
        fill(spool, 1)
    for path in segments(tmp_path):
        path.unlink()
    fill(spool, 3)
    # Without a read in between: the active file is noticed where it is written.
    assert everything(spool) == expected(21, 22, 23)
    assert spool.torn == 20
    segments(tmp_path)[-1].unlink()
    assert everything(spool) == []
    fill(spool, 1)
    assert everything(spool) == expected(24)
    assert (spool.torn, spool.next_seq) == (23, 25)
    assert spool.size > 0
    spool.close()
    again = Spool.open(tmp_path)
    assert everything(again) == expected(24)
    assert again.next_seq == 25


@pytest.mark.parametrize("place", [3, -1])
def test_a_segment_that_cannot_be_read_is_passed_over_and_counted(
    tmp_path: Path, place: int
) -> None:
    spool = Spool.open(tmp_path, segment_bytes=200)
    for _ in range(40):
        fill(spool, 1)
    spool.close()
    names = [int(path.stem) for path in segments(tmp_path)]
    lost = range(names[place], [*names, 41][place + 1 if place > 0 else len(names)])
    # Every read raises OSError, as one of a bad sector does.
    bad = segments(tmp_path)[place]
    bad.unlink()
    bad.mkdir()
    again = Spool.open(tmp_path, segment_bytes=200)
    kept = expected(*(seq for seq in range(1, 41) if seq not in lost))
    assert everything(again) == everything(again) == kept
    assert again.torn == len(lost)
    fill(again, 1)
    assert everything(again) == [*kept, *expected(41)]
    for consumer in again.consumers:
        again.release(consumer, 41)
    again.sync()
    assert everything(again) == expected(41)


def test_no_room_for_the_quarantine_or_for_files_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool.open(tmp_path, segment_bytes=200)
    for _ in range(20):
        fill(spool, 1)
    spool.close()
    damaged = segments(tmp_path)[1]
    data = bytearray(damaged.read_bytes())
    data[20] ^= 0xFF
    damaged.write_bytes(data)
    again = Spool.open(tmp_path, segment_bytes=200)
    left = expected(*(seq for seq in range(1, 21) if seq != int(damaged.stem)))

    def refuse(number: int) -> Callable[..., None]:
        def refused(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        return refused

    with monkeypatch.context() as patch:
        patch.setattr(gateway.segment.os, "open", refuse(errno.EMFILE))
        with pytest.raises(OSError, match="open files"):
            everything(again)
    assert again.torn == 0
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", refuse(errno.ENOSPC))
        assert everything(again) == left
    assert again.torn == 1


def test_when_everything_is_broken_a_new_epoch_begins(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path)
    old = spool.epoch
    fill(spool, 5)
    spool.close()
    (tmp_path / "epoch").write_bytes(b"\xff\xfe")
    again = Spool.open(tmp_path)
    assert again.epoch != old
    assert (again.next_seq, again.torn) == (1, 5)
    fill(again, 2)
    assert everything(again) == expected(1, 2)
    assert len(list((tmp_path / "quarantine").iterdir())) == 1


def test_all_segments_deleted_by_hand_reuse_no_number(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path)
    old = spool.epoch
    fill(spool, 5)
    spool.close()
    segments(tmp_path)[0].unlink()
    again = Spool.open(tmp_path)
    assert (again.epoch, again.next_seq) == (old, 6)
    again.close()
    (tmp_path / "mark").unlink()
    assert Spool.open(tmp_path).epoch != old


def test_a_consumer_that_is_ahead_pushes_the_numbers_on(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path)
    fill(spool, 3)
    spool.append(4, payload(4))
    spool.skip_to(10, "rules")
    assert spool.next_seq == 10
    fill(spool, 2)
    assert everything(spool) == expected(1, 2, 3, 4, 10, 11)
    spool.skip_to(5, "rules")
    assert spool.next_seq == 12


@pytest.mark.parametrize("where", ["write", "flush"])
def test_a_disk_that_refuses_loses_nothing_and_recovers_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    spool = Spool.open(tmp_path)
    fill(spool, 3)
    real_write = os.write

    def full(file: int, data: bytes) -> int:
        real_write(file, bytes(data[:5]))
        raise OSError(errno.ENOSPC, "No space left on device")

    def failed(_file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        if where == "write":
            patch.setattr(gateway.spool.os, "write", full)
        else:
            patch.setattr(gateway.spool, "_flush", failed)
        for seq in (4, 5):
            spool.append(seq, payload(seq))
            with pytest.raises(OSError):
                spool.sync()
        assert spool.synced == 3
        assert spool.next_seq == 6
        assert everything(spool) == expected(1, 2, 3)
    fill(spool, 1)
    assert everything(spool) == expected(*range(1, 7))
    spool.close()
    again = Spool.open(tmp_path)
    assert everything(again) == expected(*range(1, 7))
    assert again.torn == 0


def test_what_waits_for_a_dead_disk_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.spool, "_UNSYNCED_BYTES", 1000)
    spool = Spool.open(tmp_path)
    with pytest.raises(SpoolFullError):
        for seq in range(1, 1000):
            spool.append(seq, b"x" * 100)
    assert spool.sync() == spool.next_seq - 1 > 0


_WRITER = """
import sys
from collections.abc import Callable
from pathlib import Path
from gateway.spool import Spool
spool = Spool.open(Path(sys.argv[1]), segment_bytes=2000)
while True:
    for _ in range(3):
        seq = spool.next_seq
        spool.append(seq, b"record %d " % seq * (1 + seq % 5))
    print(spool.sync(), flush=True)
"""


@pytest.mark.slow
def test_kill_minus_nine_at_random_moments_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(20261121)
    told = 0
    for _ in range(12):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for _ in range(chance.randint(1, 200)):
            told = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split("\n")[:-1]
        writer.wait()
        told = max(told, *map(int, rest)) if rest else told
        spool = Spool.open(tmp_path, segment_bytes=2000)
        found = everything(spool)
        assert found == expected(*range(1, spool.next_seq))
        assert spool.next_seq > told
        spool.close()
