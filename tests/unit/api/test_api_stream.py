"""The live stream, on a real server: what comes first, what follows, and how it ends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from api_room import HOT, LINK_KEY, Room, Served, wait_for
from listening import listening, readings
from prometheus_client import REGISTRY

from api import live, service
from api.routes import stream as stream_route
from api.settings import CannotStartError
from gateway.bus.chunk import encode
from gateway.bus.stream import Topics
from gateway.model.moment import DAY, SECOND


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, five times as fast, and with less held for who does not read."""
    monkeypatch.setattr(service, "SEND_BUFFER", 16 * 1024)
    for name in ("CHANGES_EVERY", "READINGS_EVERY", "HEARTBEAT_EVERY", "SESSIONS_EVERY"):
        monkeypatch.setattr(live, name, getattr(live, name) / 5)


def on_loop(served: Served, work) -> None:
    """``work`` on the server's loop, where the latest readings belong."""

    async def run() -> None:
        result = work()
        if asyncio.iscoroutine(result):
            await result

    asyncio.run_coroutine_threadsafe(run(), served.loop).result(5)


def publish(served: Served, room: Room, values: dict[str, float | None]) -> None:
    """A frame as the gateway says it on the bus."""
    room.record(values)
    chunk = room.chunk(room.seq - 1)
    topic = Topics(room.site.id, room.site.gateway).events
    on_loop(served, lambda: served.bus.publish(topic, encode(chunk)))


def test_first_everything_as_it_is(served: Served, room: Room) -> None:
    alarm = room.raise_alarm()
    publish(served, room, {HOT: 41.5})
    with served.client() as client, listening(client) as stream:
        headers = stream.response.headers
        assert headers["content-type"].startswith("text/event-stream")
        assert headers["cache-control"] == "no-store"
        every = stream.next()
        assert (every.event, every.data["every"], every.id) == ("readings", True, None)
        assert set(readings(every)) == set(room.site.points)
        assert readings(every)[HOT]["value"] == 41.5
        assert int(every.retry) > 0
        first = stream.next()
        assert first.event == "snapshot"
        assert [a["id"] for a in first.data["alarms"]] == [alarm]
        (order,) = first.data["orders"]
        assert order["alarms"] == [alarm]
        assert first.id == str(first.data["seq"])


def test_then_every_change_with_its_id(served: Served, room: Room) -> None:
    with served.client() as client, listening(client) as stream:
        assert stream.until("snapshot").data["alarms"] == []
        alarm = room.raise_alarm()
        told = stream.until("alarm")
        assert told.data["alarm"]["id"] == alarm
        assert told.data["alarm"]["state"] == "unacknowledged"
        order = stream.until("order")
        assert order.data["order"]["alarms"] == [alarm]
        assert int(order.id) > int(told.id)
        client.post(f"/api/v1/alarms/{alarm}/acknowledge", json={"note": "在看"})
        told = stream.until("alarm")
        assert (told.data["alarm"]["state"], told.data["alarm"]["note"]) == (
            "acknowledged",
            "在看",
        )


def test_readings_come_from_the_bus_and_turn_stale_by_themselves(
    served: Served, room: Room
) -> None:
    with served.client() as client, listening(client) as stream:
        assert readings(stream.next())[HOT]["quality"] == "bad"
        stream.until("snapshot")
        publish(served, room, {HOT: 41.5})
        told = stream.until("readings")
        assert told.id is None
        assert told.data["readings"] == {}, "what is good is said briefly"
        assert set(readings(told)) == {HOT}
        whole = client.get("/api/v1/equipment/pump-2").json()["points"]
        (same,) = (point["reading"] for point in whole if point["id"] == HOT)
        assert readings(told)[HOT] == same
        room.clock.advance(4)
        old = stream.until("readings").data["readings"][HOT]
        assert (old["quality"], old["value"]) == ("stale", 41.5)


def test_readings_that_do_not_change_are_not_repeated(served: Served, room: Room) -> None:
    publish(served, room, {HOT: 41.5})
    with served.client() as client, listening(client) as stream:
        stream.until("snapshot")
        # Everything once more: nobody listened before, so nobody had looked what changes.
        assert stream.next().event == "readings"
        heard = [stream.next().event for _ in range(3)]
        assert heard == ["heartbeat"] * 3


def test_the_heartbeat_tells_when_something_was_last_received(served: Served, room: Room) -> None:
    with served.client() as client, listening(client) as stream:
        assert stream.until("heartbeat").data["received_at"] is None
        publish(served, room, {HOT: 41.5})
        wait_for(lambda: stream.until("heartbeat").data["received_at"] is not None)


def test_who_comes_back_gets_what_was_missed_and_no_more(served: Served, room: Room) -> None:
    first = room.raise_alarm("pump-1")
    with served.client() as client:
        with listening(client) as stream:
            seen = stream.until("snapshot").id
        second = room.raise_alarm("pump-2")
        client.post(f"/api/v1/alarms/{first}/acknowledge")
        with listening(client, last=seen) as stream:
            again = stream.next()
            assert again.event == "readings"
            assert set(readings(again)) == set(room.site.points)
            missed = [stream.next() for _ in range(3)]
            assert sorted(m.event for m in missed) == ["alarm", "alarm", "order"]
            alarms = {
                m.data["alarm"]["id"]: m.data["alarm"]["state"]
                for m in missed
                if m.event == "alarm"
            }
            assert alarms == {first: "acknowledged", second: "unacknowledged"}
            ids = [int(m.id) for m in missed]
            assert ids == sorted(ids)
            assert ids[0] > int(seen)
            told = stream.next()
            assert (told.event, told.data) == ("provisional", {"alarms": [], "ledger": "ok"})
            assert stream.next().event in ("heartbeat", "readings")


