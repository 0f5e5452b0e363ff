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
from spools import kill
from structlog.testing import capture_logs

import gateway.spool.pen
import gateway.spool.queue
import gateway.spool.segment
from gateway.model.events import Envelope, GatewayEvent, GatewayEventKind, Record, encode
from gateway.model.moment import Instant
from gateway.model.numbers import overlap
from gateway.spool.queue import Spool, SpoolBusyError, SpoolFullError
from gateway.spool.segment import pack, scan


def on_disk(folder: Path, **limits: int) -> Spool:
    """A spool that answers nothing from memory that it has on disk."""
    return Spool.open(folder, recent_bytes=0, **limits)


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
    spool = on_disk(tmp_path)
    epoch = spool.epoch
    fill(spool, 20)
    spool.close()
    again = on_disk(tmp_path)
    assert again.epoch == epoch
    assert again.next_seq == 21
    fill(again, 3)
    assert everything(again) == expected(*range(1, 24))
    assert again.torn == 0


def test_only_synced_records_are_read(tmp_path: Path) -> None:
    spool = on_disk(tmp_path)
    spool.append(1, payload(1))
    assert spool.next_seq == 2
    assert spool.read(0, limit=10).records == ()
    assert spool.synced == 0
    assert spool.sync() == 1
    assert spool.read(0, limit=10).records == tuple(expected(1))


def test_a_wrong_number_or_an_empty_record_is_refused(tmp_path: Path) -> None:
    spool = on_disk(tmp_path)
    with pytest.raises(ValueError, match="expected 1"):
        spool.append(2, b"x")
    with pytest.raises(ValueError, match="0 bytes"):
        spool.append(1, b"")
    assert spool.next_seq == 1


def test_reads_are_cut_by_count_and_by_bytes(tmp_path: Path) -> None:
    spool = on_disk(tmp_path, segment_bytes=100)
    fill(spool, 30)
    by_count = spool.read(4, limit=3)
    assert [seq for seq, _ in by_count.records] == [5, 6, 7]
    assert (by_count.through, by_count.head) == (7, 30)
    assert [seq for seq, _ in spool.read(4, limit=99, max_bytes=1).records] == [5]
    assert spool.read(30, limit=3).through == 30
    assert everything(spool, 11) == expected(*range(12, 31))


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    spool = on_disk(tmp_path)
    with pytest.raises(SpoolBusyError, match="in use"):
        on_disk(tmp_path)
    spool.close()
    on_disk(tmp_path).close()


def test_segments_go_when_every_consumer_has_passed_them(tmp_path: Path) -> None:
    spool = on_disk(tmp_path, segment_bytes=1)
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


