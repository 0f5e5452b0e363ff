"""A history server that fails in every way, and what becomes of the readings meanwhile."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import tracemalloc
import urllib.parse
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from influx import InfluxServer, running_influx, running_victoria
from records import record

from api.settings import demo_site
from gateway.bus.memory import MemoryBus
from gateway.bus.stream import Subscriber
from gateway.clock import SystemClock
from gateway.history import influx_server as wire
from gateway.history.base import Cursor, HistoryRefusedError, HistoryUnavailableError
from gateway.history.influx import InfluxHistory
from gateway.history.influx_address import InfluxAddress
from gateway.history.lines import Lines
from gateway.history.parking import Parking
from gateway.history.retention import Retention
from gateway.history.writer import HistoryWriter
from gateway.keeping import Keeping
from gateway.model.equipment import Broker
from gateway.model.events import Record, encode
from gateway.model.frame import Frame
from gateway.model.moment import DAY, HOUR, SECOND, Instant
from gateway.service import Gateway
from gateway.site import files as site_file
from gateway.spool.queue import Spool

SITE = site_file.load(demo_site())
NOW = 1_795_233_600_000_000
HOT = "pump-2.motor_temperature"
ALL = (0, NOW + DAY, 1 << 30)


@pytest.fixture
def address(influx_server: InfluxServer) -> Iterator[InfluxAddress]:
    made = influx_server.new_database()
    yield made
    influx_server.drop_database(made)


@pytest.fixture
def parked(tmp_path: Path) -> Path:
    return tmp_path / "parked.jsonl"


@pytest.fixture
def ends() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def history(address: InfluxAddress, parked: Path, ends: ExitStack) -> InfluxHistory:
    made = InfluxHistory(address, SITE, parked)
    ends.callback(made.close)
    return made


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool.open(tmp_path / "spool")
    yield opened
    opened.close()


def put(spool: Spool, count: int, rows: dict[str, float], *, every: int = SECOND) -> None:
    """``count`` frames more, each received ``every`` µs after the one before."""
    for _ in range(count):
        seq = spool.next_seq
        made = record(seq, rows, at=NOW + seq * every, epoch=spool.epoch)
        spool.append(seq, encode(made))
    spool.sync()


def drain(writer: HistoryWriter) -> None:
    while writer.step():
        continue


def test_of_5000_lines_one_is_bad(
    influx_server: InfluxServer, address: InfluxAddress, history: InfluxHistory, parked: Path
) -> None:
    """Gate 25: 4,999 are stored, and one is parked with the server's reason."""
    rows = {f"pump-{n}.k{m}": float(n + m) for n in range(50) for m in range(99)}
    rows |= {f"lamp-{n}.power": 1.0 for n in range(50)}
    # Somebody else has written a number where our text belongs.
    history.write([record(1, {HOT: 0.0}, at=1)], Cursor("e", 1))
    _post(address, f"other,equipment=x,point=y,site=z text=1 {NOW}")
    bad = list(rows).index("pump-7.k7")
    made = record(2, rows, at=NOW, text={bad: "a word"})
    history.write([made, record(3, {HOT: 5.0}, at=NOW)], Cursor("e", 3))
    answer = influx_server.ask(
        f"SELECT count(quality) FROM pump, lamp, other WHERE time = {NOW}u", address.database
    )
    counts = [series["values"][0][1] for series in answer["results"][0]["series"]]
    assert sum(counts) == 5000  # 4,999 of the 5,000, and one of the frame behind them
    (line,) = [json.loads(text) for text in parked.read_text().splitlines()]
    assert line["line"].startswith("other,equipment=pump-7,point=k7,site=brocade-garden value=14.0")
    assert "type" in line["reason"]
    assert history.cursor("g") == Cursor("e", 3)
    assert history.range("pump-7.k7", *ALL).time.tolist() == []


