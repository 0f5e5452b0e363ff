"""The gateway's flow: polled or heard, safe, told, kept; each reading once."""

from __future__ import annotations

import asyncio
import errno
import gc
import shutil
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from gateway_house import (
    WALL,
    Device,
    House,
    events,
    frames,
    in_order_and_whole,
    message,
    running,
    status,
    until,
)
from structlog.testing import capture_logs

import gateway.spool.pen
from gateway.bus.questions import QuestionRefusedError, Questions
from gateway.clock import SystemClock
from gateway.history.base import HistoryUnavailableError
from gateway.link_state import LinkState
from gateway.modbus.link import FailureKind, ReadFailure
from gateway.modbus.poller import LinkPoller
from gateway.model.equipment import ModbusLink
from gateway.model.events import GatewayEvent
from gateway.model.moment import DAY, HOUR, SECOND
from gateway.model.quality import Quality
from gateway.mqtt.mapping import UnreadableMessageError
from gateway.service import Gateway

SUPPORT = Path(__file__).parents[1] / "support"


def test_every_poll_is_in_the_history_and_on_the_bus_once(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        async with house.heard() as records:
            await house.seconds(5)
            await until(lambda: len(frames(records)) == 5)
        assert [record.envelope.seq for record in records] == list(range(1, len(records) + 1))
        assert events(records) == [("started", "gw-1"), ("link_up", "pump-room")]
        points = frames(records)[0].points
        rows = house.rows()
        assert len(rows) == 5 * len(points)
        assert {time for _, time, _, _ in rows} == {WALL + n * SECOND for n in range(1, 6)}
        found = house.history.range("pump-1.current", 0, 1 << 60, 99)
        assert len(set(found.value.tolist())) == 5

    asyncio.run(check())


def test_a_gateway_that_died_goes_on_behind_what_was_synced(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(3)
        before = house.rows()
        # Spooled and synced, and then dead before bus and history heard of it.
        async for said in house.gateway.devices.pollers[0].poll(house.clock.advance(1)):
            house.gateway.devices.take_poll("pump-room", said, house.clock.now())
        house.gateway.devices.hand_on("pump-room")
        house.spool.sync()
        house.die()
        house.start()
        async with house.heard() as records:
            await house.seconds(1)
            await until(lambda: len(frames(records)) == 5)
        times = sorted({time for _, time, _, _ in house.rows()})
        assert times == [WALL + n * SECOND for n in range(1, 6)]
        assert len(house.rows()) == len(before) // 3 * 5
        assert [row for row in house.rows() if row[1] <= WALL + 3 * SECOND] == before
        in_order_and_whole(house, records)

    asyncio.run(check())


def test_a_history_that_is_away_stops_nothing_and_gets_everything_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(2)

        def away(*_: object) -> None:
            raise HistoryUnavailableError("away")

        async with house.heard() as records:
            with monkeypatch.context() as patch:
                patch.setattr(house.history, "write", away)
                await house.seconds(60)
                await until(lambda: len(frames(records)) == 62)
            assert len({time for _, time, _, _ in house.rows()}) == 2
            assert house.spool.backlog("history") >= 60
            await house.seconds(1)
        assert len({time for _, time, _, _ in house.rows()}) == 63
        assert house.spool.backlog("history") == 0

    asyncio.run(check())


def test_a_dead_device_is_bad_readings_with_a_reason_and_a_link_event(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        async with house.heard() as records:
            await house.seconds(1)
            house.device.failure = ReadFailure(FailureKind.NO_REPLY, "unit 1 did not answer")
            await house.seconds(2)
            house.device.failure = None
            await house.seconds(1)
            await until(lambda: len(frames(records)) == 4)
        kinds = [kind for kind, _ in events(records)]
        assert kinds == ["started", "link_up", "link_down", "link_up"]
        dead = frames(records)[1]
        assert (dead.quality == Quality.BAD).all()
        assert np.isnan(dead.value).all()
        assert set(dead.reason.values()) == {"unit 1 did not answer", "no_source: running"}
        found = house.history.range("pump-1.speed", 0, 1 << 60, 99)
        assert found.quality.tolist() == [0, Quality.BAD, Quality.BAD, 0]
        assert np.isnan(found.value).tolist() == [False, True, True, False]

    asyncio.run(check())


def test_a_step_of_the_wall_clock_is_an_event_and_stops_no_poll(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        async with house.heard() as records:
            await house.seconds(1)
            house.clock.step_wall(1.5)
            await house.seconds(1)
            house.clock.step_wall(-3600)
            await house.seconds(2)
            await until(lambda: len(frames(records)) == 4)
        steps = [r.body for r in records if isinstance(r.body, GatewayEvent)][2:]
        assert [(step.kind.value, step.detail.split(",")[0]) for step in steps] == [
            ("clock_step", "-3600.000 s")
        ]

    asyncio.run(check())


def seconds_kept(house: House) -> list[int]:
    return sorted({(time - WALL) // SECOND for _, time, _, _ in house.rows()})


def test_history_is_trimmed_unless_the_clock_was_moved_far(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(3)
        house.clock.advance(30 * DAY / SECOND - 2)
        await house.seconds(1)
        await house.gateway.watching.trim(house.clock.now())
        assert seconds_kept(house) == [2, 3, 30 * DAY // SECOND + 2]
        house.clock.step_wall(365 * DAY / SECOND)
        await house.seconds(1)
        house.clock.advance(2 * HOUR / SECOND)
        await house.seconds(1)
        await house.gateway.watching.trim(house.clock.now())
        assert {2, 3} < set(seconds_kept(house))

    asyncio.run(check())


def test_a_clock_that_is_a_year_ahead_at_start_deletes_nothing(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(3)
        house.die()
        house.clock.reboot("boot-2")
        house.clock.step_wall(365 * DAY / SECOND)
        house.start()
        await house.gateway.watching.trim(house.clock.now())
        # Hours of new readings make it no better.
        for _ in range(5):
            house.clock.advance(HOUR / SECOND)
            await house.seconds(1)
            await house.gateway.watching.trim(house.clock.now())
        assert {1, 2, 3} < set(seconds_kept(house))
        # By now they are old by any clock.
        house.clock.advance(30 * DAY / SECOND)
        await house.seconds(1)
        await house.gateway.watching.trim(house.clock.now())
        assert len(seconds_kept(house)) == 1

    asyncio.run(check())


def test_history_is_not_trimmed_in_the_first_hour_nor_when_it_gets_nothing_new(
    tmp_path: Path,
) -> None:
    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(3)
        # Written in good order, and old because the gateway has kept on running.
        house.gateway.retention._keep = 10 * SECOND
        house.clock.advance(HOUR / SECOND - 10)
        await house.seconds(1)
        await house.gateway.watching.trim(house.clock.now())
        assert len(seconds_kept(house)) == 4
        house.clock.advance(2 * DAY / SECOND)
        await house.gateway.watching.trim(house.clock.now())
        assert len(seconds_kept(house)) == 4
        await house.seconds(1)
        await house.gateway.watching.trim(house.clock.now())
        assert len(seconds_kept(house)) == 1

    asyncio.run(check())


def test_a_message_is_acknowledged_when_it_is_safe_and_never_taken_twice(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        told: list[str] = []
        await house.seconds(1)
        first = status(WALL / SECOND, output=True, apower=40.0)
        second = status(WALL / SECOND + 0.5, apower=41.0)
        house.gateway.devices.hear(message(first, told, "first"))
        house.gateway.devices.hear(message(second, told, "second"))
        assert told == []
        # Safe, and dead before the broker was told.
        house.spool.sync()
        house.die()
        house.start()
        await house.seconds(1)
        for payload, name in ((first, "first again"), (second, "second again")):
            house.gateway.devices.hear(message(payload, told, name, again=True))
        third = status(WALL / SECOND + 1, apower=41.0)
        house.gateway.devices.hear(message(third, told, "third"))
        await house.seconds(1)
        assert told == ["first again", "second again", "third"]
        found = house.history.range("lamp-1.power", 0, 1 << 60, 99)
        assert found.value.tolist() == [40, 41, 41]
        assert len(house.history.range("lamp-1.output", 0, 1 << 60, 99).value) == 1

    asyncio.run(check())


def outputs(house: House) -> list[float]:
    return house.history.range("lamp-1.output", 0, 1 << 60, 99).value.tolist()


def test_on_off_on_within_one_tick_of_the_devices_clock_ends_on(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        told: list[str] = []
        await house.seconds(1)
        on, off = (status(WALL / SECOND, output=output) for output in (True, False))
        for number, payload in enumerate((on, off, on)):
            house.gateway.devices.hear(message(payload, told, str(number)))
        await house.seconds(1)
        assert (outputs(house), told) == ([1, 0, 1], ["0", "1", "2"])

    asyncio.run(check())


@pytest.mark.parametrize(
    ("again", "end"),
    [
        # Delivered again: what was not acknowledged, which is the end of what was taken.
        (["on", "off"], []),
        (["off"], []),
        # A third message, that was on its way when the connection was lost.
        (["on", "off", "on"], [1]),
        (["off", "on"], [1]),
        # Both were acknowledged: it can only be the third.
        (["on"], [1]),
    ],
)
def test_what_comes_again_is_told_from_the_same_words_said_again(
    tmp_path: Path, again: list[str], end: list[float]
) -> None:
    async def check() -> None:
        house = House(tmp_path)
        told: list[str] = []
        await house.seconds(1)
        said = {word: status(WALL / SECOND, output=word == "on") for word in ("on", "off")}
        for word in ("on", "off"):
            house.gateway.devices.hear(message(said[word], told, word))
        await house.seconds(1)
        house.die()
        house.start()
        await house.seconds(1)
        told.clear()
        for word in again:
            house.gateway.devices.hear(message(said[word], told, word, again=True))
        await house.seconds(3)
        assert outputs(house) == [1, 0, *end]
        assert told == again

    asyncio.run(check())


def test_a_message_without_readings_is_acknowledged_and_rubbish_raises(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        told: list[str] = []
        house.gateway.devices.hear(message(b"true", told, "online", "shellyplus1pm-lobby/online"))
        assert told == ["online"]
        with pytest.raises(UnreadableMessageError):
            house.gateway.devices.hear(message(b"\xff\xfe", told, "rubbish"))
        assert house.spool.next_seq == 1

    asyncio.run(check())


def test_a_message_for_which_there_is_no_room_is_left_with_the_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        house = House(tmp_path)
        told: list[str] = []
        await house.seconds(1)
        payload = status(WALL / SECOND, apower=1.0)
        with monkeypatch.context() as patch:
            patch.setattr(house.spool._memory, "_waiting_bytes", 1)
            house.gateway.devices.hear(message(payload, told, "refused"))
        await house.seconds(1)
        assert told == []
        house.gateway.devices.hear(message(payload, told, "taken"))
        await house.seconds(1)
        assert told == ["taken"]
        assert house.history.range("lamp-1.power", 0, 1 << 60, 99).value.tolist() == [1]

    asyncio.run(check())


def test_a_history_that_is_ahead_of_the_spool_pushes_the_numbers_on(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(1)
        house.spool.close()
        house.history.close()
        shutil.copytree(tmp_path / "spool", tmp_path / "backup")
        house.start()
        await house.seconds(8)
        seen = house.spool.synced
        house.die()
        shutil.rmtree(tmp_path / "spool")
        (tmp_path / "backup").rename(tmp_path / "spool")
        house.start()
        assert house.spool.synced < seen
        await house.seconds(2)
        assert house.spool.read(seen, limit=99).records
        assert len({time for _, time, _, _ in house.rows()}) >= 10

    asyncio.run(check())


# -- the running service ----------------------------------------------------------------------


def test_it_runs_and_stops_with_everything_written(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        async with running(house):
            async with house.heard() as records:
                await until(lambda: len(frames(records)) >= 3)
            begun = time.monotonic()
        assert time.monotonic() - begun < 5
        assert house.spool.synced == house.spool.next_seq - 1
        cursor = house.history.cursor("gw-1")
        assert cursor == (house.spool.epoch, house.spool.synced)
        polls = len({t for name, t, _, _ in house.rows() if name == "pump-1.speed"})
        (unit,) = house.gateway.devices.pollers[0].units
        assert polls == house.device.reads // len(unit.decoder.blocks)

    asyncio.run(check())


def test_a_heap_that_stays_is_not_looked_through_while_it_runs(tmp_path: Path) -> None:
    """A full look at a large site stops every poll for a good part of a second."""

    async def check() -> None:
        house = House(tmp_path)
        usual = gc.get_threshold()
        async with running(house):
            await until(lambda: gc.get_freeze_count() > 0)
            assert gc.get_threshold() > usual
        assert gc.get_freeze_count() == 0, "what is no longer needed can be found again"
        assert gc.get_threshold() == usual

    asyncio.run(check())


def test_a_disk_that_refuses_for_a_while_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        house = House(tmp_path)
        refused: list[int] = []

        def full(_file: int, data: bytes) -> int:
            refused.append(len(data))
            raise OSError(errno.ENOSPC, "No space left on device")

        async with running(house), house.heard() as records:
            await until(lambda: len(frames(records)) >= 1)
            with monkeypatch.context() as patch:
                patch.setattr(gateway.spool.pen.os, "write", full)
                await until(lambda: len(refused) >= 2)
            await until(lambda: len(frames(records)) >= 4)
        polls = len({t for name, t, _, _ in house.rows() if name == "pump-1.speed"})
        (unit,) = house.gateway.devices.pollers[0].units
        assert polls == house.device.reads // len(unit.decoder.blocks)

    asyncio.run(check())


def test_a_slow_link_delays_only_itself(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        link = house.site.links["pump-room"]
        assert isinstance(link, ModbusLink)
        one, *others = [t for t in house.site.equipment.values() if t.link == link.id]
        slow = Device()
        slow.delay = 60
        house.clock = SystemClock()  # type: ignore[assignment]
        quick = LinkPoller(link, others, house.device)
        stuck = LinkPoller(link, [one], slow)
        house.gateway = Gateway(
            site=house.site,
            spool=house.spool,
            history=house.history,
            bus=house.bus,
            clock=house.clock,
            pollers=[stuck, quick],
        )
        stop = asyncio.Event()
        run = asyncio.create_task(house.gateway.run(stop))
        await until(lambda: house.spool.synced >= 4)
        stop.set()
        async with asyncio.timeout(8):
            await run
        assert slow.reads == 0

    asyncio.run(check())


_KILLED = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from gateway_house import House
async def main():
    house = House(Path(sys.argv[1]))
    print(house.spool.epoch, flush=True)
    await house.seconds(6)
asyncio.run(main())
"""


@pytest.mark.slow
def test_killed_between_spool_and_bus_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path), str(SUPPORT)],
        env={"DUTYROOM_FAILPOINT": "after-spool:4", "PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert killed.returncode == -9

    async def check() -> None:
        house = House(tmp_path)
        assert house.spool.epoch == killed.stdout.split()[0]
        assert {t - WALL for _, t, _, _ in house.rows()} == {n * SECOND for n in (1, 2, 3)}
        async with house.heard() as records:
            house.clock.advance(4)
            await house.seconds(1)
            await until(lambda: len(frames(records)) == 5)
        assert {t - WALL for _, t, _, _ in house.rows()} == {n * SECOND for n in (1, 2, 3, 4, 5)}
        in_order_and_whole(house, records)

    asyncio.run(check())


def test_a_link_is_down_only_when_all_its_units_are() -> None:
    state = LinkState("l", 2)
    assert state.hear((1,), False, "timeout") is None
    assert state.up is None
    up = state.hear((2,), True)
    assert up is not None
    assert up.kind.value == "link_up"
    assert state.hear((2,), True) is None
    down = state.hear((2,), False, "timeout")
    assert down is not None
    assert (down.kind.value, down.detail) == ("link_down", "timeout")
    assert state.hear((1,), False, "timeout") is None


def test_what_is_counted_goes_on_after_a_kill_and_is_kept_like_any_reading(
    tmp_path: Path,
) -> None:
    async def check() -> None:
        house = House(tmp_path)

        def kept(key: str) -> list[float]:
            return house.history.range(f"pump-1.{key}", 0, 1 << 60, 1 << 20).value.tolist()

        async with house.heard() as records:
            await house.seconds(7)
            await house.gateway.keep_count()
            await house.seconds(4)
            house.die()
            house.start()
        async with house.heard() as records:
            await house.seconds(5)
            await until(lambda: len(frames(records)) == 16)
        running = kept("running")
        starts = sum(now > before for before, now in pairwise(running))
        assert len(running) == 16
        assert starts > 4
        assert kept("counted_starts")[-1] == starts
        # The device alternates, so it is clear that no start was missed and none counted twice.
        assert [frame.value[-3] for frame in frames(records)][-1] == starts

    asyncio.run(check())


def test_the_gateway_answers_how_its_links_do_and_refuses_what_is_not_allowed(
    tmp_path: Path,
) -> None:
    async def check() -> None:
        house = House(tmp_path)
        questions = Questions(house.bus, house.site.id, house.site.gateway, clock=house.clock)
        questions.start()
        await house.seconds(2)
        told = await questions.ask("links", {}, within=5)
        assert [link["id"] for link in told["links"]] == ["pump-room", "lighting"]
        assert told["spool"]["head"] == house.spool.synced
        assert told["spool"]["disk_failing_since"] is None
        order = {"equipment": "lamp-1", "point": "output", "value": 1}
        who = {"role": "administrator", "by": "wang", "command": "c-1"}
        with pytest.raises(QuestionRefusedError) as refused:
            await questions.ask("write", {**order, **who}, within=5)
        assert refused.value.code in {"commands_off", "not_allowed"}
        with pytest.raises(QuestionRefusedError) as unknown:
            await questions.ask("probe", {"link": "nowhere", "unit": 1}, within=5)
        assert unknown.value.code == "unknown_link"
        questions.close()

    asyncio.run(check())


def test_a_spool_that_fills_up_is_told_of_before_it_is_full(tmp_path: Path) -> None:
    async def check() -> None:
        house = House(tmp_path)
        await house.seconds(1)
        with capture_logs() as logs:
            for share in (0.5, 0.72, 0.75, 0.65, 0.72, 0.5, 0.71):
                house.spool.capacity_bytes = round(house.spool.size / share)
                await house.gateway.watching.look(house.clock.advance(1))
        said = [log["used"] for log in logs if "nearly full" in log["event"]]
        assert said == ["72%", "71%"]

    asyncio.run(check())
