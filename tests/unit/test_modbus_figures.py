"""What is counted on a link, and what Prometheus hears of it."""

from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from gateway.modbus.figures import Traffic, UnitTally, counts, summed
from gateway.modbus.meters import Meters
from gateway.model.equipment import ModbusLink


def tally(*seconds, timeouts=0, **exceptions):
    found = UnitTally()
    found.requests = len(seconds) + timeouts
    found.timeouts = timeouts
    for one in seconds:
        found.replied(one)
    for code, count in exceptions.items():
        found.exceptions[int(code[1:])] = count
    return found


def test_counts_as_people_read_them():
    told = counts(tally(*[0.001] * 98, 0.5, 0.7, timeouts=2, e6=3, e2=1))
    assert (told.requests, told.replies, told.timeouts) == (102, 100, 2)
    assert dict(told.exceptions) == {2: 1, 6: 3}
    assert told.latency_ms.mean == pytest.approx(10 * (0.098 + 1.2))
    assert 500 <= told.latency_ms.p99 <= 500 * 2**0.5
    assert counts(UnitTally()).latency_ms is None


@pytest.mark.parametrize("seconds", [0.0001, 0.0005, 0.0123, 1.0, 30.0])
def test_a_percentile_is_no_less_and_little_more(seconds):
    p99 = tally(*[seconds] * 10).percentile(0.99)
    assert seconds <= p99 <= max(seconds * 2**0.5 * 1.0001, 0.0005)


def test_the_whole_is_the_sum():
    whole = summed([tally(0.1, 0.2, e6=1), tally(0.3, timeouts=1, e6=2, e2=1)])
    assert (whole.requests, whole.replies, whole.timeouts) == (4, 3, 1)
    assert whole.exceptions == {6: 3, 2: 1}
    assert sum(whole.latencies) == 3


def test_the_share_of_the_last_minute():
    traffic = Traffic()
    assert traffic.busy == 0
    traffic.use(100.0, 100.5)
    traffic.use(101.0, 101.5)
    assert traffic.busy == pytest.approx(1.0 / 1.5)
    for second in range(102, 162):
        traffic.use(second, second + 0.25)
    assert traffic.busy == pytest.approx(0.27, abs=0.01)


@dataclass
class _Link:
    link: ModbusLink
    traffic: Traffic


def test_prometheus_hears_each_link_and_unit_as_long_as_it_is_in_use():
    registry, meters = CollectorRegistry(), Meters()
    registry.register(meters)
    link = _Link(ModbusLink(id="room", host="h", port=1, timeout=1.0), Traffic())
    meters.watch(link)
    unit = link.traffic.unit(3)
    unit.requests, unit.timeouts, unit.damaged = 3, 1, 2
    unit.replied(0.004)
    unit.exceptions[2] += 1
    link.traffic.use(0.0, 1.0)
    told = generate_latest(registry).decode()
    for line in (
        'dutyroom_modbus_requests_total{link="room",unit="3"} 3.0',
        'dutyroom_modbus_timeouts_total{link="room",unit="3"} 1.0',
        'dutyroom_modbus_damaged_total{link="room",unit="3"} 2.0',
        'dutyroom_modbus_exceptions_total{code="2",link="room",unit="3"} 1.0',
        'dutyroom_modbus_seconds_count{link="room",unit="3"} 1.0',
        'dutyroom_modbus_seconds_sum{link="room",unit="3"} 0.004',
        'dutyroom_modbus_busy{link="room"} 1.0',
        'dutyroom_modbus_connected{link="room"} 0.0',
    ):
        assert line in told, told
    del link
    assert '"room"' not in generate_latest(registry).decode()
