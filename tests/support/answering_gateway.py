"""A gateway that answers on the bus as a real one would, and remembers what it was told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api_room import Room

from gateway.bus.questions import Answers, QuestionRefusedError

NOW = 1_763_719_200_000_000
UNIT = {
    "unit": 1,
    "equipment": ["pump-1"],
    "silent": True,
    "requests": 9,
    "replies": 4,
    "timeouts": 5,
    "wrong_replies": 0,
    "crc_errors": 0,
    "exceptions": {"2": 1},
    "latency_ms": {"mean": 3.1, "p99": 9.0},
}
TOLD: Mapping[str, Any] = {
    "links": [
        {
            "id": "pump-room",
            "protocol": "modbus",
            "where": "127.0.0.1:15020",
            "connected": True,
            "reason": "",
            **{key: UNIT[key] for key in UNIT if key not in ("unit", "equipment", "silent")},
            "busy": 0.42,
            "budget": {"seconds_per_second": 0.4, "requests": 7, "keeps": True, "text": "fine"},
            "units": [UNIT],
            "dead_addresses": [
                {"unit": 1, "function": "holding", "address": 40, "reason": "no_register: 40"}
            ],
        },
        {
            "id": "lighting",
            "protocol": "mqtt",
            "where": "127.0.0.1:1883",
            "connected": False,
            "reason": "no_connection: refused",
            "equipment": ["lamp-1"],
            "heard": 12,
            "repeats": 0,
            "lost": 1,
            "dropped": 0,
        },
    ],
    "quarantine": {
        "count": 2,
        "entries": [
            {"topic": "lamp/x", "count": 2, "reason": "unexpected", "sample": "{", "at": NOW}
        ],
    },
    "spool": {
        "head": 120,
        "bytes": 8192,
        "backlog": {"history": 0, "rules": 2},
        "torn": 0,
        "shed": 0,
        "disk_failing_since": NOW,
    },
    "history": {"behind_s": 0.5, "parked": 0, "parked_reasons": []},
}


@dataclass
class Gateway:
    """Answers on the bus, and remembers what it was told to write."""

    refusal: QuestionRefusedError | None = None
    written: list[Mapping[str, Any]] = field(default_factory=list)

    async def links(self, _body: Mapping[str, Any]) -> Mapping[str, Any]:
        return TOLD

    async def write(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.refusal is not None:
            raise self.refusal
        self.written.append(body)
        return {"read_back": body["value"], "quality": "good"}

    async def probe(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if body["unit"] == 99:
            raise QuestionRefusedError("unknown_unit", "the link has no unit 99")
        point = {
            "key": "voltage",
            "name": {"zh": "电压", "en": "Voltage"},
            "value": 17254.0,
            "text": None,
            "unit": "V",
            "quality": "uncertain",
            "reason": "out_of_range",
            "raw": ["0x4366", "0x0000"],
            "hint": {"zh": "字序可能是 CDAB", "en": "the order may be CDAB"},
        }
        return {
            "link": body["link"],
            "unit": body["unit"],
            "profile": body["profile"],
            "points": [point],
            "dead_addresses": [],
            "requests": 3,
        }

    def answer_in(self, room: Room) -> None:
        """From now on, questions of ``room`` are answered."""
        Answers(
            room.bus,
            room.site.id,
            room.site.gateway,
            tells={"links": self.links, "probe": self.probe},
            acts={"write": self.write},
            clock=room.clock,
        ).start()
