"""What Prometheus hears of the Modbus links: read off their tallies when it asks.

The way of a reading only counts (:mod:`gateway.modbus.figures`); nothing here is on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Protocol
from weakref import WeakValueDictionary

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.modbus.figures import LATENCY_BOUNDS, Traffic, UnitTally
from gateway.model.equipment import ModbusLink

_UNIT = ("link", "unit")
_COUNTED = {
    "requests": "Requests sent to a unit.",
    "replies": "Right replies of a unit, exceptions among them.",
    "timeouts": "Requests that got no whole reply in time.",
    "wrong": "Replies rejected because they were not the reply, and connections closed instead.",
    "damaged": "Replies rejected because of their checksum.",
}


class Watched(Protocol):
    @property
    def link(self) -> ModbusLink: ...

    @property
    def traffic(self) -> Traffic: ...


class Meters(Collector):
    """Of every link watched that is still in use."""

    def __init__(self) -> None:
        self._links: WeakValueDictionary[str, Watched] = WeakValueDictionary()

    def watch(self, link: Watched) -> None:
        """From now on; in place of an earlier one of the same id."""
        self._links[link.link.id] = link

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        links = [(one.link.id, one.traffic) for one in list(self._links.values())]
        units = [
            ((link, str(unit)), tally)
            for link, traffic in links
            for unit, tally in traffic.units.items()
        ]
        busy = GaugeMetricFamily(
            "dutyroom_modbus_busy",
            "Share of the last minute that a link was in use.",
            labels=_UNIT[:1],
        )
        connected = GaugeMetricFamily(
            "dutyroom_modbus_connected", "1 if a link is connected.", labels=_UNIT[:1]
        )
        attempts = CounterMetricFamily(
            "dutyroom_modbus_attempts", "Attempts to connect.", labels=_UNIT[:1]
        )
        strays = CounterMetricFamily(
            "dutyroom_modbus_strays", "Times that bytes came unasked.", labels=_UNIT[:1]
        )
        for link, traffic in links:
            busy.add_metric([link], traffic.busy)
            connected.add_metric([link], traffic.connected)
            attempts.add_metric([link], traffic.attempts)
            strays.add_metric([link], traffic.strays)
        yield from (busy, connected, attempts, strays)
        yield from (_counter(name, told, units) for name, told in _COUNTED.items())
        yield _exceptions(units)
        yield _latency(units)


Units = list[tuple[tuple[str, str], UnitTally]]


def _counter(name: str, told: str, units: Units) -> Metric:
    family = CounterMetricFamily(f"dutyroom_modbus_{name}", told, labels=_UNIT)
    for labels, tally in units:
        family.add_metric(labels, getattr(tally, name))
    return family


def _exceptions(units: Units) -> Metric:
    family = CounterMetricFamily(
        "dutyroom_modbus_exceptions", "Exceptions of a unit.", labels=(*_UNIT, "code")
    )
    for labels, tally in units:
        for code, count in list(tally.exceptions.items()):
            family.add_metric((*labels, str(code)), count)
    return family


def _latency(units: Units) -> Metric:
    family = HistogramMetricFamily(
        "dutyroom_modbus_seconds", "Time from a request to its reply.", labels=_UNIT
    )
    for labels, tally in units:
        upto = list(accumulate(tally.latencies))
        bounds = (*map(str, LATENCY_BOUNDS), "+Inf")
        # Every fourth step, and the last: a factor of four is fine enough over months.
        buckets = list(zip(bounds, upto, strict=True))
        family.add_metric(labels, [*buckets[:-1:4], buckets[-1]], sum_value=tally.seconds)
    return family


_meters = Meters()
REGISTRY.register(_meters)
watch = _meters.watch
