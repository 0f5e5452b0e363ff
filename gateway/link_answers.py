"""The gateway's answer to ``links``: how each link, the spool and the history are doing.

Body of the question: ``{}``. The answer, in which every count is since the gateway's start, every
time is µs UTC, and a reason is a line of :mod:`gateway.model.reason` ("" where there is none)::

    {"links": [
       {"id": "pump-room", "protocol": "modbus", "where": "10.0.0.7:502",
        "connected": true, "reason": "",
        "attempts": 1,                     # to connect
        "strays": 0,                       # times that bytes came which nobody had asked for
        "requests": 0, "replies": 0, "timeouts": 0, "wrong_replies": 0, "crc_errors": 0,
        "exceptions": {"2": 5},            # Modbus exception code → how often
        "latency_ms": {"mean": 3.1, "p99": 9.0},           # null before the first reply
        "busy": 0.42,                      # share of the time that the line is in use, 0…1
        "budget": {"seconds_per_second": 0.4, "requests": 7, "keeps": true, "text": "…"},
        "units": [
           {"unit": 3, "equipment": ["pump-1"], "silent": false,
            "requests": 0, "replies": 0, "timeouts": 0, "wrong_replies": 0, "crc_errors": 0,
            "exceptions": {}, "latency_ms": null}],
        "dead_addresses": [
           {"unit": 3, "function": "holding", "address": 40, "reason": "no_register: …"}]},
       {"id": "lighting", "protocol": "mqtt", "where": "127.0.0.1:1883",
        "connected": true, "reason": "",
        "equipment": ["lamp-1"],
        "heard": 0,                        # messages, by all MQTT links of the site together
        "repeats": 0,                      # of them delivered once more
        "lost": 0,                         # connections lost
        "dropped": 0}],                    # by the broker, of all its clients, as far as it tells
     "quarantine": {
        "count": 3,                        # messages put aside
        "entries": [                       # the topics with the newest ones first, at most 50
           {"topic": "lamp/status", "count": 3, "reason": "is no JSON: …",
            "sample": "{\\"s\\": ", "at": 1795000000000000}]},    # its first bytes, as text
     "spool": {
        "head": 120, "bytes": 8192,        # newest record made safe; size on disk
        "backlog": {"history": 0, "rules": 2},             # records not yet taken, by consumer
        "torn": 0, "shed": 0,              # damaged; deleted unread because it was full
        "disk_failing_since": null},
     "history": {
        "behind_s": 0.0,                   # age of the oldest record that it lacks
        "parked": 0,                       # readings that its server refused for good
        "parked_reasons": [{"reason": "…", "count": 2}]}}     # the last ones, at most 20

A link that nothing was asked of yet has zeros. A link without equipment is not there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from gateway.history.parking import Parking
from gateway.modbus.figures import LinkFigures
from gateway.model.equipment import MqttLink, Site
from gateway.model.moment import SECOND
from gateway.mqtt.link import MqttSession
from gateway.mqtt.quarantine import Quarantine
from gateway.spool.queue import Spool


class Counted(Protocol):
    """What is needed of a poller."""

    def figures(self) -> LinkFigures: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Now:
    """What only the service knows."""

    repeats: int = 0
    """Messages that came once more."""
    disk_failing_since: int | None = None
    """µs UTC."""
    behind: int = 0
    """µs of age of the oldest record that the history lacks."""


class LinkAnswers:
    """Answers the question ``links``. ``mqtt``: the session of all MQTT links; ``parking``: where
    the history keeps what its server refuses, if it has a server."""

    def __init__(
        self,
        *,
        site: Site,
        pollers: Sequence[Counted],
        mqtt: MqttSession | None,
        spool: Spool,
        now: Callable[[], Now],
        parking: Parking | None = None,
    ) -> None:
        self._site = site
        self._pollers = tuple(pollers)
        self._mqtt = mqtt
        self._spool = spool
        self._now = now
        self._parking = parking

    async def __call__(self, _body: Mapping[str, Any]) -> Mapping[str, Any]:
        now, mqtt = self._now(), self._mqtt
        links = [poller.figures().plain() for poller in self._pollers]
        if mqtt is not None:
            links += _mqtt_links(self._site, mqtt, now.repeats)
        return {
            "links": links,
            "quarantine": _quarantined(Quarantine() if mqtt is None else mqtt.quarantine),
            # It waits for the disk's lock.
            "spool": await asyncio.to_thread(_spooled, self._spool, now.disk_failing_since),
            "history": _kept(self._parking, now.behind),
        }


def _mqtt_links(site: Site, mqtt: MqttSession, repeats: int) -> list[dict[str, Any]]:
    return [
        {
            "id": link.id,
            "protocol": "mqtt",
            "where": f"{mqtt.broker.host}:{mqtt.broker.port}",
            "connected": mqtt.connected,
            "reason": mqtt.reason,
            "equipment": equipment,
            "heard": mqtt.heard,
            "repeats": repeats,
            "lost": mqtt.lost,
            "dropped": mqtt.overflow.dropped,
        }
        for link in site.links.values()
        if isinstance(link, MqttLink)
        and (equipment := [one.id for one in site.equipment.values() if one.link == link.id])
    ]


def _quarantined(quarantine: Quarantine) -> dict[str, Any]:
    return {
        "count": quarantine.count,
        "entries": [
            {**asdict(entry), "sample": entry.sample.decode("utf-8", errors="replace")}
            for entry in quarantine.entries
        ],
    }


def _spooled(spool: Spool, disk_failing_since: int | None) -> dict[str, Any]:
    return {
        "head": spool.synced,
        "bytes": spool.size,
        "backlog": {consumer: spool.backlog(consumer) for consumer in spool.consumers},
        "torn": spool.torn,
        "shed": spool.shed,
        "disk_failing_since": disk_failing_since,
    }


def _kept(parking: Parking | None, behind: int) -> dict[str, Any]:
    reasons = {} if parking is None else parking.reasons
    return {
        "behind_s": round(behind / SECOND, 3),
        "parked": 0 if parking is None else parking.count,
        "parked_reasons": [
            {"reason": reason, "count": count} for reason, count in reversed(reasons.items())
        ],
    }