def test_bug_a_full_disk_kept_what_everybody_had_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full is where the last of it would be taken, which is for others."""
    full = False
    monkeypatch.setattr("gateway.disk.room", lambda _folder, left: -left if full else left)
    spool = on_disk(tmp_path, segment_bytes=1, left_bytes=1)
    for _ in range(4):
        fill(spool, 1)
    full = True
    with pytest.raises(OSError, match="for alarms and orders"):
        fill(spool, 1)
    assert (spool.synced, len(segments(tmp_path))) == (4, 4)
    for consumer in spool.consumers:
        spool.release(consumer, 4)
    with pytest.raises(OSError, match="for alarms and orders"):
        spool.sync()
    assert len(segments(tmp_path)) == 1
    full = False
    assert spool.sync() == 5
    assert everything(spool, 4) == expected(5)


def test_a_queue_that_nobody_reads_does_not_fill_the_disk(tmp_path: Path) -> None:
    spool = on_disk(tmp_path, segment_bytes=1000, capacity_bytes=5000)
    for _ in range(1000):
        fill(spool, 1)
    assert spool.size < 7000
    kept = everything(spool)
    assert kept == expected(*range(kept[0][0], 1001))
    assert spool.shed == kept[0][0] - 1 > 0


@pytest.mark.parametrize("cut", [1, 5, 9, 14])
def test_a_torn_tail_is_quarantined_and_counted(tmp_path: Path, cut: int) -> None:
    spool = on_disk(tmp_path)
    fill(spool, 10)
    spool.close()
    (path,) = segments(tmp_path)
    os.truncate(path, path.stat().st_size - cut)
    again = on_disk(tmp_path)
    assert everything(again) == expected(*range(1, 10))
    assert again.torn == 1
    # Number 10 was synced and may be known to somebody: it is never given out again.
    assert again.next_seq == 11
    fill(again, 1)
    assert everything(again) == expected(*range(1, 10), 11)
    again.close()
    assert on_disk(tmp_path).torn == 0
    assert len(list((tmp_path / "quarantine").iterdir())) == 1


def test_records_cut_off_whole_are_counted_and_their_numbers_not_used_again(
    tmp_path: Path,
) -> None:
    spool = on_disk(tmp_path)
    fill(spool, 10)
    spool.close()
    (path,) = segments(tmp_path)
    os.truncate(path, sum(len(pack(seq, payload(seq))) for seq in range(1, 8)))
    again = on_disk(tmp_path)
    assert (again.torn, again.next_seq) == (3, 11)


def test_one_flipped_byte_costs_one_record(tmp_path: Path) -> None:
    whole = b"".join(pack(seq, payload(seq)) for seq in range(1, 11))
    fifth = sum(len(pack(seq, payload(seq))) for seq in range(1, 5))
    for place in (fifth + 4, fifth + 8, fifth + 12):
        folder = tmp_path / str(place)
        spool = on_disk(folder)
        fill(spool, 10)
        spool.close()
        damaged = bytearray(whole)
        damaged[place] ^= 1
        segments(folder)[0].write_bytes(damaged)
        again = on_disk(folder)
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
    spool = on_disk(tmp_path, segment_bytes=200)
    for _ in range(40):
        fill(spool, 1)
    spool.close()
    third = segments(tmp_path)[2]
    first = int(third.stem)
    data = bytearray(third.read_bytes())
    data[20] ^= 0xFF
    third.write_bytes(data)
    again = on_disk(tmp_path, segment_bytes=200)
    assert again.torn == 0
    assert everything(again) == expected(*(seq for seq in range(1, 41) if seq != first))
    assert again.torn == 1
    everything(again)
    assert again.torn == 1


def test_files_deleted_while_it_runs_cost_what_was_in_them_and_no_more(tmp_path: Path) -> None:
    spool = on_disk(tmp_path, segment_bytes=200)
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
    again = on_disk(tmp_path)
    assert everything(again) == expected(24)
    assert again.next_seq == 25


@pytest.mark.parametrize("place", [3, -1])
def test_a_segment_that_cannot_be_read_is_passed_over_and_counted(
    tmp_path: Path, place: int
) -> None:
    spool = on_disk(tmp_path, segment_bytes=200)
    for _ in range(40):
        fill(spool, 1)
    spool.close()
    names = [int(path.stem) for path in segments(tmp_path)]
    lost = range(names[place], [*names, 41][place + 1 if place > 0 else len(names)])
    # Every read raises OSError, as one of a bad sector does.
    bad = segments(tmp_path)[place]
    bad.unlink()
    bad.mkdir()
    again = on_disk(tmp_path, segment_bytes=200)
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
    spool = on_disk(tmp_path, segment_bytes=200)
    for _ in range(20):
        fill(spool, 1)
    spool.close()
    damaged = segments(tmp_path)[1]
    data = bytearray(damaged.read_bytes())
    data[20] ^= 0xFF
    damaged.write_bytes(data)
    again = on_disk(tmp_path, segment_bytes=200)
    left = expected(*(seq for seq in range(1, 21) if seq != int(damaged.stem)))

    def refuse(number: int) -> Callable[..., None]:
        def refused(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        return refused

    with monkeypatch.context() as patch:
        patch.setattr(gateway.spool.segment.os, "open", refuse(errno.EMFILE))
        with pytest.raises(OSError, match="open files"):
            everything(again)
    assert again.torn == 0
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", refuse(errno.ENOSPC))
        assert everything(again) == left
    assert again.torn == 1


def test_when_everything_is_broken_a_new_epoch_begins(tmp_path: Path) -> None:
    spool = on_disk(tmp_path)
    old = spool.epoch
    fill(spool, 5)
    spool.close()
    (tmp_path / "epoch").write_bytes(b"\xff\xfe")
    again = on_disk(tmp_path)
    assert again.epoch != old
    assert (again.next_seq, again.torn) == (1, 5)
    fill(again, 2)
    assert everything(again) == expected(1, 2)
    assert len(list((tmp_path / "quarantine").iterdir())) == 1


def test_all_segments_deleted_by_hand_reuse_no_number(tmp_path: Path) -> None:
    spool = on_disk(tmp_path)
    old = spool.epoch
    fill(spool, 5)
    spool.close()
    segments(tmp_path)[0].unlink()
    again = on_disk(tmp_path)
    assert (again.epoch, again.next_seq) == (old, 6)
    again.close()
    (tmp_path / "mark").unlink()
    assert on_disk(tmp_path).epoch != old


def test_a_consumer_that_is_ahead_pushes_the_numbers_on(tmp_path: Path) -> None:
    spool = on_disk(tmp_path)
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
    spool = on_disk(tmp_path)
    fill(spool, 3)
    real_write = os.write

    def full(file: int, data: bytes) -> int:
        real_write(file, bytes(data[:5]))
        raise OSError(errno.ENOSPC, "No space left on device")

    def failed(_file: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        if where == "write":
            patch.setattr(gateway.spool.pen.os, "write", full)
        else:
            patch.setattr(gateway.spool.pen, "_flush", failed)
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
    again = on_disk(tmp_path)
    assert everything(again) == expected(*range(1, 7))
    assert again.torn == 0


@pytest.mark.parametrize("lasting", [False, True])
def test_what_waits_for_a_dead_disk_is_bounded_and_the_newest_stays(
    tmp_path: Path, lasting: bool
) -> None:
    spool = on_disk(tmp_path, waiting_bytes=10_000)
    spool.append(1, b"event", lasting=True)
    for seq in range(2, 1000):
        spool.append(seq, b"x" * 100, lasting=False)
    assert spool.waiting_size <= 10_000
    kept = spool.newest - spool.dropped
    assert 10 < kept < 50
    if lasting:
        with pytest.raises(SpoolFullError):
            for seq in range(1000, 2000):
                spool.append(seq, b"y" * 100, lasting=True)
        assert not spool.has_room
    newest = spool.newest
    assert spool.sync() == newest
    seqs = [seq for seq, _ in everything(spool)]
    assert seqs[0] == 1
    assert seqs[1:] == list(range(newest - len(seqs) + 2, newest + 1))
    assert len(seqs) == newest - spool.dropped
    spool.close()
    again = on_disk(tmp_path)
    assert [seq for seq, _ in everything(again)] == seqs
    assert (again.torn, again.next_seq) == (0, newest + 1)


def break_disk(patch: pytest.MonkeyPatch) -> None:
    def refused(_file: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    patch.setattr(gateway.spool.pen.os, "write", refused)


def test_what_waits_is_read_by_those_who_ask_for_it_and_by_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = on_disk(tmp_path)
    fill(spool, 3)
    break_disk(monkeypatch)
    for seq in (4, 5, 6):
        spool.append(seq, payload(seq))
    with pytest.raises(OSError, match="No space"):
        spool.sync()
    told = spool.read(3, limit=9, up_to=5)
    assert told.records == tuple(expected(4, 5))
    assert (told.through, told.head) == (5, 5)
    assert spool.read(3, limit=9).records == ()
    assert spool.read(3, limit=9).head == 3
    # From the disk first, and then from memory.
    assert spool.read(0, limit=9, up_to=6).records == tuple(expected(1, 2, 3))
    monkeypatch.undo()
    spool.sync()
    assert everything(spool) == expected(*range(1, 7))


def test_killed_while_the_disk_failed_no_number_is_used_twice_and_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = on_disk(tmp_path)
    fill(spool, 3)
    break_disk(monkeypatch)
    for seq in range(4, 9):
        spool.append(seq, payload(seq))
    with pytest.raises(OSError, match="No space"):
        spool.sync()
    assert spool.read(3, limit=9, up_to=8).through == 8
    kill(spool)
    # Again and again, before anything can be written.
    for _ in range(3):
        again = on_disk(tmp_path)
        first = again.next_seq
        assert first > 8
        again.append(first, payload(first))
        assert again.read(again.synced, limit=9, up_to=first).records == tuple(expected(first))
        kill(again)
    monkeypatch.undo()
    last = on_disk(tmp_path)
    assert last.next_seq > first
    assert last.backlog("rules") == 3
    fill(last, 2)
    numbers = (1, 2, 3, last.newest - 1, last.newest)
    assert everything(last) == expected(*numbers)
    assert last.read(0, limit=1).unused == ((4, last.newest - 2),)
    assert (last.torn, last.backlog("rules")) == (0, 5)
    last.close()
    # An end in order passes nothing over.
    clean = on_disk(tmp_path)
    assert clean.next_seq == last.newest + 1
    assert clean.read(0, limit=1).unused == ((4, last.newest - 2),)
    assert everything(clean) == expected(*numbers)


def test_an_end_in_order_on_a_disk_that_fails_counts_as_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = on_disk(tmp_path)
    fill(spool, 3)
    spool.append(4, payload(4))
    break_disk(monkeypatch)
    with pytest.raises(OSError, match="No space"):
        spool.close()
    monkeypatch.undo()
    assert on_disk(tmp_path).next_seq > 1000


def test_without_a_mark_the_numbers_go_on_behind_all_that_was_ever_reserved(
    tmp_path: Path,
) -> None:
    spool = on_disk(tmp_path)
    fill(spool, 3)
    kill(spool)
    kill(on_disk(tmp_path))
    reserved = on_disk(tmp_path)
    told = reserved.next_seq + 500_000_000
    kill(reserved)
    (tmp_path / "mark").write_bytes(b"rubbish")
    again = on_disk(tmp_path)
    assert again.epoch == spool.epoch
    assert again.next_seq > told
    assert everything(again) == expected(1, 2, 3)


def test_more_numbers_are_reserved_before_half_of_them_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.spool.queue, "RESERVED", 10)
    spool = on_disk(tmp_path)
    for _ in range(40):
        fill(spool, 1)
        assert spool.newest + 5 <= spool._mark.reserved <= spool.newest + 10
    # With a disk that fails no more is told than was reserved.
    break_disk(monkeypatch)
    for seq in range(41, 60):
        spool.append(seq, payload(seq))
    assert spool.read(40, limit=99, up_to=59).head == spool._mark.reserved < 59


def test_from_memory_and_from_disk_the_same_is_read(tmp_path: Path) -> None:
    chance = random.Random(5)
    spool = Spool.open(tmp_path, segment_bytes=700, recent_bytes=5000)
    for _ in range(60):
        fill(spool, chance.randint(1, 4))
        if chance.random() < 0.1:
            spool.skip_to(spool.next_seq + chance.randint(1, 9), "rules")
        after, limit = chance.randint(0, spool.newest), chance.randint(1, 9)
        memory = spool.read_memory(after, limit=limit)
        disk = spool._shelf.read(after, spool.synced, 0, limit, 1 << 40)
        if memory is not None:
            assert memory.records == disk.records
            assert (memory.through, memory.head) == (disk.through, disk.head)
    assert spool.read_memory(0, limit=1) is None
    assert spool.read_memory(spool.newest - 3, limit=1) is not None


def test_the_newest_records_are_found_behind_numbers_that_were_never_used(tmp_path: Path) -> None:
    spool = on_disk(tmp_path)
    fill(spool, 5)
    kill(spool)
    spool = on_disk(tmp_path)
    fill(spool, 2)
    assert [seq for seq, _ in spool.last(4).records] == [4, 5, spool.newest - 1, spool.newest]
    assert len(spool.last(99).records) == 7


def test_a_gateway_event_that_is_deleted_unread_is_in_the_log(tmp_path: Path) -> None:
    spool = on_disk(tmp_path, segment_bytes=1000, capacity_bytes=5000)
    event = GatewayEvent(kind=GatewayEventKind.LINK_DOWN, subject="pump-room")
    at = Instant(wall=1, mono=1, boot="b")
    envelope = Envelope(site="s", gateway="g", epoch=spool.epoch, seq=1, at=at)
    spool.append(1, encode(Record(envelope=envelope, body=event)))
    with capture_logs() as logs:
        for _ in range(400):
            fill(spool, 1)
    said = [line for line in logs if line["event"] == "event of the gateway deleted unread"]
    assert len(said) == 1, logs
    assert "pump-room" in said[0]["gateway_event"]


_WRITER = """
import sys
from collections.abc import Callable
from pathlib import Path
from gateway.spool.queue import Spool
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
        spool = on_disk(tmp_path, segment_bytes=2000)
        found = everything(spool)
        stored = [seq for seq, _ in found]
        assert found == expected(*stored)
        # Every number that is not there was never used, and nothing is said to be lost.
        unused = spool.read(0, limit=1).unused
        assert len(stored) + overlap(unused, 0, spool.newest) == spool.newest
        assert told in stored
        assert spool.next_seq > told
        assert (spool.torn, spool.backlog("rules")) == (0, len(stored))
        kill(spool)


def test_what_waited_long_is_written_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.spool.queue, "_BATCH_BYTES", 2000)
    spool = on_disk(tmp_path)
    sizes: list[int] = []
    write = os.write

    def counted(file: int, data: bytes) -> int:
        sizes.append(len(data))
        if len(sizes) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data)

    monkeypatch.setattr(gateway.spool.pen.os, "write", counted)
    for seq in range(1, 51):
        spool.append(seq, payload(seq))
    with pytest.raises(OSError, match="No space"):
        spool.sync()
    # The first two parts are safe, and are not written again.
    first = spool.synced
    assert 5 < first < 45
    assert everything(spool) == expected(*range(1, first + 1))
    assert spool.sync() == 50
    assert everything(spool) == expected(*range(1, 51))
    assert max(sizes) < 2000
    spool.close()
    again = on_disk(tmp_path)
    assert everything(again) == expected(*range(1, 51))
    assert again.torn == 0