def test_more_lines_than_go_at_once(history: InfluxHistory) -> None:
    rows = {f"p.k{n}": float(n) for n in range(1000)}
    records = [record(n, rows, at=NOW + n) for n in range(1, 26)]
    history.write(records, Cursor("e", 25))
    assert history.range("p.k999", *ALL).value.tolist() == [999.0] * 25


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"token": "dutyroom:nonsense"}, r"refuses user or token \(401"),
        ({"bucket": "no_such"}, "database not found"),
    ],
)
def test_a_server_that_refuses_us_is_loud_and_all_is_kept(
    wrong: dict[str, str],
    said: str,
    address: InfluxAddress,
    parked: Path,
    spool: Spool,
    ends: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Gate 26: one request an attempt, nothing released, nothing parked; mended, all goes on."""
    refused = InfluxHistory(replace(address, **wrong), SITE, parked)
    ends.callback(refused.close)
    put(spool, 20, {HOT: 1.0})
    writer = HistoryWriter(spool, refused, "g")
    with pytest.raises(HistoryRefusedError, match=said):
        writer.cursor()
    writer.resume(None)
    monkeypatch.setattr(InfluxHistory, "_newest_cursor", lambda _self, _gateway: None)
    with pytest.raises(HistoryRefusedError, match=rf"{said}|has no 'no_such' \(404"):
        writer.step()
    monkeypatch.undo()
    assert spool.backlog("history") == 20
    assert not parked.exists()
    right = InfluxHistory(address, SITE, parked)
    ends.callback(right.close)
    writer = HistoryWriter(spool, right, "g")
    writer.resume(writer.cursor())
    drain(writer)
    assert len(right.range(HOT, *ALL).time) == 20
    assert spool.backlog("history") == 0


class TurnedClock:
    """A clock that goes on only by whoever sleeps: an hour passes in no time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> Instant:
        at = round(self.seconds * SECOND)
        return Instant(wall=NOW + at, mono=at, boot="b")

    async def sleep(self, seconds: float) -> None:
        until = self.seconds + seconds
        await asyncio.sleep(0)
        self.seconds = max(self.seconds, until)


def test_a_gateway_asks_a_server_that_refuses_ever_more_rarely(
    address: InfluxAddress, parked: Path, spool: Spool, ends: ExitStack
) -> None:
    """Gate 26: no tight loop; after 1 s, 2 s, 4 s … and then every 30 s."""
    refused = InfluxHistory(replace(address, token="dutyroom:nonsense"), SITE, parked)
    ends.callback(refused.close)
    put(spool, 3, {HOT: 1.0})
    clock, attempts = TurnedClock(), list[float]()
    enough = asyncio.Event()
    latest = refused.latest

    def count(points: Collection[str]) -> object:
        attempts.append(clock.seconds)
        if len(attempts) == 9:
            loop.call_soon_threadsafe(enough.set)
        return latest(points)

    refused.latest = count  # type: ignore[method-assign,assignment]
    writer = HistoryWriter(spool, refused, "g")
    retention = Retention(refused, (HOT,), DAY)
    keeping = Keeping(None, writer, retention, clock)  # type: ignore[arg-type]

    async def check() -> None:
        filling = asyncio.create_task(keeping.fill_for_ever())
        async with asyncio.timeout(30):
            await enough.wait()
        filling.cancel()

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        runner.run(check())
    waits = [round(later - before) for before, later in pairwise(attempts[:9])]
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    assert spool.backlog("history") == 3


def test_a_server_that_takes_and_never_answers_holds_up_nothing(
    parked: Path, spool: Spool, monkeypatch: pytest.MonkeyPatch, ends: ExitStack
) -> None:
    """Gate 24, with an answer awaited for 0.5 s instead of 10: readings reach the bus as ever."""
    monkeypatch.setattr(wire, "_ANSWER_MS", 500)
    deaf = socket.create_server(("127.0.0.1", 0))
    ends.callback(deaf.close)
    url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
    history = InfluxHistory(InfluxAddress(url=url, bucket="b", token="u:p"), SITE, parked)
    ends.callback(history.close)
    with pytest.raises(HistoryUnavailableError, match="timed out"):
        history.write([record(1, {HOT: 1.0}, at=NOW)], Cursor("e", 1))

    async def check() -> None:
        bus = MemoryBus()
        gateway = _gateway(spool, history, bus)
        subscriber = Subscriber(bus, SITE.id, SITE.gateway, "rules", None)
        stop = asyncio.Event()
        running = asyncio.create_task(gateway.run(stop))
        loop = asyncio.get_running_loop()
        heard: list[Record] = []
        began = loop.time()
        async with asyncio.timeout(10):
            async for batch in subscriber.records():
                heard += [found for _, found in batch]
                if len(heard) >= 3:
                    break
        print(f"three records heard after {loop.time() - began:.2f} s beside a deaf history")
        stop.set()
        await running

    asyncio.run(check())
    assert spool.backlog("history") == spool.synced


def test_down_for_an_hour_at_full_load(
    influxd: str, parked: Path, spool: Spool, ends: ExitStack
) -> None:
    """Gate 23: the readings of an hour are in the spool, and then each once in the history."""
    points, seconds, scale = 100, 360, 10
    print(f"an hour at {points} readings/s, scaled 1:{scale}")
    server = ends.enter_context(running_influx(influxd))
    history = InfluxHistory(server.new_database(), SITE, parked)
    ends.callback(history.close)
    rows = {f"pump-{n // 10}.k{n % 10}": float(n) for n in range(points)}
    writer = HistoryWriter(spool, history, "g")
    writer.resume(writer.cursor())
    put(spool, 10, rows)
    drain(writer)
    server.kill()
    for _ in range(4):
        put(spool, seconds // 4, rows)
        with pytest.raises(HistoryUnavailableError, match="502"):
            writer.step()
    assert spool.backlog("history") == seconds
    server.start()
    drain(writer)
    assert spool.backlog("history") == 0
    for name, value in rows.items():
        found = history.range(name, *ALL)
        assert found.time.tolist() == [NOW + n * SECOND for n in range(1, seconds + 11)]
        assert set(found.value.tolist()) == {value}


def test_a_server_that_takes_5_s_a_write_for_half_an_hour(
    influxd: str, tmp_path: Path, ends: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gate 27: what waits is on disk and not in memory, and its age is known. The clock is turned
    by hand; each of the 360 writes "takes" 5 s in which 5 s of readings arrive."""
    parked = tmp_path / "parked"
    spool = Spool.open(tmp_path / "spool", recent_bytes=64 * 1024)
    ends.callback(spool.close)
    server = ends.enter_context(running_influx(influxd))
    history = InfluxHistory(server.new_database(), SITE, parked)
    ends.callback(history.close)
    writer = HistoryWriter(spool, history, "g", SITE.points)
    writer.resume(writer.cursor())
    rows = {f"pump-{n // 10}.k{n % 10}": float(n) for n in range(100)}
    monkeypatch.setattr("gateway.history.writer._BATCH_RECORDS", 4)
    put(spool, 5, rows)
    tracemalloc.start()
    ends.callback(tracemalloc.stop)
    sizes, ages = [], []
    for _ in range(360):
        assert writer.step()
        put(spool, 5, rows)
        sizes.append(tracemalloc.get_traced_memory()[0])
        ages.append(NOW + spool.synced * SECOND - writer.written)
    # 4 of 5 s are written: the backlog grows by a second with each write, and no memory with it.
    assert ages[-1] - ages[0] == 359 * SECOND
    assert spool.backlog("history") == 5 + 360
    print(f"memory grew by {(sizes[-1] - sizes[60]) / 1024:.0f} KiB while 300 s of backlog came")
    assert sizes[-1] - sizes[60] < 1024 * 1024
    monkeypatch.undo()
    drain(writer)
    assert history.range("pump-1.k1", *ALL).time.tolist() == [
        NOW + n * SECOND for n in range(1, spool.synced + 1)
    ]


def test_killed_between_readings_and_cursor_they_are_there_once(
    address: InfluxAddress,
    parked: Path,
    spool: Spool,
    ends: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(spool, 30, {HOT: 1.0, "p.b": 2.0})
    first = InfluxHistory(address, SITE, parked)
    ends.callback(first.close)
    writer = HistoryWriter(spool, first, "g")
    writer.resume(writer.cursor())
    written = wire.InfluxServer.write
    calls: list[int] = []

    def dies(self: wire.InfluxServer, lines: Sequence[str]) -> None:
        calls.append(len(lines))
        if len(calls) == 2:
            raise HistoryUnavailableError("killed")
        written(self, lines)

    monkeypatch.setattr(wire.InfluxServer, "write", dies)
    with pytest.raises(HistoryUnavailableError, match="killed"):
        writer.step()
    assert calls == [60, 1]
    monkeypatch.undo()
    second = InfluxHistory(address, SITE, parked)
    ends.callback(second.close)
    assert len(second.range(HOT, *ALL).time) == 30
    writer = HistoryWriter(spool, second, "g")
    writer.resume(writer.cursor())
    drain(writer)
    for point in (HOT, "p.b"):
        assert len(second.range(point, *ALL).time) == 30
    assert second.cursor("g") == Cursor(spool.epoch, 30)


def test_readings_older_than_the_server_keeps_stop_nothing(
    influx_server: InfluxServer, address: InfluxAddress, parked: Path, ends: ExitStack
) -> None:
    name = address.database
    influx_server.ask(f'CREATE RETENTION POLICY short ON "{name}" DURATION 1d REPLICATION 1')
    history = InfluxHistory(replace(address, bucket=f"{name}/short"), SITE, parked)
    ends.callback(history.close)
    now = SystemClock().now().wall
    old = [record(n, {HOT: n}, at=now - 9 * DAY + n) for n in (1, 2)]
    new = [record(n, {HOT: n}, at=now - HOUR + n) for n in (3, 4)]
    history.write([*old, *new], Cursor("e", 4))
    assert history.range(HOT, now - 99 * DAY, now, 99).value.tolist() == [3, 4]
    assert history.cursor("g") == Cursor("e", 4)
    assert not parked.exists()


def test_what_cannot_be_parked_is_not_passed_over(
    address: InfluxAddress, tmp_path: Path, ends: ExitStack
) -> None:
    _post(address, f"pump,equipment=x,point=y,site=z value=true {NOW}")
    history = InfluxHistory(address, SITE, tmp_path / "no-folder" / "parked")
    ends.callback(history.close)
    with pytest.raises(HistoryUnavailableError, match="cannot be parked"):
        history.write([record(1, {HOT: 1.0}, at=NOW)], Cursor("e", 1))
    assert history.cursor("g") is None


def test_victoriametrics_takes_the_lines_and_is_no_history(
    victoria_metrics: str, parked: Path, ends: ExitStack
) -> None:
    """It answers 200 to whatever it is asked; that it cannot be read is seen from the answer."""
    url = ends.enter_context(running_victoria(victoria_metrics))
    address = InfluxAddress(url=url, bucket="dutyroom", token="any")
    server = wire.InfluxServer(address, Parking(parked))
    ends.callback(server.close)
    at = SystemClock().now().wall // SECOND * SECOND - SECOND
    frame = record(1, {HOT: 41.25}, at=at).body
    assert isinstance(frame, Frame)
    server.write(Lines(SITE).of([(frame, at)]))
    (stored,) = _exported(url, "pump_value")
    assert (stored["values"], stored["timestamps"]) == ([41.25], [at // 1000])
    assert stored["metric"]["point"] == "motor_temperature"
    history = InfluxHistory(address, SITE, parked)
    ends.callback(history.close)
    with pytest.raises(HistoryRefusedError, match="cannot be asked"):
        history.cursor("g")


def _gateway(spool: Spool, history: InfluxHistory, bus: MemoryBus | None = None) -> Gateway:
    nowhere = Broker(host="127.0.0.1", port=9, username="u", password="p")
    return Gateway(
        site=site_file.with_broker(SITE, nowhere),
        spool=spool,
        history=history,
        bus=bus or MemoryBus(),
        clock=SystemClock(),
    )


def _post(address: InfluxAddress, line: str) -> None:
    """Write a line as somebody else would."""
    server = wire.InfluxServer(address, Parking(Path("/nowhere")))
    server.write([line])
    server.close()


def _exported(url: str, metric: str) -> list[dict[str, object]]:
    host = url.removeprefix("http://")
    query = urllib.parse.urlencode({"match[]": metric})
    # What was taken is shown after a second or so; asking for a flush is the documented way.
    for path in ("/internal/force_flush", f"/api/v1/export?{query}"):
        connection = http.client.HTTPConnection(host, timeout=10)
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
        connection.close()
    return [json.loads(line) for line in text.splitlines()]