@pytest.mark.parametrize("last", ["999999", "-1", "x", "²", "9" * 40])
def test_an_id_that_nobody_gave_out_starts_anew(served: Served, room: Room, last: str) -> None:
    room.raise_alarm()
    with served.client() as client, listening(client, last=last.encode()) as stream:
        assert stream.until("snapshot").data["seq"]


def test_changes_that_were_cleared_away_start_anew(served: Served, room: Room) -> None:
    room.raise_alarm()
    with served.client() as client:
        with listening(client) as stream:
            seen = stream.until("snapshot").id
        room.raise_alarm("pump-1")
        with room.ledger.writing() as connection:
            connection.exec_driver_sql(f"DELETE FROM change WHERE id = {int(seen) + 1}")
        with listening(client, last=seen) as stream:
            assert stream.until("snapshot").data["seq"]


def test_log_out_ends_the_stream_of_that_session_only(served: Served) -> None:
    with (
        served.client() as leaves,
        served.client() as stays,
        listening(leaves) as stream,
        listening(stays) as other,
    ):
        stream.next()
        leaves.post("/api/v1/logout")
        while stream.next() is not None:
            pass
        assert other.until("heartbeat")


def test_the_end_of_a_session_ends_its_stream(served: Served, room: Room) -> None:
    with served.client() as client, listening(client) as stream:
        stream.next()
        room.clock.advance(8 * DAY / SECOND)
        while stream.next() is not None:
            pass
        assert client.get("/api/v1/me").status_code == 401


def test_the_end_of_the_service_ends_the_streams_and_waits_for_none(served: Served) -> None:
    with served.client() as client, listening(client) as stream:
        stream.next()
        served.end()
        while stream.next() is not None:
            pass
        wait_for(lambda: not served.thread.is_alive(), seconds=3)


def test_a_ledger_that_fails_stops_no_readings_and_nothing_is_missed_after(
    served: Served, room: Room
) -> None:
    with served.client() as client, listening(client) as stream:
        stream.next()
        with room.ledger.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE change RENAME TO away")
        publish(served, room, {HOT: 50.0})
        assert readings(stream.until("readings"))[HOT]["value"] == 50.0
        assert stream.until("heartbeat")
        with room.ledger.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE away RENAME TO change")
        alarm = room.raise_alarm()
        assert stream.until("alarm").data["alarm"]["id"] == alarm


def test_streams_have_a_limit(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "STREAMS_AT_MOST", 1)
    with served.client() as client, listening(client) as stream:
        stream.next()
        answer = client.get("/api/v1/stream")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"


def streams() -> float:
    return REGISTRY.get_sample_value("dutyroom_streams") or 0.0


def cut(reason: str) -> float:
    return REGISTRY.get_sample_value("dutyroom_streams_cut_total", {"reason": reason}) or 0.0


def test_a_page_that_goes_away_is_forgotten(served: Served) -> None:
    before = streams()
    with served.client() as client:
        with listening(client) as stream:
            stream.next()
            assert streams() == before + 1
        wait_for(lambda: streams() == before)


@pytest.fixture
def deaf(served: Served) -> Iterator[socket.socket]:
    """A page that asks for the stream and then reads nothing."""
    with served.client() as client:
        cookie = client.cookies["dutyroom_session"]
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader.connect(("127.0.0.1", int(served.url.rpartition(":")[2])))
        reader.sendall(
            b"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Cookie: dutyroom_session=" + cookie.encode() + b"\r\n\r\n"
        )
        yield reader


def test_a_reader_that_takes_nothing_is_cut_and_the_others_go_on(
    served: Served, room: Room, deaf: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_route, "SEND_LIMIT", 0.5)
    before = cut("slow")
    value = 0.0
    with served.client() as client, listening(client) as stream:
        stream.next()
        wait_for(lambda: streams() >= 2)

        def is_cut() -> bool:
            nonlocal value
            value += 1.0
            publish(served, room, dict.fromkeys(room.site.points, value))
            assert stream.until("readings")
            return cut("slow") > before

        wait_for(is_cut, seconds=60)
        wait_for(lambda: streams() == 1)


def test_a_stream_that_fell_out_of_the_ring_is_cut(
    served: Served, room: Room, deaf: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RING", 1)
    before = cut("behind")
    with served.client() as client, listening(client) as stream:
        stream.next()
        room.hold({f"pump-{n}.motor_temperature": 80.0 for n in (1, 2, 3)}, 12)
        while stream.next() is not None:
            pass
        assert cut("behind") > before


def test_a_taken_port_is_told_in_one_line(served: Served, room: Room) -> None:
    port = int(served.url.rpartition(":")[2])
    starting = service.run(
        site=room.site,
        rulebook=room.rulebook,
        ledger=room.ledger,
        history=room.history,
        bus=served.bus,
        clock=room.clock,
        host="127.0.0.1",
        port=port,
        attached=room.attached,
        link_key=LINK_KEY,
        stop=asyncio.Event(),
    )
    with pytest.raises(CannotStartError, match=str(port)):
        asyncio.run(starting)
